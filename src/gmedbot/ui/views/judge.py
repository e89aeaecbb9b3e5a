"""The page on which maintainers judge disagreements: one card a pair, with both sentences and three buttons.

It works without a script; ``assets/judge.js`` only spares the reload, so that notes typed in other cards stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gmedbot.claims.reviews import Review
from gmedbot.types import Claim, Source
from gmedbot.ui.docket import LABELS, MAX_NOTE, WITHDRAW, Docket, Lost, Pair
from gmedbot.ui.text import count, t
from gmedbot.ui.views.cards import title_of
from gmedbot.ui.views.cite import badge
from gmedbot.ui.views.html import Markup, el, icon, join
from gmedbot.ui.views.standing import source_link

__all__ = [
    "PAGE",
    "SHOWS",
    "Bench",
    "desk_tabs",
    "judge_page",
    "judge_tabs",
    "pair_card",
    "problem_box",
    "unsaved_page",
]

#: Pairs on the page at first; more by a link.
PAGE = 20
SHOWS = ("all", "open", "judged", "aside")
BUILD, REVIEW = "gmedbot index build", "gmedbot claims review"
WITHDRAWAL, COPY = "gmedbot claims review --withdraw ID ID", "gmedbot corpus copy corpus"


@dataclass(frozen=True)
class Bench:
    """Where the judging is done: which pairs are shown, how many, and the key that a form must send back. Without a
    key there are no forms: the page is not served on this machine alone."""

    sources: Mapping[str, Source]
    file: str  #: where judgements are kept
    key: str = ""
    show: str = "all"
    shown: int = PAGE
    saved: str = ""  #: the pair that was judged just now; shown whatever else is
    is_packaged: bool = False  #: the corpus came with the package and is not written to


def desk_tabs(current: str) -> Markup:
    """The two maintainers' pages. ``current``: overview or judge."""
    pages = (("overview", t("maintain.overview"), "/maintain"), ("judge", t("judge.title"), "/maintain/conflicts"))
    links = (el("a", name, href=href, aria_current="page" if key == current else None) for key, name, href in pages)
    return el("nav", *links, class_="gm-tabs", aria_label=t("maintain.views"))


def judge_page(docket: Docket, bench: Bench) -> Markup:
    """The list: least certain first, with the judgements that are set aside at its end."""
    pairs = docket.showing(bench.show, bench.saved)
    more = len(pairs) - bench.shown
    link = "/maintain/conflicts?" + urlencode({"show": bench.show, "shown": bench.shown + PAGE})
    lost = docket.lost if bench.show in ("all", "aside") else ()
    return join(
        (
            el("h1", t("judge.title")),
            desk_tabs("judge"),
            el(
                "p",
                _with_code(t("judge.intro", file="{file}", command="{command}"), file=bench.file),
                class_="gm-muted",
            ),
            _no_judging(bench.is_packaged) if not bench.key else "",
            el("p", docket.problem, class_="gm-problembox", role="alert") if docket.problem else "",
            judge_tabs(docket, bench),
            _box([pair_card(pair, bench) for pair in pairs[: bench.shown]]),
            el("p", t("judge.none"), class_="gm-muted") if not pairs and not lost else "",
            el("p", el("a", t("judge.more", n=min(more, PAGE)), href=link, class_="gm-btn is-soft gm-tall"))
            if more > 0
            else "",
            _lost_list(lost, bench.file) if lost else "",
        )
    )


def unsaved_page(card: Markup, bench: Bench) -> Markup:
    """What is shown, without a script, when a judgement could not be saved: the one card, or what went wrong."""
    back = "/maintain/conflicts?" + urlencode({"show": bench.show, "shown": bench.shown})
    link = el("a", icon("prev"), t("judge.back"), href=back, class_="gm-small gm-tall")
    return join((el("h1", t("judge.title")), el("p", link), _box([card])))


def _box(cards: Sequence[Markup]) -> Markup:
    return el("div", *cards, class_="gm-findings", id="gm-judge", data_failed=t("judge.failed"))


