"""An answer is made of sentences of the corpus, each with its citations, in the shape that was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gmedbot.answer.compose import _NEAR, Composer, Dispute, Found
from gmedbot.answer.render import render_answer
from gmedbot.bot import Bot
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import Answer, AskOptions, Conflict, Finding
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
        used |= {number for card in answer.conflicts for side in card.sides for number in side.all_citations}
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
            assert statement.origins == len(finding.origins)
            assert statement.status == finding.status or finding.status == "disputed"


def test_a_dispute_about_another_muscle_does_not_mark_what_is_said_of_this_one(
    bot: Bot, composer: Composer, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = evidence_of(bot, "Which nerve roots supply the gluteus medius?").evidence
    item = next(item for item in evidence if item.finding.status == "disputed" and item.best.claim.frame.subjects)
    assert composer._status(item.finding, item.best.claim) == "disputed"
    asked: list[object] = []

    def speaks_of_another(subjects: object, finding: object) -> bool:
        asked.append(subjects)
        return False

    monkeypatch.setattr(composer, "_speaks_of", speaks_of_another)
    wanted = "agreed" if len(item.finding.origins) > 1 else "single"
    assert composer._status(item.finding, item.best.claim) == wanted
    assert asked == [item.best.claim.frame.subjects] * len(item.finding.dissents)


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


# --- several questions in one message -------------------------------------------------------------------------------

#: Its lead is none of those of ``TWO``, and it has several points.
FIRST = "Tell me about the nerve roots of the gluteus medius"
TWO = ("What does the gluteus medius do?", "Which nerve supplies the gluteus medius?")


def evidence_of(bot: Bot, question: str) -> Found:
    query, _ = bot.understand(question)
    evidence, verdict = bot._look(query, AskOptions(), lambda name: None)
    assert verdict.is_answerable
    return Found(query, bot._vectors(query)[0], evidence)


@pytest.fixture(scope="module")
def composer(built: BuiltIndex) -> Composer:
    return Composer(built, built.vocabulary)


def test_one_question_is_composed_as_it_is_alone(bot: Bot, composer: Composer) -> None:
    asked = evidence_of(bot, TWO[0])
    assert composer.compose_all([asked]) == composer.compose(asked)
    assert composer.compose_all([asked]).statements[0].asks == ""


def test_what_only_comes_near_says_so_and_is_brief(bot: Bot, composer: Composer) -> None:
    asked = evidence_of(bot, "Tell me about the gluteus medius")
    near = composer.compose(asked._replace(is_direct=False))
    assert near.verdict == _NEAR == "My sources do not say exactly this. Nearest to it:"
    assert len(near.statements) == 3 < len(composer.compose(asked).statements)
    both = composer.compose_all([evidence_of(bot, TWO[1]), asked._replace(is_direct=False)])
    assert [item.verdict for item in both.statements if item.asks] == ["", near.verdict], "each question has its own"


def test_only_a_sure_disagreement_opens_a_yes_no_answer(
    bot: Bot, composer: Composer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = evidence_of(bot, "Does the superior gluteal nerve to the gluteus medius carry the roots L4–S1?")
    monkeypatch.setattr("gmedbot.answer.compose._APT", 0.0)
    monkeypatch.setattr("gmedbot.answer.compose._APT_TO_OPEN", 0.0)
    sure = composer.compose(asked)
    monkeypatch.setattr("gmedbot.answer.compose._APT_TO_OPEN", 1.1)
    unsure = composer.compose(asked)
    assert sure.verdict == "Sources disagree." != unsure.verdict
    assert sure.conflicts == unsure.conflicts != [], "the card is shown either way"


@pytest.mark.parametrize(("aptness", "cards"), [(0.95, 2), (0.8, 1)])
def test_a_finding_stands_on_a_second_card_only_if_that_surely_bears_on_the_question(
    bot: Bot, composer: Composer, monkeypatch: pytest.MonkeyPatch, aptness: float, cards: int
) -> None:
    asked = evidence_of(bot, ROOTS)
    one, two, three = asked.evidence[:3]
    disputes = [
        Dispute(one, (two.finding,), (), 0.97),
        Dispute(one, (three.finding,), (), aptness),
        Dispute(two, (one.finding,), (), 0.96),
    ]
    card = bot.conflicts()[0]

    def card_of(index: object, vocabulary: object, finding: Finding, rivals: Sequence[Finding], *_: object) -> Conflict:
        return replace(card, explanation=" ".join(sorted(f.finding_id for f in (finding, *rivals))))

    monkeypatch.setattr(composer, "disputes", lambda *_: disputes)
    monkeypatch.setattr("gmedbot.answer.compose.conflict_card", card_of)
    shown = composer.compose(asked).conflicts
    assert len(shown) == cards
    assert all(one.finding.finding_id in item.explanation for item in shown)


def test_each_question_has_its_own_lead_under_its_own_words(bot: Bot, composer: Composer) -> None:
    draft = composer.compose_all([evidence_of(bot, text) for text in TWO])
    leads = [statement for statement in draft.statements if statement.asks]
    assert [lead.asks for lead in leads] == list(TWO)
    assert [lead.role for lead in leads] == ["lead", "lead"]
    assert draft.statements[0] is leads[0]
    assert [lead.text for lead in leads] == [
        composer.compose(evidence_of(bot, text)).statements[0].text for text in TWO
    ]
    assert draft.verdict == "", "a verdict belongs to its question"


def test_questions_share_their_citations_and_their_length(
    bot: Bot, composer: Composer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [evidence_of(bot, text) for text in (FIRST, *TWO)]
    draft = composer.compose_all(asked)
    assert [citation.n for citation in draft.citations] == list(range(1, len(draft.citations) + 1))
    places = [(citation.source_id, citation.start) for citation in draft.citations]
    assert len(set(places)) == len(places), "what two questions cite has one number"
    assert len(draft.conflicts) <= 3
    monkeypatch.setattr("gmedbot.answer.compose._SHAPE_LIMIT", {found.query.shape: 3 for found in asked})
    alone, shared = composer.choose(asked[0]), composer.choose(asked[0], share=len(asked))
    assert len(alone) == 3 and shared == alone[:1]
    assert len(composer.compose_all(asked).statements) == len(asked), "one for each where all have three alone"
    short = composer.compose_all(asked, is_short=True)
    assert len(short.statements) <= 2 * len(asked)


def test_a_verdict_stands_with_the_lead_of_its_question(
    bot: Bot, composer: Composer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gmedbot.answer.compose._APT_TO_OPEN", 0.0)
    roots = "Does the superior gluteal nerve to the gluteus medius carry the roots L4–S1?"
    alone = composer.compose(evidence_of(bot, roots))
    assert alone.verdict
    draft = composer.compose_all([evidence_of(bot, TWO[0]), evidence_of(bot, roots)])
    assert [item.verdict for item in draft.statements if item.asks] == ["", alone.verdict]
    assert draft.verdict == ""


def test_the_lead_of_a_how_to_among_others_is_its_first_step(bot: Bot, composer: Composer) -> None:
    how = "How do I do side-lying hip abduction?"
    draft = composer.compose_all([evidence_of(bot, TWO[0]), evidence_of(bot, how)])
    assert [(item.asks, item.role) for item in draft.statements if item.asks] == [(TWO[0], "lead"), (how, "step")]


def test_a_correction_opens_and_the_lead_steps_back(bot: Bot, composer: Composer, built: BuiltIndex) -> None:
    asked = evidence_of(bot, TWO[0])
    plain = composer.compose_all([asked])
    nerve = next(finding for finding in built.findings if len(finding.origins) == 2 and finding.attribute == "nerve")
    draft = composer.compose_all([asked], correction=nerve)
    opening, second, *_ = draft.statements
    assert (opening.finding_id, opening.role, opening.verdict) == (nerve.finding_id, "lead", "First, a correction:")
    assert (second.text, second.role) == (plain.statements[0].text, "point")
    assert {nerve.finding_id, *plain.findings} == set(draft.findings), "what is said is not offered as a next question"
    assert set(opening.citations) <= {citation.n for citation in draft.citations}


def test_a_correction_that_is_the_answer_is_said_once(bot: Bot, composer: Composer) -> None:
    asked = evidence_of(bot, TWO[1])
    lead = composer.compose_all([asked]).statements[0]
    finding = bot.finding(lead.finding_id)
    statements = composer.compose_all([asked], correction=finding).statements
    assert [item.finding_id for item in statements].count(lead.finding_id) == 1
    assert statements[0].verdict == "First, a correction:"


def test_before_several_questions_a_correction_stands_by_itself(
    bot: Bot, composer: Composer, built: BuiltIndex
) -> None:
    roots = next(finding for finding in built.findings if finding.dissents)
    statements = composer.compose_all([evidence_of(bot, text) for text in TWO], correction=roots).statements
    assert (statements[0].asks, statements[0].finding_id) == ("", roots.finding_id)
    assert statements[1].asks == TWO[0] and statements[1].role == "lead"


def test_a_correction_before_a_how_to_leaves_it_its_first_step(bot: Bot, composer: Composer, built: BuiltIndex) -> None:
    asked = evidence_of(bot, "How do I do side-lying hip abduction?")
    nerve = next(finding for finding in built.findings if len(finding.origins) == 2 and finding.attribute == "nerve")
    opening, *steps = composer.compose_all([asked], correction=nerve).statements
    assert (opening.role, opening.verdict) == ("lead", "First, a correction:")
    assert steps and [item.role for item in steps] == ["step"] * len(steps)
    lines = render_answer([opening, *steps], [], "how-to").splitlines()
    assert [line.split()[0] for line in lines if re.match(r"\d", line)] == [f"{n}." for n in range(1, len(steps) + 1)]


ROOTS = "Which nerve roots supply the gluteus medius?"


def test_the_findings_of_a_draft_are_all_that_it_says(bot: Bot, composer: Composer) -> None:
    for asked in ([TWO[0]], [ROOTS], list(TWO), [*TWO, ROOTS]):
        draft = composer.compose_all([evidence_of(bot, text) for text in asked])
        assert {item.finding_id for item in draft.statements} <= set(draft.findings), asked


def test_the_better_side_that_takes_the_lead_is_among_the_findings(
    bot: Bot, composer: Composer, built: BuiltIndex
) -> None:
    asked = evidence_of(bot, ROOTS)
    weaker = next(item for item in asked.evidence if "L4–S1" in item.best.claim.text)
    others = [item for item in asked.evidence if item is not weaker]
    best = asked.evidence[0].score + 1  # no tie, which the better supported would win
    weaker = replace(weaker, claims=tuple(c._replace(score=best) for c in weaker.claims))
    draft = composer.compose(asked._replace(evidence=[weaker, *others]))
    lead = draft.statements[0]
    assert "L5–S1" in lead.text and lead.finding_id != weaker.finding.finding_id
    assert {lead.finding_id, weaker.finding.finding_id} <= set(draft.findings)


@pytest.mark.parametrize(("below", "leads"), [(0.5, "L5–S1"), (3.5, "L4–S1")])
def test_a_better_side_that_answers_far_worse_does_not_lead(
    bot: Bot, composer: Composer, monkeypatch: pytest.MonkeyPatch, below: float, leads: str
) -> None:
    asked = evidence_of(bot, ROOTS)
    evidence = asked.evidence
    weaker = next(item for item in evidence if "L4–S1" in item.best.claim.text)
    better = next(item for item in evidence if "L5–S1" in item.best.claim.text)
    rest = [item for item in evidence if item not in (weaker, better)]
    distant = replace(better, claims=tuple(c._replace(score=weaker.score - below) for c in better.claims))
    monkeypatch.setattr("gmedbot.answer.compose._APT", 0.0)  # the card is shown either way
    draft = composer.compose(asked._replace(evidence=[weaker, distant, *rest]))
    assert leads in draft.statements[0].text
    assert draft.conflicts


def test_what_leads_one_answer_is_no_point_of_another(bot: Bot, composer: Composer) -> None:
    asked = [evidence_of(bot, text) for text in (FIRST, *TWO)]
    statements = composer.compose_all(asked).statements
    said = [item.finding_id for item in statements]
    assert len(set(said)) == len(said)
    assert [item.asks for item in statements if item.asks] == [FIRST, *TWO]


def test_questions_with_the_same_lead_share_it_unless_each_has_its_verdict(
    bot: Bot, composer: Composer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = evidence_of(bot, TWO[1])
    other = asked._replace(query=replace(asked.query, text="Which nerve is it?"))
    for verdicts, asks, first in (
        (("", ""), [f"{TWO[1]} Which nerve is it?"], ""),
        (("", "Yes."), [f"{TWO[1]} Which nerve is it?"], "Yes."),
        (("Yes.", ""), [f"{TWO[1]} Which nerve is it?"], "Yes."),
        (("Yes.", "No."), [TWO[1], "Which nerve is it?"], "Yes."),
        (("No.", "No."), [f"{TWO[1]} Which nerve is it?"], "No."),
        ((_NEAR, _NEAR), [f"{TWO[1]} Which nerve is it?"], _NEAR),
        ((_NEAR, ""), [f"{TWO[1]} Which nerve is it?"], ""),
        (("Yes.", _NEAR), [f"{TWO[1]} Which nerve is it?"], "Yes."),
    ):
        left = iter(verdicts)
        monkeypatch.setattr(Composer, "_verdict", lambda *seen, left=left: next(left))
        statements = composer.compose_all([asked, other]).statements
        assert [item.asks for item in statements if item.asks] == asks
        assert statements[0].verdict == first
