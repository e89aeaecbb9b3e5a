"""Runs the web app with the fake bot: ``python -m tests.ui.server PORT PACE EMPTY_PORT``.

On EMPTY_PORT the same process runs the app of somebody who has not built an index yet.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

import uvicorn

from gmedbot.errors import IndexMissingError
from gmedbot.settings import load_settings
from gmedbot.ui.app import build_app
from tests.ui.fake import FakeBot


def main() -> None:
    port, pace, empty_port = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    corpus = Path(tempfile.mkdtemp())  # judgements are written here
    settings = load_settings(index=Path(tempfile.mkdtemp()), corpus=corpus, maintainer_password="correct horse")
    error = IndexMissingError("A built index in index/.", "an empty folder", "gmedbot index build")
    empty = uvicorn.Server(
        uvicorn.Config(build_app(None, settings, error=error), host="127.0.0.1", port=empty_port, log_level="error")
    )
    threading.Thread(target=empty.run, daemon=True).start()
    uvicorn.run(build_app(FakeBot(), settings, pace=pace), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
