"""What to ask next: questions that the index can answer, near the one just asked and not asked yet.

Learners' own questions of the corpus come first, as they ask for one thing in plain words; questions made from the
vocabulary ("What nerve supplies …?") fill up, and open a conversation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import chain, islice

from gmedbot.answer.evidence import Evidence
from gmedbot.claims.vocabulary import Vocabulary, normal_words
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.understand import Query, Speller

__all__ = ["Suggester"]

_WANTED = 3
_LONGEST = 14  #: words of a learner's question that is offered
_DEPTH = 40  #: findings looked at


class Suggester:
    """Offers questions over one index. Thread-safe: it only reads."""

    def __init__(
        self,
        index: BuiltIndex,
        vocabulary: Vocabulary,
        speller: Speller,
        is_answered: Callable[[str], bool] = lambda text: True,
    ) -> None:
        """``is_answered``: whether the bot would answer; asked of questions made from the vocabulary, each once."""
        self._is_answered = lru_cache(maxsize=256)(is_answered)
        self._index = index
        self._vocabulary = vocabulary
        self._speller = speller

    def starters(self) -> tuple[str, ...]:
        """Questions to begin with, each of which two or more sources answer."""
        return self._starters

    @cached_property
    def _starters(self) -> tuple[str, ...]:
        return tuple(islice(self._answered_starters(), 8))

    def _answered_starters(self) -> Iterator[str]:
        """One by one, as each is answered unheard the first time that it is asked for."""
        focus = self._vocabulary.terms.get(self._vocabulary.focus)
        subject = f"the {focus.name}" if focus else "it"
        wanted = sorted(self.asked_about, key=lambda name: (-self.asked_about[name], name))
        wanted = [name for name in wanted if (name, self._vocabulary.focus) in self._index.claim_table.themes]
        attributes = self._vocabulary.attributes
        questions = [attributes[name].question for name in wanted if name in attributes]
        texts = dict.fromkeys(q.replace("{subject}", subject) for q in questions if q)
        return (text for text in texts if self._is_answered(text))

    def after(
        self, query: Query, used: Sequence[str], evidence: Sequence[Evidence], history: Sequence[str]
    ) -> tuple[str, ...]:
        """Up to three questions near ``query``. ``used``: the ids of the findings that the answer has said."""
        asked = {_bare(text) for text in (*history, query.question, query.text)}
        found: dict[str, None] = {}
        near = [item for item in evidence[:_DEPTH] if item.finding.finding_id not in used]
        # starters cost an answer each the first time: as many are made as the others leave wanting
        for text in chain(self._learners(near, query), self._of_themes(near, query), self._answered_starters()):
            if _bare(text) not in asked:
                found.setdefault(text)
                if len(found) == _WANTED:
                    break
        return tuple(found)

    @cached_property
    def asked_about(self) -> Mapping[str, int]:
        """Attributes with findings of two or more sources: questions about them have an answer."""
        counts = self._index.claim_table.sources_of_attribute
        return {name: sources for name, sources in counts.items() if sources >= 2}

    def _learners(self, near: Sequence[Evidence], query: Query) -> Iterator[str]:
        """A learner's question for each other thing that is near: one an attribute, about what was spoken of."""
        wanted = set(query.terms)
        done = set(query.attributes[:1])
        for item in near:
            claim = item.best.claim
            if claim.frame.attribute in done or (wanted and not wanted & set(claim.frame.terms)):
                continue
            text = self._plain_question(self._index.claim_row[claim.claim_id])
            if text:
                done.add(claim.frame.attribute)
                yield text

    @lru_cache(maxsize=65_536)  # noqa: B019 - one suggester lives as long as its index
    def _plain_question(self, row: int) -> str:
        """The first of the questions that a claim answers which can be offered as it stands; "" if there is none."""
        texts = (self._index.questions.text(number) for number in self._index.questions.of_claim(row))
        text = next((text for text in texts if self._is_plain(text)), "")
        return re.sub(r"\bi\b", "I", text[:1].upper() + text[1:])

    def _is_plain(self, text: str) -> bool:
        """A whole question, neither long nor with a word that looks like a typing error."""
        words = [word for word, _, _ in normal_words(text) if word.isalpha()]
        return (
            text.endswith("?")
            and len(words) <= _LONGEST
            and all(len(w) < 4 or self._speller.knows(w) or w in self._index.english for w in words)
        )

    def _of_themes(self, near: Sequence[Evidence], query: Query) -> Iterator[str]:
        """Questions made from the vocabulary for what is near and two sources speak of."""
        subject_id = self._subject_id(query)
        term = self._vocabulary.terms.get(subject_id)
        subject = "it" if term is None else f"the {term.name}" if term.kind == "muscle" else term.name
        for item in near:
            attribute = self._vocabulary.attributes.get(item.finding.attribute)
            if attribute is None or not attribute.question or attribute.id in query.attributes[:1]:
                continue
            if (attribute.id, subject_id) in self._index.claim_table.themes and attribute.id in self.asked_about:
                text = attribute.question.replace("{subject}", subject)
                if self._is_answered(text):
                    yield text

    def _subject_id(self, query: Query) -> str:
        """What the question is about: its exercise, else its condition, else its muscle, else the corpus' own."""
        for kind in ("exercise", "condition", "muscle"):
            for term in query.terms:
                if self._vocabulary.terms[term].kind == kind:
                    return term
        return self._vocabulary.focus


def _bare(text: str) -> str:
    return text.casefold().strip(" ?")
