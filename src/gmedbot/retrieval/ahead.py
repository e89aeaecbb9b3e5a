"""The vectors of one message's texts: each is encoded once, and while its words are still being read.

The encoder takes about half of an answer's time and runs outside Python's lock, so the reading of a message costs
nothing where there is a second core, and neither do its further texts: the question with its typing errors mended, the
conversation before it, what it takes for granted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import lru_cache, partial
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
        self._begun: dict[str, Callable[[], Vectors]] = {}

    def begin(self, *texts: str) -> None:
        """Encode these in the background, those that were not begun before; an empty text is passed over. Several are handed
        over together, so that each gets one thread and none the two of a text that comes alone."""
        new = [text for text in dict.fromkeys(texts) if text and text not in self._begun]
        if not new:
            return
        encoding = _workers().submit(self._encoder.encode, new)
        for row, text in enumerate(new):
            self._begun[text] = partial(_row_of, encoding, row)

    def of(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, (n_texts, dim), waited for. Raises: what the encoder raises."""
        self.begin(*texts)
        return np.concatenate([self._begun[text]() for text in texts])

    def later(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begin ``work`` in the background and return what waits for it. It may wait for texts that were begun before: what
        is handed over first is begun first, so they are being encoded by then."""
        return _workers().submit(work).result

    def meanwhile(self, text: str, work: Callable[[], T]) -> T:
        """Encode a text here while another thread does ``work``, and return what it gives.

        The work may wait for this text, and for no other: two messages that wait in all threads for what no thread is left
        to encode would wait for ever. Not the other way round: a thread that is given Python to run keeps the interpreter's lock for as much as 5 ms, so
        that an encoder begun beside it would wait for its first step.
        """
        if not text or text in self._begun:
            return work()
        own: Future[Vectors] = Future()
        self._begun[text] = own.result
        doing = _workers().submit(work)
        try:
            own.set_result(self._encoder.encode([text]))
        except BaseException as error:
            own.set_exception(error)
            raise
        return doing.result()


def _row_of(encoding: Future[Vectors], row: int) -> Vectors:
    return encoding.result()[row : row + 1]


@lru_cache(maxsize=1)
def _workers() -> Executor:
    """Threads that stay, one a core: more texts at once would only wait for one another."""
    return ThreadPoolExecutor(max(1, os.cpu_count() or 1), thread_name_prefix="vectors")
