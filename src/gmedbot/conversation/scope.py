"""Two gates, kept apart: is the question about this field, and can it be answered from what was found?

One gate would do both badly: a strict one refuses short follow-ups, a lax one answers a piriformis question with the
gluteus medius. *In scope* looks at the question alone (does it name anything of the field?). *Answerable* looks at the
evidence (does the best claim speak of what was asked, word for word and in meaning?). Thresholds are calibrated on
the dev questions per encoder and stored in the manifest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gmedbot.answer.evidence import Evidence
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.retrieval.understand import Query

__all__ = ["DEFAULT_THRESHOLDS", "Verdict", "decide"]

#: Log-odds of "answerable" per feature, a logistic regression on the dev questions for all-MiniLM-L6-v2
#: (docs/decisions/0004); the figures on test are in docs/evaluation.md.
_GATE: Mapping[str, float] = {
    "best": 0.03,
    "best_three": -0.306,
    "nearest": 7.304,
    "cosine": 4.382,
    "coverage": -0.592,
    "widest_coverage": 2.266,
    "unmet": 0.732,
    "unmet_share": -6.37,
    "in_scope": -0.225,
    "attribute": 0.792,
    "unknown": -0.583,
    "passage": 1.082,
    "other_muscle": -0.948,
    "bias": -5.49,
}
#: The probability from which an answer is given; a maintainer may set another per encoder in the manifest.
DEFAULT_THRESHOLDS: Mapping[str, float] = {"answerable": 0.5}


@dataclass(frozen=True)
class Verdict:
    """``is_answerable`` with the reason in a word: "answer", "out-of-scope", "not-covered"."""

    is_answerable: bool
    reason: str
    probability: float = 0.0


def decide(
    query: Query,
    evidence: Sequence[Evidence],
    vocabulary: Vocabulary,
    thresholds: Mapping[str, float],
    unmet: tuple[float, float] = (0.0, 0.0),
    passage: float = 1.0,
) -> Verdict:
    """Both gates for one standalone question.

    Args: unmet: number and share of the query's words that no claim holds. passage: fused score behind the best claim.
    """
    in_scope = any(vocabulary.terms[term].kind not in _EVERYDAY_KINDS for term in query.terms)
    refused = Verdict(False, "not-covered" if in_scope else "out-of-scope")
    if not evidence:
        return refused
    found = _features(query, evidence, vocabulary, in_scope, unmet, passage)
    odds = sum(weight * found[name] for name, weight in _GATE.items())
    probability = 1 / (1 + math.exp(-odds))
    limit = {**DEFAULT_THRESHOLDS, **thresholds}["answerable"]
    if probability < limit:
        return Verdict(False, refused.reason, probability)
    return Verdict(True, "answer", probability)


def _features(
    query: Query,
    evidence: Sequence[Evidence],
    vocabulary: Vocabulary,
    in_scope: bool,
    unmet: tuple[float, float],
    passage: float,
) -> dict[str, float]:
    best = evidence[0].best
    claims = sorted((c for item in evidence[:40] for c in item.claims), key=lambda c: -c.score)
    return {
        "best": best.score,
        "best_three": sum(c.score for c in claims[:3]) / len(claims[:3]),
        "nearest": max(c.cosine for item in evidence for c in item.claims),
        "cosine": best.cosine,
        "coverage": best.coverage,
        "widest_coverage": max(c.coverage for c in claims[:5]),
        "unmet": unmet[0],
        "unmet_share": unmet[1],
        "in_scope": float(in_scope),
        "attribute": float(bool(query.attributes)),
        "unknown": float(len(query.unknown)),
        "passage": passage,
        "other_muscle": float(bool(query.subjects - {vocabulary.focus})),
        "bias": 1.0,
    }


#: Kinds of terms that everyday talk is full of; they do not make a question one of this field.
_EVERYDAY_KINDS = frozenset(
    [
        "unit",
        "frequency",
        "degree",
        "certainty",
        "advice",
        "population",
        "side",
        "direction",
        "measure",
        "other",
        "sport",
        "equipment",
        "position",
        "action",
    ]
)
