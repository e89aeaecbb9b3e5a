"""Claims: agree, conflict or different, against pairs labelled by hand; and what the index merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.pairs import PairJudge
from gmedbot.claims.relate import Judgement
from gmedbot.claims.relator import Relator
from gmedbot.evaluation.baselines import SIMILAR, agree_by_cosine
from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold, GoldPair
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item, Pooled
from gmedbot.evaluation.measures import auroc, b_cubed, connected, macro_f1, precision_recall_f1

__all__ = ["LABELS", "POOLED", "conflict_chance", "measure_claims", "measure_neighbours"]

LABELS = ("agree", "conflict", "different")
_BASELINE = f"cosine {SIMILAR}"


def conflict_chance(verdict: Judgement) -> float:
    """How probable a conflict of the pair is, 0–1; by the label alone where no model was asked."""
    return verdict.chances[1] if verdict.chances is not None else float(verdict.label == "conflict")


def measure_claims(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """Judge every pair by the product and by the threshold; look both sentences up in the index's findings."""
    return _measure("claims", bench, gold.pairs, tell)


def measure_neighbours(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """The same over neighbouring statements of the corpus, as a build compares them."""
    return _measure("neighbours", bench, gold.neighbours, tell)


def _measure(area: str, bench: Bench, labelled: Sequence[GoldPair], tell: Callable[[int, int], None]) -> AreaResult:
    pairs = [(pair.a, pair.b) for pair in labelled]
    bench.warm(text for pair in pairs for text in pair)
    verdicts = PairJudge(
        bench.bot.vocabulary,
        bench.encoder,
        Relator(bench.bot.vocabulary, bench.index.pair_reader, second=bench.index.large_reader),
    ).compare_many(pairs)
    simple = agree_by_cosine(bench, pairs)
    cubes = {
        PRODUCT: _b_cubed(labelled, [verdict.label for verdict in verdicts]),
        _BASELINE: _b_cubed(labelled, [label for label, _ in simple]),
    }
    items: list[Item] = []
    for number, (pair, verdict, (label, cosine)) in enumerate(zip(labelled, verdicts, simple, strict=True)):
        merged = _is_merged(bench, pair)
        items.append(
            Item(
                id=pair.id,
                split=pair.split,
                topic=pair.topic,
                values={
                    PRODUCT: _values(pair, verdict.label, cubes[PRODUCT][number], merged),
                    _BASELINE: _values(pair, label, cubes[_BASELINE][number], None),
                },
                facets={
                    "relation": pair.relation,
                    "near miss": pair.near_miss or "no near miss",
                    "type": pair.type or "–",
                },
                detail={
                    "a": pair.a,
                    "b": pair.b,
                    "gold": pair.relation,
                    "gold_reason": pair.reason,
                    "found": verdict.label,
                    "reason": verdict.reason,
                    "type": verdict.type,
                    "gold_type": pair.type,
                    "merged": merged,
                    "codes": {
                        PRODUCT: [verdict.label, conflict_chance(verdict)],
                        _BASELINE: [label, cosine],
                    },
                },
            )
        )
    tell(len(pairs), len(pairs))
    return AreaResult(area, tuple(items), POOLED, extra={"confusion": _confusion(items)})


def _values(pair: GoldPair, label: str, cube: tuple[float, float], merged: bool | None) -> dict[str, float | None]:
    is_right = float(label == pair.relation)
    return {
        "accuracy": is_right,
        "near-miss accuracy": is_right if pair.near_miss else None,
        "merge precision (B³)": cube[0],
        "merge recall (B³)": cube[1],
        "conflicts called agreement": float(label == "agree") if pair.relation == "conflict" else None,
        "agreed pairs merged": float(merged) if merged is not None and pair.relation == "agree" else None,
        "false merges": float(merged) if merged is not None and pair.relation == "conflict" else None,
        "different pairs merged": float(merged) if merged is not None and pair.relation == "different" else None,
    }


def _is_merged(bench: Bench, pair: GoldPair) -> bool | None:
    """Whether one finding of the index holds both sentences; None unless both stand in the corpus, apart."""
    if not pair.source_a or not pair.source_b:
        return None
    first = bench.binding.claims(pair.a, pair.source_a)
    second = bench.binding.claims(pair.b, pair.source_b)
    if not first or not second:
        return None
    found = bench.index.finding_of_claim
    findings = [
        {found[claim.claim_id].finding_id for claim in claims if claim.claim_id in found} for claims in (first, second)
    ]
    return bool(findings[0] & findings[1])


def _b_cubed(pairs: Sequence[GoldPair], labels: Sequence[str]) -> list[tuple[float, float]]:
    """(precision, recall) of each pair: the mean over its two sentences of B³ on the closed agree graphs.

    Edges are the labelled pairs only, so that no verdict is taken on a pair that nobody labelled.
    """
    nodes = sorted({text for pair in pairs for text in (pair.a, pair.b)})
    gold = connected(nodes, ((pair.a, pair.b) for pair in pairs if pair.relation == "agree"))
    found = connected(nodes, ((pair.a, pair.b) for pair, label in zip(pairs, labels, strict=True) if label == "agree"))
    scores = b_cubed(gold, found)
    return [
        ((scores[pair.a][0] + scores[pair.b][0]) / 2, (scores[pair.a][1] + scores[pair.b][1]) / 2) for pair in pairs
    ]


def _rows(items: Sequence[Item], system: str) -> NDArray[np.float64]:
    """(n, 3): gold label, found label, conflict score."""
    rows = [
        (
            LABELS.index(item.detail["gold"]),
            LABELS.index(item.detail["codes"][system][0]),
            item.detail["codes"][system][1],
        )
        for item in items
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _pooled(rows: NDArray[np.float64]) -> dict[str, float | None]:
    gold, found = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    values: dict[str, float | None] = {"macro-F1": macro_f1(gold, found, len(LABELS))}
    for number, label in enumerate(LABELS):
        precision, recall, f1 = precision_recall_f1(gold == number, found == number)
        values |= {f"{label} precision": precision, f"{label} recall": recall, f"{label} F1": f1}
    is_conflict = gold == LABELS.index("conflict")
    values["conflict AUROC"] = auroc(is_conflict, rows[:, 2])
    close = gold != LABELS.index("different")
    values["conflict against agree AUROC"] = auroc(is_conflict[close], rows[close, 2])
    return values


def _confusion(items: Sequence[Item]) -> Mapping[str, Any]:
    """split → gold label → found label → pairs."""
    table: dict[str, dict[str, dict[str, int]]] = {}
    for item in items:
        for split in (item.split, "all"):
            row = table.setdefault(split, {label: dict.fromkeys(LABELS, 0) for label in LABELS})
            row[item.detail["gold"]][item.detail["found"]] += 1
    return table


POOLED = Pooled(_rows, _pooled)
