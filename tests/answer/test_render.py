"""The Markdown of an answer: warnings first, every line with its markers."""

from __future__ import annotations

import re

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
    text = render_answer([LEAD, POINT], [], "fact")
    assert text.startswith(LEAD.text + " [1][2]")
    assert f"- {POINT.text} [3]" in text


def test_agreement_is_counted_in_independent_sources_only_where_there_is_agreement() -> None:
    assert "(2 independent sources agree)" in render_answer([LEAD], [], "fact")
    assert "agree" not in render_answer([POINT], [], "fact")


def test_steps_are_numbered_on_from_the_lead() -> None:
    steps = [Statement(f"Step {name}.", (n,), role="step") for n, name in enumerate("abc", 1)]
    lines = render_answer(steps, [], "how-to").splitlines()
    assert [line[:2] for line in lines if re.match(r"\d\.", line)] == ["2.", "3."]


def test_a_red_flag_leads_and_the_notice_ends() -> None:
    safety = Safety("emergency", "Call an ambulance.", "cauda-equina")
    text = render_answer([LEAD], [CARD], "yes-no", "Yes.", safety, notice=EDUCATION_NOTICE)
    assert text.startswith("**Call an ambulance.**")
    assert text.endswith(f"*{EDUCATION_NOTICE}*")
    assert f"**Yes.** {LEAD.text}" in text


def test_a_disagreement_shows_every_side_and_marks_the_better_supported_one() -> None:
    lines = render_answer([LEAD], [CARD], "fact").splitlines()
    sides = [line for line in lines if line.startswith("- L")]
    assert sides == ["- L4–S1. [3]", "- L5–S1. [4][5] **(better supported)**"]
    assert any(
        "Sources disagree" in line and "nerve roots" in line and "The root sets differ." in line for line in lines
    )
    assert any("Newer sources." in line for line in lines)


def test_an_undecided_disagreement_marks_no_side() -> None:
    card = Conflict("roots", "anatomy", "They differ.", CARD.sides, None, "Undecided.")
    assert "(better supported)" not in render_answer([LEAD], [card], "fact")


def test_a_table_has_as_many_cells_in_every_row_even_with_bars_in_the_text() -> None:
    table = Table(("a", "b"), ((("x | y", (1,)), ("", ())), (("z", (2,)), ("w", (1, 3)))))
    rows = [line for line in render_answer([LEAD], [], "comparison", table=table).splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert "x \\| y [1]" in rows[2] and "w [1][3]" in rows[3]


def test_nothing_to_say_is_nothing() -> None:
    assert render_answer([], [], "fact") == ""
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
