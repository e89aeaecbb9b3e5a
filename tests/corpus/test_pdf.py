"""PDFs as papers and leaflets are set: columns, headings, tables, names above the text."""

from __future__ import annotations

import random

import pytest

from gmedbot.corpus.pdf import read_pdf
from gmedbot.errors import AddRefusedError
from tests.corpus.pdf import Placed, make_placed_pdf

pytestmark = pytest.mark.core

LEFT = [
    Placed(50, 640, "Introduction", 11, "F2"),
    Placed(50, 624, "Weak hip abductors let the pelvis drop on the"),
    Placed(50, 612, "other side, and the trunk often leans over the"),
    Placed(50, 600, "leg that stands. How much strength is needed was"),
    Placed(50, 588, "asked here in twenty people without pain."),
    Placed(50, 564, "Methods", 11, "F2"),
    Placed(50, 548, "Strength was taken with a belt around the thigh,"),
    Placed(50, 536, "three times on each side, and the highest value of"),
    Placed(50, 524, "the three was kept, as is done in most labora-"),
]
RIGHT = [
    Placed(310, 640, "tories of this kind."),
    Placed(310, 612, "Results", 11, "F2"),
    Placed(310, 596, "Those who let the pelvis drop were weaker by a"),
    Placed(310, 584, "third, and none of them reached 30 Nm."),
    Placed(310, 560, "Table 1. Strength of both groups, in newton metres.", 8),
    Placed(310, 548, "Group", 9, "F2"),
    Placed(400, 548, "Mean", 9, "F2"),
    Placed(470, 548, "SD", 9, "F2"),
    Placed(310, 537, "Level pelvis", 9),
    Placed(400, 537, "41", 9),
    Placed(470, 537, "6", 9),
    Placed(310, 526, "Dropped pelvis", 9),
    Placed(400, 526, "27", 9),
    Placed(470, 526, "5", 9),
]
HEAD = [
    Placed(50, 820, "Journal of Made-up Hips 2019; 4: 7", 8),
    Placed(50, 760, "Strength that keeps a pelvis level", 18, "F2"),
    Placed(50, 735, "Ann Example, Bo Muster and Cy Sample"),
    Placed(50, 720, "Hospital of Nowhere, write to ann@example.org"),
    Placed(50, 690, "Abstract", 11, "F2"),
    Placed(50, 674, "People who let the pelvis drop when they stand on one leg had a third less strength of the hip abductors than others."),
    Placed(300, 25, "7", 8),
]  # fmt: skip
SECOND = [
    Placed(50, 820, "Journal of Made-up Hips 2019; 4: 8", 8),
    Placed(50, 760, "Discussion", 11, "F2"),
    Placed(50, 744, "A third is much, and it can be felt by hand."),
    Placed(300, 25, "8", 8),
]
WANTED = """## Abstract

People who let the pelvis drop when they stand on one leg had a third less strength of the hip abductors than others.

## Introduction

Weak hip abductors let the pelvis drop on the other side, and the trunk often leans over the leg that stands. How much strength is needed was asked here in twenty people without pain.

## Methods

Strength was taken with a belt around the thigh, three times on each side, and the highest value of the three was kept, as is done in most laboratories of this kind.

## Results

Those who let the pelvis drop were weaker by a third, and none of them reached 30 Nm.

Table 1. Strength of both groups, in newton metres.

| Group | Mean | SD |
| --- | --- | --- |
| Level pelvis | 41 | 6 |
| Dropped pelvis | 27 | 5 |

## Discussion

A third is much, and it can be felt by hand.
"""


@pytest.mark.parametrize("order", ["down the columns", "across the columns", "anyhow"])
def test_a_paper_in_two_columns_is_read_down_them_in_whatever_order_the_file_holds_it(order: str) -> None:
    first = [*HEAD, *LEFT, *RIGHT]
    if order == "across the columns":
        first.sort(key=lambda line: (-line.y, line.x))
    elif order == "anyhow":
        random.Random(7).shuffle(first)
    reading = read_pdf(make_placed_pdf([first, SECOND]), "paper.pdf")
    assert reading.text == WANTED
    assert reading.facts.title == "Strength that keeps a pelvis level"
    assert reading.facts.year == 2019
    assert reading.dropped == {"names and addresses": 2}


