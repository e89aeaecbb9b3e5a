"""FAISS finds what brute force finds, with the same values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.errors import IndexDamagedError
from gmedbot.index.dense import DenseIndex, choose_type

pytestmark = pytest.mark.core


def unit_rows(n: int, dim: int = 16, seed: int = 3) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def brute_force(vectors: NDArray[np.float32], query: NDArray[np.float32], k: int) -> tuple[list[int], list[float]]:
    scores = vectors @ query
    order = sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:k]
    return order, [float(scores[row]) for row in order]


@pytest.mark.parametrize("k", [1, 7, 300, 999])
def test_rows_and_values_are_those_of_brute_force(k: int) -> None:
    vectors = unit_rows(300)
    index = DenseIndex.build(vectors)
    for query in unit_rows(5, seed=8):
        rows, scores = index.search(query, k)
        wanted, values = brute_force(vectors, query, k)
        assert rows.tolist() == wanted
        assert scores == pytest.approx(values, abs=1e-6)


def test_a_vector_is_nearest_to_itself_with_similarity_one() -> None:
    vectors = unit_rows(50)
    rows, scores = DenseIndex.build(vectors).search(vectors[17], 1)
    assert rows.tolist() == [17] and scores[0] == pytest.approx(1.0, abs=1e-6)


def test_equal_vectors_come_in_the_order_of_their_rows() -> None:
    vectors = np.repeat(unit_rows(1), 6, axis=0)
    assert DenseIndex.build(vectors).search(vectors[0], 6)[0].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf-sq8"])
def test_every_type_is_saved_opened_and_built_again_alike(kind: str, tmp_path: Path) -> None:
    vectors = unit_rows(1500)
    index = DenseIndex.build(vectors, kind)
    assert index.type == kind
    index.save(tmp_path / "a.faiss")
    DenseIndex.build(vectors, kind).save(tmp_path / "b.faiss")
    assert (tmp_path / "a.faiss").read_bytes() == (tmp_path / "b.faiss").read_bytes()
    again = DenseIndex.load(tmp_path / "a.faiss", index.type)
    assert again.size == 1500
    rows, scores = again.search(vectors[3], 10)
    assert rows[0] == 3
    assert np.all(np.diff(scores) <= 0)
    assert np.array_equal(rows, index.search(vectors[3], 10)[0])
    assert np.allclose(again.vectors(np.array([0, 3])), vectors[[0, 3]], atol=0.02)


@pytest.mark.parametrize("kind", ["hnsw", "ivf-sq8"])
def test_approximate_types_find_most_of_what_brute_force_finds(kind: str) -> None:
    vectors = unit_rows(1500)
    index = DenseIndex.build(vectors, kind)
    queries = unit_rows(20, seed=9)
    found = sum(
        len(set(index.search(query, 10)[0].tolist()) & set(brute_force(vectors, query, 10)[0])) for query in queries
    )
    assert found >= 0.7 * 10 * len(queries)


def test_small_sets_are_searched_exactly_and_a_type_set_by_hand_is_kept() -> None:
    assert choose_type(10) == choose_type(1000) == choose_type(10**6, "flat") == "flat"
    assert choose_type(10, "hnsw") == choose_type(10, "ivf-sq8") == "flat", "too few to train"
    assert choose_type(5000, "hnsw") == "hnsw" and choose_type(5000, "ivf-sq8") == "ivf-sq8"
    assert choose_type(10**6) != "flat"


def test_a_damaged_file_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "dense.faiss").write_bytes(b"no index")
    with pytest.raises(IndexDamagedError, match="gmedbot index build"):
        DenseIndex.load(tmp_path / "dense.faiss", "flat")
