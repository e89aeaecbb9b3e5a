"""Two gates, kept apart: is the question about this field, and can it be answered from what was found?

One gate would do both badly: a strict one refuses short follow-ups, a lax one answers a piriformis question with the
gluteus medius. *In scope* looks at the question alone (does it name anything of the field?). *Answerable* looks at the
evidence (does the best claim speak of what was asked, word for word and in meaning?). Thresholds are calibrated on
the dev questions per encoder (``evaluation.calibrate``) and stored in the manifest (``index.thresholds``).

Between an answer and silence lies what comes near: learners ask for more than the sources say (docs/decisions/0017). Such an
answer says so before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gmedbot.answer.evidence import Evidence, Gaps, ScoredClaim
from gmedbot.answer.ranking import answer_models
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.retrieval.understand import Query

__all__ = ["DEFAULT_THRESHOLDS", "GATE_FEATURES", "Verdict", "decide", "gate_features", "limit_of"]

#: What is seen of a question and its evidence; ``answer.ranking.GateModel`` weighs it.
GATE_FEATURES: tuple[str, ...] = (
    "best", "best_three", "nearest", "cosine", "coverage", "widest_coverage", "unmet", "unmet_share", "in_scope", "attribute",
    "unknown", "passage", "other_muscle", "follow_up", "uncovered", "rarest_uncovered", "subject_missing", "part_missing",
    "exercise_missing", "value_missing", "attribute_met", "spread", "length", "yes_no", "number", "asked", "asked_nearest", "asked_uncovered", "unasked",
)  # fmt: skip
#: The probability from which an answer is given, and from which one is to a question that names nothing of the field,
#: where nothing was calibrated for the encoder.
DEFAULT_THRESHOLDS: Mapping[str, float] = {"answerable": 0.5, "scope": 0.5}
#: Share of the threshold that a follow-up needs: it leans on an answer that was given, and of the follow-ups in
#: ``training/graded-*.jsonl`` the whole threshold declined too many that readers found answered.
_FOLLOW_UP = 0.7
#: The probability of a direct answer below which an answer says that it only comes near.
_DIRECT = 0.5


@dataclass(frozen=True)
class Verdict:
    """``is_answerable`` with the reason in a word: "answer", "out-of-scope", "not-covered". ``is_direct``: some statement
    says just what was asked; otherwise what was found only comes near."""

    is_answerable: bool
    reason: str
    probability: float = 0.0
    is_in_scope: bool = True
    is_direct: bool = True


def decide(
    query: Query,
    evidence: Sequence[Evidence],
    vocabulary: Vocabulary,
    thresholds: Mapping[str, float],
    gaps: Gaps,
    passage: float = 1.0,
) -> Verdict:
    """Both gates for one standalone question.

    Args: gaps: what of the question no claim meets. passage: fused score behind the best claim.
    """
    is_in_scope = _in_scope(query, vocabulary)
    reason = "not-covered" if is_in_scope else "out-of-scope"
    if not evidence:
        return Verdict(False, reason, 0.0, is_in_scope)
    seen, models = gate_features(query, evidence, vocabulary, gaps, passage), answer_models()
    probability = models.gate.probability(seen)
    is_follow_up = bool(query.context) and query.turn != "topic-shift"
    limit = limit_of(thresholds, is_in_scope) * (_FOLLOW_UP if is_follow_up else 1)
    if gaps.is_unheard or probability < limit:  # what is near a question on the soleus is not about it
        return Verdict(False, reason, probability, is_in_scope)
    return Verdict(True, "answer", probability, is_in_scope, models.direct.probability(seen) >= _DIRECT)


def limit_of(thresholds: Mapping[str, float], is_in_scope: bool) -> float:
    """The probability from which a question is answered; what ``thresholds`` do not name is as by default."""
    limits = {**DEFAULT_THRESHOLDS, **thresholds}
    return limits["answerable"] if is_in_scope else max(limits["answerable"], limits["scope"])


def _in_scope(query: Query, vocabulary: Vocabulary) -> bool:
    return any(vocabulary.terms[term].kind not in _EVERYDAY_KINDS for term in query.terms)


def gate_features(
    query: Query, evidence: Sequence[Evidence], vocabulary: Vocabulary, gaps: Gaps, passage: float
) -> dict[str, float]:
    """The features by the names of ``GATE_FEATURES``; all zero without evidence."""
    if not evidence:
        return dict.fromkeys(GATE_FEATURES, 0.0)
    best = evidence[0].best
    claims = sorted((c for item in evidence[:40] for c in item.claims), key=lambda c: -c.score)
    return {
        "best": best.score,
        "best_three": sum(c.score for c in claims[:3]) / len(claims[:3]),
        "nearest": max(c.cosine for item in evidence for c in item.claims),
        "cosine": best.cosine,
        "coverage": best.coverage,
        "widest_coverage": max(c.coverage for c in claims[:5]),
        "unmet": float(gaps.unmet),
        "unmet_share": gaps.unmet_share,
        "in_scope": float(_in_scope(query, vocabulary)),
        "attribute": float(bool(query.attributes)),
        "unknown": float(len(query.unknown)),
        "passage": passage,
        "other_muscle": float(bool(query.subjects - {vocabulary.focus})),
        "follow_up": float(bool(query.context) and query.turn != "topic-shift"),
        "uncovered": gaps.uncovered,
        "rarest_uncovered": gaps.rarest,
        "asked": best.asked,
        "asked_nearest": max(c.asked for item in evidence for c in item.claims),
        "asked_uncovered": 1 - max(c.asked_coverage for c in claims[:5]),
        "unasked": float(best.asked == 0),
        "spread": best.score - claims[min(9, len(claims) - 1)].score,
        "length": len(query.text.split()) / 10,
        "yes_no": float(query.shape == "yes-no"),
        "number": float(query.shape == "number"),
        **_mismatches(query, claims[:3], vocabulary),
    }


def _mismatches(query: Query, claims: Sequence[ScoredClaim], vocabulary: Vocabulary) -> dict[str, float]:
    """What was named or asked for and is not in the leading claims: another muscle, another exercise, no number."""
    frames = [scored.claim.frame for scored in claims]
    lead = frames[0]
    values = any(q.kind == "value" for frame in frames for q in frame.quantities)
    return {
        "subject_missing": float(bool(query.subjects) and not query.subjects & (lead.subjects or {vocabulary.focus})),
        "part_missing": float(bool(query.parts) and not any(query.parts & frame.parts for frame in frames)),
        "exercise_missing": float(
            bool(query.exercises) and not any(set(query.exercises) & set(f.terms) for f in frames)
        ),
        "value_missing": float(query.shape == "number" and not values),
        "attribute_met": float(any(name in lead.attributes[:3] for name in query.attributes[:2])),
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
