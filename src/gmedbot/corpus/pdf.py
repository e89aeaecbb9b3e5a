"""A PDF → Markdown and what it says of itself. The only file that knows pdfminer.six."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any

from gmedbot.corpus.cleaning import clean_line, mend
from gmedbot.corpus.metadata import PageFacts, doi_in, year_in
from gmedbot.corpus.pdf_layout import Box, Line, largest_line, markdown_of, whole_boxes, without_running_lines
from gmedbot.corpus.reading import Reading, stated_year
from gmedbot.errors import AddRefusedError

__all__ = ["read_pdf"]

_MIN_CHARS_PER_PAGE = 60  #: a scanned page yields a page number or nothing; a sparse text page has some hundred
_UNNAMED = re.compile(r"\(cid:\d+\)")  #: a letter whose font does not say which one it is
_FACTS = ("Title", "Author", "CreationDate", "Subject", "Producer")
_NO_TITLE = re.compile(r"\.(?:docx?|pdf|indd|tex)\b|^untitled|^microsoft word|^\W*$", re.IGNORECASE)


def read_pdf(data: bytes, name: str) -> Reading:
    """Raises: AddRefusedError: encrypted, damaged, scanned, or with letters that cannot be told."""
    import logging

    logging.getLogger("pdfminer").setLevel(
        logging.CRITICAL
    )  # oddities of a file are no news; failures are reported below
    pages, facts = _opened(data, name)
    shown = [" ".join(line.text for box in page for line in box.lines) for page in pages]
    unnamed = sum(len(_UNNAMED.findall(page)) for page in shown)
    letters = unnamed + sum(len(re.findall(r"\w", _UNNAMED.sub("", page))) for page in shown)
    if letters < _MIN_CHARS_PER_PAGE * max(1, len(pages)) * 0.5:
        raise AddRefusedError(
            f"{name} must hold text.",
            f"{len(pages)} page(s) with {letters} letters: a scanned or empty PDF",
            "run text recognition (OCR) on it first",
        )
    if unnamed > 0.2 * letters:
        raise AddRefusedError(
            f"{name} must hold text that can be copied out of it.",
            f"{unnamed} of {letters} letters in fonts that do not tell which letters they are",
            "print it to a new PDF with text recognition (OCR)",
        )
    kept = without_running_lines(pages)
    title = largest_line(kept)
    text, names = markdown_of(kept, title)
    text = re.sub(r"\b(mm|cm)([23])\b", lambda m: m[1] + ("²" if m[2] == "2" else "³"), _UNNAMED.sub("", text))
    own_title = clean_line(facts["Title"])
    if not own_title or _NO_TITLE.search(own_title):
        lines = (line.text for page in kept for box in page for line in box.lines)
        own_title = title or next((line for line in lines if len(line.split()) >= 2), "")
    authors = tuple(
        part.strip()
        for part in re.split(r"\s*(?:;|,|\band\b|&)\s*", clean_line(facts["Author"]))
        if len(part.strip()) > 2
    )
    head = "\n".join(line.text for page in pages[:2] for box in page for line in box.lines)
    counts = {
        "page without text (a scan?)": sum(not page.strip() for page in shown),
        "names and addresses": names,
    }
    return Reading(
        "pdf",
        text,
        PageFacts(
            title=clean_line(own_title),
            authors=authors,
            year=stated_year(head) or _made_year(facts),
            doi=doi_in(facts["Subject"]) or doi_in(head),
        ),
        Counter({what: count for what, count in counts.items() if count}),
    )


def _opened(data: bytes, name: str) -> tuple[list[list[Box]], dict[str, str]]:
    """The pages, and what the file states of itself. Raises: AddRefusedError."""
    from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect
    from pdfminer.pdfexceptions import PDFException
    from pdfminer.pdfparser import PDFParser
    from pdfminer.psexceptions import PSException

    try:
        document = PDFDocument(PDFParser(io.BytesIO(data)))
        pages = [whole_boxes(list(_boxes(page))) for page in _page_layouts(document)]
        return pages, _stated(document)
    except (PDFPasswordIncorrect, PDFEncryptionError) as error:
        raise AddRefusedError(
            f"{name} must open without a password.", "an encrypted PDF", "save a copy without a password"
        ) from error
    except (PDFException, PSException, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError,
            NotImplementedError, AssertionError, OSError, struct.error, zlib.error) as error:  # fmt: skip
        raise AddRefusedError(
            f"{name} must be a readable PDF.", f"a damaged PDF ({error})", "open it and save a fresh copy"
        ) from error


def _page_layouts(document: Any) -> Iterator[Any]:
    from pdfminer.converter import PDFPageAggregator
    from pdfminer.layout import LAParams
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage

    manager = PDFResourceManager()
    device = PDFPageAggregator(manager, laparams=LAParams(all_texts=True))
    interpreter = PDFPageInterpreter(manager, device)
    for page in PDFPage.create_pages(document):
        interpreter.process_page(page)
        yield device.get_result()


def _boxes(page: Any) -> Iterator[Box]:
    """The boxes of a page; those within figures only where the page has no others."""
    from pdfminer.layout import LTFigure, LTTextBox

    own = [item for item in page if isinstance(item, LTTextBox)]
    if sum(len(box.get_text()) for box in own) < _MIN_CHARS_PER_PAGE:
        own += [item for figure in page if isinstance(figure, LTFigure) for item in _within(figure)]
    for box in own:
        lines = tuple(line for item in box if (line := _line(item)) is not None)
        if lines:
            yield Box(lines)


def _within(figure: Any) -> Iterator[Any]:
    from pdfminer.layout import LTFigure, LTTextBox

    for item in figure:
        if isinstance(item, LTTextBox):
            yield item
        elif isinstance(item, LTFigure):
            yield from _within(item)


def _line(item: Any) -> Line | None:
    """None for what is blank or runs up the margin."""
    from pdfminer.layout import LTChar

    letters = [letter for letter in item if isinstance(letter, LTChar)]
    text = " ".join(mend(item.get_text()).split())
    if not text or not letters or 2 * sum(letter.upright for letter in letters) < len(letters):
        return None
    bold = sum(bool(re.search(r"bold|black|heavy|semib", letter.fontname, re.IGNORECASE)) for letter in letters)
    size = float(median(letter.size for letter in letters))
    return Line(text, item.x0, item.x1, item.y0, item.y1, size, 2 * bold > len(letters))


def _stated(document: Any) -> dict[str, str]:
    """The document's own information; "" for what it does not say."""
    from pdfminer.pdftypes import resolve1
    from pdfminer.utils import decode_text

    found = dict.fromkeys(_FACTS, "")
    for info in document.info:
        for key in _FACTS:
            value = resolve1(info.get(key))
            if isinstance(value, bytes) and not found[key]:
                found[key] = decode_text(value)
    return found


def _made_year(facts: dict[str, str]) -> int | None:
    """The year in which a publisher made the file; a page that somebody printed to PDF says nothing of its year."""
    is_print = re.search(r"skia|chrom|quartz|wkhtml|print|word|libreoffice", facts["Producer"], re.IGNORECASE)
    return None if is_print else year_in(facts["CreationDate"][2:6])
