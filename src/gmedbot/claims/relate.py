"""Two claims → agree, conflict or different, with a reason in words.

Similarity cannot tell agreement from conflict ("L4–S1" and "L5–S1" are nearly the same text), so the two frames are
compared field by field. Two questions are kept apart:

1. *Do they speak of the same thing?* Subject, part, attribute, exercise, population, time point, angle, load, side,
   comparator. One difference here and nothing else is compared: the claims are different, and the reason names it.
2. *Do they say the same of it?* Values of the attribute's kinds, roots, numbers with their units, levels of a scale,
   direction, negation, advice. A difference here is a conflict, typed; a match, or wording that says the same, is
   agreement.

The comparison is symmetric and depends on nothing but the two texts: the same pair gives the same answer in any
order, on any machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from gmedbot.claims.quantities import same_amount, scaled
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.types import Frame, Quantity, RelationLabel

__all__ = ["Comparison", "Judgement", "compare_frames", "explain", "judge"]


@dataclass(frozen=True)
class Judgement:
    """The relation of two claims. ``confidence`` in [0, 1]; ``is_contextual``: a condition would make both true.
    ``chances``: the probabilities of agree, conflict and different, where models were asked; the label's is the highest."""

    label: RelationLabel
    type: str | None
    reason: str
    confidence: float
    is_contextual: bool = False
    chances: tuple[float, float, float] | None = None


@dataclass
class Comparison:
    """What was found field by field. Lists hold reasons in words, strongest first."""

    apart: list[tuple[str, str]] = field(default_factory=list)  #: (kind, reason): they speak of different things
    clashes: list[tuple[str, str]] = field(default_factory=list)  #: (conflict type, reason): they cannot both be true
    matches: list[tuple[str, str]] = field(default_factory=list)  #: (kind, reason): they say the same
    one_sided: list[str] = field(default_factory=list)  #: conditions that only one of them names
    overlap: float = 0.0  #: weighted share of common content, 0–1
    containment: float = 0.0  #: the same against the shorter claim
    cosine: float = 0.0
    shared_attributes: tuple[str, ...] = ()
    is_hedged: bool = False  #: one of them only says that the matter is open


_CONDITION_KINDS = (
    ("exercise", "another exercise"),
    ("population", "another population"),
    ("position", "another position"),
    ("gait-phase", "another phase of gait"),
    ("equipment", "other equipment"),
    ("side", "the other side"),
)
"""Kinds that qualify a claim. Where both claims name one and the names do not fit, they are not compared."""


def compare_frames(
    a: Frame, b: Frame, text_a: str, text_b: str, vocabulary: Vocabulary, cosine: float = 0.0
) -> Comparison:
    """Compare field by field; symmetric in a and b."""
    comparison = Comparison(cosine=cosine)
    _compare_subjects(a, b, vocabulary, comparison)
    _compare_attributes(a, b, comparison)
    _compare_conditions(a, b, vocabulary, comparison)
    _compare_values(a, b, vocabulary, comparison)
    _compare_quantities(a, b, vocabulary, comparison)
    _compare_stance(a, b, vocabulary, comparison)
    _compare_wording(a, b, vocabulary, comparison)
    comparison.is_hedged = bool(_HEDGE.search(text_a)) or bool(_HEDGE.search(text_b))
    return comparison


_HEDGE = re.compile(
    r"\b(?:debated|unclear|uncertain|controversial|unknown|disputed|not settled|depending on)\b", re.IGNORECASE
)


def _names(ids: Iterable[str], vocabulary: Vocabulary) -> str:
    return ", ".join(sorted(vocabulary.terms[i].name if i in vocabulary.terms else i for i in ids))


# --- 1. do they speak of the same thing? ----------------------------------------------------------------------------


def _fits(x: Iterable[str], y: Iterable[str], vocabulary: Vocabulary) -> bool:
    """True if some term of one is the same as, a kind of or a part of some term of the other."""
    return any(vocabulary.same(p, q) or vocabulary.refines(p, q) for p in x for q in y)


