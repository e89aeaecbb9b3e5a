"""Questions on disputes are read whole, and whatever is wrong with their file is found by entry and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from gmedbot.corpus.disputes import QuestionsOnDispute, dispute_file, read_disputes, scan_disputes
from gmedbot.errors import CorpusError

pytestmark = pytest.mark.core

GOOD = "- topic: roots\n  asked: [which roots?, is it L4?]\n  beside: [which nerve?]\n"


def put(corpus: Path, text: str) -> Path:
    path = corpus / "disputes.yaml"
    path.write_text(text, "utf-8")
    return path


def test_questions_are_read_in_order_and_those_beside_may_be_left_out(tmp_path: Path) -> None:
    put(tmp_path, f"{GOOD}- {{topic: origin, asked: [where from?]}}\n")
    assert read_disputes(tmp_path) == (
        QuestionsOnDispute("roots", ("which roots?", "is it L4?"), ("which nerve?",)),
        QuestionsOnDispute("origin", ("where from?",), ()),
    )


def test_a_corpus_without_the_file_has_none(tmp_path: Path) -> None:
    assert (dispute_file(tmp_path), read_disputes(tmp_path)) == (None, ())


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("just words", "must have topic and asked"),
        ("{topic: a}", "must have topic and asked"),
        ("{topic: a, asked: [b?], note: c}", "nothing else"),
        ("{topic: ' ', asked: [b?]}", "topic must be that of a dispute"),
        ("{topic: 5, asked: [b?]}", "topic must be that of a dispute"),
        ("{topic: a, asked: b?}", "asked must be a list"),
        ("{topic: a, asked: [b?], beside: c?}", "beside must be a list"),
        (f"{{topic: a, asked: [{', '.join(f'q{n}?' for n in range(41))}]}}", "41 questions; 40 at most"),
        (f"{{topic: a, asked: [b?], beside: [{'c' * 301}]}}", "a question of 301 characters"),
    ],
)
def test_a_wrong_entry_is_named_by_its_place_and_the_others_are_kept(tmp_path: Path, entry: str, wanted: str) -> None:
    put(tmp_path, f"{GOOD}- {entry}\n")
    rows, (finding,) = scan_disputes(tmp_path)
    assert [row.topic for row in rows] == ["roots"]
    assert (finding.path, finding.rule, finding.is_error) == ("disputes.yaml", "disputes", True)
    assert finding.message.startswith("entry 2: ") and wanted in finding.message
    with pytest.raises(CorpusError):
        read_disputes(tmp_path)


def test_questions_on_what_nobody_disputes_are_a_warning(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    assert scan_disputes(tmp_path, ["roots"])[1] == ()
    (finding,) = scan_disputes(tmp_path, ["origin"])[1]
    assert (finding.rule, finding.is_error) == ("disputes-stale", False) and "roots" in finding.message
