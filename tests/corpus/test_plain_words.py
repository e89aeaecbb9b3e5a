"""Plain wordings are read whole; one with other figures than its statement is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gmedbot.corpus.plain_words import plain_files, read_plain, scan_plain
from gmedbot.errors import CorpusError

pytestmark = pytest.mark.core

STATEMENT = "The footprint measured 438.0 mm² in 12 hips."


def put(corpus: Path, text: str, name: str = "a") -> None:
    (corpus / "plain").mkdir(exist_ok=True)
    (corpus / "plain" / f"{name}.yaml").write_text(text, "utf-8")


def entry(plain: str, statement: str = STATEMENT) -> str:
    return f"- statement: {statement}\n  plain: {plain}\n"


def test_wordings_are_read_by_source_and_statement(tmp_path: Path) -> None:
    put(tmp_path, entry("The footprint was 438.0 mm².\n    The study had 12 hips."))
    put(tmp_path, entry("So it is.", "It is so."), "b")
    assert read_plain(tmp_path) == {
        ("a", STATEMENT): "The footprint was 438.0 mm². The study had 12 hips.",
        ("b", "It is so."): "So it is.",
    }
    assert [path.name for path in plain_files(tmp_path)] == ["a.yaml", "b.yaml"]


def test_a_corpus_without_wordings_has_none(tmp_path: Path) -> None:
    assert (plain_files(tmp_path), read_plain(tmp_path)) == ((), {})


@pytest.mark.parametrize(
    ("plain", "wanted"),
    [
        ("The footprint was 438.0 mm² in many hips.", "figures must be those of the statement: 12"),
        ("The footprint was 439.0 mm² in 12 hips.", "438.0, 439.0"),
        ("The footprint was 438.0 mm² in 12 hips of 7 people.", "statement: 7"),
        ("' '", "plain must be the same"),
        ("5", "plain must be the same"),
        (f"{'word ' * 130}438.0 12", "600 at most"),
    ],
)
def test_a_wrong_wording_is_named_by_its_place(tmp_path: Path, plain: str, wanted: str) -> None:
    put(tmp_path, entry("Plain.", "It is so.") + entry(plain))
    found, (finding,) = scan_plain(tmp_path)
    assert list(found) == [("a", "It is so.")]
    assert (finding.path, finding.rule, finding.is_error) == ("plain/a.yaml", "plain", True)
    assert finding.message.startswith("entry 2: ") and wanted in finding.message
    with pytest.raises(CorpusError):
        read_plain(tmp_path)


def test_a_statement_that_was_edited_is_a_warning_and_an_unknown_source_an_error(tmp_path: Path) -> None:
    put(tmp_path, entry("So it is.", "It is so."))
    assert scan_plain(tmp_path, {"a": ["It is so."]})[1] == ()
    (stale,) = scan_plain(tmp_path, {"a": ["It is otherwise."]})[1]
    assert (stale.rule, stale.is_error) == ("plain-stale", False)
    (lost,) = scan_plain(tmp_path, {})[1]
    assert (lost.rule, lost.is_error) == ("plain-source", True)
