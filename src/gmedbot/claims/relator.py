"""Frames and reader together: the relation of two claims, with a reason in words and a calibrated confidence.

The frames' comparison (``features``) and the reader's log-odds (``reader``) are weighed by boosted trees, fitted on
hand-written pairs (``training.fit_relations``, docs/decisions/0013). The frames alone, by a logistic regression, decide what is plainly different, so
that the reader, which costs milliseconds, is asked for what is left. Reasons come from the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.features import FEATURE_NAMES, pair_features
from gmedbot.claims.reader import LABELS, Reader
from gmedbot.claims.relate import Comparison, Judgement, compare_frames, explain, judge
from gmedbot.claims.trees import TreeFile
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.data import packaged_record
from gmedbot.types import Frame

__all__ = ["LinearModel", "Pair", "RelationModels", "Relator", "observe", "relation_models"]

Matrix = NDArray[np.float64]
#: What only a confident model may set aside.
_APART = frozenset({"other-part", "other-angle", "other-load"})
_OVERRULES = 0.75
#: (confidence of the model, of the rules): a conflict that the model is no surer of falls, where the rules see nothing that
#: clashes and are that sure of agreement.
_FALLS = ((0.6, 0.7), (0.9, 0.8))
_FEW = 512  #: pairs read between two reports of progress


@dataclass(frozen=True)
class Pair:
    """Two statements, their frames and their cosine, in the order of their texts."""

    a: Frame
    b: Frame
    text_a: str
    text_b: str
    cosine: float


@dataclass(frozen=True)
class LinearModel:
    """Probabilities of ``LABELS``: softmax(weights · standardised x + bias)."""

    mean: Matrix  #: (n_features,)
    scale: Matrix
    weights: Matrix  #: (3, n_features)
    bias: Matrix  #: (3,)

    def probabilities(self, rows: Matrix) -> Matrix:
        """(n, n_features) → (n, 3), rows sum to 1; standardised values are cut at ±4."""
        odds = np.clip((rows - self.mean) / self.scale, -4, 4) @ self.weights.T + self.bias
        powers = np.exp(odds - odds.max(axis=1, keepdims=True))
        shares: Matrix = powers / powers.sum(axis=1, keepdims=True)
        return shares

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> LinearModel:
        return cls(*(np.asarray(record[name], dtype=np.float64) for name in ("mean", "scale", "weights", "bias")))

    def to_record(self) -> dict[str, Any]:
        return {name: np.round(getattr(self, name), 5).tolist() for name in ("mean", "scale", "weights", "bias")}


class Weigher(Protocol):
    """Anything that turns features into probabilities of ``LABELS``."""

    def probabilities(self, rows: Matrix) -> Matrix: ...


@dataclass(frozen=True)
class RelationModels:
    """``frames``: over what the frames tell (``observe``). ``full``: over this and the reader's three log-odds.

    Attributes: plain: pairs that the frames call different with at least this probability are not read.
        near: nor are pairs of a lower cosine.
        agree, conflict: verdicts of at least this confidence are taken into the ledger.
    """

    frames: LinearModel
    full: Weigher
    plain: float
    near: float
    agree: float
    conflict: float


@lru_cache(maxsize=1)
def relation_models() -> RelationModels:
    """The packaged models."""
    record = packaged_record("relation-weights.json")
    return RelationModels(
        LinearModel.from_record(record["frames"]),
        TreeFile(Path(__file__).parents[1] / "data" / "relation-trees.npz"),
        *(float(record[name]) for name in ("plain", "near", "agree", "conflict")),
    )


class Relator:
    """Judges pairs. Symmetric, deterministic and independent of the company of a pair."""

    def __init__(self, vocabulary: Vocabulary, reader: Reader | None, models: RelationModels | None = None) -> None:
        """Without a ``reader`` the frames decide alone."""
        self._vocabulary = vocabulary
        self._reader = reader
        self.models = models or relation_models()

    def judge(
        self,
        pairs: Sequence[Pair],
        progress: Callable[[int], None] | None = None,
        is_thorough: bool = True,
        plain: float | None = None,
    ) -> list[Judgement | None]:
        """A verdict for each pair.

        Args: is_thorough: False leaves out (None) what the frames alone call plainly different: from the probability
            ``plain`` on, that of the models by default.
        """
        plain = self.models.plain if plain is None else plain
        found: list[Judgement | None] = [None] * len(pairs)
        for start in range(0, len(pairs), _FEW):
            places = range(start, min(start + _FEW, len(pairs)))
            near = [place for place in places if is_thorough or pairs[place].cosine >= self.models.near]
            if near:
                features = self.observe([pairs[place] for place in near])
                shares = self.models.frames.probabilities(features)
                chosen = np.flatnonzero((shares[:, LABELS.index("different")] < plain) | is_thorough)
                if self._reader is not None and len(chosen):
                    texts = [(pairs[near[row]].text_a, pairs[near[row]].text_b) for row in chosen.tolist()]
                    logits = self._reader.read(texts)
                    shares[chosen] = self.models.full.probabilities(np.hstack([features[chosen], logits]))
                for row in chosen.tolist():
                    found[near[row]] = self._verdict(pairs[near[row]], shares[row])
            if progress is not None:
                progress(len(places))
        return found

    def plain_limit(self, sample: Sequence[Pair], share: float) -> float:
        """The probability of "different" by frames below which ``share`` of all pairs lie, told from an even sample of them;
        at most that of the models."""
        near = [pair for pair in sample if pair.cosine >= self.models.near]
        if not near:
            return self.models.plain
        different = self.models.frames.probabilities(self.observe(near))[:, LABELS.index("different")]
        return min(self.models.plain, float(np.quantile(different, min(1.0, share * len(sample) / len(near)))))

    def closest(self, pairs: Sequence[Pair], most: int, plain: float, doubt: float = 0.0) -> list[int]:
        """Places, in order, of the ``most`` pairs that are likeliest to speak of the same thing by frames and cosine, among
        those that the frames call different with less than the probability ``plain``. None, where the frames find no
        conflict of at least the probability ``doubt`` among them: then reading them would find none."""
        if not pairs:
            return []
        shares = self.models.frames.probabilities(self.observe(pairs))
        different, conflict = (shares[:, LABELS.index(label)] for label in ("different", "conflict"))
        order = np.argsort(different - [pair.cosine for pair in pairs], kind="stable").tolist()
        places = sorted([place for place in order if different[place] < plain][:most])
        return places if any(conflict[place] >= doubt for place in places) else []

    def observe(self, pairs: Sequence[Pair]) -> Matrix:
        """What the frames tell, (n, len(FEATURE_NAMES) + 3): features, and the verdict by rule as three shares."""
        return observe(pairs, self._vocabulary)

    def _verdict(self, pair: Pair, shares: Matrix) -> Judgement:
        """The likeliest label. Where the rules on frames say the same, both kinds of evidence count; where both claims
        name another part, angle or load, they speak of different things unless the model is sure that they do not."""
        label, confidence = LABELS[int(shares.argmax())], float(shares.max())
        if _wording_of(pair.text_a) == _wording_of(pair.text_b):
            return Judgement("agree", None, "the same words", 1.0)
        comparison = comparison_of(pair, self._vocabulary)
        rule = judge(comparison)
        if label != "different" and confidence < _OVERRULES and any(kind in _APART for kind, _ in comparison.apart):
            label, confidence = "different", rule.confidence
        elif label == "conflict" and not comparison.clashes and _falls(confidence, rule, pair, self._vocabulary):
            label, confidence = "agree", 1 - confidence
        elif rule.label == label:
            confidence = 1 - (1 - confidence) * (1 - rule.confidence)
        kind, reason = explain(comparison, label, pair.a, pair.b)
        is_contextual = label == "different" and bool(comparison.apart)
        return Judgement(label, kind, reason, round(confidence, 3), is_contextual)  # type: ignore[arg-type]


def _wording_of(text: str) -> str:
    """What is compared to know a copy: capitals, spaces and the last stop make no other statement, other signs may."""
    return " ".join(text.casefold().split()).rstrip(".")


def _falls(confidence: float, rule: Judgement, pair: Pair, vocabulary: Vocabulary) -> bool:
    """Whether a conflict is set aside for the agreement that the rules see: the more easily, the less sure the model is, and
    always where the statements' terms differ by nothing but a part and its whole (the iliac crest and the ilium)."""
    if rule.label != "agree":
        return False
    is_likely = any(confidence < least and rule.confidence >= sure for least, sure in _FALLS)
    return is_likely or _are_nested(frozenset(pair.a.terms), frozenset(pair.b.terms), vocabulary)


