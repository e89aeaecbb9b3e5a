"""Gold quotes → passages and claims of one index, by what they say and not by an id.

A quote is looked for in its source's passages, also across the cut between two of them. One that is not found is
reported with the likeliest cause and leaves the qrels: a reworded corpus is not a worse retriever.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from gmedbot.claims.quantities import NUMBER
from gmedbot.evaluation.gold import Quote
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import Claim

__all__ = ["Binding", "StaleQuote"]


@dataclass(frozen=True)
class StaleQuote:
    """A gold quote that the index does not hold. ``cause``: its source is gone, a number was changed, or the words."""

    source: str
    text: str
    cause: Literal["source-missing", "number-changed", "reworded"]
    nearest: str = ""


class Binding:
    """Where the gold stands in one index."""

    def __init__(self, index: BuiltIndex) -> None:
        self._index = index
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    @cached_property
    def _texts(self) -> Mapping[str, tuple[str, list[tuple[int, int, str]]]]:
        """source_id → (its passages laid out at their offsets, blanks between; spans with passage ids)."""
        spans: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        texts: dict[str, list[str]] = defaultdict(list)
        for passage in sorted(self._index.passages, key=lambda p: (p.source_id, p.start)):
            pieces = texts[passage.source_id]
            gap = passage.start - sum(map(len, pieces))
            pieces.append(" " * max(0, gap))
            start = sum(map(len, pieces))
            pieces.append(passage.text)
            spans[passage.source_id].append((start, start + len(passage.text), passage.passage_id))
        return {source: ("".join(pieces), spans[source]) for source, pieces in texts.items()}

    def passages(self, quote: Quote) -> tuple[str, ...]:
        """Ids of the passages that hold (a part of) the quote's span; empty if the index does not hold it."""
        key = (quote.source, quote.text)
        if key not in self._found:
            self._found[key] = self._locate(*key)
        return self._found[key]

    def _locate(self, source: str, text: str) -> tuple[str, ...]:
        whole, spans = self._texts.get(source, ("", []))
        ids: dict[str, None] = {}
        for match in re.finditer(re.escape(text), whole):
            for start, end, passage_id in spans:
                if start < match.end() and match.start() < end:
                    ids[passage_id] = None
        return tuple(ids)

    def grades(self, quotes: Iterable[Quote]) -> dict[str, int]:
        """Qrels of one question: passage_id → the highest grade of a quote in it. Stale quotes leave no trace."""
        grades: dict[str, int] = {}
        for quote in quotes:
            for passage_id in self.passages(quote):
                grades[passage_id] = max(grades.get(passage_id, 0), quote.grade)
        return grades

    @cached_property
    def _claims_by_text(self) -> Mapping[str, tuple[Claim, ...]]:
        found: dict[str, list[Claim]] = defaultdict(list)
        for claim in self._index.claims:
            found[claim.text].append(claim)
        return {text: tuple(claims) for text, claims in found.items()}

    def claims(self, text: str, source: str | None = None) -> tuple[Claim, ...]:
        """The claims of the index with exactly this text (of one source, if given)."""
        claims = self._claims_by_text.get(text, ())
        return claims if source is None else tuple(claim for claim in claims if claim.source_id == source)

    def lost(self, quotes: Iterable[Quote]) -> tuple[Quote, ...]:
        """The quotes that stand whole in a passage, but of which the index made no claim in a finding: nothing can say
        them. One that other passages cut in two is not lost; it is another cut."""
        return tuple(quote for quote in quotes if self._is_whole(quote) and not self._is_claimed(quote))

    def _is_whole(self, quote: Quote) -> bool:
        passages, row_of = self._index.passages, self._index.row_of
        return any(quote.text in passages[row_of[passage_id]].text for passage_id in self.passages(quote))

    def _is_claimed(self, quote: Quote) -> bool:
        known = self._index.finding_of_claim
        return any(claim.claim_id in known for claim in self.claims(quote.text, quote.source))

    def stale(self, quotes: Iterable[Quote]) -> tuple[StaleQuote, ...]:
        """The quotes that the index does not hold, each with its likeliest cause."""
        return tuple(self._diagnose(quote) for quote in quotes if not self.passages(quote))

    def _diagnose(self, quote: Quote) -> StaleQuote:
        from rapidfuzz import fuzz, process

        if quote.source not in self._index.sources:
            return StaleQuote(quote.source, quote.text, "source-missing")
        own = [claim.text for claim in self._index.claims if claim.source_id == quote.source]
        best = process.extractOne(quote.text, own, scorer=fuzz.ratio)
        nearest = str(best[0]) if best else ""
        without = NUMBER.sub("#", quote.text)
        changed = [text for text in own if NUMBER.sub("#", text) == without]
        if changed:
            return StaleQuote(quote.source, quote.text, "number-changed", changed[0])
        return StaleQuote(quote.source, quote.text, "reworded", nearest)
