"""gmedbot: ask about the gluteus medius, and see which sources say so and which disagree.

The flow, in the order in which the package reads:

    corpus/*.md ──corpus──▶ Document ──passages──▶ Passage ──encoder──▶ vectors ─┐
                                  └──claims.extract──▶ Claim ──claims.relate──▶ Finding (single · agreed · disputed)
                                                                                 │   build time → index/
    ═════════════════════════════════════════════════════════════════════════════╪═══════════════════════════
    question + history ──conversation──▶ Query ──safety · scope──▶ retrieval ──▶ answer ──▶ Answer ──▶ ui · cli

Claims and findings are worked out once, when the index is built; a question only reads them.

>>> from gmedbot import Bot, load_settings                      # doctest: +SKIP
>>> bot = Bot.open(load_settings())                             # doctest: +SKIP
>>> bot.ask("Which nerve supplies the gluteus medius?").answer  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gmedbot.errors import GmedbotError
from gmedbot.types import Answer, AskOptions, Citation, Claim, Conflict, Finding, Passage, Source

if TYPE_CHECKING:
    from gmedbot.bot import Bot
    from gmedbot.index.build import build_index
    from gmedbot.settings import Settings, load_settings

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AskOptions",
    "Bot",
    "Citation",
    "Claim",
    "Conflict",
    "Finding",
    "GmedbotError",
    "Passage",
    "Settings",
    "Source",
    "build_index",
    "load_settings",
]

_HOMES = {
    "Bot": "gmedbot.bot",
    "Settings": "gmedbot.settings",
    "build_index": "gmedbot.index.build",
    "load_settings": "gmedbot.settings",
}


def __getattr__(name: str) -> Any:
    """Import the heavier names when they are first used, so that ``gmedbot --help`` starts at once."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gmedbot' has no attribute {name!r}")
