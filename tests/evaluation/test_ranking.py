"""The field's measures, checked by hand and against a plain computation from the same rankings."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.evaluation.bench import strictly_falling
from gmedbot.evaluation.ranking import score_runs

pytestmark = pytest.mark.core


def test_a_small_ranking_worked_out_by_hand() -> None:
    qrels = {"q": {"a": 2, "b": 1, "c": 1}}
    run = {"q": [("x", 3.0), ("a", 2.0), ("b", 1.0)]}
    scores = score_runs(qrels, run)["q"]
    assert scores["R@1"] == 0
    assert scores["R@5"] == pytest.approx(2 / 3)
    assert scores["RR@10"] == 0.5
    assert scores["MAP"] == pytest.approx((1 / 2 + 2 / 3) / 3)
    ideal = 2 + 1 / math.log2(3) + 1 / math.log2(4)
    assert scores["nDCG@10"] == pytest.approx((2 / math.log2(3) + 1 / math.log2(4)) / ideal)
    assert scores["Success@1"] == 0 and scores["Success@5"] == 1


def test_capped_recall_reaches_one_where_more_are_relevant_than_fit() -> None:
    qrels = {"q": {f"p{n}": 1 for n in range(8)}}
    run = {"q": [(f"p{n}", 10.0 - n) for n in range(5)]}
    scores = score_runs(qrels, run)["q"]
    assert scores["R@5"] == pytest.approx(5 / 8)
    assert scores["R@5(capped)"] == pytest.approx(1.0)


def test_a_question_without_a_result_counts_zero_and_one_without_judgements_does_not_count() -> None:
    scores = score_runs({"lost": {"a": 1}, "unjudged": {}}, {"unjudged": [("a", 1.0)]})
    assert set(scores) == {"lost"}
    assert set(scores["lost"].values()) == {0.0}


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=30))
def test_rankings_are_written_with_strictly_falling_scores_in_the_same_order(values: list[float]) -> None:
    pairs = [(str(n), score) for n, score in enumerate(sorted(values, reverse=True))]
    out = strictly_falling(pairs)
    assert [name for name, _ in out] == [name for name, _ in pairs]
    written = [float(f"{score:.6f}") for _, score in out]
    assert all(x > y for x, y in itertools.pairwise(written))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=15), st.integers(0, 3))
def test_every_measure_equals_a_plain_computation(grades: list[int], unseen: int) -> None:
    run = {"q": [(f"d{n}", 100.0 - n) for n in range(len(grades))]}
    qrels = {"q": {f"d{n}": grade for n, grade in enumerate(grades) if grade} | {f"u{n}": 1 for n in range(unseen)}}
    if not qrels["q"]:
        assert score_runs(qrels, run) == {}
        return
    scores = score_runs(qrels, run)["q"]
    hits = [bool(grade) for grade in grades]
    relevant = len(qrels["q"])
    for k in (1, 5, 10):
        assert scores[f"R@{k}"] == pytest.approx(sum(hits[:k]) / relevant)
    first = next((n for n, hit in enumerate(hits[:10], start=1) if hit), None)
    assert scores["RR@10"] == pytest.approx(1 / first if first else 0.0)
    precisions = [sum(hits[:n]) / n for n, hit in enumerate(hits, start=1) if hit]
    assert scores["MAP"] == pytest.approx(sum(precisions) / relevant)
    gain = sum(grade / math.log2(n + 1) for n, grade in enumerate(grades[:10], start=1))
    best = sorted(qrels["q"].values(), reverse=True)[:10]
    assert scores["nDCG@10"] == pytest.approx(gain / sum(g / math.log2(n + 1) for n, g in enumerate(best, start=1)))
