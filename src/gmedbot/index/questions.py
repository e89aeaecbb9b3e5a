"""The learners' questions of a build, as vectors beside the claims that answer them (see ``corpus.questions``)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.errors import IndexDamagedError
from gmedbot.index.claim_table import KeyRows
from gmedbot.index.dense import similarities
from gmedbot.index.rows import RowFile, load_array, write_rows
from gmedbot.types import Claim

if TYPE_CHECKING:
    from gmedbot.corpus.questions import QuestionsOf

__all__ = ["BoundQuestion", "QuestionTable", "bind_questions", "write_questions"]

Vectors = NDArray[np.float32]

_EXACT = 128  #: claims whose every question is compared with the query

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


def write_questions(
    folder: Path, bound: Sequence[BoundQuestion], vectors: Vectors, vocabulary: Vocabulary, n_claims: int
) -> None:
    """Write ``questions.jsonl``, ``questions.vectors.npy`` (n, dim), their mean for each claim, the pairs (claim, question)
    in that order, and the words and terms of all questions of a claim."""
    from gmedbot.claims.extract import read_words

    write_rows(folder / "questions.jsonl", ({"text": text} for text, _ in bound))
    np.save(folder / "questions.vectors.npy", vectors)
    pairs = sorted((row, number) for number, (_, found) in enumerate(bound) for row in found)
    np.save(folder / "questions.pairs.npy", np.asarray(pairs, dtype=np.int32).reshape(-1, 2))
    keys: list[set[str]] = [set() for _ in range(n_claims)]
    centres = np.zeros((n_claims, vectors.shape[1]), dtype=np.float32)
    for row, number in pairs:
        terms, words = read_words(bound[number][0], vocabulary)
        keys[row].update(terms, words)
        centres[row] += vectors[number]
    asked = sorted({row for row, _ in pairs})  # a large corpus has few: the rest of the zeros take no memory
    centres[asked] /= _lengths(centres[asked])
    np.save(folder / "questions.centres.npy", centres)
    names = sorted({key for own in keys for key in own})
    number_of = {name: number for number, name in enumerate(names)}
    flat = [number_of[key] for own in keys for key in sorted(own)]
    np.save(folder / "questions.key.npy", np.asarray(flat, dtype=np.int32))
    np.save(folder / "questions.key_start.npy", np.cumsum([0, *map(len, keys)], dtype=np.int32))
    (folder / "questions.names.json").write_text(json.dumps(names, ensure_ascii=False), "utf-8")


def _lengths(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > 0, lengths, np.float32(1))


class QuestionTable:
    """The questions of one build, memory-mapped. Thread-safe: it only reads."""

    def __init__(self, folder: Path, n_claims: int) -> None:
        """Raises: IndexDamagedError if the files do not fit one another or the number of claims."""
        self._rows: RowFile[dict[str, Any]] = RowFile(folder / "questions.jsonl", dict)
        self._vectors: Vectors = load_array(folder / "questions.vectors.npy")
        self._centres: Vectors = load_array(folder / "questions.centres.npy")
        self._key, self._key_start = (load_array(folder / f"questions.{name}.npy") for name in ("key", "key_start"))
        pairs = load_array(folder / "questions.pairs.npy")
        try:
            self._key_names: list[str] = json.loads((folder / "questions.names.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise _damaged("questions.names.json must be readable.", str(error)) from error
        if not _are_pairs(pairs, n_claims, len(self._rows)):
            found = f"shape {pairs.shape}, type {pairs.dtype}, or a row that is not there"
            raise _damaged("questions.pairs.npy must hold pairs of a claim and a question, sorted.", found)
        for name, array, wanted in (
            ("vectors", self._vectors, len(self._rows)),
            ("centres", self._centres, n_claims),
            ("key_start", self._key_start, n_claims + 1),
        ):
            if array.shape[:1] != (wanted,):
                raise _damaged(f"questions.{name}.npy must hold {wanted} rows.", f"shape {array.shape}")
        if not _are_numbers(self._key, self._key_start, len(self._key_names)):
            wanted_keys = f"questions.key.npy must hold numbers of {len(self._key_names)} names."
            raise _damaged(wanted_keys, f"shape {self._key.shape}, type {self._key.dtype}, or a name that is not there")
        self._question = np.ascontiguousarray(pairs[:, 1])
        self._starts = np.searchsorted(pairs[:, 0], np.arange(n_claims + 1))

    def __len__(self) -> int:
        return len(self._rows)

    def nearness(self, vector: Vectors) -> Vectors:
        """(n_claims,) how near a query vector is to the questions of each claim; 0 for a claim without questions.

        The cosine of the nearest question for the ``_EXACT`` claims whose questions are nearest on the whole, of their mean
        for the rest: comparing with every question took longer than encoding the query.
        """
        if not len(self):
            return np.zeros(len(self._starts) - 1, dtype=np.float32)
        near = np.maximum(similarities(self._centres, vector), 0)
        top = np.sort(np.argpartition(-near, min(_EXACT, len(near) - 1))[:_EXACT])
        counts = (self._starts[top + 1] - self._starts[top]).astype(np.int64)
        top, counts = top[counts > 0], counts[counts > 0]
        if not len(top):
            return near
        ends = np.cumsum(counts)
        places = np.arange(int(ends[-1])) + np.repeat(self._starts[top] - (ends - counts), counts)
        cosines = similarities(self._vectors[self._question[places]], vector)
        near[top] = np.maximum(np.maximum.reduceat(cosines, ends - counts), 0)
        return near

    def nearest(self, vector: Vectors) -> float:
        """Cosine of the question that is nearest to a query vector; 0 without questions."""
        return float(similarities(self._vectors, vector).max()) if len(self) else 0.0

    def of_claim(self, row: int) -> tuple[int, ...]:
        """Numbers of the questions that a claim answers, in the order of the file."""
        return tuple(self._question[self._starts[row] : self._starts[row + 1]].tolist())

    def text(self, number: int) -> str:
        """A question as it was written."""
        text: str = self._rows[number]["text"]
        return text

    @cached_property
    def rows_of(self) -> KeyRows:
        """The claims whose questions have a key."""
        return KeyRows(self._key_names, self._key, self._key_start)

    def keys(self, row: int) -> frozenset[str]:
        """Words and terms of all questions of a claim (see ``claims.keys``)."""
        return frozenset(
            self._key_names[n] for n in self._key[self._key_start[row] : self._key_start[row + 1]].tolist()
        )


def _damaged(wanted: str, found: str) -> IndexDamagedError:
    return IndexDamagedError(wanted, found, "gmedbot index build")


def _are_pairs(pairs: NDArray[Any], n_claims: int, n_questions: int) -> bool:
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.issubdtype(pairs.dtype, np.integer):
        return False
    if not len(pairs):
        return True
    is_sorted = bool((np.diff(pairs[:, 0]) >= 0).all())
    return is_sorted and int(pairs.min()) >= 0 and bool((pairs.max(axis=0) < (n_claims, n_questions)).all())


def _are_numbers(key: NDArray[Any], starts: NDArray[Any], n_names: int) -> bool:
    if key.ndim != 1 or not all(np.issubdtype(array.dtype, np.integer) for array in (key, starts)):
        return False
    is_whole = not int(starts[0]) and int(starts[-1]) == len(key) and bool((np.diff(starts) >= 0).all())
    return is_whole and (not len(key) or (int(key.min()) >= 0 and int(key.max()) < n_names))
