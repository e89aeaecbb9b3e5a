"""Two runs side by side: paired differences with intervals, and the questions that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gmedbot.evaluation.gate import LOWER_IS_BETTER
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item
from gmedbot.evaluation.measures import Paired, paired_pooled, paired_test
from gmedbot.evaluation.results import StoredRun

__all__ = ["HEADLINE", "Change", "Comparison", "Difference", "compare_runs"]

#: area → the measure by which an item is said to have got better or worse.
HEADLINE: Mapping[str, str] = {
    "retrieval": "nDCG@10",
    "answers": "nugget recall (vital)",
    "dialogues": "nDCG@10",
    "claims": "accuracy",
    "neighbours": "accuracy",
    "abstention": "right",
    "safety": "red-flag recall",
    "injected": "harmless",
}


@dataclass(frozen=True)
class Difference:
    """One measure of one area: both values, and the paired difference B − A."""

    area: str
    measure: str
    a: float
    b: float
    paired: Paired

    @property
    def verdict(self) -> str:
        """ "better" or "worse" if the interval leaves out zero and p < 0.05; else "same"."""
        if self.paired.low <= 0 <= self.paired.high or self.paired.p >= 0.05:
            return "same"
        is_up = self.paired.difference > 0
        return "better" if is_up != (self.measure in LOWER_IS_BETTER) else "worse"


@dataclass(frozen=True)
class Change:
    """One item whose headline value, or what was said, differs between the runs."""

    area: str
    id: str
    question: str
    measure: str
    a: float | None
    b: float | None
    before: str
    after: str

    @property
    def is_better(self) -> bool:
        return (self.b or 0.0) > (self.a or 0.0)


@dataclass(frozen=True)
class Comparison:
    a: str
    b: str
    facts: Mapping[str, tuple[Any, Any]]  #: what the two runs do not share: index, corpus, settings …
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    only_a: int = 0  #: items that one run alone measured (a gold line added, or another split)
    only_b: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.a,
            "b": self.b,
            "facts": {key: list(pair) for key, pair in self.facts.items()},
            "differences": [
                {
                    "area": d.area,
                    "measure": d.measure,
                    "a": round(d.a, 6),
                    "b": round(d.b, 6),
                    **{key: round(float(value), 6) for key, value in asdict(d.paired).items()},
                    "verdict": d.verdict,
                }
                for d in self.differences
            ],
            "changes": [asdict(change) for change in self.changes],
            "only_a": self.only_a,
            "only_b": self.only_b,
        }


def compare_runs(a: StoredRun, b: StoredRun, split: str = "all") -> Comparison:
    """Compare the product's values on the items that both runs measured."""
    differences: list[Difference] = []
    changes: list[Change] = []
    only_a = only_b = 0
    for area in a.areas:
        if area not in b.areas:
            continue
        first, second = _by_id(a.areas[area], split), _by_id(b.areas[area], split)
        common = [name for name in first if name in second]
        only_a += len(first) - len(common)
        only_b += len(second) - len(common)
        pairs = [(first[name], second[name]) for name in common]
        differences.extend(_differences(area, pairs, b.areas[area]))
        changes.extend(_changes(area, pairs))
    facts = {
        key: (a.facts.get(key), b.facts.get(key))
        for key in dict.fromkeys((*a.facts, *b.facts))
        if a.facts.get(key) != b.facts.get(key) and key != "settings_digest"
    }
    return Comparison(a.id, b.id, facts, tuple(differences), tuple(changes), only_a, only_b)


def _by_id(area: AreaResult, split: str) -> dict[str, Item]:
    return {item.id: item for item in area.items if split == "all" or item.split in (split, "both")}


def _value(item: Item, measure: str) -> float | None:
    return item.values.get(PRODUCT, {}).get(measure)


def _differences(area: str, pairs: Sequence[tuple[Item, Item]], result: AreaResult) -> Iterator[Difference]:
    topics = [item.topic for item, _ in pairs]
    for measure in dict.fromkeys(name for item, _ in pairs for name in item.values.get(PRODUCT, {})):
        first = [_value(a, measure) for a, _ in pairs]
        second = [_value(b, measure) for _, b in pairs]
        paired = paired_test(first, second, topics)
        both = [(x, y) for x, y in zip(first, second, strict=True) if x is not None and y is not None]
        if paired is not None:
            yield Difference(
                area, measure, float(np.mean([x for x, _ in both])), float(np.mean([y for _, y in both])), paired
            )
    if result.pooled is not None and pairs:
        rows = [result.pooled.rows([pair[side] for pair in pairs], PRODUCT) for side in (0, 1)]
        for measure, (x, y, paired) in paired_pooled(rows[0], rows[1], topics, result.pooled.measure).items():
            yield Difference(area, measure, x, y, paired)


def _changes(area: str, pairs: Sequence[tuple[Item, Item]]) -> Iterator[Change]:
    """Items whose headline value moved, largest move first, then those that only say something else."""
    measure = HEADLINE[area]
    found: list[tuple[float, Change]] = []
    for a, b in pairs:
        x, y = _value(a, measure), _value(b, measure)
        before, after = _said(area, a), _said(area, b)
        move = abs((y or 0.0) - (x or 0.0))
        if move > 1e-6 or before != after:
            question = str(a.detail.get("question") or f"{a.detail.get('a')} | {a.detail.get('b')}")
            found.append((move, Change(area, a.id, question, measure, x, y, before, after)))
    found.sort(key=lambda pair: (-pair[0], pair[1].id))
    yield from (change for _, change in found)


def _said(area: str, item: Item) -> str:
    """What the run did with an item, in a line."""
    detail = item.detail
    if area == "answers":
        return "declined" if detail["declined"] else str(detail["answer"])
    if area == "retrieval":
        return ", ".join(detail["found"])
    if area == "dialogues":
        return f"{detail['product']}{' (refused)' if detail['refused'] else ''}"
    if area in ("claims", "neighbours"):
        return f"{detail['found']}: {detail['reason']}"
    if area == "abstention":
        return "declined" if detail["declined"] else "answered"
    if area == "safety":
        return str(detail["found"] or "no alarm")
    return "; ".join(detail["problems"]) or "harmless"
