"""What a learner has stays: on a slow connection, when the server dies, in two tabs, and when something is deleted."""

from __future__ import annotations

from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import NewVisit, Server, Visit, running

pytestmark = pytest.mark.browser

NERVE = "Which nerve supplies the gluteus medius?"
FOLLOW_UP = "What else about it?"
TURNS = "#gm-turns .gm-turn"


def slow(visit: Visit, latency: int) -> None:
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Network.enable")
    conditions = {"offline": False, "latency": latency, "downloadThroughput": 51_200, "uploadThroughput": 51_200}
    session.send("Network.emulateNetworkConditions", conditions)


def test_a_question_right_after_an_answer_or_a_stop_is_answered_on_a_slow_connection(visit: NewVisit) -> None:
    with running(0.03) as server:
        chat = visit(server.url, width=390)
        chat.ready()
        slow(chat, 400)
        for _ in range(3):
            chat.ask(NERVE)
        for pause in (200, 500, 900):
            chat.start(NERVE)
            chat.page.wait_for_timeout(pause)
            chat.page.click("#gm-stop")
            chat.page.wait_for_timeout(200)
            chat.ask(NERVE)
            expect(chat.page.locator(f"{TURNS} .gm-lead").last).to_contain_text("superior gluteal nerve")


def test_a_conversation_that_is_deleted_while_it_is_answered_stays_deleted(visit: NewVisit) -> None:
    with running(0.3) as server:
        chat = visit(server.url)
        chat.start(NERVE)
        chat.page.wait_for_selector("#gm-list .gm-conv")
        chat.page.hover("#gm-list .gm-conv")
        chat.page.click("#gm-list [data-act=delete]")
        expect(chat.page.locator("#gm-list .gm-conv")).to_have_count(0)
        chat.page.wait_for_timeout(1200)
        expect(chat.page.locator("#gm-list .gm-conv")).to_have_count(0)
        assert chat.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('gm.conv'))") == []


def test_an_answer_stays_when_the_server_is_gone_and_it_is_asked_again(visit: NewVisit) -> None:
    with running(0.01) as server:
        chat = visit(server.url, may_fail=True)
        page = chat.page
        chat.ask(NERVE)
        server.kill()
        page.locator(f"{TURNS} [data-act=retry]").first.click()
        expect(page.locator(f"{TURNS} .gm-trouble").first).to_contain_text("earlier answer was kept", timeout=15_000)
        expect(page.locator(TURNS)).to_have_count(1)
        expect(page.locator(f"{TURNS} .gm-lead").first).to_contain_text("superior gluteal nerve")
        stored = page.evaluate("Object.entries(localStorage).filter(([key]) => key.startsWith('gm.conv'))[0][1]")
        assert "superior gluteal nerve" in stored


def test_an_answer_that_is_asked_again_and_stopped_comes_back(visit: NewVisit) -> None:
    with running(0.3) as server:
        chat = visit(server.url)
        page = chat.page
        chat.ask(NERVE)
        whole = page.locator(f"{TURNS} .gm-blocks").inner_text()
        page.locator(f"{TURNS} [data-act=retry]").first.click()
        page.wait_for_selector(f"{TURNS} .gm-a[aria-busy=true] .gm-cite")
        page.click("#gm-stop")
        expect(page.locator(f"{TURNS} .gm-trouble")).to_contain_text("earlier answer was kept")
        assert page.locator(f"{TURNS} .gm-blocks").inner_text() == whole
        page.wait_for_timeout(900)  # the server ends what was stopped
        page.reload()
        expect(page.locator(f"{TURNS} .gm-lead").first).to_contain_text("superior gluteal nerve")


def test_the_sources_beside_an_answer_that_broke_off_are_its_own(visit: NewVisit) -> None:
    with running(0.5) as server:
        chat = visit(server.url, may_fail=True)
        page = chat.page
        chat.ask("How is side-lying hip abduction done?")
        chat.start(NERVE)
        page.wait_for_selector(f"{TURNS}:last-child .gm-cite")
        server.kill()
        expect(page.locator(f"{TURNS} .gm-trouble").last).to_contain_text("was lost", timeout=15_000)
        shown = page.locator(f"{TURNS}:last-child .gm-cite[data-quote]").evaluate_all(
            "all => all.map(x => x.dataset.quote)"
        )
        expect(page.locator("#gm-panel .gm-cardquote")).to_have_text(list(dict.fromkeys(shown)))
        page.locator("#gm-panel .gm-card").first.click()
        expect(page.locator("#gm-panel-body")).to_contain_text(shown[0])


