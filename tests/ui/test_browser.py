"""The pages in a real browser: what a learner does, on a wide screen and on a phone, in light and dark."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from gmedbot.service.export import verify_export
from tests.ui.conftest import NewVisit, Server, Visit, running
from tests.ui.fake import LIBRARY, REMARK

pytestmark = pytest.mark.browser

NERVE = "Which nerve supplies the gluteus medius?"
EXERCISE = "Which exercise activates the gluteus medius most?"
SCREENS = pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])


def axe_script() -> str:
    """axe-core, as the test requirements bring it."""
    return resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")


def violations(page: Page) -> list[str]:
    """Serious and critical violations of WCAG 2.2 A and AA, and where they are."""
    page.evaluate(axe_script())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", tags
    )
    return [
        f"{v['id']} ({v['impact']}): {[node['html'][:120] for node in v['nodes'][:3]]}"
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]


def has_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def shoot(visit: Visit, shots: Path, name: str) -> None:
    path = shots / f"{name}-{visit.name}.png"
    try:
        visit.page.screenshot(path=path)
    except PlaywrightError:  # Chromium cannot draw on a machine that is out of breath; a picture is kept, not judged
        visit.page.wait_for_timeout(1000)
        visit.page.screenshot(path=path)


@SCREENS
def test_ask_read_the_answer_and_open_its_source(
    server: Server, visit: NewVisit, shots: Path, width: int, dark: bool
) -> None:
    seen = visit(server.url, width=width, dark=dark)
    page = seen.page
    page.wait_for_selector(".gm-example")
    shoot(seen, shots, "start")
    seen.ask(NERVE)
    turn = page.locator("#gm-turns .gm-turn")
    expect(turn.locator(".gm-lead")).to_contain_text("The superior gluteal nerve supplies the gluteus medius.")
    expect(turn.locator(".gm-status.is-agreed")).to_have_text("2 independent sources agree")
    said = "Answer complete: 3 statements from 3 sources; the sources disagree on 1 point."
    expect(page.locator("#gm-live")).to_have_text(said)
    shoot(seen, shots, "answer")
    chip = turn.locator(".gm-lead .gm-cite").nth(1)
    chip.focus()
    page.keyboard.press("Enter")
    mark = page.locator("#gm-mark")
    expect(mark).to_have_text(LIBRARY.claims["ward-2010.nerve.1"].text)
    expect(mark).to_be_in_viewport()
    expect(mark).to_be_focused()
    expect(page.locator("#gm-panel")).to_contain_text("Disputed by Gray 1918")
    shoot(seen, shots, "source")
    assert violations(page) == []
    assert not has_sideways_scroll(page)
    page.keyboard.press("Escape")
    expect(chip).to_be_focused()
    seen.ask(EXERCISE)
    page.locator(".gm-conflict").last.scroll_into_view_if_needed()
    shoot(seen, shots, "conflict")
    assert not has_sideways_scroll(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_every_other_page_is_accessible_and_fits(
    server: Server, visit: NewVisit, shots: Path, width: int, dark: bool
) -> None:
    seen = visit(f"{server.url}/explore", width=width, dark=dark)
    for name, path in {
        "explore": "/explore", "found": "/explore?find=clam", "overview": "/explore?view=compare", "exercise": "/explore?exercise=clam", "compare": "/explore?view=compare&attribute=nerve",
        "findings": "/explore?view=findings", "finding": "/explore?finding=f-roots-a", "sources": "/explore?view=sources", "source": "/explore?source=gray-1918",
        "anatomy": "/anatomy?part=piriformis", "maintain": "/maintain",
    }.items():  # fmt: skip
        seen.page.goto(server.url + path)
        shoot(seen, shots, name)
        assert violations(seen.page) == [], path
        assert not has_sideways_scroll(seen.page), path


def test_both_sides_of_a_disagreement_have_the_same_size(chat: Visit) -> None:
    chat.ask(NERVE)
    chat.page.click(".gm-status.is-disputed")
    expect(chat.page.locator(".gm-conflict")).to_be_focused()
    boxes = [side.bounding_box() for side in chat.page.locator(".gm-sidebox").all()]
    first, second = (box for box in boxes if box)
    assert first["width"] == pytest.approx(second["width"], abs=1)
    assert first["height"] == pytest.approx(second["height"], abs=1)


def test_the_quote_shows_on_hover_and_focus_and_escape_hides_it(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    chip = page.locator("#gm-turns .gm-cite").first
    chip.hover()
    tip = page.locator("#gm-tip")
    expect(tip).to_contain_text("The superior gluteal nerve supplies the gluteus medius.")
    expect(chip).to_have_attribute("aria-describedby", "gm-tip")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_the_chart_starts_at_zero_and_is_a_table(chat: Visit) -> None:
    chat.ask(EXERCISE)
    bars = chat.page.locator(".gm-chart .gm-bar")
    lefts = bars.evaluate_all(
        "bars => bars.map(b => b.getBoundingClientRect().left - b.parentElement.getBoundingClientRect().left)"
    )
    widths = bars.evaluate_all("bars => bars.map(b => b.getBoundingClientRect().width)")
    assert lefts == pytest.approx([0] * 6, abs=1) and widths[3] / widths[0] == pytest.approx(57 / 103, abs=0.02)
    expect(chat.page.locator(".gm-chart tbody th[scope=row]")).to_have_count(6)


def test_follow_ups_carry_the_history_and_show_how_they_were_read(chat: Visit) -> None:
    chat.ask(NERVE)
    chat.ask("What else about it?")
    expect(chat.page.locator("#gm-turns .gm-readas").last).to_have_text("Read as: What else about the gluteus medius?")


def test_the_keyboard_alone_is_enough(chat: Visit) -> None:
    page = chat.page
    expect(page.locator("#gm-question")).to_be_focused()
    page.keyboard.type(NERVE)
    page.keyboard.press("Enter")
    chat.done()
    expect(page.locator("#gm-question")).to_be_focused()
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.classList.contains('gm-cite')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#gm-mark")).to_be_focused()


def test_questions_that_cannot_be_asked_say_why_and_are_kept(chat: Visit) -> None:
    page = chat.page
    page.click("#gm-send")
    expect(page.locator("#gm-problem")).to_have_text("Type a question first.")
    page.fill("#gm-question", "x" * 10_000)
    page.click("#gm-send")
    expect(page.locator("#gm-problem")).to_have_text("That question has 10,000 characters; 2,000 is the most.")
    assert len(page.input_value("#gm-question")) == 10_000
    expect(page.locator("#gm-turns .gm-turn")).to_have_count(0)


def test_html_in_a_question_and_in_a_source_stays_text(chat: Visit) -> None:
    page = chat.page
    question = "<img src=x onerror=alert(1)><b>nerve</b> ${alert(2)} `x`"
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    chat.ask(question)
    expect(page.locator("#gm-turns .gm-qtext")).to_have_text(question)
    page.locator("#gm-turns .gm-lead .gm-cite").nth(2).click()
    expect(page.locator("#gm-mark")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("#gm-turns img, #gm-panel img").count() == 0


def test_an_error_in_the_program_is_told_and_can_be_retried(chat: Visit) -> None:
    page = chat.page
    chat.ask("crash")
    expect(page.locator("#gm-turns .gm-declined")).to_contain_text("That did not work")
    expect(page.locator("#gm-live")).to_contain_text("That did not work")
    chat.ask(NERVE)
    expect(page.locator("#gm-turns .gm-lead")).to_have_count(1)


def test_a_declined_question_and_a_red_flag_have_cards_of_their_own(chat: Visit) -> None:
    page = chat.page
    chat.ask("What is the weather?")
    expect(page.locator("#gm-turns .gm-declined")).to_contain_text("Not in my sources")
    chat.ask("I am numb between the legs")
    expect(page.locator("#gm-turns .gm-safety")).to_contain_text("Get emergency help now")


@SCREENS
def test_an_emergency_stands_alone_until_the_rest_is_asked_for(
    server: Server, visit: NewVisit, shots: Path, width: int, dark: bool
) -> None:
    page = (seen := visit(server.url, width=width, dark=dark)).page
    seen.ask("I fell: which nerve?")
    turn = page.locator("#gm-turns .gm-turn")
    expect(turn.locator(".gm-safety")).to_be_visible()
    for hidden in (".gm-lead", ".gm-conflict", ".gm-status"):
        expect(turn.locator(hidden).first).to_be_hidden()
    expect(turn.locator(".gm-next")).to_have_count(0)
    expect(page.locator("#gm-panel .gm-card")).to_have_count(0)
    shoot(seen, shots, "emergency")
    turn.locator(".gm-later > summary").focus()
    page.keyboard.press("Enter")
    expect(turn.locator(".gm-conflict")).to_be_visible()
    expect(page.locator("#gm-panel .gm-card")).to_have_count(5)
    shoot(seen, shots, "emergency-open")
    assert violations(page) == [] and not has_sideways_scroll(page)


@SCREENS
def test_a_dispute_without_a_card_opens_beside_the_chat_and_gives_the_focus_back(
    server: Server, visit: NewVisit, shots: Path, width: int, dark: bool
) -> None:
    page = (seen := visit(server.url, width=width, dark=dark)).page
    seen.ask("Which nerve is disputed?")
    link = page.locator("#gm-turns a[data-finding]")
    link.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#gm-panel")
    expect(panel).to_contain_text("1 source says otherwise")
    expect(panel).to_contain_text("1 source says this")
    expect(page.locator("#gm-panel-title")).to_have_text("Who says what")
    expect(page.locator("#gm-panel-title")).to_be_focused()
    assert "finding" not in page.url
    shoot(seen, shots, "dispute")
    assert violations(page) == [] and not has_sideways_scroll(page)
    page.keyboard.press("Escape")
    expect(link).to_be_focused()


def test_a_greeting_and_a_remark_are_calm_and_said_once(chat: Visit, shots: Path) -> None:
    page = chat.page
    chat.ask("hello")
    expect(page.locator("#gm-turns .gm-greeting")).to_contain_text("Hello! I answer questions")
    expect(page.locator("#gm-turns .gm-next")).to_have_count(2)
    expect(page.locator("#gm-turns .gm-declined")).to_have_count(0)
    expect(page.locator("#gm-live")).to_contain_text("Answer complete: Hello!")
    chat.ask("Welcher Nerv?")
    expect(page.locator("#gm-turns .gm-turn").last.get_by_text(REMARK)).to_have_count(1)
    shoot(chat, shots, "remark")
    assert violations(page) == []


def test_stop_keeps_what_had_arrived_and_a_dead_server_is_noticed(visit: NewVisit) -> None:
    with running(0.4) as server:
        page = (seen := visit(server.url, may_fail=True)).page
        seen.start(NERVE)
        page.wait_for_selector("#gm-turns .gm-lead")
        page.click("#gm-stop")
        trouble = page.locator("#gm-turns .gm-trouble")
        expect(trouble).to_contain_text("Stopped. What had arrived stays here")
        expect(page.locator("#gm-send")).to_be_visible()
        expect(page.locator("#gm-panel-body .gm-srccard")).to_have_count(0)
        page.locator("#gm-turns .gm-cite").first.click()  # its record never came, its quote did
        expect(page.locator("#gm-panel-body blockquote")).to_contain_text("gluteal nerve")
        page.reload()
        expect(trouble).to_contain_text("Stopped. What had arrived was not kept.")
        trouble.locator("button").click()
        page.wait_for_selector("#gm-turns .gm-actions:not([hidden])")
        expect(page.locator("#gm-turns .gm-conflict")).to_have_count(1)
        seen.start(EXERCISE)
        page.wait_for_selector("#gm-turns .gm-turn:last-child .gm-lead")
        server.kill()
        expect(trouble.last).to_contain_text("connection to the server was lost", timeout=15_000)
        expect(page.locator("#gm-send")).to_be_visible()
        expect(page.locator("#gm-turns .gm-lead").last).to_be_visible()


def test_editing_a_question_asks_again_and_drops_what_followed(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    chat.ask(EXERCISE)
    page.locator("#gm-turns [data-act=edit]").first.click()
    box = page.locator(".gm-editbox textarea")
    expect(box).to_have_value(NERVE)
    box.fill("How is side-lying hip abduction done?")
    box.press("Enter")
    chat.done()
    expect(page.locator("#gm-turns .gm-turn")).to_have_count(1)
    expect(page.locator("#gm-turns .gm-steps li")).to_have_count(1)
    page.click("#gm-toast button")  # what followed can be brought back
    expect(page.locator("#gm-turns .gm-qtext")).to_have_text([NERVE, EXERCISE])
    expect(page.locator("#gm-turns .gm-lead").first).to_contain_text("superior gluteal nerve")


def test_conversations_are_kept_renamed_and_deleted_in_this_browser(server: Server, visit: NewVisit) -> None:
    page = (seen := visit(server.url)).page
    seen.ask(NERVE)
    page.click("#gm-new")
    seen.ask(EXERCISE)
    page.reload()
    rows = page.locator("#gm-list .gm-conv")
    expect(rows).to_have_count(2)
    expect(page.locator("#gm-turns .gm-qtext")).to_have_text(EXERCISE)
    rows.nth(1).locator(".gm-open").click()
    expect(page.locator("#gm-turns .gm-lead")).to_contain_text("superior gluteal nerve")
    rows.nth(1).locator("[data-act=rename]").click()
    page.locator("#gm-list input").fill("Nerves")
    page.locator("#gm-list input").press("Enter")
    expect(rows.nth(1)).to_have_text("Nerves")
    seen.ask(EXERCISE)
    expect(rows.nth(0)).to_have_text("Nerves")  # a further question does not take the name back
    rows.nth(1).locator("[data-act=delete]").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(page.locator("#gm-toast button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(page.locator("#gm-new")).to_be_focused()


def test_the_export_menu_is_left_towards_what_stands_beside_it(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    page.locator("#gm-turns [data-act=export]").click()
    page.keyboard.press("Tab")
    expect(page.locator(".gm-menu-pop")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('.gm-turn, #gm-form') !== null")


def test_an_exported_conversation_can_be_verified(chat: Visit, tmp_path: Path) -> None:
    page = chat.page
    chat.ask(NERVE)
    chat.ask(EXERCISE)
    for form, words in {"json": "gmedbot-conversation/1", "md": "characters", "html": "<blockquote>"}.items():
        page.locator("#gm-turns [data-act=export]").last.click()
        with page.expect_download() as saved:
            page.click(f".gm-menu-pop [data-form={form}]")
        target = tmp_path / f"x.{form}"
        saved.value.save_as(target)
        assert words in target.read_text("utf-8")
    assert verify_export(json.loads((tmp_path / "x.json").read_text("utf-8")), LIBRARY.documents.get) == []


def test_copy_takes_the_answer_with_its_sources(chat: Visit) -> None:
    page = chat.page
    chat.ask(NERVE)
    page.click("#gm-turns [data-act=copy]")
    expect(page.locator("#gm-toast")).to_have_text("Copied.")
    expect(page.locator("#gm-live")).to_have_text("Copied.")
    assert "Sources:" in page.evaluate("navigator.clipboard.readText()")


def test_a_vote_asks_for_its_reason_and_reaches_the_maintainers(server: Server, visit: NewVisit) -> None:
    page = (seen := visit(server.url)).page
    seen.ask("Which nerve did I vote about?")
    page.click("#gm-turns [data-act=down]")
    page.locator("#gm-turns .gm-reasons [data-reason=wrong-source]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#gm-turns .gm-reasons [data-reason=wrong-source]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#gm-toast")).to_contain_text("Thank you")
    expect(page.locator("#gm-turns [data-act=down]")).to_be_focused()  # not nowhere, when the reasons go
    expect(page.locator("#gm-turns [data-act=down]")).to_have_attribute("aria-pressed", "true")
    page.goto(f"{server.url}/maintain")
    page.fill("input[type=password]", "correct horse")
    page.click("main button")
    expect(page.locator("main")).to_contain_text("wrong-source")
    expect(page.locator("main")).to_contain_text("Which nerve did I vote about?")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_maintainer_judges_a_disagreement(
    visit: NewVisit, judged_server: Server, shots: Path, width: int, dark: bool
) -> None:
    page = (seen := visit(f"{judged_server.url}/maintain", width=width, dark=dark, may_fail=True)).page
    page.fill("input[type=password]", "correct horse")
    page.click("main button")
    expect(page.get_by_role("link", name="Judge them pair by pair")).to_be_visible()
    shoot(seen, shots, "desk")
    assert violations(page) == [] and not has_sideways_scroll(page)
    page.get_by_role("link", name="Judge them pair by pair").click()
    page.wait_for_url("**/maintain/conflicts")
    shoot(seen, shots, "judge")
    first, second = page.locator(".gm-pair").nth(0), page.locator(".gm-pair").nth(1)
    first.get_by_label("Note").fill("typed, not yet saved")
    second.get_by_label("Note").fill("Two counts of one nerve.")
    label = "They agree" if dark else "Different things"
    second.get_by_role("button", name=label).click()
    told = second.locator(".gm-judged")
    expect(told).to_be_focused()
    expect(told).to_contain_text(f"Judged: {label}. Takes effect with the next gmedbot index build")
    expect(told).to_contain_text("Two counts of one nerve.")
    expect(second.get_by_role("button", name=f"{label} (chosen)")).to_be_visible()
    expect(page.locator("#gm-judge-tabs")).to_contain_text("Judged 1")
    expect(first.get_by_label("Note")).to_have_value("typed, not yet saved")
    shoot(seen, shots, "judged")
    assert violations(page) == []
    assert not has_sideways_scroll(page)
    small = (
        page.locator("main, header")
        .locator("a, button, textarea, summary")
        .evaluate_all("all => all.filter(x => x.getBoundingClientRect().height < 44).map(x => x.outerHTML)")
    )
    assert small == []
    second.get_by_role("button", name="Withdraw the judgement").click()
    expect(second).to_be_focused()
    expect(page.locator("#gm-judge-tabs")).to_contain_text("Judged 0")
    expect(second.get_by_role("button", name="Withdraw")).to_have_count(0)
    expect(first.get_by_label("Note")).to_have_value("typed, not yet saved")
    second.get_by_label("Note").fill("Two counts of one nerve.")
    second.get_by_role("button", name=label).click()
    expect(page.locator("#gm-judge-tabs")).to_contain_text("Judged 1")
    first.get_by_label("Note").fill("")
    page.reload()
    expect(second.get_by_label("Note")).to_have_value("Two counts of one nerve.")
    page.context.clear_cookies()
    second.get_by_label("Note").fill("typed after the login ended")
    second.get_by_role("button", name="It is a conflict").click()
    expect(second.get_by_role("alert")).to_contain_text("nothing was saved")
    expect(second.get_by_label("Note")).to_have_value("typed after the login ended")


def test_answer_settings_are_kept_and_sent(server: Server, visit: NewVisit) -> None:
    page = visit(server.url).page
    page.wait_for_selector(".gm-example")
    page.click("#gm-tune")
    page.check("input[value=exercises]", force=True)
    page.check("input[value=short]", force=True)
    expect(page.locator("#gm-chosen")).to_have_text("Exercises · Short")
    page.reload()
    expect(page.locator("#gm-chosen")).to_have_text("Exercises · Short")


def test_a_link_with_a_question_asks_it_and_explore_links_back(server: Server, visit: NewVisit) -> None:
    seen = visit(f"{server.url}/?q=Which+nerve%3F")
    page = seen.page
    page.wait_for_selector("#gm-turns .gm-actions:not([hidden])")
    assert "q=" not in page.url
    page.goto(f"{server.url}/explore?exercise=side-lying%20hip%20abduction")
    page.click("text=Ask about this exercise")
    page.wait_for_selector("#gm-turns .gm-actions:not([hidden])")
    expect(page.locator("#gm-turns .gm-qtext").last).to_have_text("How do I do the side-lying hip abduction?")


def test_exercises_are_filtered_and_sorted(server: Server, visit: NewVisit) -> None:
    page = visit(f"{server.url}/explore").page
    page.fill("input[name=find]", "leg raise")
    page.keyboard.press("Enter")
    page.wait_for_url("**find=leg*")
    expect(page.locator(".gm-table tbody tr")).to_have_count(1)
    page.click("text=Clear the filters")
    page.select_option("select[name=position]", "side-lying")
    page.wait_for_url("**position=side-lying*")
    expect(page.locator(".gm-table tbody tr")).to_have_count(2)
    page.click("th >> text=Mean")
    page.click("th >> text=Mean")
    expect(page.locator(".gm-table tbody th").first).to_have_text("Clam")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Mean")


def test_a_list_that_is_walked_through_with_the_keys_is_submitted_by_its_button(
    server: Server, visit: NewVisit
) -> None:
    page = visit(f"{server.url}/explore").page
    chosen = page.locator("form[data-auto] select").first
    before = page.url
    chosen.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_be_focused()
    assert page.url == before
    page.locator("form[data-auto] > button").first.click()
    page.wait_for_url(lambda url: url != before)


def test_the_phone_has_a_drawer_and_a_sheet(server: Server, visit: NewVisit) -> None:
    page = (seen := visit(server.url, width=390)).page
    seen.ask(NERVE)
    page.click(".gm-menu")
    expect(page.locator("#gm-new")).to_be_focused()
    page.keyboard.press("Escape")
    page.click("#gm-turns [data-act=sources]")
    expect(page.locator("#gm-panel .gm-cards > li")).to_have_count(3)
    expect(page.locator("#gm-panel .gm-card")).to_have_count(5)
    page.click("#gm-panel .gm-cards button >> nth=0")
    expect(page.locator("#gm-mark")).to_be_in_viewport()
    page.click("#gm-panel-close")
    expect(page.locator("#gm-panel")).to_be_hidden()


def test_without_an_index_the_page_says_what_to_run(server: Server, visit: NewVisit, shots: Path) -> None:
    seen = visit(server.empty_url, may_fail=True)
    expect(seen.page.locator("main")).to_contain_text("gmedbot index build")
    shoot(seen, shots, "missing")
    assert violations(seen.page) == []
