"""A draft → Markdown with [n] markers, the same on the command line, in the API and on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gmedbot.types import Conflict, Safety, Statement, Table

__all__ = ["EDUCATION_NOTICE", "inert", "markers", "render_answer"]

EDUCATION_NOTICE = (
    "This is education from published sources, not medical advice. For your own hip, ask a doctor or physiotherapist."
)


_LATER = "What my sources say on the rest of your question can wait until somebody has seen you."
#: Where HTML begins; "p<0.05" is none.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def markers(numbers: Sequence[int]) -> str:
    return "".join(f"[{number}]" for number in numbers)


def inert(text: str) -> str:
    """A sentence of a document as Markdown that shows it and does nothing: no HTML, no image, no link."""
    return _TAG.sub("&lt;", text).replace("](", "]\\(").replace("![", "!\\[")


def _line(statement: Statement) -> str:
    return f"{inert(statement.text)} {markers(statement.citations)}"


def _agreement(statement: Statement) -> str:
    return f" ({statement.origins} independent sources agree)" if statement.status == "agreed" else ""


def render_answer(
    statements: Sequence[Statement],
    conflicts: Sequence[Conflict],
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
    if safety is not None and safety.urgency == "emergency":
        return "\n\n".join([*blocks, _LATER])  # nobody who needs an ambulance reads on about exercises
    if preface:
        blocks.append(preface)
    for part in _parts(statements):
        lead, *rest = part
        opening = lead.verdict or verdict
        if lead.asks:
            blocks.append(f"### {lead.asks}")
        is_first = not opening and not _is_apart(lead) and bool(rest) and rest[0].role == "step"
        first = " ".join(filter(None, [f"**{opening}**" if opening else "", _line(lead) + _agreement(lead)]))
        steps = "\n".join(_marked(rest, 2 if is_first else 1))
        blocks += [f"1. {first}\n{steps}"] if is_first else [first, steps] if rest else [first]
    if table is not None:
        blocks.append(_table(table))
    blocks.extend(_conflict(conflict) for conflict in conflicts)
    if notice:
        blocks.append(f"*{notice}*")
    return "\n\n".join(blocks)


def _is_apart(lead: Statement) -> bool:
    """True for a correction: it opens the answer, and the first step comes after it."""
    return bool(lead.verdict) and not lead.asks


def _marked(statements: Sequence[Statement], number: int) -> Iterator[str]:
    """Steps as a numbered list that begins with ``number``, all else as points."""
    for statement in statements:
        mark = f"{number}." if statement.role == "step" else "-"
        number += statement.role == "step"
        yield f"{mark} {_line(statement)}{_agreement(statement)}"


def _parts(statements: Sequence[Statement]) -> list[list[Statement]]:
    """The statements by the question that they answer; one list if there was one question."""
    parts: list[list[Statement]] = []
    for statement in statements:
        if statement.asks or not parts:
            parts.append([])
        parts[-1].append(statement)
    return parts


def _conflict(conflict: Conflict) -> str:
    lines = [f"**Sources disagree** on {conflict.attribute}. {inert(conflict.explanation)}"]
    for number, side in enumerate(conflict.sides):
        mark = " **(better supported)**" if number == conflict.better_supported else ""
        said = " ".join(f"{inert(text)} {markers(numbers)}" for text, numbers in side.said)
        lines.append(f"- {said}{mark}")
    lines.append(f"\nWhich is better supported: {conflict.why}")
    return "\n".join(lines)


def _table(table: Table) -> str:
    def cell(content: tuple[str, tuple[int, ...]]) -> str:
        text, numbers = content
        return f"{inert(text).replace('|', chr(92) + '|')} {markers(numbers)}".strip()

    head = "| " + " | ".join(table.columns) + " |"
    rule = "|" + "---|" * len(table.columns)
    return "\n".join([head, rule, *("| " + " | ".join(map(cell, row)) + " |" for row in table.rows)])
