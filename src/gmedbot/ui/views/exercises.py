"""Exercises with what was measured: a dot for every study, from zero, and the same as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from gmedbot.types import EVIDENCE_RANK, Claim, ExerciseCard, ExerciseValue, Source
from gmedbot.ui.ledger import rank_key
from gmedbot.ui.text import count, t
from gmedbot.ui.views.chart import axis_top, number, percent
from gmedbot.ui.views.cite import badge
from gmedbot.ui.views.html import Markup, el, icon, join
from gmedbot.ui.views.table import sortable

__all__ = ["ExerciseFilter", "exercise_detail", "exercise_list", "is_repeated", "matches", "mean", "measured"]

MAIN_UNIT = "%MVIC"
FOCUS = "gluteus medius"

#: Other names of an exercise, and descriptions of it, that are shown at once.
NAMES = 5
DESCRIPTIONS = 3

ExerciseFilter = Mapping[str, str]


def measured(card: ExerciseCard) -> list[ExerciseValue]:
    """The values that share the chart's axis: gluteus medius alone, %MVIC, highest first."""
    own = [v for v in card.values if v.unit == MAIN_UNIT and _is_focus(v)]
    return sorted(own, key=lambda v: (-v.value, v.source_id))


def _is_focus(value: ExerciseValue) -> bool:
    """Whether a value was measured at the gluteus medius, and at no other muscle with it."""
    return (value.muscle or FOCUS).strip().lower() == FOCUS


def is_repeated(value: ExerciseValue, sources: Mapping[str, Source]) -> bool:
    """Whether a value stands in a text that measured nothing: it has been measured elsewhere, perhaps in a study that
    is here too, and must not count twice."""
    source = sources.get(value.source_id)
    return source is not None and EVIDENCE_RANK.get(source.evidence, 0) < EVIDENCE_RANK["study"]


def mean(card: ExerciseCard, sources: Mapping[str, Source] | None = None) -> float | None:
    """Mean over studies, not over values: a study that measured five variants has one voice.

    What texts repeat counts only where nothing else is known.
    """
    values = measured(card)
    own = [v for v in values if not is_repeated(v, sources or {})]
    by_source: dict[str, list[float]] = {}
    for value in own or values:
        by_source.setdefault(value.source_id, []).append(value.value)
    means = [sum(values) / len(values) for values in by_source.values()]
    return sum(means) / len(means) if means else None


def matches(card: ExerciseCard, chosen: ExerciseFilter) -> bool:
    """Whether an exercise fits the filters; an exercise about which a thing is not known does not fit it."""
    bearing = {"yes": True, "no": False}.get(chosen.get("bearing", ""))
    names = " ".join((card.name, *card.synonyms)).casefold()
    return (
        all(word in names for word in chosen.get("find", "").casefold().split())
        and (not chosen.get("equipment") or chosen["equipment"] in _tools(card))
        and (not chosen.get("position") or card.position == chosen["position"])
        and (bearing is None or card.weight_bearing is bearing)
    )


def _tools(card: ExerciseCard) -> list[str]:
    """The equipment of an exercise, one name an item."""
    return [name.strip() for name in card.equipment.split(",") if name.strip()]


def link(card: ExerciseCard) -> str:
    """The address of one exercise."""
    return "/explore?" + urlencode({"exercise": card.name})


def _sentence(name: str) -> str:
    return name[:1].upper() + name[1:]


def exercise_list(cards: Sequence[ExerciseCard], sources: Mapping[str, Source], chosen: ExerciseFilter) -> Markup:
    """Filters, chart and table. Exercises with a measurement come first, by their mean."""
    fitting = [card for card in cards if matches(card, chosen)]
    fitting.sort(key=lambda card: (-(mean(card, sources) or -1), card.name))
    shown = t("exercise.shown", shown=f"{len(fitting):,}", exercises=count(len(cards), "exercise"))
    body: object
    if fitting:
        body = join((_chart(fitting, sources), _table(fitting, sources)))
    else:
        body = el("p", t("exercise.none"), class_="gm-muted")
    return join((_filters(cards, chosen), el("p", shown, class_="gm-muted", role="status"), body))


