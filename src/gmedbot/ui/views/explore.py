"""The Explore page: exercises, one attribute across sources, findings by status, and the sources themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from gmedbot.types import EVIDENCE_RANK, Claim, Finding, Source
from gmedbot.ui.ledger import Ledger, rank_key
from gmedbot.ui.text import count, evidence_label, kind_label, t
from gmedbot.ui.views.cards import title_of
from gmedbot.ui.views.cite import badge
from gmedbot.ui.views.html import Markup, el, icon, join
from gmedbot.ui.views.panel import source_facts, source_links
from gmedbot.ui.views.standing import source_link, standing, status_line, subject_words
from gmedbot.ui.views.table import sortable

__all__ = [
    "VIEWS",
    "as_question",
    "compare_view",
    "finding_detail",
    "finding_list",
    "frame",
    "source_detail",
    "source_table",
]

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
    """Points × kinds of source: how many sources of each level of evidence speak of a point, and how they stand."""
    levels = sorted(EVIDENCE_RANK, key=lambda level: -EVIDENCE_RANK[level])
    columns = [t("explore.sources"), *(evidence_label(level) for level in levels), t("findings.agreed"),
               t("findings.disputed")]  # fmt: skip
    read = [(attribute, *_tally(ledger, attribute)) for attribute in attributes]
    read.sort(key=lambda row: (-sum(row[1].values()), row[0]))
    most = max((n for _, tally, _, _ in read for n in tally.values()), default=1)
    rows = []
    for attribute, tally, agreed, disputed in read:
        href = "/explore?" + urlencode({"view": "compare", "attribute": attribute})
        total = sum(tally.values())
        cells = [el("td", el("b", str(total)), data_value=total)]
        for level in levels:
            n = tally[level]
            shade = f"--gm-share:{100 * n / most:.0f}%" if n else None
            cells.append(
                el("td", str(n) if n else "–", data_value=n, style=shade, class_="gm-heat" if n else "gm-none")
            )
        cells += [
            el("td", str(n) if n else "–", data_value=n, class_=None if n else "gm-none") for n in (agreed, disputed)
        ]
        rows.append(el("tr", el("th", el("a", title_of(attribute), href=href), scope="row"), *cells))
    first = el("th", t("compare.pick"), scope="col", data_sort="text")
    head = el("tr", first, *(el("th", label, scope="col", data_sort="number") for label in columns))
    table = el("table", el("thead", head), el("tbody", *rows), class_="gm-table gm-matrix", **sortable())
    box = el("div", table, class_="gm-tablebox is-tall", tabindex="0", role="region", aria_label=t("compare.title"))
    return join((el("h2", t("compare.title")), el("p", t("compare.choose"), class_="gm-muted"), box))


def _tally(ledger: Ledger, attribute: str) -> tuple[Counter[str], int, int]:
    """Sources that speak of an attribute by level of evidence, and how many of its findings are agreed and disputed."""
    found = [f for f in ledger.findings.values() if f.attribute == attribute]
    ids = {ledger.claims[c].source_id for f in found for c in f.supporters if c in ledger.claims}
    tally = Counter(ledger.sources[i].evidence for i in ids if i in ledger.sources)
    return tally, sum(f.status == "agreed" for f in found), sum(f.status == "disputed" for f in found)


def _finding_order(finding: Finding) -> tuple[int, int, str]:
    order = {"disputed": 0, "agreed": 1, "single": 2}
    return (order[finding.status], -len(finding.origins), finding.finding_id)


def _compare_group(ledger: Ledger, finding: Finding) -> Markup:
    voices = ledger.voices(finding)
    title = el("a", status_line(finding, ledger), href=f"/explore?finding={finding.finding_id}")
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
        el("p", status_line(finding, ledger), " ", el("span", names, more, class_="gm-muted")),
        class_="gm-findingcard",
    )


def finding_detail(ledger: Ledger, finding: Finding) -> Markup:
    """One finding: every source that says it beside every one that says otherwise."""
    words = ledger.wording(finding)
    trail = " · ".join(x for x in (title_of(finding.attribute), subject_words(finding.subject)) if x)
    return join(
        (
            el(
                "header",
                el("a", icon("prev"), t("findings.back"), href=f"/explore?view=findings&status={finding.status}",
                   class_="gm-small"),
                el("p", trail, class_="gm-trail"),
                el("h1", words, class_="gm-statement"),
                el("p", status_line(finding, ledger), " ", _ask(as_question(words), t("findings.ask"))),
                class_="gm-detailhead",
            ),
            standing(ledger, finding),
        )
    )  # fmt: skip


def as_question(statement: str) -> str:
    """A statement as a question: "The gluteus medius abducts." → "Is it true that the gluteus medius abducts?"."""
    first, _, rest = statement.rstrip(" .").partition(" ")
    is_plain = first in {"The", "A", "An", "In", "After", "During", "For", "At", "When", "If", "Most", "Each", "Both"}
    return t("findings.question", statement=f"{first.lower() if is_plain else first} {rest}".strip())


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────
def source_table(ledger: Ledger, chosen: Mapping[str, str] | None = None) -> Markup:
    """All sources: a count for each kind, their years as a strip, and a sortable table of those that fit ``chosen``.

    Args: chosen: "kind" (as in a source) and "find" (words of a title, an author or a short name).
    """
    chosen = chosen or {}
    sources = sorted(ledger.sources.values(), key=rank_key)
    fitting = [source for source in sources if _fits(source, chosen)]
    shown = t("sources.shown", shown=f"{len(fitting):,}", sources=count(len(sources), "source"))
    charts = el("div", _kinds(sources), _years(sources), class_="gm-two")
    rows = join(
        (
            _source_filters(sources, chosen),
            el("p", shown, class_="gm-muted", role="status"),
            _source_rows(ledger, fitting) if fitting else el("p", t("sources.none"), class_="gm-muted"),
        )
    )
    is_searched = any(chosen.values())  # then what was found leads, above all on a phone
    return join((el("h2", t("sources.title")), *((rows, charts) if is_searched else (charts, rows))))


def _fits(source: Source, chosen: Mapping[str, str]) -> bool:
    text = " ".join((source.title, *source.authors, source.label)).casefold()
    words = chosen.get("find", "").casefold().split()
    return (not chosen.get("kind") or source.kind == chosen["kind"]) and all(word in text for word in words)


def _source_filters(sources: Sequence[Source], chosen: Mapping[str, str]) -> Markup:
    kinds = sorted({(kind_label(s.kind), s.kind) for s in sources})
    options = [el("option", t("exercise.any"), value="")]
    options += [el("option", label, value=kind, selected=kind == chosen.get("kind")) for label, kind in kinds]
    find = el("input", type="search", name="find", value=chosen.get("find", ""))
    is_set = any(chosen.values())
    return el(
        "form",
        el("input", type="hidden", name="view", value="sources"),
        el("label", el("span", t("sources.find")), find),
        el("label", el("span", t("sources.kind")), el("select", *options, name="kind")),
        el("button", t("exercise.apply"), class_="gm-btn is-soft"),
        el("a", t("exercise.clear"), href="/explore?view=sources", class_="gm-small") if is_set else None,
        action="/explore",
        class_="gm-filters",
        data_auto=True,
        aria_label=t("exercise.filter"),
    )


def _source_rows(ledger: Ledger, sources: Sequence[Source]) -> Markup:
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
    table = el("table", el("thead", head), el("tbody", *rows), class_="gm-table gm-sources", **sortable())
    return el("div", table, class_="gm-tablebox is-tall", tabindex="0", role="region", aria_label=t("sources.title"))


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
        status = el("p", el("a", status_line(finding, ledger), href=f"/explore?finding={finding.finding_id}"))
    return el("li", el("p", claim.text), status, id=claim.claim_id)
