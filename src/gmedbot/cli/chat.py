"""``gmedbot chat``: the web app."""

from __future__ import annotations

import argparse
from typing import Any

from gmedbot.cli.common import settings_of

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("chat", parents=[common], help="open the chat in a browser")
    parser.add_argument("--host", default=None, help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=None, help="port to listen on (7860)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments, host=arguments.host, port=arguments.port)
    from gmedbot.ui.app import serve

    serve(settings, host=settings.host, port=settings.port, open_browser=not arguments.no_browser)
    return 0
