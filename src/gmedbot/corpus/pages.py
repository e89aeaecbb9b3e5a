"""A web page → Markdown of its content. The only file that knows trafilatura and lxml.

trafilatura is good at telling content from frame, and it loses captions, definition lists, reference marks and the
layout of tables (measured: docs/decisions). So it decides *what* is content, and our own writer, which walks the page's
tree, decides *how* it is written: a block is kept if trafilatura kept it, or if it is a table, list, caption or heading
between two blocks that were.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gmedbot.corpus.frame import strip_frame
from gmedbot.corpus.metadata import PageFacts, page_facts

__all__ = ["Page", "read_page"]

Element = Any  # lxml has no types of its own

_BLOCKS = frozenset(
    [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "dl",
        "table",
        "figure",
        "figcaption",
        "blockquote",
        "pre",
        "div",
        "section",
        "article",
        "main",
        "body",
        "header",
        "center",
        "details",
        "summary",
        "caption",
        "address",
        "hr",
        "td",
        "th",
        "li",
        "dt",
        "dd",
        "fieldset",
        "html",
        "footer",
    ]
)
_CELL_WORDS = 60  #: a cell with more words lays out a page, it is no datum
_UNITS = re.compile(r"(?:\b(?:mm|cm|m|km|kg|s|ft|in)|/m|10)$")
_SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")


@dataclass
class Page:
    """A page's content as Markdown, what it says of itself, and what was left out."""

    text: str
    facts: PageFacts
    dropped: Counter[str] = field(default_factory=Counter)


def read_page(markup: str, url: str | None = None) -> Page:
    """Read one HTML page. Returns an empty text if it has no content."""
    from lxml import html as lxml_html

    try:
        tree = lxml_html.document_fromstring(markup.replace("\x00", ""))
    except (ValueError, lxml_html.etree.ParserError):
        try:
            tree = lxml_html.document_fromstring(
                markup.replace("\x00", "").encode("utf-8"), parser=lxml_html.HTMLParser(encoding="utf-8")
            )
        except (ValueError, lxml_html.etree.ParserError):
            return Page("", PageFacts())
    facts = page_facts(tree, url)
    dropped: Counter[str] = Counter()
    strip_frame(tree, dropped)
    kept = _content_words(tree)
    body = tree.find("body")
    blocks = [block for block in _write(body if body is not None else tree) if block.text.strip()]
    text = "\n\n".join(_chosen(blocks, kept))
    return Page(text + "\n" if text else "", facts, dropped)


def _content_words(tree: Element) -> frozenset[str]:
    """Every run of five words that trafilatura takes for content; empty if it finds none."""
    import logging

    import trafilatura
    from lxml import html as lxml_html

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page it cannot read is reported by us
    text = trafilatura.extract(
        lxml_html.tostring(tree, encoding="unicode"),
        include_comments=False,
        include_tables=True,
        favor_recall=True,
        output_format="txt",
        deduplicate=False,
    )
    return _runs(text or "")


def _runs(text: str) -> frozenset[str]:
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    size = min(5, max(1, len(words)))
    return frozenset(" ".join(words[place : place + size]) for place in range(len(words) - size + 1))


def _text_of(node: Element) -> str:
    return " ".join(node.itertext())


@dataclass(frozen=True)
class _Block:
    """A written block and what kind of thing it was; ``links`` is the share of its text inside links."""

    text: str
    kind: str
    links: float = 0.0


def _write(node: Element) -> Iterator[_Block]:
    """The blocks below ``node`` in reading order. Loose text between blocks is a paragraph."""
    loose: list[str] = []
    linked = 0

    def flush() -> Iterator[_Block]:
        nonlocal linked
        text = "".join(loose)
        share = linked / max(1, len("".join(text.split())))
        loose.clear()
        linked = 0
        for part in _paragraphs(text):
            yield _Block(part, "p", share)

    loose.append(_inline_text(node.text))
    for child in node:
        if not isinstance(child.tag, str):
            loose.append(_inline_text(child.tail))
            continue
        if child.tag in _BLOCKS or _holds_blocks(child):
            yield from flush()
            yield from _write_block(child)
        else:
            loose.append("\n" if child.tag == "br" else _inline(child))
            links = [child] if child.tag == "a" else list(child.iter("a"))
            linked += sum(map(_letters, links))
        loose.append(_inline_text(child.tail))
    yield from flush()


