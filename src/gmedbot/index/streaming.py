"""A build that never holds the corpus: passages, vectors and words go to disk block by block.

``build_index`` keeps all passages and claims of a corpus in memory, which is right up to some hundred thousand. Beyond,
encoded blocks (from this machine, or from a Ray Data job, see ``ray_build``) are added here one after another. Memory holds
one block, the index that is being trained, and what BM25 needs; what was measured stands in docs/scaling.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import IndexDamagedError
from gmedbot.index.dense import DenseIndex
from gmedbot.index.lexical import LexicalIndex
from gmedbot.index.rows import RowFile, write_rows

__all__ = ["StreamingBuild", "open_streamed"]

#: Where the dense index looks for exact vectors beside ``dense.faiss``, so that they are written once.
_VECTORS = "dense.vectors.npy"


class StreamingBuild:
    """Write the searchable part of an index in blocks. Use as a context manager; ``finish`` makes it whole.

    Args: size: how many passages will be added, as the array on disk is laid out at once.
    """

    def __init__(self, folder: Path, size: int, dim: int, dense_index: str = "auto") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.size = 0
        self._wanted = size
        self._dense_index = dense_index
        self._vectors: NDArray[np.float32] = np.lib.format.open_memmap(
            folder / _VECTORS, mode="w+", dtype=np.float32, shape=(size, dim)
        )
        self._rows = (folder / "passages.parts").open("w", encoding="utf-8")
        self._texts = (folder / "texts.parts").open("w", encoding="utf-8")

    def __enter__(self) -> StreamingBuild:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()
        self._texts.close()

    def add(self, records: Sequence[Mapping[str, Any]], texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add a block: stored records, the texts that words are found in, and (n, dim) unit vectors, row for row."""
        if not len(records) == len(texts) == len(vectors):
            raise ValueError(f"{len(records)} records, {len(texts)} texts and {len(vectors)} vectors")
        self._vectors[self.size : self.size + len(vectors)] = vectors
        for record, text in zip(records, texts, strict=True):
            self._rows.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._texts.write(json.dumps(text, ensure_ascii=False) + "\n")
        self.size += len(records)

    def finish(self) -> str:
        """Write the indexes and remove what was only in between. Returns the type of the dense index."""
        if self.size != self._wanted:
            raise ValueError(f"{self.size} passages were added, {self._wanted} were announced")
        self._rows.close()
        self._texts.close()
        if isinstance(self._vectors, np.memmap):
            self._vectors.flush()
        del self._vectors
        parts, texts = self.folder / "passages.parts", self.folder / "texts.parts"
        write_rows(self.folder / "passages.jsonl", _lines(parts), lambda row: str(row["id"]))
        parts.unlink()
        vectors = np.load(self.folder / _VECTORS, mmap_mode="r")
        dense = DenseIndex.build(vectors, self._dense_index)
        dense.save(self.folder / "dense.faiss")
        (self.folder / "dense.json").write_text(json.dumps({"type": dense.type}), "utf-8")
        if dense.type != "ivf-pq":
            (self.folder / _VECTORS).unlink()
        del dense, vectors
        LexicalIndex.build(_lines(texts)).save(self.folder / "words")
        texts.unlink()
        return str(json.loads((self.folder / "dense.json").read_text("utf-8"))["type"])


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def open_streamed(folder: Path, parse: Callable[[Any], Any] = dict) -> tuple[RowFile[Any], DenseIndex, LexicalIndex]:
    """The passages, the dense and the word index of a finished streaming build, all mapped from disk."""
    try:
        kind = json.loads((folder / "dense.json").read_text("utf-8"))["type"]
    except (OSError, ValueError, KeyError) as error:
        raise IndexDamagedError("dense.json must be readable.", str(error), "build it again") from error
    dense = DenseIndex.load(folder / "dense.faiss", kind)
    return RowFile(folder / "passages.jsonl", parse), dense, LexicalIndex.load(folder / "words")
