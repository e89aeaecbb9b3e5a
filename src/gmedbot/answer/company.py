"""What is seen of a claim beside the claims that answer best: the second look of the ranking.

The first look weighs each claim alone (``answer.features``). But what says the same as a good answer is one too, and so is
what a good answer is disputed by; what merely shares words with the question stands apart from both (the cluster hypothesis,
van Rijsbergen 1979; pseudo-relevance feedback, Xu & Croft 1996). docs/decisions/0026.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.features import FEATURES, Facts

__all__ = ["COMPANY", "LOOKED_AT", "company_of"]

#: The columns that the second look adds to ``FEATURES``.
COMPANY: tuple[str, ...] = (
    "first_score", "behind_lead", "lead_cosine", "leaders_cosine", "repeats", "agrees", "disputes", "lead_attribute",
    "asked_beside", "asked_beside_more", "place", "lead_source", "company",
)  # fmt: skip
#: Claims that are looked at twice, best first; the others keep their order behind them.
LOOKED_AT = 60
_LEADERS = 5  #: whose nearness counts, each by its share of the probability
_HEADS = 3  #: whose findings are compared
_AROUND = 10
_BESIDE = 0.6  #: cosine from which a learner's question on one claim may be one on another
_ASKED = FEATURES.index("asked")


def company_of(
    facts: Sequence[Facts], scores: NDArray[np.float64], vectors: NDArray[np.float32], table: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``COMPANY`` of claims in the order of their first scores, best first: (n, len(COMPANY)).

    Args: scores: of the first look, (n,), falling. vectors: (n, dim), of length 1. table: their ``FEATURES``.
    """
    n = len(facts)
    behind = scores - scores[0]
    likeness = (vectors @ vectors.T).astype(np.float64)
    odds = np.exp(behind)
    shares = odds[:_LEADERS] / odds[:_LEADERS].sum()
    lead = facts[0]
    agrees, disputes = np.zeros(n), np.zeros(n)
    for place, head in enumerate(facts[:_HEADS]):
        name, against = head.finding.finding_id, frozenset(head.finding.dissents)
        for other, own in enumerate(facts):
            if own.finding.finding_id == name and other != place:
                agrees[other] = max(agrees[other], odds[place])
            elif own.finding.finding_id in against:
                disputes[other] = max(disputes[other], odds[place])
    asked = table[:, _ASKED]
    beside = (np.where(likeness > _BESIDE, likeness, 0.0) * asked).max(axis=1)
    before = np.tril(likeness, -1).max(axis=1)
    led = likeness[:, 0].copy()
    led[0] = 0.0
    attribute = lead.claim.frame.attribute
    return np.column_stack(
        [
            scores,
            behind,
            led,
            likeness[:, : len(shares)] @ shares,
            before,
            agrees,
            disputes,
            [float(bool(attribute) and own.claim.frame.attribute == attribute) for own in facts],
            beside,
            beside - asked,
            np.log1p(np.arange(n)),
            [float(place > 0 and own.claim.source_id == lead.claim.source_id) for place, own in enumerate(facts)],
            likeness[:, :_AROUND].mean(axis=1),
        ]
    )
