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
_AT = {name: place for place, name in enumerate(COMPANY)}
_BEFORE = np.tril(np.ones((LOOKED_AT, LOOKED_AT), dtype=np.float32), -1)  #: 1 where the column ranks before the row


def company_of(
    facts: Sequence[Facts], scores: NDArray[np.float64], vectors: NDArray[np.float32], table: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``COMPANY`` of claims in the order of their first scores, best first: (n, len(COMPANY)).

    Args: scores: of the first look, (n,), falling. vectors: (n, dim), of length 1. table: their ``FEATURES``.
    """
    n = len(facts)
    seen = np.empty((n, len(COMPANY)))
    behind = scores - scores[0]
    likeness = vectors @ vectors.T
    odds = np.exp(behind)
    shares = odds[:_LEADERS] / odds[:_LEADERS].sum()
    asked = table[:, _ASKED]
    lead = facts[0].claim
    attribute = lead.frame.attribute
    seen[:, _AT["first_score"]] = scores
    seen[:, _AT["behind_lead"]] = behind
    seen[:, _AT["lead_cosine"]] = likeness[:, 0]
    seen[0, _AT["lead_cosine"]] = 0.0
    seen[:, _AT["leaders_cosine"]] = likeness[:, : len(shares)] @ shares
    seen[:, _AT["repeats"]] = (likeness * _BEFORE[:n, :n]).max(axis=1)
    seen[:, _AT["agrees"]], seen[:, _AT["disputes"]] = _related(facts, odds)
    seen[:, _AT["lead_attribute"]] = [bool(attribute) and own.claim.frame.attribute == attribute for own in facts]
    seen[:, _AT["asked_beside"]] = (likeness * (likeness > _BESIDE) * asked).max(axis=1)
    seen[:, _AT["asked_beside_more"]] = seen[:, _AT["asked_beside"]] - asked
    seen[:, _AT["place"]] = np.log1p(np.arange(n))
    seen[:, _AT["lead_source"]] = [own.claim.source_id == lead.source_id for own in facts]
    seen[0, _AT["lead_source"]] = 0.0
    seen[:, _AT["company"]] = likeness[:, :_AROUND].mean(axis=1)
    return seen


def _related(facts: Sequence[Facts], odds: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """For each claim the greatest odds of a head whose finding it stands in, itself aside, and of one that its finding disputes."""
    findings = [own.finding.finding_id for own in facts]
    agrees, disputes = [0.0] * len(facts), [0.0] * len(facts)
    for place in reversed(range(min(_HEADS, len(facts)))):  # the odds fall: the first head has the last word
        name, against, weight = findings[place], frozenset(facts[place].finding.dissents), float(odds[place])
        for other, own in enumerate(findings):
            if own == name:
                if other != place:
                    agrees[other] = weight
            elif own in against:
                disputes[other] = weight
    return agrees, disputes
