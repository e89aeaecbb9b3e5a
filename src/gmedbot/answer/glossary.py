"""Terms of an answer that learners may not know, with their plain meaning."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.types import Statement

__all__ = ["Glossary"]

_MOST = 6


class Glossary:
    """Explains terms by the vocabulary. Thread-safe."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def of(self, statements: Sequence[Statement]) -> tuple[tuple[str, str], ...]:
        """Up to six (name, plain meaning) of the terms that the statements use, in order of use; the muscle that all is
        about needs none."""
        found: dict[str, str] = {}
        for statement in statements:
            for name, gloss in self._of_text(statement.text):
                found.setdefault(name, gloss)
        return tuple(found.items())[:_MOST]

    @lru_cache(maxsize=4096)  # noqa: B019 - one glossary lives as long as its index, and statements answer many questions
    def _of_text(self, text: str) -> tuple[tuple[str, str], ...]:
        terms = (match.term for match in self._vocabulary.find(text))
        return tuple((term.name, term.gloss) for term in terms if term.gloss and term.id != self._vocabulary.focus)
