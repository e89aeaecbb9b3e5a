"""The bot that the pages answer with: opened late if the index was missing, and renewed when the index changes.

A thread of its own looks for a new build (``watch``), so that no request waits while one is checked and opened. Without
it, as where the app is only mounted in another, requests look themselves, one every two seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gmedbot.errors import GmedbotError, IndexMissingError
from gmedbot.index.watch import IndexWatcher
from gmedbot.ui.ledger import Ledger
from gmedbot.ui.ports import BotPort

__all__ = ["LoadedBot"]

_log = logging.getLogger(__name__)

#: Seconds between two looks for a changed or newly built index.
_LOOK_AGAIN = 2.0


class LoadedBot:
    """A bot, or the reason why there is none yet.

    Args:
        bot: an open bot, or None.
        reopen: opens a bot; called again from time to time while there is none.
        error: why the first attempt failed.
    """

    def __init__(
        self,
        bot: BotPort | None,
        reopen: Callable[[], BotPort] | None = None,
        error: GmedbotError | None = None,
    ) -> None:
        self._bot = bot
        self._reopen = reopen
        self.error = error
        self._ledger: Ledger | None = None
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._watcher: IndexWatcher | None = None

    def watch(self, folder: Path) -> IndexWatcher:
        """Let a thread look for new builds in the index ``folder`` from now on; whoever asks for it stops it."""
        self._watcher = IndexWatcher(folder, self.look).start()
        return self._watcher

    def look(self) -> bool:
        """Open a bot if there is none, else take a newly published index; requests go on with the old one meanwhile.

        Returns: whether another index is in use now.
        """
        with self._lock:
            if self._bot is not None:
                return self._renew(self._bot)
            if self._reopen is not None:
                self._try_open(self._reopen)
            return self._bot is not None

    def get(self) -> BotPort:
        """The bot. Raises: GmedbotError that says what to run while there is none."""
        bot = self._bot
        if bot is not None and self._watcher is not None and self._watcher.is_alive:
            return bot
        with self._lock:
            is_due = time.monotonic() - self._looked > _LOOK_AGAIN
            if is_due:
                self._looked = time.monotonic()
            if self._bot is None:
                if is_due and self._reopen:
                    self._try_open(self._reopen)
                if self._bot is None:
                    raise self.error or IndexMissingError("an index", "none", "gmedbot index build")
            elif is_due:
                self._renew(self._bot)
            return self._bot

    def ledger(self) -> Ledger:
        """The ledger of the index that is loaded now."""
        bot = self.get()
        ledger = self._ledger
        if ledger is None or ledger.index_id != bot.index_id:
            ledger = self._ledger = Ledger.read(bot)
        return ledger

    def _try_open(self, reopen: Callable[[], BotPort]) -> None:
        try:
            self._bot, self.error = reopen(), None
        except GmedbotError as error:
            self.error = error

    @staticmethod
    def _renew(bot: BotPort) -> bool:
        """Take a newly published index; a damaged one leaves the old in use."""
        try:
            return bot.reload_if_changed()
        except GmedbotError as error:
            _log.warning("the new index was not taken: %s", error)
            return False
