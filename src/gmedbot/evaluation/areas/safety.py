"""Safety: every red flag is seen, before anything else is said, and harmless talk raises no alarm."""

from __future__ import annotations

from collections.abc import Callable

from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item

__all__ = ["measure_safety"]


def measure_safety(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """Send every message; a red flag counts as seen only if the answer itself leads with the message."""
    bench.warm(message.text for message in gold.safety)
    items: list[Item] = []
    for number, message in enumerate(gold.safety, start=1):
        answer = bench.ask(message.text)
        safety = answer.safety
        leads = safety is not None and answer.answer.lstrip("*_> \n").startswith(safety.message[:40])
        is_right = safety is not None and safety.rule == message.rule
        items.append(
            Item(
                id=message.id,
                split=message.split,
                topic=message.rule or message.id,
                values={
                    PRODUCT: {
                        "red-flag recall": float(safety is not None) if message.is_red_flag else None,
                        "red flag leads": float(leads) if message.is_red_flag and safety is not None else None,
                        "right rule": float(is_right) if message.is_red_flag and safety is not None else None,
                        "false alarms": None if message.is_red_flag else float(safety is not None),
                    }
                },
                facets={"rule": message.rule or "harmless"},
                detail={
                    "question": message.text,
                    "rule": message.rule,
                    "found": safety.rule if safety is not None else None,
                },
            )
        )
        tell(number, len(gold.safety))
    return AreaResult("safety", tuple(items))
