"""A PDF → Markdown. The only file that knows pypdf.

A PDF has lines and no paragraphs: running heads and page numbers are taken out, broken words and lines are joined, and
headings are told by their names, or by being short and standing between sentences.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import Any

from gmedbot.corpus.cleaning import clean_line, unbroken_lines
from gmedbot.corpus.metadata import PageFacts, doi_in, year_in
from gmedbot.corpus.reading import Reading, stated_year
from gmedbot.errors import AddRefusedError

__all__ = ["read_pdf"]

_MIN_CHARS_PER_PAGE = 60  #: a scanned page yields a page number or nothing; a sparse text page has some hundred


def read_pdf(data: bytes, name: str) -> Reading:
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # oddities of a file are no news; failures are reported below
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise AddRefusedError(
                f"{name} must open without a password.", "an encrypted PDF", "save a copy without a password"
            )
        pages = [page.extract_text() or "" for page in reader.pages]
        info: Any = reader.metadata or {}
        facts = {
            key: str(info.get(f"/{key}") or "") for key in ("Title", "Author", "CreationDate", "Subject", "Producer")
        }
    except AddRefusedError:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        NotImplementedError,
        OSError,
    ) as error:
        what = "a damaged PDF" if "crypt" not in str(error).casefold() else "an encrypted PDF"
        raise AddRefusedError(
            f"{name} must be a readable PDF.", f"{what} ({error})", "open it and save a fresh copy"
        ) from error
    except ImportError as error:  # AES needs cryptography, which is not a dependency of ours
        raise AddRefusedError(
            f"{name} must open without a password.", "an encrypted PDF", "save a copy without a password"
        ) from error
    letters = sum(len(re.findall(r"\w", page)) for page in pages)
    if letters < _MIN_CHARS_PER_PAGE * max(1, len(pages)) * 0.5:
        raise AddRefusedError(
            f"{name} must hold text.",
            f"{len(pages)} page(s) with {letters} letters: a scanned or empty PDF",
            "run text recognition (OCR) on it first",
        )
    lines = _without_running_lines(pages)
    text = re.sub(r"\b(mm|cm)([23])\b", lambda m: m[1] + ("²" if m[2] == "2" else "³"), _pdf_blocks(lines))
    title = clean_line(facts["Title"])
    if not title or re.search(r"\.(?:docx?|pdf|indd|tex)\b|^untitled|^microsoft word|^\W*$", title, re.IGNORECASE):
        title = next((line.strip() for line in lines if len(line.split()) >= 2), "")
    authors = tuple(
        part.strip()
        for part in re.split(r"\s*(?:;|,|\band\b|&)\s*", clean_line(facts["Author"]))
        if len(part.strip()) > 2
    )
    head = "\n".join(pages[:2])
    return Reading(
        "pdf",
        text,
        PageFacts(
            title=clean_line(title),
            authors=authors,
            year=stated_year(head) or _made_year(facts),
            doi=doi_in(facts["Subject"]) or doi_in(head),
        ),
        Counter({"page without text (a scan?)": bare} if (bare := sum(not page.strip() for page in pages)) else {}),
    )


def _without_running_lines(pages: list[str]) -> list[str]:
    """Lines of all pages without running heads, page numbers and what else repeats at the edges of pages."""
    split = [[line.strip() for line in page.split("\n") if line.strip()] for page in pages]
    edges = Counter(_edge_key(line) for lines in split for line in dict.fromkeys([*lines[:3], *lines[-3:]]))
    often = {key for key, count in edges.items() if count >= max(2, 0.5 * len(split))} if len(split) > 1 else set()
    out: list[str] = []
    for lines in split:
        for place, line in enumerate(lines):
            is_edge = place < 3 or place >= len(lines) - 3
            if (
                re.fullmatch(r"(?:page\s*)?[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:of|/)\s*\d{1,4})?", line, re.IGNORECASE)
                and is_edge
            ):
                continue
            if is_edge and _edge_key(line) in often:
                continue
            out.append(line)
    return out


def _edge_key(line: str) -> str:
    return re.sub(r"\d+", "0", line).casefold()


_PDF_HEADINGS = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2})*\.?\s+)?(?:abstract|summary|introduction|background|objectives?|aims?|purpose|methods?|materials and methods|participants|procedures?|statistical analysis|results?|findings|discussion|limitations|conclusions?|"
    r"references|acknowledge?ments?|funding|conflicts? of interest|competing interests?|keywords?|key points|clinical relevance)\s*:?",
    re.IGNORECASE,
)  # fmt: skip


def _pdf_blocks(lines: list[str]) -> str:
    """Lines of a PDF as headings, items and paragraphs; a paragraph ends where a sentence ends on a short line."""
    widths = sorted(len(line) for line in lines if len(line) > 25)
    width = widths[int(len(widths) * 0.8)] if widths else 80
    out: list[str] = []
    current: list[str] = []

    def flush() -> None:
        if current:
            out.append(" ".join(unbroken_lines("\n".join(current)).split()))
            current.clear()

    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if _is_pdf_heading(line, current[-1] if current else "", following, width):
            flush()
            out.append(f"## {line.strip(' :')}")
        elif re.match(r"(?:Table|Figure|Fig\.)\s?\d+\b", line) and (not current or current[-1][-1:] in ".:"):
            flush()
            current.append(line)
        elif bullet := _pdf_item(line, current[-1] if current else ""):
            flush()
            current.append(f"- {line[bullet.end() :]}" if not line[0].isdigit() else line)
        else:
            current.append(line)
            if line[-1:] in ".!?:" and len(line) < 0.8 * width:
                flush()
    flush()
    return "\n\n".join(out) + "\n" if out else ""


def _pdf_item(line: str, before: str) -> re.Match[str] | None:
    """A bullet or a number that opens an item; "(SD" on the line before makes "11) going down" none."""
    if before and before[-1:] not in ".:;!?" and line[:1].isdigit():
        return None
    return re.match(r"(?:[•▪◦●■–-]|\(?\d{1,2}[.)])\s+(?=\S)", line)


def _is_pdf_heading(line: str, before: str, following: str, width: int) -> bool:
    if _PDF_HEADINGS.fullmatch(line):
        return True
    words = line.split()
    if re.match(r"(?:Table|Figure|Fig\.)\s?\d", line):
        return False
    is_short = 1 <= len(words) <= 9 and len(line) < 0.7 * width and line[-1:] not in ".,;:!?-–"
    starts = line[:1].isupper() and (not before or before[-1:] in ".!?:")
    return (
        is_short
        and starts
        and bool(following[:1].isupper() or following[:1] in "•-")
        and not re.search(r"\d{3,}|[=<>%@]", line)
    )


def _made_year(facts: dict[str, str]) -> int | None:
    """The year in which a publisher made the file; a page that somebody printed to PDF says nothing of its year."""
    is_print = re.search(r"skia|chrom|quartz|wkhtml|print|word|libreoffice", facts["Producer"], re.IGNORECASE)
    return None if is_print else year_in(facts["CreationDate"][2:6])
