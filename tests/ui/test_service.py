"""Records, exports that can be verified, and the store of votes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from gmedbot.errors import StorageError
from gmedbot.service.export import (
    Conversation,
    ExportTurn,
    to_html,
    to_json,
    to_markdown,
    verify_export,
    without_digest,
)
from gmedbot.service.feedback import FeedbackStore, without_names
from gmedbot.ui.records import RecordError, answer_to_record, record_to_answer
from tests.ui.fake import EVIL, LIBRARY, FakeBot

pytestmark = pytest.mark.core

BOT = FakeBot()
QUESTIONS = (
    "Which nerve supplies it?",
    "Which exercise is best?",
    "How is it done?",
    "Compare them",
    "Numb?",
    "Weather?",
)
TALK = Conversation(
    "Hips " + EVIL, [ExportTurn(q, BOT.ask(q)) for q in QUESTIONS] + [ExportTurn("Stopped", None)], "today"
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_record_gives_the_same_answer_back(question: str) -> None:
    answer = BOT.ask(question)
    assert record_to_answer(json.loads(json.dumps(answer_to_record(answer)))) == answer


@pytest.mark.parametrize("record", [None, [], {}, {"question": 1}, {"question": "q", "statements": "x"}, "x" * 500_000])
def test_what_is_no_answer_is_refused(record: object) -> None:
    with pytest.raises(RecordError):
        record_to_answer(record)


def test_an_export_verifies_against_the_documents_it_came_from() -> None:
    assert verify_export(json.loads(to_json(TALK)), LIBRARY.documents.get) == []


def test_a_changed_source_a_lost_source_and_a_bare_statement_are_found() -> None:
    data = json.loads(to_json(TALK))
    changed = {**LIBRARY.documents, "gray-1918": "x" + LIBRARY.documents["gray-1918"]}
    del changed["ward-2010"]
    data["turns"][2]["answer"]["statements"][0]["citations"] = []
    problems = "\n".join(verify_export(data, changed.get))
    assert (
        "elsewhere" in problems and "'ward-2010' is not in the corpus" in problems and "without a citation" in problems
    )


@pytest.mark.parametrize("data", [None, [], {}, {"format": "other"}, {"format": "gmedbot-conversation/1"}])
def test_what_is_no_export_is_said_to_be_none(data: object) -> None:
    assert verify_export(data, LIBRARY.documents.get)


@pytest.mark.parametrize("field", ["index", "answer", "standalone_question"])
def test_an_export_in_which_something_was_changed_does_not_verify(field: str) -> None:
    data = json.loads(to_json(TALK))
    data["turns"][0]["answer"][field] += " T1"
    assert any("digest does not fit" in problem for problem in verify_export(data, LIBRARY.documents.get))


def test_a_figure_that_no_quote_has_is_told_even_where_the_digest_was_made_anew() -> None:
    answer = BOT.ask(QUESTIONS[0])
    forged = replace(answer.statements[0], text="The nerve comes from the roots T1–T12.")
    talk = Conversation("", [ExportTurn("q", replace(answer, statements=(forged,)))])
    problems = verify_export(json.loads(to_json(talk)), LIBRARY.documents.get)
    assert len(problems) == 1 and "no quote behind it holds all of its numbers" in problems[0]


@pytest.mark.parametrize(
    "answer",
    [
        {"citations": [1, None], "statements": "x"},
        {"citations": [{"n": []}], "statements": [7, {"text": 3, "citations": [[]]}]},
    ],
)
def test_an_export_that_somebody_spoiled_is_told_and_never_breaks_the_check(answer: object) -> None:
    data = {"format": "gmedbot-conversation/1", "turns": [{"question": "q", "answer": answer, "sha256": ["x"]}]}
    assert any("digest does not fit" in problem for problem in verify_export(data, LIBRARY.documents.get))


def test_an_export_without_digests_says_that_its_sentences_cannot_be_checked() -> None:
    data = json.loads(to_json(TALK))
    for turn in data["turns"]:
        del turn["sha256"]
    assert without_digest(json.loads(to_json(TALK))) == []
    assert without_digest(data) == list(range(1, len(QUESTIONS) + 1))
    assert verify_export(data, LIBRARY.documents.get) == []


def test_markdown_takes_no_markup_from_a_question() -> None:
    text = to_markdown(Conversation("", [ExportTurn("<script>alert(1)</script> [x](y) # `z`", None)]))
    assert r"## \<script\>alert(1)\</script\> \[x\](y) \# \`z\`" in text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("My name is Jane Miller, jane.miller@example.org, +44 7700 900123: why?", "My name is [name], [e-mail], [number]: why?"),
        ("Dr. Smith says my hip is torn since 3/4/2024", "[name] says my hip is torn since [date]"),
        ("I'm Ana and my site is https://ana.example/x", "I'm [name] and my site is [address]"),
        ("Is 82 ± 42 %MVIC at L4–S1 in 2009 a lot? I am a runner.", "Is 82 ± 42 %MVIC at L4–S1 in 2009 a lot? I am a runner."),
    ],
)  # fmt: skip
def test_what_tells_who_asks_is_not_kept(typed: str, kept: str) -> None:
    assert without_names(typed) == kept


def test_markdown_holds_quotes_places_and_the_index() -> None:
    made = to_markdown(TALK)
    citation = BOT.ask(QUESTIONS[0]).citations[0]
    assert f"“{citation.quote}” ({citation.source_id}, characters {citation.start}–{citation.end})" in made
    assert "Index: fake-1" in made


def test_the_html_page_holds_the_same_and_nothing_active() -> None:
    made = to_html(TALK)
    assert "<script" not in made and "<img" not in made
    assert "characters" in made and "Sources disagree" in made and 'href="#t1c1"' in made


def store(folder: Path, days: int = 30) -> FeedbackStore:
    return FeedbackStore(f"sqlite:///{(folder / 'deep' / 'votes.sqlite').as_posix()}", days)


def test_one_vote_for_each_person_and_answer(tmp_path: Path) -> None:
    votes = store(tmp_path)
    votes.vote("somebody", "turn1", "up", question="q")
    votes.vote("somebody", "turn1", "down", question="q", reason="wrong", passages=("a", "b"))
    votes.vote("another", "turn1", "up", question="q")
    found = {vote.value: vote for vote in votes.votes()}
    assert len(votes.votes()) == 2 and found["down"].reason == "wrong" and found["down"].passages == ("a", "b")
    votes.vote("somebody", "turn1", None, question="q")
    assert [vote.value for vote in votes.votes()] == ["up"]


def test_nobody_is_named_and_unknown_reasons_are_dropped(tmp_path: Path) -> None:
    votes = store(tmp_path)
    votes.vote("my-name", "t", "down", question="q", reason="<script>")
    (vote,) = votes.votes()
    assert vote.reason == "" and vote.client == votes.client_hash("my-name") != "my-name"
    assert b"my-name" not in (tmp_path / "deep" / "votes.sqlite").read_bytes()
    assert store(tmp_path / "other").client_hash("my-name") != vote.client


def test_unanswered_questions_are_counted(tmp_path: Path) -> None:
    votes = store(tmp_path)
    for question in ("Why?", "why? ", "Where?"):
        votes.add_unanswered(question, "i")
    assert [(item.times, item.question.strip().lower()) for item in votes.unanswered()] == [(2, "why?"), (1, "where?")]


def test_what_is_older_than_the_retention_goes(tmp_path: Path) -> None:
    votes = store(tmp_path)
    votes.vote("somebody", "t", "up", question="q")
    votes.add_unanswered("Why?", "i")
    engine = create_engine(f"sqlite:///{tmp_path / 'deep' / 'votes.sqlite'}")
    with engine.begin() as connection:
        old = datetime.now() - timedelta(days=31)
        connection.execute(text("update votes set at = :old"), {"old": old})
    assert votes.forget_old() == 1
    assert not votes.votes() and votes.unanswered()


def test_a_database_that_cannot_be_opened_says_which_setting_to_change() -> None:
    with pytest.raises(StorageError, match="feedback_url"):
        FeedbackStore("sqlite:////proc/none/votes.sqlite", 3)
