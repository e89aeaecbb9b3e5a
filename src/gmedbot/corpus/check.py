"""``gmedbot corpus check``: every mistake of a corpus that a machine can see, with file and line.

Errors are mistakes that would make the bot say something wrong or twice: a broken file, a source that counts as two,
a sentence that means nothing alone, markup that a page might run. Warnings ask a person to look.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gmedbot.claims.vocabulary import Vocabulary, prepared_rows, vocabulary_from_rows, vocabulary_rows
from gmedbot.corpus.disputes import scan_disputes
from gmedbot.corpus.duplicates import LONG_RUN, Overlap, document_texts, find_overlaps, propose_lineage
from gmedbot.corpus.plain import is_statement
from gmedbot.corpus.plain_words import scan_plain
from gmedbot.corpus.questions import scan_questions
from gmedbot.corpus.readme import stale_readme
from gmedbot.corpus.sentences import check_sentence
from gmedbot.corpus.sources import scan_corpus
from gmedbot.corpus.terms import check_vocabulary
from gmedbot.errors import CorpusError, FileFinding
from gmedbot.passages import split_sections, split_sentences
from gmedbot.types import Document, Source

__all__ = ["CheckReport", "check_corpus", "render_check"]

#: Share of a digest's words in runs of nine words of another digest from which a person should look. Measured on 400
#: digests in one house style: plain anatomy ("The gluteus medius is supplied by the superior gluteal nerve.") makes
#: unrelated pairs share up to a quarter.
_SHARED = 0.3
_TITLES = 512  #: titles compared with all others of their block at once
_MARKUP = re.compile(r"<(?:[a-zA-Z!/])[^>\n]*>?|!?\[[^\]\n]*\]\([^)\n]*\)|javascript:|\]\s*\[", re.IGNORECASE)
_HIDDEN = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f\x00-\x08\x0b-\x1f\x7f]"
)


@dataclass(frozen=True)
class CheckReport:
    """All findings, errors first within a file, and how many facts there are of each attribute."""

    findings: tuple[FileFinding, ...]
    sources: int
    facts: int
    attributes: Mapping[str, int]

    @property
    def errors(self) -> tuple[FileFinding, ...]:
        return tuple(finding for finding in self.findings if finding.is_error)

    @property
    def warnings(self) -> tuple[FileFinding, ...]:
        return tuple(finding for finding in self.findings if not finding.is_error)

    def to_json(self, with_warnings: bool = True) -> dict[str, Any]:
        shown = self.findings if with_warnings else self.errors
        return {
            "ok": not self.errors,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "sources": self.sources,
            "facts": self.facts,
            "attributes": dict(self.attributes),
            "findings": [
                {**{key: value for key, value in asdict(finding).items() if key != "is_error"},
                 "level": "error" if finding.is_error else "warning"}
                for finding in shown
            ],
        }  # fmt: skip


def check_corpus(folder: Path) -> CheckReport:
    """Check every source file, the vocabulary, the red-flag rules, the reviews, the questions and the generated README.

    Never raises for what is in the files; a folder without sources is a finding.
    """
    documents, schema = scan_corpus(folder)
    findings = list(schema)
    if not documents and not schema:
        findings.append(FileFinding(str(folder), 0, "empty", "no source files (*.md with front matter)"))
    vocabulary, found = _vocabulary(folder)
    findings.extend(found)
    findings.extend(_data_files(folder))
    sources = {document.source.source_id: document.source for document in documents}
    by_id = {document.source.source_id: document for document in documents}
    findings.extend(_lineage_circles(by_id))
    findings.extend(_same_sources(documents))
    counts: Counter[str] = Counter()
    facts = 0
    sentences: dict[str, list[str]] = {}
    for document in documents:
        findings.extend(_marks(document))
        for text, offset, heading in _sentences(document):
            facts += 1
            sentences.setdefault(document.source.source_id, []).append(text)
            counts[_attribute(text, heading, vocabulary)] += 1
            if not is_statement(text):
                message = (
                    f"speaks to a program, of all other sources, or in live markup; nothing will quote it: {text[:80]}"
                )
                findings.append(FileFinding(document.path, document.line_of(offset), "no-statement", message, False))
            if not document.source.is_full_text:
                for rule, message, is_error in check_sentence(text, vocabulary):
                    findings.append(FileFinding(document.path, document.line_of(offset), rule, message, is_error))
        findings.extend(_repeated(document))
    findings.extend(scan_questions(folder, sentences)[1])
    findings.extend(scan_plain(folder, sentences)[1])
    findings.extend(scan_disputes(folder, _topics(folder))[1])
    findings.extend(_shared_text(by_id, sources))
    if documents and (stale := stale_readme(folder, [document.source for document in documents])):
        findings.append(FileFinding("README.md", 0, "stale-readme", stale))
    ordered = sorted(set(findings), key=lambda f: (f.path, f.line, not f.is_error, f.rule, f.message))
    return CheckReport(tuple(ordered), len(documents), facts, dict(counts.most_common()))


def render_check(report: CheckReport, with_warnings: bool = True) -> str:
    """Findings one a line (``file:line: [rule] message``), then a summary."""
    lines = [str(finding) for finding in (report.findings if with_warnings else report.errors)]
    if lines:
        lines.append("")
    facts = ", ".join(f"{name or 'no attribute'} {count}" for name, count in report.attributes.items())
    lines.append(f"{report.sources} sources, {report.facts} facts: {facts}")
    rules = Counter(finding.rule for finding in report.findings)
    if rules:
        lines.append("By rule: " + ", ".join(f"{rule} {count}" for rule, count in rules.most_common()))
    lines.append(f"{len(report.errors)} error(s), {len(report.warnings)} warning(s)")
    return "\n".join(lines)


def _vocabulary(folder: Path) -> tuple[Vocabulary | None, tuple[FileFinding, ...]]:
    """The corpus' own vocabulary, else the project's; None with the findings if it cannot be read."""
    own = folder / "vocabulary"
    if not own.is_dir():
        from gmedbot.settings import default_corpus

        own = default_corpus() / "vocabulary"
    vocabulary, findings = check_vocabulary(own)
    if vocabulary is not None:  # with what tells cheaply that a cue cannot match: there are hundreds of cues
        vocabulary = vocabulary_from_rows(prepared_rows(vocabulary_rows(own)))
    return vocabulary, findings


def _data_files(folder: Path) -> Iterator[FileFinding]:
    """What is wrong with safety.yaml and reviews.yaml, if the corpus has them."""
    from gmedbot.claims.reviews import load_reviews
    from gmedbot.conversation.safety import SafetyRules

    for name, load in (("safety.yaml", SafetyRules.load), ("reviews.yaml", load_reviews)):
        if (folder / name).is_file():
            try:
                load(folder / name)
            except CorpusError as error:
                yield from error.findings


def _topics(folder: Path) -> Collection[str] | None:
    """Topics of the disputes of reviews.yaml, None if it cannot be read, which is a finding of its own."""
    from gmedbot.claims.reviews import dispute_reasons

    try:
        return dispute_reasons(folder / "reviews.yaml")
    except CorpusError:
        return None


def _sentences(document: Document) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """(sentence, offset, heading path) of a document, in order."""
    for section in split_sections(document.text):
        for start, end, _ in split_sentences(document.text, section.start, section.end):
            yield document.text[start:end], start, section.heading


def _attribute(text: str, heading: Sequence[str], vocabulary: Vocabulary | None) -> str:
    """The attribute that the heading names, else the one with the first matching cue."""
    if vocabulary is None:
        return heading[-1].casefold() if heading else ""
    named = vocabulary.heading_attribute(heading)
    if named is not None:
        return named
    cued = (a.id for a in vocabulary.attributes.values() if any(cue.search(text) for cue in a.cues))
    return next(cued, "")


def _marks(document: Document) -> Iterator[FileFinding]:
    """Live markup and characters that nobody can see: both can say something other than what a reviewer reads."""
    for match in _MARKUP.finditer(document.text):
        message = f"markup does not belong into a source text: {match.group()[:60]}"
        yield FileFinding(document.path, document.line_of(match.start()), "markup", message)
    for match in _HIDDEN.finditer(document.text):
        message = f"invisible character U+{ord(match.group()):04X}"
        yield FileFinding(document.path, document.line_of(match.start()), "hidden-character", message)
    source = document.source
    for name in ("title", "container", "population", "method"):
        value = getattr(source, name) or ""
        if _MARKUP.search(value) or _HIDDEN.search(value):
            yield FileFinding(document.path, 2, "markup", f"{name} holds markup or an invisible character")


def _repeated(document: Document) -> Iterator[FileFinding]:
    """A sentence that stands twice in one file would be counted as two claims."""
    seen: dict[str, int] = {}
    for text, offset, _ in _sentences(document):
        key = " ".join(text.casefold().split())
        line = document.line_of(offset)
        if key in seen and len(key) > 20:
            yield FileFinding(document.path, line, "repeated", f"the same sentence stands in line {seen[key]}", False)
        seen.setdefault(key, line)


def _lineage_circles(documents: Mapping[str, Document]) -> Iterator[FileFinding]:
    for name, document in documents.items():
        path = [name]
        current = document.source.lineage
        while current is not None and current in documents and current not in path:
            path.append(current)
            current = documents[current].source.lineage
        if current == name and len(path) > 1:
            yield FileFinding(document.path, 2, "lineage", f"lineage goes in a circle: {' → '.join([*path, name])}")


def _same_sources(documents: Sequence[Document]) -> Iterator[FileFinding]:
    """Sources that are one source: the same DOI, or nearly the same title by the same authors or publisher."""
    by_doi: dict[str, Document] = {}
    for document in documents:
        doi = (document.source.doi or "").casefold()
        if doi and doi in by_doi:
            message = f"DOI {doi} is also that of {by_doi[doi].path}"
            yield FileFinding(document.path, 2, "duplicate-doi", message)
        elif doi:
            by_doi[doi] = document
    for first, second, score in _near_titles(documents):
        a, b = first.source, second.source
        if a.doi and b.doi:
            continue  # the registered name decides: equal ones are reported above, different ones are two works
        is_same, why = _is_same_work(a, b)
        if why and not (a.lineage == b.source_id or b.lineage == a.source_id):
            message = f"title is {score:.0f} % that of {first.path}, and {why}"
            yield FileFinding(second.path, 2, "duplicate-title", message, is_same)


def _near_titles(documents: Sequence[Document]) -> Iterator[tuple[Document, Document, float]]:
    """Pairs with nearly the same title. Only titles that share one of their two longest words are compared."""
    from rapidfuzz import fuzz, process

    blocks: dict[str, list[int]] = defaultdict(list)
    titles: list[str] = []
    words_of: list[set[str]] = []
    for row, document in enumerate(documents):
        words = re.findall(r"\w+", document.source.title.casefold().replace("-", ""))
        titles.append(" ".join(sorted(words)))
        words_of.append(set(sorted(set(words), key=lambda word: (-len(word), word))[:2]))
        for word in sorted(words_of[-1]):
            blocks[word].append(row)
    for block, rows in blocks.items():
        for place in range(0, len(rows), _TITLES):
            part, rest = rows[place : place + _TITLES], rows[place:]
            scores = process.cdist(
                [titles[row] for row in part], [titles[row] for row in rest], scorer=fuzz.ratio, score_cutoff=90
            )
            for left, right in zip(*scores.nonzero(), strict=True):
                i, j = part[int(left)], rest[int(right)]
                if i < j and block == min(words_of[i] & words_of[j]):  # once, though they may meet in two blocks
                    yield documents[i], documents[j], float(scores[left, right])


def _is_same_work(a: Source, b: Source) -> tuple[bool, str]:
    """(surely, why) two sources of nearly one title are one work; ("", False) for a generic title of two publishers."""
    from rapidfuzz import fuzz

    def near(x: str, y: str) -> bool:
        return fuzz.token_sort_ratio(x.casefold(), y.casefold()) >= 85

    first, second = (re.sub(r"contributors|editors|team|staff", "", source.authors[0]) for source in (a, b))
    same_author = near(first, second)
    same_container = near(a.container, b.container)
    if a.url and b.url and a.url.rstrip("/").casefold() == b.url.rstrip("/").casefold():
        return True, "the address is the same"
    if same_author and (a.year == b.year or same_container):
        return a.year == b.year, "the first author is the same"
    if same_container and a.year == b.year:
        return False, "publisher and year are the same"
    return False, ""


def _shared_text(documents: Mapping[str, Document], sources: Mapping[str, Source]) -> Iterator[FileFinding]:
    """Text that stands in two sources and is not explained by lineage: it would count as two votes."""
    for overlap in find_overlaps(document_texts(documents.values()), is_thorough=False):
        if _related(sources[overlap.a], sources[overlap.b], sources):
            continue
        share = max(overlap.share_a, overlap.share_b)
        if share < _SHARED and overlap.longest < LONG_RUN and not overlap.is_copy:
            continue
        copy, origin = propose_lineage(overlap, sources) or _shorter(overlap)
        own = overlap.share_a if copy == overlap.a else overlap.share_b
        document = documents[copy]
        line = document.line_of(max(0, document.text.find(overlap.sample[:40])))
        message = (
            f"{own:.0%} of the text also stands in {origin} (longest run {overlap.longest} words: "
            f'"{overlap.sample[:70]}"); reword it, or set lineage: {origin}'
        )
        yield FileFinding(document.path, line, "shared-text", message, False)


def _shorter(overlap: Overlap) -> tuple[str, str]:
    return (overlap.a, overlap.b) if overlap.share_a >= overlap.share_b else (overlap.b, overlap.a)


def _related(a: Source, b: Source, sources: Mapping[str, Source]) -> bool:
    return bool(_line(a, sources) & _line(b, sources))


def _line(source: Source, sources: Mapping[str, Source]) -> frozenset[str]:
    """The source and everything that it descends from."""
    found: set[str] = set()
    current: Source | None = source
    while current is not None and current.source_id not in found:
        found.add(current.source_id)
        current = sources.get(current.lineage) if current.lineage else None
    return frozenset(found)
