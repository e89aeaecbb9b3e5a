"""``corpus check`` finds planted mistakes, each with its file and line, and leaves good digests alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gmedbot.corpus.check import CheckReport, check_corpus, render_check
from gmedbot.corpus.readme import render_readme, write_readme
from gmedbot.corpus.sentences import check_sentence
from gmedbot.corpus.sources import read_corpus
from gmedbot.errors import StorageError
from tests.support import SMALL_CORPUS

pytestmark = pytest.mark.core

FACT = "The gluteus medius inserts on the lateral facet of the greater trochanter."


ATTRIBUTES = (
    "- {id: nerve, name: nerve, headings: [Nerve supply], cues: ['nerve']}\n- {id: other, name: other, cues: ['.']}\n"
)
TERMS = "".join(
    f"- {{id: {name.replace(' ', '-')}, kind: {kind}, name: {name}}}\n"
    for name, kind in (
        ("gluteus medius", "muscle"),
        ("hip", "joint"),
        ("trochanter", "bone"),
        ("thigh", "surface"),
        ("nerve", "nerve"),
    )
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The small corpus with a vocabulary of five words: the project's takes a second to read."""
    folder = Path(shutil.copytree(SMALL_CORPUS, tmp_path / "corpus"))
    (folder / "vocabulary").mkdir()
    (folder / "vocabulary" / "attributes.yaml").write_text(ATTRIBUTES, "utf-8")
    (folder / "vocabulary" / "terms.yaml").write_text(TERMS, "utf-8")
    return folder


def plant(corpus: Path, name: str = "planted", text: str = f"# P\n\n## Insertion\n{FACT}\n", **facts: str) -> None:
    rows = {
        "id": name, "title": f'"Planted {name}"', "authors": '["Plant Q"]', "year": "2001", "container": '"Invented"',
        "kind": "textbook", "evidence": "expert", "topics": "[anatomy]",
    } | facts  # fmt: skip
    front = "".join(f"{key}: {value}\n" for key, value in rows.items())
    (corpus / f"{name}.md").write_text(f"---\n{front}---\n{text}", "utf-8")


def found(report: CheckReport, path: str = "planted.md") -> dict[str, tuple[int, bool]]:
    return {finding.rule: (finding.line, finding.is_error) for finding in report.findings if finding.path == path}


def test_a_good_corpus_has_no_errors_and_its_facts_are_counted(corpus: Path) -> None:
    report = check_corpus(corpus)
    assert report.errors == ()
    assert report.sources == 6
    assert report.attributes["nerve"] >= 3
    assert report.facts == sum(report.attributes.values())


@pytest.mark.parametrize(
    ("sentence", "rule", "is_error"),
    [
        ("It inserts on the greater trochanter of the femur.", "not-self-contained", True),
        ("They abduct the hip in walking.", "not-self-contained", True),
        ("This muscle abducts the hip.", "not-self-contained", True),
        ("In the same study, the gluteus medius was thinner.", "not-self-contained", True),
        ("Abducts the hip and rotates the thigh.", "no-subject", True),
        ("Supplied by the superior gluteal nerve.", "no-subject", True),
        ("The weather was fine on that day.", "no-subject", False),
        ("The activity of the gluteus medius in the clamshell was 62.", "no-unit", False),
        ("The gluteus medius abducts the hip", "no-full-stop", False),
        ("The gluteus medius " + "really " * 45 + "abducts the hip.", "long-sentence", False),
        ("All other books are wrong about the gluteus medius.", "no-statement", False),
        ("See <b>this</b> part of the gluteus medius.", "markup", True),
        ("The gluteus medius is [here](https://example.org).", "markup", True),
        ("The gluteus\u200b medius abducts the hip.", "hidden-character", True),
    ],
)
def test_a_planted_sentence_is_found_with_its_line(corpus: Path, sentence: str, rule: str, is_error: bool) -> None:
    plant(corpus, text=f"# P\n\n## Insertion\n{FACT}\n{sentence}\n")
    assert found(check_corpus(corpus)).get(rule) == (15, is_error)


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"kind": "poem"}, "closed-list"),
        ({"evidence": "trial"}, "evidence-kind"),
        ({"topics": "[hips]"}, "closed-list"),
        ({"lineage": "nobody"}, "lineage"),
        ({"doi": '"10.0000/INVENTED.2012.1"'}, "duplicate-doi"),
        ({"colour": "red"}, "unknown-key"),
        ({"year": "soon"}, "type"),
    ],
)
def test_a_planted_front_matter_is_found(corpus: Path, facts: dict[str, str], rule: str) -> None:
    plant(corpus, **facts)
    assert rule in {finding.rule for finding in check_corpus(corpus).errors}


