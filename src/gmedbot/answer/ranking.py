"""The fitted models of an answer, read from ``gmedbot/data/answer-weights.json``.

Ranking: features of a claim → a score, the log-odds against the other claims of the question. A linear part, and a small
hidden layer for what a sum cannot say: that words of the conversation matter in a follow-up and not in a new question. The best are
ranked a second time, beside one another (docs/decisions/0026); a follow-up in the light of the answers before it (0028).
Answerability: features of a question and its evidence → the probability that the sources answer it, and the probability
that a statement answers it directly, both linear. All three are fitted by ``training.fit_answers`` (docs/decisions/0005, 0017). Cards: features of a disagreement → the probability that it bears on the question; fitted by
``training.fit_cards`` (docs/decisions/0012).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.joined import JoinModel
from gmedbot.data import packaged_record

__all__ = ["CARD_FEATURES", "AnswerModels", "CardModel", "GateModel", "RankingModel", "Rankings", "answer_models"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class RankingModel:
    """Scores rows of features: ``linear·x + output·tanh(hidden·x + bias)`` over standardised x."""

    names: tuple[str, ...]
    mean: Matrix  #: (n_features,)
    scale: Matrix
    linear: Matrix
    hidden: Matrix  #: (n_hidden, n_features)
    bias: Matrix  #: (n_hidden,)
    output: Matrix

    def score(self, rows: Matrix) -> Matrix:
        """(n, n_features) → (n,), higher is likelier to answer."""
        x = (rows - self.mean) / self.scale
        scores: Matrix = x @ self.linear + np.tanh(x @ self.hidden.T + self.bias) @ self.output
        return scores

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> RankingModel:
        arrays = {name: np.asarray(record[name], dtype=np.float64) for name in _ARRAYS}
        return cls(tuple(record["names"]), **arrays)

    def to_record(self) -> dict[str, Any]:
        return {"names": list(self.names), **{name: np.round(getattr(self, name), 5).tolist() for name in _ARRAYS}}


_ARRAYS = ("mean", "scale", "linear", "hidden", "bias", "output")


class Rankings(NamedTuple):
    """``first`` weighs ``features.FEATURES`` of a claim alone, ``second`` these and ``company.COMPANY`` of the best,
    ``follow_up`` these and ``told.TOLD`` behind an answer."""

    first: RankingModel
    second: RankingModel
    follow_up: RankingModel


@dataclass(frozen=True)
class GateModel:
    """Log-odds of "answerable", or of "answered directly": ``bias + Σ wᵢxᵢ`` over standardised x."""

    names: tuple[str, ...]
    mean: Matrix
    scale: Matrix
    linear: Matrix  #: (n_features,)
    bias: float

    def probability(self, found: Mapping[str, float]) -> float:
        """In [0, 1], for features by name."""
        x = (np.array([found[name] for name in self.names]) - self.mean) / self.scale
        odds = self.bias + float(x @ self.linear)
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> GateModel:
        arrays = {name: np.asarray(record[name], dtype=np.float64) for name in ("mean", "scale", "linear")}
        return cls(tuple(record["names"]), **arrays, bias=float(record["bias"]))

    def to_record(self) -> dict[str, Any]:
        arrays = {name: np.round(getattr(self, name), 5).tolist() for name in ("mean", "scale", "linear")}
        return {"names": list(self.names), **arrays, "bias": round(self.bias, 5)}


#: What is seen of a disagreement in the light of a question: how far both sides lie below the lead, how many findings answer
#: better than the other side, how near a learner's question lies to each, and what of the question the other side covers.
CARD_FEATURES = ("side", "rival", "rival_rank", "asked", "rival_asked", "rival_coverage")
#: And how near the question is to those that people ask on the dispute, and to those beside it (``DisputeTable.nearness``).
DISPUTE_FEATURES = ("on", "on_several", "beside", "beside_several")


@dataclass(frozen=True)
class CardModel:
    """The probability that a disagreement bears on what was asked, linear in ``CARD_FEATURES`` or in both lists."""

    names: tuple[str, ...]
    weights: Matrix  #: (n_features,)
    bias: float

    def probability(self, found: Sequence[float]) -> float:
        """In [0, 1]."""
        odds = self.bias + float(np.asarray(found) @ self.weights)
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> CardModel:
        names = tuple(name for name in record if name != "bias")
        return cls(names, np.asarray([record[name] for name in names], dtype=np.float64), float(record["bias"]))

    def to_record(self) -> dict[str, float]:
        found = dict(zip(self.names, np.round(self.weights, 5).tolist(), strict=True))
        return {**found, "bias": round(self.bias, 5)}


@dataclass(frozen=True)
class AnswerModels:
    """The models. ``gate``: do the sources answer; ``direct``: does one of them answer directly. ``cards`` are for disputes that nobody wrote questions on, ``disputes`` for the others. ``fitted_for``: the
    encoder whose cosines they know."""

    rankings: Rankings
    gate: GateModel
    direct: GateModel
    cards: CardModel
    disputes: CardModel
    joined: JoinModel
    fitted_for: str

    def join_model(self, encoder: str) -> JoinModel | None:
        """How the vectors of a follow-up are joined; None for another encoder than the weights were fitted for."""
        return self.joined if encoder == self.fitted_for else None


@lru_cache(maxsize=1)
def answer_models() -> AnswerModels:
    """The packaged models."""
    record = packaged_record("answer-weights.json")
    return AnswerModels(
        Rankings(*(RankingModel.from_record(record[name]) for name in ("ranking", "second", "follow_up"))),
        GateModel.from_record(record["gate"]),
        GateModel.from_record(record["direct"]),
        CardModel.from_record(record["cards"]),
        CardModel.from_record(record["disputes"]),
        JoinModel(tuple(record["joined"])),
        record["fitted_for"],
    )
