"""``gmedbot init DIR``: a new body of knowledge, ready to be filled."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gmedbot.cli.common import emit

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("init", parents=[common], help="make a corpus folder about something else")
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument("--subject", default="deltoid", metavar="NAME", help="what it is about (deltoid)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from gmedbot.corpus.template import create_corpus

    for path in create_corpus(arguments.dir, arguments.subject):
        emit(f"Written: {path}")
    emit(f"Next: write digests into {arguments.dir}, then")
    emit(f"  gmedbot corpus check --corpus {arguments.dir}")
    emit(f"  gmedbot index build --corpus {arguments.dir} --index {arguments.dir}-index")
    return 0
