"""Questions to which a dispute matters, and questions beside it: ``corpus/disputes.yaml``.

What is asked and what is disputed often share all their words: "how high should the band sit?" is no question about
how hard the muscle works with it. For a dispute that the maintainers wrote down in ``reviews.yaml`` this file holds
questions that need both sides, and questions near by that do not, so that a card is shown to those whom it helps.

    - topic: origin on the iliac crest
      asked:
      - how much of the iliac crest does the muscle start from?
      beside:
      - how do I find the iliac crest with my fingers?
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gmedbot.corpus.entries import question_problem, read_entries
from gmedbot.errors import CorpusError, FileFinding

__all__ = ["QuestionsOnDispute", "dispute_file", "read_disputes", "scan_disputes"]

_NAME = "disputes.yaml"
_MOST = 40  #: questions of one list


@dataclass(frozen=True)
class QuestionsOnDispute:
    """What people ask that the dispute of this topic bears on, and what they ask near it that it does not."""

    topic: str
    asked: tuple[str, ...]
    beside: tuple[str, ...]


def dispute_file(corpus: Path) -> Path | None:
    """The file, None if the corpus has none."""
    path = corpus / _NAME
    return path if path.is_file() else None


def read_disputes(corpus: Path) -> tuple[QuestionsOnDispute, ...]:
    """All questions on disputes, in order. Raises: CorpusError with every finding."""
    found, findings = scan_disputes(corpus)
    if findings:
        raise CorpusError(f"{_NAME} must be readable.", list(findings))
    return found


def scan_disputes(
    corpus: Path, topics: Collection[str] | None = None
) -> tuple[tuple[QuestionsOnDispute, ...], tuple[FileFinding, ...]]:
    """Read what can be read and report what cannot.

    Args: topics: those of the disputes of ``reviews.yaml``; where given, questions on others are reported too.
    """
    path = dispute_file(corpus)
    if path is None:
        return (), ()
    records, findings = read_entries(path, _NAME, "disputes", _problem, "topics with what is asked")
    for topic in sorted({row["topic"] for row in records} - set(topics)) if topics is not None else ():
        message = f"reviews.yaml holds no dispute of this topic: {topic[:80]}"
        findings.append(FileFinding(_NAME, 0, "disputes-stale", message, is_error=False))
    rows = [QuestionsOnDispute(row["topic"], tuple(row["asked"]), tuple(row.get("beside") or ())) for row in records]
    return tuple(rows), tuple(findings)


def _problem(record: Any) -> str:
    """What is wrong with one entry, "" if nothing is."""
    if not isinstance(record, dict) or not {"topic", "asked"} <= set(record) <= {"topic", "asked", "beside"}:
        return "must have topic and asked, may have beside, and nothing else"
    if not isinstance(record["topic"], str) or not record["topic"].strip():
        return "topic must be that of a dispute in reviews.yaml"
    problem = question_problem("asked", record["asked"], _MOST)
    return problem or (question_problem("beside", record["beside"], _MOST) if record.get("beside") else "")
