"""The vectors of one message's texts: each is encoded once, those that are wanted together beside one another.

The encoder takes about half of an answer's time. A message is read first, which takes a tenth of that, so that all of
its texts are known: a lone text gets two threads, several get one each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gmedbot.encoder import Encoder

__all__ = ["QueryVectors"]

T = TypeVar("T")
Vectors = NDArray[np.float32]


class QueryVectors:
    """The vectors of one message, each worked out once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    def encode(self, *texts: str) -> None:
        """Encode these, those that are not known yet; an empty text is passed over. Raises: what the encoder raises."""
        new = sorted({text for text in texts if text and text not in self._known}, key=len, reverse=True)
        if new:  # the longest first, so that no thread is left with it at the end
            self._known.update(zip(new, self._encoder.encode(new), strict=True))

    def of(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, (n_texts, dim). Raises: what the encoder raises."""
        self.encode(*texts)
        return np.stack([self._known[text] for text in texts])

    @staticmethod
    def later(work: Callable[[], T]) -> Callable[[], T]:
        """Begin ``work`` in the background and return what waits for it."""
        return _workers().submit(work).result


@lru_cache(maxsize=1)
def _workers() -> Executor:
    """Threads that stay, one a core: more texts at once would only wait for one another."""
    return ThreadPoolExecutor(max(1, os.cpu_count() or 1), thread_name_prefix="vectors")
