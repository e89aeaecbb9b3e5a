"""A list of things asked about one subject → a question for each: "origin, insertion and nerve supply of gluteus medius".

Who crams for an exam types keywords. Searched as one question, the list finds whatever holds most of its words, and the
rest of it is lost. A text is taken apart only where nothing but things to know and their one subject stands in it.
"""

from __future__ import annotations

import re

from gmedbot.claims.vocabulary import Match, Vocabulary

__all__ = ["split_facets"]

_MOST = 5
#: Words without commas that make a list: two are often one thing, "stretch benefits", unless both are headings.
_LEAST_BARE = 3
_LONGEST = 3  #: words that name one thing
_TOPICS = frozenset({"muscle", "condition", "exercise"})
_COMPARES = re.compile(
    r"\b(?:vs|versus|or|compare[ds]?|comparison|diff|difference|differs?|better|than)\b", re.IGNORECASE
)
#: "Is steroid injection harmful?" and "how many sets?" ask one thing, though each of their words could be asked for.
_ASKS_ONE = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|may|must|how|why|when|where|who)\b",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*(?:[,;+&|:/–]|\b(?:and|plus|also|as well as)\b)\s*", re.IGNORECASE)
_SILENT = re.compile(
    r"\b(?:what(?:'s| is| are)?|which|tell me|give me|list|name|state|explain|describe|please|pls|plz|about|the|its|their|an?|of"
    r"|for|all|is|are|on|quick(?:ly)?|short(?:ly)?|brief(?:ly)?|basics?|notes?|revision|revise|summary|exam|viva|quiz|test|tom+or+ow|today|tonight|hi|hello|need|i|me|muscle|details?|info)\b|[?!.()%\"]",
    re.IGNORECASE,
)


def split_facets(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """A question for each thing asked about the one subject, in order; () if the text is no such list."""
    topics = [match for match in vocabulary.find(text) if match.term.kind in _TOPICS]
    if len({match.term.id for match in topics}) != 1 or _COMPARES.search(text) or _ASKS_ONE.match(text):
        return ()
    items = _items(_without(text, topics), vocabulary)
    if not 2 <= len(items) <= _MOST:
        return ()
    name = topics[0].term.name
    subject = name if topics[0].term.kind == "condition" else f"the {name}"
    return tuple(f"{item[:1].upper()}{item[1:]} of {subject}" for item in items)


def _without(text: str, topics: list[Match]) -> str:
    for match in reversed(topics):
        text = f"{text[: match.start]} {text[match.end :]}"
    return text


def _items(text: str, vocabulary: Vocabulary) -> list[str]:
    """The things to know that the text names, if it names nothing else."""
    parts = [" ".join(_SILENT.sub(" ", part).split()) for part in _SEPARATOR.split(text)]
    parts = [part for part in parts if part]
    if len(parts) == 1:
        words = parts[0].split()
        if len(words) < _LEAST_BARE and not _are_headings(words, vocabulary):
            return []
        parts = _grouped(words, vocabulary)
    are_things = all(len(part.split()) <= _LONGEST and vocabulary.question_cue_hits(part) for part in parts)
    return list(dict.fromkeys(parts)) if are_things else []


def _are_headings(words: list[str], vocabulary: Vocabulary) -> bool:
    """ "Origin insertion", but not "nerve course", which is a heading itself."""
    named = {vocabulary.heading_attribute([word]) for word in words}
    return None not in named and len(named) == len(words) and vocabulary.heading_attribute([" ".join(words)]) is None


def _grouped(words: list[str], vocabulary: Vocabulary) -> list[str]:
    """Words in a row as the things that they name: "nerve", "blood supply". Words belong together if they ask for something
    that no part of them asks for."""
    found: list[str] = []
    while words:
        sizes = range(min(_LONGEST, len(words)), 1, -1)
        size = next((size for size in sizes if _is_one(words[:size], vocabulary)), 1)
        found.append(" ".join(words[:size]))
        words = words[size:]
    return found


def _is_one(words: list[str], vocabulary: Vocabulary) -> bool:
    asked = vocabulary.question_cue_hits(" ".join(words)).keys()
    parts = (vocabulary.question_cue_hits(" ".join(part)).keys() for part in (words[:-1], words[1:]))
    return not asked <= frozenset().union(*parts)
