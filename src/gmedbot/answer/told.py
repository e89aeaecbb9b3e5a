"""What is seen of a follow-up's candidates in the light of the answers before it.

"How large is that effect?", "and which of the two?": the words that such a question leaves out mostly stand in the answer
that it follows, not in the question before. An earlier answer is taken here as the claims that led it, and each candidate is
seen beside them (docs/decisions/0028; conversational search with the last answer as context: Dalton et al. 2021, TREC CAsT).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.features import ClaimObserver, Facts
from gmedbot.index.reader import BuiltIndex

__all__ = ["LATEST", "TOLD", "Told", "told_of"]

Vectors = NDArray[np.float32]
Table = NDArray[np.float64]

#: The columns that earlier answers add to ``FEATURES`` for a follow-up.
TOLD: tuple[str, ...] = (
    "told_cosine", "told_mean", "told_finding", "told_attribute", "told_passage", "told_terms", "told_lead_cosine", "is_told",
    "told_before_cosine", "told_before_mean", "told_coverage", "told_new", "told_typed", "told_asked", "is_told_lead",
    "is_told_claim", "told_source", "joined_cosine", "joined_asked",
)  # fmt: skip
#: Earlier messages whose answers count.
LATEST = 2
_HEADS = 6  #: findings of an answer that candidates are compared with, each by its share of the probability
_NAMED = 4  #: whose findings are compared
_LEADING = 3  #: whose passages and words are
_SAID = 8  #: whose claims count as told
_AT: Mapping[str, int] = {name: place for place, name in enumerate(TOLD)}


@dataclass(frozen=True)
class Told:
    """An earlier message and what was found for it. Rows are of claims, in the order in which their findings answer."""

    asked: Vectors  #: its question, (dim,)
    keys: frozenset[str]  #: words and terms of its question
    heads: tuple[int, ...]  #: the claim that leads each finding
    shares: tuple[float, ...]  #: of the probability; they add up to 1
    claims: frozenset[int]  #: every claim of the findings

    @classmethod
    def of(
        cls, asked: Vectors, keys: frozenset[str], findings: Sequence[Sequence[int]], scores: Sequence[float]
    ) -> Told:
        """``findings``: rows of the claims of each, best first; ``scores`` of the findings, log-odds, falling."""
        odds = np.exp(np.asarray(scores[:_HEADS]) - scores[0])
        return cls(
            asked,
            keys,
            tuple(rows[0] for rows in findings[:_HEADS]),
            tuple((odds / odds.sum()).tolist()),
            frozenset(row for rows in findings[:_SAID] for row in rows),
        )


def told_of(
    typed: str, joined: Vectors, told: Sequence[Told], rows: Sequence[int], index: BuiltIndex, look: ClaimObserver
) -> Table:
    """``TOLD`` of the candidates ``rows``, (n, len(TOLD)).

    Args: typed: the follow-up as it was written. joined: its vector (``answer.joined``), or that of its conversation. told: the
    earlier answers, the latest first; at least one.
    """
    table = np.zeros((len(rows), len(TOLD)))
    facts = [look.facts(row) for row in rows]
    vectors = np.asarray(index.claim_vectors[list(rows)])
    last = told[0]
    table[:, _AT["is_told"]] = 1.0
    for place, name in enumerate(("told", "told_before")[: len(told)]):
        likeness = vectors @ np.asarray(index.claim_vectors[list(told[place].heads)]).T
        table[:, _AT[f"{name}_cosine"]] = likeness.max(axis=1)
        table[:, _AT[f"{name}_mean"]] = likeness @ np.asarray(told[place].shares)
        if not place:
            table[:, _AT["told_lead_cosine"]] = likeness[:, 0]
    table[:, _AT["joined_cosine"]] = vectors @ joined
    table[:, _AT["joined_asked"]] = index.questions.nearness(joined)[list(rows)]
    table[:, _AT["told_asked"]] = vectors @ last.asked
    table[:, _AT["is_told_lead"]] = [row == last.heads[0] for row in rows]
    table[:, _AT["is_told_claim"]] = [row in last.claims for row in rows]
    for name, column in (*_shared(last, facts, look), *_worded(typed, last, rows, facts, look)):
        table[:, _AT[name]] = column
    return table


def _shared(last: Told, facts: Sequence[Facts], look: ClaimObserver) -> list[tuple[str, list[float]]]:
    """What candidates have in common with the claims that led the last answer."""
    heads = [look.facts(row) for row in last.heads]
    lead, leading = heads[0].claim, heads[:_LEADING]
    findings = {head.finding.finding_id for head in heads[:_NAMED]}
    passages = {head.passage for head in leading}
    terms = frozenset().union(*(_terms(head) for head in leading))
    attribute = lead.frame.attribute
    return [
        ("told_finding", [own.finding.finding_id in findings for own in facts]),
        ("told_attribute", [bool(attribute) and own.claim.frame.attribute == attribute for own in facts]),
        ("told_passage", [own.passage in passages for own in facts]),
        ("told_source", [own.claim.source_id == lead.source_id for own in facts]),
        ("told_terms", [len(_terms(own) & terms) / max(1, len(_terms(own))) for own in facts]),
    ]


def _terms(own: Facts) -> frozenset[str]:
    return frozenset({*own.claim.frame.terms, *own.claim.frame.subjects})


def _worded(
    typed: str, last: Told, rows: Sequence[int], facts: Sequence[Facts], look: ClaimObserver
) -> list[tuple[str, Sequence[float] | Table]]:
    """What candidates say of the words that the last answer brought, of those that were typed, and beyond all of them."""
    written = look.text_keys(typed)
    leading = [look.facts(row).keys for row in last.heads[:_LEADING]]
    heard: Set[str] = frozenset().union(written, last.keys, *leading)
    return [
        ("told_coverage", look.coverage(look.weights(leading[0] - written - last.keys), rows)[0]),
        ("told_typed", look.coverage(look.weights(written), rows)[0]),
        ("told_new", [_share(look, own.keys - heard, own.keys) for own in facts]),
    ]


def _share(look: ClaimObserver, some: Set[str], every: Set[str]) -> float:
    """Rarity of some keys by that of all."""
    return sum(map(look.rarity, sorted(some))) / max(1e-6, sum(map(look.rarity, sorted(every))))
