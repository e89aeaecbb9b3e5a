"""Bar charts that are tables: what the eye reads as bars, a screen reader reads as rows. Always from zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from gmedbot.types import ChartPoint, Citation
from gmedbot.ui.text import t
from gmedbot.ui.views.cite import chips
from gmedbot.ui.views.html import Markup, el, join

__all__ = ["axis_top", "bar_charts", "number", "percent"]


def number(value: float) -> str:
    """A number as it would be printed: no trailing zeros, at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def axis_top(highest: float) -> float:
    """The end of a zero-based axis: the next 1, 2, 2.5 or 5 times a power of ten in quarters above ``highest``."""
    if highest <= 0:
        return 1.0
    step = 10 ** math.floor(math.log10(highest))
    for factor in (1, 1.2, 1.4, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10):
        if factor * step >= highest:
            return float(factor * step)
    return float(10 * step)


def percent(value: float, top: float) -> str:
    """Place on the axis, kept inside it."""
    return f"{min(100.0, max(0.0, 100 * value / top)):.2f}%"


def bar_charts(points: Sequence[ChartPoint], named: Mapping[int, tuple[Citation, str]]) -> Iterator[Markup]:
    """One chart for each unit, in the order of the points: values of different units never share an axis."""
    for unit in dict.fromkeys(point.unit for point in points):
        group = [point for point in points if point.unit == unit]
        yield _chart(group, unit, named)


def _chart(points: Sequence[ChartPoint], unit: str, named: Mapping[int, tuple[Citation, str]]) -> Markup:
    top = axis_top(max(point.value + (point.sd or 0) for point in points))
    rows = (_row(point, top, unit, named) for point in points)
    ticks = [top * quarter / 4 for quarter in range(5)]
    axis = el(
        "tr",
        el("td"),
        el("td", el("div", *(el("i", number(x)) for x in ticks), class_="gm-ticks")),
        el("td", unit),
        aria_hidden="true",
    )
    head = el(
        "tr",
        el("th", t("chart.label"), scope="col"),
        el("td", aria_hidden="true"),
        el("th", f"{t('chart.value')} ({unit})", scope="col"),
        class_="gm-sr",
    )
    has_sd = any(point.sd is not None for point in points)
    caption = el(
        "figcaption", el("b", t("chart.title")), f" · {unit}. " if unit else " ", t("chart.note") if has_sd else ""
    )
    table = el("table", el("thead", head), el("tbody", *rows), el("tfoot", axis))
    return el("figure", caption, table, class_="gm-chart")


def _row(point: ChartPoint, top: float, unit: str, named: Mapping[int, tuple[Citation, str]]) -> Markup:
    bar = [el("span", class_="gm-bar", style=f"width:{percent(point.value, top)}")]
    if point.sd:
        low, high = percent(point.value - point.sd, top), percent(point.value + point.sd, top)
        bar.append(el("span", class_="gm-whisker", style=f"left:{low};right:calc(100% - {high})"))
    spread = el("span", f" ± {number(point.sd)}", class_="gm-muted") if point.sd is not None else None
    value = join((el("b", number(point.value)), spread or "", " ", chips((point.citation,), named)))
    return el(
        "tr",
        el("th", point.label, scope="row"),
        el("td", el("div", *bar, class_="gm-track"), aria_hidden="true"),
        el("td", value, class_="gm-val"),
    )
