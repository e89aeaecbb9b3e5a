"""A message is cut where a second question begins, and nowhere else; nothing that was typed is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.conversation.parts import pieces_of, split_questions

pytestmark = pytest.mark.core

NERVE = "Which nerve supplies the gluteus medius?"
WHOLE = (
    NERVE,
    "What does the gluteus medius do?",
    "How do I do the clamshell?",
    "Is it safe to run with gluteal tendinopathy?",
    "Why does the pelvis drop?",
    "Can it heal without surgery?",
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("What does it do, and how do I train it?", ("What does it do?", "How do I train it?")),
        ("What does it do and how do I train it?", ("What does it do?", "How do I train it?")),
        ("what does it do and how do i train it", ("What does it do?", "How do I train it?")),
        ("What does it do? How do I train it?", ("What does it do?", "How do I train it?")),
        ("What does it do? And how do I train it?", ("What does it do?", "How do I train it?")),
        ("Is it weak, but can I run?", ("Is it weak?", "Can I run?")),
        ("What does it do, also is it safe?", ("What does it do?", "Is it safe?")),
        ("Which nerve supplies it; and which artery feeds it?", ("Which nerve supplies it?", "Which artery feeds it?")),
        ("Where is it and what does it do and how do I train it?",
         ("Where is it?", "What does it do?", "How do I train it?")),
        ("Explain the clamshell. And why is it hard?", ("Explain the clamshell.", "Why is it hard?")),
        ("Tell me about the clam and how do I do it", ("Tell me about the clam.", "How do I do it?")),
        ("Also list the bursae, and where is it", ("List the bursae.", "Where is it?")),
        ("Since it is weak, what does it do? And which nerve roots supply it?",
         ("Since it is weak, what does it do?", "Which nerve roots supply it?")),
        ("What does it do? Given that it is weak, how do I train it?",
         ("What does it do?", "Given that it is weak, how do I train it?")),
    ],
)  # fmt: skip
def test_questions_of_one_message_are_parted(text: str, parts: tuple[str, ...]) -> None:
    assert split_questions(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *WHOLE,
        "what happens if I sit and stretch?",
        "Since it is weak and sore, what does it do?",
        "If I run, does it hurt?",
        "Since the hip is weak and does it",
        "How do I stretch and do squats?",
        "What does it do and why?",
        "What is the origin and what?",
        "What are the origin and insertion?",
        "Can I run and is running safe?",
        "What does it do? Thanks a lot!",
        "My hip hurts and it clicks when I walk.",
        "Compare the clamshell and the side plank",
        "Is it the nerve, the tendon or the bursa?",
        "",
        "?",
        "and",
    ],
)
def test_one_question_stays_whole(text: str) -> None:
    assert split_questions(text) == (text,)


def test_four_questions_are_too_many_to_take_apart() -> None:
    text = "What is it? Where is it? How is it? Why is it?"
    assert split_questions(text) == (text,)


def test_what_is_told_before_a_question_stays_with_it() -> None:
    told = "I run a lot. What does it do? My hip hurts. How do I train it?"
    assert split_questions(told) == ("I run a lot. What does it do?", "My hip hurts. How do I train it?")


def test_spaces_and_line_breaks_are_no_part_of_a_question() -> None:
    assert split_questions("  What does\n it do?\n\n How do I train it? ") == ("What does it do?", "How do I train it?")
    assert split_questions(f"\n{NERVE}  ") == (NERVE,)


@pytest.mark.parametrize("first", WHOLE)
@pytest.mark.parametrize("second", WHOLE)
def test_two_whole_questions_come_back_as_they_were_asked(first: str, second: str) -> None:
    assert split_questions(f"{first} {second}") == (first, second)
    low = second[0].lower() + second[1:]
    assert split_questions(f"{first.rstrip('?')}, and {low}")[0] == first


def test_the_parts_of_a_message_are_not_parted_again() -> None:
    for part in split_questions("Where is it and what does it do and how do I train it?"):
        assert split_questions(part) == (part,)


TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            ["what does it do", "how do I train it", "is it", "and", ",", "?", ".", "but", "also", "it", " ", "tell me"]
        ),
        max_size=14,
    ).map(" ".join),
)


@given(TEXTS)
def test_any_message_gives_one_to_three_parts_with_its_words_in_order(text: str) -> None:
    parts = split_questions(text)
    assert 1 <= len(parts) <= 3
    assert len(parts) == 1 or all(len(part.split()) >= 3 for part in parts)
    if len(parts) == 1:
        assert parts[0] == " ".join(text.split())
    left = iter(re.findall(r"\w+", text.casefold()))
    assert all(word in left for part in parts for word in re.findall(r"\w+", part.casefold()))


def test_a_long_message_is_read_in_a_moment() -> None:
    text = "what does it do and " * 500
    assert split_questions(text) == (text.strip(),)


def test_a_message_has_the_pieces_that_could_each_be_asked() -> None:
    assert pieces_of("glut med root levels + what injury to the nerve looks like") == (
        "Glut med root levels?",
        "What injury to the nerve looks like?",
    )
    assert pieces_of("Can I inject here? Any reason for another site, and should I aspirate first?") == (
        "Can I inject here?",
        "Any reason for another site?",
        "Should I aspirate first?",
    )
    assert pieces_of("Which nerve supplies the gluteus medius?") == ()
    assert pieces_of("") == () == pieces_of("why? how? when?")
