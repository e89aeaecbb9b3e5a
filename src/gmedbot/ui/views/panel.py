"""The source panel: the list of an answer's sources, and one source opened at its quoted sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gmedbot.types import Answer, Citation, Claim, Passage, Source
from gmedbot.ui.ledger import Others
from gmedbot.ui.text import count, kind_label, t
from gmedbot.ui.views.cite import badge, safe_url, short_name
from gmedbot.ui.views.html import Markup, el, icon, join

__all__ = ["highlighted", "passage_gone", "source_facts", "source_links", "source_list", "source_view"]


def source_list(answer: Answer, source: Callable[[str], Source | None]) -> Markup:
    """The answer's sources as cards, in the order of their first citation; each quote opens its passage."""
    by_source: dict[str, list[Citation]] = {}
    for citation in answer.citations:
        by_source.setdefault(citation.source_id, []).append(citation)
    cards = []
    for quoted in by_source.values():
        first = quoted[0]
        name = short_name(first, source(first.source_id))
        quotes = (
            el(
                "button",
                el("span", str(citation.n), class_="gm-num", aria_hidden="true"),
                el("span", t("cite.name", n=citation.n, label=name, kind=kind_label(citation.kind)), class_="gm-sr"),
                el("span", citation.quote, class_="gm-cardquote"),
                type="button",
                class_="gm-card",
                data_open=citation.n,
            )
            for citation in quoted
        )
        head = el("p", el("b", name), el("span", first.title, class_="gm-cardtitle"), badge(first.evidence, first.kind))
        cards.append(el("li", head, *quotes))
    return el("ol", *cards, class_="gm-cards") if cards else Markup("")


def highlighted(passage: Passage, start: int, end: int) -> Markup:
    """The passage with the quoted characters marked; offsets are the document's."""
    low = max(0, min(len(passage.text), start - passage.start))
    high = max(low, min(len(passage.text), end - passage.start))
    text = passage.text
    mark = el("mark", text[low:high], id="gm-mark", tabindex="-1") if high > low else ""
    return el("div", text[:low], mark, text[high:], class_="gm-passage", lang="en")


def source_facts(source: Source, copied: Source | None = None, level: str = "h3") -> Markup:
    """Title, authors, container, kind, and how big it was."""
    authors = ", ".join(source.authors[:4]) + (" et al." if len(source.authors) > 4 else "")
    facts = [source.container, str(source.year) if source.year else ""]
    sample = [t("panel.sample", n=f"{source.n:,}") if source.n else "", source.population or ""]
    lines: list[Markup | None] = [
        el(level, source.title),
        el("p", authors, class_="gm-authors"),
        el("p", " · ".join(x for x in facts if x), class_="gm-muted"),
        el(
            "p",
            badge(source.evidence, source.kind),
            " ",
            el("span", " · ".join(x for x in sample if x), class_="gm-muted"),
        ),
    ]
    if source.lineage:
        label = copied.label if copied else source.lineage
        lines.append(el("p", t("panel.copy_of", label=label), class_="gm-muted"))
    return join(line for line in lines if line is not None)


def source_links(source: Source, is_open: bool = False) -> Markup:
    """Ways out of a source. ``is_open``: it stands in the panel, with a quote to copy and more to read."""
    url = safe_url(source.url)
    out = el("a", icon("out"), t("panel.out"), href=url, target="_blank", rel="noopener noreferrer", class_="gm-small")
    copy = el("button", icon("copy"), t("panel.copy"), type="button", class_="gm-small", data_copy_quote=True)
    whole = el(
        "a", icon("book"), t("panel.all_of_source"), href=f"/explore?source={source.source_id}", class_="gm-small"
    )
    return el("p", copy if is_open else None, out if url else None, whole if is_open else None, class_="gm-links")


def source_view(
    passage: Passage, source: Source, quote: tuple[int, int], others: Others, copied: Source | None = None
) -> Markup:
    """One source opened: the passage with the quoted sentence, who it is, and who says the same or otherwise."""
    links = source_links(source, is_open=True)
    heading = " › ".join(passage.heading)
    return el(
        "article",
        el("p", heading, class_="gm-trail") if heading else None,
        highlighted(passage, *quote),
        _standing(others),
        el("div", source_facts(source, copied), links, class_="gm-who"),
        None if source.is_full_text else el("p", t("panel.digest"), class_="gm-fine"),
        class_="gm-source",
        data_source_id=source.source_id,
    )


def _standing(others: Others) -> Markup:
    also, against = others.also, others.against
    if not also and not against:
        return el("p", t("panel.nobody"), class_="gm-fine")
    return join(
        (
            _voices("is-agreed", "agree", t("panel.also", others=count(len(also), "other source")), also),
            _voices("is-disputed", "differ", t("panel.disputed", others=_names(against)), against),
        )
    )


def _names(voices: Sequence[tuple[Source, Claim]]) -> str:
    names = [source.label for source, _ in voices[:2]]
    more = len(voices) - len(names)
    return " and ".join(names) if more == 0 else f"{', '.join(names)} and {count(more, 'other')}"


def _voices(class_: str, sign: str, title: str, voices: Sequence[tuple[Source, Claim]]) -> Markup:
    if not voices:
        return Markup("")
    rows = (
        el(
            "li",
            el("p", claim.text),
            el(
                "p",
                el("a", source.label, href=f"/explore?source={source.source_id}"),
                " ",
                badge(source.evidence, source.kind),
            ),
        )
        for source, claim in voices
    )
    return el(
        "details",
        el("summary", icon(sign), title),
        el("ul", *rows),
        class_=f"gm-voices {class_}",
        open=class_ == "is-disputed",
    )


def passage_gone(citation: Citation | None, index_id: str) -> Markup:
    """What is left to show when the passage is not in this index: the quote that the answer kept."""
    quote = el("blockquote", citation.quote) if citation else None
    return el("article", quote, el("p", t("panel.gone", index=index_id), class_="gm-fine"), class_="gm-source")
