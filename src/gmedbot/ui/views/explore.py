"""The Explore page: exercises, one attribute across sources, findings by status, and the sources themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from gmedbot.types import Claim, Finding, Source
from gmedbot.ui.ledger import Ledger, rank_key
from gmedbot.ui.text import count, kind_label, t
from gmedbot.ui.views.cards import title_of
from gmedbot.ui.views.cite import badge
from gmedbot.ui.views.html import Markup, el, icon, join
from gmedbot.ui.views.panel import source_facts, source_links

__all__ = ["VIEWS", "compare_view", "finding_detail", "finding_list", "frame", "source_detail", "source_table"]

VIEWS = ("exercises", "compare", "findings", "sources")

#: Findings that are drawn at once; the rest follows on a link, because a page of thousands helps nobody.
PAGE = 60


def frame(view: str, ledger: Ledger, content: Markup) -> Markup:
    """Heading, what there is, and the way to the four views."""
    findings = list(ledger.findings.values())
    intro = t(
        "explore.intro",
        sources=count(len(ledger.sources), "source"),
        statements=count(len(ledger.claims), "statement"),
        agreed=f"{sum(f.status == 'agreed' for f in findings):,}",
        disputed=f"{sum(f.status == 'disputed' for f in findings):,}",
    )
    tabs = (
        el("a", t(f"explore.{key}"), href=f"/explore?view={key}", aria_current="page" if key == view else None)
        for key in VIEWS
    )
    return join(
        (
            el("h1", t("explore.title")),
            el("p", intro, class_="gm-muted"),
            el("nav", *tabs, class_="gm-tabs", aria_label=t("explore.views")),
            content,
        )
    )


def source_link(source: Source, claim: Claim | None = None) -> Markup:
    """A source's short name, leading to all that it says."""
    anchor = f"#{claim.claim_id}" if claim else ""
    return el("a", source.label, href=f"/explore?source={source.source_id}{anchor}", title=source.title)


def _ask(question: str, label: str) -> Markup:
    return el("a", label, href="/?" + urlencode({"q": question}), class_="gm-small")


# ── one attribute, all sources ───────────────────────────────────────────────────────────────────────────────
def compare_view(ledger: Ledger, attributes: Sequence[str], chosen: str) -> Markup:
    """Who says what about one attribute. Each finding is a group; the sources in it say the same."""
    if not attributes:
        return el("p", t("compare.none"), class_="gm-muted")
    if chosen not in attributes:
        return _overview(ledger, attributes)
    attribute = chosen
    options = (el("option", title_of(a), value=a, selected=a == attribute) for a in attributes)
    form = el(
        "form",
        el("input", type="hidden", name="view", value="compare"),
        el("label", el("span", t("compare.pick")), el("select", *options, name="attribute")),
        el("button", t("exercise.apply"), class_="gm-btn is-soft"),
        action="/explore",
        class_="gm-filters",
        data_auto=True,
    )
    found = sorted((f for f in ledger.findings.values() if f.attribute == attribute), key=_finding_order)
    bodies = (_compare_group(ledger, finding) for finding in found[: 2 * PAGE])
    head = el("tr", el("th", t("compare.says"), scope="col"), el("th", t("sources.name"), scope="col"),
              el("th", t("sources.evidence"), scope="col"))  # fmt: skip
    table = el("table", el("thead", head), *bodies, class_="gm-table gm-compare")
    back = el("a", icon("prev"), t("compare.back"), href="/explore?view=compare", class_="gm-small")
    return join(
        (
            el("p", back),
            form,
            el("h2", title_of(attribute)),
            el("p", t("compare.note"), class_="gm-muted"),
            el("div", table, class_="gm-tablebox", tabindex="0", role="region", aria_label=title_of(attribute)),
        )
    )


def _overview(ledger: Ledger, attributes: Sequence[str]) -> Markup:
    """Every attribute with how many sources speak of it, agree and disagree."""
    columns = (("compare.pick", "text"), ("explore.sources", "number"), ("explore.findings", "number"),
               ("findings.agreed", "number"), ("findings.disputed", "number"))  # fmt: skip
    rows = []
    for attribute in attributes:
        found = [f for f in ledger.findings.values() if f.attribute == attribute]
        sources = {ledger.claims[c].source_id for f in found for c in f.supporters if c in ledger.claims}
        numbers = (len(sources), len(found), sum(f.status == "agreed" for f in found),
                   sum(f.status == "disputed" for f in found))  # fmt: skip
        name = el("a", title_of(attribute), href="/explore?" + urlencode({"view": "compare", "attribute": attribute}))
        rows.append(el("tr", el("th", name, scope="row"), *(el("td", str(n), data_value=n) for n in numbers)))
    head = el("tr", *(el("th", t(key), scope="col", data_sort=kind) for key, kind in columns))
    table = el("table", el("thead", head), el("tbody", *rows), class_="gm-table", data_sortable=True)
    box = el("div", table, class_="gm-tablebox", tabindex="0", role="region", aria_label=t("compare.title"))
    return join((el("h2", t("compare.title")), el("p", t("compare.choose"), class_="gm-muted"), box))


