"""Frames and reader together: the relation of two claims, with a reason in words and a calibrated confidence.

The frames' comparison (``features``) and the reader's log-odds (``reader``) are weighed by boosted trees, fitted on
hand-written pairs (``training.fit_relations``, docs/decisions/0013). The frames alone, by a logistic regression, decide what is plainly different, so
that the reader, which costs milliseconds, is asked for what is left; and what may be related after that, a larger reader
reads again, where there is one (docs/decisions/0025). Reasons come from the frames.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
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

__all__ = ["LinearModel", "Mean", "Pair", "RelationModels", "Relator", "observe", "relation_models", "relator_digest"]

Matrix = NDArray[np.float64]
#: What only a confident model may set aside.
_APART = frozenset({"other-part", "other-angle", "other-load"})
_OVERRULES = 0.75
#: (confidence of the model, of the rules): a conflict that the model is no surer of falls, where the rules see nothing that
#: clashes and are that sure of agreement.
_FALLS = ((0.6, 0.7), (0.9, 0.8))
#: The packaged models: of the frames, of one reading, and of two.
_MODELS = ("relation-weights.json", "relation-trees.npz", "second-trees.npz")
_DATA = Path(__file__).parents[1] / "data"
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
class Mean:
    """The mean of trees over all that is known of a pair, and of a linear model over ``columns`` of it: the readers'
    log-odds, the verdict by rule and the cosine. The trees know the fine differences, the linear model errs less on a topic that
    no pair spoke of (docs/decisions/0025)."""

    trees: Weigher
    linear: LinearModel
    columns: Sequence[int]

    def probabilities(self, rows: Matrix) -> Matrix:
        return (self.trees.probabilities(rows) + self.linear.probabilities(rows[:, list(self.columns)])) / 2


@dataclass(frozen=True)
class RelationModels:
    """``frames``: over what the frames tell (``observe``). ``full``: over this and the reader's three log-odds. ``second``:
    over this and the larger reader's three log-odds.

    Attributes: plain: pairs that the frames call different with at least this probability are not read.
        near: nor are pairs of a lower cosine.
        apart: pairs that ``full`` calls different with at least this probability are not read again.
        agree, conflict: verdicts of at least this confidence are taken into the ledger.
    """

    frames: LinearModel
    full: Weigher
    second: Weigher
    plain: float
    near: float
    apart: float
    agree: float
    conflict: float


@lru_cache(maxsize=1)
def relation_models() -> RelationModels:
    """The packaged models."""
    record = packaged_record(_MODELS[0])
    return RelationModels(
        LinearModel.from_record(record["frames"]),
        TreeFile(_DATA / _MODELS[1]),
        Mean(TreeFile(_DATA / _MODELS[2]), LinearModel.from_record(record["second"]), record["columns"]),
        *(float(record[name]) for name in ("plain", "near", "apart", "agree", "conflict")),
    )


def relator_digest() -> str:
    """Hash over the packaged models: a build tells by which its claims were related."""
    digest = hashlib.sha256()
    for name in _MODELS:
        digest.update((_DATA / name).read_bytes())
    return digest.hexdigest()[:12]


class Relator:
    """Judges pairs. Symmetric, deterministic and independent of the company of a pair."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        reader: Reader | None,
        models: RelationModels | None = None,
        second: Reader | None = None,
    ) -> None:
        """Without a ``reader`` the frames decide alone; without a ``second`` one nothing is read twice."""
        self._vocabulary = vocabulary
        self._reader = reader
        self._second = second
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
            ``plain`` on, that of the models by default; and reads again only what the reader does not call different from ``apart`` on.
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
                is_doubtful = np.zeros(len(near), dtype=bool)
                if self._reader is not None and len(chosen):
                    asked = [pairs[near[row]] for row in chosen.tolist()]
                    shares[chosen], is_doubtful[chosen] = self._read(asked, features[chosen], is_thorough)
                for row in chosen.tolist():
                    found[near[row]] = self._verdict(pairs[near[row]], shares[row], bool(is_doubtful[row]))
            if progress is not None:
                progress(len(places))
        return found

    def _read(self, pairs: Sequence[Pair], features: Matrix, is_thorough: bool) -> tuple[Matrix, NDArray[np.bool_]]:
        """(n, 3) probabilities of pairs after the reader, and after the larger one where that was asked: (n,) which."""
        assert self._reader is not None
        texts = [(pair.text_a, pair.text_b) for pair in pairs]
        known = np.hstack([features, self._reader.read(texts)])
        shares = self.models.full.probabilities(known)
        is_doubtful = (shares[:, LABELS.index("different")] < self.models.apart) | is_thorough
        is_doubtful &= self._second is not None
        if self._second is not None and is_doubtful.any():
            logits = self._second.read([texts[row] for row in np.flatnonzero(is_doubtful).tolist()])
            shares[is_doubtful] = self.models.second.probabilities(np.hstack([known[is_doubtful], logits]))
        return shares, is_doubtful

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

    def _verdict(self, pair: Pair, shares: Matrix, is_read_twice: bool) -> Judgement:
        """The likeliest label. Where the rules on frames say the same, both kinds of evidence count. A pair that was read once
        only is different where both claims name another part, angle or load, unless the model is sure that it is not."""
        if _wording_of(pair.text_a) == _wording_of(pair.text_b):
            return Judgement("agree", None, "the same words", 1.0, chances=(1.0, 0.0, 0.0))
        label = LABELS[int(shares.argmax())]
        confidence = likeliest = float(shares.max())
        comparison = comparison_of(pair, self._vocabulary)
        rule = judge(comparison)
        is_apart = not is_read_twice and any(kind in _APART for kind, _ in comparison.apart)
        if label != "different" and likeliest < _OVERRULES and is_apart:
            label, confidence = "different", rule.confidence
        elif (
            label == "conflict"
            and not comparison.clashes
            and rule.label == "agree"
            and (_are_nested(pair, self._vocabulary) or (not is_read_twice and _is_likely(likeliest, rule)))
        ):
            label, confidence = "agree", 1 - likeliest
        elif rule.label == label:
            confidence = 1 - (1 - likeliest) * (1 - rule.confidence)
        kind, reason = explain(comparison, label, pair.a, pair.b)
        is_contextual = label == "different" and bool(comparison.apart)
        chances = _moved(shares, label)
        return Judgement(label, kind, reason, round(confidence, 3), is_contextual, chances)  # type: ignore[arg-type]


