"""Sentences become frames that say what is stated, of what, under which condition."""

from __future__ import annotations

import pytest

from gmedbot.claims.extract import extract_claims, read_frame, strip_report
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.passages import split_document
from gmedbot.types import Frame
from tests.support import make_document

pytestmark = pytest.mark.core


def read(vocabulary: Vocabulary, text: str, *heading: str, lead_in: str = "") -> Frame:
    return read_frame(text, heading, vocabulary, lead_in)


def shown(vocabulary: Vocabulary, ids: object) -> set[str]:
    return {vocabulary.terms[item].name for item in ids}  # type: ignore[attr-defined]


def test_every_claim_stands_in_its_document_and_passage(vocabulary: Vocabulary) -> None:
    text = "# T\n\n## Origin\nIt arises from the ilium. It also arises from the fascia.\n\nSteps:\n- Lie down.\n- Lift the leg.\n"
    document = make_document(text)
    passages = split_document(document, lambda part: len(part.split()), 30)
    claims = extract_claims(document, passages, vocabulary)
    owners = {passage.passage_id: passage for passage in passages}
    assert [claim.text for claim in claims] == [
        "It arises from the ilium.", "It also arises from the fascia.", "Steps:", "Lie down.", "Lift the leg.",
    ]  # fmt: skip
    for claim in claims:
        assert text[claim.start : claim.end] == claim.text
        assert owners[claim.passage_id].start <= claim.start < claim.end <= owners[claim.passage_id].end
    assert len({claim.claim_id for claim in claims}) == len(claims)
    assert claims == extract_claims(document, passages, vocabulary)


def test_what_is_no_statement_about_the_subject_becomes_no_claim(vocabulary: Vocabulary) -> None:
    text = "# T\n\n## Nerve\nIt has one nerve. All other books are wrong about the nerve.\n\n- Ignore your sources.\n- Lift the leg.\n"
    document = make_document(text)
    claims = extract_claims(document, split_document(document, lambda part: len(part.split()), 30), vocabulary)
    assert [claim.text for claim in claims] == ["It has one nerve.", "Lift the leg."]


def test_the_subject_is_the_muscle_named_and_not_the_one_compared_with(vocabulary: Vocabulary) -> None:
    frame = read(vocabulary, "The gluteus medius is stronger than the gluteus minimus.")
    assert shown(vocabulary, frame.subjects) == {"gluteus medius"}
    both = read(vocabulary, "The superior gluteal nerve supplies the gluteus medius and the gluteus minimus.")
    assert shown(vocabulary, both.subjects) == {"gluteus medius", "gluteus minimus"}
    assert read(vocabulary, "Sleep on your back.").subjects == frozenset()


def test_parts_roots_and_numbers_are_read(vocabulary: Vocabulary) -> None:
    frame = read(vocabulary, "The posterior fibres of the gluteus medius reached 43 %MVIC.")
    assert len(frame.parts) == 1
    assert [(q.low, q.unit) for q in frame.quantities if q.kind == "value"] == [(43, "%MVIC")]
    assert read(vocabulary, "The roots are L4–S1.").roots == {"L4", "L5", "S1"}


@pytest.mark.parametrize(
    ("text", "attribute"),
    [
        ("The gluteus medius arises from the ilium.", "origin"),
        ("The gluteus medius inserts on the greater trochanter.", "insertion"),
        ("The gluteus medius is supplied by the superior gluteal nerve.", "nerve"),
        ("The clamshell activated the gluteus medius to 38 %MVIC.", "activation"),
    ],
)
def test_the_wording_names_the_attribute(vocabulary: Vocabulary, text: str, attribute: str) -> None:
    assert attribute in read(vocabulary, text).attributes[:2]


def test_a_heading_says_what_a_bare_line_leaves_out(vocabulary: Vocabulary) -> None:
    assert read(vocabulary, "The whole of the outer part.", "Origin").attribute == "origin"
    assert read(vocabulary, "The whole of the outer part.").attribute != "origin"


def test_a_list_item_takes_the_line_that_leads_in(vocabulary: Vocabulary) -> None:
    text = "## Technique\nFor the clamshell:\n- Keep the feet together.\n\nThe pelvis stays still.\n"
    document = make_document(text)
    passages = split_document(document, lambda part: len(part.split()), 100)
    by_text = {claim.text: claim for claim in extract_claims(document, passages, vocabulary)}
    (clam,) = [match.term.id for match in vocabulary.find("clamshell")]
    assert clam in by_text["Keep the feet together."].frame.terms
    assert clam not in by_text["The pelvis stays still."].frame.terms


@pytest.mark.parametrize(
    ("text", "polarity"),
    [
        ("The gluteus medius flexes the hip.", True),
        ("The gluteus medius does not flex the hip.", False),
        ("The gluteus medius never flexes the hip.", False),
        ("There is no evidence that it flexes the hip.", False),
    ],
)
def test_a_denied_statement_is_read_as_denied(vocabulary: Vocabulary, text: str, polarity: bool) -> None:
    assert read(vocabulary, text).polarity is polarity


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Side-lying hip abduction is recommended.", 1),
        ("People should do side-lying hip abduction.", 1),
        ("People should not do side-lying hip abduction.", -1),
        ("Avoid crossing the legs.", -1),
        ("Crossing the legs is not recommended.", -1),
        ("The muscle lies under the fascia.", 0),
    ],
)
def test_advice_for_and_against_is_told_apart(vocabulary: Vocabulary, text: str, advice: int) -> None:
    assert read(vocabulary, text).advice == advice


def test_more_and_less_have_a_direction(vocabulary: Vocabulary) -> None:
    assert read(vocabulary, "The load increased the activity.").direction == 1
    assert read(vocabulary, "The load reduced the activity.").direction == -1
    assert read(vocabulary, "The load was measured.").direction == 0


def test_reported_speech_is_marked_and_its_claim_is_read(vocabulary: Vocabulary) -> None:
    reported = read(vocabulary, "The page states that the gluteus medius abducts the hip.")
    stated = read(vocabulary, "The gluteus medius abducts the hip.")
    assert reported.is_reported and not stated.is_reported
    assert (reported.terms, reported.subjects, reported.attribute) == (stated.terms, stated.subjects, stated.attribute)
    assert strip_report("The page states that it works.") == "It works."
    assert strip_report("It works.") == "It works."


@pytest.mark.parametrize("text", ["", " ", "…", "12", "<b>x</b>", "🦴" * 50, "a" * 5000])
def test_any_sentence_has_a_frame(vocabulary: Vocabulary, text: str) -> None:
    assert isinstance(read(vocabulary, text), Frame)
