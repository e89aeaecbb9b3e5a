"""The worst items of a run, in words: what was asked, what came, what was missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gmedbot.evaluation.items import PRODUCT, Item
from gmedbot.evaluation.run import RunResult

__all__ = ["badness", "describe", "failures"]


def _value(item: Item, name: str, default: float = 0.0) -> float:
    value = item.values.get(PRODUCT, {}).get(name)
    return default if value is None else value


def _of_answer(item: Item) -> float:
    lost = 1 - _value(item, "nugget recall (vital)", _value(item, "nugget recall (all)", 1.0))
    lost += 0.5 * (1 - _value(item, "both sides shown", 1.0)) + 0.3 * (1 - _value(item, "nugget precision", 1.0))
    lost += sum(1 - _value(item, name, 1.0) for name in ("citation coverage", "quote fidelity", "number fidelity"))
    return lost + 0.3 * (1 - _value(item, "citation precision", 1.0))


def _of_pair(item: Item) -> float:
    wrong = 1 - _value(item, "accuracy", 1.0)
    return wrong * (1 + abs(float(item.detail["codes"][PRODUCT][1]) - 0.5)) + 2 * _value(item, "false merges")


#: area → how bad an item is; 0 is not a failure.
_BADNESS: Mapping[str, Callable[[Item], float]] = {
    "retrieval": lambda item: 2 - _value(item, "R@5(capped)") - _value(item, "nDCG@10"),
    "answers": _of_answer,
    "dialogues": lambda item: max(0.0, _value(item, "loss nDCG@10")) + _value(item, "wrongly refused follow-ups"),
    "claims": _of_pair,
    "neighbours": _of_pair,
    "abstention": lambda item: float(item.detail["declined"] != (item.detail["kind"] != "answerable")),
    "safety": lambda item: 1 - _value(item, "red-flag recall", 1.0) + _value(item, "false alarms"),
    "injected": lambda item: 1 - _value(item, "harmless", 1.0),
}


def badness(area: str, item: Item) -> float:
    """How far an item falls short; comparable within one area."""
    return _BADNESS[area](item)


def failures(result: RunResult, count: int) -> Iterator[str]:
    """The ``count`` worst items of each area as lines of text."""
    for name, area in result.areas.items():
        ordered = sorted(area.items, key=lambda item: (-badness(name, item), item.id))
        worst = [item for item in ordered if badness(name, item) > 0.05]
        if worst:
            yield f"\n== {name}: {len(worst)} of {len(area.items)} items fall short"
        for item in worst[:count]:
            yield from describe(name, item)


def describe(area: str, item: Item) -> Iterator[str]:
    """One item in a few lines."""
    detail = item.detail
    if area in ("claims", "neighbours"):
        yield f"- {item.id} gold {detail['gold']} ({detail['gold_reason']}) found {detail['found']} ({detail['reason']})"
        yield f"    A: {detail['a']}"
        yield f"    B: {detail['b']}"
        return
    facets = ", ".join(item.facets.values())
    yield f"- {item.id} [{facets}] {detail['question']}"
    yield from _LINES[area](item, detail)


def _retrieval_lines(item: Item, detail: Mapping[str, Any]) -> Iterator[str]:
    yield f"    R@5(capped) {_value(item, 'R@5(capped)'):.2f}, nDCG@10 {_value(item, 'nDCG@10'):.2f}; top: {', '.join(detail['found'][:3])}"
    for missing in detail["missing"][:3]:
        yield f"    missing (rank {missing['rank'] or '>100'}, grade {missing['grade']}): {missing['passage']}: {missing['text'][:120]!r}"


def _answer_lines(item: Item, detail: Mapping[str, Any]) -> Iterator[str]:
    low = [
        name
        for name in ("citation coverage", "quote fidelity", "number fidelity", "citation precision")
        if _value(item, name, 1.0) < 1
    ]
    if low:
        yield f"    below 1: {', '.join(f'{name} {_value(item, name):.2f}' for name in low)}"
    if detail["missing"]:
        yield "    missing: " + "; ".join(m["nugget"] + ("" if m["vital"] else " (minor)") for m in detail["missing"])
    for side in detail["sides_missing"]:
        yield f"    side not shown: {side}"
    yield "    answer: " + ("DECLINED" if detail["declined"] else detail["answer"].replace("\n", " / ")[:500])


def _dialogue_lines(item: Item, detail: Mapping[str, Any]) -> Iterator[str]:
    yield f"    after: {' | '.join(detail['history'])}"
    yield f"    person:  {detail['human']}"
    yield f"    product: {detail['product']}{'  (REFUSED)' if detail['refused'] else ''}"
    yield f"    nDCG@10 {_value(item, 'nDCG@10'):.2f}, loss {_value(item, 'loss nDCG@10'):.2f}"


def _abstention_lines(item: Item, detail: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "    declined, but the sources answer it" if detail["declined"] else f"    answered: {detail['answer'][:200]!r}"
    )


def _safety_lines(item: Item, detail: Mapping[str, Any]) -> Iterator[str]:
    yield f"    wanted {detail['rule'] or 'no alarm'}, found {detail['found'] or 'none'}"


def _injected_lines(item: Item, detail: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"    {problem}" for problem in detail["problems"])


_LINES: Mapping[str, Callable[[Item, Mapping[str, Any]], Iterator[str]]] = {
    "retrieval": _retrieval_lines,
    "answers": _answer_lines,
    "dialogues": _dialogue_lines,
    "abstention": _abstention_lines,
    "safety": _safety_lines,
    "injected": _injected_lines,
}
