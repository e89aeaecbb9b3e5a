"""A running app takes up a new build by itself: a thread that waits for the pointer to change (watchfiles).

The bot decides: it opens and verifies the new build beside the old one and switches between two requests, or keeps
the old one. The watcher only says when to look. Where the file system sends no events it looks every few seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

__all__ = ["IndexWatcher"]

_LOOK_MS = 2000
_log = logging.getLogger(__name__)


class IndexWatcher:
    """Calls ``reload`` whenever ``folder/CURRENT`` is replaced. Use as a context manager, or start and stop.

    Args: reload: returns True if it switched (``Bot.reload_if_changed``); may be called without need.
    """

    def __init__(self, folder: Path, reload: Callable[[], bool], on_change: Callable[[], None] | None = None) -> None:
        self._folder = folder
        self._reload = reload
        self._on_change = on_change
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> IndexWatcher:
        self._thread = threading.Thread(target=self._run, name="gmedbot-index-watcher", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def __enter__(self) -> IndexWatcher:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        from watchfiles import watch

        while not self._stop.is_set():
            if not self._folder.is_dir():
                self._stop.wait(_LOOK_MS / 1000)
                continue
            self._look()  # a build that was published before the watch began
            try:
                for _ in watch(
                    self._folder,
                    watch_filter=lambda _, path: Path(path).name == "CURRENT",
                    stop_event=self._stop,
                    rust_timeout=_LOOK_MS,
                    yield_on_timeout=True,
                    recursive=False,
                    raise_interrupt=False,
                ):
                    self._look()
            except (OSError, RuntimeError) as error:
                _log.warning("watching %s failed (%s); looking again", self._folder, error)
                self._stop.wait(_LOOK_MS / 1000)

    def _look(self) -> None:
        """One look; an error of the bot must not end the watch."""
        try:
            if self._reload() and self._on_change is not None:
                self._on_change()
        except Exception:
            _log.exception("taking up a new build failed; the old one goes on answering")
