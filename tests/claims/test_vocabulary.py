"""The words of the field: found in any spelling, related as the data says, refused when the data is broken."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.claims.vocabulary import (
    Vocabulary,
    load_vocabulary,
    normal_words,
    prepared_rows,
    vocabulary_from_rows,
    vocabulary_rows,
)
from gmedbot.errors import CorpusError
from tests.support import PROJECT_CORPUS, project_vocabulary

pytestmark = pytest.mark.core


def names(vocabulary: Vocabulary, text: str) -> list[str]:
    return [match.term.name for match in vocabulary.find(text)]


def term_id(vocabulary: Vocabulary, name: str) -> str:
    (match,) = vocabulary.find(name)
    return match.term.id


@pytest.mark.parametrize(
    "text", ["gluteus medius", "Gluteus Medius", "GMed", "glute med", "gluteus-medius", "the gluteus\nmedius"]
)
def test_the_muscle_is_known_by_all_its_names(vocabulary: Vocabulary, text: str) -> None:
    assert [match.term.id for match in vocabulary.find(text)] == [vocabulary.focus]


@pytest.mark.parametrize(
    ("british", "american"),
    [("fibres", "fibers"), ("centre", "center"), ("stabilise", "stabilize"), ("tumour", "tumor"), ("oedema", "edema")],
)
def test_british_and_american_spelling_are_one(british: str, american: str) -> None:
    assert [word for word, _, _ in normal_words(british)] == [word for word, _, _ in normal_words(american)]


def test_plural_and_possessive_do_not_hide_a_word() -> None:
    for text in ("muscles", "muscle's", "muscles’", "Muscle"):
        assert [word for word, _, _ in normal_words(text)] == ["muscle"], text
    for text in ("medius", "pelvis", "piriformis", "press"):
        assert [word for word, _, _ in normal_words(text)] == [text]


def test_the_longest_name_wins_and_matches_do_not_overlap(vocabulary: Vocabulary) -> None:
    text = "The superior gluteal nerve, not the inferior gluteal nerve, reaches the greater trochanter of the femur."
    assert {"superior gluteal nerve", "inferior gluteal nerve", "greater trochanter"} <= set(names(vocabulary, text))
    found = vocabulary.find(text)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_a_name_does_not_run_over_a_comma(vocabulary: Vocabulary) -> None:
    def spans(text: str) -> list[str]:
        return [text[match.start : match.end] for match in vocabulary.find(text)]

    assert spans("the greater trochanter") == ["greater trochanter"]
    assert "greater, trochanter" not in spans("the greater, trochanter")


@given(st.text(max_size=120))
def test_matches_lie_in_the_text_in_order(text: str) -> None:
    found = project_vocabulary().find(text)
    assert all(0 <= match.start < match.end <= len(text) for match in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_kinds_and_parts_lead_upward(vocabulary: Vocabulary) -> None:
    crest, ilium = term_id(vocabulary, "iliac crest"), term_id(vocabulary, "ilium")
    assert ilium in vocabulary.wholes(crest)
    assert vocabulary.refines(crest, ilium) and vocabulary.refines(ilium, crest)
    assert not vocabulary.refines(crest, term_id(vocabulary, "femur"))


def test_opposites_are_known_from_both_sides(vocabulary: Vocabulary) -> None:
    abduction, adduction = term_id(vocabulary, "abduction"), term_id(vocabulary, "adduction")
    assert vocabulary.opposed(abduction, adduction) and vocabulary.opposed(adduction, abduction)
    assert not vocabulary.opposed(abduction, abduction)


def test_every_relation_of_the_project_is_symmetric_and_sane(vocabulary: Vocabulary) -> None:
    for term in vocabulary.terms.values():
        assert not vocabulary.opposed(term.id, term.id), term.id
        for other in term.opposite:
            assert vocabulary.opposed(other, term.id), (term.id, other)
        for other in term.same_as:
            assert vocabulary.same(other, term.id), (term.id, other)


def test_every_name_without_a_comma_finds_a_term(vocabulary: Vocabulary) -> None:
    lost = [
        (term.id, name)
        for term in vocabulary.terms.values()
        for name in term.names
        if "," not in name and not vocabulary.find(name)
    ]
    assert lost == []


def test_headings_name_attributes_innermost_first(vocabulary: Vocabulary) -> None:
    assert vocabulary.heading_attribute(("Origin", "Nerve supply")) == "nerve"
    assert vocabulary.heading_attribute(("Origin", "Something else")) == "origin"
    assert vocabulary.heading_attribute(("Something else",)) is None


def test_a_vocabulary_kept_with_an_index_reads_as_its_files_do(vocabulary: Vocabulary) -> None:
    rows = json.loads(json.dumps(prepared_rows(vocabulary_rows(PROJECT_CORPUS / "vocabulary"))))
    kept = vocabulary_from_rows(rows)
    assert kept.terms == vocabulary.terms and kept.digest == vocabulary.digest and kept.words == vocabulary.words
    text = "Does a weak glute med cause a Trendelenburg gait, e.g. after surgery? Roots L5/S1, 81 %MVIC."
    assert kept.find(text) == vocabulary.find(text)
    for name, attribute in vocabulary.attributes.items():
        for own, other in zip(attribute.question_cues, kept.attributes[name].question_cues, strict=True):
            assert bool(own.search(text)) == bool(other.search(text)), (name, own.text)


def test_needles_never_hide_a_match(vocabulary: Vocabulary) -> None:
    kept = vocabulary_from_rows(prepared_rows(vocabulary_rows(PROJECT_CORPUS / "vocabulary")))
    texts = [attribute.question for attribute in list(vocabulary.attributes.values())[::2]]
    for attribute in kept.attributes.values():
        for cue in (*attribute.cues, *attribute.question_cues):
            assert all(bool(cue.search(text)) == bool(cue.pattern.search(text)) for text in texts), cue.text


def test_a_broken_vocabulary_reports_all_its_problems(tmp_path: Path) -> None:
    terms = [
        {"id": "b", "kind": "bone", "name": "a bone", "parents": ["nowhere"]},
        {"id": "a", "kind": "bone", "name": "another"},
        {"id": "a", "kind": "bone", "name": "again"},
        {"kind": "bone"},
    ]
    (tmp_path / "bones.yaml").write_text(yaml.safe_dump(terms), "utf-8")
    (tmp_path / "attributes.yaml").write_text(yaml.safe_dump([{"id": "x", "name": "x", "cues": ["(open"]}]), "utf-8")
    (tmp_path / "broken.yaml").write_text("a: [1", "utf-8")
    with pytest.raises(CorpusError) as caught:
        load_vocabulary(tmp_path)
    assert {finding.rule for finding in caught.value.findings} == {"dead-term", "duplicate-term", "term", "yaml"}
    with pytest.raises(CorpusError, match="no vocabulary files"):
        load_vocabulary(tmp_path / "none")
