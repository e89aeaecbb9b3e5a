"""Vectors → nearest passages. The only file that knows FAISS.

Scores are cosine similarities of unit vectors, higher is better. Which index type serves which size is decided here
from measurement (docs/scaling.md): exact while that takes about a millisecond, above it an inverted file of product
codes whose best candidates are scored again with the exact vectors.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import IndexDamagedError
from gmedbot.index.rows import load_array

__all__ = ["DenseIndex", "IndexType", "choose_type", "exact_nearest", "similarities"]

IndexType = Literal["flat", "hnsw", "ivf-sq8", "ivf-pq"]
Vectors = NDArray[np.float32]

#: Above this an exact search takes longer than encoding the question; below, nothing is gained by approximation.
_FLAT_LIMIT = 20_000
#: Candidates of the codes per wanted row, and at least; the exact vectors then decide.
_REFINE = 8
_LEAST_REFINED = 600
#: Share of the lists that a search looks into: at 10⁵ and 10⁶ more found a hundredth more.
_PROBED = 1 / 32
_BLOCK = 65_536
#: Products that OpenBLAS computes in one thread (its limit for a matrix and a vector is 460,800).
_UNSPLIT = 400_000
_SEED = 20261122


def choose_type(n: int, wanted: str = "auto") -> IndexType:
    """The index type for ``n`` vectors; a type set by hand is kept if there are enough vectors to train it."""
    if n < 1000 or wanted == "flat" or (wanted == "auto" and n <= _FLAT_LIMIT):
        return "flat"
    return "ivf-pq" if wanted == "auto" else wanted  # type: ignore[return-value]  # settings hold no other words


class DenseIndex:
    """Inner-product search over unit vectors, rows numbered as the passages are. Thread-safe: it only reads.

    Args: index: the FAISS index; None for the exact type, which needs the vectors only.
        vectors: (n, dim) float32, in memory or mapped; None where the FAISS index holds them.
    """

    def __init__(self, index: Any, index_type: IndexType, vectors: Vectors | None) -> None:
        self._index = index
        self.type: IndexType = index_type
        self._vectors = vectors

    @classmethod
    def build(cls, vectors: Vectors, wanted: str = "auto") -> DenseIndex:
        """Build over (n, dim) float32 unit rows, which may be mapped from disk: they are read in blocks.

        Deterministic: a fixed seed, and one thread where two would make another index.
        """
        n = len(vectors)
        index_type = choose_type(n, wanted)
        if index_type == "flat":
            return cls(None, index_type, vectors)
        index = {"hnsw": _graph, "ivf-sq8": _scalar_lists, "ivf-pq": _product_lists}[index_type](vectors)
        return cls(index, index_type, vectors if index_type == "ivf-pq" else None)

    def save(self, path: Path) -> None:
        """Write ``path`` and, where exact vectors are kept apart, ``<name>.vectors.npy`` (unless that is where they are)."""
        import faiss

        index = self._index
        if index is None and self._vectors is not None:
            index = faiss.IndexFlatIP(self._vectors.shape[1])
            index.add(np.ascontiguousarray(self._vectors))
        try:
            faiss.write_index(index, str(path))
        except RuntimeError as error:  # FAISS has no other word for a full disk
            raise OSError(str(error).splitlines()[-1]) from error
        if self.type == "ivf-pq" and self._vectors is not None:
            target = path.with_suffix(".vectors.npy")
            if not (isinstance(self._vectors, np.memmap) and Path(str(self._vectors.filename)) == target):
                np.save(target, self._vectors)

    @classmethod
    def load(cls, path: Path, index_type: IndexType) -> DenseIndex:
        """Open a saved index, memory-mapped where the type allows it. Raises: IndexDamagedError."""
        if index_type == "flat":
            return cls(None, index_type, _flat_rows(path))
        import faiss

        flags = faiss.IO_FLAG_MMAP if index_type == "ivf-sq8" else 0
        try:
            index = faiss.read_index(str(path), flags)
        except RuntimeError as error:
            raise IndexDamagedError(
                f"{path.name} must be a readable FAISS index.", str(error).splitlines()[-1], "gmedbot index build"
            ) from error
        return cls(index, index_type, load_array(path.with_suffix(".vectors.npy")) if index_type == "ivf-pq" else None)

    @property
    def size(self) -> int:
        return len(self._vectors) if self._index is None and self._vectors is not None else int(self._index.ntotal)

    def search(self, query: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
        """Rows and cosine similarities of the ``k`` nearest to one (dim,) query, best first, ties by row."""
        k = min(k, self.size)
        if self._index is None and self._vectors is not None:
            scores = similarities(self._vectors, query)
            rows = np.argpartition(-scores, k - 1)[:k] if k < len(scores) else np.arange(len(scores))
            return _ordered(rows, scores[rows], k)
        width = max(k * _REFINE, _LEAST_REFINED) if self._vectors is not None else k
        values, found = self._index.search(np.ascontiguousarray(query.reshape(1, -1)), min(width, self.size))
        rows = found[0][found[0] >= 0]
        exact = self.vectors(rows) @ query if self._vectors is not None else values[0][found[0] >= 0]
        return _ordered(rows, exact, k)

    def vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """The stored vectors of ``rows``, (n_rows, dim); approximate where the type compresses."""
        if self._vectors is not None:
            return np.asarray(self._vectors[rows])
        if self.type == "ivf-sq8":
            self._index.make_direct_map()
        return np.stack([self._index.reconstruct(int(row)) for row in rows])


def similarities(vectors: Vectors, query: Vectors) -> Vectors:
    """``vectors @ query`` in steps that OpenBLAS does not split over threads.

    Two threads gain nothing on one query, and where other work holds a core they wait for one another: 111 ms
    instead of 1 at ten thousand rows of a busy machine. The bits do not depend on the number of cores either.
    """
    scores = np.empty(len(vectors), dtype=np.float32)
    step = max(1, _UNSPLIT // vectors.shape[1])
    for start in range(0, len(vectors), step):
        np.dot(vectors[start : start + step], query, out=scores[start : start + step])
    return scores


def _ordered(rows: NDArray[Any], scores: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
    order = np.lexsort((rows, -scores))[:k]
    return rows[order].astype(np.int64), np.asarray(scores[order], dtype=np.float32)


def exact_nearest(vectors: Vectors, queries: Vectors, k: int) -> NDArray[np.int64]:
    """(n_queries, k) rows of the exact nearest, block by block, so that memory stays bounded."""
    best = np.full((len(queries), k), -2.0, dtype=np.float32)
    rows = np.zeros((len(queries), k), dtype=np.int64)
    for start in range(0, len(vectors), _BLOCK):
        scores = queries @ np.asarray(vectors[start : start + _BLOCK]).T
        top = np.argpartition(-scores, min(k, scores.shape[1] - 1), axis=1)[:, :k]
        scores = np.concatenate([best, np.take_along_axis(scores, top, 1)], axis=1)
        places = np.concatenate([rows, top + start], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        best, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(places, order, 1)
    return rows


def _flat_rows(path: Path) -> Vectors:
    """The rows of a FAISS flat file without FAISS: importing it takes longer than the whole search.

    The file is a header (kind, dimension, count, metric) and the rows as float32. Raises: IndexDamagedError.
    """
    header = struct.Struct("<4siqqqBiQ")
    try:
        with path.open("rb") as stream:
            kind, dim, count, _, _, _, _, floats = header.unpack(stream.read(header.size))
            if kind != b"IxFI" or floats != dim * count:
                raise ValueError(f"kind {kind!r}, {floats} numbers for {count} vectors of {dim}")
            rows = np.fromfile(stream, dtype=np.float32)
    except (OSError, struct.error, ValueError) as error:
        raise IndexDamagedError(
            f"{path.name} must be a readable FAISS index.", str(error), "gmedbot index build"
        ) from error
    if len(rows) != floats:
        raise IndexDamagedError(
            f"{path.name} must be whole.", f"{len(rows)} of {floats} numbers", "gmedbot index build"
        )
    return rows.reshape(count, dim)


def _graph(vectors: Vectors) -> Any:
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # insertion order shapes the graph; two threads make two graphs
    index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 80
    index.hnsw.efSearch = 128
    index.add(np.ascontiguousarray(vectors))
    faiss.omp_set_num_threads(threads)
    return index


def _scalar_lists(vectors: Vectors) -> Any:
    import faiss

    dim = vectors.shape[1]
    index = faiss.index_factory(dim, f"IVF{_lists(len(vectors))},SQ8", faiss.METRIC_INNER_PRODUCT)
    return _filled(index, vectors)


def _product_lists(vectors: Vectors) -> Any:
    import faiss

    dim = vectors.shape[1]
    parts = next(parts for parts in (dim // 2, dim) if dim % parts == 0 and parts % 2 == 0)
    index = faiss.index_factory(dim, f"IVF{_lists(len(vectors))},PQ{parts}x4fs", faiss.METRIC_INNER_PRODUCT)
    return _filled(index, vectors)


def _lists(n: int) -> int:
    """Number of inverted lists: four times the root, the usual rule, at least 40 vectors to train each."""
    return int(max(16, min(4 * np.sqrt(n), n / 40)))


def _filled(index: Any, vectors: Vectors) -> Any:
    """Train on an even sample and add all rows in blocks; vectors may be mapped from disk."""
    n = len(vectors)
    index.cp.seed = _SEED
    index.cp.max_points_per_centroid = 40
    rows = np.linspace(0, n - 1, min(n, 40 * index.nlist)).astype(np.int64)
    index.train(np.ascontiguousarray(vectors[rows]))
    for start in range(0, n, _BLOCK):
        index.add(np.ascontiguousarray(vectors[start : start + _BLOCK]))
    index.nprobe = min(index.nlist, max(16, int(index.nlist * _PROBED)))
    return index
