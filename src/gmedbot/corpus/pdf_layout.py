"""Where text stands on the pages of a PDF → Markdown.

A PDF has placed letters, and no columns, paragraphs, headings or tables. pdfminer.six puts letters together to lines and
boxes; the rest is told here by place and type. Boxes are read in the order that white gaps give (a recursive XY cut; Nagy and
Seth 1984), whatever the order in the file. Running heads, page numbers and names above the text go; large or bold lines are
headings; small boxes side by side whose lines stand at the same heights are the columns of a table; a paragraph goes on over
the end of a column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from gmedbot.corpus.cleaning import unbroken_lines

__all__ = ["Box", "Line", "in_reading_order", "largest_line", "markdown_of", "whole_boxes", "without_running_lines"]

#: Points of white that part two columns.
_GUTTER = 8.0
#: A line this much larger than the text is a heading.
_LARGER = 1.12
#: A cell of a table holds no more letters than this on average; a line of a column of text does.
_CELL = 22
#: Points by which lines of one row of a table may differ in height.
_ROW = 2.5
#: At the edge of a page: its number, or what a browser prints there (an address, the day and hour).
_PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:of|/)\s*\d{1,4})?|(?:https?|file)://\S+(?:\s+\d+/\d+)?|"
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \d{1,2}:\d\d(?: ?[ap]m)?",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"(?:Table|Figure|Fig\.)\s?\d+\b")
_HEADINGS = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2})*\.?\s+)?(?:abstract|summary|introduction|background|objectives?|aims?|purpose|methods?|materials and methods|participants|procedures?|statistical analysis|results?|findings|discussion|limitations|conclusions?|"
    r"references|acknowledge?ments?|funding|conflicts? of interest|competing interests?|keywords?|key points|clinical relevance)\s*:?",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of text. ``x0``, ``x1``, ``y``, ``top``: its left, right, lower and upper edge, in points from the page's lower
    left corner."""

    text: str
    x0: float
    x1: float
    y: float
    top: float
    size: float  #: of its letters, points
    is_bold: bool = False
    is_heading: bool = False


@dataclass(frozen=True)
class Box:
    """Lines that belong together, top to bottom."""

    lines: tuple[Line, ...]

    @property
    def left(self) -> float:
        return min(line.x0 for line in self.lines)

    @property
    def right(self) -> float:
        return max(line.x1 for line in self.lines)

    @property
    def bottom(self) -> float:
        return min(line.y for line in self.lines)

    @property
    def top(self) -> float:
        return max(line.top for line in self.lines)


Page = Sequence[Box]


def whole_boxes(boxes: Sequence[Box]) -> list[Box]:
    """Words that stand far apart in a line set to the full width come as lines, or even boxes, of their own: put them back."""
    texts = [box for box in boxes if len(box.lines) > 2 and not _is_cells(box)]
    strays: dict[int, list[Line]] = {}
    for box in boxes:
        line = box.lines[0]
        home = next((text for text in texts if len(box.lines) == 1 and _is_in(line, text)), None)
        if home is not None:
            strays.setdefault(id(home), []).append(line)
    gone = {id(line) for lines in strays.values() for line in lines}
    return [
        Box(tuple(_whole_lines([*box.lines, *strays.get(id(box), ())])))
        for box in boxes
        if id(box.lines[0]) not in gone or len(box.lines) > 1
    ]


def _is_in(line: Line, box: Box) -> bool:
    """Whether a line stands beside a line of the box, within its edges."""
    is_beside = any(abs(line.y - other.y) <= 1 for other in box.lines)
    return is_beside and box.left - 2 <= line.x0 and line.x1 <= box.right + 2


def _whole_lines(lines: Sequence[Line]) -> Iterator[Line]:
    ordered = sorted(lines, key=lambda line: (-round(line.y), line.x0))
    for _, (first, *rest) in ((y, list(parts)) for y, parts in groupby(ordered, key=lambda line: round(line.y))):
        text = " ".join(line.text for line in (first, *rest))
        yield replace(first, text=text, x1=max(line.x1 for line in (first, *rest)))


