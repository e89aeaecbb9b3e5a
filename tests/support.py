"""Names that tests and ``conftest`` share: folders, the shape of a run of the program, makers of small values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from gmedbot.claims.vocabulary import Vocabulary, load_vocabulary
from gmedbot.types import Claim, Document, Frame, Source

ROOT = Path(__file__).resolve().parents[1]
SMALL_CORPUS = Path(__file__).parent / "data" / "corpus"
PROJECT_CORPUS = ROOT / "corpus"
#: Nothing in the small corpus is near it.
UNANSWERABLE = "Which vaccine protects against yellow fever?"


@cache
def project_vocabulary() -> Vocabulary:
    """The project's vocabulary, read once. A function and no fixture, as Hypothesis wants none that live for one test."""
    return load_vocabulary(PROJECT_CORPUS / "vocabulary")


@dataclass(frozen=True)
class Outcome:
    """What a run of the program gave."""

    code: int
    stdout: str
    stderr: str


class RunCli(Protocol):
    """Runs ``python -m gmedbot ARGUMENTS`` offline. ``stdin`` is what is typed; ``cwd`` an empty folder by default."""

    def __call__(self, *arguments: str | Path, stdin: str = "", cwd: Path | None = None) -> Outcome: ...


def make_source(source_id: str, **facts: Any) -> Source:
    """A source of which only what a test names matters."""
    given: dict[str, Any] = {
        "title": source_id.title(),
        "authors": ("Doe J",),
        "year": 2010,
        "container": "Journal",
        "kind": "textbook",
        "evidence": "expert",
    }
    return Source(source_id, **{**given, **facts})


def make_document(text: str, source_id: str = "doc") -> Document:
    """A document without a file."""
    return Document(make_source(source_id), text, f"{source_id}.md")


def make_claim(claim_id: str, text: str, frame: Frame, source_id: str | None = None) -> Claim:
    """A claim without a document; its source is the part of the id before the colon."""
    owner = source_id or claim_id.split(":")[0]
    return Claim(claim_id, owner, f"{owner}-p", text, 0, len(text), (), frame)
