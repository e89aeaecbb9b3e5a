"""What a screen reader is told when an answer is complete: in words, and by the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from gmedbot.types import Safety
from gmedbot.ui.stream import finished, spoken
from tests.ui.conftest import NewVisit, Server, Visit
from tests.ui.fake import FakeBot

BOT = FakeBot()
NERVE = "Which nerve supplies the gluteus medius?"
DECLINED = "Nothing was found in the sources for this question."
ADVICE = "Get emergency help now. Numbness between the legs with back pain needs an emergency department now."


@pytest.mark.core
def test_an_answer_says_how_many_statements_and_sources_and_whether_they_disagree() -> None:
    said = "Answer complete: 3 statements from 3 sources; the sources disagree on 1 point."
    assert spoken(BOT.ask(NERVE)) == said
    assert spoken(replace(BOT.ask(NERVE), conflicts=())) == "Answer complete: 3 statements from 3 sources."


@pytest.mark.core
def test_two_quotes_of_one_source_are_one_source() -> None:
    assert spoken(BOT.ask("how")) == "Answer complete: 2 statements from 1 source."


@pytest.mark.core
def test_a_declined_question_says_that_nothing_was_found() -> None:
    assert spoken(BOT.ask("weather")) == DECLINED
    assert finished(BOT.ask("weather"), BOT)["urgent"] is False


@pytest.mark.core
def test_an_emergency_says_its_advice_and_not_that_there_are_no_statements() -> None:
    answer = BOT.ask("numb")
    assert spoken(answer) == ADVICE
    assert finished(answer, BOT)["urgent"] is True
    both = replace(answer, statements=BOT.ask(NERVE).statements, citations=BOT.ask(NERVE).citations)
    assert spoken(both) == f"{ADVICE} Below it: 3 statements from 3 sources."


@pytest.mark.core
@pytest.mark.parametrize(("urgency", "is_urgent"), [("emergency", True), ("urgent", True), ("routine", False)])
def test_only_advice_that_cannot_wait_interrupts(urgency: str, is_urgent: bool) -> None:
    safety = Safety(urgency, "See somebody.", "x")  # type: ignore[arg-type]
    assert finished(replace(BOT.ask("numb"), safety=safety), BOT)["urgent"] is is_urgent


@pytest.mark.browser
def test_an_answer_is_announced_politely_and_once(chat: Visit) -> None:
    page = chat.page
    page.evaluate(
        """() => {
        window.heard = [];
        for (const id of ["gm-live", "gm-alert"]) {
          const node = document.getElementById(id);
          new MutationObserver(() => node.textContent && heard.push([id, node.textContent]))
            .observe(node, {childList: true, characterData: true, subtree: true});
        }
      }"""
    )
    chat.ask(NERVE)
    said = "Answer complete: 3 statements from 3 sources; the sources disagree on 1 point."
    expect(page.locator("#gm-live")).to_have_text(said)
    expect(page.locator("#gm-alert")).to_be_empty()
    chat.ask("I am numb between the legs")
    expect(page.locator("#gm-alert")).to_have_text(ADVICE)
    expect(page.locator("#gm-live")).to_be_empty()
    chat.ask("What is the weather?")
    expect(page.locator("#gm-live")).to_have_text(DECLINED)
    expect(page.locator("#gm-alert")).to_be_empty()
    assert page.evaluate("heard") == [["gm-live", said], ["gm-alert", ADVICE], ["gm-live", DECLINED]]


@pytest.mark.browser
def test_the_announcing_regions_are_there_before_they_are_needed(chat: Visit) -> None:
    expect(chat.page.locator("#gm-live")).to_have_attribute("aria-live", "polite")
    expect(chat.page.locator("#gm-alert")).to_have_attribute("aria-live", "assertive")
    assert chat.page.locator("#gm-turns [aria-live], #gm-turns [role=alert], #gm-turns [role=status]").count() == 0


@pytest.mark.browser
def test_turns_are_told_apart_by_their_headings_and_a_card_by_its(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    chat.ask("What is the weather?")
    for question in (NERVE, "What is the weather?"):
        expect(page.get_by_role("heading", name=question, exact=True)).to_have_count(1)
        expect(page.get_by_role("heading", name=f"Answer to: {question}", exact=True)).to_have_count(1)
    expect(page.get_by_role("heading", name="Sources disagree: Nerve")).to_have_count(1)


@pytest.mark.browser
def test_an_open_drawer_keeps_the_focus_until_it_is_closed(server: Server, visit: NewVisit) -> None:
    page = (seen := visit(server.url, width=390)).page
    seen.ask(NERVE)
    under = page.locator(".gm-top, #gm-main")
    for opened, shut, drawer in (
        (".gm-menu", "#gm-side-close", "#gm-side"),
        ("#gm-turns .gm-srcbtn", "#gm-panel-close", "#gm-panel"),
    ):
        page.click(opened)
        expect(page.locator(f"{drawer} :focus")).to_have_count(1)
        assert under.evaluate_all("nodes => nodes.map(node => node.inert)") == [True, True]
        for _ in range(12):
            page.keyboard.press("Tab")  # to the drawer's own buttons, or to those of the browser
            assert page.evaluate("at => document.activeElement.matches(`${at}, ${at} *, body`)", drawer)
        page.click(shut)
        assert under.evaluate_all("nodes => nodes.map(node => node.inert)") == [False, False]
    page.click("#gm-turns .gm-srcbtn")
    page.set_viewport_size({"width": 1280, "height": 860})  # a wide page has a column there
    page.wait_for_function("!document.querySelector('#gm-main').inert")


@pytest.mark.browser
def test_what_was_typed_outlives_a_reload_but_not_its_question(server: Server, visit: NewVisit) -> None:
    page = (seen := visit(server.url)).page
    seen.ready()
    page.locator("#gm-question").press_sequentially("and the roots")
    page.reload()
    seen.ready()
    expect(page.locator("#gm-question")).to_have_value("and the roots")
    page.press("#gm-question", "Enter")
    seen.done()
    page.reload()
    seen.ready()
    expect(page.locator("#gm-question")).to_have_value("")


@pytest.mark.browser
def test_a_sorted_table_says_so(server: Server, visit: NewVisit) -> None:
    page = visit(f"{server.url}/explore?view=sources").page
    page.get_by_role("button", name="Year").click()
    expect(page.get_by_role("status").last).to_have_text("Sorted by Year, descending.")
    page.get_by_role("button", name="Year").click()
    expect(page.get_by_role("status").last).to_have_text("Sorted by Year, ascending.")


@pytest.mark.browser
def test_answer_settings_opened_by_key_take_the_focus(chat: Visit) -> None:
    page = chat.page
    page.focus("#gm-tune")
    page.keyboard.press("Enter")
    expect(page.locator("#gm-settings input").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#gm-tune")).to_be_focused()
