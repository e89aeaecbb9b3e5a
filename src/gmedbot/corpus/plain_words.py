"""The same in plain words: ``corpus/plain/<source id>.yaml``.

A digest keeps the terms and the long sentences of its field; many who ask are no students of it yet. A plain wording
says what its statement says, no more and no less, in short sentences. It is shown in place of the statement, whose
words stay what is quoted, searched and compared; a statement without one is shown as it is.

    - statement: The gluteus medius is supplied by the superior gluteal nerve from the roots L4 to S1.
      plain: The superior gluteal nerve supplies the gluteus medius. Its roots are L4 to S1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmedbot.corpus.entries import read_entries, stale_statements
from gmedbot.errors import CorpusError, FileFinding

__all__ = ["PlainWordings", "plain_files", "read_plain", "scan_plain"]

_LONGEST = 600  #: characters
_NUMERAL = re.compile(r"\d+(?:[.,]\d+)*")

#: (source id, statement) → the same in plain words.
PlainWordings = Mapping[tuple[str, str], str]


def plain_files(corpus: Path) -> tuple[Path, ...]:
    """The files of plain wordings of a corpus, by name; none if it has no such folder."""
    return tuple(sorted((corpus / "plain").glob("*.yaml")))


def read_plain(corpus: Path) -> PlainWordings:
    """All plain wordings of a corpus. Raises: CorpusError with every finding."""
    found, findings = scan_plain(corpus)
    if findings:
        raise CorpusError("Every file of corpus/plain must be readable.", list(findings))
    return found


def scan_plain(
    corpus: Path, sentences: Mapping[str, Sequence[str]] | None = None
) -> tuple[PlainWordings, tuple[FileFinding, ...]]:
    """Read what can be read and report what cannot.

    Args: sentences: source id → its sentences; where given, wordings of unknown sources and of statements that no sentence
        holds any more are reported too.
    """
    found: dict[tuple[str, str], str] = {}
    findings: list[FileFinding] = []
    for path in plain_files(corpus):
        shown = path.relative_to(corpus).as_posix()
        records, wrong = read_entries(path, shown, "plain", _problem, "statements with their plain wording")
        findings += wrong
        found |= {(path.stem, row["statement"]): " ".join(row["plain"].split()) for row in records}
        if sentences is not None and (records or not wrong):
            statements = [row["statement"] for row in records]
            findings += stale_statements(statements, shown, "plain", sentences.get(path.stem))
    return found, tuple(findings)


def _problem(record: Any) -> str:
    """What is wrong with one entry, "" if nothing is. Figures are what a rewording must never change."""
    if not isinstance(record, dict) or set(record) != {"statement", "plain"}:
        return "must have statement and plain, and nothing else"
    statement, plain = record["statement"], record["plain"]
    if not isinstance(statement, str) or not statement.strip():
        return "statement must be the sentence as it stands in the source"
    if not isinstance(plain, str) or not plain.strip():
        return "plain must be the same in plain words"
    if len(plain) > _LONGEST:
        return f"a wording of {len(plain)} characters; {_LONGEST} at most"
    said, meant = (set(_NUMERAL.findall(text)) for text in (plain, statement))
    if said != meant:
        return f"its figures must be those of the statement: {', '.join(sorted(said ^ meant))}"
    return ""