def test_a_line_over_all_columns_parts_what_is_above_it_from_what_is_below() -> None:
    wide = "One sentence that goes over the whole width of the page and stands between two pairs of columns, as here."
    page = [
        Placed(50, 700, "First column above the line, and it ends here."),
        Placed(310, 700, "Second column above the line, and it ends here."),
        Placed(50, 660, wide),
        Placed(50, 620, "First column below the line, and it ends here."),
        Placed(310, 620, "Second column below the line, and it ends here."),
    ]
    read = read_pdf(make_placed_pdf([page]), "page.pdf").text
    assert [block[:12] for block in read.split("\n\n")] == [
        "First column", "Second colum", "One sentence", "First column", "Second colum",
    ]  # fmt: skip
    assert read.index("Second column above") < read.index(wide) < read.index("First column below")


def test_a_sheet_printed_by_a_browser_loses_address_and_hour_and_keeps_its_table() -> None:
    cells = [("Week", "Sets", "Repeats"), ("1-2", "2", "8"), ("3-6", "3", "10"), ("7-12", "3", "15")]
    table = [
        Placed(60 + 60 * column, 600 - 20 * row, text, 12, "F1" if row else "F2")
        for row, texts in enumerate(cells)
        for column, text in enumerate(texts)
    ]
    page = [
        Placed(24, 820, "11/23/26, 3:13 AM", 8),
        Placed(50, 760, "Hip sheet", 24, "F2"),
        Placed(50, 720, "Lift the upper leg sideways and lower it slowly, as often as the table below tells you for each week.", 12),
        *table,
        Placed(24, 20, "https://clinic.example/sheet", 8),
        Placed(560, 20, "1/1", 8),
    ]  # fmt: skip
    reading = read_pdf(make_placed_pdf([page]), "sheet.pdf")
    assert (
        "| Week | Sets | Repeats |\n| --- | --- | --- |\n| 1-2 | 2 | 8 |\n| 3-6 | 3 | 10 |\n| 7-12 | 3 | 15 |"
        in reading.text
    )
    assert "11/23" not in reading.text and "clinic.example" not in reading.text and "1/1" not in reading.text
    assert reading.facts.title == "Hip sheet"


def test_words_set_far_apart_to_fill_a_line_stay_in_their_sentence() -> None:
    page = [
        Placed(50, 700, "The pelvis stays level as long as the muscle"),
        Placed(50, 688, "of"),
        Placed(120, 688, "the"),
        Placed(185, 688, "standing leg"),
        Placed(50, 676, "holds it, which it does with every single step."),
        Placed(310, 700, "In the second column a sentence stands alone"),
        Placed(310, 688, "and goes over two lines, as this one shows here."),
    ]
    assert read_pdf(make_placed_pdf([page]), "page.pdf").text == (
        "The pelvis stays level as long as the muscle of the standing leg holds it, which it does with every single step.\n\n"
        "In the second column a sentence stands alone and goes over two lines, as this one shows here.\n"
    )


def test_a_bold_paragraph_is_no_heading() -> None:
    page = [
        Placed(50, 700, "Warning", 10, "F2"),
        Placed(50, 676, "Stop at once if the pain goes beyond five of ten and does", 10, "F2"),
        Placed(50, 664, "not settle by the next morning, and tell your therapist.", 10, "F2"),
        Placed(50, 640, "Otherwise go on as long as you like, with as many breaks as you need between the sets of the day."),
        Placed(50, 628, "Most people need twelve weeks or more until stairs are easy again, and some of them need far longer."),
    ]  # fmt: skip
    read = read_pdf(make_placed_pdf([page]), "page.pdf").text
    assert read.startswith("## Warning\n\nStop at once if the pain goes beyond five of ten and does not settle by")


def test_items_under_the_title_are_no_names() -> None:
    page = [
        Placed(50, 760, "Three things to try", 20, "F2"),
        Placed(50, 720, "Ann Example, physiotherapist"),
        Placed(50, 690, "- Lift the leg sideways"),
        Placed(50, 676, "- Stand on one leg"),
        Placed(50, 640, "Why", 11, "F2"),
        Placed(50, 624, "Both load the gluteus medius, and both can be done at home without any tools."),
    ]
    reading = read_pdf(make_placed_pdf([page]), "sheet.pdf")
    assert "- Lift the leg sideways" in reading.text and "- Stand on one leg" in reading.text
    assert "Ann Example" not in reading.text and reading.dropped == {"names and addresses": 1}


def test_letters_that_cannot_be_told_are_refused() -> None:
    page = [Placed(50, 700 - 14 * n, "\x81\x82\x83\x84 \x85\x86 \x87\x88\x89", 10, "F3") for n in range(20)]
    with pytest.raises(AddRefusedError, match="do not tell which letters"):
        read_pdf(make_placed_pdf([page]), "mute.pdf")
