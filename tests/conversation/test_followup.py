"""Follow-ups get back what the learner left out; a question that stands alone keeps its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.claims.vocabulary import Vocabulary, normal_words
from gmedbot.conversation.followup import rewrite, wish_of
from tests.support import project_vocabulary

pytestmark = pytest.mark.core

NERVE = "Which nerve supplies the gluteus medius?"
CLAM = "How do I do the clamshell?"
ALONE = (
    "Where does the gluteus medius attach?",
    "What is the Trendelenburg sign?",
    "Which exercises activate the gluteus medius most?",
    "Is it safe to run with gluteal tendinopathy?",
    "How long does it take to recover from gluteal tendinopathy?",
    "Is there a bursa under the gluteus medius tendon?",
    "Which nerve supplies the gluteus maximus?",
    "Are corticosteroid injections good for gluteal tendinopathy?",
)


def standalone(question: str, *history: str) -> str:
    return rewrite(question, history, project_vocabulary()).text


@pytest.mark.parametrize(
    ("history", "question", "wanted"),
    [
        ([NERVE], "And the roots?", ["roots", "gluteus medius"]),
        ([NERVE], "what about the gluteus minimus?", ["nerve", "gluteus minimus"]),
        ([NERVE], "and the maximus?", ["nerve", "maximus"]),
        ([NERVE], "why?", ["nerve", "gluteus medius"]),
        ([NERVE], "What else does it supply?", ["supply"]),
        ([NERVE], "Where does it originate?", ["originate", "gluteus medius"]),
        ([NERVE], "No, I meant the gluteus minimus", ["nerve", "gluteus minimus"]),
        ([NERVE], "ok, and its origin?", ["origin", "gluteus medius"]),
        ([CLAM], "How many reps?", ["reps", "clam"]),
        ([CLAM], "Is it good for runners?", ["clam", "runners"]),
        ([CLAM], "what about the side plank?", ["side plank"]),
        (["What causes gluteal tendinopathy?"], "And how is it treated?", ["treated", "tendinopathy"]),
        (["What causes gluteal tendinopathy?"], "symptoms?", ["symptoms", "tendinopathy"]),
        (["What does the gluteus medius do?", "And the gluteus minimus?"], "Which nerve supplies it?", ["nerve", "gluteus minimus"]),
        (["What does the gluteus medius do?"], "the posterior fibres?", ["posterior", "gluteus medius"]),
        ([NERVE, "Where does it originate?"], "and insert?", ["insert", "gluteus medius"]),
    ],
)  # fmt: skip
def test_a_follow_up_says_again_what_it_is_about(history: list[str], question: str, wanted: list[str]) -> None:
    found = standalone(question, *history).lower()
    assert all(word in found for word in wanted), found


VERSUS = "Does the clamshell or the side plank work the gluteus medius more?"


@pytest.mark.parametrize(
    "question",
    ["Which of the two is stronger?", "which one of those two is safer?", "between the two, which is easier?", "Is either of them safe?"],
)  # fmt: skip
def test_a_choice_between_what_was_named_keeps_all_of_it(question: str) -> None:
    found = standalone(question, VERSUS)
    assert "these" in found
    assert VERSUS.rstrip("?") in found
    assert found[0].isupper()


def test_two_of_something_named_is_no_choice_among_what_was_named() -> None:
    question = "Which of the two gluteus medius bursae lies deeper?"
    assert standalone(question, NERVE) == question


@pytest.mark.parametrize("word", ["compared with", "versus", "vs", "rather than"])
def test_what_is_put_beside_the_last_question_does_not_take_the_place_of_its_own_words(word: str) -> None:
    found = standalone(f"And {word} exercise therapy?", "Is a corticosteroid injection good for tendinopathy?")
    assert "corticosteroid injection" in found
    assert found.endswith(f"{word} exercise therapy?")


def test_a_treatment_that_takes_another_place_goes_without_an_article() -> None:
    found = standalone("no, I meant PRP", "Is a corticosteroid injection good for tendinopathy?")
    assert found == "Is platelet-rich plasma good for tendinopathy?"


@pytest.mark.parametrize(("cure", "name"), [("surgery", "surgery"), ("cortisone", "corticosteroid")])
def test_one_cure_takes_the_place_of_another(cure: str, name: str) -> None:
    found = standalone(f"and {cure}?", "Does PRP help gluteal tendinopathy?")
    assert found == f"Does {name} help gluteal tendinopathy?"


def test_what_goes_with_an_operation_does_not_take_its_place() -> None:
    found = standalone("and with paracetamol?", "How long does recovery take after endoscopic repair?")
    assert "endoscopic repair" in found and "paracetamol" in found


@pytest.mark.parametrize("choice", ["so which is better?", "which works more?", "And which one is the hardest?"])
def test_a_choice_is_between_the_last_thing_and_what_it_took_the_place_of(choice: str) -> None:
    history = ("What percentage MVIC is the side plank?", "what about the clamshell?")
    assert "clamshell" in standalone(choice, *history) and "side plank" in standalone(choice, *history)
    assert "side plank" not in standalone("how many reps?", *history)


def test_a_choice_is_not_widened_where_two_things_were_named_at_once() -> None:
    found = standalone(
        "which has more evidence?", "What does the clamshell do?", "Is the side plank or the lunge better?"
    )
    assert "clamshell" not in found and "side plank" in found and "lunge" in found


@pytest.mark.parametrize("question", ALONE)
@pytest.mark.parametrize("earlier", [NERVE, CLAM, "Hello"])
def test_a_question_that_stands_alone_is_left_alone(question: str, earlier: str) -> None:
    assert standalone(question, earlier) == question


@pytest.mark.parametrize(
    ("question", "command"),
    [
        ("Tell me more", "more"), ("more please", "more"), ("go on", "more"), ("Explain it simpler", "simpler"),
        ("In simple words, please", "simpler"), ("I don't understand", "simpler"), ("shorter please", "shorter"),
        ("tl;dr", "shorter"), ("Sources?", "sources"), ("who says so?", "sources"),
        ("more information please", "more"), ("any more?", "more"), ("show me the sources", "sources"),
        ("which sources?", "sources"), ("it's too long", "shorter"),
    ],
)  # fmt: skip
def test_a_wish_for_another_form_asks_the_last_question_again(question: str, command: str) -> None:
    found = rewrite(question, [CLAM, NERVE], project_vocabulary())
    assert (found.text, found.command) == (NERVE, command)


@pytest.mark.parametrize(
    "text", ["more than the clamshell?", "How many sources are there?", "What evidence is there for PRP?", ""]
)
def test_what_only_begins_like_a_wish_is_none(text: str) -> None:
    assert wish_of(text) == ""


def test_the_focus_follows_the_dialogue() -> None:
    history = [NERVE, "What is the clamshell?", "Is it safe?"]
    assert "clam" in standalone("How is it done?", *history).lower()


def test_two_follow_ups_in_a_row_keep_the_thread() -> None:
    assert "gluteus medius" in standalone("And the roots?", NERVE, "thanks!", "and the artery?").lower()


QUESTIONS = st.one_of(
    st.sampled_from((*ALONE, NERVE, CLAM)),
    st.sampled_from(
        ("why?", "and the roots?", "what about the minimus?", "is it safe?", "more", "no, the left one", "?", "")
    ),
    st.text(max_size=40),
)


@given(QUESTIONS, st.lists(QUESTIONS, max_size=4))
def test_nothing_is_invented(question: str, history: list[str]) -> None:
    known = project_vocabulary()
    found = rewrite(question, history, known)
    assert found == rewrite(question, list(history), known)
    said = {word for text in (question, *history) for word, _, _ in normal_words(text)}
    named = {
        word for text in (question, *history) for m in known.find(text) for word, _, _ in normal_words(m.term.name)
    }
    focus = {word for word, _, _ in normal_words(known.terms[known.focus].name)}
    glue = {"the", "of", "these"}
    assert {word for word, _, _ in normal_words(found.text)} <= said | named | focus | glue


@given(st.text(max_size=300))
def test_the_first_question_keeps_its_words(question: str) -> None:
    assert rewrite(question, (), project_vocabulary()).text == " ".join(question.split())


def test_an_empty_vocabulary_does_no_harm() -> None:
    empty = Vocabulary([], [])
    assert rewrite("and then?", [NERVE], empty).text
    assert rewrite("why?", [NERVE], empty).text.endswith(NERVE)


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("Should I stretch after I fell down the stairs this morning?", "this morning"),
        ("Does that bursa swell?", "that bursa"),
        ("Is it the load, the tendon, or the bursa?", "Is it the load"),
    ],
)
def test_a_pronoun_before_its_noun_and_an_it_that_stands_for_nothing_are_not_replaced(question: str, kept: str) -> None:
    assert kept in standalone(question, CLAM)


@pytest.mark.parametrize(
    ("question", "put"),
    [
        ("how is that treated?", "gluteal tendinopathy treated"),
        ("is this common in women?", "Is gluteal tendinopathy common"),
        ("what causes that?", "causes gluteal tendinopathy"),
    ],
)
def test_a_pronoun_that_stands_alone_is_replaced(question: str, put: str) -> None:
    assert put in standalone(question, "What is gluteal tendinopathy?")
