"""A question → what it asks: terms, subject, attribute, exercise, conditions, and the kind of answer it wants.

Learners type "glut med orgin", "side bum exercises", "is it bad to stretch it?". The vocabulary maps their words to
the field's; rapidfuzz mends typing errors, and only towards words that the corpus or the vocabulary holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from gmedbot.claims.vocabulary import Match, Vocabulary, normal_words

__all__ = ["CHECKED", "Query", "Speller", "understand"]


@dataclass(frozen=True)
class Query:
    """A question as the retriever takes it.

    ``text`` is the standalone question with typing errors mended; ``search_text`` adds the field's names for lay
    words. ``shape`` is the kind of answer: fact, definition, list, how-to, number, comparison, why, yes-no, overview.
    """

    question: str
    text: str
    search_text: str
    terms: tuple[str, ...] = ()
    subjects: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    exercises: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    shape: str = "fact"
    corrections: Mapping[str, str] = field(default_factory=dict, hash=False)
    unknown: tuple[str, ...] = ()  #: content words that neither corpus nor vocabulary knows
    context: str = ""  #: the conversation behind a follow-up, see ``Standalone.context``
    typed: str = ""  #: such a follow-up as it was typed
    turn: str = "first"  #: how the question hangs on the conversation, see ``Standalone.kind``

    def has_kind(self, vocabulary: Vocabulary, *kinds: str) -> tuple[str, ...]:
        return tuple(term for term in self.terms if vocabulary.terms[term].kind in kinds)


#: "is that right?", "please confirm": the end of a message that asks for nothing but a yes or no to what stands before.
CHECKED = (
    r"(?:(?:is|was) (?:that|this|it) (?:really |actually )?(?:right|correct|true|accurate|so)|right|correct|true|true or false"
    r"|(?:(?:can|could) you )?(?:please )?confirm(?: this| that| it)?)\s*[?.]*$"
)
_SHAPES: Sequence[tuple[str, re.Pattern[str]]] = tuple(
    (shape, re.compile(pattern, re.IGNORECASE))
    for shape, pattern in (
        ("yes-no", rf"(?:[,.;:–-]\s*(?:yes or no|{CHECKED})|\b(?:is|was) (?:that|this|it|s?he|they) (?:right|correct|true)\s*[?.]*$)|^(?:(?:can|could) you )?(?:please )?confirm\b|^(?:is it (?:true|correct|right|the case)|true or false)\b"),
        ("comparison", r"\b(?:compare[ds]?|comparison|diff|difference|differs? from|versus|vs\.?|better than|stronger than|or (?:the )?\w+[^?]*\?$.*\b(?:better|harder|stronger|more)|which (?:one )?is (?:better|harder|stronger))\b|\b(?:better|harder|stronger|more|safer)\b[^?]*\bor\b"),
        ("overview", r"^(?:tell me (?:all )?about|give me an overview|overview|everything about|explain|describe|summar\w+|introduce)\b(?!.*\b(?:how|why)\b)|^(?:the )?gluteus medius\??$"),
        ("how-to", r"\bhow (?:do|can|should|would|to)\b(?!.*\b(?:help|affect|work with|contribute|cause|diagnos\w+|know|tell|stabili\w+|differ|relate)\b)|\bsteps?\b|\bproper(?:ly)? (?:form|technique)|\btechnique\b|\bcorrect form\b|\bhow do (?:i|you) (?:do|perform|stretch|strengthen|activate|train|massage|release|find|palpate)\b"),
        ("number", r"\bhow (?:many|much|long|often|big|large|thick|heavy|strong|common|deep|far|accurate|sensitive|wide)\b|\bwhat (?:percentage|percent|proportion|number|angle|dose|%)|\b(?:percentage|%\s?mvic|mvic|prevalence|incidence|sensitivity|specificity|volume|thickness|average|value|size)\b"),
        ("why", r"^(?:so |but |and )?why\b|\bwhat (?:causes?|leads to|makes)\b|\bhow come\b|\breasons?\b"),
        ("list", r"\b(?:what|which|list|name|give)\b.*\b(?:exercises|muscles|stretches|symptoms|signs|causes|factors|actions|functions|treatments|options|tests|parts|layers|bursae|branches|ways|movements|sources|muscles|structures|risk factors|complications|benefits|examples|sports|nerves|positions|activities)\b|\bwhat are\b"),
        ("definition", r"^(?:what(?:'s| is| are)|define|meaning of|definition of|what does .* (?:mean|stand for))\b(?!.*\b(?:origin|insertion|nerve|function|role|supply|action|best|treat\w*|cause\w*|evidence|prognosis|dose)\b)"),
        ("yes-no", r"^(?:so |but |and |then )?(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|may|must|isn't|aren't|doesn't|don't|am)\b"),
    )
)  # fmt: skip


_ENDINGS = ("ed", "er", "ers", "or", "ors", "est", "ing", "ly", "ness")  #: of words bent from others
_SHORT = 4  #: letters up to which one edit is much
_ALIKE = 0.87  #: Jaro–Winkler similarity from which a rarer mending is believed


class Speller:
    """Mends typing errors towards a lexicon of known words; words it does not know at all are left as they are."""

    def __init__(
        self, lexicon: Mapping[str, int], vocabulary: Vocabulary, english: Callable[[], Collection[str]] = tuple
    ) -> None:
        """``english`` gives ordinary words, asked for only when a word is unknown: "trust" is no error for "thrust"."""
        self._vocabulary = vocabulary
        self._terms = vocabulary.words
        self._lexicon = lexicon
        self._english = english

    def knows(self, word: str) -> bool:
        return word in self._lexicon or word in self._terms

    @cached_property
    def _targets(self) -> Mapping[str, list[str]]:
        """First letter → the words that a typing error may be mended to."""
        found: dict[str, list[str]] = {}
        for word in sorted({*self._lexicon, *self._terms, *_COMMON}):
            is_usual = word in self._terms or word in _COMMON or self._lexicon.get(word, 0) >= 3
            if len(word) >= 4 and word.isalpha() and is_usual:
                found.setdefault(word[0], []).append(word)
        return found

    @lru_cache(maxsize=4096)  # noqa: B019 - one speller lives as long as its index
    def correct(self, word: str) -> str | None:
        """The known word that ``word`` (levelled) was meant to be, or None. Same first letter, few edits."""
        if len(word) < 4 or not word.isalpha() or self._is_listed(word):
            return None
        is_bent = self._is_bent(word)
        from rapidfuzz import process
        from rapidfuzz.distance import OSA, JaroWinkler

        limit = 1 if len(word) <= 5 or is_bent else 2 if len(word) <= 9 else 3
        hits = process.extract(word, self._targets.get(word[0], []), scorer=OSA.distance, limit=5, score_cutoff=limit)
        if not hits:
            return None
        best = min(hits, key=lambda hit: (hit[1], hit[0] not in self._terms, -self._lexicon.get(hit[0], 0), hit[0]))
        is_usual = best[0] in self._terms or best[0] in _COMMON or self._lexicon.get(best[0], 0) >= 10
        is_sure = best[1] <= 1 or is_usual
        if (
            len(word) <= _SHORT or best[1] > 1
        ):  # few letters agree by chance: "cert" and "cent", "pamoate" and "palpate"
            is_sure = is_sure and JaroWinkler.similarity(word, str(best[0])) >= _ALIKE
        if is_bent:  # "abducter" is an error, though "abduct" is a word
            is_sure = best[0] in self._terms
        return str(best[0]) if is_sure else None

    def _is_bent(self, word: str) -> bool:
        """True for what may be a form of a known word: "lengthened" is no error for "lengthening"."""
        stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
        forms = (form for stem in stems for form in (stem, f"{stem}e", stem[:-1] if stem[-1:] == stem[-2:-1] else stem))
        return any(len(form) >= _SHORT and self._is_listed(form) for form in forms)

    def _is_listed(self, word: str) -> bool:
        return self.knows(word) or word in _COMMON or word in self._english()

    def spelling(self, word: str) -> str:
        """A levelled word as the vocabulary writes it: "exercize" is how "exercise" is compared, not how it is spelt."""
        for term in self._vocabulary.terms.values():
            for name in term.names:
                if word[:3] in name.lower():
                    for own, start, end in normal_words(name):
                        if own == word:
                            return name[start:end].lower()
        return word


def understand(question: str, vocabulary: Vocabulary, speller: Speller | None = None) -> Query:
    """Read one standalone question. Deterministic; never raises."""
    text, corrections = _mend(question, speller)
    matches = vocabulary.find(text)
    terms = tuple(dict.fromkeys(match.term.id for match in matches))
    by_kind: dict[str, list[str]] = {}
    for term in terms:
        by_kind.setdefault(vocabulary.terms[term].kind, []).append(term)
    return Query(
        question=question,
        text=text,
        search_text=_expand(text, matches),
        terms=terms,
        subjects=frozenset(by_kind.get("muscle", ())),
        parts=frozenset(by_kind.get("muscle-part", ())),
        exercises=tuple(by_kind.get("exercise", ())),
        attributes=question_attributes(text, vocabulary),
        shape=shape_of(text),
        corrections=corrections,
        unknown=_unknown(text, matches, speller),
    )


def shape_of(text: str) -> str:
    """The kind of answer that the wording asks for; "fact" if nothing else fits."""
    for shape, pattern in _SHAPES:
        if pattern.search(text.strip()):
            return shape
    return "fact"


def question_attributes(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Attributes whose question cues the text holds, most cues first, then the order of the vocabulary."""
    found = vocabulary.question_cue_hits(text)
    scored = [(-found[name], place, name) for place, name in enumerate(vocabulary.attributes)]
    return tuple(name for hits, _, name in sorted(scored) if hits)