def _filters(cards: Sequence[ExerciseCard], chosen: ExerciseFilter) -> Markup:
    def choice(name: str, label: str, options: Sequence[tuple[str, str]]) -> Markup:
        shown = [el("option", t("exercise.any"), value="")]
        shown += [el("option", text, value=value, selected=chosen.get(name) == value) for value, text in options]
        return el("label", el("span", label), el("select", *shown, name=name))

    def known(values: Sequence[str]) -> list[tuple[str, str]]:
        return [(value, _sentence(value)) for value in sorted({v for v in values if v})]

    bearing = (("yes", t("exercise.yes")), ("no", t("exercise.no")))
    find = el("input", type="search", name="find", value=chosen.get("find", ""), placeholder=t("exercise.find.hint"))
    return el(
        "form",
        el("input", type="hidden", name="view", value="exercises"),
        el("label", el("span", t("exercise.find")), find),
        choice("equipment", t("exercise.equipment"), known([tool for c in cards for tool in _tools(c)])),
        choice("position", t("exercise.position"), known([c.position for c in cards])),
        choice("bearing", t("exercise.weight_bearing"), bearing),
        el("button", t("exercise.apply"), class_="gm-btn is-soft"),
        el("a", t("exercise.clear"), href="/explore?view=exercises", class_="gm-small")
        if any(chosen.values())
        else None,
        method="get",
        action="/explore",
        class_="gm-filters",
        data_auto=True,
        aria_label=t("exercise.filter"),
    )


def _chart(cards: Sequence[ExerciseCard], sources: Mapping[str, Source]) -> Markup:
    shown = [card for card in cards if measured(card)]
    if not shown:
        return Markup("")
    top = axis_top(max(v.value for card in shown for v in measured(card)))  # one wide SD must not squeeze all the rest
    ticks = el("div", *(el("i", number(top * q / 4)) for q in range(5)), class_="gm-ticks", aria_hidden="true")
    rows = (
        el("li", el("a", _sentence(card.name), href=link(card)), _track(card, top, sources), class_="gm-dotrow")
        for card in shown
    )
    top_axis, axis = (
        el("div", el("span", MAIN_UNIT), ticks, class_=f"gm-dotrow gm-axis{place}", aria_hidden="true")
        for place in (" is-top", "")
    )
    caption = el("figcaption", el("h2", t("exercise.chart")), el("p", t("exercise.note"), class_="gm-muted"))
    return el("figure", caption, top_axis, el("ul", *rows), axis, class_="gm-dots-chart")


def _track(card: ExerciseCard, top: float, sources: Mapping[str, Source]) -> Markup:
    marks: list[Markup] = []
    values = measured(card)
    for n, value in enumerate(values):
        y = f"{100 * (n + 1) / (len(values) + 1):.1f}%"
        if value.sd:
            low, high = percent(value.value - value.sd, top), percent(value.value + value.sd, top)
            marks.append(el("span", class_="gm-spread", style=f"left:{low};right:calc(100% - {high});top:{y}"))
        source = sources.get(value.source_id)
        label = source.label if source else value.source_id
        spread = f" ± {number(value.sd)}" if value.sd is not None else ""
        title = f"{label}: {number(value.value)}{spread} {value.unit}"
        if is_repeated(value, sources):
            title += f" ({t('exercise.reported')})"
        class_ = "gm-dot is-repeated" if is_repeated(value, sources) else "gm-dot"
        marks.append(el("span", class_=class_, style=f"left:{percent(value.value, top)};top:{y}", title=title))
    middle = mean(card, sources)
    if middle is not None and len(values) > 1:
        marks.append(el("span", class_="gm-mean", style=f"left:{percent(middle, top)}"))
    height = max(24, 9 * len(values) + 9)
    words = "; ".join(number(v.value) for v in values)
    return el("div", *marks, el("span", f"{words} {MAIN_UNIT}", class_="gm-sr"), class_="gm-dottrack",
              style=f"height:{height}px")  # fmt: skip


