"""Numbered citations: each is a verbatim quote at its offsets, and an answer cannot hold one that is not."""

from __future__ import annotations

from collections.abc import Iterable

from gmedbot.corpus.plain import without_markup
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import Citation, Claim

__all__ = ["Citations"]


class Citations:
    """Numbers claims in the order in which an answer first cites them; the same claim keeps its number."""

    def __init__(self, index: BuiltIndex) -> None:
        self._index = index
        self._numbers: dict[str, int] = {}
        self._citations: list[Citation] = []

    def cite(self, claims: Iterable[Claim]) -> tuple[int, ...]:
        """The numbers of ``claims``, ascending, each once. A source is cited once a call, by its first claim."""
        numbers: dict[str, int] = {}
        for claim in claims:
            if claim.source_id not in numbers:
                numbers[claim.source_id] = self._number(claim)
        return tuple(sorted(numbers.values()))

    def _number(self, claim: Claim) -> int:
        if claim.claim_id in self._numbers:
            return self._numbers[claim.claim_id]
        source = self._index.sources[claim.source_id]
        passage = self._index.passages[self._index.row_of[claim.passage_id]]
        quote = passage.text[claim.start - passage.start : claim.end - passage.start]
        if without_markup(quote) != claim.text:
            raise ValueError(f"claim {claim.claim_id} does not stand in its passage")
        number = len(self._citations) + 1
        self._numbers[claim.claim_id] = number
        self._citations.append(
            Citation(
                n=number,
                source_id=source.source_id,
                title=source.title,
                year=source.year,
                kind=source.kind,
                evidence=source.evidence,
                url=source.url,
                passage_id=claim.passage_id,
                heading=claim.heading,
                quote=quote,
                start=claim.start,
                end=claim.end,
            )
        )
        return number

    @property
    def all(self) -> tuple[Citation, ...]:
        return tuple(self._citations)
