"""What a searcher needs of an index, whoever holds it: the embedded files, or a database.

Rows are numbers of passages, the same in every implementation of one build, so that scores can be fused, claims
looked up and results compared. ``sources`` narrows a search to passages of these sources; the filter is exact (the
``k`` best *of those*), never a cut applied after an approximate search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmedbot.index.dense import DenseIndex
from gmedbot.index.lexical import LexicalIndex

__all__ = ["EmbeddedIndex", "Index", "Rows", "Scores"]

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


class Index(Protocol):
    """Search by vector and by words over numbered passages. Implementations are safe to share between threads."""

    @property
    def size(self) -> int: ...

    def search_vectors(self, query: Scores, k: int, sources: Sequence[str] = ()) -> tuple[Rows, Scores]:
        """The ``k`` rows of highest cosine to one (dim,) unit vector, best first, ties by row."""
        ...

    def search_words(self, text: str, k: int, sources: Sequence[str] = ()) -> tuple[Rows, Scores]:
        """The ``k`` rows of highest BM25 score above 0, best first, ties by row."""
        ...

    def cosines(self, query: Scores, rows: Rows) -> Scores:
        """Cosine of the query to each of ``rows``."""
        ...

    def word_scores(self, text: str, rows: Rows) -> Scores:
        """BM25 score of each of ``rows``; 0 where no word matches."""
        ...

    def full_match(self, text: str) -> float:
        """BM25 score that a passage of average length would have if it held every word of ``text`` once."""
        ...


class EmbeddedIndex:
    """The index in files: FAISS and BM25. A narrowed search looks at every row of the sources, which are few.

    Args: rows_of: source ids → rows of their passages; without it only whole searches are possible.
    """

    def __init__(
        self, dense: DenseIndex, words: LexicalIndex, rows_of: Callable[[Sequence[str]], Rows] | None = None
    ) -> None:
        self.dense = dense
        self.words = words
        self._rows_of = rows_of

    @property
    def size(self) -> int:
        return self.dense.size

    def search_vectors(self, query: Scores, k: int, sources: Sequence[str] = ()) -> tuple[Rows, Scores]:
        if not sources:
            return self.dense.search(query, k)
        rows = self._narrowed(sources)
        return _best(rows, self.cosines(query, rows), k)

    def search_words(self, text: str, k: int, sources: Sequence[str] = ()) -> tuple[Rows, Scores]:
        if not sources:
            return self.words.search(text, k)
        rows = self._narrowed(sources)
        scores = self.word_scores(text, rows)
        return _best(rows[scores > 0], scores[scores > 0], k)

    def cosines(self, query: Scores, rows: Rows) -> Scores:
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        scores: Scores = self.dense.vectors(rows) @ query
        return scores

    def word_scores(self, text: str, rows: Rows) -> Scores:
        return self.words.scores_of(text, rows)

    def full_match(self, text: str) -> float:
        return self.words.full_match(text)

    def _narrowed(self, sources: Sequence[str]) -> Rows:
        if self._rows_of is None:
            raise ValueError("this index does not know which rows belong to which source")
        return self._rows_of(sources)


def _best(rows: Rows, scores: Scores, k: int) -> tuple[Rows, Scores]:
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]
