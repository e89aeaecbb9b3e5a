"""``gmedbot ask`` and ``gmedbot retrieve``: one question or a file of them, for people and for programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gmedbot.cli.common import emit, emit_json, read_lines, settings_of
from gmedbot.errors import UsageError
from gmedbot.types import Answer, AskOptions, ScoredPassage

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    ask = commands.add_parser("ask", parents=[common], help="answer one question, or a file of them")
    ask.add_argument("question", nargs="?", help="the question")
    ask.add_argument("--history", action="append", default=[], metavar="Q", help="an earlier question; may be repeated")
    ask.add_argument("--file", metavar="Q.jsonl", help='lines {"id", "question", "history": [...]}; "-" for stdin')
    ask.add_argument("--json", action="store_true", help="one JSON object a line")
    ask.add_argument(
        "--wording",
        choices=("plain", "source"),
        default="plain",
        help="statements in plain words, or as the digests put them",
    )
    ask.set_defaults(run=_ask)
    retrieve = commands.add_parser("retrieve", parents=[common], help="the passages behind questions, ranked")
    retrieve.add_argument("question", nargs="?", help="the question")
    retrieve.add_argument("--file", metavar="Q.jsonl", help='lines {"id", "question"}; "-" for stdin')
    retrieve.add_argument("--top", type=int, default=10, metavar="K", help="passages per question (10)")
    retrieve.add_argument("--format", choices=("jsonl", "trec"), default="jsonl")
    retrieve.set_defaults(run=_retrieve)


def _ask(arguments: argparse.Namespace) -> int:
    if (arguments.question is None) == (arguments.file is None):
        raise UsageError(
            "Give one question, or --file.", "both" if arguments.question else "neither", "gmedbot ask --help"
        )
    settings = settings_of(arguments)
    from gmedbot.bot import Bot

    bot, options = Bot.open(settings, is_warm=False), AskOptions(wording=arguments.wording)
    if arguments.question is not None:
        answer = bot.ask(arguments.question, arguments.history, options)
        _show(answer, arguments.json)
        return 0
    for row in read_lines(arguments.file, ("id", "question"), ("question",)):
        answer = bot.ask(row["question"], row.get("history") or (), options)
        _show(replace(answer, id=row["id"]), arguments.json)
        sys.stdout.flush()
    return 0


def _show(answer: Answer, as_json: bool) -> None:
    if as_json:
        emit_json(answer.to_json())
        return
    if answer.standalone_question.casefold() != answer.question.casefold():
        emit(f"({answer.standalone_question})\n")
    emit(answer.answer)
    if answer.citations:
        emit("\nSources")
    for citation in answer.citations:
        year = f" {citation.year}" if citation.year else ""
        emit(f"[{citation.n}] {citation.title}{year} · {citation.kind}, {citation.evidence}")
        emit(f'    "{citation.quote}"')
        if citation.url:
            emit(f"    {citation.url}")
    emit()


def _retrieve(arguments: argparse.Namespace) -> int:
    if (arguments.question is None) == (arguments.file is None):
        raise UsageError(
            "Give one question, or --file.", "both" if arguments.question else "neither", "gmedbot retrieve --help"
        )
    if arguments.top < 1:
        raise UsageError("--top must be 1 or more.", str(arguments.top))
    settings = settings_of(arguments)
    from gmedbot.bot import Bot

    bot = Bot.open(settings, is_warm=False)
    rows = (
        read_lines(arguments.file, ("id", "question"), ("question",))
        if arguments.file
        else [{"id": "q", "question": arguments.question}]
    )
    for row in rows:
        found = bot.retrieve(row["question"], arguments.top, row.get("history") or ())
        _show_run(str(row["id"]), found, arguments.format)
    return 0


def _show_run(query_id: str, found: Sequence[ScoredPassage], form: str) -> None:
    if form == "trec":
        for item in found:
            emit(f"{query_id} Q0 {item.passage.passage_id} {item.rank} {item.score:.6f} gmedbot")
        return
    emit_json(
        {
            "id": query_id,
            "passages": [
                {
                    "passage_id": item.passage.passage_id,
                    "source_id": item.passage.source_id,
                    "rank": item.rank,
                    "score": round(item.score, 6),
                    "heading": list(item.passage.heading),
                    "text": item.passage.text,
                    "start": item.passage.start,
                    "end": item.passage.end,
                }
                for item in found
            ],
        }
    )
