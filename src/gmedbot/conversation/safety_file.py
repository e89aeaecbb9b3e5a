"""``safety.yaml`` → the rules of ``safety``: the file's schema, its checks and the filling in of its terms.

Kept apart from the rules because only a build reads the file; an answer reads the checked rules from the index and
imports neither YAML nor pydantic for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gmedbot.conversation.alarm import ALARM_LABELS
from gmedbot.conversation.safety import Form, Group, Kind, Rule
from gmedbot.errors import CorpusError, FileFinding
from gmedbot.patterns import LazyPattern, needles_of
from gmedbot.types import Safety

__all__ = ["read_rules"]

#: Two symptoms belong together within 60 characters of one sentence, about eleven words. Of 775 red-flag messages of
#: evaluation/safety.jsonl a gap of 20 missed six and one of 40 three; 60, 90 and 150 missed none and raised no alarm.
GAP = r"\b[^.!?;]{0,60}?\b"

Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    """Base of the file's models: unknown keys are refused, because a misspelt key is a rule that never fires."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Reference(_Strict):
    title: Text
    url: Text


class _GroupData(_Strict):
    """Ways to say one thing.

    A ``symptom`` must be there now. ``background`` facts (an operation, a cancer) count even if they lie years back.
    A ``place`` is a part of the body or a person: "no relief for my hip" denies the relief, not the hip.
    """

    any: Annotated[list[Text], Field(min_length=1)]
    kind: Kind = "symptom"


class _FormData(_Strict):
    """One way to show a red flag: every group of ``all`` and nothing of ``none``."""

    all: Annotated[list[_GroupData], Field(min_length=1)]
    none: list[Text] = []


class _RuleData(_Strict):
    """A red flag. It is found by its patterns, by a model that knows ``learned`` signs from examples, or by both."""

    all: list[_GroupData] = []
    none: list[Text] = []
    learned: list[str] = []
    id: Annotated[str, Field(pattern=r"^rf\d\d-[a-z-]+$")]
    urgency: Literal["emergency", "urgent", "routine"]
    may_indicate: Text
    message: Text
    sources: list[Text]
    references: list[_Reference] = []
    note: str | None = None
    also: list[_FormData] = []

    @model_validator(mode="after")
    def _can_fire(self) -> _RuleData:
        if not self.all and (self.also or self.none or not self.learned):
            raise ValueError("a rule needs patterns under 'all', or signs under 'learned'")
        unknown = sorted(set(self.learned) - set(ALARM_LABELS))
        if unknown:
            raise ValueError(f"learned: {', '.join(unknown)} is not one of {', '.join(ALARM_LABELS)}")
        return self


class _GuardData(_Strict):
    """Patterns that all rules share; the file says what each list is for."""

    educational: list[Text]
    study: list[Text]
    personal: list[Text]
    negation: list[Text]
    not_negation: list[Text]
    negation_ends: list[Text]
    inability: list[Text]
    past: list[Text]
    current: list[Text]
    resolved: list[Text]


class _FileData(_Strict):
    version: Literal[1]
    spellings: dict[str, str]
    terms: dict[str, list[Text]]
    guards: _GuardData
    rules: Annotated[list[_RuleData], Field(min_length=1)]


def read_rules(path: Path) -> tuple[list[Rule], dict[str, LazyPattern], dict[str, str]]:
    """Rules, guards and spellings of a file. Raises: CorpusError with every problem of the file."""
    try:
        raw = path.read_text(encoding="utf-8")
        data = _FileData.model_validate(yaml.safe_load(raw))
    except OSError as error:
        raise _corpus_error(path, [(0, "unreadable", error.strerror or str(error))]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _corpus_error(path, [(mark.line + 1 if mark else 0, "yaml", str(error))]) from error
    except ValidationError as error:
        problems = [(0, "schema", f"{_place(item['loc'])}: {item['msg']}") for item in error.errors()]
        raise _corpus_error(path, problems) from error
    compiler = _Compiler(data.terms, raw)
    rules = [compiler.rule(rule) for rule in data.rules]
    guards = {name: compiler.either(getattr(data.guards, name)) for name in _GuardData.model_fields}
    ids = [rule.id for rule in data.rules]
    for repeated in sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1}):
        compiler.problems.append((_line_of(raw, f"id: {repeated}"), "duplicate-id", repeated))
    if compiler.problems:
        raise _corpus_error(path, compiler.problems)
    return rules, guards, data.spellings


