"""A maintainer's judgement holds for the very texts that were judged, and is kept whole on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gmedbot.claims.reviews import Review, Reviews, load_reviews, save_review, text_hash
from gmedbot.errors import CorpusError
from gmedbot.types import Frame, Relation
from tests.support import make_claim

pytestmark = pytest.mark.core

A = make_claim("a:1", "It helps.", Frame())
B = make_claim("b:1", "It harms.", Frame())
FOUND = Relation("a:1", "b:1", "agree", None, "the same words", 0.9)


def review(label: str = "conflict", **facts: str) -> Review:
    return Review("a:1", "b:1", text_hash(A.text), text_hash(B.text), label, **facts)


def test_a_review_replaces_label_reason_and_confidence() -> None:
    made = Reviews([review(note="one helps, one harms", type="recommendation")]).apply(FOUND, A, B)
    assert (made.label, made.type, made.reason) == ("conflict", "recommendation", "one helps, one harms")
    assert (made.confidence, made.judged_by) == (1.0, "review")


def test_a_conflict_always_has_a_type_and_nothing_else_has_one() -> None:
    assert Reviews([review()]).apply(FOUND, A, B).type == "value"
    assert Reviews([review("different", type="value")]).apply(FOUND, A, B).type is None


def test_a_review_of_another_text_is_not_applied_and_is_stale() -> None:
    reviews = Reviews([review()])
    edited = make_claim("b:1", "It heals.", Frame())
    assert reviews.apply(FOUND, A, edited) == FOUND
    assert reviews.stale({"a:1": A, "b:1": edited}) == (review(),)
    assert reviews.stale({"a:1": A}) == (review(),)
    assert reviews.stale({"a:1": A, "b:1": B}) == ()


def test_a_pair_is_found_from_both_sides() -> None:
    reviews = Reviews([review()])
    assert reviews.find("a:1", "b:1") == reviews.find("b:1", "a:1") == review()
    assert reviews.find("a:1", "c:1") is None


def test_a_saved_review_comes_back_and_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    save_review(path, review("agree", note="first – “quoted”: yes"))
    other = Review("c:1", "d:1", "x", "y", "different")
    save_review(path, other)
    save_review(path, review("conflict", type="value"))
    reviews = load_reviews(path)
    assert len(reviews) == 2
    assert reviews.find("a:1", "b:1") == review("conflict", type="value")
    assert reviews.find("c:1", "d:1") == other
    assert [entry.name for entry in tmp_path.iterdir()] == ["reviews.yaml"]


def test_a_pair_written_the_wrong_way_round_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text(yaml.safe_dump([{"a": "b:1", "b": "a:1", "hash_a": "2", "hash_b": "1", "label": "agree"}]), "utf-8")
    assert load_reviews(path).find("a:1", "b:1") == Review("a:1", "b:1", "1", "2", "agree")


def test_no_file_is_no_reviews_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    assert len(load_reviews(tmp_path / "none.yaml")) == 0
    for text in ("a: [1", "- 1", "- {a: x, b: y, hash_a: '1', hash_b: '2', label: maybe}", "- {a: x}"):
        path = tmp_path / "reviews.yaml"
        path.write_text(text, "utf-8")
        with pytest.raises(CorpusError, match=r"reviews\.yaml"):
            load_reviews(path)
