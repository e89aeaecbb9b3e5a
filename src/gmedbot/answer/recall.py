"""What was answered to the earlier messages of a conversation, found again.

A conversation is kept by whoever holds it, as its questions. What a follow-up leans on is worked out from them, so that the same
conversation has the same answer whoever keeps it, and remembered for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from gmedbot.answer.evidence import EvidenceFinder
from gmedbot.answer.told import LATEST, Told
from gmedbot.conversation.reading import MessageReader
from gmedbot.conversation.smalltalk import small_talk
from gmedbot.retrieval.ahead import QueryVectors
from gmedbot.retrieval.hybrid import HybridRetriever

__all__ = ["Recall"]

_DEPTH = 40  #: passages whose claims are read, as ``training.fit_answers`` does
_REMEMBERED = 512  #: messages


class Recall:
    """Finds earlier answers over one index. Thread-safe: it only reads."""

    def __init__(self, reader: MessageReader, retriever: HybridRetriever, finder: EvidenceFinder) -> None:
        self._reader = reader
        self._retriever = retriever
        self._finder = finder
        self._told = lru_cache(maxsize=_REMEMBERED)(self._find)

    def of(self, history: Sequence[str]) -> tuple[Told, ...]:
        """What was found for the last messages, the latest first; small talk and what nothing was found for are left out.

        Each is found by its own words and its conversation, not by the answers before it: two are looked up at most, however
        long the conversation is.
        """
        told = (self._told(tuple(history[:end])) for end in range(len(history), max(0, len(history) - LATEST), -1))
        return tuple(one for one in told if one is not None)

    def _find(self, history: tuple[str, ...]) -> Told | None:
        *earlier, message = history
        if small_talk(message, "") is not None:
            return None
        query, _ = self._reader.understand(message, earlier)
        if not query.text.strip():
            return None
        vectors = QueryVectors(self._retriever.encoder).of([text for text in (query.text, query.context) if text])
        hits = self._retriever.search(query.text, _DEPTH, query.search_text, query_vector=vectors[0])
        return self._finder.remember(query, vectors[0], self._finder.find(query, vectors, hits))
