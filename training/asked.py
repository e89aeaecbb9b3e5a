"""The questions that ``training.fit_answers`` learns from, with what answers each: of dev, of training, and graded messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from gmedbot.evaluation.gold import DialogueTurn, Gold, Question, load_gold

ROOT = Path(__file__).resolve().parents[1]
#: Gain of a statement by its grade in ``graded-*.jsonl``: the reply must begin with what answers directly.
GAIN = (0, 0, 1, 4)


@dataclass(frozen=True)
class Asked:
    """A question with what answers it: sentence → grade; ``known``: the sentences its writer judged, None for all.
    ``pooled``: what judges found beside them, for the second look. ``place``: which question of the message is meant. ``found``: what a reader said of all statements together."""

    question: str
    history: tuple[str, ...]
    grades: Mapping[str, int]
    group: str
    known: frozenset[str] | None = None
    is_gold: bool = False
    place: int = 0
    found: Literal["", "no", "near", "direct"] = ""
    pooled: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        return self.found != "no"

    @property
    def is_direct(self) -> bool:
        return self.found in ("", "direct")


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def load_asked() -> list[Asked]:
    asked: list[Asked] = []
    gold = load_gold(ROOT / "evaluation")
    unseen = answers_of_test(gold)

    def pooled_of(item: Question | DialogueTurn) -> dict[str, int]:
        return {quote.text: quote.grade for quote in item.pooled if quote.text not in unseen}

    def grades_of(item: Question | DialogueTurn) -> dict[str, int]:
        return {quote.text: quote.grade for quote in item.quotes}

    dev = gold.only("dev")
    for question in dev.questions:
        own = Asked(question.question, (), grades_of(question), question.topic, None, True)
        asked.append(replace(own, pooled=pooled_of(question)))
    for dialogue in dev.dialogues:
        turns = [turn for turn in dialogue.turns if turn.quotes]
        found = _turns([(turn.question, grades_of(turn)) for turn in dialogue.turns], dialogue.topic)
        asked += [replace(own, pooled=pooled_of(turn)) for own, turn in zip(found, turns, strict=True)]
    for path in sorted((ROOT / "training").glob("questions-*.jsonl")):
        rows = read_lines(path)
        known = frozenset(text for row in rows for name in ("best", "good", "not") for text in row[name])
        for row in rows:
            grades = {**dict.fromkeys(row["good"], 1), **dict.fromkeys(row["best"], 2)}
            asked.append(Asked(row["question"], (), grades, min(row["best"]), known))
    # not dialogues-2: the encoder has learned those conversations, and would be trusted too much
    paths = (ROOT / "training" / name for name in ("dialogues.jsonl", "dialogues-3.jsonl"))
    dialogues = [row for path in paths for row in read_lines(path)]
    # their writers saw these sentences only: that another does not answer, nobody has said
    known = frozenset(text for row in dialogues for t in row["turns"] for text in t["best"])
    for row in dialogues:
        turns = [(t["question"], dict.fromkeys(t["best"], 2)) for t in row["turns"]]
        asked += _turns(turns, row["id"], known)
    asked += _of_writers(read_lines(ROOT / "training" / "dialogues-4.jsonl"))
    return asked + load_graded()


def _of_writers(rows: Sequence[Mapping[str, Any]]) -> list[Asked]:
    """Conversations whose writers saw other sentences each; "g1-01" is the first of the first one."""
    asked: list[Asked] = []
    for writer in sorted({row["id"].partition("-")[0] for row in rows}):
        own = [row for row in rows if row["id"].startswith(f"{writer}-")]
        known = frozenset(text for row in own for turn in row["turns"] for text in turn["best"])
        for row in own:
            turns = [(turn["question"], dict.fromkeys(turn["best"], 2)) for turn in row["turns"]]
            asked += _turns(turns, row["id"], known)
    return asked


def answers_of_test(gold: Gold) -> frozenset[str]:
    """Statements that answer a question of the test split: judges found some of them to bear on one of dev too."""
    test = gold.only("test")
    asked = [*test.questions, *(turn for dialogue in test.dialogues for turn in dialogue.turns)]
    return frozenset(quote.text for item in asked for quote in item.judged if quote.grade == 2)


def load_graded() -> list[Asked]:
    """The graded messages; the group is the writer."""
    asked = []
    for path in sorted((ROOT / "training").glob("graded-*.jsonl")):
        for row in read_lines(path):
            marks = [int(mark) for mark in row["grades"]]
            grades = {text: GAIN[mark] for text, mark in zip(row["statements"], marks, strict=True)}
            found: Literal["no", "near", "direct"] = "direct" if 3 in marks else "near" if 2 in marks else "no"
            place = int(row["id"].rpartition("/")[2]) - 1
            known = frozenset(row["statements"])
            asked.append(
                Asked(row["message"], tuple(row["history"]), grades, row["id"][0], known, place=place, found=found)
            )
    return asked


def _turns(turns: Sequence[tuple[str, dict[str, int]]], group: str, known: frozenset[str] | None = None) -> list[Asked]:
    earlier: list[str] = []
    found = []
    for question, grades in turns:
        if grades:
            found.append(Asked(question, tuple(earlier), grades, group, known, known is None))
        earlier.append(question)
    return found
