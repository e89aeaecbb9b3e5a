"""What is offered next is near, new, plain and can be answered; learners' own questions come first."""

from __future__ import annotations

import pytest

from gmedbot.answer.suggest import Suggester
from gmedbot.bot import Bot
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.understand import Speller, understand
from tests.support import UNANSWERABLE

pytestmark = pytest.mark.integration

NERVE = "Which nerve supplies the gluteus medius?"
ACTION = "What does the gluteus medius do?"
LEARNERS = {
    "Where does the side hip muscle start?",
    "Which nerve runs the side hip muscle?",
    "Why does my hip dip to one side?",
}


@pytest.fixture
def suggester(asked_index: BuiltIndex) -> Suggester:
    vocabulary = asked_index.vocabulary
    speller = Speller(asked_index.lexicon, vocabulary, lambda: asked_index.english)
    return Suggester(asked_index, vocabulary, speller)


def test_starters_are_questions_of_what_two_sources_speak_of(suggester: Suggester, asked_index: BuiltIndex) -> None:
    starters = suggester.starters()
    assert NERVE in starters and ACTION in starters and len(starters) <= 8
    assert all("{" not in text and text.endswith("?") for text in starters)
    assert len(set(starters)) == len(starters)
    assert suggester.asked_about["nerve"] == 3
    assert all(count >= 2 for count in suggester.asked_about.values())
    alone = {c.frame.attribute for c in asked_index.claims if c.source_id == "test-gtps-2018"}
    assert alone - set(suggester.asked_about), "what one source alone says opens no conversation"


def test_a_learners_question_is_offered_before_those_made_from_the_vocabulary(asked_bot: Bot, bot: Bot) -> None:
    offered = asked_bot.ask(ACTION).suggestions
    assert offered and set(offered[:2]) <= LEARNERS
    assert not set(bot.ask(ACTION).suggestions) & LEARNERS, "a corpus without them offers its own"
    assert bot.ask(ACTION).suggestions


def test_what_the_answer_has_said_and_what_it_was_asked_is_not_offered(asked_bot: Bot) -> None:
    answer = asked_bot.ask(NERVE)
    assert "Which nerve runs the side hip muscle?" not in answer.suggestions
    assert NERVE not in answer.suggestions
    assert 1 <= len(answer.suggestions) <= 3


def test_what_was_asked_before_is_not_offered_again(asked_bot: Bot) -> None:
    first = asked_bot.ask(ACTION).suggestions
    for text in first:
        again = asked_bot.ask(ACTION, [f"  {text.upper()} "]).suggestions
        assert text not in again
    assert not set(first) & set(asked_bot.ask(ACTION, first).suggestions)


def test_only_plain_questions_are_offered(asked_bot: Bot) -> None:
    offered = {text for question in (NERVE, ACTION, "Why does the pelvis drop?", UNANSWERABLE)
               for text in asked_bot.ask(question).suggestions}  # fmt: skip
    assert offered & LEARNERS
    assert all(text.endswith("?") and text[0].isupper() and len(text.split()) <= 14 for text in offered)
    # a search phrase, a question of sixteen words and one with a word that nobody knows
    assert not {text for text in offered if "job" in text or "anything" in text or "qzxwv" in text}


def test_without_evidence_the_starters_are_offered(suggester: Suggester, asked_index: BuiltIndex) -> None:
    query = understand(UNANSWERABLE, asked_index.vocabulary)
    assert suggester.after(query, (), (), ()) == suggester.starters()[:3]
    assert suggester.after(query, (), (), suggester.starters()) == ()


def test_every_suggestion_can_be_answered(asked_bot: Bot) -> None:
    for text in asked_bot.ask(ACTION).suggestions:
        assert asked_bot.ask(text).status == "answered", text


def test_a_learners_words_lead_to_the_statement_that_answers_them(asked_bot: Bot) -> None:
    answer = asked_bot.ask("why does my hip dip to one side?")
    assert answer.statements[0].text == "A weak gluteus medius causes a positive Trendelenburg sign."
    assert all("dip" not in citation.quote for citation in answer.citations), "a question is never quoted as a source"


def test_suggestions_are_the_same_every_time(asked_bot: Bot) -> None:
    assert asked_bot.ask(ACTION).suggestions == asked_bot.ask(ACTION).suggestions