def _table(cards: Sequence[ExerciseCard], sources: Mapping[str, Source]) -> Markup:
    columns = (
        (t("exercise.name"), "text"), (f"{t('exercise.mean')} ({MAIN_UNIT})", "number"), (t("exercise.range"), "number"),
        (t("exercise.studies"), "number"), (t("exercise.position"), "text"), (t("exercise.equipment"), "text"),
        (t("exercise.weight_bearing"), "text"),
    )  # fmt: skip
    head = el("tr", *(el("th", label, scope="col", data_sort=kind) for label, kind in columns))
    body = []
    for card in cards:
        values, middle = measured(card), mean(card, sources)
        studies = {v.source_id for v in values if not is_repeated(v, sources)}
        low, high = (values[-1].value, values[0].value) if values else (0.0, 0.0)
        extent = number(low) if low == high else f"{number(low)}–{number(high)}"
        bearing = {True: t("exercise.yes"), False: t("exercise.no"), None: "–"}[card.weight_bearing]
        cells = (
            (number(round(middle, 1)) if middle is not None else "–", middle if middle is not None else -1),
            (extent if values else "–", high),
            (str(len(studies)) if values else "–", len(studies) if values else -1),
            (_sentence(card.position) or "–", None),
            (_sentence(card.equipment) or "–", None),
            (bearing, None),
        )
        body.append(
            el(
                "tr",
                el("th", el("a", _sentence(card.name), href=link(card)), scope="row"),
                *(el("td", text, data_value=value) for text, value in cells),
            )
        )
    table = el("table", el("caption", t("exercise.chart"), class_="gm-sr"), el("thead", head), el("tbody", *body),
               class_="gm-table", **sortable())  # fmt: skip
    return el("div", table, class_="gm-tablebox", tabindex="0", role="region", aria_label=t("exercise.chart"))


def exercise_detail(card: ExerciseCard, sources: Mapping[str, Source], claims: Mapping[str, Claim]) -> Markup:
    """One exercise: how to do it and what to watch beside every measurement."""
    facts = [_sentence(x) for x in (card.position, card.equipment) if x]
    if card.weight_bearing is not None:
        facts.append(t("exercise.yes") if card.weight_bearing else t("exercise.no"))
    question = f"How do I do the {card.name}?"
    head = el(
        "header",
        el("a", icon("prev"), t("exercise.back"), href="/explore?view=exercises", class_="gm-small"),
        el("h1", _sentence(card.name)),
        _also_called(card.synonyms),
        el("p", " · ".join(facts), class_="gm-muted") if facts else None,
        class_="gm-detailhead",
    )
    words = join(
        (
            _technique(card.technique, sources, claims),
            _claims(t("exercise.cautions"), card.cautions, sources, claims, "gm-cautions"),
            el("p", el("a", t("exercise.ask"), href="/?" + urlencode({"q": question}), class_="gm-btn")),
        )
    )
    return join((head, el("div", el("div", _measurements(card, sources)), el("div", words), class_="gm-two")))


def _also_called(names: Sequence[str]) -> Markup | None:
    """A few other names at once; the rest is for those who look for theirs."""
    if not names:
        return None
    first = el("span", t("exercise.also", names=", ".join(names[:NAMES])))
    if len(names) <= NAMES:
        return el("p", first, class_="gm-muted")
    rest = el("details", el("summary", t("exercise.names", n=len(names) - NAMES)), ", ".join(names[NAMES:]))
    return el("div", first, rest, class_="gm-muted gm-names")


def _technique(ids: Sequence[str], sources: Mapping[str, Source], claims: Mapping[str, Claim]) -> Markup:
    """How to do it, source by source: the steps of one description belong together. The fullest come first."""
    by_source: dict[str, list[Claim]] = {}
    for claim in (claims[i] for i in ids if i in claims):
        by_source.setdefault(claim.source_id, []).append(claim)
    order = sorted(by_source, key=lambda i: (-len(by_source[i]), rank_key(sources[i]) if i in sources else (0, 0, i)))
    told = [_description(sources.get(i), i, by_source[i]) for i in order]
    if not told:
        return Markup("")
    heading = el("h2", t("exercise.technique"))
    if len(told) <= DESCRIPTIONS + 1:
        return el("section", heading, *told)
    rest = count(len(told) - DESCRIPTIONS, "more description")
    more = el("details", el("summary", rest), *told[DESCRIPTIONS:], class_="gm-moretold")
    return el("section", heading, *told[:DESCRIPTIONS], more)


