"""``gmedbot corpus add``: any page, PDF, DOCX, Markdown or text → a source file that builds, after a preview.

Nothing is written over, nothing half-written is ever visible, and what cannot be read is refused with its reason.
The file is marked ``full-text: true``: its sentences are its author's own, so the rules for digests do not apply.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmedbot.corpus.cleaning import clean_line, clean_markdown
from gmedbot.corpus.duplicates import COPY_SHARE, Overlap, document_texts, overlaps_of
from gmedbot.corpus.metadata import PageFacts
from gmedbot.corpus.readers import read_bytes
from gmedbot.corpus.reading import Reading
from gmedbot.corpus.sources import KINDS, TOPICS, parse_document, scan_corpus
from gmedbot.errors import AddRefusedError, StorageError, UsageError
from gmedbot.settings import refuse_packaged
from gmedbot.types import EVIDENCE_RANK, Document, Source

if TYPE_CHECKING:
    from gmedbot.settings import Settings

__all__ = ["AddOptions", "Candidate", "prepare_source", "render_preview", "render_source", "write_source"]

_MIN_WORDS = 4  #: no sentence is shorter; an empty page and a lone title are
_WALL = re.compile(
    r"\b(?:enable (?:javascript|cookies)|javascript (?:is )?(?:disabled|required)|checking your browser|verify (?:that )?you are (?:a )?human|access (?:to this page has been )?denied|"
    r"(?:page|file) (?:could )?not (?:be )?found|error 40[0-9]|40[34] (?:error|not found|forbidden)|are you a robot|unusual traffic|log ?in to continue|accept (?:all )?cookies to continue)\b",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"\b(?:team|staff|editors?|contributors|clinic|studio|health|hospital|university|institute|society|association|group|service|centre|center|foundation|writers?)\b",
    re.IGNORECASE,
)
_WALL_WORDS = 80  #: a longer page that says so is about it
_TOPIC_WORDS: Mapping[str, str] = {
    "anatomy": r"origin|insert\w*|nerves?|artery|arteries|ilium|trochanter|tendons?|fibres?|fibers?|innervat\w+|anatom\w+|attach\w+",
    "function": r"abduct\w*|rotat\w+|stabili[sz]\w+|gait|walking|pelvi[cs]\w*|function\w*",
    "exercises": r"exercises?|clams?hells?|squats?|planks?|repetitions?|reps|sets|bridges?|band|stretch\w*|strengthen\w*",
    "injury": r"injur\w+|tears?|tendinopath\w+|bursitis|strain\w*|syndrome|pain",
    "diagnosis": r"diagnos\w+|tests?|signs?|sensitivity|specificity|examination",
    "treatment": r"treat\w+|therap\w+|rehabilitation|physiotherap\w+|management",
    "prevention": r"prevent\w*|avoid\w*|warm-up",
    "injection": r"injections?|inject\w*|corticosteroids?|ventrogluteal|intramuscular|needle",
    "surgery": r"surg\w+|repair\w*|endoscop\w+|arthroplast\w+|replacement",
    "imaging": r"MRI|ultrasound|imaging|radiograph\w*|x-rays?",
    "strength": r"strength|torque|force|dynamomet\w+|weak\w*",
}


@dataclass(frozen=True)
class AddOptions:
    """What the maintainer says of a source; overrules what the document says of itself."""

    source_id: str | None = None
    title: str | None = None
    authors: tuple[str, ...] = ()
    year: int | None = None
    kind: str | None = None
    evidence: str | None = None
    topics: tuple[str, ...] = ()
    lineage: str | None = None  #: an id, or "none"


@dataclass
class Candidate:
    """A source ready to be written, and what a maintainer should know before saying yes."""

    origin: str
    form: str
    source: Source
    text: str
    dropped: Counter[str] = field(default_factory=Counter)
    overlaps: tuple[Overlap, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "source": asdict(self.source),
            "words": len(self.text.split()),
            "dropped": dict(self.dropped),
            "duplicates": [
                {"id": o.b, "share_copied": round(o.share_a, 3), "share_of_other": round(o.share_b, 3),
                 "similarity": round(o.similarity, 3), "longest_run": o.longest, "sample": o.sample}
                for o in self.overlaps
            ],
            "notes": list(self.notes),
        }  # fmt: skip


def prepare_source(origin: str, settings: Settings, options: AddOptions | None = None) -> Candidate:
    """Read, clean and describe one document; writes nothing.

    Args: origin: a path, or an http(s) address.
    Raises: AddRefusedError with the reason; UsageError for an option that is no option.
    """
    options = options or AddOptions()
    reading, url = _read(origin, settings)
    title = clean_line(options.title or reading.facts.title or _stem(origin), 200)
    cleaned = clean_markdown(reading.text, title, is_flat=reading.form in ("text", "pdf"))
    words = len(re.findall(r"[^\W\d_]{2,}", re.sub(r"(?m)^#.*$", "", cleaned.text)))
    if words < _MIN_WORDS:
        raise AddRefusedError(
            f"{origin} must hold text about its subject.",
            f"{words} words are left after cleaning: an empty page, a cookie wall or a page made by script",
            "open it in a browser, save the text, and add that file",
        )
    if words < _WALL_WORDS and (wall := _WALL.search(cleaned.text)):
        raise AddRefusedError(
            f"{origin} must hold text about its subject.",
            f'a page that says "{wall.group()}"',
            "open it in a browser, save the text, and add that file",
        )
    documents, _ = scan_corpus(settings.corpus)
    facts = replace(reading.facts, title=title, url=url or reading.facts.url)
    source = _source(origin, facts, reading, options, cleaned.text, documents)
    text = f"# {source.title}\n\n{cleaned.text}"
    overlaps = overlaps_of(source.source_id, cleaned.text, document_texts(documents))
    source, notes = _with_lineage(source, overlaps, options, documents)
    _refuse_second(origin, source, overlaps, options, documents)
    return Candidate(origin, reading.form, source, text, reading.dropped + cleaned.dropped, overlaps[:5], notes)


def _read(origin: str, settings: Settings) -> tuple[Reading, str | None]:
    limit = settings.max_source_mb * 1_000_000
    if re.match(r"[a-z][a-z0-9+.-]*://", origin, re.IGNORECASE):
        from gmedbot.corpus.fetch import fetch_page

        page = fetch_page(origin, settings)
        reading = read_bytes(page.data, page.url, page.url, page.charset)
        return reading, reading.facts.url or page.url
    path = Path(origin)
    try:
        if path.is_dir():
            raise AddRefusedError(f"{origin} must be a file.", "a folder", f"gmedbot corpus add {origin}/*")
        size = path.stat().st_size
        if not path.is_file():
            raise AddRefusedError(
                f"{origin} must be a file.", "a device or a pipe", "save its text, then add that file"
            )
        if size > limit:
            raise AddRefusedError(
                f"A source may have at most {settings.max_source_mb} MB.",
                f"{origin} has {size / 1e6:.1f} MB",
                "set GMEDBOT_MAX_SOURCE_MB",
            )
        data = path.read_bytes()
    except OSError as error:
        raise AddRefusedError(
            f"{origin} must be a readable file.", error.strerror or str(error), "check the path"
        ) from error
    return read_bytes(data, path.name), None


def _stem(origin: str) -> str:
    return Path(origin.split("?")[0].rstrip("/")).stem.replace("-", " ").replace("_", " ")


def _source(
    origin: str, facts: PageFacts, reading: Reading, options: AddOptions, text: str, documents: tuple[Document, ...]
) -> Source:
    meta = reading.front_matter
    kind = options.kind or _listed(meta.get("kind"), KINDS) or "web-article"
    allowed = KINDS[kind]
    lowest = min(allowed, key=lambda name: EVIDENCE_RANK[name])
    evidence = options.evidence or _listed(meta.get("evidence"), allowed) or lowest
    if evidence not in allowed:
        raise UsageError(f"A {kind} has evidence {' or '.join(allowed)}.", evidence, "correct --kind or --evidence")
    unknown = [topic for topic in options.topics if topic not in TOPICS]
    if unknown:
        raise UsageError(f"Topics are {', '.join(TOPICS)}.", ", ".join(unknown), "correct --topics")
    container = facts.container or (
        clean_line(re.sub(r"https?://(?:www\.)?|/.*", "", facts.url)) if facts.url else "saved file"
    )
    authors = options.authors or facts.authors or (container if facts.container else f"{container} (author not named)",)
    listed = meta.get("topics")
    topics = (
        options.topics or tuple(t for t in (listed if isinstance(listed, list) else ()) if t in TOPICS) or _topics(text)
    )
    year = options.year or facts.year
    doi = facts.doi
    source = Source(
        source_id="",
        title=facts.title or "Untitled",
        authors=tuple(clean_line(name, 80) for name in authors),
        year=year,
        container=container or "saved file",
        kind=kind,
        evidence=evidence,
        doi=doi,
        url=f"https://doi.org/{doi}" if doi else facts.url,
        topics=topics,
        lineage=None,
        is_full_text=True,
    )
    return replace(source, source_id=_free_id(origin, source, options, {d.source.source_id for d in documents}))


def _listed(value: Any, allowed: Any) -> str | None:
    return value if isinstance(value, str) and value in allowed else None


def _topics(text: str) -> tuple[str, ...]:
    """The up to three topics that the words speak of most; anatomy if none."""
    counts = {topic: len(re.findall(rf"\b(?:{words})\b", text, re.IGNORECASE)) for topic, words in _TOPIC_WORDS.items()}
    top = max(counts.values())
    best = sorted(
        (topic for topic in counts if counts[topic] and counts[topic] * 3 >= top), key=lambda t: (-counts[t], t)
    )
    return tuple(best[:3]) or ("anatomy",)


def _free_id(origin: str, source: Source, options: AddOptions, taken: set[str]) -> str:
    """The id asked for, else author or site, and year or title words; numbered if it is taken."""
    if options.source_id is not None:
        if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", options.source_id):
            raise UsageError("An id is lower-case letters, digits and single hyphens.", options.source_id)
        if options.source_id in taken:
            raise AddRefusedError(
                "A source is never written over.",
                f"{options.source_id} is in the corpus",
                "choose another --id, or remove the old file first",
            )
        return options.source_id
    person = source.authors[0] if "not named" not in source.authors[0] else source.container
    names = _slug(person).split("-")
    is_person = (
        len(names) in (2, 3)
        and not _BODY.search(person)
        and source.authors[0] != source.container
        and "not named" not in source.authors[0]
    )
    lead = names[-1] if is_person and len(names[-1]) > 2 else "-".join(names[:3])
    title = [
        w
        for w in _slug(source.title).split("-")
        if w not in ("the", "a", "an", "of", "and", "for", "to", "in", "on", "is", "your", "how", "what")
    ]
    tail = str(source.year) if source.year and is_person else "-".join(title[:3])
    if source.container == "saved file" and not is_person:
        lead, tail = "", "-".join(title[:5])
    base = _slug(f"{lead}-{tail}")[:50].strip("-") or "source"
    number = 2
    name = base
    while name in taken:
        name = f"{base}-{number}"
        number += 1
    return name


def _slug(text: str) -> str:
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-") or "source"


def _with_lineage(
    source: Source, overlaps: tuple[Overlap, ...], options: AddOptions, documents: tuple[Document, ...]
) -> tuple[Source, tuple[str, ...]]:
    """The source with its lineage, and notes on what it shares. A copy gets the lineage of what it copies."""
    known = {document.source.source_id for document in documents}
    notes = [
        f"{o.share_a:.0%} of its text also stands in {o.b}"
        + (f" (an edited copy, {o.similarity:.0%} alike)" if o.share_a < COPY_SHARE and o.is_copy else "")
        for o in overlaps[:5]
        if o.share_a >= 0.05 or o.is_copy
    ]
    if options.lineage and options.lineage != "none":
        if options.lineage not in known:
            raise UsageError("--lineage names a source of the corpus.", options.lineage, "gmedbot corpus list")
        return replace(source, lineage=options.lineage), tuple(notes)
    copied = next((o for o in overlaps if o.is_copy), None)
    if copied is None or options.lineage == "none":
        return source, tuple(notes)
    notes.append(f"lineage set to {copied.b}: a copy has no vote of its own (--lineage none, if it is the original)")
    return replace(source, lineage=copied.b), tuple(notes)


def _refuse_second(
    origin: str, source: Source, overlaps: tuple[Overlap, ...], options: AddOptions, documents: tuple[Document, ...]
) -> None:
    """Refuse what is already there: the same text, the same DOI, the same address."""
    if options.lineage is not None:
        return
    same = next((o for o in overlaps if o.is_same), None)
    if same is not None:
        raise AddRefusedError(
            f"{origin} must not be in the corpus yet.",
            f"its text is that of {same.b}",
            f"nothing, or keep it as a copy: --lineage {same.b}",
        )
    for document in documents:
        other = document.source
        if source.doi and other.doi and source.doi.casefold() == other.doi.casefold() and other.is_full_text:
            raise AddRefusedError(
                f"{origin} must not be in the corpus yet.",
                f"its DOI is that of {other.source_id}",
                f"--lineage {other.source_id} keeps both",
            )
        if source.url and other.url and other.is_full_text and source.url.rstrip("/") == other.url.rstrip("/"):
            raise AddRefusedError(
                f"{origin} must not be in the corpus yet.",
                f"its address is that of {other.source_id}",
                f"remove {document.path} first to renew it",
            )


def render_source(source: Source, text: str) -> str:
    """The whole file: front matter and text. Every value is quoted, so that nothing in it can become YAML."""

    def quoted(value: str | None) -> str:
        return "null" if value is None else json.dumps(value, ensure_ascii=False)

    lines = [
        "---",
        f"id: {source.source_id}",
        f"title: {quoted(source.title)}",
        f"authors: [{', '.join(quoted(name) for name in source.authors)}]",
        f"year: {source.year if source.year is not None else 'null'}",
        f"container: {quoted(source.container)}",
        f"kind: {source.kind}",
        f"evidence: {source.evidence}",
        f"doi: {quoted(source.doi)}",
        f"url: {quoted(source.url)}",
        f"topics: [{', '.join(source.topics)}]",
        "n: null",
        "population: null",
        "method: null",
        f"lineage: {source.lineage or 'null'}",
        "reviewed: null",
        "full-text: true",
        "---",
    ]
    return "\n".join(lines) + "\n" + text


def write_source(candidate: Candidate, corpus: Path) -> Path:
    """Write ``corpus/<id>.md``, whole or not at all, never over a file.

    Raises: AddRefusedError if the file exists or would not read back; StorageError if the folder refuses; UsageError
        if the corpus is the one inside the package.
    """
    refuse_packaged(corpus)
    content = render_source(candidate.source, candidate.text)
    target = corpus / f"{candidate.source.source_id}.md"
    document, findings = parse_document(content, target.name)
    if document is None or document.text != candidate.text:
        found = "; ".join(str(finding) for finding in findings) or "the text changes when it is read back"
        raise AddRefusedError(
            f"{candidate.origin} must make a source that can be read.",
            found,
            "correct it with --title, --author, --year",
        )
    fresh = corpus / f".adding-{os.getpid()}-{target.name}"
    try:
        corpus.mkdir(parents=True, exist_ok=True)
        with fresh.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _publish(fresh, target)
    except FileExistsError as error:
        raise AddRefusedError("A source is never written over.", f"{target} exists", "choose another --id") from error
    except OSError as error:
        raise StorageError(
            f"Writing {target} must be possible.",
            error.strerror or str(error),
            "free space or permission there; nothing was changed",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    return target


def _publish(fresh: Path, target: Path) -> None:
    """Give a finished file its name, failing if the name is taken. A hard link is atomic; not every disk has them."""
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise
    except OSError:
        with target.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(fresh.read_text("utf-8"))


def render_preview(candidate: Candidate) -> str:
    """What a maintainer sees before saying yes: the facts, what went, what is shared, the beginning and the end."""
    source = candidate.source
    lines = [
        f"{candidate.origin} ({candidate.form}) → {source.source_id}.md",
        f"  title     {source.title}",
        f"  authors   {', '.join(source.authors)}",
        f"  year      {source.year or 'not found'}",
        f"  in        {source.container}",
        f"  address   {source.url or 'none'}",
        f"  kind      {source.kind} ({source.evidence})",
        f"  topics    {', '.join(source.topics)}",
        f"  text      {len(candidate.text.split())} words, {candidate.text.count(chr(10) + '## ')} headings",
    ]
    if source.lineage:
        lines.append(f"  lineage   {source.lineage}")
    if candidate.dropped:
        lines.append("  left out  " + ", ".join(f"{name} {count}" for name, count in candidate.dropped.most_common()))
    lines.extend(f"  note      {note}" for note in candidate.notes)
    body = candidate.text.strip().split("\n")
    shown = body if len(body) <= 24 else [*body[:16], f"   … {len(body) - 22} lines …", *body[-6:]]
    return "\n".join([*lines, "", *(f"  │ {line[:160]}" for line in shown), ""])
