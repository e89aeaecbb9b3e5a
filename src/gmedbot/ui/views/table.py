"""A comparison as a table; on a narrow screen each row becomes a small list of its own (by CSS, from data-label).

The roles are written out because browsers drop a table's own when its rows are shown as blocks.
"""

from __future__ import annotations

from collections.abc import Mapping

from gmedbot.types import Citation, Table
from gmedbot.ui.views.cite import chips
from gmedbot.ui.views.html import Markup, el
from gmedbot.ui.views.prose import inline

__all__ = ["comparison_table"]


def comparison_table(table: Table, named: Mapping[int, tuple[Citation, str]]) -> Markup:
    """Rows with their first cell as heading; a cell's citations follow its text."""
    head = el("tr", *(el("th", column, scope="col") if column else el("td") for column in table.columns))
    rows = []
    for row in table.rows:
        cells = []
        for at, (text, numbers) in enumerate(row):
            label = table.columns[at] if at < len(table.columns) else ""
            inner = (inline(text) or "–", " ", chips(numbers, named))
            is_heading = at == 0 and not table.columns[0]  # a column without a name holds what the rows are about
            cells.append(
                el("th", *inner, scope="row", role="rowheader")
                if is_heading
                else el("td", *inner, data_label=label[:1].upper() + label[1:], role="cell")
            )
        rows.append(el("tr", *cells, role="row"))
    return el(
        "div",
        el("table", el("thead", head), el("tbody", *rows), class_="gm-table gm-pairs", role="table"),
        class_="gm-tablebox",
        tabindex="0",
        role="region",
        aria_label=" / ".join(c for c in table.columns if c) or "Table",
    )