def _description(source: Source | None, source_id: str, claims: Sequence[Claim]) -> Markup:
    label = source.label if source else source_id
    link = el("a", label, href=f"/explore?source={source_id}#{claims[0].claim_id}")
    head = el("h3", link, " ", badge(source.evidence, source.kind) if source else None)
    return el("div", head, el("ul", *(el("li", claim.text) for claim in claims)), class_="gm-told")


def _claims(
    title: str, ids: Sequence[str], sources: Mapping[str, Source], claims: Mapping[str, Claim], class_: str = ""
) -> Markup:
    rows = []
    for claim in (claims[i] for i in ids if i in claims):
        source = sources.get(claim.source_id)
        label = source.label if source else claim.source_id
        cite = el("a", label, href=f"/explore?source={claim.source_id}#{claim.claim_id}")
        rows.append(el("li", claim.text, " ", el("span", cite, class_="gm-muted")))
    return el("section", el("h2", title), el("ul", *rows), class_=class_ or None) if rows else Markup("")


def _measurements(card: ExerciseCard, sources: Mapping[str, Source]) -> Markup:
    """What was measured: the gluteus medius first, other muscles in a table of their own."""
    if not card.values:
        return el("p", t("exercise.unmeasured"), class_="gm-muted")
    own = [v for v in card.values if _is_focus(v)]
    others = [v for v in card.values if not _is_focus(v)]
    studies = len({v.source_id for v in own if not is_repeated(v, sources)})
    title = f"Measured in {count(studies, 'study', 'studies')}" if own else t("exercise.unmeasured")
    blocks = [el("h2", title)]
    if own:
        blocks.append(_measured_table(title, own, sources))
    if others:
        blocks += [el("h2", t("exercise.others")), _measured_table(t("exercise.others"), others, sources)]
    return join(blocks)


def _measured_table(title: str, values: Sequence[ExerciseValue], sources: Mapping[str, Source]) -> Markup:
    values = sorted(values, key=lambda v: (v.unit != MAIN_UNIT, v.unit, -v.value, v.source_id))
    tops = {
        unit: axis_top(max(v.value + (v.sd or 0) for v in values if v.unit == unit))
        for unit in {v.unit for v in values}
    }
    rows = (_measured_row(value, tops[value.unit], sources) for value in values)
    head = el("tr", el("th", t("exercise.study"), scope="col"), el("td"), el("th", t("chart.value"), scope="col"))
    table = el("table", el("thead", head), el("tbody", *rows), class_="gm-table gm-measures")
    return el("div", table, class_="gm-tablebox", tabindex="0", role="region", aria_label=title)


def _measured_row(value: ExerciseValue, top: float, sources: Mapping[str, Source]) -> Markup:
    source = sources.get(value.source_id)
    again = is_repeated(value, sources)
    bar = [el("span", class_="gm-bar is-repeated" if again else "gm-bar", style=f"width:{percent(value.value, top)}")]
    if value.sd:
        low, high = percent(value.value - value.sd, top), percent(value.value + value.sd, top)
        bar.append(el("span", class_="gm-whisker", style=f"left:{low};right:calc(100% - {high})"))
    spread = f" ± {number(value.sd)}" if value.sd is not None else ""
    href = f"/explore?source={value.source_id}#{value.claim_id}"
    name = el(
        "th",
        el("a", source.label if source else value.source_id, href=href),
        el("div", badge(source.evidence, source.kind)) if source else None,
        None if _is_focus(value) else el("div", _sentence(value.muscle)),
        el("div", value.condition or value.muscle, class_="gm-muted"),
        el("div", t("exercise.reported"), class_="gm-fine") if again else None,
        scope="row",
    )
    return el(
        "tr",
        name,
        el("td", el("div", *bar, class_="gm-track"), aria_hidden="true", class_="gm-bars"),
        el("td", el("b", number(value.value)), spread, f" {value.unit}", class_="gm-val", data_value=value.value),
    )
