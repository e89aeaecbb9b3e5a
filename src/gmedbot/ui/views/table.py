"""A comparison as a table; on a narrow screen each row becomes a small list of its own (by CSS, from data-label).

The roles are written out because browsers drop a table's own when its rows are shown as blocks.
"""

from __future__ import annotations

from collections.abc import Mapping

from gmedbot.types import Citation, Table
from gmedbot.ui.text import t
from gmedbot.ui.views.cite import chips
from gmedbot.ui.views.html import Markup, el
from gmedbot.ui.views.prose import inline

__all__ = ["comparison_table", "sortable"]


def sortable() -> dict[str, str]:
    """What makes a table sortable by its heads: the words with which the page's script tells that it has been sorted."""
    return {"data_sortable": t("table.sorted"), "data_up": t("table.up"), "data_down": t("table.down")}


def comparison_table(table: Table, named: Mapping[int, tuple[Citation, str]]) -> Markup:
    """Rows with their first cell as heading; a cell's citations follow its text."""
    columns = [column[:1].upper() + column[1:] for column in table.columns]
    head = el("tr", *(el("th", column, scope="col") if column else el("td") for column in columns))
    name = " / ".join(column for column in columns if column) or "Table"
    rows = []
    for row in table.rows:
        cells = []
        for at, (text, numbers) in enumerate(row):
            is_heading = at == 0 and not columns[0]  # a column without a name holds what the rows are about
            words = text[:1].upper() + text[1:] if is_heading else text
            inner = (inline(words) or "–", " ", chips(numbers, named))
            cells.append(
                el("th", *inner, scope="row", role="rowheader")
                if is_heading
                else el("td", *inner, data_label=columns[at] if at < len(columns) else "", role="cell")
            )
        rows.append(el("tr", *cells, role="row"))
    return el(
        "div",
        el(
            "table",
            el("caption", name, class_="gm-sr"),
            el("thead", head),
            el("tbody", *rows),
            class_="gm-table gm-pairs",
            role="table",
        ),
        class_="gm-tablebox",
        tabindex="0",
        role="region",
        aria_label=name,
    )
