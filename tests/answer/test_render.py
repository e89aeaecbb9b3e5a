"""The Markdown of an answer: warnings first, every line with its markers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.answer.render import EDUCATION_NOTICE, markers, render_answer
from gmedbot.types import Conflict, Safety, Side, Statement, Table

pytestmark = pytest.mark.core

LEAD = Statement("The superior gluteal nerve supplies it.", (1, 2), "agreed", "lead", 2)
POINT = Statement("Its roots are L4–S1.", (3,), "disputed")
CARD = Conflict(
    "nerve roots",
    "anatomy",
    "The root sets differ.",
    (Side("L4–S1.", (3,)), Side("L5–S1.", (4, 5))),
    1,
    "Newer sources.",
)


def test_every_statement_is_followed_by_its_markers() -> None:
    text = render_answer([LEAD, POINT], [])
    assert text.startswith(LEAD.text + " [1][2]")
    assert f"- {POINT.text} [3]" in text


def test_agreement_is_counted_in_independent_sources_only_where_there_is_agreement() -> None:
    assert "(2 independent sources agree)" in render_answer([LEAD], [])
    assert "agree" not in render_answer([POINT], [])


def test_steps_are_numbered_from_the_lead_on() -> None:
    steps = [Statement(f"Step {name}.", (n,), role="step") for n, name in enumerate("abc", 1)]
    lines = render_answer(steps, []).splitlines()
    assert [line[:2] for line in lines if re.match(r"\d\.", line)] == ["1.", "2.", "3."]


def test_a_red_flag_leads_and_the_notice_ends() -> None:
    safety = Safety("urgent", "See a doctor today.", "hot-joint")
    text = render_answer([LEAD], [CARD], "Yes.", safety, notice=EDUCATION_NOTICE)
    assert text.startswith("**See a doctor today.**")
    assert text.endswith(f"*{EDUCATION_NOTICE}*")
    assert f"**Yes.** {LEAD.text}" in text


def test_in_an_emergency_nothing_is_said_but_what_to_do() -> None:
    safety = Safety("emergency", "Call an ambulance.", "cauda-equina")
    text = render_answer([LEAD], [CARD], "Yes.", safety, notice=EDUCATION_NOTICE)
    assert text.startswith("**Call an ambulance.**\n\n")
    assert LEAD.text not in text and "disagree" not in text and "[" not in text


def test_a_disagreement_shows_every_side_and_marks_the_better_supported_one() -> None:
    lines = render_answer([LEAD], [CARD]).splitlines()
    sides = [line for line in lines if line.startswith("- L")]
    assert sides == ["- L4–S1. [3]", "- L5–S1. [4][5] **(better supported)**"]
    assert any(
        "Sources disagree" in line and "nerve roots" in line and "The root sets differ." in line for line in lines
    )
    assert any("Newer sources." in line for line in lines)


def test_an_undecided_disagreement_marks_no_side() -> None:
    card = Conflict("roots", "anatomy", "They differ.", CARD.sides, None, "Undecided.")
    assert "(better supported)" not in render_answer([LEAD], [card])


def test_a_table_has_as_many_cells_in_every_row_even_with_bars_in_the_text() -> None:
    table = Table(("a", "b"), ((("x | y", (1,)), ("", ())), (("z", (2,)), ("w", (1, 3)))))
    rows = [line for line in render_answer([LEAD], [], table=table).splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert "x \\| y [1]" in rows[2] and "w [1][3]" in rows[3]


def test_nothing_to_say_is_nothing() -> None:
    assert render_answer([], []) == ""
    assert markers(()) == ""


@given(
    st.lists(
        st.builds(
            Statement,
            st.from_regex(r"[A-Z][a-z ]{1,20}\.", fullmatch=True),
            st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True).map(
                lambda numbers: tuple(sorted(numbers))
            ),
            st.sampled_from(("single", "agreed", "disputed")),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(("fact", "list", "how-to", "number", "overview")),
)
def test_all_statements_appear_in_order_and_all_markers_are_theirs(statements: list[Statement], shape: str) -> None:
    text = render_answer(statements, [], shape)
    place = 0
    for statement in statements:
        place = text.index(f"{statement.text} {markers(statement.citations)}", place) + 1
    found = [int(number) for number in re.findall(r"\[(\d+)\]", text)]
    assert found == [number for statement in statements for number in statement.citations]


# --- several questions in one message -------------------------------------------------------------------------------

ASKED = Statement("It abducts the hip.", (1,), role="lead", asks="What does it do?")
ASKED_TOO = Statement("It is supplied by a nerve.", (2, 3), "agreed", "lead", 2, asks="Is it supplied?", verdict="Yes.")


def test_each_question_is_a_heading_above_its_own_statements() -> None:
    lines = render_answer([ASKED, POINT, ASKED_TOO, POINT], []).split("\n\n")
    assert lines == [
        "### What does it do?",
        "It abducts the hip. [1]",
        f"- {POINT.text} [3]",
        "### Is it supplied?",
        "**Yes.** It is supplied by a nerve. [2][3] (2 independent sources agree)",
        f"- {POINT.text} [3]",
    ]


def test_one_question_has_no_heading() -> None:
    assert "###" not in render_answer([LEAD, POINT], [])


def test_a_statement_brings_its_own_verdict_before_that_of_the_answer() -> None:
    correction = Statement("It abducts.", (1,), role="lead", verdict="First, a correction:")
    assert render_answer([correction], [], "No.") == "**First, a correction:** It abducts. [1]"
    assert render_answer([ASKED], [], "No.").endswith("**No.** It abducts the hip. [1]")


def test_a_correction_stands_above_the_first_heading() -> None:
    correction = Statement("It abducts.", (4,), role="lead", verdict="First, a correction:")
    blocks = render_answer([correction, ASKED, ASKED_TOO], []).split("\n\n")
    assert blocks[:2] == ["**First, a correction:** It abducts. [4]", "### What does it do?"]


def test_steps_of_a_second_question_are_numbered_and_points_of_the_first_are_not() -> None:
    how = Statement("Lie down.", (5,), role="step", asks="How is it done?")
    text = render_answer([ASKED, POINT, how, Statement("Lift the leg.", (6,), role="step")], [])
    assert f"- {POINT.text} [3]" in text
    assert "1. Lie down. [5]\n2. Lift the leg. [6]" in text


def test_points_after_a_how_to_are_not_numbered() -> None:
    how = Statement("Lie down.", (5,), role="step", asks="How is it done?")
    steps = [how, Statement("Lift the leg.", (6,), role="step")]
    text = render_answer([*steps, ASKED, POINT, Statement("More.", (7,))], [])
    assert "2. Lift the leg. [6]" in text
    assert text.endswith(f"### What does it do?\n\nIt abducts the hip. [1]\n\n- {POINT.text} [3]\n- More. [7]")


def test_a_point_among_steps_is_no_step() -> None:
    steps = [Statement("Lie down.", (1,), role="lead"), Statement("Lift.", (2,), role="step"), POINT, Statement("Rest.", (4,), role="step")]  # fmt: skip
    assert render_answer(steps, []).splitlines() == [
        "1. Lie down. [1]",
        "2. Lift. [2]",
        f"- {POINT.text} [3]",
        "3. Rest. [4]",
    ]


def test_steps_after_a_correction_are_numbered_from_one() -> None:
    correction = Statement("It abducts.", (1,), role="lead", verdict="First, a correction:")
    steps = [Statement("Lie down.", (2,), role="step"), Statement("Lift.", (3,), role="step")]
    assert render_answer([correction, *steps], []).splitlines() == [
        "**First, a correction:** It abducts. [1]",
        "",
        "1. Lie down. [2]",
        "2. Lift. [3]",
    ]


def test_everything_that_a_side_says_is_shown_with_its_own_markers() -> None:
    side = Side("L5–S1.", (4, 5), also=(("L5 and S1 only.", (6,)), ("Not L4.", (7, 8))))
    card = Conflict("roots", "anatomy", "They differ.", (CARD.sides[0], side), 1, "Newer sources.")
    lines = render_answer([LEAD], [card]).splitlines()
    assert "- L5–S1. [4][5] L5 and S1 only. [6] Not L4. [7][8] **(better supported)**" in lines
    assert side.all_citations == {4, 5, 6, 7, 8}


def test_what_belongs_to_all_questions_stands_around_them() -> None:
    safety = Safety("urgent", "See a doctor.", "fall")
    text = render_answer(
        [ASKED, ASKED_TOO], [CARD], "fact", safety=safety, preface="A word first.", notice="For learning."
    )
    order = [text.index(part) for part in
             ("See a doctor.", "A word first.", "### What", "### Is it", "Sources disagree", "For learning.")]  # fmt: skip
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('Stand <svg onload="alert(2)"><b>tall</b>.', 'Stand &lt;svg onload="alert(2)">&lt;b>tall&lt;/b>.'),
        ("Look [here](https://example.org/x) now.", "Look [here]\\(https://example.org/x) now."),
        ("A clam ![clam](data:image/png;base64,AA).", "A clam !\\[clam]\\(data:image/png;base64,AA)."),
        ("Strength fell (p<0.05, n < 10; [sic]).", "Strength fell (p<0.05, n < 10; [sic])."),
    ],
)
def test_markdown_and_html_of_a_document_are_shown_and_do_nothing(text: str, shown: str) -> None:
    side = replace(CARD.sides[0], text=text)
    card = replace(CARD, sides=(side, *CARD.sides[1:]))
    table = Table(("", "A"), (((text, (1,)), ("", ())),))
    answer = render_answer([replace(LEAD, text=text)], [card], table=table)
    assert answer.count(shown) == 3
    assert text == shown or text not in answer
