"""A message in its conversation → the questions it asks, each standing alone and read for search."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import lru_cache

from gmedbot.claims.vocabulary import Vocabulary, normal_words
from gmedbot.conversation.facets import split_facets
from gmedbot.conversation.followup import (
    TOPIC_KINDS,
    Standalone,
    names_thing,
    points_back,
    rewrite,
    wish_of,
    with_context,
)
from gmedbot.conversation.language import other_language
from gmedbot.conversation.parts import is_order, is_question, pieces_of, split_questions
from gmedbot.conversation.premise import premise_of
from gmedbot.retrieval.understand import Query, Speller, understand

__all__ = ["MessageReader"]

#: Short words that say nothing of what is asked; a small corpus may not use them all.
_FUNCTION_WORDS = frozenset(
    ["why", "who", "how", "whose", "you", "she", "her", "his", "him", "our", "its", "was", "were", "did", "has", "had", "may",
     "must", "but", "too", "any", "all", "not", "yet", "per", "off", "out", "way", "get", "got", "let", "try", "use", "say",
     "exactly", "actually", "really", "usually", "typically", "basically", "roughly", "approximately", "precisely", "properly",
     "normally", "generally", "anyway", "maybe"]
)  # fmt: skip


class MessageReader:
    """Reads messages with the words of one index. Thread-safe: it only reads."""

    def __init__(
        self, vocabulary: Vocabulary, speller: Speller, english: Callable[[], Collection[str]], longest: int
    ) -> None:
        """``english`` gives ordinary words, asked for when they are needed; ``longest``: characters of a message read."""
        self._vocabulary = vocabulary
        self._speller = speller
        self._english = english
        self._longest = longest

    def read(self, message: str, history: Sequence[str]) -> list[tuple[Query, Standalone]]:
        """The questions of a message: one, or as many as were asked. "More" and its like ask those of the last message again."""
        wish = wish_of(message)
        asked = [text for text in history if not wish_of(text)]
        if wish and asked:
            again = self.read(asked[-1], asked[:-1])
            return [(query, replace(standalone, kind="more", command=wish)) for query, standalone in again]
        parts = self._asking(split_questions(message))
        if other_language(message, self._knows):
            return [self.understand(message, history)]
        if len(parts) == 1:
            facets = split_facets(self._understood(message).text, self._vocabulary)
            return [self.understand(text) for text in facets] or [self.understand(message, history)]
        found: list[tuple[Query, Standalone]] = []
        told: list[str] = []  # what later parts may lean on
        for place, part in enumerate(parts):
            found.append(self._read_part(part, history, told, parts[place + 1 : place + 2]))
            bare = self._without_premise(part)
            if self._names_topic(bare) or (self._is_of_field(bare) and names_thing(bare, self._vocabulary)):
                told.append(bare)
        return found

    def pieces(self, message: str, history: Sequence[str]) -> list[tuple[Query, Standalone]]:
        """A message that was read as one question and found no answer, read piece by piece; empty if it has no pieces."""
        pieces = [text for text in pieces_of(message) if is_question(text) or names_thing(text, self._vocabulary)]
        if len(pieces) < 2:
            return []
        return [
            self._read_part(
                piece, history, [before for before in pieces[:place] if self._names_topic(before)], pieces[place + 1 :]
            )
            for place, piece in enumerate(pieces)
        ]

    def _asking(self, parts: Sequence[str]) -> Sequence[str]:
        """The parts that ask for something: "please explain your reasoning" after a question only asks how to answer it."""
        first, *later = parts
        kept = [
            part for part in later if not is_order(part) or points_back(part) or names_thing(part, self._vocabulary)
        ]
        return [first, *kept]

    def _read_part(
        self, part: str, history: Sequence[str], told: Sequence[str], following: Sequence[str]
    ) -> tuple[Query, Standalone]:
        """One question of several. It borrows only what it leaves out, and only from questions of the field."""
        leans = points_back(part)
        if not leans and not self._is_of_field(part):
            return self.understand(part)  # what speaks of other things must not take the field from its neighbours
        before = [*history, *told]
        if leans and not before:  # "where does it insert, and which nerve supplies X?"
            before = [text for text in following if self._names_topic(text) and not points_back(text)]
        read = self.understand(part, before)
        if told and read[1].kind == "topic-shift":
            return self.understand(
                part if self._names_subject(part) else with_context(part, told, self._vocabulary), history
            )
        return read

    def beside(self, premise: str, rest: str) -> tuple[Query, Standalone]:
        """What a question asks beside its premise. A pronoun in it stands for what the premise is about, and for nothing
        that the premise says of it."""
        named = self._vocabulary.find(premise)
        return self.understand(rest[:1].upper() + rest[1:], [premise[: named[0].end] if named else premise])

    def _without_premise(self, part: str) -> str:
        premise, rest = premise_of(part)
        return self.beside(premise, rest)[0].text if rest else part

    def understand(self, question: str, history: Sequence[str] = ()) -> tuple[Query, Standalone]:
        """The standalone query behind one question in its conversation."""
        said = [text[: self._longest] for text in (*history, question)]
        if other_language(said[-1], self._knows):  # its words are no typing errors
            return understand(said[-1], self._vocabulary), Standalone(said[-1])
        mended = [self._understood(text).text for text in said]
        standalone = rewrite(mended[-1], mended[:-1], self._vocabulary)
        if standalone.kind == "ellipsis" and self._is_of_elsewhere(mended[-1]):
            standalone = replace(standalone, text=mended[-1], kind="topic-shift")
        if standalone.kind == "topic-shift" and self._names_topic(mended[-1]) and not points_back(mended[-1]):
            standalone = replace(
                standalone, context="", typed=""
            )  # it stands alone: what was said before must not turn its answer
        query = self._understood(standalone.text)
        return replace(query, context=standalone.context, typed=standalone.typed, turn=standalone.kind), standalone

    def mended(self, message: str) -> str:
        """A message with its typing errors mended; as it is in another language, whose words are none, or if it is too long
        to be read."""
        is_read = len(message) <= self._longest and not other_language(message, self._knows)
        return self._understood(message).text if is_read else message

    @lru_cache(maxsize=32)  # noqa: B019 - one reader lives as long as its index; a message reads its words several times
    def _understood(self, text: str) -> Query:
        return understand(text, self._vocabulary, self._speller)

    def remark(self, message: str) -> str:
        """A word to somebody who writes in another language, "" to all others."""
        language = other_language(message, self._knows)
        return (
            f"I answer in English, from English sources. I took your question to be in {language}." if language else ""
        )

    def _is_of_elsewhere(self, text: str) -> bool:
        """True for a whole question with a word that the sources never use and nothing that points back: "who won the
        football cup?" after a talk of muscles is no follow-up."""
        return is_question(text) and not points_back(text) and not self._is_of_field(text)

    def _is_of_field(self, text: str) -> bool:
        """True if the sources or the vocabulary use every word of the text that says something."""
        return _FUNCTION_WORDS.issuperset(self._understood(text).unknown)

    def _names_topic(self, text: str) -> bool:
        """True if the text names something of the field that another question of the message may mean by "it"."""
        return any(match.term.kind in TOPIC_KINDS for match in self._vocabulary.find(text))

    def _names_subject(self, text: str) -> bool:
        """True if the text names what it is about; a test, a sign or a kind of study is something about it."""
        kinds = TOPIC_KINDS - {"test", "sign"}
        return any(match.term.kind in kinds for match in self._vocabulary.find(text))

    def _knows(self, word: str) -> bool:
        levelled = [own for own, _, _ in normal_words(word)]
        return any(self._speller.knows(own) or own in self._english() for own in levelled)
