"""An answer is made of sentences of the corpus, each with its citations, in the shape that was asked for."""

from __future__ import annotations

import re

import pytest

from gmedbot.bot import Bot
from gmedbot.types import Answer, AskOptions
from tests.support import UNANSWERABLE

pytestmark = pytest.mark.integration

QUESTIONS = (
    "Which nerve supplies the gluteus medius?",
    "Which nerve roots supply the gluteus medius?",
    "What does the gluteus medius do?",
    "Where does the gluteus medius originate?",
    "What are the symptoms of gluteal tendinopathy?",
    "How many %MVIC does side-lying hip abduction reach?",
    "Does the gluteus medius abduct the hip?",
    "Compare side-lying hip abduction with the clamshell",
    "Tell me about the gluteus medius",
    "Why does the pelvis drop?",
)


@pytest.fixture(scope="module")
def answers(bot: Bot) -> dict[str, Answer]:
    return {question: bot.ask(question) for question in QUESTIONS}


def test_most_plain_questions_are_answered(answers: dict[str, Answer]) -> None:
    assert sum(answer.status == "answered" for answer in answers.values()) >= 6


def test_every_statement_is_a_sentence_of_the_corpus_with_a_citation_that_holds_it(
    bot: Bot, answers: dict[str, Answer]
) -> None:
    sentences = {claim.text for claim in bot.claims()}
    for answer in answers.values():
        quotes = {citation.n: citation.quote for citation in answer.citations}
        for statement in answer.statements:
            assert statement.text in sentences
            assert statement.citations, statement
            assert statement.text in {quotes[number] for number in statement.citations}


def test_citations_are_numbered_from_one_and_all_are_used(answers: dict[str, Answer]) -> None:
    for question, answer in answers.items():
        numbers = [citation.n for citation in answer.citations]
        assert numbers == list(range(1, len(numbers) + 1))
        used = {number for statement in answer.statements for number in statement.citations}
        used |= {number for card in answer.conflicts for side in card.sides for number in side.citations}
        used |= {point.citation for point in answer.chart}
        used |= {number for row in (answer.table.rows if answer.table else ()) for _, cell in row for number in cell}
        assert used == set(numbers), question
        assert {int(number) for number in re.findall(r"\[(\d+)\]", answer.answer)} <= set(numbers)


def test_no_sentence_is_said_twice(answers: dict[str, Answer]) -> None:
    for answer in answers.values():
        texts = [statement.text for statement in answer.statements]
        assert len(texts) == len(set(texts))
        assert [statement.role for statement in answer.statements].count("lead") == (1 if texts else 0)
        assert not texts or answer.statements[0].role == "lead"


def test_status_follows_the_finding(bot: Bot, answers: dict[str, Answer]) -> None:
    for answer in answers.values():
        for statement in answer.statements:
            finding = bot.finding(statement.finding_id)
            assert finding is not None
            assert (statement.status, statement.origins) == (finding.status, len(finding.origins))


def test_the_known_conflict_is_shown_with_both_sides(answers: dict[str, Answer]) -> None:
    (card,) = answers["Which nerve roots supply the gluteus medius?"].conflicts
    texts = " ".join(side.text for side in card.sides)
    assert "L4–S1" in texts and "L5–S1" in texts
    assert len(card.sides) == 2 and all(side.citations for side in card.sides)
    assert not set(card.sides[0].citations) & set(card.sides[1].citations)
    assert card.explanation and card.why and card.type == "anatomy"
    assert card.better_supported in (None, 0, 1)


def test_a_card_is_shown_once_and_only_with_its_statement(answers: dict[str, Answer]) -> None:
    for answer in answers.values():
        explained = [tuple(sorted(side.text for side in card.sides)) for card in answer.conflicts]
        assert len(explained) == len(set(explained))
        if answer.conflicts:
            assert any(statement.status == "disputed" for statement in answer.statements)


def test_a_short_answer_is_shorter_and_says_the_same_first(bot: Bot, answers: dict[str, Answer]) -> None:
    for question, full in answers.items():
        short = bot.ask(question, options=AskOptions(length="short"))
        assert len(short.statements) <= 2
        assert [s.text for s in short.statements] == [s.text for s in full.statements][: len(short.statements)]


def test_a_yes_no_question_gets_no_verdict_that_its_statements_do_not_carry(answers: dict[str, Answer]) -> None:
    text = answers["Does the gluteus medius abduct the hip?"].answer
    assert not text.startswith("**No")


def test_the_number_asked_for_is_in_the_lead(answers: dict[str, Answer]) -> None:
    answer = answers["How many %MVIC does side-lying hip abduction reach?"]
    assert "81 %MVIC" in answer.statements[0].text


def test_suggestions_are_new_and_few(answers: dict[str, Answer]) -> None:
    for question, answer in answers.items():
        assert len(answer.suggestions) <= 3 and len(set(answer.suggestions)) == len(answer.suggestions)
        assert question.casefold() not in {text.casefold() for text in answer.suggestions}


def test_starter_questions_are_answered(bot: Bot) -> None:
    assert bot.suggestions()
    for question in bot.suggestions():
        assert bot.ask(question).status == "answered", question


def test_what_is_declined_states_nothing(bot: Bot) -> None:
    answer = bot.ask(UNANSWERABLE)
    assert (answer.status, answer.statements, answer.citations, answer.conflicts) == ("declined", (), (), ())
