"""What a screen reader is told when an answer is complete: in words, and by the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from gmedbot.types import Safety
from gmedbot.ui.stream import finished, spoken
from tests.ui.conftest import Visit
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
