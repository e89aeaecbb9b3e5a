"""What a message may want done with the last answer: more of it, less of it, its sources."""

from __future__ import annotations

import pytest

from gmedbot.bot import Bot

pytestmark = pytest.mark.integration

NERVE = "Which nerve supplies the gluteus medius?"


def test_more_goes_on_where_the_answer_ended_until_nothing_is_left(bot: Bot) -> None:
    question = "What does the gluteus medius do?"
    shown: list[str] = []
    history = [question]
    answer = bot.ask(question)
    while not answer.remark:
        texts = [statement.text for statement in answer.statements]
        assert texts and not set(texts) & set(shown), "nothing is said twice"
        shown += texts
        answer = bot.ask("more", history)
        history.append("more")
        assert answer.status == "answered" and answer.verdict not in ("Yes.", "No.")
    assert len(history) > 2, "there was more to say"
    assert "no more than this" in answer.remark


def test_thanks_and_other_wishes_do_not_count_as_more(bot: Bot) -> None:
    question = "What does the gluteus medius do?"
    once = bot.ask("more", [question])
    assert once.statements != bot.ask(question).statements
    assert bot.ask("more", [question, "thanks"]).statements == once.statements
    assert bot.ask("more", [question, "more", "sources?"]).statements == bot.ask("more", [question, "more"]).statements


@pytest.mark.parametrize(
    "text", ["more", "and?", "what now?", "is it serious?", "I don't understand", "what could it be?"]
)
def test_stock_phrases_of_a_talk_are_no_alarm(bot: Bot, text: str) -> None:
    assert bot.ask(text, [NERVE]).safety is None
    assert bot.ask(text).safety is None


def test_more_asks_every_question_of_the_last_message_again(bot: Bot) -> None:
    asked = "Where does it insert and which nerve supplies the gluteus medius?"
    first, again = bot.ask(asked), bot.ask("shorter", [asked, "more"])
    assert " ".join(again.standalone_question.split()) == " ".join(first.standalone_question.split())
    assert first.standalone_question.count("?") == 2


def test_the_sources_of_an_answer_are_named_when_they_are_asked_for(bot: Bot) -> None:
    answer = bot.ask("sources?", [NERVE])
    assert answer.statements == bot.ask(NERVE).statements
    labels = [bot.source(citation.source_id) for citation in answer.citations]
    assert labels and all(source is not None and source.label in answer.remark for source in labels)
