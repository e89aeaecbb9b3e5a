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


def write_calibration_gold(folder: Path, corpus: Path = SMALL_CORPUS) -> Path:
    """Dev questions enough to calibrate on: the sentences of a corpus as 60 questions, and 25 of other fields."""
    import json

    from gmedbot.corpus.sources import read_corpus

    folder.mkdir(parents=True, exist_ok=True)
    sentences = [
        (document.source.source_id, line.strip())
        for document in read_corpus(corpus)
        for line in document.text.splitlines()
        if line.strip().endswith(".") and not line.startswith(("#", "-", "|", ">")) and line.count(". ") == 0
    ]
    questions, unanswerable = [], []
    for number in range(60):
        source, text = sentences[number % len(sentences)]
        asked = f"{'Please say: ' * (number // len(sentences))}{text[:-1]}?"
        questions.append(
            {"id": f"q{number}", "question": asked, "split": "dev", "topic_key": f"q{number}", "style": "lay", "type": "fact",
             "gold": [{"source": source, "quote": text, "grade": 2}], "nuggets": [], "needs_several": False, "disputed": False}
        )  # fmt: skip
    cities = ("France", "Peru", "Japan", "Kenya", "Norway")
    things = ("capital of {}", "currency of {}", "president of {}", "longest river in {}", "anthem of {}")
    for number, text in enumerate(thing.format(city) for city in cities for thing in things):
        unanswerable.append(
            {"id": f"u{number}", "question": f"What is the {text}?", "near": False, "why": "", "split": "dev", "topic_key": f"u{number}"}
        )  # fmt: skip
    for name, rows in (("questions.jsonl", questions), ("unanswerable.jsonl", unanswerable)):
        (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return folder
