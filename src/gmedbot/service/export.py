"""A conversation as Markdown, HTML or JSON, with every quote, its offsets and the index it came from.

The JSON can be verified later, by anybody who has the corpus: ``gmedbot verify EXPORT.json`` looks up each quote
at its offsets. Pure functions: conversation in, text out.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gmedbot.claims.quantities import numbers_in
from gmedbot.types import Answer, Citation, Conflict, Table

__all__ = [
    "FORMAT",
    "Conversation",
    "ExportTurn",
    "answer_markdown",
    "to_html",
    "to_json",
    "to_markdown",
    "verify_export",
    "without_digest",
]

FORMAT = "gmedbot-conversation/1"
_NOTICE = "For learning, not medical advice. Quotes are from gmedbot's digests of the sources."


@dataclass(frozen=True)
class ExportTurn:
    """A question and its answer; no answer if it was stopped or failed."""

    question: str
    answer: Answer | None


@dataclass(frozen=True)
class Conversation:
    """What is exported. ``exported`` is an ISO date and time, given by the caller so that this module stays pure."""

    title: str
    turns: Sequence[ExportTurn]
    exported: str = ""


def _place(citation: Citation) -> str:
    return f"{citation.source_id}, characters {citation.start}–{citation.end}"


def answer_markdown(answer: Answer) -> str:
    """One answer as Markdown: its text as the bot renders it, then its sources with quotes and places."""
    lines = [answer.answer.strip()]
    if answer.citations:
        lines.append("\nSources:\n")
    for c in answer.citations:
        year = f" ({c.year})" if c.year else ""
        url = f" <{c.url}>" if c.url else ""
        lines.append(f"{c.n}. {c.title}{year}, {c.kind}.{url}  \n   “{c.quote}” ({_place(c)})")
    if answer.index:
        lines.append(f"\nIndex: {answer.index}")
    return "\n".join(lines).strip() + "\n"


def to_markdown(conversation: Conversation) -> str:
    """The conversation for a notebook or an editor."""
    parts = [f"# {conversation.title or 'Conversation'}\n", f"{_NOTICE} {conversation.exported}".strip() + "\n"]
    for turn in conversation.turns:
        parts.append(f"## {_escaped(' '.join(turn.question.split()))}\n")
        parts.append(answer_markdown(turn.answer) if turn.answer else "_No answer was kept._\n")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    """What somebody typed, so that no reader of Markdown takes it for markup."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)


def to_json(conversation: Conversation) -> str:
    """The conversation for programs; what ``verify_export`` reads."""
    turns = [_turn_json(turn) for turn in conversation.turns]
    data = {
        "format": FORMAT,
        "title": conversation.title,
        "exported": conversation.exported,
        "notice": _NOTICE,
        "turns": turns,
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _turn_json(turn: ExportTurn) -> dict[str, Any]:
    answer = turn.answer.to_json() if turn.answer else None
    body = {"question": turn.question, "answer": json.loads(json.dumps(answer))}
    return {**body, "sha256": _digest(body)}


def _digest(turn: Mapping[str, Any]) -> str:
    """SHA-256 of a turn's question and answer. It shows that something was changed, not by whom: it is no signature."""
    body = {"question": turn.get("question"), "answer": turn.get("answer")}
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


_STYLE = (
    "body{font:16px/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#18211f;"
    "background:#fff}h2{margin-top:2.2rem;border-top:1px solid #dfe5e3;padding-top:1.2rem}"
    "blockquote{margin:.2rem 0 .6rem;padding-left:.8rem;border-left:3px solid #9fcfc6}"
    ".differ{border:1px solid #ecc48a;background:#fff6e8;padding:.6rem 1rem;border-radius:.5rem;margin:1rem 0}"
    ".safety{border:2px solid #a51d2d;padding:.6rem 1rem;border-radius:.5rem}small{color:#55635f}"
    "li{margin:.3rem 0}table{border-collapse:collapse;width:100%}th,td{border:1px solid #dfe5e3;padding:.35rem .6rem;"
    "text-align:left;vertical-align:top}@media print{h2{break-after:avoid}li,tr,.differ{break-inside:avoid}}"
)


def to_html(conversation: Conversation) -> str:
    """One self-contained page: no script, nothing fetched, fit to print."""
    title = html.escape(conversation.title or "Conversation")
    body = "".join(_turn_html(n, turn) for n, turn in enumerate(conversation.turns, 1))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1><p><small>{html.escape(_NOTICE)} {html.escape(conversation.exported)}</small></p>"
        f"{body}</body></html>\n"
    )


def _turn_html(number: int, turn: ExportTurn) -> str:
    head = f"<h2>{html.escape(turn.question)}</h2>"
    answer = turn.answer
    if answer is None:
        return f"{head}<p><em>No answer was kept.</em></p>"
    parts = [head]
    if answer.safety:
        parts.append(f'<p class="safety"><strong>{html.escape(answer.safety.message)}</strong></p>')
    if answer.statements:
        parts.append(_statements_html(answer, number))
    else:
        parts.extend(f"<p>{html.escape(line)}</p>" for line in answer.answer.splitlines() if line.strip())
    if answer.table:
        parts.append(_table_html(answer.table, number))
    parts.extend(_conflict_html(conflict, number) for conflict in answer.conflicts)
    if answer.notice:
        parts.append(f"<p><small>{html.escape(answer.notice)}</small></p>")
    if answer.citations:
        parts.append(f"<h3>Sources</h3><ol>{''.join(_citation_html(c, number) for c in answer.citations)}</ol>")
    parts.append(f"<p><small>Index {html.escape(answer.index)}</small></p>")
    return "".join(parts)


