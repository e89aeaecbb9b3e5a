"""BM25 as it can be worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.errors import IndexDamagedError
from gmedbot.index.lexical import LexicalIndex, tokenize

pytestmark = pytest.mark.core

#: Three texts of 4, 2 and 3 words; the mean length is 3.
TEXTS = ("nerve nerve muscle hip", "muscle bone", "hip bone tendon")


def bm25(tf: int, df: int, length: int, n: int = 3, mean: float = 3.0, k1: float = 1.5, b: float = 0.75) -> float:
    """Lucene's BM25 of one word in one text (Robertson and Zaragoza 2009, without the constant factor k1 + 1)."""
    return math.log(1 + (n - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * length / mean))


def test_scores_are_those_worked_out_by_hand() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.scores("nerve") == pytest.approx([bm25(2, 1, 4), 0, 0], rel=1e-5)
    assert index.scores("hip") == pytest.approx([bm25(1, 2, 4), 0, bm25(1, 2, 3)], rel=1e-5)
    both = [bm25(2, 1, 4) + bm25(1, 2, 4), bm25(1, 2, 2), 0]
    assert index.scores("nerve muscle") == pytest.approx(both, rel=1e-5)


def test_a_full_match_is_a_text_of_mean_length_with_each_word_once() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.full_match("muscle hip") == pytest.approx(2 * bm25(1, 2, 3), rel=1e-5)
    assert index.full_match("the hip, the hip") == pytest.approx(bm25(1, 2, 3), rel=1e-5)
    # a word that nobody wrote is the rarest of all
    assert index.full_match("kneecap") == pytest.approx(bm25(1, 0, 3), rel=1e-5)
    assert index.full_match("of the") == 0


def test_a_word_asked_twice_counts_once_and_an_unknown_word_not_at_all() -> None:
    index = LexicalIndex.build(TEXTS)
    assert np.array_equal(index.scores("nerve nerve the kneecap"), index.scores("nerve"))
    assert not index.scores("kneecap").any()


def test_the_best_come_first_and_ties_by_row() -> None:
    index = LexicalIndex.build(["bone", "hip", "hip", "hip hip"])
    rows, scores = index.search("hip", 10)
    assert rows.tolist() == [3, 1, 2]
    assert scores[1] == scores[2] < scores[0]
    assert index.search("hip", 2)[0].tolist()[0] == 3
    assert index.search("nothing", 5)[0].tolist() == []


@given(
    texts=st.lists(st.text(alphabet="abcde ", min_size=1, max_size=12), min_size=1, max_size=60),
    query=st.text(alphabet="abcdef ", max_size=9),
    k=st.integers(1, 12),
)
def test_leaving_out_what_cannot_win_changes_nothing(texts: list[str], query: str, k: int) -> None:
    spaced = [" ".join(f"w{letter}" for letter in text if letter != " ") for text in texts]
    index = LexicalIndex.build(spaced)
    asked = " ".join(f"w{letter}" for letter in query if letter != " ")
    rows, scores = index.search(asked, k)
    everything = index.scores(asked)
    best = sorted(np.flatnonzero(everything > 0).tolist(), key=lambda row: (-everything[row], row))[:k]
    assert rows.tolist() == best
    assert scores.tolist() == everything[best].tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gmedbot.index.lexical._SMALL", 0)
        pruned, pruned_scores = index.search(asked, k)
    assert pruned.tolist() == best
    assert pruned_scores.tolist() == scores.tolist()


def test_a_large_index_looks_common_words_up_by_row_with_the_same_scores() -> None:
    texts = [" ".join(f"w{n}" for n in range(1, 13) if row % n == 0) for row in range(1, 400)]
    index = LexicalIndex.build(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gmedbot.index.lexical._LARGE", 0)
        for query in ("w1 w2", "w12 w1", "w7 w5 w2 w1 w11"):
            assert index.scores_of(query, np.arange(399)).tolist() == index.scores(query).tolist()


@pytest.mark.parametrize("many", [30, 10_000])
def test_in_a_large_index_rare_words_bring_the_candidates_and_common_ones_decide(many: int) -> None:
    texts = ["common other" for _ in range(400)]
    for row in range(0, 400, 11):  # 37 rows, fewer than a tenth
        texts[row] = " ".join(["rare", *["common"] * (1 + row % 5), *["filler"] * (row % 3)])
    index = LexicalIndex.build(texts)
    everything = index.scores("rare common")
    best = sorted(range(400), key=lambda row: (-everything[row], row))[:5]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("_SMALL", 0), ("_LARGE", 0), ("_MANY", many)):
            patch.setattr(f"gmedbot.index.lexical.{name}", value)
        rows, scores = index.search("rare common", 5)
    assert rows.tolist() == best
    assert scores.tolist() == everything[best].tolist()


def test_words_are_stemmed_and_stop_words_left_out() -> None:
    assert tokenize("The muscles of the Hip") == tokenize("muscle hip")
    assert tokenize("L4–S1") == ["l4", "s1"]
    assert tokenize("4.5 mm, Ward's")[0] == "4.5"
    assert tokenize("of the and") == []


def test_a_saved_index_gives_the_same_scores(tmp_path: Path) -> None:
    index = LexicalIndex.build(TEXTS)
    index.save(tmp_path / "words")
    again = LexicalIndex.load(tmp_path / "words")
    assert again.size == 3
    for query in ("nerve", "hip bone", "unknown", ""):
        assert np.array_equal(again.scores(query), index.scores(query))


def test_equal_texts_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        LexicalIndex.build(iter(TEXTS)).save(tmp_path / name)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("texts", [[], [""], ["", "of the"]])
def test_texts_without_words_can_be_indexed_and_asked(texts: list[str], tmp_path: Path) -> None:
    index = LexicalIndex.build(texts)
    index.save(tmp_path)
    for made in (index, LexicalIndex.load(tmp_path)):
        assert made.scores("hip").tolist() == [0] * len(texts)
        assert made.search("hip", 3)[0].tolist() == []


def test_a_damaged_word_index_says_what_to_run(tmp_path: Path) -> None:
    LexicalIndex.build(TEXTS).save(tmp_path)
    (tmp_path / "scores.npy").write_bytes(b"x")
    with pytest.raises(IndexDamagedError, match="gmedbot index build"):
        LexicalIndex.load(tmp_path)
    (tmp_path / "words.json").unlink()
    with pytest.raises(IndexDamagedError):
        LexicalIndex.load(tmp_path)


def test_the_share_of_known_words_is_a_share() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.known_share("hip kneecap") == 0.5
    assert index.known_share("of the") == 1.0


@given(
    st.lists(
        st.lists(st.sampled_from(("hip", "bone", "nerve", "tendon")), max_size=5).map(" ".join), min_size=1, max_size=8
    )
)
def test_a_text_scores_above_zero_exactly_if_it_holds_a_word(texts: list[str]) -> None:
    scores = LexicalIndex.build(texts).scores("hip nerve")
    assert [score > 0 for score in scores] == [bool({"hip", "nerve"} & set(text.split())) for text in texts]
