"""``gmedbot``: the entry point. Parses, runs one command, and turns every GmedbotError into a message and exit code.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 something needed is missing or damaged.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gmedbot.errors import GmedbotError

__all__ = ["build_parser", "main"]

#: Modules of ``gmedbot.cli``, in the order of the help, and the commands whose module has another name.
_GROUPS = ("chat", "ask", "claims", "corpus", "index", "evaluate", "doctor", "verify", "init")
_HOMES = {"retrieve": "ask", "eval": "evaluate"}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole command line; each group adds its own commands.

    With the name of a command only its group is imported: an answer does not wait for what corpora and indexes need.
    """
    from gmedbot import __version__

    parser = argparse.ArgumentParser(
        prog="gmedbot", description="Ask about the gluteus medius; see which sources agree and which disagree."
    )
    parser.add_argument("--version", action="version", version=f"gmedbot {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--corpus", type=Path, default=None, metavar="DIR", help="folder of source files")
    common.add_argument("--index", type=Path, default=None, metavar="DIR", help="folder of built indexes")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    home = _HOMES.get(command or "", command)
    for group in [home] if home in _GROUPS else _GROUPS:
        importlib.import_module(f"gmedbot.cli.{group}").add_commands(commands, common)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    parser = build_parser(words[0] if words else None)
    arguments = parser.parse_args(words)
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
