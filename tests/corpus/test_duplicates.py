"""Copies are found whole, edited and in part, and only copies are."""

from __future__ import annotations

import random

import pytest

from gmedbot.corpus.duplicates import find_overlaps, overlaps_of, propose_lineage
from gmedbot.types import Source
from tests.support import make_source

pytestmark = pytest.mark.core

WORDS = [
    f"{start}{end}"
    for start in ("hip", "leg", "band", "nerve", "step", "ilium", "tone", "gait", "fan", "rest")
    for end in ("", "s", "ing", "al", "ward", "less", "er", "ly", "ish", "ful")
]


def prose(seed: int, words: int = 400) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(WORDS) + ("." if place % 12 == 11 else "") for place in range(words))


def test_a_whole_copy_is_the_same_text_both_ways() -> None:
    (overlap,) = find_overlaps({"a": prose(1), "b": prose(1).upper(), "c": prose(2)})
    assert (overlap.a, overlap.b, overlap.share_a, overlap.share_b) == ("a", "b", 1.0, 1.0)
    assert overlap.is_same


def test_a_copied_stretch_is_found_with_the_share_of_each_side() -> None:
    stolen = " ".join(prose(1).split()[100:200])
    (overlap,) = find_overlaps({"long": prose(1), "thief": f"{prose(3, 100)} {stolen}"})
    assert overlap.share_a == pytest.approx(0.25, abs=0.02)
    assert overlap.share_b == pytest.approx(0.5, abs=0.02)
    assert overlap.longest == 100


def test_an_edited_copy_without_nine_equal_words_in_a_row_is_found() -> None:
    edited = " ".join(word if place % 8 else "changed" for place, word in enumerate(prose(1).split()))
    (overlap,) = find_overlaps({"a": prose(1), "b": edited})
    assert overlap.share_a == 0
    assert overlap.is_copy


def test_texts_of_their_own_share_nothing() -> None:
    assert find_overlaps({str(seed): prose(seed) for seed in range(30)}) == ()


def test_a_line_that_stands_everywhere_is_boilerplate() -> None:
    line = "this page is not medical advice and does not replace a visit to your own doctor"
    found = find_overlaps({str(seed): f"{prose(seed)} {line}" for seed in range(40)})
    assert len(found) < 40  # of 780 pairs: those in which a word beside the line is the same by chance
    assert not any(overlap.is_copy for overlap in found)


def test_one_text_against_many_gives_the_same_as_all_against_all() -> None:
    texts = {"a": prose(1), "b": prose(1, 380), "c": prose(2)}
    (overlap,) = overlaps_of("new", prose(1), {"a": texts["a"], "c": texts["c"]})
    assert overlap.is_same
    assert {(o.a, o.b) for o in find_overlaps(texts)} == {("a", "b")}


def test_the_copy_is_the_one_of_which_more_was_copied_else_the_younger() -> None:
    def sources(year_a: int, year_b: int, lineage: str | None = None) -> dict[str, Source]:
        return {"a": make_source("a", year=year_a, lineage=lineage), "b": make_source("b", year=year_b)}

    (part,) = find_overlaps({"a": prose(1, 150), "b": prose(1)})
    assert propose_lineage(part, sources(2000, 2010)) == ("a", "b")
    (whole,) = find_overlaps({"a": prose(1), "b": prose(1)})
    assert propose_lineage(whole, sources(2010, 2000)) == ("a", "b")
    assert propose_lineage(whole, sources(2000, 2010)) == ("b", "a")
    assert propose_lineage(whole, sources(2000, 2010, lineage="b")) is None


def test_twenty_thousand_words_take_no_longer_than_a_moment() -> None:
    texts = {str(seed): prose(seed, 200) for seed in range(300)}
    texts["copy"] = texts["7"]
    (overlap,) = find_overlaps(texts)
    assert (overlap.a, overlap.b) == ("7", "copy")


def test_copies_among_many_texts_are_found_from_a_share_of_their_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmedbot.corpus.duplicates._MANY", 10)
    texts = {f"t{n:02d}": prose(n) for n in range(40)}
    texts["whole"] = prose(3)
    texts["part"] = f"{prose(77, 150)} {' '.join(prose(5).split()[50:250])}"
    texts["edited"] = " ".join(word if place % 8 else "changed" for place, word in enumerate(prose(9).split()))
    found = {(overlap.a, overlap.b) for overlap in find_overlaps(texts, is_thorough=False)}
    assert found == {("t03", "whole"), ("part", "t05"), ("edited", "t09")}


def test_a_stock_phrase_is_left_out_unless_all_is_asked_for() -> None:
    phrase = " ".join(prose(50).split()[:10])
    texts = {"a": f"{prose(1)} {phrase}", "b": f"{prose(2)} {phrase}"}
    assert len(find_overlaps(texts)) == 1
    assert find_overlaps(texts, is_thorough=False) == ()


def test_every_step_of_the_search_is_told() -> None:
    told: list[tuple[int, int]] = []
    find_overlaps({"a": prose(1), "b": prose(1)}, lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == [1, 2, 3, 4, 5]
    assert told[-1] == (5, 5)
