"""Boosted decision trees as arrays: probabilities without scikit-learn, which only the fitting needs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import EncoderError

__all__ = ["TreeFile", "TreeModel"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class TreeModel:
    """Probabilities of three classes: softmax over the sums of the classes' trees (Friedman 2001).

    A row goes left where its feature is not above the threshold. A leaf has itself as both children, so that every row can
    take as many steps as the deepest tree has.
    """

    feature: NDArray[np.int16]  #: (n_trees, n_nodes); tree t speaks for class t % 3
    threshold: Matrix  #: (n_trees, n_nodes)
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    value: Matrix  #: of a leaf, in log-odds; 0 inside
    start: Matrix  #: (3,) log-odds before any tree
    depth: NDArray[np.int64]  #: (1,) steps from the root to the deepest leaf

    def probabilities(self, rows: Matrix) -> Matrix:
        """(n, n_features) → (n, 3), rows sum to 1."""
        trees = np.arange(len(self.feature))
        places = np.zeros((len(rows), len(trees)), dtype=np.int64)
        at = np.arange(len(rows))[:, np.newaxis]
        for _ in range(int(self.depth[0])):
            is_left = rows[at, self.feature[trees, places]] <= self.threshold[trees, places]
            places = np.where(is_left, self.left[trees, places], self.right[trees, places]).astype(np.int64)
        leaves = self.value[trees, places]
        odds = self.start + np.stack([leaves[:, kind::3].sum(axis=1) for kind in range(3)], axis=1)
        powers = np.exp(odds - odds.max(axis=1, keepdims=True))
        shares: Matrix = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def save(self, path: Path) -> None:
        """Write all arrays into one compressed file, the same bytes for the same model."""
        with path.open("wb") as file:
            np.savez_compressed(file, **{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def load(cls, path: Path) -> TreeModel:
        """Raises: EncoderError if the file is not there or not whole."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{one.name: arrays[one.name] for one in fields(cls)})
        except (OSError, ValueError, KeyError) as error:
            raise EncoderError(
                f"{path.name} must hold the packaged relation model.",
                str(error),
                "pip install --force-reinstall gmedbot",
            ) from error


@dataclass(frozen=True)
class TreeFile:
    """A stored tree model, read when it is first asked: most answers never weigh a pair."""

    path: Path

    @cached_property
    def _model(self) -> TreeModel:
        return TreeModel.load(self.path)

    def probabilities(self, rows: Matrix) -> Matrix:
        """See ``TreeModel.probabilities``."""
        return self._model.probabilities(rows)
