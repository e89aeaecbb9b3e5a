"""Measures against values worked out by hand, and against slow and plain ways to compute the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.evaluation.measures import (
    auroc,
    b_cubed,
    bootstrap_mean,
    bootstrap_pooled,
    connected,
    grade_level,
    macro_f1,
    mean_of,
    paired_pooled,
    paired_test,
    precision_recall_f1,
)

pytestmark = pytest.mark.core


def test_what_does_not_apply_leaves_the_mean_and_an_absent_answer_stays_in_it() -> None:
    assert mean_of([1.0, None, 0.0]) == 0.5
    assert mean_of([None, None]) is None
    assert bootstrap_mean([None], ["a"]).value is None


def test_bootstrap_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    values = [float(n % 3 == 0) for n in range(60)]
    topics = [n // 2 for n in range(60)]
    first, second = bootstrap_mean(values, topics), bootstrap_mean(values, topics)
    assert first == second
    assert first.low is not None and first.high is not None and first.value is not None
    assert first.low < first.value < first.high
    assert first.n == 60


def test_bootstrap_by_topic_is_wider_than_by_question_where_topics_stand_or_fall_together() -> None:
    values = [float(topic % 2) for topic in range(20) for _ in range(10)]
    by_topic = bootstrap_mean(values, [topic for topic in range(20) for _ in range(10)])
    by_question = bootstrap_mean(values, range(200))
    assert by_topic.high is not None and by_topic.low is not None
    assert by_question.high is not None and by_question.low is not None
    assert by_topic.high - by_topic.low > 2 * (by_question.high - by_question.low)


def test_pooled_bootstrap_gives_the_measure_of_all_rows_as_its_value() -> None:
    rows = np.array([[1.0], [0.0], [1.0], [1.0]])
    found = bootstrap_pooled(rows, ["a", "b", "c", "d"], lambda part: {"share": float(part.mean())})
    assert found["share"].value == 0.75
    assert found["share"].low is not None and found["share"].low < 0.75


def test_paired_test_sees_a_difference_that_every_topic_shows_and_not_one_that_cancels_out() -> None:
    better = paired_test([0.0] * 30, [1.0] * 30, range(30))
    assert better is not None and better.difference == 1.0 and better.low == 1.0 and better.p < 0.01
    mixed = paired_test([0.0, 1.0] * 15, [1.0, 0.0] * 15, range(30))
    assert mixed is not None and mixed.difference == 0.0 and mixed.p > 0.9 and mixed.low < 0 < mixed.high
    assert paired_test([None], [1.0], ["a"]) is None


def test_paired_pooled_compares_the_same_items() -> None:
    a, b = np.zeros((20, 1)), np.ones((20, 1))
    found = paired_pooled(a, b, range(20), lambda part: {"mean": float(part.mean()), "none": None})
    x, y, paired = found["mean"]
    assert (x, y, paired.difference) == (0.0, 1.0, 1.0)
    assert paired.p < 0.01
    assert "none" not in found


def test_precision_recall_and_f1_of_a_class_worked_out_by_hand() -> None:
    gold = np.array([True, True, True, False, False])
    found = np.array([True, True, False, True, False])
    assert precision_recall_f1(gold, found) == (2 / 3, 2 / 3, 2 / 3)
    assert precision_recall_f1(gold, np.zeros(5, dtype=bool)) == (None, 0.0, 0.0)


def test_macro_f1_is_the_plain_mean_over_classes() -> None:
    gold, found = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    assert macro_f1(gold, found, 3) == pytest.approx((2 / 3 + 0.5 + 0.0) / 3)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_auroc_equals_counting_all_pairs(rows: list[tuple[bool, int]]) -> None:
    positives = [score for is_positive, score in rows if is_positive]
    negatives = [score for is_positive, score in rows if not is_positive]
    found = auroc(np.array([p for p, _ in rows]), np.array([float(s) for _, s in rows]))
    if not positives or not negatives:
        assert found is None
        return
    wins = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    assert found == pytest.approx(wins / (len(positives) * len(negatives)))


def test_b_cubed_of_the_textbook_example() -> None:
    # gold {1..5} {6,7} {8..12}; found {1..5} {6,7,8..12}: Bagga and Baldwin's first response, precision 16/21 over 12
    gold = {n: 0 if n <= 5 else 1 if n <= 7 else 2 for n in range(1, 13)}
    found = {n: 0 if n <= 5 else 1 for n in range(1, 13)}
    scores = b_cubed(gold, found)
    assert np.mean([p for p, _ in scores.values()]) == pytest.approx(16 / 21)
    assert np.mean([r for _, r in scores.values()]) == 1.0


def test_connected_follows_edges_and_leaves_others_alone() -> None:
    groups = connected("abcde", [("a", "b"), ("b", "c")])
    assert groups["a"] == groups["b"] == groups["c"]
    assert len({groups["a"], groups["d"], groups["e"]}) == 3


def test_grade_level_rises_with_longer_words_and_is_none_without_words() -> None:
    simple = grade_level("The cat sat on the mat.")
    hard = grade_level("Electromyographic investigations demonstrate considerable interindividual variability.")
    assert simple is not None and hard is not None
    assert simple == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)
    assert hard > 12 > simple
    assert grade_level("…") is None