def _compare_subjects(a: Frame, b: Frame, vocabulary: Vocabulary, out: Comparison) -> None:
    focus = vocabulary.focus
    first, second = a.subjects or {focus}, b.subjects or {focus}
    if not set(first) & set(second) and not _fits(first, second, vocabulary):
        names = f"{_names(first, vocabulary)} against {_names(second, vocabulary)}"
        out.apart.append(("other-muscle", f"another muscle: {names}"))
    if a.parts and b.parts and not _fits(a.parts, b.parts, vocabulary):
        names = f"{_names(a.parts, vocabulary)} against {_names(b.parts, vocabulary)}"
        out.apart.append(("other-part", f"another part: {names}"))
    elif bool(a.parts) != bool(b.parts):
        out.one_sided.append("part")


def _compare_attributes(a: Frame, b: Frame, out: Comparison) -> None:
    out.shared_attributes = tuple(name for name in a.attributes if name in b.attributes)
    if not out.shared_attributes and a.attributes and b.attributes:
        out.apart.append(("other-attribute", f"another question: {a.attribute} against {b.attribute}"))


_NONE: frozenset[str] = frozenset()


def _of_kind(frame: Frame, kind: str, vocabulary: Vocabulary) -> frozenset[str]:
    return vocabulary.by_kind(frame.terms).get(kind, _NONE)


def _compare_conditions(a: Frame, b: Frame, vocabulary: Vocabulary, out: Comparison) -> None:
    values = {kind for name in out.shared_attributes[:1] for kind in vocabulary.attributes[name].values}
    for kind, reason in _CONDITION_KINDS:
        first, second = _of_kind(a, kind, vocabulary), _of_kind(b, kind, vocabulary)
        if not first or not second:
            if first or second:
                out.one_sided.append(kind)
            continue
        if kind in values:
            continue
        if first != second and not _fits(first, second, vocabulary):
            out.apart.append(
                (f"other-{kind}", f"{reason}: {_names(first, vocabulary)} against {_names(second, vocabulary)}")
            )
        elif kind == "exercise" and not first & second:
            out.apart.append(
                ("other-exercise", f"a variant: {_names(first, vocabulary)} against {_names(second, vocabulary)}")
            )
    for kind, reason in (("time", "another time point"), ("angle", "another joint angle"), ("load", "another load")):
        first_q = [q for q in a.quantities if q.kind == kind]
        second_q = [q for q in b.quantities if q.kind == kind]
        if first_q and second_q:
            if not any(same_amount(p, q) for p in first_q for q in second_q):
                out.apart.append((f"other-{kind}", f"{reason}: {_shown(first_q[0])} against {_shown(second_q[0])}"))
            elif any(not any(same_amount(p, q) for q in ys) for xs, ys in _both(first_q, second_q) for p in xs):
                out.one_sided.append("number")  # one names a further angle, time or load
        elif first_q or second_q:
            out.one_sided.append(kind)


def _both(
    first: Sequence[Quantity], second: Sequence[Quantity]
) -> tuple[tuple[Sequence[Quantity], Sequence[Quantity]], ...]:
    return (first, second), (second, first)


# --- 2. do they say the same of it? ---------------------------------------------------------------------------------


def _shown(quantity: Quantity) -> str:
    def number(value: float) -> str:
        return f"{value:g}"

    amount = (
        number(quantity.low) if quantity.low == quantity.high else f"{number(quantity.low)}–{number(quantity.high)}"
    )
    sign = {"<": "under ", ">": "over ", "~": "about "}.get(quantity.comparator, "")
    unit = quantity.unit if quantity.unit == "°" else f" {quantity.unit}" if quantity.unit else ""
    return f"{sign}{amount}{unit}"


