"""What lets an index grow: rows read from disk one by one, words by MaxScore, compressed vectors, builds in blocks."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.errors import IndexDamagedError
from gmedbot.index.dense import DenseIndex, choose_type, exact_nearest
from gmedbot.index.lexical import LexicalIndex, tokenize
from gmedbot.index.rows import IdMap, RowFile, write_rows
from gmedbot.index.streaming import StreamingBuild, open_streamed

pytestmark = pytest.mark.core

_WORDS = [
    "hip",
    "nerve",
    "gluteal",
    "tendon",
    "muscle",
    "pain",
    "lateral",
    "pelvis",
    "trochanter",
    "abduction",
    "exercise",
    "load",
    "weak",
    "gait",
    "bursa",
]


def made_texts(n: int) -> list[str]:
    rng = random.Random(7)
    weights = [1 / (place + 1) for place in range(len(_WORDS))]
    return [" ".join(rng.choices(_WORDS, weights, k=rng.randint(2, 12))) for _ in range(n)]


def made_vectors(n: int, dim: int = 32) -> NDArray[np.float32]:
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((40, dim))
    vectors = centres[rng.integers(40, size=n)] + 0.6 * rng.standard_normal((n, dim))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


# --- rows -------------------------------------------------------------------------------------------------------


def test_rows_are_read_by_number_slice_and_id(tmp_path: Path) -> None:
    path = tmp_path / "things.jsonl"
    assert write_rows(path, ({"id": f"t{n}", "text": "é" * n} for n in range(5)), lambda row: str(row["id"])) == 5
    rows: RowFile[str] = RowFile(path, lambda row: str(row["text"]))
    ids = IdMap(np.load(tmp_path / "things.ids.npy"))
    assert list(rows) == ["", "é", "éé", "ééé", "éééé"]
    assert rows[-1] == "éééé"
    assert rows[1:3] == ("é", "éé")
    assert rows[ids["t3"]] == "ééé"
    assert "t9" not in ids
    with pytest.raises(IndexError):
        rows[5]


def test_an_id_is_found_by_bisection_in_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmedbot.index.rows._DICT_LIMIT", 2)
    ids = IdMap(np.array([b"m", b"a", b"z", b"k"]))
    assert [ids[name] for name in "mazk"] == [0, 1, 2, 3]
    with pytest.raises(KeyError):
        ids["b"]


def test_a_cut_file_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "things.jsonl"
    write_rows(path, [{"id": "a"}, {"id": "b"}])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(IndexDamagedError, match=r"things\.jsonl"):
        RowFile(path, dict)


# --- words ------------------------------------------------------------------------------------------------------


def test_stored_scores_are_those_of_bm25s() -> None:
    bm25s = pytest.importorskip("bm25s")
    texts = made_texts(200)
    reference = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    reference.index([tokenize(text) for text in texts], show_progress=False)
    for query in ("hip pain", "trochanter bursa load", "gait"):
        wanted = reference.get_scores(tokenize(query))
        np.testing.assert_allclose(LexicalIndex.build(texts).scores(query), wanted, atol=1e-5)


@pytest.mark.parametrize("k", [1, 5, 40])
def test_searching_by_max_score_gives_what_scoring_every_row_gives(k: int) -> None:
    index = LexicalIndex.build(made_texts(3000))
    for pair in itertools.combinations(_WORDS, 3):
        query = " ".join(pair)
        scores = index.scores(query)
        rows, found = index.search(query, k)
        np.testing.assert_allclose(found, np.sort(scores)[::-1][:k], rtol=1e-5)
        np.testing.assert_allclose(found, scores[rows], rtol=1e-5)
        assert all(a > b or (a == b and x < y) for (a, x), (b, y) in itertools.pairwise(zip(found, rows, strict=True)))


# --- vectors ----------------------------------------------------------------------------------------------------


def test_a_small_index_is_exact_and_a_large_one_is_not() -> None:
    assert choose_type(500, "ivf-pq") == "flat"
    assert choose_type(10_000) == "flat"
    assert choose_type(1_000_000) == "ivf-pq"


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf-sq8", "ivf-pq"])
def test_a_saved_index_finds_the_exact_neighbours_with_true_cosines(kind: str, tmp_path: Path) -> None:
    vectors = made_vectors(4000)
    DenseIndex.build(vectors, kind).save(tmp_path / "dense.faiss")
    index = DenseIndex.load(tmp_path / "dense.faiss", kind)  # type: ignore[arg-type]
    queries = made_vectors(4000)[:40] + 0.02
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    exact = exact_nearest(vectors, queries, 10)
    hits = []
    for query, wanted in zip(queries, exact, strict=True):
        rows, scores = index.search(query, 10)
        hits.append(len(set(rows.tolist()) & set(wanted.tolist())) / 10)
        np.testing.assert_allclose(scores, vectors[rows] @ query, atol=0.02 if kind == "ivf-sq8" else 1e-5)
    assert np.mean(hits) >= (1.0 if kind == "flat" else 0.95)


def test_a_flat_file_is_the_one_that_faiss_reads(tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    vectors = made_vectors(300)
    DenseIndex.build(vectors).save(tmp_path / "dense.faiss")
    theirs = faiss.read_index(str(tmp_path / "dense.faiss"))
    ours = DenseIndex.load(tmp_path / "dense.faiss", "flat")
    scores, rows = theirs.search(vectors[:20], 5)
    for place in range(20):
        found, values = ours.search(vectors[place], 5)
        assert found.tolist() == rows[place].tolist()
        np.testing.assert_allclose(values, scores[place], atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"IxFI", b"IxF2" + bytes(60)])
def test_a_damaged_flat_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "dense.faiss").write_bytes(content)
    with pytest.raises(IndexDamagedError):
        DenseIndex.load(tmp_path / "dense.faiss", "flat")


@pytest.mark.parametrize("kind", ["ivf-sq8", "ivf-pq"])
def test_two_builds_of_a_compressed_index_are_the_same_bytes(kind: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        DenseIndex.build(made_vectors(3000), kind).save(tmp_path / name / "dense.faiss")
    assert (tmp_path / "a" / "dense.faiss").read_bytes() == (tmp_path / "b" / "dense.faiss").read_bytes()


# --- builds in blocks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["flat", "ivf-pq"])
def test_a_build_in_blocks_answers_like_one_in_memory(kind: str, tmp_path: Path) -> None:
    texts, vectors = made_texts(2500), made_vectors(2500)
    with StreamingBuild(tmp_path, len(texts), vectors.shape[1], kind) as build:
        for start in range(0, len(texts), 700):
            part = texts[start : start + 700]
            records = [{"id": f"p{start + place}", "text": text} for place, text in enumerate(part)]
            build.add(records, part, vectors[start : start + 700])
        assert build.finish() == kind
    passages, dense, words = open_streamed(tmp_path)
    assert passages[1999] == {"id": "p1999", "text": texts[1999]}
    whole = DenseIndex.build(vectors, kind)
    for query in vectors[::500]:
        assert dense.search(query, 5)[0].tolist() == whole.search(query, 5)[0].tolist()
    assert words.search("bursa gait", 5)[0].tolist() == LexicalIndex.build(texts).search("bursa gait", 5)[0].tolist()
    assert not list(tmp_path.glob("*.parts"))


def test_a_build_that_is_not_complete_is_refused(tmp_path: Path) -> None:
    with StreamingBuild(tmp_path, 3, 4) as build:
        build.add([{"id": "a"}], ["hip"], np.eye(4, dtype=np.float32)[:1])
        with pytest.raises(ValueError, match="1 passages were added, 3"):
            build.finish()
