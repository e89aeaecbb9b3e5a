"""The web app as a process of its own, started for a benchmark and ended after it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import ROOT

__all__ = ["running_app"]


@contextlib.contextmanager
def running_app(index: Path) -> Iterator[tuple[str, int]]:
    """Start ``gmedbot chat`` on a free port; gives its address and process id. Raises: TimeoutError."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gmedbot", "chat", "--no-browser", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--corpus", str(ROOT / "corpus"), "--index", str(index)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=2):
                    break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise TimeoutError("the app did not answer within two minutes") from None
                time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)