def _mend(question: str, speller: Speller | None) -> tuple[str, dict[str, str]]:
    text = " ".join(question.split())
    if speller is None:
        return text, {}
    corrections: dict[str, str] = {}
    pieces: list[str] = []
    cursor = 0
    for word, start, end in normal_words(text):
        is_acronym = text[start:end].isupper() and not text.isupper()  # SENIAM is no way to write "seniors"
        better = None if is_acronym else speller.correct(word)
        if better is not None and text[start:end].lower() != better:
            better = speller.spelling(better)
            corrections[text[start:end]] = better
            pieces.extend((text[cursor:start], better))
            cursor = end
    pieces.append(text[cursor:])
    return "".join(pieces), corrections


#: Kinds whose names are things. Verbs, degrees and directions ("should", "front") are left as the learner put them:
#: replacing them cost 0.02 nDCG@10 on dev.
_NAMED_KINDS = frozenset(
    [
        "muscle",
        "muscle-part",
        "bone",
        "surface",
        "nerve",
        "artery",
        "bursa",
        "tendon",
        "fascia",
        "condition",
        "sign",
        "test",
        "imaging",
        "treatment",
        "drug",
        "surgery",
        "exercise",
    ]
)


def _expand(text: str, matches: Sequence[Match]) -> str:
    """The question with lay names and abbreviations of things replaced by the field's names."""
    pieces: list[str] = []
    cursor = 0
    for match in matches:
        name = match.term.name
        shown = text[match.start : match.end]
        if match.term.kind not in _NAMED_KINDS:
            continue
        if [w for w, _, _ in normal_words(shown)] != [w for w, _, _ in normal_words(name)]:
            pieces.extend((text[cursor : match.start], name))
            cursor = match.end
    pieces.append(text[cursor:])
    return "".join(pieces)


