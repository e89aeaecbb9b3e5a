"""``Document`` → ``Passage``: split by headings, then by sentences up to the encoder's window, offsets exact.

This is the only file that knows langchain-text-splitters. The library's own ``start_index`` is wrong or missing for
repeated text and for token-count lengths, so it is not used: the pieces come in order and cover the text, therefore
each is found again from where the last one ended, and every span is asserted before it leaves this file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gmedbot.corpus.plain import is_to_machine, without_markup
from gmedbot.types import Document, Passage

__all__ = ["Section", "embedding_text", "fenced_blocks", "split_document", "split_sections", "split_sentences"]

#: Paragraph, line, sentence, clause, word, character: the first that makes a piece fit is used.
_SEPARATORS = [r"\n\n", r"\n", r"(?<=[.!?])\s+", r"(?<=[;,:])\s+", r"\s+", ""]


@dataclass(frozen=True)
class Section:
    """A heading's own text: ``document.text[start:end]``, heading line excluded; ``heading`` is the path from the top."""

    heading: tuple[str, ...]
    start: int
    end: int


def split_sections(text: str) -> tuple[Section, ...]:
    """Cut Markdown at its headings (levels 1–6; headings in code blocks do not count).

    Why so carefully: words that are in no section are in no passage, and nobody can ever find them. A fence that is
    never closed is text like any other, and a heading with nothing under it is a section of its own.

    Returns: sections in order, empty ones left out. Source: ExperimentalMarkdownSyntaxTextSplitter with its headings
    kept, so that its pieces leave out only rules and white space and each is found again in the text.
    """
    from langchain_text_splitters import ExperimentalMarkdownSyntaxTextSplitter

    levels = [("#" * level, f"h{level}") for level in range(1, 7)]
    splitter = ExperimentalMarkdownSyntaxTextSplitter(levels, return_each_line=False, strip_headers=False)
    shown = _without_open_fences(text)
    pieces = [(piece.page_content, _heading_path(piece.metadata)) for piece in splitter.split_text(shown)]
    sections: list[Section] = []
    cursor = 0
    for place, (content, path) in enumerate(pieces):
        body = content.strip()
        start = shown.find(body, cursor)
        if start < 0:
            raise ValueError(f"a section was altered by the splitter near offset {cursor}: {body[:60]!r}")
        cursor = start + len(body)
        if not _HEADING.match(content):
            if sections and sections[-1].heading == path:
                sections[-1] = Section(path, sections[-1].start, cursor)
            else:
                sections.append(Section(path, start, cursor))
            continue
        under = body[len(content.splitlines()[0]) :].strip()
        if under:
            sections.append(Section(path, cursor - len(under), cursor))
        elif re.search(r"[^\W_]", body) and not _leads_on(path, pieces[place + 1 : place + 2]):
            sections.append(Section(path[:-1], start, cursor))
    return tuple(sections)


def _leads_on(path: tuple[str, ...], following: Sequence[tuple[str, tuple[str, ...]]]) -> bool:
    """Whether the next piece, if there is one, stands under the heading with this path, so that its passages name it."""
    return any(
        below[: len(path)] == path and (len(below) > len(path) or not _HEADING.match(content))
        for content, below in following
    )


_HEADING = re.compile(r"#{1,6} ")
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)", re.DOTALL)


def _heading_path(metadata: Mapping[str, object]) -> tuple[str, ...]:
    """The headings above a section as a reader sees them, without those that speak to a program."""
    names = (metadata.get(f"h{level}") for level in range(1, 7))
    shown = (without_markup(str(name).strip().strip("#").strip()) for name in names if name)
    return tuple(name for name in shown if not is_to_machine(name))


