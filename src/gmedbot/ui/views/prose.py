"""The little Markdown that answers use (paragraphs, lists, bold, emphasis, [n] markers), made into HTML.

A full Markdown engine would also pass links, images and raw HTML; none of them may come from a source's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gmedbot.ui.views.html import Markup, el, join

__all__ = ["inline", "prose"]

_INLINE = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|(?<![\w*])[*_](?P<em>[^*_\n]+)[*_](?![\w*])|\[(?P<n>\d{1,3})\]")
_BULLET = re.compile(r"\s*[-*•]\s+(.*)")
_NUMBER = re.compile(r"\s*\d+[.)]\s+(.*)")
_HEADING = re.compile(r"#{1,6}\s+(.*)")

Cite = Callable[[int], Markup]


def inline(text: str, cite: Cite | None = None) -> Markup:
    """One line of text. ``cite`` turns a marker [n] into what stands for it; without it the marker stays text."""
    parts: list[object] = []
    at = 0
    for match in _INLINE.finditer(text):
        parts.append(text[at : match.start()])
        at = match.end()
        if match["bold"]:
            parts.append(el("strong", match["bold"]))
        elif match["em"]:
            parts.append(el("em", match["em"]))
        else:
            parts.append(cite(int(match["n"])) if cite else match[0])
    parts.append(text[at:])
    return join(parts)


def prose(text: str, cite: Cite | None = None) -> Markup:
    """Several lines: blank lines part paragraphs, ``-`` and ``1.`` make lists, ``#`` a bold line."""
    out: list[Markup] = []
    kind = ""
    lines: list[str] = []

    def flush() -> None:
        if not lines:
            return
        if kind == "p":
            out.append(el("p", inline(" ".join(lines), cite)))
        else:
            out.append(el(kind, *(el("li", inline(line, cite)) for line in lines)))
        lines.clear()

    for raw in text.splitlines():
        heading, bullet, number = _HEADING.fullmatch(raw), _BULLET.fullmatch(raw), _NUMBER.fullmatch(raw)
        if heading or not raw.strip():
            flush()
            kind = ""
            if heading:
                out.append(el("p", el("strong", inline(heading[1], cite))))
            continue
        new = "ul" if bullet else "ol" if number else "p"
        if new != kind:
            flush()
            kind = new
        found = bullet or number
        lines.append(found[1] if found else raw.strip())
    flush()
    return join(out)
