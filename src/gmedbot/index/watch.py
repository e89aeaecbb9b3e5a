"""A running app takes up a new build by itself: a thread that waits for the pointer to change (watchfiles).

The bot decides: it opens and verifies the new build beside the old one and switches between two requests, or keeps
the old one. The watcher only says when to look. Where the file system sends no events, or watchfiles cannot watch at
all, it looks every few seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

__all__ = ["IndexWatcher"]

_LOOK_MS = 2000
_STOP_SECONDS = 10.0
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
        self._said = ""

    def start(self) -> IndexWatcher:
        self._thread = threading.Thread(target=self._run, name="gmedbot-index-watcher", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread; returns when it has ended. A look that is under way is waited for, up to ten seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=_STOP_SECONDS)
            if self._thread.is_alive():
                _log.warning("the look at %s is not over yet; it ends with the program", self._folder)

    @property
    def is_alive(self) -> bool:
        """Whether it looks: started, not stopped, and not ended by an error that nobody foresaw."""
        return self._thread is not None and self._thread.is_alive() and not self._stop.is_set()

    def __enter__(self) -> IndexWatcher:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._folder.is_dir():
                self._look()  # a build that was published before the watch began, or while there is none
                try:
                    self._watch()
                except (ImportError, OSError, RuntimeError) as error:
                    self._say(f"{self._folder} cannot be watched ({error}); looking every {_LOOK_MS // 1000} seconds")
            self._stop.wait(_LOOK_MS / 1000)

    def _watch(self) -> None:
        """Look at every change, and every few seconds besides. Returns when it is to stop, or the watch ended."""
        from watchfiles import watch

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

    def _look(self) -> None:
        """One look; an error of the bot must not end the watch."""
        try:
            if self._reload() and self._on_change is not None:
                self._on_change()
        except Exception as error:
            self._say(f"taking up a new build failed ({error!r}); the old one goes on answering")

    def _say(self, problem: str) -> None:
        """Log a problem once, not with every look."""
        if problem != self._said:
            self._said = problem
            _log.warning("%s", problem)
