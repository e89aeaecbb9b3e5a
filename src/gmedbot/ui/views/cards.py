"""Cards inside an answer: disagreement, safety, words, what to ask next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gmedbot.types import Citation, Conflict, Safety, Side
from gmedbot.ui.text import count, t
from gmedbot.ui.views.cite import badge, chips
from gmedbot.ui.views.html import Markup, el, icon
from gmedbot.ui.views.prose import inline, prose

__all__ = ["conflict_card", "glossary_list", "safety_card", "suggestion_chips", "title_of"]

Named = Mapping[int, tuple[Citation, str]]


def title_of(attribute: str) -> str:
    """An attribute's name as a heading: "nerve-roots" → "Nerve roots"."""
    words = attribute.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def conflict_card(conflict: Conflict, named: Named, at: int = 0) -> Markup:
    """Both sides at equal size, then why they differ and which is better supported, or that neither is."""
    sides = [_side(conflict, n, side, named) for n, side in enumerate(conflict.sides)]
    key = f"conflict.type.{conflict.type}"
    try:
        kind = t(key)
    except KeyError:
        kind = title_of(conflict.type)
    heading = el(
        "header",
        el("span", icon("differ"), t("conflict.title"), class_="gm-pill", aria_hidden="true"),
        el("h3", el("span", t("conflict.title"), ": ", class_="gm-sr"), title_of(conflict.attribute)),
        el("span", kind, class_="gm-muted"),
    )
    why = conflict.why or (t("conflict.neither") if conflict.better_supported is None else "")
    notes = el(
        "dl",
        *_note(t("conflict.why_differ"), conflict.explanation),
        *_note(t("conflict.why_better"), why),
    )
    return el(
        "div",
        heading,
        el("div", *sides, class_="gm-sides"),
        notes,
        class_="gm-conflict",
        role="group",  # two answers may speak of one attribute, and landmarks must have names of their own
        data_at=at,
        tabindex="-1",
        aria_label=f"{t('conflict.title')}: {title_of(conflict.attribute)}",
    )


def _side(conflict: Conflict, n: int, side: Side, named: Named) -> Markup:
    is_better = conflict.better_supported == n
    return el(
        "div",
        el(
            "div",
            el("b", t("conflict.side", letter="ABCDEFGH"[n % 8])),
            el("span", icon("agree"), t("conflict.better"), class_="gm-better") if is_better else None,
            class_="gm-sidetop",
        ),
        el("p", inline(side.text), " ", chips(side.citations, named)),
        *(el("p", inline(text), " ", chips(numbers, named), class_="gm-also") for text, numbers in side.also),
        el(
            "div",
            badge(side.evidence) if side.evidence else None,
            el("span", count(side.origins, "independent source"), class_="gm-muted"),
            class_="gm-sidefoot",
        ),
        class_="gm-sidebox" + (" is-better" if is_better else ""),
    )


def _note(label: str, text: str) -> tuple[Markup, ...]:
    return (el("div", el("dt", label), el("dd", inline(text))),) if text else ()


def safety_card(safety: Safety) -> Markup:
    """Where to seek care, and how fast. It leads the answer; the page's script announces it."""
    title = t(f"safety.{safety.urgency}")
    return el(
        "div",
        el("h3", icon("alert"), title),
        prose(safety.message),
        class_=f"gm-safety is-{safety.urgency}",
        role="group",
        aria_label=title,
    )


def glossary_list(glossary: Sequence[tuple[str, str]]) -> Markup:
    """Terms of the answer in plain words, closed until wanted."""
    items = (el("div", el("dt", term), el("dd", meaning)) for term, meaning in glossary)
    return el("details", el("summary", icon("book"), t("turn.glossary")), el("dl", *items), class_="gm-words")


def suggestion_chips(suggestions: Sequence[str]) -> Markup:
    """What to ask next, as buttons."""
    buttons = (el("button", text, type="button", class_="gm-next", data_ask=text) for text in suggestions[:5])
    return el("div", el("h3", t("turn.suggestions")), *buttons, class_="gm-nexts")