def problem_box(problem: str, note: str) -> Markup:
    """What went wrong with a judgement whose pair cannot be shown, and what was typed."""
    return el("div", el("p", problem, role="alert"), el("blockquote", note) if note else None, class_="gm-problembox")


def judge_tabs(docket: Docket, bench: Bench) -> Markup:
    """Which pairs to show, with their numbers."""
    links = (
        el(
            "a",
            f"{t(f'judge.{show}')} ",
            el("b", f"{docket.counts.get(show, 0):,}"),
            href=f"/maintain/conflicts?{urlencode({'show': show})}",
            aria_current="true" if show == bench.show else None,
        )
        for show in SHOWS
    )
    return el("nav", *links, class_="gm-subtabs", id="gm-judge-tabs", aria_label=t("judge.views"))


def pair_card(pair: Pair, bench: Bench, problem: str = "", note: str | None = None) -> Markup:
    """Both sentences, what the program says and why, what was judged, and the form to judge it.

    Args:
        problem: why a judgement of it was not saved.
        note: what was typed, kept when the judgement was not saved; by default the note that is saved.
    """
    sides = [_side(claim, bench.sources) for claim in (pair.first, pair.second)]
    head = el(
        "header",
        el("h2", title_of(pair.attribute) or t("judge.no_attribute"), id=f"{pair.key}-h"),
        el("span", _kind(pair), class_="gm-muted") if _kind(pair) else None,
        _mark(pair),
    )
    return el(
        "article",
        head,
        el("div", *sides, class_="gm-sides"),
        _reasons(pair),
        _judged(pair, bench.file),
        el("p", problem, class_="gm-problem", role="alert", tabindex="-1"),
        _form(pair, bench, pair.review.note if note is None and pair.review else note or "") if bench.key else None,
        class_=f"gm-pair is-{pair.state}",
        id=pair.key,
        tabindex="-1",
        aria_labelledby=f"{pair.key}-h",
    )


def _kind(pair: Pair) -> str:
    kind = pair.relation.type if pair.relation is not None else None
    if kind is None:
        return ""
    try:
        return t(f"conflict.type.{kind}")
    except KeyError:
        return title_of(kind)


def _mark(pair: Pair) -> Markup:
    sign, look = {
        "open": ("differ", "is-disputed"), "waiting": ("agree", ""), "done": ("agree", "is-agreed"),
        "aside": ("alert", "is-disputed"),
    }[pair.state]  # fmt: skip
    return el("span", icon(sign), t(f"judge.state.{pair.state}"), class_=f"gm-status {look}".strip())


def _side(claim: Claim, sources: Mapping[str, Source]) -> Markup:
    source = sources.get(claim.source_id)
    name = source_link(source, claim) if source else el("span", claim.source_id)
    return el(
        "div",
        el("div", name, class_="gm-sidetop"),
        el("blockquote", claim.text),
        el(
            "div",
            badge(source.evidence, source.kind) if source else None,
            el("span", " › ".join(claim.heading), class_="gm-muted") if claim.heading else None,
            class_="gm-sidefoot",
        ),
        class_="gm-sidebox",
    )


def _reasons(pair: Pair) -> Markup:
    """What the loaded index holds of the pair, and how sure it is of that."""
    relation = pair.relation
    if relation is None:
        return el("p", t("judge.not_held"), class_="gm-muted")
    is_judged = relation.judged_by == "review"
    rows = [
        (t("judge.reason.review" if is_judged else "judge.reason"), relation.reason),
        (t("judge.confidence"), t("judge.sure") if is_judged else f"{relation.confidence:.0%}"),
    ]
    said = el("p", t("judge.said.agree"), class_="gm-muted") if relation.label == "agree" else None
    return el("div", said, el("dl", *(el("div", el("dt", name), el("dd", text)) for name, text in rows)))


