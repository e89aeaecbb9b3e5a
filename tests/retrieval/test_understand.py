"""Questions as learners type them: misspelt, in everyday words, in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.retrieval.understand import Query, Speller, shape_of, understand
from tests.support import project_vocabulary

pytestmark = pytest.mark.core

LEXICON = {"gluteus": 50, "medius": 50, "nerve": 20, "exercise": 20, "muscle": 30, "supply": 9, "origin": 12}


@pytest.fixture(scope="module")
def speller(vocabulary: Vocabulary) -> Speller:
    return Speller(LEXICON, vocabulary)


def read(question: str, vocabulary: Vocabulary, speller: Speller | None = None) -> Query:
    return understand(question, vocabulary, speller)


@pytest.mark.parametrize(
    "question",
    [
        "Which nerve supplies the gluteus medius?",
        "which nerve supplies the glute med",
        "WHICH NERVE SUPPLIES GMED?",
        "wich nerve suplies the gluteus medus?",
        "nerve supply gluteus medius",
    ],
)
def test_one_question_in_many_spellings_is_one_question(
    vocabulary: Vocabulary, speller: Speller, question: str
) -> None:
    query = read(question, vocabulary, speller)
    assert query.subjects == {vocabulary.focus}
    assert "nerve" in query.attributes[:2]
    assert "gluteus medius" in query.search_text.lower()


def test_lay_words_are_searched_by_the_names_of_the_field(vocabulary: Vocabulary, speller: Speller) -> None:
    query = read("How do I do the clam?", vocabulary, speller)
    assert query.exercises
    assert vocabulary.terms[query.exercises[0]].name in query.search_text
    assert query.text == "How do I do the clam?"


def test_the_part_and_the_exercise_are_named(vocabulary: Vocabulary) -> None:
    query = read("Does the clamshell train the posterior fibres of the gluteus medius?", vocabulary)
    assert len(query.parts) == 1 and len(query.exercises) == 1
    assert query.has_kind(vocabulary, "exercise") == query.exercises


@pytest.mark.parametrize(
    ("question", "shape"),
    [
        ("What is the Trendelenburg sign?", "definition"),
        ("How do I do the clamshell?", "how-to"),
        ("How many repetitions are needed?", "number"),
        ("Why does my pelvis drop?", "why"),
        ("Is the gluteus medius a hip flexor?", "yes-no"),
        ("Which exercises strengthen it?", "list"),
        ("Compare the clamshell with the side plank", "comparison"),
        ("Tell me about the gluteus medius", "overview"),
        ("Which nerve supplies the gluteus medius?", "fact"),
        ("My slides say it inserts on the lesser trochanter, is that right?", "yes-no"),
        ("Our book says that it starts at the sacrum. Please confirm", "yes-no"),
        ("Can you confirm that injections are better than exercise?", "yes-no"),
        ("Bursitis is the main cause of side hip pain. True?", "yes-no"),
        ("Which is the right leg to stand on?", "fact"),
    ],
)
def test_the_wording_says_what_kind_of_answer_is_wanted(question: str, shape: str) -> None:
    assert shape_of(question) == shape


def test_a_typing_error_is_mended_towards_known_words_only(vocabulary: Vocabulary, speller: Speller) -> None:
    assert speller.correct("excercise") == "exercise"
    assert speller.correct("exercise") is None, "a known word is left alone"
    assert speller.correct("zxqvwk") is None
    assert speller.correct("hip") is None, "short words have too many neighbours"
    query = read("Which excercise is best?", vocabulary, speller)
    assert query.corrections == {"excercise": "exercise"}
    assert query.question == "Which excercise is best?"


def test_a_common_word_is_meant_before_a_rarer_one_of_the_sources(vocabulary: Vocabulary) -> None:
    speller = Speller({"dent": 50, "nerve": 20}, vocabulary)
    assert speller.correct("dosent") == "doesnt"
    assert speller.correct("dente") == "dent"


def test_words_that_nobody_knows_are_reported(vocabulary: Vocabulary, speller: Speller) -> None:
    assert read("Is xqzvkwish a nerve?", vocabulary, speller).unknown == ("xqzvkwish",)
    assert read("Is it a nerve?", vocabulary, speller).unknown == ()
    assert read("Is xqzvkwish a nerve?", vocabulary).unknown == ()


@given(question=st.text(max_size=200))
def test_anything_typed_is_read_the_same_twice(question: str) -> None:
    known = project_vocabulary()
    first = understand(question, known, Speller(LEXICON, known))
    assert first == understand(question, known, Speller(LEXICON, known))
    assert first.question == question
    assert all(term in known.terms for term in first.terms)


def test_an_acronym_in_a_sentence_is_no_typing_error_but_a_shouted_message_is_mended(
    vocabulary: Vocabulary, speller: Speller
) -> None:
    assert read("where does MEDUS place electrodes?", vocabulary, speller).corrections == {}
    assert read("WHERE DOES THE GLUTEUS MEDUS START?", vocabulary, speller).corrections == {"MEDUS": "medius"}


def test_few_letters_that_agree_by_chance_are_no_typing_error(vocabulary: Vocabulary) -> None:
    speller = Speller({"cent": 50, "nerve": 20}, vocabulary)
    assert speller.correct("cert") is None
    assert speller.correct("nerv") == "nerve"


def test_a_form_of_a_known_word_is_no_typing_error() -> None:
    vocabulary = project_vocabulary()
    words = {"lengthening": 20, "length": 20, "strengthening": 50, "strength": 9, "week": 9}
    speller = Speller(words, vocabulary, lambda: {"lengthen", "strengthen"})
    assert speller.correct("lengthened") is None and speller.correct("strengthener") is None
    assert speller.correct("weekness") == "weakness", "a term one letter away is meant all the same"
