"""The learners' questions of a build, as vectors beside the claims that answer them (see ``corpus.questions``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.errors import IndexDamagedError
from gmedbot.index.dense import similarities
from gmedbot.index.rows import RowFile, load_array, write_rows
from gmedbot.types import Claim

if TYPE_CHECKING:
    from gmedbot.corpus.questions import QuestionsOf

__all__ = ["BoundQuestion", "QuestionTable", "bind_questions", "write_questions"]

Vectors = NDArray[np.float32]

#: A question and the rows of the claims that answer it.
BoundQuestion = tuple[str, tuple[int, ...]]


def bind_questions(questions: Sequence[QuestionsOf], claims: Sequence[Claim]) -> list[BoundQuestion]:
    """Each question with its claims, in order; those of sentences that are there no more are left out."""
    rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        rows[claim.source_id, claim.text].append(row)
    bound: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for item in questions:
        for text in item.asked:
            bound[text].update(dict.fromkeys(rows.get((item.source_id, item.statement), ())))
    return [(text, tuple(found)) for text, found in bound.items() if found]


def write_questions(folder: Path, bound: Sequence[BoundQuestion], vectors: Vectors, vocabulary: Vocabulary) -> None:
    """Write ``questions.jsonl`` (text and keys), ``questions.vectors.npy`` (n, dim) and the pairs (question, claim)."""
    from gmedbot.claims.extract import read_words

    rows = (
        {"text": text, "keys": sorted({*terms, *words})}
        for text, _ in bound
        for terms, words in (read_words(text, vocabulary),)
    )
    write_rows(folder / "questions.jsonl", rows)
    np.save(folder / "questions.vectors.npy", vectors)
    pairs = [(number, row) for number, (_, found) in enumerate(bound) for row in found]
    np.save(folder / "questions.claims.npy", np.asarray(pairs, dtype=np.int32).reshape(-1, 2))


class QuestionTable:
    """The questions of one build, memory-mapped. Thread-safe: it only reads."""

    def __init__(self, folder: Path, n_claims: int) -> None:
        self._rows: RowFile[dict[str, Any]] = RowFile(folder / "questions.jsonl", dict)
        self._vectors: Vectors = load_array(folder / "questions.vectors.npy")
        pairs = load_array(folder / "questions.claims.npy")
        if len(self._vectors) != len(self._rows) or (len(pairs) and int(pairs[:, 1].max()) >= n_claims):
            raise IndexDamagedError(
                f"questions.vectors.npy must hold {len(self._rows)} vectors.",
                str(len(self._vectors)),
                "gmedbot index build",
            )
        self._question, self._claim = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        self._n_claims = n_claims
        self._starts = np.searchsorted(self._claim[np.argsort(self._claim, kind="stable")], np.arange(n_claims + 1))
        self._by_claim = self._question[np.argsort(self._claim, kind="stable")]

    def __len__(self) -> int:
        return len(self._rows)

    def nearness(self, vector: Vectors) -> Vectors:
        """(n_claims,) cosine of the nearest question of each claim to a query vector; 0 for a claim without questions."""
        best = np.zeros(self._n_claims, dtype=np.float32)
        if len(self):
            np.maximum.at(best, self._claim, similarities(self._vectors, vector)[self._question])
        return best

    def of_claim(self, row: int) -> tuple[int, ...]:
        """Numbers of the questions that a claim answers, in the order of the file."""
        return tuple(self._by_claim[self._starts[row] : self._starts[row + 1]].tolist())

    def text(self, number: int) -> str:
        """A question as it was written."""
        text: str = self._rows[number]["text"]
        return text

    def keys(self, row: int) -> frozenset[str]:
        """Words and terms of all questions of a claim (see ``claims.keys``)."""
        return frozenset(key for number in self.of_claim(row) for key in self._rows[number]["keys"])