class _Compiler:
    """Patterns of the file → regular expressions; collects what is wrong instead of stopping at the first.

    ``<term>`` stands for a list of words, ``<gap>`` for a few words of the same sentence, and ``A ~ B`` for A and B
    close together in either order. Every pattern matches whole words only.
    """

    def __init__(self, terms: Mapping[str, Sequence[str]], raw: str) -> None:
        self.problems: list[tuple[int, str, str]] = []
        self._raw = raw
        self._terms: dict[str, str] = {"gap": GAP}
        for name, words in terms.items():
            self._terms[name] = rf"\b(?:{'|'.join(self._expand(word) for word in words)})(?!\w)"

    def rule(self, data: _RuleData) -> Rule:
        """Compile one rule with all its forms."""
        safety = Safety(urgency=data.urgency, message=" ".join(data.message.split()), rule=data.id)
        forms = [_FormData(all=data.all, none=data.none), *data.also] if data.all else []
        return Rule(safety, tuple(self._form(form) for form in forms), tuple(data.learned))

    def either(self, patterns: Iterable[str]) -> LazyPattern:
        """One expression that matches any of the patterns."""
        return self._compile("|".join(self._expand(pattern) for pattern in patterns) or r"(?!)")

    def _form(self, data: _FormData) -> Form:
        groups = (Group(self._each(group.any), group.kind) for group in data.all)
        return Form(tuple(groups), self._each(data.none))

    def _each(self, patterns: Iterable[str]) -> tuple[LazyPattern, ...]:
        return tuple(self._compile(self._expand(pattern)) for pattern in patterns)

    def _compile(self, pattern: str) -> LazyPattern:
        whole = rf"(?<!\w)(?:{pattern})(?!\w)"
        return LazyPattern(whole, 0, needles_of(whole))

    def _expand(self, pattern: str) -> str:
        """Fill in the terms; a pattern that is broken is reported and replaced by one that never matches."""
        for name in sorted(set(re.findall(r"<([a-z_]+)>", pattern)) - self._terms.keys()):
            self.problems.append((_line_of(self._raw, pattern), "unknown-term", f"<{name}> in {pattern!r}"))
            return r"(?!)"
        filled = re.sub(r"<([a-z_]+)>", lambda match: self._terms[match.group(1)], pattern)
        if " ~ " in filled:
            left, right = (f"(?:{part.strip()})" for part in filled.split(" ~ ", 1))
            filled = f"{left}{GAP}{right}|{right}{GAP}{left}"
        try:
            re.compile(filled)
        except re.error as error:
            self.problems.append((_line_of(self._raw, pattern), "bad-pattern", f"{pattern!r}: {error}"))
            return r"(?!)"
        return filled


def _corpus_error(path: Path, problems: Iterable[tuple[int, str, str]]) -> CorpusError:
    findings = [FileFinding(path.name, line, rule, message) for line, rule, message in problems]
    return CorpusError(f"{path} must hold usable red-flag rules.", sorted(findings), "mend the file")


def _line_of(raw: str, words: str) -> int:
    """Line number, from 1, of the first line that holds the words; 0 if none does (YAML may have folded them)."""
    for number, line in enumerate(raw.splitlines(), 1):
        if words in line or words.replace("\\", "\\\\") in line:
            return number
    return 0


def _place(location: Iterable[Any]) -> str:
    return ".".join(str(part) for part in location) or "file"
