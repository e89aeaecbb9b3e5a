"""``gmedbot init DIR``: a corpus folder about something else, ready to be filled; only data, no code.

What holds for every muscle (attributes, scales, units) is copied from the project's vocabulary; the subject gets a
term of its own that is marked as the focus; red flags are copied to be reviewed; gold files show their form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gmedbot.errors import CorpusError, FileFinding, StorageError, UsageError
from gmedbot.settings import default_corpus

__all__ = ["create_corpus"]

#: Files of the vocabulary that speak of no region of the body. Terms of other kinds belong to a subject.
_GENERAL = ("scales.yaml", "units.yaml")
_REFERENCES = ("parents", "part_of", "opposite", "same_as")

_START = """\
A corpus about the {name}.

  vocabulary/    terms and attributes: what questions and claims speak of
                 muscles.yaml holds the subject (focus: true); add its bones, nerves, actions, exercises
                 attributes.yaml, scales.yaml, units.yaml are copies: change them as you like
  *.md           one file per source: copy digest.txt to <id>.md and fill it in, or: gmedbot corpus add PAGE --corpus {folder}
  safety.yaml    red flags: a copy, written for the hip; review every rule before anybody uses the bot
  evaluation/    gold questions: gmedbot index diff shows how their answers change

  gmedbot corpus check --corpus {folder}
  gmedbot index build --corpus {folder} --index {folder}-index
  gmedbot chat --corpus {folder} --index {folder}-index
"""

_DIGEST = """\
---
id: author-2020
title: "Title of the source"
authors: [Author AB]
year: 2020
container: "Journal 1(2):3-4"
kind: web-article
evidence: lay
doi: null
url: https://example.org/page
topics: [anatomy]
n: null
population: null
method: null
lineage: null
reviewed: null
---
# Author 2020: {name}

## Origin
The {name} arises from … .

## Nerve supply
The {name} is supplied by … .
"""


def create_corpus(folder: Path, subject: str) -> tuple[Path, ...]:
    """Make the folder with its files.

    Args: subject: name of the muscle or topic, as it is written in a sentence.
    Returns: the files written.
    Raises: UsageError if the folder holds anything; StorageError if it cannot be written.
    """
    name = " ".join(subject.split()).strip()
    term_id = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    if not term_id:
        raise UsageError("--subject must be a name.", repr(subject))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} must be a new or empty folder.", "it holds something", "name another folder")
    written: list[Path] = []
    try:
        for relative, text in _files(folder, name, term_id):
            path = folder / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            written.append(path)
    except OSError as error:
        raise StorageError(f"Writing to {folder} must be possible.", error.strerror or str(error)) from error
    return tuple(written)


def _files(folder: Path, name: str, term_id: str) -> Iterator[tuple[str, str]]:
    project = default_corpus()
    if not (project / "vocabulary" / "attributes.yaml").is_file():
        raise CorpusError(
            "A new corpus starts from the attributes of the project's vocabulary.",
            [FileFinding("vocabulary/attributes.yaml", 0, "missing", f"not found in {project}")],
            "run this in the checkout, or install the package anew",
        )
    yield "START.txt", _START.format(name=name, folder=folder)
    yield "digest.txt", _DIGEST.format(name=name)
    yield "vocabulary/attributes.yaml", (project / "vocabulary" / "attributes.yaml").read_text("utf-8")
    for file in _GENERAL:
        path = project / "vocabulary" / file
        if path.is_file():
            yield f"vocabulary/{file}", _without_dead_references(path.read_text("utf-8"))
    yield "vocabulary/muscles.yaml", _subject_terms(name, term_id)
    if (project / "safety.yaml").is_file():
        yield (
            "safety.yaml",
            "# Copied from the hip: review every rule for your subject.\n"
            + (project / "safety.yaml").read_text("utf-8"),
        )
    question = {
        "id": "q001",
        "question": f"Which nerve supplies the {name}?",
        "style": "plain",
        "type": "fact",
        "gold": [],
        "split": "dev",
        "topic_key": "nerve",
    }
    yield "evaluation/questions.jsonl", json.dumps(question, ensure_ascii=False) + "\n"


def _subject_terms(name: str, term_id: str) -> str:
    row = {
        "id": term_id,
        "kind": "muscle",
        "name": name,
        "synonyms": [f"{name} muscle"],
        "lay": [],
        "gloss": "",
        "focus": True,
    }
    return "# The subject, and the muscles that sources compare it with.\n" + yaml.safe_dump(
        [row], sort_keys=False, allow_unicode=True
    )


def _without_dead_references(text: str) -> str:
    """A vocabulary file without references to terms of other files."""
    rows: list[dict[str, Any]] = yaml.safe_load(text) or []
    own = {row["id"] for row in rows}
    for row in rows:
        for key in _REFERENCES:
            value = row.get(key) or []
            names = [value] if isinstance(value, str) else value
            kept = [item for item in names if item in own]
            if kept:
                row[key] = kept
            else:
                row.pop(key, None)
        if row.get("maps_to") not in own:
            row.pop("maps_to", None)
    return yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=120)
