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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gmedbot.errors import CorpusError, FileFinding

__all__ = ["QuestionsOf", "question_files", "read_questions", "scan_questions"]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST = 300  #: characters of a question
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
        try:
            records = yaml.load(path.read_text("utf-8"), Loader=_LOADER) or []
        except (yaml.YAMLError, OSError, ValueError) as error:  # PyYAML lets a date that is none through as ValueError
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 0
            findings.append(FileFinding(shown, line, "questions", getattr(error, "problem", None) or str(error)))
            continue
        if not isinstance(records, list):
            findings.append(FileFinding(shown, 1, "questions", "must be a list of statements with what is asked"))
            continue
        own, wrong = _rows(path.stem, shown, records)
        rows += own
        findings += wrong
        if sentences is not None:
            findings += _unbound(own, shown, sentences.get(path.stem))
    return tuple(rows), tuple(findings)


def _rows(source_id: str, shown: str, records: Sequence[Any]) -> tuple[list[QuestionsOf], list[FileFinding]]:
    rows: list[QuestionsOf] = []
    findings: list[FileFinding] = []
    for place, record in enumerate(records, start=1):
        problem = _problem(record)
        if problem:
            findings.append(FileFinding(shown, 0, "questions", f"entry {place}: {problem}"))
        else:
            rows.append(QuestionsOf(source_id, record["statement"], tuple(dict.fromkeys(record["asked"]))))
    return rows, findings


def _problem(record: Any) -> str:
    """What is wrong with one entry, "" if nothing is."""
    if not isinstance(record, dict) or set(record) != {"statement", "asked"}:
        return "must have statement and asked, and nothing else"
    asked = record["asked"]
    if not isinstance(record["statement"], str) or not record["statement"].strip():
        return "statement must be the sentence as it stands in the source"
    if not isinstance(asked, list) or not asked or not all(isinstance(text, str) and text.strip() for text in asked):
        return "asked must be a list of questions (quote one that is a number or holds a colon)"
    if len(asked) > _MOST:
        return f"{len(asked)} questions; {_MOST} at most"
    longest = max(len(text) for text in asked)
    return f"a question of {longest} characters; {_LONGEST} at most" if longest > _LONGEST else ""


def _unbound(rows: Sequence[QuestionsOf], shown: str, sentences: Sequence[str] | None) -> Iterator[FileFinding]:
    if sentences is None:
        yield FileFinding(shown, 0, "questions-source", "there is no source of this name")
        return
    known = set(sentences)
    for row in rows:
        if row.statement not in known:
            message = f"the source holds no such sentence any more: {row.statement[:80]}"
            yield FileFinding(shown, 0, "questions-stale", message, is_error=False)
