"""What the commands share: settings from options, tables, JSON lines, progress."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gmedbot.errors import UsageError
from gmedbot.settings import Settings, load_settings

__all__ = ["ProgressLines", "emit", "emit_json", "gold_folder", "progress_bar", "read_lines", "settings_of", "table"]


def settings_of(arguments: argparse.Namespace, **overrides: Any) -> Settings:
    """Settings with ``--corpus`` and ``--index`` applied."""
    return load_settings(corpus=arguments.corpus, index=arguments.index, **overrides)


def emit(text: str = "") -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{text}\n")


def emit_json(value: Any) -> None:
    """Write one JSON value on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def gold_folder(given: Path | None, corpus: Path) -> Path:
    """``--gold``, else ``evaluation/`` beside the corpus, else that of the working folder."""
    if given is not None:
        return given
    beside = corpus.resolve().parent / "evaluation"
    return beside if beside.is_dir() else Path("evaluation")


def read_lines(path: str, required: Sequence[str], texts: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file ("-" is standard input), checked for their keys; ``texts``: those that hold a string.

    ``history``, where a line has one, is a list of strings.

    Raises: UsageError naming file, line and what is wrong.
    """
    try:
        stream = getattr(sys.stdin, "buffer", sys.stdin) if path == "-" else Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{path} must be a readable JSONL file.", error.strerror or str(error)) from error
    with contextlib.nullcontext(stream) if path == "-" else stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield _row(f"{path}:{number}", line, required, texts)


def _row(where: str, line: bytes | str, required: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    try:
        text = line.removeprefix("\ufeff") if isinstance(line, str) else line.decode("utf-8-sig")
        row = json.loads(text)
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} must be UTF-8.", str(error)) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} must be one JSON object a line.", str(error)) from error
    missing = [key for key in required if not isinstance(row, dict) or key not in row]
    if missing:
        raise UsageError(f"{where} must hold {', '.join(required)}.", f"missing: {', '.join(missing)}")
    for key in texts:
        if not isinstance(row[key], str):
            raise UsageError(f'{where}: "{key}" must be a string.', repr(row[key])[:80])
    history = row.get("history") or []
    if not isinstance(history, list) or not all(isinstance(item, str) for item in history):
        raise UsageError(f"{where}: history must be a list of earlier questions.", repr(history)[:80])
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
    """A bar per stage with the time left on a terminal; a line now and then in a log; nothing when quiet."""
    if quiet:
        yield lambda stage, done, total: None
        return
    if not sys.stderr.isatty():
        yield ProgressLines(sys.stderr.write)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=120) as progress:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield tell


class ProgressLines:
    """The progress of a long stage as lines: none in the first seconds, so that short work is silent, then ever fewer.

    Args: write: takes a line. clock: seconds.
    """

    _FIRST, _MORE = 10.0, 1.3  #: seconds into a stage, and how much longer it lasts until the next line

    def __init__(self, write: Callable[[str], Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._stage = ""
        self._began = (0.0, 0)
        self._next = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = self._clock()
        if stage != self._stage:
            self._stage, self._began, self._next = stage, (now, done), self._FIRST
        since, first = self._began
        if now - since < self._next:
            return
        self._next = max(self._next + self._FIRST, self._next * self._MORE)
        left = (now - since) * (total - done) / (done - first) if done > first else None
        rest = f", {_duration(left)} left" if left else ""
        self._write(f"{stage}: {done:,} of {total:,} in {_duration(now - since)}{rest}\n")


def _duration(seconds: float) -> str:
    """ "40 s", "12 min", "1 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