def in_reading_order(boxes: Sequence[Box]) -> list[Box]:
    """Down the columns from left to right, and what goes over all columns in its place between them."""
    if columns := _columns(boxes):
        return [box for column in columns for box in in_reading_order(column)]
    bands = _bands(boxes)
    if len(bands) < 2:
        return sorted(boxes, key=lambda box: (-box.top, box.left))
    runs: list[list[Box]] = []
    for band in bands:  # as many bands as have a common gutter are read column by column
        if runs and _columns([*runs[-1], *band]):
            runs[-1] += band
        else:
            runs.append(list(band))
    return [box for run in runs for box in (in_reading_order(run) if len(run) < len(boxes) else run)]


def _columns(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes left and right of the first gap of white that goes down all of them, [] if there is none."""
    ordered = sorted(boxes, key=lambda box: box.left)
    reach = ordered[0].right if ordered else 0.0
    for place, box in enumerate(ordered[1:], 1):
        if box.left - reach >= _GUTTER:
            return [ordered[:place], ordered[place:]]
        reach = max(reach, box.right)
    return []


def _bands(boxes: Sequence[Box]) -> list[list[Box]]:
    """Groups of boxes with white across the page between them, from the top."""
    bands: list[list[Box]] = []
    reach = 0.0
    for box in sorted(boxes, key=lambda box: -box.top):
        if bands and box.top > reach:
            bands[-1].append(box)
            reach = min(reach, box.bottom)
        else:
            bands.append([box])
            reach = box.bottom
    return bands


def without_running_lines(pages: Sequence[Page]) -> list[list[Box]]:
    """In reading order, without running heads, page numbers and what else repeats among the three highest and lowest lines
    of pages."""
    edges = [_edges(page) for page in pages]
    counts = Counter(
        key
        for lines in edges
        for key in {_edge_key(line.text) for line in lines if not _PAGE_NUMBER.fullmatch(line.text)}
    )
    often = {key for key, count in counts.items() if count >= max(2, 0.5 * len(pages))} if len(pages) > 1 else set()
    kept: list[list[Box]] = []
    for page, lines in zip(pages, edges, strict=True):
        gone = {line for line in lines if _edge_key(line.text) in often}
        plain = [
            line for box in page for line in box.lines if line not in gone and not _PAGE_NUMBER.fullmatch(line.text)
        ]
        gone |= {line for line in lines if _PAGE_NUMBER.fullmatch(line.text) and not _has_neighbour(line, plain)}
        boxes = [Box(tuple(line for line in box.lines if line not in gone)) for box in page]
        kept.append(in_reading_order([box for box in boxes if box.lines]))
    return kept


def _has_neighbour(line: Line, others: Sequence[Line]) -> bool:
    """Whether text stands beside the line: then a number is a cell of a table and not that of the page."""
    return any(abs(line.y - other.y) <= _ROW for other in others)


def _edges(page: Page) -> list[Line]:
    lines = sorted((line for box in page for line in box.lines), key=lambda line: -line.y)
    return [*lines[:3], *lines[3:][-3:]]


def _edge_key(line: str) -> str:
    return re.sub(r"\d+", "0", line).casefold()


def text_size(pages: Sequence[Page]) -> float:
    """The size of type in which most letters stand, points; 0 without text."""
    letters: Counter[float] = Counter()
    for line in _lines(pages):
        letters[round(line.size, 1)] += len(line.text)
    return max(letters, key=lambda size: (letters[size], -size), default=0.0)


def largest_line(pages: Sequence[Page]) -> str:
    """The title as a page shows it: the largest type of the first page, "" where nothing is larger than the text."""
    first = [line for box in pages[0] for line in box.lines] if pages else []
    words = [line for line in first if re.search(r"[^\W\d]{2}", line.text)]
    most = max((line.size for line in words), default=0.0)
    if most < _LARGER * text_size(pages):
        return ""
    return " ".join(line.text for line in words if line.size > 0.97 * most)


def markdown_of(pages: Sequence[Page], title: str = "") -> tuple[str, int]:
    """The pages as headings, items, tables and paragraphs.

    Args: title: what the pages show as title; it and the names that stand between it and the first heading are left out.
    Returns: Markdown, and how many blocks of names and addresses were left out.
    """
    size = text_size(pages)
    is_bold = _is_mostly_bold(pages)
    blocks: list[list[Line] | str] = []
    for page in pages:
        blocks += _page_blocks(page, size, is_bold)
    left_out = _names_after(title, blocks) if title else 0
    lines = [line for block in blocks if not isinstance(block, str) for line in block]
    widths = sorted(len(line.text) for line in lines if len(line.text) > 25)
    writer = _Writer(widths[int(len(widths) * 0.8)] if widths else 80)
    for block in blocks:
        writer.add(block)
    return writer.markdown(), left_out


def _lines(pages: Iterable[Page]) -> Iterator[Line]:
    return (line for page in pages for box in page for line in box.lines)


def _is_mostly_bold(pages: Sequence[Page]) -> bool:
    letters = [(len(line.text), line.is_bold) for line in _lines(pages)]
    return 2 * sum(n for n, bold in letters if bold) > sum(n for n, _ in letters)


def _page_blocks(page: Page, size: float, is_bold: bool) -> Iterator[list[Line] | str]:
    """Boxes as lists of lines, headings marked; boxes that are the columns of a table as one Markdown table."""
    page = [part for box in page for part in _apart(box)]
    tables = list(_tables(page))
    inside = {id(box): table for table in tables for box in table.boxes}
    done: set[int] = set()
    for box in page:
        table = inside.get(id(box))
        if table is None:
            yield _marked(box, size, is_bold)
        elif id(table) not in done:
            done.add(id(table))
            yield table.markdown()


def _apart(box: Box) -> Iterator[Box]:
    """A caption that stands close above a table is taken for a part of its first column."""
    opening = box.lines[0]
    if len(box.lines) > 2 and _CAPTION.match(opening.text) and not _is_cells(Box((opening,))) and _is_cells(box, 1):
        yield Box(box.lines[:1])
        yield Box(box.lines[1:])
    else:
        yield box


def _marked(box: Box, size: float, is_bold: bool) -> list[Line]:
    """The lines of a box, those marked that stand out as headings: in larger or bold type, few words, no sentence."""
    lines: list[Line] = []
    for _, run in groupby(
        box.lines, key=lambda line: (_stands_out(line, size, is_bold), round(line.size), line.is_bold)
    ):
        own = list(run)
        text = " ".join(line.text for line in own)
        words = text.split()
        is_sentence = text[-1:] in ".;," and len(words) > 4
        is_heading = _stands_out(own[0], size, is_bold) and len(words) <= 16 and not is_sentence
        is_heading = is_heading and not _CAPTION.match(text) and re.search(r"[^\W\d]{2}", text) is not None
        lines += [replace(line, is_heading=is_heading) for line in own]
    return lines


def _stands_out(line: Line, size: float, is_bold: bool) -> bool:
    return line.size >= _LARGER * size or (line.is_bold and not is_bold and line.size >= 0.97 * size)


@dataclass(frozen=True)
class _Table:
    """Columns from the left, and the boxes that they and their head were made of."""

    columns: tuple[Box, ...]
    boxes: tuple[Box, ...]
    head: tuple[str, ...] = ()

    def markdown(self) -> str:
        heights: list[float] = []
        for y in sorted((line.y for column in self.columns for line in column.lines), reverse=True):
            if not heights or heights[-1] - y > _ROW:
                heights.append(y)
        rows = [self.head] if self.head else []
        rows += [tuple(_cell(column, height) for column in self.columns) for height in heights]
        head, *body = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([head, "|" + " --- |" * len(self.columns), *body])


def _tables(page: Page) -> Iterator[_Table]:
    """Groups of stacks that stand side by side, their lines at the same heights, with little in each."""
    small = [box for box in page if _is_cells(box)]
    free = _stacks([box for box in small if not _is_over_several(box, small)])
    while free:
        first, *rest = free
        group = [first, *(other for other in rest if _rows_shared(first[0], other[0]))]
        if len(group) > 1:
            columns = sorted((column for column, _ in group), key=lambda column: column.left)
            boxes = [box for _, own in group for box in own]
            head = next((box for box in page if box not in boxes and _is_head(box, columns)), None)
            names = tuple(head.lines[0].text.split()) if head is not None else ()
            yield _Table(tuple(columns), (*boxes, *((head,) if head is not None else ())), names)
        free = [other for other in rest if all(other is not taken for taken in group)]


def _stacks(boxes: Sequence[Box]) -> list[tuple[Box, list[Box]]]:
    """Boxes of two or more lines, and boxes that stand close under one another put together; each with what it is made of."""
    stacks: list[tuple[Box, list[Box]]] = []
    for box in sorted(boxes, key=lambda box: -box.top):
        above = next((n for n, (stack, _) in enumerate(stacks) if _stands_under(stack, box)), None)
        if above is None:
            stacks.append((box, [box]))
        else:
            stack, own = stacks[above]
            stacks[above] = Box((*stack.lines, *box.lines)), [*own, box]
    return [(stack, own) for stack, own in stacks if len(stack.lines) > 1]


def _is_over_several(box: Box, others: Sequence[Box]) -> bool:
    """One line with two or more boxes close under it, as the head of a table has."""
    under = [other for other in others if other is not box and _stands_under(box, other)]
    return len(box.lines) == 1 and any(
        a.right < b.left or b.right < a.left for n, a in enumerate(under) for b in under[n + 1 :]
    )


def _stands_under(stack: Box, box: Box) -> bool:
    overlap = min(stack.right, box.right) - max(stack.left, box.left)
    size = box.lines[0].size
    is_close = -_ROW < stack.bottom - box.top < 1.6 * size and abs(size - stack.lines[-1].size) < 1
    return is_close and overlap > 0.5 * min(stack.right - stack.left, box.right - box.left)


def _is_head(box: Box, columns: Sequence[Box]) -> bool:
    """One line close above the columns and over all of them, with as many words as there are columns."""
    line = box.lines[0]
    top = max(column.top for column in columns)
    return (
        len(box.lines) == 1
        and len(line.text.split()) == len(columns)
        and -_ROW < line.y - top < 2 * line.size
        and line.x0 <= columns[0].right
        and line.x1 >= columns[-1].left
    )


def _is_cells(box: Box, first: int = 0) -> bool:
    return sum(len(line.text) for line in box.lines[first:]) <= _CELL * (len(box.lines) - first)


def _rows_shared(first: Box, other: Box) -> bool:
    """Most lines of the shorter one stand at the height of a line of the longer one, and neither covers the other."""
    if first.left < other.right and other.left < first.right:
        return False
    fewer, more = sorted((first, other), key=lambda box: len(box.lines))
    shared = sum(any(abs(line.y - twin.y) <= _ROW for twin in more.lines) for line in fewer.lines)
    return shared >= 2 and shared >= 0.8 * len(fewer.lines)


def _cell(box: Box, height: float) -> str:
    return " ".join(line.text for line in box.lines if 0 <= height - line.y <= _ROW).replace("|", "/")


def _names_after(title: str, blocks: list[list[Line] | str]) -> int:
    """Take out the title's own lines, and what stands between it and the first heading and is no sentence and no item."""
    words = set(title.casefold().split())
    place = next((n for n, block in enumerate(blocks) if not isinstance(block, str) and _is_of(block[0], words)), None)
    if place is None:
        return 0
    own = blocks[place]
    assert not isinstance(own, str)
    blocks[place] = rest = [line for line in own if not _is_of(line, words)]
    end = next((n for n in range(place, len(blocks)) if _opens_text(blocks[n])), place)
    names = [n for n in range(place, end) if not isinstance(blocks[n], str) and not _is_text(blocks[n])]
    for n in reversed(names):
        del blocks[n]
    return len(names) - (not rest and place in names)


def _is_of(line: Line, words: set[str]) -> bool:
    return line.is_heading and set(line.text.casefold().split()) <= words


def _opens_text(block: list[Line] | str) -> bool:
    return isinstance(block, str) or any(line.is_heading or _HEADINGS.fullmatch(line.text) for line in block)


def _is_text(block: list[Line] | str) -> bool:
    text = block if isinstance(block, str) else " ".join(line.text for line in block)
    if _item(text, ""):
        return True
    return text[-1:] in ".!?" and len(text.split()) > 12 and "@" not in text


class _Writer:
    """Joins lines to headings, items and paragraphs. A paragraph ends where a sentence ends on a short line or at the end
    of a box, not where a column or a page ends in the middle of it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._out: list[str] = []
        self._current: list[str] = []

    def markdown(self) -> str:
        self._flush()
        return "\n\n".join(self._out) + "\n" if self._out else ""

    def add(self, block: list[Line] | str) -> None:
        if isinstance(block, str):
            if self._current and (_CAPTION.match(self._current[0]) or self._current[-1][-1:] in ".!?:"):
                self._flush()  # else a table stands in the middle of a sentence, which goes on below it
            self._out.append(block)
            return
        if block and self._current and self._ends_before(block[0]):
            self._flush()
        heading: list[Line] = []
        for place, line in enumerate(block):
            if heading and not (line.is_heading and _is_alike(heading[-1], line)):
                self._head(heading)
                heading = []
            following = block[place + 1].text if place + 1 < len(block) else ""
            if line.is_heading:
                heading.append(line)
            else:
                self._line(line.text, following)
        self._head(heading)

    def _ends_before(self, line: Line) -> bool:
        last = self._current[-1]
        goes_on = line.text[:1].islower() or line.text[:1].isdigit() or last[-1:] in "-,("
        return last[-1:] in ".!?:" or not goes_on or bool(_CAPTION.match(self._current[0]))

    def _head(self, lines: Sequence[Line]) -> None:
        if lines:
            self._flush()
            self._out.append(f"## {' '.join(line.text for line in lines).strip(' :')}")

    def _line(self, line: str, following: str) -> None:
        if _is_plain_heading(line, self._current[-1] if self._current else "", following, self._width):
            self._flush()
            self._out.append(f"## {line.strip(' :')}")
        elif _CAPTION.match(line) and (not self._current or self._current[-1][-1:] in ".:"):
            self._flush()
            self._current.append(line)
        elif bullet := _item(line, self._current[-1] if self._current else ""):
            self._flush()
            self._current.append(f"- {line[bullet.end() :]}" if not line[0].isdigit() else line)
        else:
            self._current.append(line)
            if line[-1:] in ".!?:" and len(line) < 0.8 * self._width:
                self._flush()

    def _flush(self) -> None:
        if self._current:
            self._out.append(" ".join(unbroken_lines("\n".join(self._current)).split()))
            self._current.clear()


def _is_alike(a: Line, b: Line) -> bool:
    """Two lines of one heading: the same type, one under the other."""
    return abs(a.size - b.size) < 0.5 and a.is_bold == b.is_bold and a.y - b.y < 2 * a.size


def _item(line: str, before: str) -> re.Match[str] | None:
    """A bullet or a number that opens an item; "(SD" on the line before makes "11) going down" none."""
    if before and before[-1:] not in ".:;!?" and line[:1].isdigit():
        return None
    return re.match(r"(?:[•▪◦●■–-]|\(?\d{1,2}[.)])\s+(?=\S)", line)


def _is_plain_heading(line: str, before: str, following: str, width: int) -> bool:
    """A heading in the type of the text: told by its name, or short and between sentences."""
    if _HEADINGS.fullmatch(line):
        return True
    words = line.split()
    if _CAPTION.match(line):
        return False
    is_short = 1 <= len(words) <= 9 and len(line) < 0.7 * width and line[-1:] not in ".,;:!?-–"
    starts = line[:1].isupper() and (not before or before[-1:] in ".!?:")
    return (
        is_short
        and starts
        and bool(following[:1].isupper() or following[:1] in "•-")
        and not re.search(r"\d{3,}|[=<>%@]", line)
    )
