"""What a question takes for granted is read from its form; a question that presupposes nothing has no premise."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.conversation.premise import premise_of

pytestmark = pytest.mark.core

SAID = "the gluteus medius inserts on the lesser trochanter"


@pytest.mark.parametrize(
    "question",
    [
        f"Since {SAID}, does it flex the hip?",
        f"Because {SAID}, what does it do?",
        f"As {SAID}, how do I stretch it?",
        f"If {SAID}, so why does it abduct?",
        f"Given that {SAID}, then where is the bursa?",
        f"Seeing as {SAID}, can it flex the hip?",
        f"Considering {SAID}, what does it do?",
        f"Now that {SAID}, is it a flexor?",
        f"Does it flex the hip, since {SAID}?",
        f"How does it flex the hip because {SAID}?",
        f"I read that {SAID}. Is it a flexor?",
        f"I've heard {SAID}; how is that?",
        f"I was told that {SAID}. What does it do?",
        f"My physio says {SAID}. Is it a flexor?",
        f"My old anatomy book said that {SAID}. Is it so?",
        f"People say {SAID}. Is it so?",
        f"Everyone thinks that {SAID}. Why?",
        f"How come {SAID}?",
        f"So how come {SAID}??",
    ],
)
def test_what_is_given_as_a_reason_or_as_hearsay_is_the_premise(question: str) -> None:
    assert premise_of(question)[0] == SAID


@pytest.mark.parametrize(
    "question",
    [
        f"My slides say that {SAID}, is that right?",
        f"A video claims {SAID}. Is this true?",
        f"Someone told me that {SAID}, is it correct?",
        f"our textbook says {SAID}. please confirm",
        f"Can you confirm that {SAID}?",
        f"Is it true that {SAID}?",
        f"I read that {SAID}, true?",
    ],
)
def test_a_claim_to_be_checked_is_a_premise_and_nothing_else_is_asked(question: str) -> None:
    assert premise_of(question) == (SAID, "")


@pytest.mark.parametrize(
    "question", ["Which muscle is it, is that right?", "How do I do clams, right?", "What is true?"]
)
def test_what_is_asked_is_not_claimed(question: str) -> None:
    assert premise_of(question) == ("", "")


@pytest.mark.parametrize("tag", ["right", "correct", "isn't it", "doesn't it", "no", "innit", "don't they"])
def test_a_tag_asks_to_have_a_statement_confirmed(tag: str) -> None:
    asked = f"The gluteus medius inserts on the ilium, {tag}?"
    assert premise_of(asked) == ("The gluteus medius inserts on the ilium", "")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Why does the gluteus medius flex the knee?", "the gluteus medius flex the knee"),
        ("why is the gluteus medius a hip flexor", "the gluteus medius a hip flexor"),
        ("So why do runners have weak hips?", "runners have weak hips"),
        ("But why can the muscle never heal?", "the muscle never heal"),
    ],
)
def test_why_takes_what_it_asks_about_for_granted(question: str, said: str) -> None:
    assert premise_of(question) == (said, "")


@pytest.mark.parametrize(
    "hedge",
    [
        "it is known that",
        "it's settled that",
        "everybody knows that",
        "doctors agree that",
        "all experts say",
        "I think",
    ],
)
def test_who_vouches_for_a_premise_is_no_part_of_it(hedge: str) -> None:
    assert premise_of(f"Since {hedge} {SAID}, does it flex the hip?") == (SAID, "does it flex the hip?")


@pytest.mark.parametrize(
    "question",
    [
        "Which nerve supplies the gluteus medius?",
        "What does the gluteus medius do?",
        "Does the gluteus medius flex the hip?",
        "How do I do the clamshell with a band?",
        "Tell me about the gluteus medius",
        "Why doesn't the gluteus medius flex the hip?",
        "What is the best way to train it, and how often?",
        "",
        "?",
        "why?",
    ],
)
def test_a_plain_question_presupposes_nothing(question: str) -> None:
    assert premise_of(question) == ("", "")


@pytest.mark.parametrize("question", ["Since it is weak, what now?", "Why is it weak?", "It hurts, right?"])
def test_three_words_are_too_few_to_hold_against_a_source(question: str) -> None:
    assert premise_of(question) == ("", "")


def test_four_words_are_enough() -> None:
    assert premise_of("Why is the hip so weak?") == ("the hip so weak", "")


def test_line_breaks_and_spaces_do_not_matter() -> None:
    assert premise_of(f"  Since\n {SAID.replace(' ', '  ')} ,\n does it  flex?") == (SAID, "does it flex?")


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        (f"Since {SAID}, does it flex the hip?", "does it flex the hip?"),
        (f"If {SAID}, so why does it abduct?", "why does it abduct?"),
        (f"Given that {SAID}, then where is the bursa?", "where is the bursa?"),
        (f"I read that {SAID}. Is it a flexor?", "Is it a flexor?"),
        (f"I've heard {SAID}; how is that?", "how is that?"),
        (f"My physio says {SAID}. Tell me what it does.", "Tell me what it does."),
    ],
)
def test_what_is_asked_beside_a_premise_is_told_apart_from_it(question: str, rest: str) -> None:
    assert premise_of(question) == (SAID, rest)


@pytest.mark.parametrize(
    "question", [f"Does it flex the hip, since {SAID}?", f"How come {SAID}?", f"{SAID}, isn't it?", f"Why does {SAID}?"]
)
def test_nothing_is_asked_beside_a_premise_that_is_itself_asked_about(question: str) -> None:
    assert premise_of(question) == (SAID, "")


TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            ["since", "because", "why does", "how come", "I read that", "the hip", "is", "weak", ",", "right", "?", "."]
        ),
        max_size=14,
    ).map(" ".join),
)


@given(TEXTS)
def test_a_premise_is_a_stretch_of_the_question_of_four_words_or_more(text: str) -> None:
    said, rest = premise_of(text)
    whole = " ".join(text.split())
    assert said in whole and whole.endswith(rest)
    assert said == "" or len(said.split()) >= 4
    assert said or not rest
    assert len(said) + len(rest) <= len(whole)
    assert not re.match(r"^[\s,.]", said)


def test_a_long_question_is_read_in_a_moment() -> None:
    assert premise_of("since the hip is weak and " * 400)[1] == ""
    assert premise_of("a, b " * 1000) == ("", "")