def fenced_blocks(text: str) -> tuple[tuple[int, int], ...]:
    """The code blocks of Markdown as (start, end), from the opening fence to the end of the closing one.

    A block ends at a line of the same sign, at least as long, with nothing behind it. A fence without such a line
    opens nothing: what follows is the page's text, and a stray mark must not hide it.
    """
    fences: list[tuple[int, int, str, str]] = []  # start, end, marks, what follows them
    cursor = 0
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line)
        if match is not None:
            fences.append((cursor, cursor + len(line), match[1], match[2].strip()))
        cursor += len(line)
    blocks: list[tuple[int, int]] = []
    hopeless: dict[str, int] = {}  # sign → length from which on no fence below closes
    place = 0
    while place < len(fences):
        start, _, marks, info = fences[place]
        place += 1
        sign, length = marks[0], len(marks)
        if length >= hopeless.get(sign, length + 1) or (sign == "`" and "`" in info):
            continue
        for closing in range(place, len(fences)):
            _, end, others, behind = fences[closing]
            if others[0] == sign and len(others) >= length and not behind:
                blocks.append((start, end))
                place = closing + 1
                break
        else:
            hopeless[sign] = length
    return tuple(blocks)


def _without_open_fences(text: str) -> str:
    """The text with every fence that neither opens nor closes a block blotted out, so that the splitter sees none.

    As long as the original, offset by offset. The splitter pairs any two fences and drops the text below an odd one.
    """
    blocks = fenced_blocks(text)
    opens, closes = {start for start, _ in blocks}, {end for _, end in blocks}
    lines, cursor = [], 0
    for line in text.splitlines(keepends=True):
        is_kept = not _FENCE.match(line) or cursor in opens or cursor + len(line) in closes
        lines.append(line if is_kept else f"'{line[1:]}")
        cursor += len(line)
    return "".join(lines)


def split_document(document: Document, count_tokens: Callable[[str], int], max_tokens: int) -> tuple[Passage, ...]:
    """Split one document into passages of at most ``max_tokens`` word pieces, heading included.

    Args: count_tokens: the encoder's own count, special tokens included. max_tokens: the encoder's window or less.
    Returns: passages in text order; each passage's id is its source id, and a hash of its place and content.
    Raises: ValueError if a span does not reproduce its text: never expected, checked because every citation rests on it.
    """
    passages: list[Passage] = []
    for section in split_sections(document.text):
        prefix = count_tokens(embedding_text_of(document.source.title, section.heading, ""))
        budget = max(max_tokens - prefix, max_tokens // 2)
        body = document.text[section.start : section.end]
        for start, end in _fit(body, count_tokens, budget):
            passages.append(_passage(document, section.heading, section.start + start, section.start + end))
    return tuple(passages)


def _fit(body: str, count_tokens: Callable[[str], int], budget: int) -> Iterator[tuple[int, int]]:
    """Spans of ``body`` of at most ``budget`` tokens each, white space at the ends left out."""
    if count_tokens(body) <= budget:
        pieces = [body]
    else:
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(
            separators=_SEPARATORS,
            is_separator_regex=True,
            keep_separator="end",
            strip_whitespace=False,
            chunk_size=budget,
            chunk_overlap=0,
            length_function=count_tokens,
        )
        pieces = splitter.split_text(body)
    cursor = 0
    for piece in pieces:
        stripped = piece.strip()
        if not stripped:
            continue
        start = body.find(stripped, cursor)
        if start < 0:
            raise ValueError(f"a passage was altered by the splitter: {stripped[:60]!r}")
        cursor = start + len(stripped)
        yield start, cursor


def _passage(document: Document, heading: tuple[str, ...], start: int, end: int) -> Passage:
    text = document.text[start:end]
    digest = hashlib.sha256(f"{document.source.source_id}\0{start}\0{text}".encode()).hexdigest()[:10]
    return Passage(f"{document.source.source_id}-{digest}", document.source.source_id, text, start, end, heading)


def embedding_text_of(title: str, heading: tuple[str, ...], text: str) -> str:
    """What the encoder sees: the title, the heading path and the text; the first heading often repeats the title."""
    names = [name for name in heading if name.casefold() != title.casefold()]
    head = ". ".join([title, *names[-2:]]) if title else ". ".join(names[-2:])
    return f"{head}. {text}" if head else text


def embedding_text(passage: Passage, title: str) -> str:
    """The text of a passage as it is encoded (see ``embedding_text_of``)."""
    return embedding_text_of(title, passage.heading, passage.text)


#: Tokens that end in a full stop and do not end a sentence.
_ABBREVIATIONS = frozenset(
    [
        "e.g",
        "i.e",
        "etc",
        "vs",
        "cf",
        "fig",
        "figs",
        "no",
        "nos",
        "approx",
        "ca",
        "al",
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "st",
        "resp",
        "incl",
        "excl",
        "ref",
        "refs",
        "vol",
        "ed",
        "eds",
        "eq",
        "sec",
        "min",
        "max",
        "n.s",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "m.",
        "mm.",
        "lat",
        "med",
        "ant",
        "post",
        "sup",
        "inf",
    ]
)
_BOUNDARY = re.compile(r"[.!?…]+[\"'”’)\]]*(?:\[\d+(?:[,–-]\s?\d+)*\])*(?=\s|$)")
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦–]|\d{1,2}[.)])[ \t]+")


