"""The bot that the pages answer with: opened late if the index was missing, and renewed when the index changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from gmedbot.errors import GmedbotError, IndexMissingError
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

    def get(self) -> BotPort:
        """The bot. Raises: GmedbotError that says what to run while there is none."""
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
    def _renew(bot: BotPort) -> None:
        """Take a newly published index; a damaged one leaves the old in use."""
        try:
            bot.reload_if_changed()
        except GmedbotError as error:
            _log.warning("the new index was not taken: %s", error)
