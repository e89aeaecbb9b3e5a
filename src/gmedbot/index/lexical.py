"""Words → passages: BM25 over stemmed words. The only file that knows bm25s and PyStemmer.

BM25 (Robertson and Zaragoza 2009, Lucene's variant, k1 = 1.5, b = 0.75) finds what vectors blur: names of studies,
numbers, rare terms. Scores are BM25 sums, higher is better, 0 means that no word matched.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import IndexDamagedError
from gmedbot.index.rows import load_array

__all__ = ["LexicalIndex", "full_match", "tokenize"]

#: From here on common words would cost more than everything else of a search; they weigh next to nothing.
_LARGE = 50_000
#: Candidates of a large index that common words are added to.
_MANY = 20_000
#: A word that stands in more than one row of so many is looked up by row, not searched for.
_COMMON = 20
#: Up to here scoring every row costs less than finding out which need not be.
_SMALL = 4_000
#: Sums of float32 differ by their order; a row this close to the last place is scored again.
_SLACK = 1e-3
#: How soon a word that is said again counts no more.
_K1 = 1.5
_WORD = re.compile(r"[a-z0-9]+(?:[.'’][a-z0-9]+)*")
_STOPWORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "she",
        "should",
        "so",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "about",
        "also",
        "any",
    ]
)


def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


def tokenize(text: str, stemmer: Any | None = None) -> list[str]:
    """Lower-case words and numbers, stop words out, stemmed (Porter 2). Spinal levels ("L4–S1") become words."""
    words = [word for word in _WORD.findall(text.lower()) if word not in _STOPWORDS]
    stems: list[str] = (stemmer or _stemmer()).stemWords(words)
    return stems


def full_match(counts: Iterable[int], size: int) -> float:
    """BM25 score of a text of average length that holds each word once; ``counts``: how many of ``size`` texts hold it."""
    return sum(math.log(1 + (size - count + 0.5) / (count + 0.5)) for count in counts) / (1 + _K1)


class _Posting(NamedTuple):
    """One word of a query in the corpus."""

    rows: NDArray[np.int32]  #: ascending
    scores: NDArray[np.float32]  #: what the word gives to each of them
    most: float  #: the highest of these
    spread: NDArray[np.float32] | None = None  #: (size,) what it gives to every row, for a common word of a large index


def _add(word: _Posting, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
    """Add what a word gives to ``rows`` (ascending) to their ``scores``."""
    if word.spread is not None:
        scores += word.spread[rows]
        return
    places = np.searchsorted(word.rows, rows)
    places[places == len(word.rows)] = 0
    is_there = word.rows[places] == rows
    scores[is_there] += word.scores[places[is_there]]


def _reaching(partial: NDArray[np.float32], cut: float, words: Sequence[_Posting]) -> NDArray[np.int64]:
    """The rows of some words whose score reaches ``cut`` and is above 0, ascending."""
    if cut <= 0:
        return np.flatnonzero(partial > 0)
    rows = np.concatenate([word.rows[partial[word.rows] >= cut] for word in words])  # few: most rows are not looked at
    rows.sort()
    return rows[np.flatnonzero(np.diff(rows, prepend=-1))].astype(np.int64)


def _kth(scores: NDArray[np.float32], k: int) -> float:
    """The ``k``-th highest score."""
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


class LexicalIndex:
    """A BM25 index, rows numbered as the passages are.

    bm25s computes the score of every word in every text when the index is built; a query only adds up the columns of
    its words. That is a few lines of numpy over mapped arrays, so answering does not import bm25s (and with it scipy).
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], numbers: Mapping[str, int], size: int) -> None:
        self._scores = arrays["scores"]  # (n_postings,) float32
        self._rows = arrays["rows"]  # (n_postings,) int32, each word's ascending
        self._starts = arrays["starts"]  # (n_words + 1,) int64
        self._numbers = numbers
        self.size = size
        self._stem = _stemmer()
        self._most: dict[int, float] = {}  #: highest score of each word that was asked for

    @classmethod
    def build(cls, texts: Iterable[str]) -> LexicalIndex:
        """Index the texts in order; the vocabulary is sorted so that equal texts give equal files."""
        import bm25s

        stemmer = _stemmer()
        first_seen: dict[str, int] = {}
        rows = [
            np.array(
                [first_seen.setdefault(token, len(first_seen)) for token in tokenize(text, stemmer)], dtype=np.int32
            )
            for text in texts
        ]
        names = sorted(first_seen)
        if not names:
            nothing = np.zeros(0, dtype=np.int32)
            return cls({"scores": nothing, "rows": nothing, "starts": np.zeros(1, dtype=np.int64)}, {}, len(rows))
        numbers = {name: number for number, name in enumerate(names)}
        sorted_number = np.empty(len(names), dtype=np.int32)
        for name, number in numbers.items():
            sorted_number[first_seen[name]] = number
        ids = [sorted_number[row].tolist() for row in rows]
        del rows
        bm25 = bm25s.BM25(method="lucene", k1=_K1, b=0.75)
        bm25.index(bm25s.tokenization.Tokenized(ids=ids, vocab=dict(numbers)), show_progress=False)
        arrays: dict[str, NDArray[Any]] = {
            "scores": np.asarray(bm25.scores["data"], np.float32),
            "rows": np.asarray(bm25.scores["indices"], np.int32),
            "starts": np.asarray(bm25.scores["indptr"], np.int64),
        }
        return cls(arrays, numbers, len(ids))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in (("scores", self._scores), ("rows", self._rows), ("starts", self._starts)):
            np.save(folder / f"{name}.npy", values)
        facts = {"size": self.size, "words": list(self._numbers)}
        (folder / "words.json").write_text(json.dumps(facts, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Open a saved index, memory-mapped. Raises: IndexDamagedError."""
        try:
            facts = json.loads((folder / "words.json").read_text("utf-8"))
            numbers = {name: number for number, name in enumerate(facts["words"])}
            size = int(facts["size"])
        except (OSError, ValueError, KeyError) as error:
            raise IndexDamagedError(
                "The word index must be readable.", f"{folder.name}: {error}", "gmedbot index build"
            ) from error
        arrays = {name: load_array(folder / f"{name}.npy") for name in ("scores", "rows", "starts")}
        return cls(arrays, numbers, size)

    @lru_cache(maxsize=64)  # noqa: B019 - one search reads the words of its query three times
    def _tokens(self, query: str) -> tuple[str, ...]:
        """The distinct words of a query, in its order."""
        return tuple(dict.fromkeys(tokenize(query, self._stem)))

    def scores(self, query: str) -> NDArray[np.float32]:
        """BM25 score of every row, (size,) float32."""
        scores = np.zeros(self.size, dtype=np.float32)
        for word in self._postings(query):
            scores[word.rows] += word.scores
        return scores

    def search(self, query: str, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and scores of the ``k`` best with a score above 0, best first, ties by row.

        Exact, without scoring every row that holds a common word (MaxScore; Turtle and Flood 1995): the rarest words
        bring the candidates, and once the words left cannot lift a new row into the best ``k``, they only add to these.
        Above 50,000 rows a word that stands in more than a tenth of them brings none, if rarer ones brought ``k``, and
        common words are added to the best 20,000 candidates only (docs/scaling.md says how many of the rows that changes).
        """
        if self.size <= _SMALL:
            everything = self.scores(query)
            rows = np.flatnonzero(everything > 0)
            order = np.lexsort((rows, -everything[rows]))[:k]
            return rows[order], everything[rows[order]]
        postings = sorted(self._postings(query), key=lambda word: -word.most)
        rest = [0.0]
        for word in reversed(postings):
            rest.insert(0, rest[0] + word.most)
        partial = np.zeros(self.size, dtype=np.float32)
        least, used = 0.0, 0
        most = self.size // 10 if self.size > _LARGE else self.size
        for word in postings:
            if rest[used] < least or (least > 0 and len(word.rows) > most):
                break
            partial[word.rows] += word.scores
            used += 1
            if len(word.rows) >= k:
                least = max(least, _kth(partial[word.rows], k))
        cut = least - rest[used] - _SLACK
        rows = _reaching(partial, cut, postings[:used])
        reached = partial[rows]
        if self.size > _LARGE and len(rows) > _MANY:  # where common words could still lift any row
            is_high = reached >= _kth(reached, _MANY)
            rows, reached = rows[is_high], reached[is_high]
        for word, lift in zip(postings[used:], rest[used:], strict=False):
            if len(rows) <= 2 * k:
                break
            is_near = reached + lift >= _kth(reached, k) - _SLACK  # what the words left cannot lift so far is out
            rows, reached = rows[is_near], reached[is_near]
            _add(word, rows, reached)
        if len(rows) > 2 * k:
            rows = rows[reached >= _kth(reached, k) - _SLACK]
        scores = self.scores_of(query, rows)
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def scores_of(self, query: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """BM25 scores of some rows, in their order."""
        scores = np.zeros(len(rows), dtype=np.float32)
        for word in self._postings(query):
            _add(word, rows, scores)
        return scores

    def _postings(self, query: str) -> list[_Posting]:
        """The distinct words of the query that the corpus holds, in the query's order."""
        found = []
        for token in self._tokens(query):
            number = self._numbers.get(token)
            if number is not None:
                start, end = int(self._starts[number]), int(self._starts[number + 1])
                scores = self._scores[start:end]
                if number not in self._most:
                    self._most[number] = float(scores.max())
                is_common = self.size > _LARGE and end - start > self.size // _COMMON
                spread = self._spread(number) if is_common else None
                found.append(_Posting(self._rows[start:end], scores, self._most[number], spread))
        return found

    @lru_cache(maxsize=64)  # noqa: B019 - questions of one field share their common words; looking a row up is one step
    def _spread(self, number: int) -> NDArray[np.float32]:
        """What a word gives to every row, (size,)."""
        start, end = int(self._starts[number]), int(self._starts[number + 1])
        spread = np.zeros(self.size, dtype=np.float32)
        spread[self._rows[start:end]] = self._scores[start:end]
        return spread

    def full_match(self, query: str) -> float:
        """BM25 score of a row of average length that holds each distinct word of the query once.

        A word that no row holds counts as the rarest of all: what it asks for, no row can answer by words.
        """
        counts = []
        for token in self._tokens(query):
            number = self._numbers.get(token)
            counts.append(0 if number is None else int(self._starts[number + 1] - self._starts[number]))
        return full_match(counts, self.size)

    def known_share(self, query: str) -> float:
        """Share of the query's content words that occur in the corpus; 1.0 for a query without content words."""
        tokens = set(tokenize(query, self._stem))
        if not tokens:
            return 1.0
        return sum(token in self._numbers for token in tokens) / len(tokens)
