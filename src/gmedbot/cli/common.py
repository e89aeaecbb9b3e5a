"""What the commands share: settings from options, tables, JSON lines, progress."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gmedbot.errors import UsageError
from gmedbot.settings import Settings, load_settings

__all__ = ["emit", "emit_json", "progress_bar", "read_lines", "settings_of", "table"]


def settings_of(arguments: argparse.Namespace, **overrides: Any) -> Settings:
    """Settings with ``--corpus`` and ``--index`` applied."""
    return load_settings(corpus=arguments.corpus, index=arguments.index, **overrides)


def emit(text: str = "") -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{text}\n")


def emit_json(value: Any) -> None:
    """Write one JSON value on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def read_lines(path: str, required: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file ("-" is standard input), checked for their keys.

    Raises: UsageError naming file, line and what is wrong.
    """
    try:
        stream = sys.stdin if path == "-" else Path(path).open(encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{path} must be a readable JSONL file.", error.strerror or str(error)) from error
    with contextlib.nullcontext(stream) if path == "-" else stream:
        try:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield _row(path, number, line, required)
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} must be UTF-8.", str(error)) from error


def _row(path: str, number: int, line: str, required: Sequence[str]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{path}:{number} must be one JSON object a line.", str(error)) from error
    missing = [key for key in required if not isinstance(row, dict) or key not in row]
    if missing:
        raise UsageError(f"{path}:{number} must hold {', '.join(required)}.", f"missing: {', '.join(missing)}")
    return dict(row)


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> None:
    """Print a table: drawn on a terminal, tab-separated when piped."""
    if not sys.stdout.isatty():
        for row in (head, *rows):
            emit("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*head, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)


@contextlib.contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A bar per stage on a terminal; nothing when piped or quiet."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield tell
