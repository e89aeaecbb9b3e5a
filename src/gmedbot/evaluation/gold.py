"""The gold data in ``evaluation/``: written by hand, bound to quotes, read into frozen values.

A gold quote is a verbatim sentence of one source. It is bound to the passages of the index at run time (see
``binding``), so that a corpus cut into other passages needs no new gold. ``split`` keeps tuning (dev) apart from
judging (test); no fact is in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from gmedbot.errors import UsageError

__all__ = [
    "SPLITS",
    "Dialogue",
    "DialogueTurn",
    "Gold",
    "GoldPair",
    "InjectedCase",
    "Nugget",
    "Question",
    "Quote",
    "SafetyMessage",
    "Unanswerable",
    "load_gold",
]

SPLITS = ("dev", "test")


@dataclass(frozen=True)
class Quote:
    """A sentence of a source that answers a question. ``grade`` 2: answers it; 1: helps."""

    source: str
    text: str
    grade: int = 2


@dataclass(frozen=True)
class Nugget:
    """One thing a good answer must (vital) or may hold; present if any of ``patterns`` is found in the answer."""

    text: str
    is_vital: bool
    patterns: tuple[re.Pattern[str], ...]

    def is_in(self, text: str) -> bool:
        return any(pattern.search(text) for pattern in self.patterns)


@dataclass(frozen=True)
class Question:
    """A single question in a learner's words.

    ``pooled``: what two judges found to answer or help among the statements that several systems found (``judged`` is all).
    ``sides``: for a disputed one, the quotes of each side. ``apt``: cards that a person judged to show a real disagreement
    on what was asked, as the quotes of each side; they need not be shown and are not beside the point. ``verdict``: how a
    yes/no question is to be answered: yes, no, depends, disagree, or none (it is no such question); "" if nobody said.
    """

    id: str
    question: str
    split: str
    topic: str
    style: str
    type: str
    quotes: tuple[Quote, ...]
    nuggets: tuple[Nugget, ...]
    needs_several: bool
    is_disputed: bool
    sides: tuple[tuple[str, ...], ...] = ()
    apt: tuple[tuple[tuple[str, ...], ...], ...] = ()
    verdict: str = ""
    pooled: tuple[Quote, ...] = ()

    @property
    def judged(self) -> tuple[Quote, ...]:
        return self.quotes + self.pooled


@dataclass(frozen=True)
class DialogueTurn:
    """One turn: what was typed after ``history``, and the question it stands for, written by a person."""

    id: str
    question: str
    standalone: str
    kind: str
    quotes: tuple[Quote, ...]
    history: tuple[str, ...]
    pooled: tuple[Quote, ...] = ()

    @property
    def judged(self) -> tuple[Quote, ...]:
        return self.quotes + self.pooled


@dataclass(frozen=True)
class Dialogue:
    id: str
    split: str
    topic: str
    turns: tuple[DialogueTurn, ...]


@dataclass(frozen=True)
class GoldPair:
    """Two statements and how they stand to one another; ``near_miss`` says in what a "different" pair differs."""

    id: str
    a: str
    b: str
    relation: str
    type: str | None
    reason: str
    near_miss: str | None
    source_a: str | None
    source_b: str | None
    split: str
    topic: str


@dataclass(frozen=True)
class Unanswerable:
    """A question that the corpus does not answer. ``is_near``: it names things of the field."""

    id: str
    question: str
    is_near: bool
    why: str
    split: str
    topic: str


@dataclass(frozen=True)
class SafetyMessage:
    """A message that shows a red flag (``rule`` names it), or a harmless look-alike.

    Blind ones were written by somebody who had seen neither the rules nor any other message.
    """

    id: str
    text: str
    is_red_flag: bool
    rule: str | None
    split: str
    is_blind: bool = False


@dataclass(frozen=True)
class InjectedCase:
    """A hostile document, a question that brings it up, and what must never be in the answer.

    ``split`` is "both" where the line names none: it is then measured with either.
    """

    file: str
    kind: str
    question: str
    must_not: tuple[re.Pattern[str], ...]
    expect: str
    split: str = "both"


@dataclass(frozen=True)
class Gold:
    """Everything under one ``evaluation/`` folder. An absent file is an empty tuple."""

    folder: Path
    questions: tuple[Question, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()
    pairs: tuple[GoldPair, ...] = ()
    neighbours: tuple[GoldPair, ...] = ()
    unanswerable: tuple[Unanswerable, ...] = ()
    safety: tuple[SafetyMessage, ...] = ()
    injected: tuple[InjectedCase, ...] = ()

    def only(self, split: str) -> Gold:
        """The part of one split ("dev", "test"), or all of it ("all")."""
        if split == "all":
            return self
        return Gold(
            self.folder,
            tuple(item for item in self.questions if item.split == split),
            tuple(item for item in self.dialogues if item.split == split),
            tuple(item for item in self.pairs if item.split == split),
            tuple(item for item in self.neighbours if item.split == split),
            tuple(item for item in self.unanswerable if item.split == split),
            tuple(item for item in self.safety if item.split == split),
            tuple(case for case in self.injected if case.split in (split, "both")),
        )

    def quotes(self) -> tuple[Quote, ...]:
        """Every distinct (source, text) of questions and turns, the pairs' own sentences included."""
        found: dict[tuple[str, str], Quote] = {}
        for quote in self._all_quotes():
            found.setdefault((quote.source, quote.text), quote)
        return tuple(found.values())

    def _all_quotes(self) -> Iterable[Quote]:
        for question in self.questions:
            yield from question.judged
        for dialogue in self.dialogues:
            for turn in dialogue.turns:
                yield from turn.judged
        for pair in (*self.pairs, *self.neighbours):
            if pair.source_a:
                yield Quote(pair.source_a, pair.a)
            if pair.source_b:
                yield Quote(pair.source_b, pair.b)


