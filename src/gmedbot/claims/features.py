"""A compared pair → the numbers that a small classifier weighs.

Each feature is one observation that a person could make of the two statements: they name different muscles, their
roots are equal, one number is outside the other's rounding, a word of one is the opposite of a word of the other, the
shorter one's content is nearly all in the longer. Every feature is symmetric in the two statements.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.quantities import quantity_distance
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.types import Frame

__all__ = ["FEATURE_NAMES", "pair_features"]

#: Vocabulary kinds that get features of their own: what two claims name of this kind is equal, related or apart.
_KINDS = (
    "muscle", "muscle-part", "exercise", "nerve", "artery", "surface", "bone", "bursa", "tendon", "action", "position", "population",
    "condition", "symptom", "sign", "test", "imaging", "treatment", "surgery", "drug", "equipment", "side", "gait-phase",
    "direction", "measure", "advice", "frequency", "degree", "cue", "sport",
)  # fmt: skip
_UNITS = ("%MVIC", "%", "time", "length", "count", "dose", "other")
_GROUPS = {"%MVIC": "%MVIC", "%": "%", "s": "time", "min": "time", "h": "time", "day": "time", "week": "time", "month": "time",
           "year": "time", "mm": "length", "cm": "length", "in": "length", "": "count", "rep": "dose", "set": "dose", "session": "dose"}  # fmt: skip

FEATURE_NAMES: tuple[str, ...] = (
    *(f"{kind}:{how}" for kind in _KINDS for how in ("equal", "related", "apart", "one")),
    *(f"number {unit}:{how}" for unit in _UNITS for how in ("met", "unmet")),
    "time:apart", "time:equal", "angle:apart", "angle:equal", "load:apart", "n:equal",
    "roots:equal", "roots:apart", "roots:nested",
    "opposites", "superseded", "polarity", "direction:opposed", "direction:same", "direction:one",
    "advice:opposed", "advice:same", "advice:one", "level:distance", "level:same",
    "attribute:first", "attribute:shared", "attribute:apart", "exclusive:apart",
    "overlap", "containment", "cosine", "cosine²", "length", "both numbers", "no shared terms", "reported",
    "words", "word containment", "negations", "comparison words", "cosine×polarity", "cosine×opposed", "cosine×unmet", "containment×apart",
)  # fmt: skip


def pair_features(
    a: Frame, b: Frame, text_a: str, text_b: str, vocabulary: Vocabulary, cosine: float
) -> NDArray[np.float64]:
    """The features of one pair, (n_features,) float64, in the order of ``FEATURE_NAMES``."""
    found: dict[str, float] = {}
    _kinds(a, b, vocabulary, found)
    _numbers(a, b, found)
    _stance(a, b, vocabulary, found)
    _wording(a, b, text_a, text_b, vocabulary, cosine, found)
    return np.array([found.get(name, 0.0) for name in FEATURE_NAMES])


_NONE: frozenset[str] = frozenset()


def _kinds(a: Frame, b: Frame, vocabulary: Vocabulary, found: dict[str, float]) -> None:
    apart = 0
    for kind in _KINDS:
        first, second = _named(a, kind, vocabulary), _named(b, kind, vocabulary)
        if not first and not second:
            continue
        if not first or not second:
            found[f"{kind}:one"] = 1.0
            continue
        common = {p for p in first for q in second if vocabulary.same(p, q)}
        if first == second:
            found[f"{kind}:equal"] = 1.0
        elif common:
            found[f"{kind}:equal"] = len(common) / max(len(first), len(second))
            found[f"{kind}:related"] = 1.0
        elif any(vocabulary.refines(p, q) for p in first for q in second):
            found[f"{kind}:related"] = 1.0
        else:
            found[f"{kind}:apart"] = 1.0
            apart += 1
    shared = [name for name in a.attributes[:3] if name in b.attributes[:3]]
    found["attribute:first"] = float(bool(a.attribute) and a.attribute == b.attribute)
    found["attribute:shared"] = min(3, len(shared)) / 3
    found["attribute:apart"] = float(not shared and bool(a.attributes) and bool(b.attributes))
    for name in shared[:2]:
        attribute = vocabulary.attributes[name]
        if attribute.is_exclusive and any(found.get(f"{kind}:apart") for kind in attribute.values):
            found["exclusive:apart"] = 1.0
    found["containment×apart"] = float(apart)


def _named(frame: Frame, kind: str, vocabulary: Vocabulary) -> frozenset[str]:
    if kind == "muscle":
        return frame.subjects or frozenset({vocabulary.focus})
    return vocabulary.by_kind(frame.terms).get(kind, _NONE)


def _numbers(a: Frame, b: Frame, found: dict[str, float]) -> None:
    first = [q for q in a.quantities if q.kind == "value"]
    second = [q for q in b.quantities if q.kind == "value"]
    found["both numbers"] = float(bool(first) and bool(second))
    for p in first:
        distances = [quantity_distance(p, q) for q in second]
        known = [distance for distance in distances if distance is not None]
        if known:
            key = f"number {_GROUPS.get(p.unit, 'other')}:{'met' if min(known) <= 1.0 else 'unmet'}"
            found[key] = 1.0
    for kind in ("time", "angle", "load", "n"):
        x = [q for q in a.quantities if q.kind == kind]
        y = [q for q in b.quantities if q.kind == kind]
        known = [d for p in x for q in y if (d := quantity_distance(p, q)) is not None]
        if known:
            found[f"{kind}:{'equal' if min(known) <= 1.0 else 'apart'}"] = 1.0
    if a.roots and b.roots:
        nested = a.roots < b.roots or b.roots < a.roots
        found["roots:equal" if a.roots == b.roots else "roots:nested" if nested else "roots:apart"] = 1.0


def _stance(a: Frame, b: Frame, vocabulary: Vocabulary, found: dict[str, float]) -> None:
    only_a = [term for term in a.terms if term not in b.terms]
    only_b = [term for term in b.terms if term not in a.terms]
    found["opposites"] = float(any(vocabulary.opposed(p, q) for p in only_a for q in only_b))
    found["superseded"] = float(
        any(
            vocabulary.same(p, q) and (vocabulary.terms[p].is_superseded or vocabulary.terms[q].is_superseded)
            for p in only_a
            for q in only_b
        )
    )
    found["polarity"] = float(a.polarity != b.polarity)
    for name, x, y in (("direction", a.direction, b.direction), ("advice", a.advice, b.advice)):
        if x and y:
            found[f"{name}:{'same' if x == y else 'opposed'}"] = 1.0
        elif x or y:
            found[f"{name}:one"] = 1.0
    if a.level and b.level and a.level[0] == b.level[0]:
        distance = abs(a.level[1] - b.level[1])
        found["level:distance"] = min(distance, 4) / 4
        found["level:same"] = float(distance == 0)


def _wording(
    a: Frame, b: Frame, text_a: str, text_b: str, vocabulary: Vocabulary, cosine: float, found: dict[str, float]
) -> None:
    first, second = set(a.terms) | set(a.words), set(b.terms) | set(b.words)
    common = first & second
    found["overlap"] = len(common) / max(1, len(first | second))
    found["containment"] = len(common) / max(1, min(len(first), len(second)))
    found["words"] = len(a.words & b.words) / max(1, len(a.words | b.words))
    found["word containment"] = len(a.words & b.words) / max(1, min(len(a.words), len(b.words)))
    found["cosine"] = cosine
    found["cosine²"] = cosine * cosine
    found["length"] = min(len(text_a), len(text_b)) / max(1, len(text_a), len(text_b))
    terms = {t for t in set(a.terms) & set(b.terms) if vocabulary.terms[t].kind not in ("muscle", "unit", "other")}
    found["no shared terms"] = float(not terms)
    found["reported"] = float(a.is_reported != b.is_reported)
    found["negations"] = float(not a.polarity) + float(not b.polarity)
    found["comparison words"] = float(" than " in text_a) + float(" than " in text_b)
    found["cosine×polarity"] = cosine * found["polarity"]
    opposed = max(found["opposites"], found.get("direction:opposed", 0.0), found.get("advice:opposed", 0.0))
    found["cosine×opposed"] = cosine * opposed
    unmet = max((value for name, value in found.items() if name.endswith(":unmet")), default=0.0)
    found["cosine×unmet"] = cosine * unmet
    found["containment×apart"] = found["containment"] * min(3.0, found["containment×apart"])