def _finding_order(finding: Finding) -> tuple[int, int, str]:
    order = {"disputed": 0, "agreed": 1, "single": 2}
    return (order[finding.status], -len(finding.origins), finding.finding_id)


def status_line(finding: Finding) -> Markup:
    """The finding's status in words, with its sign."""
    if finding.status == "disputed":
        return el("span", icon("differ"), t("compare.group.disputed"), class_="gm-status is-disputed")
    if finding.status == "agreed":
        words = t("compare.group.agreed", n=len(finding.origins))
        return el("span", icon("agree"), words, class_="gm-status is-agreed")
    return el("span", t("compare.group.single"), class_="gm-status")


def _compare_group(ledger: Ledger, finding: Finding) -> Markup:
    voices = ledger.voices(finding)
    title = el("a", status_line(finding), href=f"/explore?finding={finding.finding_id}")
    rows = [el("tr", el("th", title, colspan="3", scope="rowgroup"), class_="gm-grouprow")]
    rows += [
        el(
            "tr",
            el("td", claim.text),
            el("td", source_link(source, claim)),
            el("td", badge(source.evidence, source.kind)),
        )
        for source, claim in voices
    ]
    return el("tbody", *rows)


# ── findings ─────────────────────────────────────────────────────────────────────────────────────────────────
def finding_list(ledger: Ledger, status: str, shown: int = PAGE) -> Markup:
    """Findings of one status, those with most voices first."""
    statuses = ("agreed", "disputed", "single")
    chosen = status if status in statuses else "agreed"
    by_status = {key: [f for f in ledger.findings.values() if f.status == key] for key in statuses}
    tabs = (
        el("a", f"{t(f'findings.{key}')} ", el("b", f"{len(by_status[key]):,}"),
           href=f"/explore?view=findings&status={key}", aria_current="true" if key == chosen else None)
        for key in statuses
    )  # fmt: skip
    found = sorted(by_status[chosen], key=_finding_order)
    cards = (_finding_card(ledger, finding) for finding in found[:shown])
    more = len(found) - shown
    link = f"/explore?view=findings&status={chosen}&shown={shown + PAGE}"
    return join(
        (
            el("h2", t("findings.title"), class_="gm-sr"),
            el("div", *tabs, class_="gm-subtabs"),
            el("div", *cards, class_="gm-findings") if found else el("p", t("findings.none"), class_="gm-muted"),
            el("p", el("a", t("findings.more", n=min(more, PAGE)), href=link, class_="gm-btn is-soft"))
            if more > 0
            else "",
        )
    )


def _finding_card(ledger: Ledger, finding: Finding) -> Markup:
    voices = ledger.voices(finding)
    names = join((source_link(source, claim) for source, claim in voices[:4]), ", ")
    more = f" and {count(len(voices) - 4, 'other')}" if len(voices) > 4 else ""
    return el(
        "article",
        el("p", title_of(finding.attribute), class_="gm-trail"),
        el("h3", el("a", ledger.wording(finding), href=f"/explore?finding={finding.finding_id}")),
        el("p", status_line(finding), " ", el("span", names, more, class_="gm-muted")),
        class_="gm-findingcard",
    )


def finding_detail(ledger: Ledger, finding: Finding) -> Markup:
    """One finding: every source that says it, and every one that says otherwise."""
    against = [ledger.findings[f] for f in finding.dissents if f in ledger.findings]
    dissent = join(
        el(
            "section",
            el("p", status_line(f)),
            el("h3", ledger.wording(f)),
            _voice_list(ledger.voices(f)),
            class_="gm-against",
        )
        for f in against
    )
    return join(
        (
            el(
                "header",
                el("a", icon("prev"), t("findings.back"), href="/explore?view=findings", class_="gm-small"),
                el("p", f"{title_of(finding.attribute)} · {finding.subject}", class_="gm-trail"),
                el("h1", ledger.wording(finding), class_="gm-statement"),
                el(
                    "p",
                    status_line(finding),
                    " ",
                    _ask(f"{title_of(finding.attribute)} of the {finding.subject}?", t("findings.ask")),
                ),
                class_="gm-detailhead",
            ),
            _voice_list(ledger.voices(finding)),
            join((el("h2", t("findings.against")), dissent)) if against else "",
        )
    )


