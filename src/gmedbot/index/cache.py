"""What earlier builds worked out, by content hash: no unchanged text is encoded or read twice.

Two caches: vectors of texts, and passages and claims of documents. Both are conveniences: deleting them costs time
and nothing else, a damaged one is thrown away, a damaged entry counts as missing, and a disk that refuses to keep
them does not stop a build. Every entry carries a checksum, because a wrong vector would be published unseen.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.reader import Reader
from gmedbot.encoder import Encoder
from gmedbot.index.records import claim_from_record, claim_record, passage_from_record, passage_record, source_record
from gmedbot.types import Claim, Document, Passage

__all__ = ["PairCache", "ReadingCache", "VectorCache"]

_BLOCK = 2048  #: texts encoded between two commits, so that a killed build loses little
_COMMIT_EVERY = 256  #: documents kept between two commits


class _Entries:
    """A SQLite file of checked blobs by key. Every failure of the file is a missing entry, never an error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        for attempt in (self._path, self._path, None):
            connection: sqlite3.Connection | None = None
            try:
                if attempt is not None:
                    attempt.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(attempt or ":memory:", check_same_thread=False)
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"
                )
                connection.execute("SELECT value FROM entries LIMIT 1").fetchone()
                return connection
            except (sqlite3.Error, OSError):
                with contextlib.suppress(sqlite3.Error, OSError):
                    if connection is not None:
                        connection.close()
                    self._path.unlink(missing_ok=True)
        raise AssertionError("an in-memory database always opens")

    def get(self, key: bytes) -> bytes | None:
        """The value, None if there is none or its checksum does not fit."""
        try:
            row = self._connection.execute("SELECT value FROM entries WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error:
            return None
        if row is None or not isinstance(row[0], bytes) or len(row[0]) < 4:
            return None
        value = row[0][4:]
        return value if zlib.crc32(value, zlib.crc32(key)) == int.from_bytes(row[0][:4], "big") else None

    def put(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep values; a full disk keeps none of them."""
        checked = [(key, zlib.crc32(value, zlib.crc32(key)).to_bytes(4, "big") + value) for key, value in rows]
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", checked)
        except sqlite3.Error:
            return

    def clear(self) -> None:
        """Forget everything; the file is made anew, so that what was removed is gone from the disk too."""
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._connection = self._open()

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()


class _Cache:
    """What both caches share: they are opened and closed as context managers."""

    def __init__(self, path: Path) -> None:
        self._entries = _Entries(path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entries.close()

    def clear(self) -> None:
        self._entries.clear()


class PairCache(_Cache):
    """What the pair reader said of two texts, for one reader: itself a ``Reader``."""

    def __init__(self, folder: Path, reader: Reader, name: str) -> None:
        super().__init__(folder / f"pairs-{name}.sqlite")
        self._reader = reader

    def __enter__(self) -> PairCache:
        return self

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]:
        """(n, 3) log-odds in the order of ``pairs``."""
        keys = [hashlib.sha256("\0".join(sorted(pair)).encode()).digest()[:16] for pair in pairs]
        kept = [self._entries.get(key) for key in keys]
        missing = {key: row for row, (key, value) in enumerate(zip(keys, kept, strict=True)) if value is None}
        fresh = self._reader.read([pairs[row] for row in missing.values()], progress)
        self._entries.put([(key, value.tobytes()) for key, value in zip(missing, fresh, strict=True)])
        place = {key: number for number, key in enumerate(missing)}
        found = np.zeros((len(pairs), fresh.shape[1]))
        for row, (key, value) in enumerate(zip(keys, kept, strict=True)):
            found[row] = fresh[place[key]] if value is None else np.frombuffer(value, dtype=np.float64)
        return found


class VectorCache(_Cache):
    """float32 vectors of texts for one set of encoder weights."""

    def __init__(self, folder: Path, weights: str) -> None:
        super().__init__(folder / f"vectors-{weights[:12]}.sqlite")

    def __enter__(self) -> VectorCache:
        return self

    def encode(
        self, encoder: Encoder, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> tuple[NDArray[np.float32], int]:
        """Vectors of ``texts`` in order, (n_texts, dim) float32, and how many had to be encoded."""
        keys = [hashlib.sha256(text.encode()).digest()[:16] for text in texts]
        out = np.empty((len(texts), encoder.card.dim), dtype=np.float32)
        missing: list[int] = []
        width = encoder.card.dim * 4
        for row, key in enumerate(keys):
            found = self._entries.get(key)
            if found is None or len(found) != width:
                missing.append(row)
            else:
                out[row] = np.frombuffer(found, dtype=np.float32)
        done = len(texts) - len(missing)
        for start in range(0, len(missing), _BLOCK):
            block = missing[start : start + _BLOCK]

            def tell(count: int) -> None:
                nonlocal done
                done += count
                if progress is not None:
                    progress(done)

            vectors = encoder.encode([texts[row] for row in block], tell)
            out[block] = vectors
            self._entries.put([(keys[row], vector.tobytes()) for row, vector in zip(block, vectors, strict=True)])
        if progress is not None and texts:
            progress(len(texts))
        return out, len(missing)


class ReadingCache(_Cache):
    """Passages and claims of documents, for one vocabulary, one window and one version of the program's own rules.

    Args: shape: everything but the document that decides its passages and claims.
    """

    def __init__(self, folder: Path, shape: str) -> None:
        super().__init__(folder / "readings.sqlite")
        self._shape = f"{shape} {_rules_digest()}"
        self._fresh: list[tuple[bytes, bytes]] = []
        self.missed = 0  #: documents that were not known

    def __enter__(self) -> ReadingCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        super().__exit__(kind, error, trace)

    def _key(self, document: Document) -> bytes:
        facts = json.dumps(source_record(document.source), sort_keys=True)
        return hashlib.sha256(f"{self._shape}\0{facts}\0{document.text}".encode()).digest()[:20]

    def find(self, document: Document) -> tuple[tuple[Passage, ...], tuple[Claim, ...]] | None:
        """The passages and claims of this very document, None if it has to be read."""
        value = self._entries.get(self._key(document))
        if value is not None:
            with contextlib.suppress(ValueError, KeyError, TypeError, IndexError, zlib.error):
                rows: dict[str, list[Any]] = json.loads(zlib.decompress(value))
                return tuple(map(passage_from_record, rows["passages"])), tuple(map(claim_from_record, rows["claims"]))
        self.missed += 1
        return None

    def keep(self, document: Document, passages: Sequence[Passage], claims: Sequence[Claim]) -> None:
        rows = {"passages": [passage_record(p) for p in passages], "claims": [claim_record(c) for c in claims]}
        self._fresh.append((self._key(document), zlib.compress(json.dumps(rows).encode(), 1)))
        if len(self._fresh) >= _COMMIT_EVERY:
            self._flush()

    def _flush(self) -> None:
        if self._fresh:
            self._entries.put(self._fresh)
            self._fresh = []


@functools.cache
def _rules_digest() -> str:
    """Hash over the modules that decide passages and claims: a changed rule reads every document anew."""
    package = Path(__file__).resolve().parents[1]
    files = [
        package / "passages.py",
        package / "types.py",
        package / "patterns.py",
        package / "index" / "records.py",
        *sorted((package / "claims").glob("*.py")),
    ]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
