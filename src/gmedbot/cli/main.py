"""``gmedbot``: the entry point. Parses, runs one command, and turns every GmedbotError into a message and exit code.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 something needed is missing or damaged.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gmedbot.cli import ask, chat, claims, corpus, doctor, evaluate, index, init, verify
from gmedbot.errors import GmedbotError

__all__ = ["build_parser", "main"]

_GROUPS = (chat, ask, claims, corpus, index, evaluate, doctor, verify, init)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; each group adds its own commands."""
    from gmedbot import __version__

    parser = argparse.ArgumentParser(
        prog="gmedbot", description="Ask about the gluteus medius; see which sources agree and which disagree."
    )
    parser.add_argument("--version", action="version", version=f"gmedbot {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--corpus", type=Path, default=None, metavar="DIR", help="folder of source files")
    common.add_argument("--index", type=Path, default=None, metavar="DIR", help="folder of built indexes")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for group in _GROUPS:
        group.add_commands(commands, common)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except GmedbotError as error:
        sys.stderr.write(f"gmedbot: {error}\n")
        return error.exit_code
    except BrokenPipeError:
        # the reader of our output has gone (head, a closed pager): not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("\ngmedbot: stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
