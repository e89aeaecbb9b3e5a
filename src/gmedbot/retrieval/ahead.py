"""The vectors of one message's texts: each is encoded once, those that are wanted together beside one another.

The encoder takes about half of an answer's time. A message is read first, which takes a tenth of that, so that all of
its texts are known: a lone text gets two threads, several get one each, and what is wanted later is encoded while the
first question is looked up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
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
        self._coming: dict[str, Future[Vectors]] = {}

    def begin(self, *texts: str) -> None:
        """Begin to encode these, in this order, those that are not known yet; an empty text is passed over."""
        new = [text for text in dict.fromkeys(texts) if text and not self._has(text)]
        if len(new) > 1:  # a lone text is quicker where it is wanted, on two threads
            self._coming.update((text, _encoding().submit(self._encoder.encode, [text])) for text in new)

    def _has(self, text: str) -> bool:
        return text in self._known or text in self._coming

    def of(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, (n_texts, dim). Raises: what the encoder raises."""
        new = sorted({text for text in texts if not self._has(text)}, key=len, reverse=True)
        if new:  # the longest first, so that no thread is left with it at the end
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        self._known.update((text, self._coming[text].result()[0]) for text in texts if text not in self._known)
        return np.stack([self._known[text] for text in texts])

    @staticmethod
    def later(work: Callable[[], T]) -> Callable[[], T]:
        """Begin ``work`` in the background and return what waits for it."""
        return _workers().submit(work).result


@lru_cache(maxsize=1)
def _workers() -> Executor:
    """Threads that stay, one a core: more texts at once would only wait for one another."""
    return ThreadPoolExecutor(max(1, os.cpu_count() or 1), thread_name_prefix="vectors")


@lru_cache(maxsize=1)
def _encoding() -> Executor:
    """Threads apart from those of ``later``, whose work waits for these."""
    return ThreadPoolExecutor(max(1, os.cpu_count() or 1), thread_name_prefix="encoding")
