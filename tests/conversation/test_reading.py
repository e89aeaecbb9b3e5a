"""A message is read as the questions that it asks: each takes what it leaves out from the others, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.claims.vocabulary import normal_words
from gmedbot.conversation.reading import MessageReader
from gmedbot.retrieval.understand import Speller
from tests.support import project_vocabulary

pytestmark = pytest.mark.core

#: What the sources of a large corpus say, beside the vocabulary; "deep", "wide", "yellow" and "protect" are among it.
SOURCES = """the gluteus medius lies deep to the fascia and is wide above; yellow marrow; it does protect the joint; which what
how where who why can you tell about since because as is are was were supplied supplies carries inserts insert train many sets
inferior superior gluteal nerve nerves roots do does I in on of to for with left right old your name muscle does it abduct hip
weak lesser trochanter against fever runs"""
ACTION = "What does the gluteus medius do?"
NERVE = "Which nerve supplies the gluteus medius?"
WRONG = "the gluteus medius is supplied by the inferior gluteal nerve"


@pytest.fixture(scope="module")
def reader() -> MessageReader:
    return reader_of(SOURCES)


def reader_of(sources: str) -> MessageReader:
    vocabulary = project_vocabulary()
    lexicon = {word: 5 for word, _, _ in normal_words(sources)}
    english = frozenset(lexicon) | {"sea", "painted", "world", "wonder", "sky", "blue"}
    return MessageReader(vocabulary, Speller(lexicon, vocabulary, lambda: english), lambda: english, 500)


def read(reader: MessageReader, message: str, *history: str) -> list[str]:
    return [query.text for query, _ in reader.read(message, history)]


# --- what a question leaves out ------------------------------------------------------------------------------------


def test_one_question_is_read_as_it_is_alone(reader: MessageReader) -> None:
    for message, history in ((NERVE, []), ("And its roots?", [NERVE]), ("", []), ("How deep is the sea?", [NERVE])):
        assert reader.read(message, history) == [reader.understand(message, history)]


def test_a_message_is_mended_unless_it_is_in_another_language_or_too_long(reader: MessageReader) -> None:
    assert reader.mended("gluteus medus nerv") == "gluteus medius nerve"
    german = "Welcher Nerv versorgt den Muskel und warum ist er so wichtig?"
    assert reader.mended(german) == german
    long = "gluteus medus " * 60
    assert reader.mended(long) == long


@pytest.mark.parametrize(
    ("message", "texts"),
    [
        ("What does the gluteus medius do, and which nerve supplies it?", [ACTION, NERVE]),
        ("Where does it insert, and which nerve supplies the gluteus medius?",
         ["Where does the gluteus medius insert?", NERVE]),
        ("How do I do the clamshell? How many sets are there?",
         ["How do I do the clamshell?", "How many sets are there (clamshell)?"]),
        ("I wonder about the gluteus medius. What does it do? Which nerve supplies it?",
         ["I wonder about the gluteus medius. What does it do?", NERVE]),
    ],
)  # fmt: skip
def test_a_question_takes_what_it_leaves_out_from_its_neighbour(
    reader: MessageReader, message: str, texts: list[str]
) -> None:
    assert read(reader, message) == texts


def test_earlier_messages_stand_behind_every_question(reader: MessageReader) -> None:
    assert read(reader, "What does it do? Which nerve supplies it?", ACTION) == [ACTION, NERVE]


def test_where_nothing_is_named_nothing_is_put_in(reader: MessageReader) -> None:
    message = "What does it do? Which nerve supplies it?"
    assert read(reader, message) == ["What does it do?", "Which nerve supplies it?"]


def test_a_whole_question_is_read_as_if_it_were_asked_alone(reader: MessageReader) -> None:
    alone, _ = reader.understand(NERVE)
    for first in ("How do I do the clamshell?", ACTION):
        assert reader.read(f"{first} {NERVE}", [])[1][0] == alone


# --- other things --------------------------------------------------------------------------------------------------

SEA = "How deep is the sea?"
MONA = "Who painted the Mona Lisa?"


@pytest.mark.parametrize(
    "parts",
    [(SEA, MONA), (MONA, SEA), (SEA, "How wide is the sea?"), (MONA, SEA, "Who won the world cup in 1998?")],
)
@pytest.mark.parametrize("history", [(), (NERVE,)])
def test_questions_about_other_things_borrow_nothing(
    reader: MessageReader, parts: tuple[str, ...], history: tuple[str, ...]
) -> None:
    assert read(reader, " ".join(parts), *history) == list(parts)


@pytest.mark.parametrize("other", [SEA, MONA, "How many sets are there?"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_question_is_not_bent_by_another_that_names_nothing_of_the_field(
    reader: MessageReader, other: str, is_first: bool
) -> None:
    asked = "Does it abduct the hip?"
    message = f"{other} {asked}" if is_first else f"{asked} {other}"
    assert asked in read(reader, message)


def test_a_question_about_other_things_takes_no_field_from_one_that_has_it(reader: MessageReader) -> None:
    assert read(reader, f"{NERVE} {SEA}") == [NERVE, SEA]
    assert read(reader, f"{SEA} {NERVE}") == [SEA, NERVE]


@pytest.mark.parametrize("sources", [SOURCES, "the gluteus medius abducts the hip"])
def test_a_later_question_does_not_bend_an_earlier_one(sources: str) -> None:
    first = "Does it abduct the hip?"
    assert read(reader_of(sources), f"{first} Which vaccine protects against yellow fever?")[0] == first


def test_of_two_questions_that_point_back_neither_leans_on_the_other(reader: MessageReader) -> None:
    assert read(reader, "Where does it insert? Is it weak in runners?")[0] == "Where does it insert?"


# --- beside a premise ----------------------------------------------------------------------------------------------


def test_what_is_asked_beside_a_premise_is_about_what_the_premise_is_about(reader: MessageReader) -> None:
    assert (
        reader.beside(WRONG, "which nerve roots supply it?")[0].text == "Which nerve roots supply the gluteus medius?"
    )
    assert reader.beside(WRONG, "How do I do the clamshell?")[0].text == "How do I do the clamshell?"


def test_a_premise_without_a_name_is_taken_whole(reader: MessageReader) -> None:
    assert "it" in reader.beside("everybody tells you so", "what is it?")[0].text


def test_a_question_after_a_premise_does_not_take_over_what_is_wrong_in_it(reader: MessageReader) -> None:
    message = f"Since {WRONG}, what does it do? And which nerve roots supply it?"
    assert read(reader, message) == [
        f"Since {WRONG}, what does it do?",
        "Which nerve roots supply the gluteus medius?",
    ]


# --- limits --------------------------------------------------------------------------------------------------------


def test_a_long_message_is_cut_where_reading_ends(reader: MessageReader) -> None:
    (text,) = read(reader, "hip " * 400)
    assert len(text) <= 500


def test_another_language_is_remarked_on_and_left_as_it_is(reader: MessageReader) -> None:
    message = "Welcher Nerv versorgt den Musculus? Und warum schmerzt meine Hüfte beim Laufen?"
    assert "German" in reader.remark(message)
    assert read(reader, message) == [message]
    assert reader.remark(NERVE) == ""


PARTS = st.lists(
    st.sampled_from([NERVE, ACTION, SEA, MONA, "What does it do?", "And is it weak?", f"Since {WRONG}, what does it do?", "roots?"]),
    max_size=4,
)  # fmt: skip


@given(
    st.one_of(st.text(max_size=60), PARTS.map(" ".join)), st.lists(st.sampled_from([NERVE, SEA, "", "?"]), max_size=2)
)
def test_any_message_gives_one_to_three_questions_without_brackets_of_questions(
    message: str, history: list[str]
) -> None:
    reader = reader_of(SOURCES)
    found = reader.read(message, history)
    assert 1 <= len(found) <= 3
    if len(found) > 1 and not history:
        assert all("? (" not in query.text and query.text.count("?") <= 1 for query, _ in found)


def test_an_order_that_names_nothing_is_no_question_of_its_own(reader: MessageReader) -> None:
    message = "Which nerve supplies the gluteus medius? Please explain the reasoning."
    assert len(reader.read(message, ())) == 1
    assert len(reader.read("Which nerve supplies the gluteus medius? Describe the gluteus minimus.", ())) == 2