def _holds_blocks(node: Element) -> bool:
    return any(isinstance(child.tag, str) and child.tag in _BLOCKS for child in node.iter() if child is not node)


def _write_block(node: Element) -> Iterator[_Block]:
    tag = node.tag
    if re.fullmatch(r"h[1-6]", tag):
        text = " ".join(_inline(node).split())
        if text:
            yield _Block(f"{'#' * int(tag[1])} {text}", "heading", _link_share(node))
    elif tag in ("ul", "ol"):
        lines = list(_items(node, 0))
        if lines:
            yield _Block("\n".join(lines), "list", _link_share(node))
    elif tag == "dl":
        yield from _definitions(node)
    elif tag == "table":
        yield from _table(node)
    elif tag in ("figcaption", "caption", "summary"):
        text = " ".join(_inline(node).split())
        if text:
            yield _Block(text, "caption", _link_share(node))
    elif tag in ("p", "pre") and not _holds_blocks(node):
        share = _link_share(node)
        for part in _paragraphs(_inline(node)):
            yield _Block(part, "p", share)
    else:
        inner = list(_write(node))
        share = _link_share(node)
        for block in inner:
            yield _Block(block.text, block.kind, max(block.links, share if share > 0.8 else 0.0))


def _items(node: Element, depth: int) -> Iterator[str]:
    number = 0
    for child in node:
        if not isinstance(child.tag, str):
            continue
        if child.tag in ("ul", "ol"):
            yield from _items(child, depth + 1)
            continue
        if child.tag != "li":
            continue
        number += 1
        nested = [inner for inner in child.iter("ul", "ol") if inner is not child and _owner(inner) is child]
        text = " ".join(_inline(child, skip=nested).split())
        mark = f"{number}." if node.tag == "ol" else "-"
        if text:
            yield f"{'  ' * depth}{mark} {text}"
        for inner in nested:
            yield from _items(inner, depth + 1)


def _owner(node: Element) -> Element:
    """The list item that a nested list belongs to."""
    return next((parent for parent in node.iterancestors("li")), None)


def _definitions(node: Element) -> Iterator[_Block]:
    lines: list[str] = []
    term = ""
    for child in node.iter("dt", "dd"):
        text = " ".join(_inline(child).split())
        if child.tag == "dt":
            term = text.rstrip(":")
        elif text:
            lines.append(f"- {term}: {text}" if term else f"- {text}")
    if lines:
        yield _Block("\n".join(lines), "list", _link_share(node))


def _table(node: Element) -> Iterator[_Block]:
    """A data table as a Markdown table, its caption before it; a table for layout as its blocks."""
    caption = node.find("caption")
    if caption is not None:
        text = " ".join(_inline(caption).split())
        if text:
            yield _Block(text, "caption")
    own = [row for row in node.iter("tr") if next(row.iterancestors("table"), None) is node]
    rows = [_cells(row) for row in own]
    rows = [row for row in rows if any(row)]
    is_layout = (
        node.find(".//table") is not None or node.get("role") == "presentation" or max(map(len, rows), default=0) < 2
    )
    is_layout |= any(len(cell.split()) > _CELL_WORDS for row in rows for cell in row) or any(
        len(cell.findall("p")) > 1 or cell.find(".//h2") is not None for row in own for cell in row
    )
    if is_layout:
        for cell in node.iter("td", "th"):
            if next(cell.iterancestors("table"), None) is node:
                yield from _write(cell)
        return
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    yield _Block("\n".join(lines), "table", _link_share(node))


def _cells(row: Element) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if isinstance(cell.tag, str) and cell.tag in ("td", "th"):
            cells.append(" ".join(_inline(cell).split()).replace("|", "/"))
            span = str(cell.get("colspan") or "1")
            cells.extend([""] * (min(int(span), 30) - 1 if span.isdigit() else 0))
    return cells


