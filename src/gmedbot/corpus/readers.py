"""A file or page of any kind → Markdown and what it says of itself. What cannot be read is refused with the reason.

The kind is told by the content, not by the name: a PDF saved as ``.html`` is a PDF. This is the only file that knows
python-docx; PDFs are read in ``pdf``, pages in ``pages``.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from typing import Any

import yaml

from gmedbot.corpus.cleaning import clean_line, is_own_line
from gmedbot.corpus.metadata import PageFacts, doi_in, year_in
from gmedbot.corpus.reading import Form, Reading, stated_year
from gmedbot.errors import AddRefusedError
from gmedbot.passages import fenced_blocks

__all__ = ["Form", "Reading", "decode", "form_of", "read_bytes"]

_MOST_UNPACKED = (
    100_000_000  #: bytes of an archive's text; a long book has ten million, and a bomb a thousand times more
)
_SAVE_AS_TEXT = "save it as text (UTF-8) or PDF, then add that file"


def read_bytes(data: bytes, name: str, url: str | None = None, charset: str | None = None) -> Reading:
    """Read a document. Args: name: file name or address, for messages and as a hint; charset: what a server said.

    Raises: AddRefusedError: empty, not text, unknown encoding, encrypted or scanned PDF, damaged file.
    """
    if not data.strip():
        raise AddRefusedError(f"{name} must hold text.", "it is empty")
    form = form_of(data, name)
    if form == "pdf":
        from gmedbot.corpus.pdf import read_pdf

        return read_pdf(data, name)
    if form == "docx":
        return _read_docx(data, name)
    text = decode(data, name, charset, is_markup=form == "html")
    if form == "html":
        from gmedbot.corpus.pages import read_page

        page = read_page(text, url)
        return Reading("html", page.text, page.facts, page.dropped)
    if form == "markdown":
        return _read_markdown(text)
    return Reading(
        "text", _structured(text), PageFacts(title=_first_line(text), doi=doi_in(text[:3000]), year=stated_year(text))
    )


def form_of(data: bytes, name: str) -> Form:
    """What kind of file this is. Raises: AddRefusedError for what is no text document."""
    head = data[:4096]
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        try:
            members = zipfile.ZipFile(io.BytesIO(data)).infolist()
        except zipfile.BadZipFile as error:
            raise AddRefusedError(f"{name} must be a whole file.", "a damaged archive") from error
        unpacked = sum(member.file_size for member in members if member.filename.endswith((".xml", ".rels")))
        if unpacked > _MOST_UNPACKED:
            raise AddRefusedError(
                f"The text of {name} may have at most {_MOST_UNPACKED // 1_000_000} MB.",
                f"an archive that unpacks to {unpacked / 1e6:,.0f} MB",
                _SAVE_AS_TEXT,
            )
        if any(member.filename == "word/document.xml" for member in members):
            return "docx"
        raise AddRefusedError(
            f"{name} must be HTML, PDF, DOCX, Markdown or text.", "an archive or another office format", _SAVE_AS_TEXT
        )
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise AddRefusedError(
            f"{name} must be HTML, PDF, DOCX, Markdown or text.",
            "an old Word file, or one with a password",
            "save it as DOCX without a password",
        )
    if head.startswith(
        (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"RIFF", b"\x7fELF", b"BM", b"ID3", b"SQLite", b"7z\xbc")
    ):
        raise AddRefusedError(f"{name} must be HTML, PDF, DOCX, Markdown or text.", "not text", _SAVE_AS_TEXT)
    plain = head.replace(b"\x00", b"").lower() if head[:2] in (b"\xff\xfe", b"\xfe\xff") else head.lower()
    suffix = name.casefold().split("?")[0].rsplit(".", 1)[-1]
    if re.search(rb"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]", plain) and suffix not in ("md", "markdown"):
        return "html"
    if suffix in ("html", "htm", "xhtml") or (
        suffix not in ("md", "markdown", "txt", "text") and re.search(rb"<(?:p|div|article|h1|table)[\s>]", plain)
    ):
        return "html"
    if suffix in ("md", "markdown") or re.match(rb"(?:\xef\xbb\xbf)?---\r?\n\w[\w-]*:", head):
        return "markdown"
    return "text"


def decode(data: bytes, name: str, charset: str | None = None, is_markup: bool = False) -> str:
    """Bytes → text: by byte order mark, by what the server or page says, UTF-8, Windows-1252; nothing is guessed beyond.

    Raises: AddRefusedError if the text is binary or would come out as gibberish.
    """
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _decoded(data, codec) or _refuse_encoding(name, codec)
    if b"\x00" in data[:65_536]:
        raise AddRefusedError(f"{name} must be text.", "it holds binary data", _SAVE_AS_TEXT)
    declared = [charset] if charset else []
    if is_markup and (match := re.search(rb"charset\s*=\s*[\"']?([\w-]+)", data[:4096], re.IGNORECASE)):
        declared.append(match.group(1).decode("ascii"))
    for codec in ("utf-8", *declared):
        text = _decoded(data, codec)
        if text is not None:
            return _mended(text) or _refuse_encoding(name, codec)
    text = _decoded(data, "cp1252")
    if text is not None and _is_readable(text):
        return text
    if is_markup and declared:
        text = data.decode(declared[-1] if _known(declared[-1]) else "utf-8", "replace")
        if text.count("\ufffd") < len(text) / 500:
            return text
    return _refuse_encoding(name, "UTF-8")


def _decoded(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None


def _known(codec: str) -> bool:
    try:
        "".encode(codec)
    except LookupError:
        return False
    return True


def _is_readable(text: str) -> bool:
    """Whether decoded text looks like writing: few control characters, few Latin supplements in a row (mojibake)."""
    sample = text[:200_000]
    controls = sum(ch < " " and ch not in "\t\n\r\f" for ch in sample) + sample.count("\ufffd")
    odd = len(re.findall(r"[\u0080-\u009f]|[\u00a0-\u00ff\u0152-\u0178\u02c6\u02dc\u0192]{3,}", sample))
    return controls * 200 <= len(sample) and odd * 100 <= len(sample)


def _mended(text: str) -> str | None:
    """The text, or what it was before somebody read it in the wrong encoding and saved it so; None for gibberish."""
    if _is_readable(text):
        return text
    import ftfy

    text = ftfy.fix_encoding(text)
    return text if _is_readable(text) else None


def _refuse_encoding(name: str, wanted: str) -> str:
    raise AddRefusedError(f"The encoding of {name} must be known.", f"not readable as {wanted}", "save it as UTF-8")


def _read_docx(data: bytes, name: str) -> Reading:
    import docx
    from docx.oxml.ns import qn
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    try:
        document = docx.Document(io.BytesIO(data))
        blocks: list[str] = []
        for child in document.element.body.iterchildren():
            if child.tag == qn("w:p"):
                blocks.append(_docx_paragraph(Paragraph(child, document)))
            elif child.tag == qn("w:tbl"):
                blocks.append(_docx_table(Table(child, document)))
        properties = document.core_properties
        facts = PageFacts(
            title=clean_line(properties.title or ""),
            authors=tuple(
                part.strip()
                for part in re.split(r"[;,]", clean_line(properties.author or ""))
                if part.strip() and part.strip() != "python-docx"
            ),
            year=properties.created.year if properties.created else None,
        )
    except (
        KeyError,
        ValueError,
        AttributeError,
        zipfile.BadZipFile,
        docx.exceptions.PythonDocxError,
        SyntaxError,
    ) as error:
        raise AddRefusedError(
            f"{name} must be a readable DOCX.", f"a damaged file ({error})", "open it and save a fresh copy"
        ) from error
    text = _items_together([block for block in blocks if block.strip()])
    first = next((block.lstrip("# ") for block in blocks if block.strip()), "")
    return Reading("docx", text, facts.filled(PageFacts(title=clean_line(first, 120), doi=doi_in(text[:3000]))))


def _docx_paragraph(paragraph: Any) -> str:
    """One paragraph: hidden runs left out, raised digits as reference marks, style as heading or item."""
    parts: list[str] = []
    for run in paragraph.iter_inner_content():
        runs = run.runs if hasattr(run, "runs") else [run]  # a hyperlink holds runs of its own
        for piece in runs:
            if piece.font.hidden:
                continue
            text = piece.text.replace("\n", " ")
            if piece.font.superscript and re.fullmatch(r"\s*\d{1,3}(?:[,–-]\d{1,3})*\s*", text):
                is_power = re.search(r"\b(?:mm|cm|m)$", "".join(parts)) and text.strip() in "23"
                text = {"2": "²", "3": "³"}[text.strip()] if is_power else f"[{text.strip()}]"
            parts.append(text)
    text = " ".join("".join(parts).split())
    style = (paragraph.style.name or "").casefold() if paragraph.style is not None else ""
    if not text:
        return ""
    if style == "title":
        return f"# {text}"
    if match := re.match(r"heading (\d)", style):
        return f"{'#' * min(int(match.group(1)) + 1, 6)} {text}"
    properties = paragraph._p.pPr
    if style.startswith("list") or (properties is not None and properties.numPr is not None):
        return f"1. {text}" if "number" in style else f"- {text}"
    return text


def _docx_table(table: Any) -> str:
    rows = [[" ".join(cell.text.split()).replace("|", "/") for cell in row.cells] for row in table.rows]
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    if max(map(len, rows)) < 2:
        return "\n\n".join(row[0] for row in rows)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def _items_together(blocks: list[str]) -> str:
    """Items that follow one another are one list."""
    out: list[str] = []
    for block in blocks:
        is_item = bool(re.match(r"(?:-|\d+\.) ", block))
        if is_item and out and re.match(r"(?:-|\d+\.) ", out[-1]):
            before = re.match(r"(\d+)\. ", out[-1].split("\n")[-1])
            if block.startswith("1. ") and before:
                block = f"{int(before.group(1)) + 1}. {block[3:]}"
            out[-1] += f"\n{block}"
        else:
            out.append(block)
    return "\n\n".join(out) + "\n"


def _read_markdown(text: str) -> Reading:
    text = text.replace("\r\n", "\n").lstrip("\ufeff")
    meta: dict[str, Any] = {}
    match = re.match(r"---\n(.*?\n)---[ \t]*(?:\n|\Z)", text, re.DOTALL)
    if match is not None:
        try:
            loaded = yaml.safe_load(match.group(1))
        except yaml.YAMLError:
            loaded = None
        meta = loaded if isinstance(loaded, dict) else {}
        text = text[match.end() :]
    text = _without_fences(text)
    text = re.sub(r"(?m)^(.+)\n=+[ \t]*$", r"# \1", text)
    text = re.sub(r"(?m)^([^\n|#-].*)\n-{3,}[ \t]*$", r"## \1", text)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    heading = re.search(r"(?m)^#\s+(.+)$", text)
    title = str(meta.get("title") or "") or (heading.group(1) if heading else "") or _first_line(text)
    authors = meta.get("authors") or meta.get("author") or []
    people = tuple(
        clean_line(str(item), 80) for item in (authors if isinstance(authors, list) else [authors]) if str(item).strip()
    )
    facts = PageFacts(
        title=clean_line(title),
        authors=tuple(name for name in people if name),
        year=year_in(str(meta.get("year") or meta.get("date") or "")),
        container=clean_line(str(meta.get("container") or ""), 120),
        doi=doi_in(str(meta.get("doi") or "")),
    )
    return Reading("markdown", text, facts, front_matter=meta)


def _without_fences(text: str) -> str:
    """The text without the marks and the language of code blocks; a line in one that begins with # is no heading."""
    shown, last = "", 0
    for start, end in fenced_blocks(text):
        shown += text[last:start] + re.sub(r"(?m)^(?=#{1,6} )", " ", text[start:end])
        last = end
    return re.sub(r"(?m)^[ \t]*(?:`{3,}|~{3,})(?:[ \t]*[\w+.#-]*[ \t]*$)?", "", shown + text[last:])


