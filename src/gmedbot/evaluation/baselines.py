"""What the product must beat, measured in the same run: simpler ways to answer and to merge.

- *first passage wins*: the best passage (RRF) read out whole, as a plain retrieve-and-quote bot would.
- *copies vote*: the claims of the ten best passages grouped by cosine ≥ 0.65; the group with the most sources speaks
  alone, copies counted as votes.
- *cosine 0.65*: two claims agree if their cosine is 0.65 or more, else they are different; a conflict is never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.reply import Reply, Said
from gmedbot.types import Citation, Claim

__all__ = ["SIMILAR", "AnswerBaselines", "agree_by_cosine"]

#: The threshold at which many retrieval bots call two sentences the same; measured, not recommended.
SIMILAR = 0.65


class AnswerBaselines:
    """Answers by simpler means, over the same index."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._index = bench.index

    @property
    def systems(self) -> Mapping[str, Callable[[str], Reply]]:
        return {"first passage wins": self.first_passage, "copies vote": self.copies_vote}

    def first_passage(self, question: str) -> Reply:
        found = self._bench.search_rrf(question)[:1]
        return Reply(tuple(self._said(claim, [claim]) for claim in self._claims_of(found)))

    def copies_vote(self, question: str) -> Reply:
        claims = self._claims_of(self._bench.search_rrf(question)[:10])
        if not claims:
            return Reply(())
        groups = self._groups(claims, question)
        best = max(groups, key=lambda group: len({claim.source_id for claim in group}))
        return Reply((self._said(best[0], best),))

    def _groups(self, claims: Sequence[Claim], question: str) -> list[list[Claim]]:
        """Greedy groups by cosine to the group's first claim, claims nearest to the question first."""
        rows = [self._index.claim_row[claim.claim_id] for claim in claims]
        vectors = np.asarray(self._index.claim_vectors)[rows]
        order = np.argsort(-(vectors @ self._bench.encoder.encode([question])[0]), kind="stable")
        groups: list[list[int]] = []
        for place in order.tolist():
            for group in groups:
                if float(vectors[group[0]] @ vectors[place]) >= SIMILAR:
                    group.append(place)
                    break
            else:
                groups.append([place])
        return [[claims[place] for place in group] for group in groups]

    def _claims_of(self, found: Sequence[tuple[str, float]]) -> list[Claim]:
        rows = [row for passage_id, _ in found for row in self._index.claims_of_passage.get(passage_id, ())]
        return [self._index.claims[row] for row in rows]

    def _said(self, best: Claim, claims: Sequence[Claim]) -> Said:
        citations = tuple(self._citation(number, claim) for number, claim in enumerate(claims, start=1))
        return Said(best.text, citations, tuple(citation.n for citation in citations))

    def _citation(self, number: int, claim: Claim) -> Citation:
        source = self._index.sources[claim.source_id]
        return Citation(
            number, source.source_id, source.title, source.year, source.kind, source.evidence, source.url,
            claim.passage_id, claim.heading, claim.text, claim.start, claim.end,
        )  # fmt: skip


def agree_by_cosine(bench: Bench, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, float]]:
    """(label, cosine) of each pair by the threshold alone."""
    bench.warm(text for pair in pairs for text in pair)
    found: list[tuple[str, float]] = []
    for a, b in pairs:
        vectors = bench.encoder.encode([a, b])
        cosine = float(vectors[0] @ vectors[1])
        found.append(("agree" if cosine >= SIMILAR else "different", cosine))
    return found
