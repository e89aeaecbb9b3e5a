"""A draft → Markdown with [n] markers, the same on the command line, in the API and on the page."""

from __future__ import annotations

from collections.abc import Sequence

from gmedbot.types import Conflict, Safety, Statement, Table

__all__ = ["EDUCATION_NOTICE", "markers", "render_answer"]

EDUCATION_NOTICE = (
    "This is education from published sources, not medical advice. For your own hip, ask a doctor or physiotherapist."
)


def markers(numbers: Sequence[int]) -> str:
    return "".join(f"[{number}]" for number in numbers)


def _line(statement: Statement) -> str:
    return f"{statement.text} {markers(statement.citations)}"


def _agreement(statement: Statement) -> str:
    return f" ({statement.origins} independent sources agree)" if statement.status == "agreed" else ""


def render_answer(
    statements: Sequence[Statement],
    conflicts: Sequence[Conflict],
    shape: str,
    verdict: str = "",
    safety: Safety | None = None,
    table: Table | None = None,
    preface: str = "",
    notice: str = "",
) -> str:
    """The Markdown of a whole answer: urgent advice, verdict and lead, points or steps, disagreements, notice."""
    blocks: list[str] = []
    if safety is not None:
        blocks.append(f"**{safety.message}**")
    if preface:
        blocks.append(preface)
    if statements:
        lead, *rest = statements
        blocks.append(" ".join(filter(None, [f"**{verdict}**" if verdict else "", _line(lead) + _agreement(lead)])))
        if rest:
            blocks.append(
                "\n".join(
                    f"{number}. {_line(item)}{_agreement(item)}"
                    if shape == "how-to"
                    else f"- {_line(item)}{_agreement(item)}"
                    for number, item in enumerate(rest, start=2 if shape == "how-to" else 1)
                )
            )
    if table is not None:
        blocks.append(_table(table))
    blocks.extend(_conflict(conflict) for conflict in conflicts)
    if notice:
        blocks.append(f"*{notice}*")
    return "\n\n".join(blocks)


def _conflict(conflict: Conflict) -> str:
    lines = [f"**Sources disagree** on {conflict.attribute}. {conflict.explanation}"]
    for number, side in enumerate(conflict.sides):
        mark = " **(better supported)**" if number == conflict.better_supported else ""
        lines.append(f"- {side.text} {markers(side.citations)}{mark}")
    lines.append(f"\nWhich is better supported: {conflict.why}")
    return "\n".join(lines)


def _table(table: Table) -> str:
    def cell(content: tuple[str, tuple[int, ...]]) -> str:
        text, numbers = content
        return f"{text.replace('|', chr(92) + '|')} {markers(numbers)}".strip()

    head = "| " + " | ".join(table.columns) + " |"
    rule = "|" + "---|" * len(table.columns)
    return "\n".join([head, rule, *("| " + " | ".join(map(cell, row)) + " |" for row in table.rows)])
