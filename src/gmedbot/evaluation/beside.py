"""The product beside simpler ways, question by question: paired differences with intervals and p.

Two intervals that overlap do not say that two systems are alike; the same questions were put to both, and the
differences on them do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gmedbot.evaluation.items import PRODUCT, AreaResult, Item
from gmedbot.evaluation.measures import Paired, paired_pooled, paired_test
from gmedbot.evaluation.run import RunResult

__all__ = ["BESIDE", "Against", "against", "against_json"]

#: area → the measures that are held against every baseline.
BESIDE: Mapping[str, Sequence[str]] = {
    "retrieval": ("R@5(capped)", "RR@10", "nDCG@10"),
    "answers": ("nugget recall (vital)", "nugget precision", "both sides shown"),
    "dialogues": ("R@5(capped)", "nDCG@10"),
    "claims": ("macro-F1", "conflict F1", "merge precision (B³)"),
    "neighbours": ("macro-F1", "conflict F1", "merge precision (B³)"),
}
#: system → measure → the product's value less the system's.
Against = Mapping[str, Mapping[str, Paired]]


def against(area: str, result: AreaResult, split: str) -> dict[str, dict[str, Paired]]:
    """What the product is ahead of each baseline (behind, if negative), on the items that both were measured on."""
    items = [item for item in result.items if split == "all" or item.split in (split, "both")]
    found: dict[str, dict[str, Paired]] = {}
    for system in result.systems():
        if system != PRODUCT:
            own = _paired(BESIDE.get(area, ()), result, [item for item in items if system in item.values], system)
            if own:
                found[system] = own
    return found


def _paired(measures: Sequence[str], result: AreaResult, items: Sequence[Item], system: str) -> dict[str, Paired]:
    topics = [item.topic for item in items]
    found: dict[str, Paired] = {}
    for measure in measures:
        theirs = [item.values[system].get(measure) for item in items]
        paired = paired_test(theirs, [item.values[PRODUCT].get(measure) for item in items], topics)
        if paired is not None:
            found[measure] = paired
    if result.pooled is not None and items:
        rows = [result.pooled.rows(items, name) for name in (system, PRODUCT)]
        pooled = paired_pooled(rows[0], rows[1], topics, result.pooled.measure)
        found |= {name: paired for name, (_, _, paired) in pooled.items() if name in measures}
    return {measure: found[measure] for measure in measures if measure in found}


def against_json(result: RunResult) -> dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]:
    """split → area → system → measure → {difference, low, high, p, n}, as plain values."""
    return {
        split: {
            name: {
                system: {
                    measure: {key: round(float(value), 6) for key, value in vars(paired).items()}
                    for measure, paired in measures.items()
                }
                for system, measures in against(name, area, split).items()
            }
            for name, area in result.areas.items()
            if name in BESIDE
        }
        for split in result.splits
    }