def _compare_quantities(a: Frame, b: Frame, vocabulary: Vocabulary, out: Comparison) -> None:
    """Values of the same unit and measure: all met is a match, one unmet is a clash."""
    first = [q for q in a.quantities if q.kind == "value"]
    second = [q for q in b.quantities if q.kind == "value"]
    if not {"dosage", "prognosis", "rehabilitation", "progression", "self-care"} & set(out.shared_attributes):
        # elsewhere a span of time says when, not what
        first = [q for q in first if scaled(q)[2] not in ("week", "s")]
        second = [q for q in second if scaled(q)[2] not in ("week", "s")]
    if bool(first) != bool(second):
        out.one_sided.append("number")
    met: list[tuple[Quantity, Quantity]] = []
    unmet: list[tuple[Quantity, Quantity]] = []
    for p in first:
        rivals = [
            q
            for q in second
            if scaled(q)[2] == scaled(p)[2] and (not p.measure or not q.measure or p.measure == q.measure)
        ]
        if not rivals:
            continue
        best = min(rivals, key=lambda q: (not same_amount(p, q), abs(q.low - p.low)))
        (met if same_amount(p, best) else unmet).append((p, best))
    for p, q in met:
        if p.unit or p.low == q.low:
            out.matches.append(
                (
                    "number",
                    f"both give {_shown(p)}"
                    if _shown(p) == _shown(q)
                    else f"{_shown(p)} and {_shown(q)} are the same within rounding",
                )
            )
    if unmet and not met:
        p, q = sorted(unmet, key=lambda pair: not pair[0].unit)[0]
        ordered = sorted((_shown(p), _shown(q)))
        if p.unit or (p.measure and p.measure == q.measure):
            measure = f"{p.measure or q.measure}: " if p.measure or q.measure else ""
            out.clashes.append(("value", f"{measure}values differ: {ordered[0]} against {ordered[1]}"))


def _compare_values(a: Frame, b: Frame, vocabulary: Vocabulary, out: Comparison) -> None:
    """Roots, and the terms of the kinds that carry the shared attribute's value."""
    if bool(a.roots) != bool(b.roots):
        out.one_sided.append("roots")
    if a.roots and b.roots:
        if a.roots == b.roots:
            out.matches.append(("roots", f"the same roots: {_root_range(a.roots)}"))
        else:
            ordered = sorted((_root_range(a.roots), _root_range(b.roots)))
            out.clashes.append(("anatomy", f"root sets differ: {ordered[0]} against {ordered[1]}"))
    for name in out.shared_attributes[:2]:
        attribute = vocabulary.attributes[name]
        for kind in attribute.values:
            first, second = _of_kind(a, kind, vocabulary), _of_kind(b, kind, vocabulary)
            if not first or not second:
                continue
            common = {p for p in first for q in second if vocabulary.same(p, q)}
            old = _superseded(first, second, vocabulary)
            if old and not common - set(old):
                pair = _names(old, vocabulary)
                out.clashes.append(("outdated", f"words differ, not the place: {pair} are an old and a current name"))
            elif common:
                out.matches.append((kind, f"both name {_names(common, vocabulary)}"))
            elif _fits(first, second, vocabulary):
                out.matches.append(
                    (
                        kind,
                        f"{_names(first, vocabulary)} and {_names(second, vocabulary)}: one is a kind or part of the other",
                    )
                )
            elif attribute.is_exclusive and _siblings(first, second, vocabulary):
                names = sorted((_names(first, vocabulary), _names(second, vocabulary)))
                out.clashes.append(("anatomy", f"{attribute.name} differs: {names[0]} against {names[1]}"))
    for p in a.terms:
        for q in b.terms:
            if p != q and vocabulary.opposed(p, q) and p not in b.terms and q not in a.terms:
                opposed = " against ".join(sorted((vocabulary.terms[p].name, vocabulary.terms[q].name)))
                out.clashes.append(("polarity", f"opposites: {opposed}"))


