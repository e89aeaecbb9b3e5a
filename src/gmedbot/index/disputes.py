"""The questions on disputes of a build, as vectors (see ``corpus.disputes``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import IndexDamagedError
from gmedbot.index.dense import similarities
from gmedbot.index.rows import RowFile, load_array, write_rows

if TYPE_CHECKING:
    from gmedbot.corpus.disputes import QuestionsOnDispute

__all__ = ["BoundDispute", "DisputeTable", "bind_disputes", "nearest", "write_disputes"]

Vectors = NDArray[np.float32]
_SEVERAL = 3  #: nearest questions of a kind that are averaged


@dataclass(frozen=True)
class BoundDispute:
    """A dispute by the reason that its relations give, with the questions on it and those beside it."""

    reason: str
    asked: tuple[str, ...]
    beside: tuple[str, ...]


def bind_disputes(questions: Sequence[QuestionsOnDispute], reasons: Mapping[str, str]) -> list[BoundDispute]:
    """The questions by the reasons of the disputes, in order. ``reasons``: topic → reason, of the reviews; questions on a
    topic that nobody disputes any more are left out."""
    return [BoundDispute(reasons[row.topic], row.asked, row.beside) for row in questions if row.topic in reasons]


def write_disputes(folder: Path, bound: Sequence[BoundDispute], vectors: Vectors) -> None:
    """Write ``disputes.jsonl`` (reasons and how many questions) and ``disputes.vectors.npy``, (n, dim): of each dispute the
    questions on it, then those beside it."""
    rows = ({"reason": row.reason, "asked": len(row.asked), "beside": len(row.beside)} for row in bound)
    write_rows(folder / "disputes.jsonl", rows)
    np.save(folder / "disputes.vectors.npy", vectors)


def nearest(cosines: NDArray[np.float32]) -> tuple[float, float]:
    """The greatest cosine, and the mean of the greatest three; zero of none."""
    best = sorted(cosines.tolist(), reverse=True)[:_SEVERAL]
    return (best[0], sum(best) / len(best)) if best else (0.0, 0.0)


class DisputeTable:
    """The questions on disputes of one build. Thread-safe: it only reads."""

    def __init__(self, folder: Path) -> None:
        """Raises: IndexDamagedError if the files do not fit one another."""
        self._rows: RowFile[dict[str, Any]] = RowFile(folder / "disputes.jsonl", dict)
        self._vectors: Vectors = load_array(folder / "disputes.vectors.npy")
        wanted = sum(sum(counts) for counts in self._counts)
        if self._vectors.shape[:1] != (wanted,):
            found = f"shape {self._vectors.shape}"
            raise IndexDamagedError(f"disputes.vectors.npy must hold {wanted} rows.", found, "gmedbot index build")

    def __len__(self) -> int:
        return len(self._rows)

    def nearness(self, reason: str, vector: Vectors) -> tuple[float, float, float, float] | None:
        """How near a query vector is to the questions on the dispute of this reason, and to those beside it: cosine of the
        nearest and mean of the nearest three, of each; None if there are no questions on it."""
        place = self._places.get(reason)
        if place is None:
            return None
        start, (asked, beside) = place
        cosines = similarities(self._vectors[start : start + asked + beside], vector)
        return (*nearest(cosines[:asked]), *nearest(cosines[asked:]))

    @cached_property
    def _counts(self) -> list[tuple[int, int]]:
        return [(int(row["asked"]), int(row["beside"])) for row in self._rows]

    @cached_property
    def _places(self) -> dict[str, tuple[int, tuple[int, int]]]:
        """reason → the row of its first question, and how many there are on and beside it."""
        starts = np.cumsum([0, *map(sum, self._counts)]).tolist()
        return {row["reason"]: (starts[place], self._counts[place]) for place, row in enumerate(self._rows)}
