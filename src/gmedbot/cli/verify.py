"""``gmedbot verify EXPORT.json``: does every quote of an exported conversation still stand in its source?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from gmedbot.cli.common import emit, emit_json, settings_of
from gmedbot.errors import UsageError

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "verify", parents=[common], help="check the quotes and the sentences of an exported conversation"
    )
    parser.add_argument("export", metavar="EXPORT.json", help='"-" for standard input')
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.corpus.sources import scan_corpus
    from gmedbot.service.export import verify_export, without_digest

    data = _read(arguments.export)
    documents, _ = scan_corpus(settings.corpus)
    texts = {document.source.source_id: document.text for document in documents}
    problems = verify_export(data, texts.get)
    if arguments.json:
        emit_json({"ok": not problems, "problems": problems})
    else:
        emit("\n".join(problems) if problems else "Every quote stands in its source.")
        bare = without_digest(data)
        if bare:
            numbers = ", ".join(str(n) for n in bare)
            emit(
                f"No digest in turn {numbers}: whether a sentence was changed cannot be told, only the quotes were checked."
            )
        elif not problems:
            emit("Nothing was changed since it was saved.")
    return 1 if problems else 0


def _read(path: str) -> object:
    try:
        raw = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{path} must be a readable export.", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} must be UTF-8.", str(error)) from error
    try:
        data: object = json.loads(raw)
    except ValueError as error:
        raise UsageError(f"{path} must be JSON as the chat exports it.", str(error)) from error
    return data
