"""Questions in learners' words beside the statements that answer them: ``corpus/questions/<source id>.yaml``.

A statement says "a lateral pelvic drop of the opposite side"; a learner asks why the hip dips. A file of questions
closes that gap by hand where no encoder does (question-side document expansion, after doc2query, Nogueira et al. 2019).
The questions only help to find a statement: they are never shown as words of its source, and a source without a file is
found by its own words as before.

    - statement: The gluteus medius is supplied by the superior gluteal nerve.
      asked:
      - which nerve runs the side hip muscle?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gmedbot.corpus.entries import question_problem, read_entries, stale_statements
from gmedbot.errors import CorpusError, FileFinding

__all__ = ["QuestionsOf", "question_files", "read_questions", "scan_questions"]

_MOST = 12  #: questions of one statement; more are a text, not questions


@dataclass(frozen=True)
class QuestionsOf:
    """What people ask that one statement of a source answers."""

    source_id: str
    statement: str
    asked: tuple[str, ...]


def question_files(corpus: Path) -> tuple[Path, ...]:
    """The files of questions of a corpus, by name; none if it has no such folder."""
    return tuple(sorted((corpus / "questions").glob("*.yaml")))


def read_questions(corpus: Path) -> tuple[QuestionsOf, ...]:
    """All questions of a corpus, by file and order. Raises: CorpusError with every finding."""
    found, findings = scan_questions(corpus)
    if findings:
        raise CorpusError("Every file of corpus/questions must be readable.", list(findings))
    return found


def scan_questions(
    corpus: Path, sentences: Mapping[str, Sequence[str]] | None = None
) -> tuple[tuple[QuestionsOf, ...], tuple[FileFinding, ...]]:
    """Read what can be read and report what cannot.

    Args: sentences: source id → its sentences; where given, questions of unknown sources and of statements that no
        sentence holds any more are reported too.
    """
    rows: list[QuestionsOf] = []
    findings: list[FileFinding] = []
    for path in question_files(corpus):
        shown = path.relative_to(corpus).as_posix()
        records, wrong = read_entries(path, shown, "questions", _problem, "statements with what is asked")
        own = [QuestionsOf(path.stem, row["statement"], tuple(dict.fromkeys(row["asked"]))) for row in records]
        rows += own
        findings += wrong
        if sentences is not None and (own or not wrong):
            statements = [row.statement for row in own]
            findings += stale_statements(statements, shown, "questions", sentences.get(path.stem))
    return tuple(rows), tuple(findings)


def _problem(record: Any) -> str:
    """What is wrong with one entry, "" if nothing is."""
    if not isinstance(record, dict) or set(record) != {"statement", "asked"}:
        return "must have statement and asked, and nothing else"
    if not isinstance(record["statement"], str) or not record["statement"].strip():
        return "statement must be the sentence as it stands in the source"
    return question_problem("asked", record["asked"], _MOST)
