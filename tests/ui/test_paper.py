"""An answer on paper, and cards and tables on narrow screens: nothing cut, nothing that can only be pressed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import NewVisit, Server, Visit
from tests.ui.fake import FakeBot

pytestmark = pytest.mark.browser

NERVE = "Which nerve supplies the gluteus medius?"


@contextlib.contextmanager
def printing(page: Page) -> Iterator[None]:
    """As the browser does it when a person prints, with the keys or by the menu of an answer."""
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    try:
        yield
    finally:
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")


def test_paper_has_quotes_and_addresses_and_nothing_to_press(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    answer = FakeBot().ask(NERVE)
    with printing(page):
        for gone in (
            "header.gm-top",
            "#gm-side",
            "#gm-panel",
            "#gm-form",
            "#gm-turns .gm-actions",
            "#gm-turns .gm-nexts",
        ):
            expect(page.locator(gone)).to_be_hidden()
        printed = page.locator("#gm-turns .gm-printsources li[value]")
        expect(printed).to_have_count(len(answer.citations))
        expect(page.locator("#gm-turns .gm-printindex")).to_have_text(f"Index {answer.index}")
        for row, citation in zip(printed.all(), answer.citations, strict=True):
            expect(row).to_be_visible()
            expect(row).to_have_attribute("value", str(citation.n))
            expect(row).to_contain_text(citation.quote)
            expect(row).to_contain_text(f"{citation.source_id}, characters {citation.start}–{citation.end}")
            expect(row).to_contain_text(citation.title)
            if citation.url:
                expect(row).to_contain_text(citation.url)
        expect(page.locator("#gm-turns .gm-words dd")).to_be_visible()
    expect(page.locator("#gm-turns .gm-words dd")).to_be_hidden()
    expect(page.locator("#gm-turns .gm-printsources")).to_be_hidden()


def test_paper_shows_every_line_of_a_long_conversation(chat: Visit) -> None:
    page = chat.page
    for question in (NERVE, "Which exercise activates it?", "compare the clam"):
        chat.ask(question)
    with printing(page):
        cut = page.evaluate(
            """() => { const out = []; for (let n = document.querySelector("#gm-turns"); n; n = n.parentElement) {
            const style = getComputedStyle(n);
            if (n.scrollHeight > n.clientHeight + 1 && style.overflowY !== "visible") out.push(n.id || n.className || n.tagName);
            } return out; }"""
        )
        pages = page.pdf(format="A4").count(b"/Type /Page\n")
        fill = page.locator(".gm-chart .gm-bar").first.evaluate("x => getComputedStyle(x).printColorAdjust")
    assert [name for name in cut if name not in {"HTML", "BODY"}] == []
    assert pages >= 2
    assert fill == "exact"


@pytest.mark.parametrize("width", [1280, 390])
def test_three_views_have_the_same_width_and_no_hole_in_them(server: Server, visit: NewVisit, width: int) -> None:
    page = (seen := visit(server.url, width=width)).page
    seen.ask("three views of a nerve")
    boxes = [box for side in page.locator("#gm-turns .gm-sidebox").all() if (box := side.bounding_box())]
    assert len(boxes) == 3
    assert {round(box["width"]) for box in boxes} == {round(boxes[0]["width"])}
    assert {round(box["x"]) for box in boxes} == {round(boxes[0]["x"])}
    main, also = page.locator(".gm-sidebox").first.locator("p").all()[:2]
    upper, lower = main.bounding_box(), also.bounding_box()
    assert upper and lower
    assert lower["y"] - (upper["y"] + upper["height"]) < 16


def test_a_comparison_on_a_phone_needs_no_sideways_scroll(server: Server, visit: NewVisit) -> None:
    page = (seen := visit(server.url, width=390)).page
    seen.ask("compare the clam")
    box = page.locator("#gm-turns .gm-tablebox")
    assert box.evaluate("x => x.scrollWidth <= x.clientWidth")
    label = box.locator("tbody td").first.evaluate("x => getComputedStyle(x, '::before').content")
    assert label == '"Clam"'
    expect(page.get_by_role("rowheader", name="Activation")).to_be_visible()


def test_the_buttons_under_an_answer_stand_in_one_row_on_a_phone(server: Server, visit: NewVisit) -> None:
    page = (seen := visit(server.url, width=390)).page
    seen.ask(NERVE)
    tops = page.locator("#gm-turns .gm-actions button").evaluate_all(
        "all => all.filter(x => x.offsetParent).map(x => { const b = x.getBoundingClientRect(); return b.top + b.height / 2; })"
    )
    assert len(tops) == 7 and max(tops) - min(tops) < 2


@pytest.mark.parametrize("width", [360, 320])
@pytest.mark.parametrize("path", ["/", "/explore?view=sources"])
def test_nothing_is_cut_off_on_the_narrowest_screens(server: Server, visit: NewVisit, width: int, path: str) -> None:
    page = visit(f"{server.url.rstrip('/')}{path}", width=width).page
    expect(page.locator(".gm-top .gm-iconbtn").last).to_be_visible()
    right = page.locator(".gm-top > *").evaluate_all(
        "all => Math.max(...all.map(x => x.getBoundingClientRect().right))"
    )
    assert right <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
