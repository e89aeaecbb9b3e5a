"""Explore, the dispute beside the chat, and an emergency: what the pages put where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gmedbot.service.export import Conversation, ExportTurn, to_html
from gmedbot.settings import Settings, load_settings
from gmedbot.types import Answer, ExerciseValue
from gmedbot.ui import maintain
from gmedbot.ui.app import build_app
from gmedbot.ui.ledger import Ledger, against
from gmedbot.ui.text import t
from gmedbot.ui.views.answer import answer_blocks, answer_states
from gmedbot.ui.views.exercises import exercise_detail, exercise_list, is_repeated, mean, measured
from gmedbot.ui.views.explore import as_question, compare_view, source_table
from gmedbot.ui.views.maintain import Build
from gmedbot.ui.views.panel import source_list
from tests.ui.fake import EXERCISES, FINDINGS, FakeBot

pytestmark = pytest.mark.core

BOT = FakeBot()
LEDGER = Ledger.read(BOT)
ABDUCTION = next(card for card in EXERCISES if card.name == "side-lying hip abduction")


def emergency() -> Answer:
    """A red flag beside a question that has an answer with a disagreement in it."""
    return BOT.ask("I fell: which nerve?")


def value(source_id: str, number: float, muscle: str = "gluteus medius") -> ExerciseValue:
    return replace(ABDUCTION.values[0], source_id=source_id, value=number, muscle=muscle)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with TestClient(build_app(FakeBot(), load_settings(index=tmp_path_factory.mktemp("index")), pace=0)) as made:
        yield made


# ── an emergency ──────────────────────────────────────────────────────────────────────────────────────────────
def test_under_an_emergency_exercises_and_disputes_are_folded_away() -> None:
    blocks = answer_blocks(emergency(), BOT.source)
    assert "gm-safety is-emergency" in blocks[0]
    assert len(blocks) == 2 and blocks[1].startswith('<details class="gm-later">')
    assert "gm-conflict" in blocks[1] and "The superior gluteal nerve supplies" in blocks[1]
    assert "gm-next" not in blocks[1], "nobody in an emergency is asked what to read next"


def test_a_folded_answer_grows_too_and_ends_whole() -> None:
    states = list(answer_states(emergency(), BOT.source))
    assert states[-1] == answer_blocks(emergency(), BOT.source) and len(states) > 2


def test_advice_that_is_less_urgent_leaves_the_answer_open() -> None:
    answer = emergency()
    assert answer.safety is not None
    made = "".join(answer_blocks(replace(answer, safety=replace(answer.safety, urgency="routine")), BOT.source))
    assert "gm-later" not in made and "gm-next" in made


# ── disputes ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_disputed_statement_says_how_many_stand_on_each_side() -> None:
    answer = BOT.ask("Which nerve?")
    lead = replace(answer.statements[1], origins=11)
    made = "".join(answer_blocks(replace(answer, statements=(lead,), conflicts=()), BOT.source, partial(against, BOT)))
    assert "Sources disagree, 11 to 1" in made and 'data-finding="f-roots-a"' in made
    one_to_one = "".join(answer_blocks(answer, BOT.source, partial(against, BOT)))
    assert "1 to 1" not in one_to_one and "Sources disagree" in one_to_one


def test_a_statement_and_its_card_tell_the_same_numbers() -> None:
    answer = BOT.ask("Which nerve?")
    (card,) = answer.conflicts
    sides = tuple(replace(side, origins=n) for side, n in zip(card.sides, (9, 2), strict=True))
    stated = next(item for item in answer.statements if set(item.citations) & sides[0].all_citations)
    shown = replace(answer, statements=(replace(stated, status="disputed"),), conflicts=(replace(card, sides=sides),))
    made = "".join(answer_blocks(shown, BOT.source, partial(against, BOT)))
    assert "Sources disagree, 9 to 2" in made and "9 independent sources" in made


def test_who_disputes_a_finding_is_counted_by_origin() -> None:
    assert [against(BOT, f.finding_id) for f in FINDINGS] == [0, 1, 1, 1, 1, 0]
    assert against(BOT, "no-such-finding") == 0


def test_the_dispute_opens_beside_the_chat_with_both_sides(client: TestClient) -> None:
    made = client.get("/api/ui/finding", params={"id": "f-roots-a"}).text
    assert "1 source says this" in made and "1 source says otherwise" in made
    assert "Gray 1918" in made and "Ward 2010" in made
    assert client.get("/api/ui/finding", params={"id": "none"}).status_code == 404


def test_a_finding_is_asked_about_as_a_question_of_its_own() -> None:
    assert as_question("The gluteus medius abducts the hip.") == "Is it true that the gluteus medius abducts the hip?"
    assert as_question("DiStefano ranks it first.") == "Is it true that DiStefano ranks it first?"


# ── exercises ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_only_the_gluteus_medius_is_in_its_chart() -> None:
    more = (
        value("distefano-2009", 25, "gluteus maximus"),
        value("distefano-2009", 30, "gluteus medius, vastus medialis"),
    )
    card = replace(ABDUCTION, values=(*ABDUCTION.values, *more))
    assert measured(card) == measured(ABDUCTION)
    made = exercise_detail(card, LEDGER.sources, LEDGER.claims)
    own, other = made.split(t("exercise.others"), 1)
    assert "Gluteus maximus" in other and "Gluteus maximus" not in own


def test_a_figure_that_a_text_repeats_counts_only_where_nothing_was_measured() -> None:
    again = value("lay-page", 200)
    assert is_repeated(again, LEDGER.sources) and not is_repeated(ABDUCTION.values[0], LEDGER.sources)
    card = replace(ABDUCTION, values=(*ABDUCTION.values, again))
    assert mean(card, LEDGER.sources) == mean(ABDUCTION, LEDGER.sources) == pytest.approx(61.5)
    assert mean(replace(card, values=(again,)), LEDGER.sources) == 200
    made = exercise_detail(card, LEDGER.sources, LEDGER.claims)
    assert "Measured in 2 studies" in made and t("exercise.reported") in made
    assert "gm-dot is-repeated" in exercise_list([card], LEDGER.sources, {})


def test_steps_stand_under_the_source_that_gives_them() -> None:
    ids = ("reiman-2012.technique.0", "gray-1918.origin.0", "reiman-2012.technique.1")
    made = exercise_detail(replace(ABDUCTION, technique=ids), LEDGER.sources, LEDGER.claims)
    heads = re.findall(r'class="gm-told"><h3><a [^>]*>([^<]*)</a>', made)
    assert heads == ["Reiman 2012", "Gray 1918"], "the fullest description first, each source once"


def test_an_exercise_with_many_names_shows_a_few_of_them() -> None:
    names = tuple(f"name {n}" for n in range(9))
    made = exercise_detail(replace(ABDUCTION, synonyms=names), LEDGER.sources, LEDGER.claims)
    assert "Also called name 0, name 1, name 2, name 3, name 4<" in made and "4 more names" in made


def test_an_exercise_is_found_by_any_of_its_names(client: TestClient) -> None:
    made = client.get("/explore", params={"find": "HITCH"}).text
    assert "1 of 6 exercises" in made and "Pelvic drop" in made and ">Clam<" not in made
    assert 'value="HITCH"' in made and t("exercise.clear") in made


# ── compare, sources, titles ──────────────────────────────────────────────────────────────────────────────────
def test_points_by_kinds_of_source_count_each_source_once() -> None:
    made = compare_view(LEDGER, BOT.attributes(), "")
    row = made.split('attribute=nerve">Nerve</a>', 1)[1].split("</tr>", 1)[0]
    cells = re.findall(r"<td[^>]*>(?:<b>)?([^<]*)", row)
    assert cells == [
        "3",
        "–",
        "–",
        "1",
        "1",
        "1",
        "1",
        "–",
    ]  # all, synthesis, trial, study, expert, lay, agreed, disputed


def test_sources_are_found_by_kind_and_by_words() -> None:
    made = source_table(LEDGER, {"kind": "emg-study", "find": "electromyographic"})
    assert "2 of 8 sources" in made and "Bolgla 2005" in made and "Distefano 2009" not in made
    assert t("sources.none") in source_table(LEDGER, {"find": "no such words"})


def test_an_answers_sources_are_listed_once_with_all_their_quotes() -> None:
    made = source_list(BOT.ask("Which nerve?"), BOT.source)
    assert made.count("<li>") == 3 and made.count("data-open=") == 5


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/explore", "Exercises"),
        ("/explore?view=compare&attribute=nerve-roots", "Nerve roots: Compare"),
        ("/explore?view=nonsense", "Exercises"),
        ("/explore?exercise=side-lying%20hip%20abduction", "Side-lying hip abduction"),
        ("/explore?source=gray-1918", "Gray 1918"),
        ("/explore?finding=f-nerve", "The superior gluteal nerve supplies the gluteus medius"),
        ("/anatomy?part=piriformis", "Piriformis"),
    ],
)
def test_every_page_has_a_title_of_its_own(client: TestClient, address: str, title: str) -> None:
    assert f"<title>{title} – gmedbot</title>" in client.get(address).text


def test_a_new_conversation_leads_to_the_other_pages(client: TestClient) -> None:
    made = client.get("/api/ui/start").text
    assert 'href="/explore"' in made and 'href="/anatomy"' in made and "status=disputed" in made


def test_the_chat_page_says_that_it_is_opening_before_any_script_has_run(client: TestClient) -> None:
    made = client.get("/")
    head = made.text.split("</head>", 1)[0]
    assert t("chat.opening") in head and "/gm/chat.js?v=" in head and "/gm/chat.css?v=" in head
    assert made.text.count(t("chat.opening")) == 1 and made.text.rstrip().endswith("</html>")
    assert client.head("/").status_code == 200


def test_an_exported_page_keeps_the_questions_of_a_message_and_their_verdicts() -> None:
    lead, point, _ = BOT.ask("Which nerve?").statements
    asked = (replace(lead, asks="Which nerve?", verdict="Yes."), point, replace(lead, asks="From which roots?"))
    answer = replace(BOT.ask("Which nerve?"), statements=asked)
    made = to_html(Conversation("T", [ExportTurn("Both?", answer)]))
    assert (
        made.index("<h3>Which nerve?</h3>") < made.index("<strong>Yes.</strong>") < made.index("<h3>From which roots?")
    )
    assert made.count("<ul>") == made.count("</ul>") and made.count("<li>") >= 3


# ── maintainers ───────────────────────────────────────────────────────────────────────────────────────────────
def test_the_desk_opens_without_comparing_builds_and_a_comparison_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    builds = [Build("b2", {}, True), Build("b1", {}, False)]
    monkeypatch.setattr(maintain, "_builds", lambda settings: builds)

    def compare(settings: Settings) -> str:
        asked.append("compared")
        return "2 claims are new"

    monkeypatch.setattr(maintain, "_changes", compare)
    settings = load_settings(index=tmp_path, maintainer_password="correct horse")
    with TestClient(build_app(FakeBot(), settings)) as client:
        assert client.get("/maintain/changes", follow_redirects=False).status_code == 303
        client.post("/maintain/login", data={"password": "correct horse"})
        assert 'href="/maintain/changes"' in client.get("/maintain").text and asked == []
        for _ in range(2):
            assert "2 claims are new" in client.get("/maintain/changes").text
        assert asked == ["compared"]
        builds.insert(0, Build("b3", {}, True))
        client.get("/maintain/changes")
        assert asked == ["compared", "compared"]
