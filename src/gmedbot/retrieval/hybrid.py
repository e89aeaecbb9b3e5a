"""Vectors and words fused: the passages that answer a query, best first.

Both retrievers score the union of their candidates; scores are scaled to 0–1 per query and added with a weight on
the dense side. A weighted sum beat reciprocal rank fusion on every set that was measured (docs/decisions/).

Scaling makes the best match by words a 1 even where it shares one common word with the question. So the words weigh
the less, the less of the question the best match holds: a question in other words than the texts is left to the
vectors, a question in their words is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmedbot.encoder import Encoder
from gmedbot.index.dense import DenseIndex
from gmedbot.index.lexical import LexicalIndex
from gmedbot.index.protocol import EmbeddedIndex, Index

__all__ = ["Hits", "HybridRetriever", "SecondStage", "dense_share", "fuse", "reciprocal_rank_fusion"]

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
#: How steeply the words lose weight with what they leave unmatched; 3 and 4 were best of 1–4 (docs/decisions/0010).
_STEEPNESS = 4


@dataclass(frozen=True)
class Hits:
    """Rows of passages, best first, with the fused score (0–1) and the raw scores behind it."""

    rows: Rows
    scores: Scores
    dense: Scores  #: cosine similarity
    words: Scores  #: BM25

    def first(self, k: int) -> Hits:
        """The best ``k``."""
        return Hits(self.rows[:k], self.scores[:k], self.dense[:k], self.words[:k])


class SecondStage(Protocol):
    """What looks at the best passages again (``retrieval.rerank``)."""

    depth: int  #: passages that it wants to see

    def __call__(self, question: str, hits: Hits) -> Hits:
        """The same rows, perhaps in another order; scores still fall from the first to the last."""
        ...


def fuse(dense: Scores, words: Scores, weight: float) -> Scores:
    """``weight`` × scaled dense + (1 − weight) × scaled words; each scaled to 0–1 over the candidates.

    BM25 is scaled from 0 (no word matched), cosine from the lowest candidate, as its zero means nothing.
    """
    top = float(words.max(initial=0.0))
    low = float(dense.min(initial=1.0))
    span = float(dense.max(initial=-1.0)) - low
    scaled_dense = (dense - low) / span if span > 1e-9 else np.ones_like(dense)
    scaled_words = words / top if top > 0 else np.zeros_like(words)
    fused: Scores = np.asarray(weight * scaled_dense + (1 - weight) * scaled_words, dtype=np.float32)
    return fused


def dense_share(weight: float, best: float, full: float) -> float:
    """The weight of the dense side for one query: ``weight`` if words match it in full, 1 if they do not match at all.

    Args: weight: the share where words match in full. best: highest BM25 score of a candidate. full: the score of a
        passage that holds every word of the query (``Index.full_match``).
    """
    coverage = min(1.0, best / full) if full > 0 else 1.0
    words = (1 - weight) * coverage**_STEEPNESS
    return weight / (weight + words) if weight + words > 0 else weight


def reciprocal_rank_fusion(rankings: list[Rows], size: int, k: int = 60) -> Scores:
    """RRF scores of every row (Cormack, Clarke and Büttcher 2009), the baseline to beat."""
    scores = np.zeros(size, dtype=np.float32)
    for ranking in rankings:
        scores[ranking] += 1.0 / (k + 1 + np.arange(len(ranking), dtype=np.float32))
    return scores


class HybridRetriever:
    """Searches one index. Thread-safe: it only reads."""

    def __init__(
        self,
        dense: DenseIndex,
        words: LexicalIndex,
        encoder: Encoder,
        weight: float = 0.65,
        candidates: int = 50,
        second: SecondStage | None = None,
    ) -> None:
        self.index: Index = EmbeddedIndex(dense, words)
        self.dense = dense
        self.words = words
        self.encoder = encoder
        self.weight = weight
        self.candidates = candidates
        self.second = second

    @classmethod
    def over(
        cls,
        index: Index,
        encoder: Encoder,
        weight: float = 0.65,
        candidates: int = 50,
        second: SecondStage | None = None,
    ) -> HybridRetriever:
        """Search any index, a database for instance."""
        retriever = cls.__new__(cls)
        retriever.index, retriever.encoder = index, encoder
        retriever.weight, retriever.candidates, retriever.second = weight, candidates, second
        return retriever

    def search(
        self,
        text: str,
        k: int,
        expansion: str = "",
        adjust: Callable[[Rows], Scores] | None = None,
        query_vector: NDArray[np.float32] | None = None,
        sources: Sequence[str] = (),
    ) -> Hits:
        """The ``k`` best rows for a query.

        Args: text: encoded as it is. expansion: the words to match, the text itself by default; what is matched is
            measured against the text alone, as added words are other names for what it says.
            adjust: extra points per row (subject and attribute fit), added after fusion.
            sources: only passages of these sources; all by default.
        """
        vector = self.encoder.encode([text])[0] if query_vector is None else query_vector
        kept = k if self.second is None else max(k, self.second.depth)
        width = max(self.candidates, kept)
        wording = expansion or text
        dense_rows, dense_scores = self.index.search_vectors(vector, width, sources)
        word_rows, word_scores = self.index.search_words(wording, width, sources)
        rows = np.union1d(dense_rows, word_rows).astype(np.int64)
        if not len(rows):
            empty = np.zeros(0, dtype=np.float32)
            return Hits(rows, empty, empty, empty)
        dense = _completed(rows, dense_rows, dense_scores, lambda more: self.index.cosines(vector, more))
        words = _completed(rows, word_rows, word_scores, lambda more: self.index.word_scores(wording, more))
        share = dense_share(self.weight, float(words.max()), self.index.full_match(text))
        fused = fuse(dense, words, share)
        if adjust is not None:
            fused = fused + adjust(rows)
        order = np.lexsort((rows, -fused))[:kept]
        hits = Hits(rows[order], fused[order], dense[order], words[order])
        return hits if self.second is None else self.second(text, hits).first(k)


def _completed(rows: Rows, known: Rows, scores: Scores, score: Callable[[Rows], Scores]) -> Scores:
    """Scores of all ``rows`` (ascending): those known, and the rest worked out."""
    found = np.zeros(len(rows), dtype=np.float32)
    is_known = np.zeros(len(rows), dtype=bool)
    places = np.searchsorted(rows, known)
    found[places], is_known[places] = scores, True
    if not is_known.all():
        found[~is_known] = score(rows[~is_known])
    return found
