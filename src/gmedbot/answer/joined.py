"""The vector of a follow-up, joined from what was typed and what was said before.

No text of a follow-up says what it asks: the typed one leaves words out, the conversation holds too many. The sum of their vectors
and of those of the answer before, each with a weight of its own, comes nearer to the question that a careful person would have
put (the aim of Yu et al. 2021, ConvDR, with the encoder left as it is). Six weights, no more: a network learned the statements of
its training by heart and ranked all others worse (docs/decisions/0028). Fitted by ``training.fit_answers``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARTS", "JoinModel"]

Vectors = NDArray[np.float32]

#: What is joined: the conversation as typed, the follow-up as typed and as it was read, the question before, the claim that led its
#: answer, and the mean of the claims that led its findings.
PARTS: tuple[str, ...] = ("conversation", "typed", "read", "asked", "lead", "heads")


@dataclass(frozen=True)
class JoinModel:
    """A weight for each of ``PARTS``."""

    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.weights) != len(PARTS):
            raise ValueError(f"{len(PARTS)} weights wanted, got {len(self.weights)}")

    def join(self, parts: Vectors) -> Vectors:
        """Parts, (n_parts, dim), in the order of ``PARTS`` → (dim,), of length 1."""
        joined = np.asarray(self.weights, dtype=np.float32) @ parts
        return np.asarray(joined / max(1e-9, float(np.linalg.norm(joined))), dtype=np.float32)
