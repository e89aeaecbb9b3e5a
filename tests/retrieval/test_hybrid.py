"""Fusion as it can be worked out by hand, and a search that equals brute force."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmedbot.encoder import EncoderCard
from gmedbot.index.dense import DenseIndex
from gmedbot.index.lexical import LexicalIndex
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.hybrid import HybridRetriever, dense_share, fuse, reciprocal_rank_fusion

pytestmark = pytest.mark.core

Vector = NDArray[np.float32]
TEXTS = (
    "superior gluteal nerve",
    "gluteal nerve roots",
    "iliac crest",
    "clamshell exercise",
    "hip abduction exercise",
    "nerve",
)


class LetterEncoder:
    """Counts letters: near spellings are near vectors."""

    card = EncoderCard("letters", "", "0", 26, 1000, "test")

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vector:
        rows = np.array([[text.count(chr(97 + n)) for n in range(26)] for text in texts], dtype=np.float32) + 0.01
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def count_tokens(self, text: str) -> int:
        return len(text)


ENCODER = LetterEncoder()
VECTORS = ENCODER.encode(TEXTS)


def retriever(weight: float = 0.65, candidates: int = 50) -> HybridRetriever:
    return HybridRetriever(DenseIndex.build(VECTORS), LexicalIndex.build(TEXTS), ENCODER, weight, candidates)


def array(*values: float) -> Vector:
    return np.array(values, dtype=np.float32)


def test_scores_are_scaled_to_the_candidates_and_weighed() -> None:
    fused = fuse(array(0.2, 0.6, 0.4), array(4, 0, 2), 0.75)
    assert fused == pytest.approx([0.75 * 0 + 0.25 * 1, 0.75 * 1 + 0, 0.75 * 0.5 + 0.25 * 0.5])


def test_equal_cosines_and_absent_words_do_no_harm() -> None:
    assert fuse(array(0.5, 0.5), array(0, 0), 0.65) == pytest.approx([0.65, 0.65])
    assert fuse(array(0.5, 0.5), array(1, 2), 0.0) == pytest.approx([0.5, 1.0])
    assert fuse(array(), array(), 0.65).shape == (0,)
    assert fuse(array(-0.3, -0.1), array(0, 0), 1.0) == pytest.approx([0.0, 1.0])


FLOATS = st.floats(-1, 1, width=32)


@given(st.lists(st.tuples(FLOATS, st.floats(0, 50, width=32)), min_size=1, max_size=20), st.floats(0, 1))
def test_fused_scores_lie_between_zero_and_one_and_keep_the_order_of_both(
    pairs: list[tuple[float, float]], weight: float
) -> None:
    dense, words = array(*(d for d, _ in pairs)), array(*(w for _, w in pairs))
    fused = fuse(dense, words, weight)
    assert fused.min() >= -1e-5 and fused.max() <= 1 + 1e-5
    for i, (d, w) in enumerate(pairs):
        for j, (e, v) in enumerate(pairs):
            if d >= e and w >= v:
                assert fused[i] >= fused[j] - 1e-5


def test_words_weigh_in_full_where_they_match_in_full_and_not_at_all_where_they_do_not() -> None:
    assert dense_share(0.65, best=4.0, full=4.0) == pytest.approx(0.65)
    assert dense_share(0.65, best=9.0, full=4.0) == pytest.approx(0.65)
    assert dense_share(0.65, best=0.0, full=4.0) == pytest.approx(1.0)
    # half of the question: 0.35 / 16 on the words against 0.65
    assert dense_share(0.65, best=2.0, full=4.0) == pytest.approx(0.65 / (0.65 + 0.35 / 16))
    assert dense_share(0.65, best=0.0, full=0.0) == pytest.approx(0.65)  # nothing but stop words was asked
    assert dense_share(0.0, best=0.0, full=4.0) == pytest.approx(0.0)  # set to words alone


@given(st.floats(0, 1), st.floats(0, 50), st.floats(0, 50), st.floats(0.1, 50))
def test_the_more_of_a_question_is_matched_the_more_the_words_weigh(
    weight: float, one: float, other: float, full: float
) -> None:
    low, high = sorted((one, other))
    assert weight - 1e-9 <= dense_share(weight, high, full) <= dense_share(weight, low, full) + 1e-9 <= 1 + 2e-9


def test_one_common_word_does_not_outweigh_the_vectors() -> None:
    """The best match by words is scaled to 1 whatever it matched; a word in ten of a question must not decide it."""
    search = retriever()
    question = "nerve of unknown words nobody wrote anywhere before today"
    hits = search.search(question, 6)
    cosines = VECTORS @ ENCODER.encode([question])[0]
    assert hits.rows[0] == int(np.argmax(cosines))


def test_reciprocal_rank_fusion_as_worked_out_by_hand() -> None:
    scores = reciprocal_rank_fusion([np.array([2, 0]), np.array([0, 1])], 4)
    assert scores == pytest.approx([1 / 62 + 1 / 61, 1 / 62, 1 / 61, 0])
    assert reciprocal_rank_fusion([np.array([1])], 2, k=9) == pytest.approx([0, 1 / 10])


@pytest.mark.parametrize("weight", [0.0, 0.4, 0.65, 1.0])
@pytest.mark.parametrize("query", ["gluteal nerve", "exercise", "clam", "zzz"])
def test_a_search_over_all_candidates_equals_brute_force(query: str, weight: float) -> None:
    hits = retriever(weight).search(query, 6)
    cosines = VECTORS @ ENCODER.encode([query])[0]
    words = LexicalIndex.build(TEXTS).scores(query)
    share = dense_share(weight, float(words.max()), LexicalIndex.build(TEXTS).full_match(query))
    wanted = fuse(cosines, words, share)
    order = sorted(range(len(TEXTS)), key=lambda row: (-wanted[row], row))
    assert hits.scores == pytest.approx([float(wanted[row]) for row in order], abs=1e-5)
    assert hits.dense == pytest.approx(cosines[hits.rows], abs=1e-5)
    assert hits.words == pytest.approx(words[hits.rows], abs=1e-5)
    assert sorted(hits.rows.tolist()) == list(range(len(TEXTS)))


def test_a_candidate_of_words_only_gets_its_true_cosine() -> None:
    hits = retriever(candidates=1).search("crest", 1)
    assert hits.rows.tolist()
    cosines = VECTORS @ ENCODER.encode(["crest"])[0]
    assert hits.dense == pytest.approx(cosines[hits.rows], abs=1e-5)


def test_points_of_the_caller_are_added_after_fusion() -> None:
    def prefer_the_last(rows: NDArray[np.int64]) -> Vector:
        return np.where(rows == 5, 10.0, 0.0).astype(np.float32)

    assert retriever().search("clamshell", 6, adjust=prefer_the_last).rows[0] == 5


def test_a_given_vector_is_used_as_the_query() -> None:
    hits = retriever(weight=1.0).search("nothing of it", 1, query_vector=VECTORS[3])
    assert hits.rows.tolist() == [3]


@pytest.mark.integration
def test_the_retriever_of_a_built_index_equals_brute_force(built: BuiltIndex) -> None:
    search = HybridRetriever(built.dense, built.words, built.encoder, 0.65, 50)
    for query in ("Which nerve supplies the gluteus medius?", "clamshell %MVIC", "pain at night"):
        vector = built.encoder.encode([query])[0]
        stored = built.dense.vectors(np.arange(len(built.passages)))
        words = built.words.scores(query)
        wanted = fuse(stored @ vector, words, dense_share(0.65, float(words.max()), built.words.full_match(query)))
        hits = search.search(query, len(built.passages))
        assert hits.scores == pytest.approx(np.sort(wanted)[::-1], abs=1e-5)
        assert hits.scores == pytest.approx(wanted[hits.rows], abs=1e-5)