def _inline(node: Element, skip: list[Element] | None = None) -> str:
    """The text of an element with line breaks, units and reference marks kept: "mm²", "walking.[12]"."""
    parts: list[str] = [_inline_text(node.text)]
    for child in node:
        if not isinstance(child.tag, str) or (skip and any(child is other for other in skip)):
            parts.append(_inline_text(child.tail))
            continue
        if child.tag == "br":
            parts.append("\n")
        elif child.tag in ("sup", "sub"):
            before = "".join(parts)
            parts.append(
                _raised(" ".join(_text_of(child).split()), before) if child.tag == "sup" else _text_of(child).strip()
            )
        else:
            inner = _inline(child, skip)
            parts.append(f" {inner} " if child.tag in _BLOCKS else inner)
        parts.append(_inline_text(child.tail))
    return "".join(parts)


def _raised(text: str, before: str) -> str:
    """A superscript: an exponent after a unit, else a reference mark in square brackets."""
    if not text:
        return ""
    if re.fullmatch(r"[-+−]?\d", text) and _UNITS.search(before.rstrip()):
        return text.translate(_SUPERSCRIPTS)
    if re.fullmatch(r"\[?\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]?", text):
        return f"[{re.sub(chr(32), '', text).strip('[]')}]"
    if re.fullmatch(r"(?:\[\d{1,3}\]\s*,?\s*)+", text):
        return re.sub(r"\s", "", text)
    if re.fullmatch(r"\[?(?:citation needed|edit|note \d+|[a-z])\]?", text):
        return ""
    return text if re.fullmatch(r"(?:st|nd|rd|th|®|™|\*)", text) else f" {text}"


def _inline_text(text: str | None) -> str:
    return re.sub(r"\s+", " ", text) if text else ""


def _paragraphs(text: str) -> Iterator[str]:
    """Lines that end a sentence are paragraphs of their own; other line breaks were for the width."""
    current: list[str] = []
    for line in text.split("\n"):
        bare = " ".join(line.split())
        if bare:
            current.append(bare)
        if (not bare or bare[-1] in '.!?:”"') and current:
            yield _guarded(" ".join(current))
            current = []
    if current:
        yield _guarded(" ".join(current))


def _guarded(text: str) -> str:
    """A paragraph that only looks like a heading, an item or a table row must not become one."""
    if re.match(r"#{1,6}\s|[|>]", text):
        return text.lstrip("#|> ")
    bullet = re.match(r"[•▪◦·*–-]\s+", text)
    return f"- {text[bullet.end() :]}" if bullet else text


def _link_share(node: Element) -> float:
    total = _letters(node)
    return sum(_letters(link) for link in node.iter("a")) / total if total else 0.0


def _letters(node: Element) -> int:
    """Characters of an element's text without white space."""
    return len("".join("".join(node.itertext()).split()))


def _chosen(blocks: list[_Block], kept: frozenset[str]) -> Iterator[str]:
    """The blocks to write: those trafilatura kept, and what stands between them and is not made of links."""
    is_kept = [bool(kept & _runs(block.text)) or not kept for block in blocks]
    places = [place for place, flag in enumerate(is_kept) if flag]
    if not places:
        return
    first, last = places[0], places[-1]
    while first > 0 and (blocks[first - 1].kind in ("heading", "caption", "table") or _is_prose(blocks[first - 1])):
        first -= 1
    while (
        last + 1 < len(blocks)
        and blocks[last + 1].kind in ("caption", "table", "list")
        and blocks[last + 1].links < 0.5
    ):
        last += 1
    seen: set[str] = set()
    for place in range(first, last + 1):
        block = blocks[place]
        if block.links > 0.6 and (block.kind != "list" or not _reads(block.text)) and len(block.text) > 3:
            continue
        if block.kind == "p" and not is_kept[place] and len(block.text.split()) < 4:
            continue
        if block.text in seen and len(block.text) > 40:
            continue
        seen.add(block.text)
        yield block.text


def _is_prose(block: _Block) -> bool:
    """Whole sentences: trafilatura often misses the first paragraph of a page put together from boxes."""
    return block.links < 0.3 and block.text[-1:] in ".!?:" and len(block.text.split()) >= 6


def _reads(text: str) -> bool:
    """Whether a list of links holds sentences and not names."""
    lines = text.splitlines()
    return sum(len(line.split()) >= 8 and line.rstrip()[-1:] in ".!?" for line in lines) * 2 >= len(lines)
