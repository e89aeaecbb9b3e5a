"""Red flags, found before anything is retrieved: a message in, the place to seek care out.

The rules are data (``corpus/safety.yaml``), so that a clinician can review them without reading code. A message is
read in four steps, and each step exists because of an error that the step before makes:

1. *Normalise.* Lower case, straight apostrophes, "cant" → "can't", "temprature" → "temperature".
2. *Set aside general questions.* "What are the red flags for hip pain?" names symptoms and reports none. A message
   counts as general only if it says nothing about a person: "what is wrong, my leg is numb" is a report.
3. *Mute what is not there now.* "No fever", "I broke my hip in 2015" and "the numbness has gone" name symptoms that
   the person does not have. "I can't walk" is no negation of walking: it is the symptom.
4. *Match.* A rule fires when every group of one of its forms finds a symptom that is not muted. The most urgent rule
   wins, the earlier one of equals.

A miss costs more than a false alarm, so whatever the reading leaves in doubt counts as said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from gmedbot.patterns import LazyPattern
from gmedbot.types import Safety

__all__ = ["Form", "Group", "Kind", "Rule", "SafetyRules"]

_URGENCIES = ("emergency", "urgent", "routine")
#: "No" speaks for the next four words of its clause: "no sign of any fever".
_NEGATED_WORDS = 4
#: Characters in which a list of denied things must end; without a bound the time grows with the square of the text.
_NEGATED_REACH = 240
#: Longer texts than this are not chat messages; the bound keeps the cost of a pasted book small.
_LONGEST = 4000

Kind = Literal["symptom", "background", "place"]


class Group(NamedTuple):
    """Ways to say one thing, and how absence mutes them."""

    patterns: tuple[LazyPattern, ...]
    kind: Kind


class Form(NamedTuple):
    """Every group must be found and nothing of ``none``."""

    groups: tuple[Group, ...]
    none: tuple[LazyPattern, ...]


class Rule(NamedTuple):
    """What to say when one of the forms shows."""

    safety: Safety
    forms: tuple[Form, ...]
    learned: tuple[str, ...] = ()  #: labels of ``conversation.alarm`` that it answers


class _Reading(NamedTuple):
    """A normalised message and the spans of it that speak of symptoms which are absent or long past."""

    text: str
    negated: tuple[tuple[int, int], ...]
    past: tuple[tuple[int, int], ...]


class SafetyRules:
    """The red-flag rules of one file, compiled; immutable, so one instance serves all conversations."""

    __slots__ = ("_guards", "_rules", "_spellings")

    def __init__(self, rules: Sequence[Rule], guards: Mapping[str, LazyPattern], spellings: Mapping[str, str]) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: _URGENCIES.index(rule.safety.urgency)))
        self._guards = dict(guards)
        self._spellings = _Spellings(spellings)

    @classmethod
    def load(cls, path: Path) -> SafetyRules:
        """Read, check and compile a rule file.

        Raises: CorpusError with every problem of the file: a rule that silently never fires is a danger, so
        unknown keys, unknown ``<terms>``, broken patterns and repeated ids all stop the load.
        """
        from gmedbot.conversation.safety_file import read_rules

        return cls(*read_rules(path))

    def to_record(self) -> dict[str, Any]:
        """The checked rules as plain data for the index, so that answering neither reads YAML nor checks again."""
        return {
            "rules": [
                {
                    "urgency": rule.safety.urgency,
                    "message": rule.safety.message,
                    "rule": rule.safety.rule,
                    "forms": [
                        {
                            "all": [[group.kind, [_pair(p) for p in group.patterns]] for group in form.groups],
                            "none": [_pair(p) for p in form.none],
                        }
                        for form in rule.forms
                    ],
                    "learned": list(rule.learned),
                }
                for rule in self._rules
            ],
            "guards": {name: _pair(pattern) for name, pattern in self._guards.items()},
            "spellings": self._spellings.table,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> SafetyRules:
        """The inverse of ``to_record``."""
        rules = [
            Rule(
                Safety(row["urgency"], row["message"], row["rule"]),
                tuple(
                    Form(
                        tuple(Group(tuple(map(_from_pair, patterns)), kind) for kind, patterns in form["all"]),
                        tuple(map(_from_pair, form["none"])),
                    )
                    for form in row["forms"]
                ),
                tuple(row["learned"]),
            )
            for row in record["rules"]
        ]
        guards = {name: _from_pair(pair) for name, pair in record["guards"].items()}
        return cls(rules, guards, record["spellings"])

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """Ids in the order in which rules are tried: most urgent first."""
        return tuple(rule.safety.rule for rule in self._rules)

    def screen(self, text: str) -> Safety | None:
        """Look for a red flag in one chat message.

        Returns: where to seek care, of the most urgent rule that fires; None if no rule does. Pure: the same text
        gives the same answer.
        """
        message = self._spellings.normalise(text[:_LONGEST])
        if self._is_general(message):
            return None
        reading = _Reading(message, tuple(self._negated(message)), tuple(self._past(message)))
        for rule in self._rules:
            if any(self._shows(form, reading) for form in rule.forms):
                return rule.safety
        return None

    def answering(self, label: str) -> Safety | None:
        """What to say to a sign that ``conversation.alarm`` knows; None if no rule speaks of it."""
        return next((rule.safety for rule in self._rules if label in rule.learned), None)

    def _is_general(self, message: str) -> bool:
        """A question for study, or one about the subject in which no person appears."""
        if self._guards["study"].search(message):
            return True
        return bool(self._guards["educational"].search(message)) and not self._guards["personal"].search(message)

    def _negated(self, message: str) -> Iterator[tuple[int, int]]:
        """Spans that a negator speaks for: the next words of its clause, and all of a list that ends in "or"."""
        masked = self._guards["not_negation"].sub(lambda match: "_" * len(match.group()), message)
        for negator in self._guards["negation"].finditer(masked):
            scope = masked[negator.end() : negator.end() + _NEGATED_REACH]
            if (end := self._guards["negation_ends"].search(scope)) is not None:
                scope = scope[: end.start()]
            words = list(re.finditer(r"[^\s,]+", scope))
            listed = [place for place, word in enumerate(words[:14]) if word.group() in ("or", "nor")]
            reach = listed[-1] + _NEGATED_WORDS if listed else _NEGATED_WORDS
            if not listed and "," in scope:
                words = [word for word in words if word.end() <= scope.index(",")]
            if words[:reach]:
                yield negator.end(), negator.end() + words[:reach][-1].end()

    def _past(self, message: str) -> Iterator[tuple[int, int]]:
        """Clauses that tell of years ago and of nothing that goes on."""
        for clause in re.finditer(r"(?:(?! but | and now | now )[^.!?;,])+", message):
            said = clause.group()
            if self._guards["past"].search(said) and not self._guards["current"].search(said):
                yield clause.span()

    def _shows(self, form: Form, reading: _Reading) -> bool:
        """Whether every group of the form is found, unmuted, and nothing forbids it."""
        is_found = all(
            any(
                not self._is_muted(match, reading, group.kind)
                for pattern in group.patterns
                for match in _overlapping(pattern, reading.text)
            )
            for group in form.groups
        )
        return is_found and not any(pattern.search(reading.text) for pattern in form.none)

    def _is_muted(self, match: re.Match[str], reading: _Reading, kind: Kind) -> bool:
        """Whether the words found are denied, long past or over. Inability ("can't walk") is never a denial."""
        if kind == "place":
            return False
        is_inability = self._guards["inability"].match(match.group()) is not None
        if not is_inability and _touches(match, reading.negated):
            return True
        if kind == "background":
            return False
        return _touches(match, reading.past) or self._guards["resolved"].match(reading.text, match.end()) is not None


class _Spellings:
    """Everyday misspellings and contractions → the form that the rules are written in."""

    __slots__ = ("_pattern", "table")

    def __init__(self, table: Mapping[str, str]) -> None:
        self.table = dict(table)
        words = "|".join(re.escape(word) for word in sorted(table, key=len, reverse=True)) or r"(?!)"
        self._pattern = re.compile(rf"(?<![\w'])(?:{words})(?![\w'])")

    def normalise(self, text: str) -> str:
        """Lower case, straight apostrophes, one space between words, line ends as full stops, known misspellings mended."""
        plain = unicodedata.normalize("NFKC", text).lower()
        plain = re.sub(r"[\u2018\u2019\u02bc\u00b4`]", "'", plain)
        plain = re.sub(r"\s*[\r\n]+\s*", ". ", plain.strip())
        plain = re.sub(r"\s+", " ", plain)
        return self._pattern.sub(lambda match: self.table[match.group()], plain)


def _pair(pattern: LazyPattern) -> list[Any]:
    return [pattern.text, list(pattern.needles)]


def _from_pair(pair: Sequence[Any]) -> LazyPattern:
    return LazyPattern(pair[0], 0, pair[1])


def _overlapping(pattern: LazyPattern, text: str) -> Iterator[re.Match[str]]:
    """All matches, also those that begin inside another: a denied symptom must not hide the same one said again."""
    match = pattern.search(text)
    while match is not None:
        yield match
        match = pattern.search(text, match.start() + 1)


def _touches(match: re.Match[str], spans: Iterable[tuple[int, int]]) -> bool:
    """Whether the first or the last character of a match lies in one of the spans."""
    return any(start <= place < end for start, end in spans for place in (match.start(), match.end() - 1))
