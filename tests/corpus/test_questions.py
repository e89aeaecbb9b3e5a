"""Learners' questions are read whole, and whatever is wrong with their files is found by file, entry and rule."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gmedbot.corpus.check import check_corpus
from gmedbot.corpus.questions import QuestionsOf, question_files, read_questions, scan_questions
from gmedbot.errors import CorpusError, FileFinding
from tests.support import SMALL_CORPUS

pytestmark = pytest.mark.core

NERVE = "The gluteus medius is supplied by the superior gluteal nerve."
GOOD = f"- statement: {NERVE}\n  asked:\n  - which nerve runs the side hip muscle?\n  - nerve of glute med\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The small corpus with a vocabulary of three words and an empty folder of questions."""
    folder = Path(shutil.copytree(SMALL_CORPUS, tmp_path / "corpus"))
    (folder / "questions").mkdir()
    (folder / "vocabulary").mkdir()
    (folder / "vocabulary" / "attributes.yaml").write_text("- {id: other, name: other, cues: ['.']}\n", "utf-8")
    terms = ("gluteus medius, kind: muscle", "trochanter, kind: bone", "nerve, kind: nerve")
    rows = (f"- {{id: {row.split(',')[0].replace(' ', '-')}, name: {row}}}\n" for row in terms)
    (folder / "vocabulary" / "terms.yaml").write_text("".join(rows), "utf-8")
    return folder


def put(corpus: Path, text: str, source_id: str = "test-atlas-2010") -> Path:
    path = corpus / "questions" / f"{source_id}.yaml"
    path.write_text(text, "utf-8")
    return path


def of_questions(corpus: Path) -> list[FileFinding]:
    return [finding for finding in check_corpus(corpus).findings if finding.path.startswith("questions/")]


def test_questions_are_read_by_file_and_order(corpus: Path) -> None:
    put(corpus, "- {statement: Last., asked: [z?]}\n- {statement: More., asked: [y?]}\n", "b")
    put(corpus, GOOD, "a")
    assert read_questions(corpus) == (
        QuestionsOf("a", NERVE, ("which nerve runs the side hip muscle?", "nerve of glute med")),
        QuestionsOf("b", "Last.", ("z?",)),
        QuestionsOf("b", "More.", ("y?",)),
    )
    assert [path.name for path in question_files(corpus)] == ["a.yaml", "b.yaml"]


def test_a_statement_folded_over_lines_is_one_sentence(corpus: Path) -> None:
    put(corpus, "- statement: The gluteus medius is supplied\n    by the superior gluteal nerve.\n  asked: [nerve?]\n")
    assert read_questions(corpus)[0].statement == NERVE
    assert of_questions(corpus) == []


def test_a_question_written_twice_under_a_statement_counts_once(corpus: Path) -> None:
    put(corpus, "- {statement: A., asked: [b?, c?, b?]}\n")
    assert read_questions(corpus)[0].asked == ("b?", "c?")


@pytest.mark.parametrize("has_folder", [False, True])
def test_a_corpus_without_questions_has_none_and_that_is_no_mistake(corpus: Path, has_folder: bool) -> None:
    if not has_folder:
        (corpus / "questions").rmdir()
    assert (question_files(corpus), read_questions(corpus)) == ((), ())
    assert check_corpus(corpus).errors == ()


@pytest.mark.parametrize("text", ["", "[]\n", "# nothing yet\n"])
def test_an_empty_file_holds_no_questions(corpus: Path, text: str) -> None:
    put(corpus, text)
    assert scan_questions(corpus) == ((), ())


def test_only_yaml_files_are_questions(corpus: Path) -> None:
    (corpus / "questions" / "notes.txt").write_text("not yaml: [", "utf-8")
    assert question_files(corpus) == ()


# --- what is wrong with a file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("just words", "must have statement and asked"),
        ("{statement: A.}", "must have statement and asked"),
        ("{statement: A., asked: [b?], note: c}", "nothing else"),
        ("{statement: '  ', asked: [b?]}", "statement must be the sentence"),
        ("{statement: 5, asked: [b?]}", "statement must be the sentence"),
        ("{statement: A., asked: b?}", "asked must be a list"),
        ("{statement: A., asked: []}", "asked must be a list"),
        ("{statement: A., asked: [b?, ' ']}", "asked must be a list"),
        ("{statement: A., asked: [b?, 12]}", "quote one that is a number"),
        ("{statement: A., asked: [{why: me}]}", "holds a colon"),
        (f"{{statement: A., asked: [{', '.join(f'q{n}?' for n in range(13))}]}}", "13 questions; 12 at most"),
        (f"{{statement: A., asked: [b?, {'c' * 301}]}}", "a question of 301 characters; 300 at most"),
    ],
)
def test_a_wrong_entry_is_named_by_its_place_and_the_others_are_kept(corpus: Path, entry: str, wanted: str) -> None:
    put(corpus, f"{GOOD}- {entry}\n")
    rows, (finding,) = scan_questions(corpus)
    assert [row.statement for row in rows] == [NERVE]
    assert (finding.path, finding.rule, finding.is_error) == ("questions/test-atlas-2010.yaml", "questions", True)
    assert finding.message.startswith("entry 2: ") and wanted in finding.message
    assert [f for f in of_questions(corpus) if f.is_error] == [finding]