def _moved(shares: Matrix, label: str) -> tuple[float, float, float]:
    """The probabilities, where a rule set the label: that of the likeliest label goes to it, and its own to that one."""
    own, likeliest = LABELS.index(label), int(shares.argmax())
    moved = shares.copy()
    moved[own], moved[likeliest] = shares[likeliest], shares[own]
    agree, conflict, different = (round(float(share), 4) for share in moved)
    return agree, conflict, different


def _wording_of(text: str) -> str:
    """What is compared to know a copy: capitals, spaces and the last stop make no other statement, other signs may."""
    return " ".join(text.casefold().split()).rstrip(".")


def _is_likely(confidence: float, rule: Judgement) -> bool:
    """Whether the agreement that the rules see sets a conflict aside: the more easily, the less sure the model is."""
    return any(confidence < least and rule.confidence >= sure for least, sure in _FALLS)


def _are_nested(pair: Pair, vocabulary: Vocabulary) -> bool:
    """Whether the statements differ in nothing but a part and its whole (the iliac crest and the ilium): each names terms of
    its own, and each of these is a part of one of the other's, or its whole."""

    def is_nested(one: str, other: str) -> bool:
        return one in vocabulary.wholes(other) or other in vocabulary.wholes(one)

    a, b = frozenset(pair.a.terms), frozenset(pair.b.terms)
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