def split_sentences(text: str, start: int = 0, end: int | None = None) -> tuple[tuple[int, int, bool], ...]:
    """Sentences and list items of ``text[start:end]`` as (start, end, is_item); offsets into ``text``.

    Lines are joined into paragraphs unless they begin a list item, a heading or a table row, or the line before
    ended a sentence. Abbreviations, decimals and initials do not end a sentence.
    """
    end = len(text) if end is None else end
    spans: list[tuple[int, int, bool]] = []
    for block_start, block_end, is_item in _blocks(text, start, end):
        cursor = block_start
        for match in _BOUNDARY.finditer(text, block_start, block_end):
            if not _ends_sentence(text, match.start(), match.end(), block_end):
                continue
            spans.append((cursor, match.end(), is_item))
            cursor = match.end()
            while cursor < block_end and text[cursor].isspace():
                cursor += 1
        if cursor < block_end and text[cursor:block_end].strip():
            spans.append((cursor, block_end, is_item))
    return tuple(spans)


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Paragraphs and list items, white space trimmed, markers of list items left out."""
    block_start, block_end, is_item = -1, -1, False
    cursor = start
    for line in text[start:end].splitlines(keepends=True):
        line_start, cursor = cursor, cursor + len(line)
        stripped = line.strip()
        marker = _ITEM.match(line)
        starts_new = not stripped or marker is not None or stripped[0] in "#|>" or stripped.startswith(("```", "~~~"))
        if starts_new and block_start >= 0:
            yield block_start, block_end, is_item
            block_start = -1
        if not stripped or stripped[0] == "#" or stripped.startswith(("```", "~~~")) or set(stripped) <= set("|-:*_= "):
            continue
        offset = marker.end() if marker else len(line) - len(line.lstrip())
        if block_start < 0:
            block_start, is_item = line_start + offset, marker is not None
        block_end = line_start + len(line.rstrip())
        if block_end <= block_start:
            block_start = -1
    if block_start >= 0:
        yield block_start, block_end, is_item


def _ends_sentence(text: str, mark: int, after: int, limit: int) -> bool:
    if text[mark] != ".":
        return True
    word_start = mark
    while word_start > 0 and not text[word_start - 1].isspace() and text[word_start - 1] not in "([":
        word_start -= 1
    word = text[word_start:mark].casefold()
    rest = text[after:limit].lstrip()
    if not rest:
        return True
    is_initial = len(word) == 1 and text[word_start:mark].isupper() and word != "i" and not rest[0].isdigit()
    if word in _ABBREVIATIONS or is_initial:
        return False
    return not rest[0].islower()
