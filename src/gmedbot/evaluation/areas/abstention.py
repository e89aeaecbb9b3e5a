"""Abstention: what the sources do not hold is declined, and what they hold is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item, Pooled
from gmedbot.evaluation.measures import precision_recall_f1
from gmedbot.evaluation.reply import reply_of

__all__ = ["POOLED", "measure_abstention"]


def measure_abstention(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """Ask the unanswerable questions, and the answerable ones as their counterweight."""
    asked = [
        (item.id, item.question, item.split, item.topic, "near" if item.is_near else "far")
        for item in gold.unanswerable
    ]
    asked += [
        (item.id, item.question, item.split, item.topic, "answerable")
        for item in gold.questions
        if bench.binding.grades(item.quotes)
    ]
    bench.warm(question for _, question, *_ in asked)
    items: list[Item] = []
    for number, (name, question, split, topic, kind) in enumerate(asked, start=1):
        answer = bench.ask(question)
        is_declined = float(reply_of(answer).is_declined)
        items.append(
            Item(
                id=name,
                split=split,
                topic=topic,
                values={
                    PRODUCT: {
                        "right": is_declined if kind != "answerable" else 1 - is_declined,
                        "unanswerable declined": is_declined if kind != "answerable" else None,
                        "declined near": is_declined if kind == "near" else None,
                        "declined far": is_declined if kind == "far" else None,
                        "answerable declined": is_declined if kind == "answerable" else None,
                    }
                },
                facets={"kind": kind},
                detail={
                    "question": question,
                    "kind": kind,
                    "declined": bool(is_declined),
                    "answer": "" if is_declined else "\n".join(s.text for s in answer.statements),
                },
            )
        )
        tell(number, len(asked))
    return AreaResult("abstention", tuple(items), POOLED)


def _rows(items: Sequence[Item], system: str) -> NDArray[np.float64]:
    """(n, 2): should be declined, was declined."""
    rows = [(item.detail["kind"] != "answerable", item.detail["declined"]) for item in items]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _pooled(rows: NDArray[np.float64]) -> Mapping[str, float | None]:
    precision, recall, f1 = precision_recall_f1(rows[:, 0] > 0, rows[:, 1] > 0)
    return {"abstention precision": precision, "abstention recall": recall, "abstention F1": f1}


POOLED = Pooled(_rows, _pooled)