def _superseded(first: Set[str], second: Set[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    for p in sorted(first):
        for q in sorted(second):
            is_old = vocabulary.terms[p].is_superseded or vocabulary.terms[q].is_superseded
            if p != q and is_old and vocabulary.same(p, q):
                return (p, q)
    return ()


def _siblings(first: Set[str], second: Set[str], vocabulary: Vocabulary) -> bool:
    """Some term of one shares a direct parent with some term of the other, so that they exclude one another."""
    return any(
        _above(p, vocabulary) & _above(q, vocabulary) for p in first for q in second if not vocabulary.refines(p, q)
    )


def _above(term_id: str, vocabulary: Vocabulary) -> set[str]:
    """Direct parents of a term and of what it is a part of: the level at which two places exclude one another."""
    term = vocabulary.terms[term_id]
    above = set(term.parents)
    for whole in term.part_of:
        if whole in vocabulary.terms:
            above |= set(vocabulary.terms[whole].parents)
    return above


def _root_range(roots: Iterable[str]) -> str:
    order = ["L1", "L2", "L3", "L4", "L5", "S1", "S2", "S3", "S4", "S5"]
    places = sorted(order.index(root) for root in roots)
    if len(places) > 1 and places == list(range(places[0], places[-1] + 1)):
        return f"{order[places[0]]}–{order[places[-1]]}"
    return ", ".join(order[place] for place in places)


def _compare_stance(a: Frame, b: Frame, vocabulary: Vocabulary, out: Comparison) -> None:
    """Advice, negation, direction, and words of a scale."""
    if a.advice and b.advice:
        if a.advice == -b.advice:
            out.clashes.append(("recommendation", "one speaks for it, the other against it"))
        else:
            out.matches.append(("advice", "both speak for it" if a.advice > 0 else "both advise against it"))
    if a.polarity != b.polarity:
        out.clashes.append(("polarity", "one denies what the other states"))
    if a.direction and b.direction and a.direction == -b.direction:
        out.clashes.append(("polarity", "opposite directions: more against less"))
    if a.level and b.level and a.level[0] == b.level[0]:
        if abs(a.level[1] - b.level[1]) >= 2 or (a.level[0] == "degree" and a.level[1] != b.level[1]):
            kind = "frequency" if a.level[0] == "frequency" else "value"
            out.clashes.append((kind, "different steps of one scale"))
        else:
            out.matches.append(("level", "the same step of the scale"))


def _compare_wording(a: Frame, b: Frame, vocabulary: Vocabulary, out: Comparison) -> None:
    first = {term for term in a.terms if vocabulary.terms[term].kind not in ("other",)} | set(a.words)
    second = {term for term in b.terms if vocabulary.terms[term].kind not in ("other",)} | set(b.words)
    if not first or not second:
        return
    common = first & second
    out.overlap = len(common) / len(first | second)
    out.containment = len(common) / min(len(first), len(second))


# --- the verdict ----------------------------------------------------------------------------------------------------


def judge(comparison: Comparison) -> Judgement:
    """The verdict by rule: what is apart is different; what clashes on common ground is a conflict; what matches agrees.

    Confidence grows with the common ground: the share of content that both have (containment) and the likeness of
    the two texts (cosine). The ledger takes only sure verdicts (see ``ledger``).
    """
    ground = 0.5 * comparison.containment + 0.5 * comparison.cosine
    if comparison.overlap < 0.3 and comparison.cosine < 0.8:
        ground -= 0.12  # a short claim inside a long one that says something else
    hard = [reason for kind, reason in comparison.apart if kind != "other-attribute"]
    if hard:
        return Judgement("different", None, hard[0], _confidence(0.7 + 0.25 * ground), True)
    # cues of attributes are read from few words, so another attribute only makes a verdict unsure
    most = 0.7 if comparison.apart else 0.97
    if comparison.clashes and "part" in comparison.one_sided:
        return Judgement("different", None, "one speaks of a part, the other of the whole", 0.75, True)
    if comparison.clashes:
        kind, reason, bonus = _strongest_clash(comparison)
        sure = ground + bonus - (0.15 if comparison.is_hedged else 0.0)
        if kind == "polarity" and len(comparison.clashes) == 1:
            sure -= 0.06  # a lone "not" often denies something that the other claim does not speak of
        if sure >= _CONFLICT_FROM:
            return Judgement("conflict", kind, reason, _confidence(0.25 + 0.8 * sure, most))
        return Judgement("different", None, "they share too little to be compared", _confidence(0.9 - 0.5 * sure))
    bonus = min(0.12, 0.06 * len([kind for kind, _ in comparison.matches if kind != "muscle"]))
    stated_once = len({"roots", "number"} & set(comparison.one_sided))
    sure = ground + bonus - 0.04 * len(comparison.one_sided) - 0.10 * stated_once
    if sure >= _AGREE_FROM:
        reason = next((r for k, r in comparison.matches if k != "muscle"), "the same statement in other words")
        return Judgement("agree", None, reason, _confidence(0.2 + 0.85 * sure, most))
    if comparison.apart:
        return Judgement("different", None, comparison.apart[0][1], 0.75)
    return Judgement("different", None, "neither the same statement nor a contradiction", _confidence(1.1 - sure, 0.9))


def explain(comparison: Comparison, label: str, a: Frame, b: Frame) -> tuple[str | None, str]:
    """The conflict type (None for other labels) and the reason in words for a verdict, as far as the frames tell it."""
    if label == "conflict":
        if comparison.clashes:
            kind, reason, _ = _strongest_clash(comparison)
            return kind, reason
        return _kind_of(a, b), "they cannot both hold as they are worded"
    if label == "agree":
        reason = next((text for kind, text in comparison.matches if kind != "muscle"), "")
        return None, reason or "the same statement in other words"
    if comparison.apart:
        return None, min(comparison.apart, key=lambda found: found[0] == "other-attribute")[1]
    if "part" in comparison.one_sided:
        return None, "one speaks of a part, the other of the whole"
    return None, "neither the same statement nor a contradiction"


def _kind_of(a: Frame, b: Frame) -> str:
    """The type of a conflict that no field of the frames shows."""
    if a.advice or b.advice:
        return "recommendation"
    if a.level and b.level and a.level[0] == b.level[0] == "frequency":
        return "frequency"
    if any(q.kind == "value" for q in a.quantities) and any(q.kind == "value" for q in b.quantities):
        return "value"
    return "polarity"


#: Common ground from which a clash is called a conflict and a match agreement; both fitted on the dev pairs
#: (macro-F1 0.557 there, docs/decisions/0003). The ledger asks for far more (``ledger``).
_CONFLICT_FROM = 0.25
_AGREE_FROM = 0.40


def _confidence(value: float, most: float = 0.97) -> float:
    return round(min(most, max(0.05, value)), 3)


#: How much a kind of clash says by itself: a root set or an anatomical value is hard evidence, a lone "not" is weak.
_CLASH_WEIGHT = {
    "anatomy": 0.18,
    "outdated": 0.18,
    "value": 0.10,
    "frequency": 0.12,
    "recommendation": 0.05,
    "polarity": 0.0,
}


def _strongest_clash(comparison: Comparison) -> tuple[str, str, float]:
    """The clash to report, and the confidence it adds; two kinds of clash confirm one another."""
    ordered = sorted(comparison.clashes, key=lambda clash: (-_CLASH_WEIGHT.get(clash[0], 0.0), clash[1]))
    kind, reason = ordered[0]
    kinds = {name for name, _ in comparison.clashes}
    return kind, reason, _CLASH_WEIGHT.get(kind, 0.0) + 0.04 * (len(kinds) - 1)
