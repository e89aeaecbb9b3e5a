"""The maintainers' page: what is in the index, what to review, what people said and what they missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gmedbot.service.feedback import Unanswered, Vote
from gmedbot.types import Citation, Conflict
from gmedbot.ui.text import count, t
from gmedbot.ui.views.cards import conflict_card
from gmedbot.ui.views.html import Markup, el, icon, join
from gmedbot.ui.views.judge import desk_tabs

__all__ = ["Build", "Desk", "changes_page", "desk_page", "login_page"]


@dataclass(frozen=True)
class Build:
    """One build of the index, as far as its manifest could be read."""

    build_id: str
    facts: Mapping[str, str]
    is_current: bool


@dataclass(frozen=True)
class Desk:
    """Everything the page shows."""

    facts: Mapping[str, str]
    builds: Sequence[Build]
    conflicts: Sequence[Conflict]
    votes: Sequence[Vote]
    unanswered: Sequence[Unanswered]
    days: int


def login_page(problem: str = "") -> Markup:
    """The form for the password."""
    return join(
        (
            el("h1", t("maintain.title")),
            el(
                "form",
                el("label", el("span", t("maintain.password")),
                   el("input", type="password", name="password", autocomplete="current-password", required=True)),
                el("button", t("maintain.login"), class_="gm-btn"),
                method="post",
                action="/maintain/login",
                class_="gm-filters",
            ),
            el("p", problem, role="alert") if problem else "",
        )
    )  # fmt: skip


def desk_page(desk: Desk) -> Markup:
    """The page for those who are logged in."""
    out = el("form", el("button", t("maintain.logout"), class_="gm-small"), method="post", action="/maintain/logout")
    return join(
        (
            el("div", el("h1", t("maintain.title")), out, class_="gm-deskhead"),
            desk_tabs("overview"),
            el("p", t("maintain.kept", days=desk.days), class_="gm-muted"),
            el("div", _facts(desk), _builds(desk), class_="gm-two"),
            _section(t("maintain.unanswered"), len(desk.unanswered), _unanswered(desk.unanswered)),
            _section(t("maintain.feedback"), len(desk.votes), _votes(desk.votes)),
            _section(t("maintain.conflicts"), len(desk.conflicts), join((_judge_link(), _conflicts(desk.conflicts)))),
        )
    )


def changes_page(text: str) -> Markup:
    """What the newest build says differently from the one before it."""
    return join(
        (
            el("p", el("a", icon("prev"), t("maintain.back"), href="/maintain", class_="gm-small gm-tall")),
            el("h1", t("maintain.changed")),
            el("p", t("maintain.changed.note"), class_="gm-muted"),
            el("pre", text, tabindex="0"),
        )
    )


def _section(title: str, number: int, content: Markup) -> Markup:
    empty = el("p", t("maintain.nothing"), class_="gm-muted")
    return el(
        "section", el("h2", title, " ", el("span", f"{number:,}", class_="gm-muted")), content if number else empty
    )


def _facts(desk: Desk) -> Markup:
    rows = (el("tr", el("th", name, scope="row"), el("td", value)) for name, value in desk.facts.items())
    return el("section", el("h2", t("maintain.index")), _table(t("maintain.index"), rows))


def _builds(desk: Desk) -> Markup:
    rows = []
    for build in desk.builds:
        name = el("code", build.build_id)
        mark = (
            el("span", icon("agree"), t("maintain.current"), class_="gm-status is-agreed") if build.is_current else ""
        )
        facts = ", ".join(f"{value} {key}" for key, value in build.facts.items())
        rows.append(el("tr", el("th", name, " ", mark, scope="row"), el("td", facts)))
    changes = (
        el(
            "p",
            el("a", icon("differ"), t("maintain.changed"), href="/maintain/changes", class_="gm-btn is-soft gm-tall"),
        )
        if len(rows) > 1
        else ""
    )
    content = (
        join((_table(t("maintain.builds"), rows), changes))
        if rows
        else el("p", t("maintain.nothing"), class_="gm-muted")
    )
    return el("section", el("h2", t("maintain.builds")), content)


def _table(title: str, rows: Iterable[Markup]) -> Markup:
    table = el("table", el("tbody", *rows), class_="gm-table")
    return el("div", table, class_="gm-tablebox", tabindex="0", role="region", aria_label=title)


def _unanswered(items: Sequence[Unanswered]) -> Markup:
    rows = (
        el("tr", el("td", item.question), el("td", count(item.times, "time")), el("td", f"{item.last:%Y-%m-%d}"))
        for item in items
    )
    return _table(t("maintain.unanswered"), rows)


def _votes(votes: Sequence[Vote]) -> Markup:
    rows = (
        el(
            "tr",
            el("td", icon("up" if v.value == "up" else "down"), el("span", v.value, class_="gm-sr"), " ", v.reason),
            el("td", v.question),
            el("td", el("code", v.index_id)),
            el("td", f"{v.at:%Y-%m-%d %H:%M}"),
            el("td", el("code", v.client[:8])),
        )
        for v in votes
    )
    return _table(t("maintain.feedback"), rows)


def _judge_link() -> Markup:
    return el("p", el("a", icon("edit"), t("maintain.judge"), href="/maintain/conflicts", class_="gm-btn gm-tall"))


def _conflicts(conflicts: Sequence[Conflict]) -> Markup:
    none: Mapping[int, tuple[Citation, str]] = {}
    return el("div", *(conflict_card(c, none, n) for n, c in enumerate(conflicts[:100])), class_="gm-findings")