_COMMON = frozenset(
    [
        "dont",
        "doesnt",
        "didnt",
        "isnt",
        "arent",
        "wasnt",
        "werent",
        "cant",
        "couldnt",
        "wont",
        "wouldnt",
        "shouldnt",
        "hasnt",
        "havent",
        "hadnt",
        "aint",
        "whats",
        "thats",
        "hows",
        "wheres",
        "whos",
        "youre",
        "youve",
        "theyre",
        "theres",
        "heres",
        "gonna",
        "wanna",
        "gotta",
        "what",
        "which",
        "when",
        "where",
        "does",
        "with",
        "that",
        "this",
        "have",
        "from",
        "about",
        "there",
        "their",
        "would",
        "could",
        "should",
        "because",
        "after",
        "before",
        "while",
        "into",
        "your",
        "mine",
        "they",
        "them",
        "than",
        "then",
        "some",
        "many",
        "much",
        "more",
        "most",
        "less",
        "been",
        "being",
        "will",
        "shall",
        "also",
        "only",
        "very",
        "just",
        "like",
        "make",
        "made",
        "take",
        "need",
        "want",
        "know",
        "tell",
        "show",
        "give",
        "find",
        "good",
        "best",
        "bad",
        "work",
        "works",
        "help",
        "hurt",
        "hurts",
        "feel",
        "feels",
        "mean",
        "people",
        "person",
        "thing",
        "things",
        "really",
        "please",
        "thanks",
        "thank",
        "hello",
        "doing",
        "done",
        "going",
        "come",
        "came",
        "keep",
        "gets",
        "getting",
        "right",
        "wrong",
        "sure",
        "okay",
        "maybe",
        "again",
        "still",
        "ever",
        "every",
        "each",
        "other",
        "another",
        "both",
        "same",
        "different",
        "between",
        "without",
        "within",
    ]
)


def _unknown(text: str, matches: Sequence[Match], speller: Speller | None) -> tuple[str, ...]:
    if speller is None:
        return ()
    covered = [(match.start, match.end) for match in matches]
    return tuple(
        word
        for word, start, end in normal_words(text)
        if len(word) > 2
        and word.isalpha()
        and word not in _COMMON
        and not speller.knows(word)
        and not any(a <= start and end <= b for a, b in covered)
    )
