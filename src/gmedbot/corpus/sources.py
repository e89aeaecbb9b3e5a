"""One Markdown file per source → ``Document``: front matter read, checked against closed lists, text kept as it is.

A file that is wrong never stops the reading of the others: all findings of all files are reported together, with
file and line, because a maintainer who adds thirty sources should not need thirty runs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gmedbot.corpus.plain import is_to_machine, without_markup
from gmedbot.errors import CorpusError, FileFinding, UsageError
from gmedbot.types import EVIDENCE_RANK, Document, Source

__all__ = [
    "EVIDENCE",
    "KINDS",
    "TOPICS",
    "corpus_files",
    "find_document",
    "parse_document",
    "read_corpus",
    "scan_corpus",
]

#: What a source can be. The evidence level that each kind may claim at most keeps a blog from calling itself a trial.
KINDS: Mapping[str, tuple[str, ...]] = {
    "systematic-review": ("synthesis",),
    "randomised-trial": ("trial",),
    "cohort": ("study",),
    "diagnostic-study": ("study",),
    "emg-study": ("study",),
    "cadaver-study": ("study",),
    "imaging-study": ("study",),
    "laboratory-study": ("study",),
    "case-series": ("study",),
    "study-protocol": ("expert",),
    "narrative-review": ("expert",),
    "textbook": ("expert",),
    "guideline": ("synthesis", "expert"),
    "patient-information": ("expert", "lay"),
    "clinician-article": ("expert", "lay"),
    "web-article": ("lay", "expert"),
}
EVIDENCE = tuple(EVIDENCE_RANK)
TOPICS = (
    "anatomy",
    "function",
    "exercises",
    "injury",
    "diagnosis",
    "treatment",
    "prevention",
    "injection",
    "surgery",
    "imaging",
    "strength",
)
_REQUIRED = ("id", "title", "authors", "container", "kind", "evidence", "topics")
_OPTIONAL = ("year", "doi", "url", "n", "population", "method", "lineage", "reviewed", "full-text")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SKIPPED = {"README.md"}
#: (done, total) → None
Told = Callable[[int, int], None]
#: The same loader in C where PyYAML was built with it: reading 400 sources takes a fifth of the time.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def corpus_files(folder: Path) -> tuple[Path, ...]:
    """The source files below ``folder``, sorted by path; README files and the vocabulary are not sources."""
    return tuple(
        path
        for path in sorted(folder.rglob("*.md"))
        if path.name not in _SKIPPED and "vocabulary" not in path.relative_to(folder).parts
    )


def read_corpus(folder: Path, told: Told | None = None) -> tuple[Document, ...]:
    """Read every source file of ``folder``.

    Args: told: files read, of how many.
    Returns: documents sorted by source id.
    Raises: CorpusError with every finding of every file, or when there is no source file at all.
    """
    documents, findings = scan_corpus(folder, told)
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        raise CorpusError(f"Every source file in {folder} must be readable.", errors)
    if not documents:
        raise CorpusError(
            f"{folder} must hold at least one source file (*.md with front matter).",
            [FileFinding(str(folder), 0, "empty", "no source files found")],
            "gmedbot corpus add FILE, or point --corpus at another folder",
        )
    return documents


def scan_corpus(folder: Path, told: Told | None = None) -> tuple[tuple[Document, ...], tuple[FileFinding, ...]]:
    """Read what can be read and report what cannot; the tolerant form of ``read_corpus``."""
    documents: dict[str, Document] = {}
    findings: list[FileFinding] = []
    files = corpus_files(folder)
    for number, path in enumerate(files, start=1):
        if told is not None:
            told(number, len(files))
        shown = path.relative_to(folder).as_posix()
        try:
            raw = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            findings.append(FileFinding(shown, 0, "encoding", f"not UTF-8 at byte {error.start}"))
            continue
        except OSError as error:
            findings.append(FileFinding(shown, 0, "unreadable", error.strerror or str(error)))
            continue
        document, found = parse_document(raw, shown)
        findings.extend(found)
        if document is None:
            continue
        source_id = document.source.source_id
        if source_id in documents:
            findings.append(
                FileFinding(shown, 2, "duplicate-id", f"id {source_id} is also in {documents[source_id].path}")
            )
            continue
        if path.stem != source_id:
            findings.append(FileFinding(shown, 2, "file-name", f"file name and id differ: {source_id}", is_error=False))
        documents[source_id] = document
    findings.extend(_dead_lineage(documents))
    ordered = tuple(documents[key] for key in sorted(documents))
    return ordered, tuple(sorted(findings))


def find_document(folder: Path, source_id: str) -> Document:
    """The document of one source; its own file is tried first, so that showing one does not read all.

    Raises: UsageError naming the nearest ids if there is none.
    """
    own = folder / f"{source_id}.md"
    if _ID.fullmatch(source_id) and own.is_file():
        document, _ = parse_document(own.read_bytes().decode("utf-8", "replace"), own.name)
        if document is not None and document.source.source_id == source_id:
            return document
    documents, findings = scan_corpus(folder)
    for document in documents:
        if document.source.source_id == source_id:
            return document
    broken = next((finding for finding in findings if finding.is_error and Path(finding.path).stem == source_id), None)
    if broken is not None:
        raise CorpusError(f"{broken.path} must be readable.", [broken])
    near = difflib.get_close_matches(source_id, [document.source.source_id for document in documents], 3, 0.5)
    hint = f"; near: {', '.join(near)}" if near else ""
    raise UsageError(f"{folder} must hold a source {source_id}.", f"no such id{hint}", "gmedbot corpus list")


def parse_document(raw: str, path: str) -> tuple[Document | None, tuple[FileFinding, ...]]:
    """Parse one file's text. Returns the document, or None with the findings that say why not."""
    raw = raw.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    match = re.match(r"---\n(.*?\n)---[ \t]*(?:\n|\Z)", raw, re.DOTALL)
    if match is None:
        return None, (FileFinding(path, 1, "front-matter", "must begin with a front matter between two lines ---"),)
    block = match.group(1)
    try:
        meta = yaml.load(block, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 2 + (mark.line if mark else 0)
        problem = getattr(error, "problem", None) or "not valid YAML"
        return None, (FileFinding(path, line, "front-matter", f"{problem} (quote values that hold a colon)"),)
    if not isinstance(meta, dict):
        return None, (FileFinding(path, 2, "front-matter", "must be a list of key: value lines"),)
    findings = tuple(_check_meta(meta, block, path))
    text = raw[match.end() :]
    first_line = raw.count("\n", 0, match.end()) + 1
    if not text.strip():
        findings += (FileFinding(path, first_line, "no-text", "there is no text after the front matter"),)
    if any(finding.is_error for finding in findings):
        return None, findings
    return Document(_source(meta), text, path, first_line), findings


def _line_of_key(block: str, key: str) -> int:
    for number, line in enumerate(block.splitlines(), start=2):
        if line.startswith(f"{key}:"):
            return number
    return 1


def _check_meta(meta: dict[Any, Any], block: str, path: str) -> Iterator[FileFinding]:
    def wrong(key: str, rule: str, message: str) -> FileFinding:
        return FileFinding(path, _line_of_key(block, key), rule, message)

    for key in meta:
        if key not in _REQUIRED and key not in _OPTIONAL:
            yield wrong(str(key), "unknown-key", f"unknown key {key}; known: {', '.join(_REQUIRED + _OPTIONAL)}")
    for key in _REQUIRED:
        if meta.get(key) in (None, "", []):
            yield wrong(key, "missing", f"{key} is missing")
    yield from _check_types(meta, wrong)
    kind: Any = meta.get("kind")
    evidence: Any = meta.get("evidence")
    if kind is not None and kind not in KINDS:
        yield wrong("kind", "closed-list", f"kind {kind!r} is not one of {', '.join(KINDS)}")
    if evidence is not None and evidence not in EVIDENCE:
        yield wrong("evidence", "closed-list", f"evidence {evidence!r} is not one of {', '.join(EVIDENCE)}")
    elif kind in KINDS and evidence is not None and evidence not in KINDS[kind]:
        allowed = " or ".join(KINDS[kind])
        yield wrong("evidence", "evidence-kind", f"a {kind} has evidence {allowed}, not {evidence}")


def _check_types(meta: dict[Any, Any], wrong: Any) -> Iterator[FileFinding]:
    source_id = meta.get("id")
    if source_id is not None and not (isinstance(source_id, str) and _ID.fullmatch(source_id)):
        yield wrong("id", "id-form", f"id {source_id!r} must be lower-case letters, digits and single hyphens")
    for key in ("title", "container", "kind", "evidence", "doi", "url", "population", "method", "lineage"):
        if meta.get(key) is not None and not isinstance(meta[key], str):
            yield wrong(key, "type", f"{key} must be text (put it in quotes), found {meta[key]!r}")
    for key in ("authors", "topics"):
        value = meta.get(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            yield wrong(key, "type", f"{key} must be a list of texts, found {value!r}")
    if isinstance(meta.get("topics"), list):
        for topic in meta["topics"]:
            if topic not in TOPICS:
                yield wrong("topics", "closed-list", f"topic {topic!r} is not one of {', '.join(TOPICS)}")
    for key, low, high in (("year", 1500, 2100), ("n", 1, 10**9)):
        value = meta.get(key)
        is_int = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_int and low <= value <= high):
            yield wrong(key, "type", f"{key} must be a whole number from {low} to {high}, found {value!r}")
    url = meta.get("url")
    if isinstance(url, str) and not re.fullmatch(r"https?://[^\s<>\"']+", url):
        yield wrong("url", "url", f"url must be a full http(s) address, found {url!r}")
    doi = meta.get("doi")
    if isinstance(doi, str) and not re.fullmatch(r"10\.\d{4,9}/\S+", doi):
        yield wrong("doi", "doi", f"doi must be bare (10.…/…), found {doi!r}")


def _title(meta: dict[str, Any]) -> str:
    """The title as a reader sees it; where it speaks to a program, the name of the file."""
    title = without_markup(meta["title"])
    return meta["id"] if is_to_machine(title) else title


def _source(meta: dict[str, Any]) -> Source:
    doi = meta.get("doi")
    url = meta.get("url") or (f"https://doi.org/{doi}" if doi else None)
    return Source(
        source_id=meta["id"],
        title=_title(meta),
        authors=tuple(meta["authors"]),
        year=meta.get("year"),
        container=meta["container"],
        kind=meta["kind"],
        evidence=meta["evidence"],
        doi=doi,
        url=url,
        topics=tuple(meta["topics"]),
        n=meta.get("n"),
        population=meta.get("population"),
        method=meta.get("method"),
        lineage=meta.get("lineage"),
        reviewed=str(meta["reviewed"]) if meta.get("reviewed") else None,
        is_full_text=bool(meta.get("full-text", False)),
    )


def _dead_lineage(documents: Mapping[str, Document]) -> Iterable[FileFinding]:
    for document in documents.values():
        lineage = document.source.lineage
        if lineage is None:
            continue
        if lineage == document.source.source_id:
            yield FileFinding(document.path, 2, "lineage", "a source cannot be its own lineage")
        elif lineage not in documents:
            yield FileFinding(document.path, 2, "lineage", f"lineage {lineage} is not in the corpus")