def _first_line(text: str) -> str:
    """The title of a text, "" if it has none: among its first lines one of a few words that is no sentence and not
    about the page; of a trail of crumbs the last."""
    for raw in [line for line in text.splitlines() if line.strip()][:6]:
        line = re.split(r"\s*[»›→]\s*", raw.strip().lstrip("#"))[-1].strip()
        is_title = len(re.findall(r"[^\W\d]{3,}", line)) >= 2 and line[-1:] not in ".,;:" and len(line.split()) <= 20
        if is_title and not is_own_line(line) and not re.match(r"\d+[.)] |[\w ]+:\s|[-*•]", line):
            return clean_line(line, 150)
    return ""


def _structured(text: str) -> str:
    """Plain text as Markdown: a short line of its own between blank lines is a heading, bullets are items."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts = [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    out: list[str] = []
    for place, part in enumerate(parts):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        line = lines[0].lstrip("#> ")
        if len(lines) == 1 and _is_text_heading(line, parts[place + 1] if place + 1 < len(parts) else ""):
            out.append(f"## {line.rstrip(':')}")
            continue
        written: list[str] = []
        for line in lines:
            bullet = re.match(r"(?:[-*+•▪◦●–]|o(?=\s))\s+", line)
            if bullet:
                written.append(f"- {line[bullet.end() :]}")
            else:
                written.append(re.sub(r"^(?:#+\s+|>\s*|\|)", "", line))
        joined = "\n".join(written)
        if len(lines) > 1 and not re.search(r"(?m)^(?:- |\d{1,2}[.)] )", joined):
            joined = _wrapped(written)
        if out and joined.startswith("- ") and out[-1].split("\n")[-1].startswith("- "):
            out[-1] += f"\n{joined}"
        else:
            out.append(joined)
    return "\n\n".join(out) + "\n"


def _wrapped(lines: list[str]) -> str:
    """Lines broken for width joined; lines that each end a sentence, or are short, stay paragraphs of their own."""
    width = max(map(len, lines))
    out = [lines[0]]
    for before, line in itertools.pairwise(lines):
        if len(before) < 0.6 * width or before[-1:] in ".!?:" or (before[-1:].isdigit() and line[:1].isupper()):
            out.append(line)
        else:
            out[-1] = (
                out[-1][:-1] + line if re.search(r"[a-z]-$", out[-1]) and line[:1].islower() else f"{out[-1]} {line}"
            )
    return "\n\n".join(out)


def _is_text_heading(line: str, following: str) -> bool:
    words = line.split()
    if not (1 <= len(words) <= 10) or len(line) > 90 or not following.strip():
        return False
    if line[-1] == ":" and len(words) > 5:
        return False
    starts = line[:1].isupper() or line[:1].isdigit()
    return (
        starts
        and line[-1:] not in ".,;!"
        and not re.match(r"[-*•]", line)
        and not re.search(r"https?://|@|[©»›]", line)
        and not re.match(r"\S+\s+[–-]\s+\S+", line)
    )
