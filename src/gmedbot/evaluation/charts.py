"""Small SVG charts as text: bars with intervals and a confusion table. No library, no script, readable without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from gmedbot.evaluation.measures import Estimate

__all__ = ["bars", "confusion_table", "grouped_bars"]

_ROW, _LEFT, _WIDTH, _RIGHT = 24, 230, 330, 110


def bars(title: str, values: Mapping[str, Estimate], top: float = 1.0) -> str:
    """Horizontal bars from 0 to ``top``, one a name, with the 95 % interval as a whisker and value and n in words."""
    rows = [(name, estimate) for name, estimate in values.items() if estimate.value is not None]
    height = _ROW * len(rows) + 8
    parts = [_open(title, height, rows)]
    for number, (name, estimate) in enumerate(rows):
        parts.append(_bar(name, estimate, number * _ROW + 4, top, "bar"))
    parts.append("</svg>")
    return f"<figure><figcaption>{escape(title)}</figcaption>{''.join(parts)}</figure>" if rows else ""


def grouped_bars(title: str, systems: Mapping[str, Mapping[str, Estimate]], measures: Sequence[str]) -> str:
    """One group a measure, one bar a system; the first system (the product) is the dark one."""
    rows = [
        (f"{measure} · {system}", estimate, number)
        for measure in measures
        for number, (system, found) in enumerate(systems.items())
        if (estimate := found.get(measure)) is not None and estimate.value is not None
    ]
    if not rows:
        return ""
    parts = [_open(title, _ROW * len(rows) + 8, [(name, estimate) for name, estimate, _ in rows])]
    for place, (name, estimate, number) in enumerate(rows):
        parts.append(_bar(name, estimate, place * _ROW + 4, 1.0, "bar" if number == 0 else "bar other"))
    return f"<figure><figcaption>{escape(title)}</figcaption>{''.join(parts)}</svg></figure>"


def _open(title: str, height: int, rows: Sequence[tuple[str, Estimate]]) -> str:
    said = "; ".join(f"{name} {estimate.value:.3f}" for name, estimate in rows)
    width = _LEFT + _WIDTH + _RIGHT
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(f"{title}: {said}", quote=True)}">'
    )


def _bar(name: str, estimate: Estimate, y: int, top: float, style: str) -> str:
    value = estimate.value or 0.0

    def x(number: float) -> float:
        return _LEFT + max(0.0, min(1.0, number / top)) * _WIDTH

    middle = y + _ROW / 2 - 3
    parts = [
        f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{escape(_short(name))}<title>{escape(name)}</title></text>',
        f'<rect class="track" x="{_LEFT}" y="{y}" width="{_WIDTH}" height="{_ROW - 6}"/>',
        f'<rect class="{style}" x="{_LEFT}" y="{y}" width="{x(value) - _LEFT:.1f}" height="{_ROW - 6}"/>',
    ]
    if estimate.low is not None and estimate.high is not None:
        low, high = x(estimate.low), x(estimate.high)
        parts.append(
            f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"/>'
        )
    parts.append(f'<text x="{_LEFT + _WIDTH + 8}" y="{middle + 4}">{value:.3f} (n {estimate.n})</text>')
    return "".join(parts)


def _short(name: str, limit: int = 34) -> str:
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def confusion_table(title: str, table: Mapping[str, Mapping[str, int]]) -> str:
    """Rows are gold, columns what was found; each cell holds the count, its share of the row as shade."""
    head = "".join(f'<th scope="col">found {escape(name)}</th>' for name in next(iter(table.values()), {}))
    lines = []
    for gold, found in table.items():
        total = sum(found.values()) or 1
        cells = "".join(
            f'<td class="num" style="--share:{count / total:.2f}">{count} <small>({count / total:.0%})</small></td>'
            for count in found.values()
        )
        lines.append(f'<tr><th scope="row">gold {escape(gold)}</th>{cells}</tr>')
    return (
        f'<div class="wrap"><table class="confusion"><caption>{escape(title)}</caption><tr><td></td>{head}</tr>'
        f"{''.join(lines)}</table></div>"
    )
