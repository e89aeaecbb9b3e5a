"""A list of things to know about one subject is asked one by one; a sentence is left whole."""

from __future__ import annotations

import pytest

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.conversation.facets import split_facets

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "facets"),
    [
        ("origin insertion nerve action glut med", ("Origin", "Insertion", "Nerve", "Action")),
        (
            "What are the origin, insertion and nerve supply of the gluteus medius?",
            ("Origin", "Insertion", "Nerve supply"),
        ),
        ("origin insertion nerve gluteus medius short list pls, exam tomorow", ("Origin", "Insertion", "Nerve")),
        ("gluteus medius: blood supply + innervation pls", ("Blood supply", "Innervation")),
        ("glut med origin insertion nerve blood supply", ("Origin", "Insertion", "Nerve", "Blood supply")),
        ("gluteus medius origin insertion", ("Origin", "Insertion")),
        ("gluteus medius insertion nerve roots", ("Insertion", "Nerve roots")),
        ("gluteus medius origin / insertion/nerve", ("Origin", "Insertion", "Nerve")),
        ("exam tomorrow: quick summary of insertion & nerve of glute med", ("Insertion", "Nerve")),
    ],
)
def test_a_list_is_taken_apart(vocabulary: Vocabulary, text: str, facets: tuple[str, ...]) -> None:
    assert split_facets(text, vocabulary) == tuple(f"{facet} of the gluteus medius" for facet in facets)


@pytest.mark.parametrize(
    "text",
    [
        "nerve roots gluteus medius",
        "Is steroid injection harmful for gluteal tendinopathy?",
        "How many reps and sets of the clamshell?",
        "nerve course gluteus medius",
        "stretch benefits gluteus medius",
        "Which nerve supplies the gluteus medius?",
        "origin, insertion, nerve",
        "origin and insertion of gluteus medius and gluteus minimus",
        "MRI vs ultrasound, sensitivity for gluteus medius tears",
        "Is surface EMG valid for the anterior and posterior parts of gluteus medius?",
        "How is the gluteus medius tested, and where does my hand go?",
        "",
    ],
)
def test_all_else_is_left_whole(vocabulary: Vocabulary, text: str) -> None:
    assert split_facets(text, vocabulary) == ()