def _judged(pair: Pair, file: str) -> Markup | None:
    """What a maintainer said, and whether it is in effect. The script puts the focus here after a saving."""
    review = pair.review
    if review is None:
        was_judged = pair.relation is None or pair.relation.judged_by == "review"
        gone = el("p", _with_code(t("judge.withdrawn", command="{command}")))
        return el("div", gone, class_="gm-judged", tabindex="-1") if was_judged else None
    line = _with_code(t(f"judge.line.{pair.state}", label=_label(review), command="{command}"))
    in_group = _with_code(t("judge.in_group", file="{file}"), file=file)
    group = el("span", in_group, class_="gm-muted") if review.rank == 0 else None
    note = el("q", review.note) if review.note else None
    return el("div", el("p", line), note, group, class_="gm-judged", tabindex="-1")


def _label(review: Review) -> str:
    return t(f"judge.{review.label}")


def _form(pair: Pair, bench: Bench, note: str) -> Markup:
    hidden = {
        "a": pair.first.claim_id, "b": pair.second.claim_id, "seen": pair.seen, "key": bench.key, "show": bench.show,
        "shown": str(bench.shown),
    }  # fmt: skip
    heading = f"{pair.key}-h"
    box = el(
        "label",
        el("span", t("judge.note")),
        el("textarea", note, name="note", rows="2", maxlength=MAX_NOTE, aria_describedby=heading),
    )
    return el(
        "form",
        *(el("input", type="hidden", name=name, value=value) for name, value in hidden.items()),
        box,
        el("div", *(_button(pair, label) for label in LABELS), _withdraw(pair), class_="gm-verdicts", role="group",
           aria_label=t("judge.verdicts")),
        method="post",
        action="/maintain/judge",
        data_judge=True,
        autocomplete="off",
    )  # fmt: skip


def _button(pair: Pair, label: str) -> Markup:
    is_chosen = pair.review is not None and pair.review.label == label
    return el(
        "button",
        icon("agree") if is_chosen else None,
        t(f"judge.{label}"),
        el("span", " ", t("judge.chosen"), class_="gm-sr") if is_chosen else None,
        name="label",
        value=label,
        class_="gm-btn is-soft gm-tall" + (" is-chosen" if is_chosen else ""),
        aria_describedby=f"{pair.key}-h",
    )


def _withdraw(pair: Pair) -> Markup | None:
    """The button that takes a judgement back, where this pair has one of its own."""
    if pair.review is None or pair.review.rank == 0:
        return None
    return el("button", t("judge.withdraw"), name="label", value=WITHDRAW, class_="gm-small gm-tall",
              aria_describedby=f"{pair.key}-h")  # fmt: skip


def _no_judging(is_packaged: bool) -> Markup:
    """Why there are no forms, and what to run."""
    name, command = ("judge.packaged", COPY) if is_packaged else ("judge.elsewhere", REVIEW)
    return el("p", icon("alert"), " ", _with_code(t(name, command="{command}"), command), class_="gm-notebox")


def _lost_list(lost: Sequence[Lost], file: str) -> Markup:
    """Judgements without a pair, by the sentence that is gone; closed until wanted, as one sentence may have many."""
    cards = (
        el(
            "details",
            el("summary", el("code", item.claim_id), " ", el("span", count(len(item.reviews), "judgement"))),
            el("ul", *(_lost_row(item.claim_id, review) for review in item.reviews)),
            class_="gm-lost",
        )
        for item in lost
    )
    return el(
        "section",
        el("h2", t("judge.lost")),
        el(
            "p",
            _with_code(t("judge.lost.intro", file="{file}", command="{command}"), WITHDRAWAL, file),
            class_="gm-muted",
        ),
        *cards,
    )


def _lost_row(gone: str, review: Review) -> Markup:
    other = review.b if review.a == gone else review.a
    words = t("judge.lost.pair", label=_label(review), other="{other}").split("{other}")
    return el("li", words[0], el("code", other), words[1], el("q", review.note) if review.note else None)


def _with_code(text: str, command: str = BUILD, file: str = "") -> Markup:
    """A sentence whose {command} and {file} stand as code."""
    parts: list[object] = []
    for piece in text.replace("{command}", "\x00c\x00").replace("{file}", "\x00f\x00").split("\x00"):
        parts.append(el("code", command) if piece == "c" else el("code", file) if piece == "f" else piece)
    return join(parts)
