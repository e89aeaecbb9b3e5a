"""Agree, conflict or different: what a careful reader would say of two statements, in either order."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gmedbot.claims.extract import read_frame
from gmedbot.claims.pairs import PairJudge
from gmedbot.claims.relate import Judgement, compare_frames, judge
from gmedbot.types import Frame
from tests.support import PROJECT_CORPUS, project_vocabulary

TYPES = {"value", "polarity", "frequency", "anatomy", "recommendation", "outdated"}
NERVE = "The gluteus medius is supplied by the superior gluteal nerve"
SIDE = "Side-lying hip abduction activated the gluteus medius to"

AGREE = [
    (f"{NERVE} (L4–S1).", f"{NERVE} (L4, L5, S1)."),
    (f"{NERVE}.", "The superior gluteal nerve supplies the gluteus medius."),
    (f"{SIDE} 82 %MVIC.", f"{SIDE} 83 %MVIC."),
    ("The gluteus medius arises from the ilium.", "The gluteus medius originates from the ilium."),
    ("The gluteus medius abducts the hip.", "The gluteus medius is an abductor of the hip."),
]
CONFLICT = [
    (f"{NERVE} (L4–S1).", f"{NERVE} (L5–S1).", None),
    (f"{NERVE}.", "The gluteus medius is supplied by the inferior gluteal nerve.", None),
    (f"{SIDE} 81 %MVIC.", f"{SIDE} 39 %MVIC.", None),
    ("Corticosteroid injection is recommended for gluteal tendinopathy.",
     "Corticosteroid injection is not recommended for gluteal tendinopathy.", "recommendation"),
    ("The gluteus medius arises above the anterior gluteal line of the ilium.",
     "The gluteus medius arises above the middle gluteal line of the ilium.", "outdated"),
]  # fmt: skip
DIFFERENT = [
    (f"{NERVE}.", "The gluteus maximus is supplied by the inferior gluteal nerve."),
    ("The gluteus medius abducts the hip.", "The gluteus maximus extends the hip."),
    ("The anterior fibres of the gluteus medius rotate the hip medially.",
     "The posterior fibres of the gluteus medius rotate the hip laterally."),
    ("The clamshell with 30° of hip flexion activated the gluteus medius to 40 %MVIC.",
     "The clamshell with 60° of hip flexion activated the gluteus medius to 38 %MVIC."),
    ("The gluteus medius arises from the ilium.", "The gluteus medius inserts on the greater trochanter."),
    (f"{SIDE} 81 %MVIC.", "The clamshell activated the gluteus medius to 38 %MVIC."),
    ("The gluteus medius abducts the hip.", "Gluteal tendinopathy hurts at night."),
]  # fmt: skip


def labels(judge_pairs: PairJudge, a: str, b: str) -> Judgement:
    there, back = judge_pairs.compare_many([(a, b), (b, a)])
    assert there == back, "the order of the two must not matter"
    return there


@pytest.mark.integration
@pytest.mark.parametrize(("a", "b"), AGREE)
def test_the_same_thing_in_other_words_agrees(pair_judge: PairJudge, a: str, b: str) -> None:
    found = labels(pair_judge, a, b)
    assert (found.label, found.type) == ("agree", None), found


@pytest.mark.integration
@pytest.mark.parametrize(("a", "b", "kind"), CONFLICT)
def test_what_cannot_both_be_true_conflicts(pair_judge: PairJudge, a: str, b: str, kind: str | None) -> None:
    found = labels(pair_judge, a, b)
    assert found.label == "conflict", found
    assert found.type in TYPES and (kind is None or found.type == kind), found


@pytest.mark.integration
@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_statements_about_different_things_are_different(pair_judge: PairJudge, a: str, b: str) -> None:
    found = labels(pair_judge, a, b)
    assert (found.label, found.type) == ("different", None), found


@pytest.mark.integration
@pytest.mark.parametrize(
    ("verb", "part", "whole"),
    [
        ("arises from", "iliac crest", "ilium"),
        ("inserts on", "greater trochanter", "femur"),
        ("inserts on", "lateral facet of the greater trochanter", "greater trochanter"),
    ],
)
def test_a_part_does_not_contradict_its_whole(pair_judge: PairJudge, verb: str, part: str, whole: str) -> None:
    found = labels(pair_judge, f"The gluteus medius {verb} the {part}.", f"The gluteus medius {verb} the {whole}.")
    assert found.label != "conflict", found


@pytest.mark.integration
def test_a_copy_is_the_same_and_other_signs_make_no_copy(pair_judge: PairJudge) -> None:
    text = "The clamshell is done in 2–3 sets of 10–15 repetitions."
    assert (
        labels(pair_judge, text, " the clamshell  is done in 2–3 sets of 10–15 repetitions").reason == "the same words"
    )
    assert labels(pair_judge, text, text.replace("10–15", "10, 15")).reason != "the same words"


@pytest.mark.integration
def test_the_reason_names_what_differs(pair_judge: PairJudge) -> None:
    roots = labels(pair_judge, f"{NERVE} (L4–S1).", f"{NERVE} (L5–S1).")
    assert "L4–S1" in roots.reason and "L5–S1" in roots.reason
    numbers = labels(pair_judge, f"{SIDE} 81 %MVIC.", f"{SIDE} 39 %MVIC.")
    assert "81" in numbers.reason and "39" in numbers.reason


@pytest.mark.integration
def test_verdicts_come_in_the_order_of_the_pairs_and_are_the_same_alone(pair_judge: PairJudge) -> None:
    pairs = [*AGREE, *[(a, b) for a, b, _ in CONFLICT], *DIFFERENT]
    assert pair_judge.compare_many(pairs) == [pair_judge.compare_many([pair])[0] for pair in pairs]
    assert pair_judge.compare_many([]) == []


# --- properties over the whole corpus, without a model --------------------------------------------------------------


def _sentences() -> list[str]:
    """Some lines of prose of the project's digests."""
    found: list[str] = []
    for path in sorted(PROJECT_CORPUS.glob("*.md"))[::20]:
        body = path.read_text("utf-8").split("\n---\n", 1)[-1]
        found.extend(line.removeprefix("- ") for line in body.splitlines() if re.match(r"(?:- )?[A-Z]", line))
    return found[::3]


SENTENCES = _sentences()


@cache
def frame_of(text: str) -> Frame:
    return read_frame(text, (), project_vocabulary())


def relate(a: str, b: str, cosine: float) -> Judgement:
    return judge(compare_frames(frame_of(a), frame_of(b), a, b, project_vocabulary(), cosine))


@pytest.mark.core
@hypothesis_settings(max_examples=100)
@given(st.sampled_from(SENTENCES), st.sampled_from(SENTENCES), st.floats(-0.3, 1).map(lambda x: round(x, 4)))
def test_the_relation_is_the_same_from_both_sides(a: str, b: str, cosine: float) -> None:
    there, back = relate(a, b, cosine), relate(b, a, cosine)
    # the words of the reason follow the order of the two; callers put them in order first
    assert replace(there, reason="") == replace(back, reason="")
    assert 0 <= there.confidence <= 1
    assert there.reason
    assert (there.type in TYPES) == (there.label == "conflict")


@pytest.mark.core
@given(st.sampled_from(SENTENCES))
def test_a_statement_agrees_with_itself(text: str) -> None:
    found = relate(text, text, 1.0)
    assert found.label == "agree", (found, text)