def _are_nested(a: Set[str], b: Set[str], vocabulary: Vocabulary) -> bool:
    """Whether each has terms of its own, and each of these is a part of the other's or its whole."""

    def is_nested(one: str, other: str) -> bool:
        return one in vocabulary.wholes(other) or other in vocabulary.wholes(one)

    own, others = a - b, b - a
    return bool(own and others) and all(
        any(is_nested(one, other) for other in there) for here, there in ((own, others), (others, own)) for one in here
    )


def observe(pairs: Sequence[Pair], vocabulary: Vocabulary) -> Matrix:
    """See ``Relator.observe``."""
    rows = np.zeros((len(pairs), len(FEATURE_NAMES) + len(LABELS)))
    for place, pair in enumerate(pairs):
        comparison = comparison_of(pair, vocabulary)
        rule = judge(comparison)
        features = pair_features(pair.a, pair.b, pair.text_a, pair.text_b, vocabulary, pair.cosine)
        rows[place, : len(FEATURE_NAMES)] = features
        rows[place, len(FEATURE_NAMES) + LABELS.index(rule.label)] = rule.confidence
    return rows


def comparison_of(pair: Pair, vocabulary: Vocabulary) -> Comparison:
    """The frames of a pair, compared field by field."""
    return compare_frames(pair.a, pair.b, pair.text_a, pair.text_b, vocabulary, pair.cosine)