Made = TypeVar("Made")


def load_gold(folder: Path) -> Gold:
    """Read the gold data of ``folder``.

    Raises: UsageError naming file, line and what is wrong, or that there is no gold data at all.
    """
    apt: dict[str, list[tuple[tuple[str, ...], ...]]] = {}
    for card in _load([folder / "judged-cards.jsonl"], _judged_card):
        if card.is_apt:
            apt.setdefault(card.question, []).append(card.sides)
    verdicts = dict(_load([folder / "verdicts.jsonl"], _verdict))
    pooled = dict(_load(sorted(folder.glob("pooled*.jsonl")), _pooled))
    questions = _load(sorted(folder.glob("questions*.jsonl")), _question)
    dialogues = _load(sorted(folder.glob("dialogues*.jsonl")), _dialogue)
    gold = Gold(
        folder,
        questions=tuple(
            replace(
                item,
                apt=tuple(apt.get(item.id, ())),
                verdict=verdicts.get(item.id, ""),
                pooled=pooled.get(item.id, ()),
            )
            for item in questions
        ),
        dialogues=tuple(
            replace(item, turns=tuple(replace(turn, pooled=pooled.get(turn.id, ())) for turn in item.turns))
            for item in dialogues
        ),
        pairs=_load([folder / "pairs.jsonl"], _pair),
        neighbours=_load([folder / "neighbours.jsonl"], _pair),
        unanswerable=_load([folder / "unanswerable.jsonl"], _unanswerable),
        safety=_load([folder / "safety.jsonl"], _safety),
        injected=_load([folder / "injected" / "manifest.jsonl"], _injected),
    )
    if not (gold.questions or gold.dialogues or gold.pairs or gold.unanswerable or gold.safety):
        raise UsageError(
            f"{folder} must hold gold data (questions*.jsonl, dialogues*.jsonl, pairs.jsonl …).",
            "none of these files",
            "run in a checkout, or point --gold at its evaluation folder",
        )
    return gold


def _load(paths: Sequence[Path], make: Callable[[dict[str, Any]], Made]) -> tuple[Made, ...]:
    made: list[Made] = []
    seen: set[str] = set()
    for path in paths:
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                made.append(make(row))
                key = str(row.get("id") or row.get("file"))
            except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
                name = f"missing {error}" if isinstance(error, KeyError) else str(error)
                raise UsageError(f"{path.name}:{number} must be a gold line (evaluation/README.md).", name) from error
            if key in seen:
                raise UsageError(f"{path.name}:{number} must have an id of its own.", f"{key} is there twice")
            seen.add(key)
    return tuple(made)


