"""Safety: every red flag is seen, before anything else is said, and harmless talk raises no alarm."""

from __future__ import annotations

from collections.abc import Callable

from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold, SafetyMessage
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item
from gmedbot.types import Safety

__all__ = ["measure_safety"]

#: The baseline: patterns without the model that knows from examples.
RULES = "rules alone"


def measure_safety(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """Send every message; a red flag counts as seen only if the answer itself leads with the message."""
    bench.warm(message.text for message in gold.safety)
    items: list[Item] = []
    for number, message in enumerate(gold.safety, start=1):
        answer = bench.ask(message.text)
        safety = answer.safety
        leads = safety is not None and answer.answer.lstrip("*_> \n").startswith(safety.message[:40])
        ruled = bench.index.safety.screen(message.text) if bench.index.safety is not None else None
        items.append(
            Item(
                id=message.id,
                split=message.split,
                topic=message.rule or message.id,
                values={
                    PRODUCT: {
                        **_seen(message, safety),
                        "red flag leads": float(leads) if message.is_red_flag and safety is not None else None,
                    },
                    RULES: _seen(message, ruled),
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


def _seen(message: SafetyMessage, safety: Safety | None) -> dict[str, float | None]:
    """What holds of one message. Blind messages are counted apart: the rules were written beside the others."""
    seen, is_right = float(safety is not None), float(safety is not None and safety.rule == message.rule)
    if message.is_blind:
        return {"blind red-flag recall": seen} if message.is_red_flag else {"blind false alarms": seen}
    if not message.is_red_flag:
        return {"false alarms": seen}
    return {"red-flag recall": seen, "right rule": is_right if safety is not None else None}