def _voice_list(voices: Iterable[tuple[Source, Claim]]) -> Markup:
    rows = (
        el("li", el("p", claim.text), el("p", source_link(source, claim), " ", badge(source.evidence, source.kind)))
        for source, claim in voices
    )
    return el("ul", *rows, class_="gm-voicelist")


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────
def source_table(ledger: Ledger) -> Markup:
    """All sources: a count for each kind, their years as a strip, and a sortable table."""
    sources = sorted(ledger.sources.values(), key=rank_key)
    columns = ((t("sources.name"), "text"), (t("sources.year"), "number"), (t("sources.kind"), "text"),
               (t("sources.evidence"), "number"), (t("sources.claims"), "number"))  # fmt: skip
    head = el("tr", *(el("th", label, scope="col", data_sort=kind) for label, kind in columns))
    rows = []
    for source in sources:
        claims = len(ledger.by_source.get(source.source_id, ()))
        name = el("th", source_link(source), el("div", source.title, class_="gm-muted"), scope="row")
        rows.append(
            el(
                "tr",
                name,
                el("td", str(source.year) if source.year else "–", data_value=source.year or 0),
                el("td", kind_label(source.kind)),
                el("td", badge(source.evidence), data_value=-rank_key(source)[0]),
                el("td", str(claims), data_value=claims),
            )
        )
    table = el("table", el("thead", head), el("tbody", *rows), class_="gm-table", data_sortable=True)
    return join(
        (
            el("h2", t("sources.title")),
            el("div", _kinds(sources), _years(sources), class_="gm-two"),
            el("div", table, class_="gm-tablebox", tabindex="0", role="region", aria_label=t("sources.title")),
        )
    )


def _kinds(sources: Sequence[Source]) -> Markup:
    tally = Counter(kind_label(source.kind) for source in sources)
    return _bars(t("sources.kind"), sorted(tally.items(), key=lambda item: (-item[1], item[0])))


def _years(sources: Sequence[Source]) -> Markup:
    tally: dict[str, int] = {}
    for source in sorted(sources, key=lambda s: s.year or 9999):
        if source.year is None:
            key = t("sources.undated")
        else:
            key = "before 1990" if source.year < 1990 else f"{source.year // 5 * 5}–{source.year // 5 * 5 + 4}"
        tally[key] = tally.get(key, 0) + 1
    return _bars(t("sources.year"), list(tally.items()))


def _bars(title: str, rows: Sequence[tuple[str, int]]) -> Markup:
    most = max((number for _, number in rows), default=1)
    lines = (
        el(
            "tr",
            el("th", label, scope="row"),
            el(
                "td",
                el("div", el("span", class_="gm-bar", style=f"width:{100 * n / most:.1f}%"), class_="gm-track"),
                aria_hidden="true",
            ),
            el("td", str(n), class_="gm-val"),
        )
        for label, n in rows
    )
    return el("figure", el("figcaption", el("b", title)), el("table", el("tbody", *lines)), class_="gm-chart gm-counts")


def source_detail(ledger: Ledger, source: Source) -> Markup:
    """All that one source says, in its own order, each statement with its standing."""
    claims = sorted(ledger.by_source.get(source.source_id, ()), key=lambda c: c.start)
    by_heading: dict[str, list[Claim]] = {}
    for claim in claims:
        by_heading.setdefault(" › ".join(claim.heading), []).append(claim)
    copied = ledger.sources.get(source.lineage) if source.lineage else None
    sections = (
        el("section", el("h3", heading), el("ul", *(_claim_row(ledger, c) for c in group), class_="gm-voicelist"))
        for heading, group in by_heading.items()
    )
    facts = source_facts(source, copied, level="h1")
    return join(
        (
            el("header", el("a", icon("prev"), t("sources.back"), href="/explore?view=sources", class_="gm-small"), facts,
               source_links(source), class_="gm-detailhead"),
            el("h2", t("sources.said")),
            join(sections),
        )
    )  # fmt: skip


def _claim_row(ledger: Ledger, claim: Claim) -> Markup:
    finding = ledger.finding_of.get(claim.claim_id)
    status = ""
    if finding and finding.status != "single":
        status = el("p", el("a", status_line(finding), href=f"/explore?finding={finding.finding_id}"))
    return el("li", el("p", claim.text), status, id=claim.claim_id)