def test_the_longest_question_and_the_fullest_list_are_taken(corpus: Path) -> None:
    asked = [f"q{n}?" for n in range(11)] + ["c" * 300]
    put(corpus, f"- {{statement: A., asked: [{', '.join(asked)}]}}\n")
    assert read_questions(corpus)[0].asked == tuple(asked)


def test_a_file_that_is_no_yaml_is_reported_with_its_line_and_does_not_hide_the_next(corpus: Path) -> None:
    put(corpus, "- statement: A.\n  asked: [b?]\n c\n", "a")
    put(corpus, GOOD)
    rows, (finding,) = scan_questions(corpus)
    assert [row.source_id for row in rows] == ["test-atlas-2010"]
    assert (finding.path, finding.line, finding.rule) == ("questions/a.yaml", 3, "questions")
    assert finding.is_error and finding.message


@pytest.mark.parametrize(
    "text",
    [
        "- statement: 2001-99-99\n",
        "- 2001-99-99\n",
        "- {statement: A., asked: [2001-02-30]}\n",
        "- 2001-01-01 25:61:00\n",
    ],
)
def test_a_date_that_is_none_is_reported_and_does_not_hide_the_next_file(corpus: Path, text: str) -> None:
    put(corpus, text, "a")
    put(corpus, GOOD)
    rows, (finding,) = scan_questions(corpus)
    assert [row.source_id for row in rows] == ["test-atlas-2010"]
    assert (finding.path, finding.rule, finding.is_error) == ("questions/a.yaml", "questions", True)
    assert finding.message
    assert finding in of_questions(corpus)
    with pytest.raises(CorpusError, match="gmedbot corpus check"):
        read_questions(corpus)


def test_a_date_where_a_sentence_should_be_is_a_wrong_entry(corpus: Path) -> None:
    put(corpus, f"{GOOD}- {{statement: 2001-09-09, asked: [b?]}}\n")
    rows, (finding,) = scan_questions(corpus)
    assert len(rows) == 1 and finding.message.startswith("entry 2: statement must be the sentence")


@pytest.mark.parametrize("text", ["statement: A.\nasked: [b?]\n", "words\n", "5\n"])
def test_a_file_that_is_no_list_is_reported(corpus: Path, text: str) -> None:
    put(corpus, text)
    assert [(f.line, f.rule, "must be a list" in f.message) for f in of_questions(corpus)] == [(1, "questions", True)]


def test_bytes_that_are_no_text_are_reported(corpus: Path) -> None:
    put(corpus, "").write_bytes(b"- statement: \xff\xfe\n")
    assert [(f.rule, f.is_error) for f in of_questions(corpus)] == [("questions", True)]


def test_code_in_a_file_is_not_run(corpus: Path, tmp_path: Path) -> None:
    put(corpus, f"- !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n")
    assert [finding.rule for finding in of_questions(corpus)] == ["questions"]
    assert not (tmp_path / "made").exists()


def test_reading_for_a_build_refuses_and_shows_every_finding(corpus: Path) -> None:
    put(corpus, "- a\n- b\n", "one")
    put(corpus, "words\n", "two")
    with pytest.raises(CorpusError, match="gmedbot corpus check") as raised:
        read_questions(corpus)
    assert [finding.path for finding in raised.value.findings] == ["questions/one.yaml"] * 2 + ["questions/two.yaml"]


# --- what is wrong beside the sources -------------------------------------------------------------------------------


def test_questions_beside_their_source_raise_nothing(corpus: Path) -> None:
    put(corpus, GOOD)
    assert of_questions(corpus) == []


def test_questions_of_no_source_are_an_error_told_once(corpus: Path) -> None:
    put(corpus, GOOD + GOOD, "test-atlas-2011")
    (finding,) = of_questions(corpus)
    assert (finding.path, finding.rule, finding.is_error) == (
        "questions/test-atlas-2011.yaml",
        "questions-source",
        True,
    )


def test_a_sentence_that_was_rewritten_leaves_a_warning_that_quotes_the_old_one(corpus: Path) -> None:
    put(corpus, GOOD)
    source = corpus / "test-atlas-2010.md"
    source.write_text(source.read_text("utf-8").replace("is supplied by", "is innervated by"), "utf-8")
    (finding,) = of_questions(corpus)
    assert (finding.rule, finding.is_error) == ("questions-stale", False)
    assert NERVE in finding.message
    assert check_corpus(corpus).errors == ()


def test_a_sentence_of_another_source_is_stale_too(corpus: Path) -> None:
    put(corpus, GOOD, "test-emg-2009")
    assert [finding.rule for finding in of_questions(corpus)] == ["questions-stale"]


def test_without_the_sources_nothing_can_be_stale(corpus: Path) -> None:
    put(corpus, GOOD, "nobody")
    assert scan_questions(corpus)[1] == ()
    assert [finding.rule for finding in scan_questions(corpus, {"nobody": []})[1]] == ["questions-stale"]
    assert [finding.rule for finding in scan_questions(corpus, {})[1]] == ["questions-source"]