def _statements_html(answer: Answer, turn: int) -> str:
    """The statements as lists, one for each question of the message, with what leads each of them in bold."""
    tag = "ol" if answer.shape == "how-to" else "ul"
    parts = [f"<{tag}>"]
    verdict = answer.verdict
    for statement in answer.statements:
        if statement.asks:
            parts.append(f"</{tag}><h3>{html.escape(statement.asks)}</h3><{tag}>")
        bold = statement.verdict or verdict
        verdict = ""
        said = f"<strong>{html.escape(bold)}</strong> " if bold else ""
        parts.append(f"<li>{said}{html.escape(statement.text)} {_links(statement.citations, turn)}</li>")
    return "".join((*parts, f"</{tag}>")).replace(f"<{tag}></{tag}>", "")


def _links(numbers: Sequence[int], turn: int) -> str:
    return "".join(f'<sup><a href="#t{turn}c{n}">[{n}]</a></sup>' for n in numbers)


def _table_html(table: Table, turn: int) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)} {_links(numbers, turn)}</td>" for text, numbers in row) + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _conflict_html(conflict: Conflict, turn: int) -> str:
    sides = []
    for n, side in enumerate(conflict.sides):
        better = " <strong>(better supported)</strong>" if n == conflict.better_supported else ""
        said = " ".join(f"{html.escape(text)} {_links(numbers, turn)}" for text, numbers in side.said)
        sides.append(f"<li>{said}{better}</li>")
    why = html.escape(" ".join(x for x in (conflict.explanation, conflict.why) if x))
    title = html.escape(conflict.attribute)
    return f'<div class="differ"><strong>Sources disagree: {title}</strong><ul>{"".join(sides)}</ul><p>{why}</p></div>'


def _citation_html(c: Citation, turn: int) -> str:
    link = c.url if c.url and c.url.startswith(("https://", "http://")) else None
    title = html.escape(c.title)
    name = f'<a href="{html.escape(link)}" rel="noopener noreferrer">{title}</a>' if link else title
    year = f" ({c.year})" if c.year else ""
    return (
        f'<li id="t{turn}c{c.n}" value="{c.n}">{name}{year}, {html.escape(c.kind)}'
        f"<blockquote>{html.escape(c.quote)}</blockquote><small>{html.escape(_place(c))}</small></li>"
    )


def verify_export(data: object, document_text: Callable[[str], str | None]) -> list[str]:
    """Look up every quote of an exported conversation, and whether anything in it was changed since it was saved.

    Returns what is wrong, in words; empty if all is well. Quotes are looked up in the corpus as it is now. All else
    (sentences, verdicts, the index id) is held to the digest of its turn. A sentence whose numbers stand in none of the quotes
    cited for it is told in any case, as a digest can be made anew.

    Args: document_text: the text of a source by its id (``gmedbot corpus show ID --text``), None if unknown.
    """
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        return [f"not an export of this format: wanted {FORMAT!r}"]
    turns = data.get("turns")
    if not isinstance(turns, list):
        return ["the export has no list of turns"]
    problems: list[str] = []
    for number, turn in enumerate(turns, 1):
        answer = turn.get("answer") if isinstance(turn, Mapping) else None
        if isinstance(answer, Mapping):
            problems.extend(f"turn {number}: {problem}" for problem in _verify_answer(answer, document_text))
            if turn.get("sha256") and turn["sha256"] != _digest(turn):
                problems.append(f"turn {number}: its digest does not fit: it was changed after it was saved")
        elif answer is not None:
            problems.append(f"turn {number}: the answer is not an object")
    return problems


def without_digest(data: object) -> list[int]:
    """The turns of which it cannot be told whether their sentences were changed: an earlier version saved them, or a program
    made them of ``gmedbot ask --json``."""
    turns = data.get("turns") if isinstance(data, Mapping) else None
    found = enumerate(turns, 1) if isinstance(turns, list) else ()
    return [n for n, turn in found if isinstance(turn, Mapping) and turn.get("answer") and not turn.get("sha256")]


def _verify_answer(answer: Mapping[str, Any], document_text: Callable[[str], str | None]) -> list[str]:
    problems: list[str] = []
    numbers: list[object] = []
    quotes: list[tuple[object, set[str]]] = []
    for c in _objects(answer.get("citations")):
        numbers.append(c.get("n"))
        quotes.append((c.get("n"), set(numbers_in(str(c.get("quote"))))))
        name, start, end, quote = (c.get(key) for key in ("source_id", "start", "end", "quote"))
        text = document_text(name) if isinstance(name, str) else None
        if text is None:
            problems.append(f"citation [{c.get('n')}]: source {name!r} is not in the corpus")
        elif not isinstance(start, int) or not isinstance(end, int) or text[start:end] != quote:
            moved = isinstance(quote, str) and quote in text
            how = "the quote stands elsewhere in the source now" if moved else "the source no longer says this"
            problems.append(f"citation [{c.get('n')}]: {name}, characters {start}–{end}: {how}")
    for statement in _objects(answer.get("statements")):
        named = statement.get("citations")
        cited = named if isinstance(named, list) else []
        if not cited:
            problems.append(f"statement without a citation: {statement.get('text')!r}")
        problems.extend(f"statement cites [{n}], which is not listed" for n in cited if n not in numbers)
        wanted = set(numbers_in(str(statement.get("text"))))
        if wanted and not any(wanted <= found for n, found in quotes if n in cited):
            problems.append(f"statement {statement.get('text')!r}: no quote behind it holds all of its numbers")
    return problems


def _objects(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; a file that somebody edited may hold anything."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