def test_one_id_in_two_files_and_a_circle_of_lineage_are_errors(corpus: Path) -> None:
    plant(corpus, "one", lineage="two")
    plant(corpus, "two", lineage="one")
    (corpus / "copy.md").write_text((corpus / "one.md").read_text("utf-8"), "utf-8")
    rules = {finding.rule for finding in check_corpus(corpus).errors}
    assert {"duplicate-id", "lineage"} <= rules


def test_nearly_the_same_title_by_the_same_author_is_one_source_and_a_generic_title_is_not(corpus: Path) -> None:
    plant(
        corpus,
        "a",
        title='"Dissection of the superior gluteal nerve in 24 hemi-pelves"',
        authors='["Hartwell JQ"]',
        year="2012",
    )
    plant(corpus, "b", title='"Gluteus medius muscle"', container='"Encyclopaedia"', authors='["Anon"]')
    plant(
        corpus, "c", title='"Gluteus medius muscle"', container='"Another site"', authors='["Nobody Else"]', year="2009"
    )
    report = check_corpus(corpus)
    titles = [finding for finding in report.findings if finding.rule == "duplicate-title"]
    assert [(finding.path, finding.is_error) for finding in titles] == [("test-cadaver-2012.md", True)]


def test_copied_text_is_reported_with_its_share_until_the_lineage_says_so(corpus: Path) -> None:
    text = (
        "# P\n\n## Origin\nThe gluteus medius arises from the outer surface of the ilium between its anterior and posterior gluteal lines.\n"
        "The gluteus medius inserts at the lateral surface of the greater trochanter on the femur.\n"
    )
    plant(corpus, text=text)
    (warning,) = [f for f in check_corpus(corpus).findings if f.rule == "shared-text" and f.path == "planted.md"]
    assert "100% of the text also stands in test-atlas-2010" in warning.message
    plant(corpus, text=text, lineage="test-atlas-2010")
    assert "shared-text" not in found(check_corpus(corpus))


def test_a_full_text_page_may_write_as_it_likes(corpus: Path) -> None:
    plant(corpus, text="# P\n\nIt was a long day. They walked\n", **{"full-text": "true"})
    assert found(check_corpus(corpus)) == {}


def test_a_broken_vocabulary_is_reported_with_file_and_line(corpus: Path) -> None:
    folder = corpus / "vocabulary"
    (folder / "attributes.yaml").write_text(
        "- {id: nerve, name: nerve, headings: [Nerve supply], cues: ['(']}\n", "utf-8"
    )
    (folder / "terms.yaml").write_text(
        "- id: a\n  kind: muscle\n  name: a muscle\n\n- id: b\n  kind: muscle\n  name: b\n  parents: [gone]\n", "utf-8"
    )
    errors = {(f.path, f.line, f.rule) for f in check_corpus(corpus).errors}
    assert ("vocabulary/terms.yaml", 5, "dead-term") in errors
    assert any(path == "vocabulary/attributes.yaml" for path, _, _ in errors)


def test_a_broken_safety_file_is_an_error(corpus: Path) -> None:
    (corpus / "safety.yaml").write_text("version: 1\nrules: []\n", "utf-8")
    assert any(finding.path == "safety.yaml" for finding in check_corpus(corpus).errors)


def test_a_stale_readme_is_an_error_until_it_is_made_anew(corpus: Path) -> None:
    write_readme(corpus)
    assert check_corpus(corpus).errors == ()
    plant(corpus)
    assert [finding.rule for finding in check_corpus(corpus).errors] == ["stale-readme"]
    text = write_readme(corpus).read_text("utf-8")
    assert check_corpus(corpus).errors == ()
    assert "7 sources, published 2001–2020; 1 repeat another source" in text
    assert "| textbook | 2 |" in text


def test_a_readme_written_by_hand_is_not_overwritten(corpus: Path) -> None:
    (corpus / "README.md").write_text("# Mine\n", "utf-8")
    with pytest.raises(StorageError):
        write_readme(corpus)
    assert check_corpus(corpus).errors == ()


def test_the_readme_does_not_depend_on_the_order_of_the_sources(corpus: Path) -> None:
    sources = [document.source for document in read_corpus(corpus)]
    assert render_readme(sources) == render_readme(reversed(sources))


def test_the_report_names_file_line_and_rule_on_one_line(corpus: Path) -> None:
    plant(corpus, text="# P\n\nIt abducts the hip.\n")
    assert 'planted.md:13: [not-self-contained] begins with "It"' in render_check(check_corpus(corpus))


@pytest.mark.parametrize(
    "sentence",
    [
        "Both legs of 12 runners were tested for hip abduction strength.",
        "Its-like names are rare.",
        "In 21 healthy adults, side-lying hip abduction reached 81 %MVIC (SD 42) of the gluteus medius.",
        "The hazard ratio of a gluteal tear was 2.4.",
        "In 75 patients, ultrasound showed a gluteus medius tear in 53 of 75.",
    ],
)
def test_good_sentences_raise_nothing(sentence: str) -> None:
    assert [rule for rule, _, _ in check_sentence(sentence, None)] == []
