"""Numbered citations as buttons, and the evidence badge that goes with a source everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gmedbot.types import EVIDENCE_RANK, Citation, Source
from gmedbot.ui.text import evidence_label, kind_label, t
from gmedbot.ui.views.html import Markup, el, join

__all__ = ["badge", "chip", "chips", "safe_url", "short_name"]


#: Chips shown at once: what ten sources say alike needs no row of ten numbers.
SHOWN = 5


def safe_url(url: str | None) -> str | None:
    """The address if it is http(s), else None: nothing else may become a link."""
    return url if url and url.startswith(("https://", "http://")) else None


def short_name(citation: Citation, source: Source | None = None) -> str:
    """What to call a citation in one breath: "Distefano 2009", else its title and year."""
    if source is not None:
        return source.label
    return f"{citation.title} {citation.year}" if citation.year else citation.title


def badge(evidence: str, kind: str = "") -> Markup:
    """Level of evidence as words and five dots; the words carry it, the dots only repeat it."""
    rank = EVIDENCE_RANK.get(evidence, 0)
    title = t("badge.level", n=rank, of=len(EVIDENCE_RANK))
    dots = join(el("i", class_="on" if n < rank else None) for n in range(len(EVIDENCE_RANK)))
    label = evidence_label(evidence)
    words = kind_label(kind) if kind else label
    drawn = el("span", dots, class_="gm-dots", aria_hidden="true", title=f"{label}: {title}")
    return el("span", drawn, words, el("span", f", {title}", class_="gm-sr"), class_="gm-badge")


def chip(citation: Citation, name: str) -> Markup:
    """One citation: a button that says its source aloud, carries its quote for the tooltip, and opens the panel."""
    return el(
        "button",
        str(citation.n),
        type="button",
        class_="gm-cite",
        data_n=citation.n,
        data_passage=citation.passage_id,
        data_quote=citation.quote,
        data_source=f"{name} · {kind_label(citation.kind)}",
        aria_label=t("cite.name", n=citation.n, label=name, kind=kind_label(citation.kind)),
    )


def chips(numbers: Iterable[int], citations: Mapping[int, tuple[Citation, str]]) -> Markup:
    """The chips of a statement, the first few at once and the rest behind a button.

    A number without a citation is left out rather than shown dead.
    """
    found = [chip(*citations[n]) for n in numbers if n in citations]
    if not found:
        return Markup("")
    if len(found) <= SHOWN + 1:
        return el("span", *found, class_="gm-cites")
    rest = len(found) - SHOWN
    more = el(
        "button",
        f"+{rest}",
        type="button",
        class_="gm-cite is-more",
        data_more=True,
        aria_expanded="false",
        aria_label=t("cite.more", n=rest),
        title=t("cite.more", n=rest),
    )
    return el("span", *found[:SHOWN], more, el("span", *found[SHOWN:], hidden=True), class_="gm-cites")
