"""Does a quote support a sentence? Read from identical text, then from the gold pairs, then from the ledger.

The ledger is the product's own; so that it is not judge in its own cause alone, a pair labelled by hand overrules
it, and the claims area measures the ledger itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from gmedbot.evaluation.binding import Binding
from gmedbot.evaluation.gold import GoldPair
from gmedbot.evaluation.reply import Said
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import Citation

__all__ = ["Support"]


class Support:
    """Looks up how sentences of one index stand to one another."""

    def __init__(self, index: BuiltIndex, binding: Binding, pairs: Sequence[GoldPair] = ()) -> None:
        self._index = index
        self.binding = binding
        self._findings = {finding.finding_id: finding for finding in index.findings}
        self._labels = {frozenset((pair.a, pair.b)): pair.relation for pair in pairs}

    def findings_of(self, text: str) -> frozenset[str]:
        """Ids of the findings that hold a claim of exactly this text."""
        found = self._index.finding_of_claim
        return frozenset(
            found[claim.claim_id].finding_id for claim in self.binding.claims(text) if claim.claim_id in found
        )

    def findings_of_all(self, texts: Iterable[str]) -> frozenset[str]:
        return frozenset(finding for text in texts for finding in self.findings_of(text))

    def supports(self, text: str, citation: Citation) -> bool:
        """True if the quote says what the sentence says."""
        if text.strip() == citation.quote.strip():
            return True
        label = self._labels.get(frozenset((text, citation.quote)))
        if label is not None:
            return label == "agree"
        if self.findings_of(text) & self.findings_of(citation.quote):
            return True
        pairs = (
            (min(a.claim_id, b.claim_id), max(a.claim_id, b.claim_id))
            for a in self.binding.claims(text)
            for b in self.binding.claims(citation.quote, citation.source_id)
        )
        relations = self._index.relations
        return any(pair in relations and relations[pair].label == "agree" for pair in pairs)

    def sources_behind(self, said: Said) -> frozenset[str]:
        """The sources that the ledger counts behind a sentence: all of them should be cited. Behind one of a card, those that
        say what people found the other sides to deny; where only the program set them apart, the whole finding."""
        wanted = frozenset((said.finding_id,)) if said.finding_id else self.findings_of(said.statement)
        names = {name for item in wanted if item in self._findings for name in self._findings[item].supporters}
        denied = self._denied(names, self.findings_of_all(said.against))
        claims, row = self._index.claims, self._index.claim_row
        return frozenset(claims[row[name]].source_id for name in denied or names if name in row)

    def _denied(self, names: Collection[str], others: Collection[str]) -> set[str]:
        """Those of the claims that a review sets against one of the findings; none if anything else does."""
        rivals = {rival for other in others for rival in self._findings[other].supporters}
        pairs = (
            (name, self._index.relations.get((min(name, rival), max(name, rival))))
            for name in names
            for rival in rivals
        )
        found = [(name, pair) for name, pair in pairs if pair is not None and pair.label == "conflict"]
        return {name for name, _ in found} if all(pair.judged_by == "review" for _, pair in found) else set()