def _split(row: dict[str, Any]) -> str:
    split = str(row["split"])
    if split not in SPLITS:
        raise ValueError(f"split must be dev or test, not {split!r}")
    return split


def _quotes(rows: Iterable[dict[str, Any]]) -> tuple[Quote, ...]:
    return tuple(Quote(str(row["source"]), str(row["quote"]), int(row.get("grade", 2))) for row in rows)


def _question(row: dict[str, Any]) -> Question:
    return Question(
        id=str(row["id"]),
        question=str(row["question"]),
        split=_split(row),
        topic=str(row["topic_key"]),
        style=str(row["style"]),
        type=str(row["type"]),
        quotes=_quotes(row["gold"]),
        nuggets=tuple(
            Nugget(
                str(item["text"]),
                bool(item["vital"]),
                tuple(re.compile(pattern, re.IGNORECASE) for pattern in item["any"]),
            )
            for item in row["nuggets"]
        ),
        needs_several=bool(row["needs_several"]),
        is_disputed=bool(row["disputed"]),
        sides=tuple(tuple(str(text) for text in side) for side in row.get("sides") or ()),
    )


@dataclass(frozen=True)
class _JudgedCard:
    question: str
    sides: tuple[tuple[str, ...], ...]
    is_apt: bool


def _judged_card(row: dict[str, Any]) -> _JudgedCard:
    if row["verdict"] not in ("apt", "beside", "wrong"):
        raise ValueError(f"verdict must be apt, beside or wrong, not {row['verdict']!r}")
    return _JudgedCard(
        str(row["question"]), tuple(tuple(map(str, side)) for side in row["sides"]), row["verdict"] == "apt"
    )


def _verdict(row: dict[str, Any]) -> tuple[str, str]:
    if row["verdict"] not in ("yes", "no", "depends", "disagree", "none"):
        raise ValueError(f"verdict must be yes, no, depends, disagree or none, not {row['verdict']!r}")
    return str(row["id"]), str(row["verdict"])


def _pooled(row: dict[str, Any]) -> tuple[str, tuple[Quote, ...]]:
    return str(row["id"]), _quotes(row["gold"])


def _dialogue(row: dict[str, Any]) -> Dialogue:
    turns: list[DialogueTurn] = []
    history: tuple[str, ...] = ()
    for number, turn in enumerate(row["turns"], start=1):
        typed = str(turn["question"])
        turns.append(
            DialogueTurn(
                id=f"{row['id']}#{number}",
                question=typed,
                standalone=str(turn["standalone"]),
                kind=str(turn["kind"]),
                quotes=_quotes(turn["gold"]),
                history=history,
            )
        )
        history = (*history, typed)
    return Dialogue(str(row["id"]), _split(row), str(row["topic_key"]), tuple(turns))


def _pair(row: dict[str, Any]) -> GoldPair:
    if row["relation"] not in ("agree", "conflict", "different"):
        raise ValueError(f"relation must be agree, conflict or different, not {row['relation']!r}")
    return GoldPair(
        id=str(row["id"]),
        a=str(row["a"]),
        b=str(row["b"]),
        relation=str(row["relation"]),
        type=row.get("type"),
        reason=str(row.get("reason") or ""),
        near_miss=row.get("near_miss"),
        source_a=row.get("source_a"),
        source_b=row.get("source_b"),
        split=_split(row),
        topic=str(row["topic_key"]),
    )


def _unanswerable(row: dict[str, Any]) -> Unanswerable:
    return Unanswerable(
        str(row["id"]), str(row["question"]), bool(row["near"]), str(row["why"]), _split(row), str(row["topic_key"])
    )


def _safety(row: dict[str, Any]) -> SafetyMessage:
    if row["label"] not in ("red-flag", "harmless"):
        raise ValueError(f"label must be red-flag or harmless, not {row['label']!r}")
    is_red_flag, is_blind = row["label"] == "red-flag", bool(row.get("blind"))
    return SafetyMessage(str(row["id"]), str(row["text"]), is_red_flag, row.get("rule"), _split(row), is_blind)


def _injected(row: dict[str, Any]) -> InjectedCase:
    return InjectedCase(
        str(row["file"]),
        str(row["kind"]),
        str(row["question"]),
        tuple(re.compile(pattern) for pattern in row["must_not"]),
        str(row["expect"]),
        _split(row) if "split" in row else "both",
    )
