"""Records on disk that are read one at a time, when they are asked for.

A build is written as JSON lines with the byte offset of every line beside them. A reader maps the file and parses the
few rows that an answer touches: opening takes the same time for a thousand rows and for a million, and memory holds
what is in use. Ids stand in an array of their own, so that looking one up parses nothing.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import IndexDamagedError

__all__ = ["IdMap", "RowFile", "RowMap", "load_array", "write_rows"]

T = TypeVar("T")

#: Parsed rows kept at hand; the cache is emptied when it is full, which keeps it simple and safe between threads.
_KEPT = 65_536
#: Up to here a dictionary of all ids is made at the first look-up; above, ids are found by bisection in the file.
_DICT_LIMIT = 200_000


def load_array(path: Path) -> NDArray[Any]:
    """A memory-mapped array of the index, as a plain ndarray: the subclass costs a call at every look.

    Raises: IndexDamagedError.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, ValueError, EOFError) as error:
        raise IndexDamagedError(f"{path.name} must be readable.", str(error), "gmedbot index build") from error


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], key: Callable[[Any], str] | None = None) -> int:
    """Write ``path`` (JSON lines), ``<name>.offsets.npy`` and, with ``key``, ``<name>.ids.npy``. Returns the count.

    Rows are taken one at a time, so an iterator of any length needs little memory.
    """
    offsets = [0]
    ids: list[bytes] = []
    with path.open("wb") as stream:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n"
            stream.write(line)
            offsets.append(offsets[-1] + len(line))
            if key is not None:
                ids.append(key(row).encode())
    np.save(path.with_suffix(".offsets.npy"), np.array(offsets, dtype=np.int64))
    if key is not None:
        np.save(path.with_suffix(".ids.npy"), np.array(ids, dtype=bytes) if ids else np.zeros(0, dtype="S1"))
    return len(offsets) - 1


class RowFile(Sequence[T], Generic[T]):
    """The rows of a file that ``write_rows`` wrote, each parsed when it is first asked for. Thread-safe."""

    def __init__(self, path: Path, parse: Callable[[Any], T]) -> None:
        self._path = path
        self._parse = parse
        self._offsets = load_array(path.with_suffix(".offsets.npy"))
        self._known: dict[int, T] = {}
        try:
            with path.open("rb") as stream:
                size = path.stat().st_size
                self._data: Any = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except OSError as error:
            raise self._damaged(error.strerror or str(error)) from error
        if not len(self._offsets) or size != int(self._offsets[-1]):
            raise self._damaged(f"{size} bytes")

    def _damaged(self, found: str) -> IndexDamagedError:
        return IndexDamagedError(f"{self._path.name} must be whole.", found, "gmedbot index build")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, row: int) -> T: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[T]: ...
    def __getitem__(self, row: int | slice) -> T | Sequence[T]:
        if isinstance(row, slice):
            return tuple(self[place] for place in range(*row.indices(len(self))))
        known = self._known.get(row)  # most rows of a warm process are here, and are asked for hundreds of times
        if known is not None:
            return known
        place = int(row) + len(self) if row < 0 else int(row)
        found = self._known.get(place)
        if found is None:
            if not 0 <= place < len(self):
                raise IndexError(row)
            found = self._read(place)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[place] = found
        return found

    def _read(self, place: int) -> T:
        line = self._data[int(self._offsets[place]) : int(self._offsets[place + 1])]
        try:
            return self._parse(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"row {place}: {error}") from error

    def __iter__(self) -> Iterator[T]:
        for place in range(len(self)):
            yield self[place]


class IdMap(Mapping[str, int]):
    """id → row, over an array of ids in row order."""

    def __init__(self, ids: NDArray[Any]) -> None:
        self._ids = ids
        self._rows: dict[str, int] | None = None
        self._order: NDArray[np.int64] | None = None

    def __getitem__(self, key: str) -> int:
        if self._rows is not None:
            return self._rows[key]
        if len(self._ids) <= _DICT_LIMIT:
            self._rows = {name: row for row, name in enumerate(self)}
            return self._rows[key]
        raw = key.encode()
        if self._order is None:
            self._order = np.argsort(self._ids, kind="stable")
        place = int(np.searchsorted(self._ids, np.bytes_(raw), sorter=self._order))
        if place < len(self._ids) and bytes(self._ids[self._order[place]]) == raw:
            return int(self._order[place])
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (name.decode() for name in self._ids.tolist())

    def __len__(self) -> int:
        return len(self._ids)


class RowMap(Mapping[str, T], Generic[T]):
    """id → value, where ``ids`` gives the row and ``rows`` the value; ``place`` may lead from one to the other."""

    def __init__(self, ids: IdMap, rows: Sequence[T], place: NDArray[Any] | None = None) -> None:
        self._ids = ids
        self._rows = rows
        self._place = place

    def __getitem__(self, key: str) -> T:
        row = self._ids[key]
        return self._rows[row if self._place is None else int(self._place[row])]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