def test_what_is_pressed_while_the_settings_are_open_happens(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    page.click("#gm-tune")
    page.locator(f"{TURNS} [data-act=copy]").last.click()
    expect(page.locator("#gm-toast")).to_contain_text("Copied.")
    expect(page.locator("#gm-settings")).to_be_hidden()


def test_the_link_of_a_follow_up_holds_the_question_as_it_was_read(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    chat.ask(FOLLOW_UP)
    read = page.locator(f"{TURNS} .gm-readas").last.inner_text().split(": ", 1)[1]
    page.locator(f"{TURNS} [data-act=link]").last.click()
    expect(page.locator("#gm-toast")).to_contain_text("Link copied.")
    address = page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlparse(address).query)["q"] == [read] != [FOLLOW_UP]


def test_two_tabs_of_one_conversation_keep_each_other_s_questions(server: Server, visit: NewVisit) -> None:
    first = visit(server.url)
    first.ask(NERVE)
    other = Visit(first.page.context.new_page(), "second")
    other.page.goto(server.url)
    other.ready()
    other.page.click("#gm-list .gm-open")
    other.page.wait_for_selector(TURNS)
    other.ask("How is side-lying hip abduction done?")
    expect(first.page.locator(TURNS)).to_have_count(2)
    first.ask(FOLLOW_UP)
    expect(other.page.locator(TURNS)).to_have_count(3)
    other.page.reload()
    expect(other.page.locator(TURNS)).to_have_count(3)


def test_the_quote_stays_while_the_pointer_moves_onto_it(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    page.locator(f"{TURNS} .gm-cite").first.hover()
    tip = page.locator("#gm-tip")
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2, steps=12)
    page.wait_for_timeout(500)
    expect(tip).to_be_visible()
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()


def test_back_closes_the_sheet_of_a_phone_and_stays_on_the_page(server: Server, visit: NewVisit) -> None:
    chat = visit(server.url, width=390)
    page = chat.page
    chat.ask(NERVE)
    before = page.evaluate("history.length")
    page.locator(f"{TURNS} .gm-cite").first.tap()
    expect(page.locator(".gm-app.panel-open")).to_have_count(1)
    page.go_back()
    expect(page.locator(".gm-app.panel-open")).to_have_count(0)
    expect(page.locator(TURNS)).to_have_count(1)
    page.locator(f"{TURNS} .gm-cite").first.tap()
    page.click("#gm-panel-close")
    expect(page.locator(".gm-app.panel-open")).to_have_count(0)
    assert page.evaluate("history.length") <= before + 1


def test_a_long_conversation_is_drawn_again(server: Server, visit: NewVisit) -> None:
    chat = visit(server.url)
    page = chat.page
    chat.ask(NERVE)
    page.evaluate(
        """() => {
            const key = Object.keys(localStorage).find((name) => name.startsWith('gm.conv'));
            const kept = JSON.parse(localStorage.getItem(key));
            kept.turns = Array.from({ length: 230 }, (_, n) => ({ ...kept.turns[0], id: 'turn' + n }));
            localStorage.setItem(key, JSON.stringify(kept));
        }"""
    )
    page.reload()
    expect(page.locator(f"{TURNS} .gm-lead").last).to_contain_text("superior gluteal nerve", timeout=30_000)
    expect(page.locator(TURNS)).to_have_count(230)


def test_a_question_that_comes_too_early_is_told_and_kept(visit: NewVisit) -> None:
    with running(0.3) as server:
        chat = visit(server.url)
        chat.start(NERVE)
        chat.page.fill("#gm-question", FOLLOW_UP)
        chat.page.press("#gm-question", "Enter")
        expect(chat.page.locator("#gm-problem")).to_contain_text("still arriving")
        chat.done()
        expect(chat.page.locator("#gm-problem")).to_be_empty()
        expect(chat.page.locator("#gm-question")).to_have_value(FOLLOW_UP)
