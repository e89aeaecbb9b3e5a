"""Measures as pure functions of numbers, and the statistics around them. Deterministic: every draw has a fixed seed.

"Not applicable" is None and leaves a mean; an absent answer is 0 and stays in it. Intervals are 95 % percentile
bootstraps that draw whole topics, as questions on one fact stand or fall together (a cluster bootstrap; drawing
single questions would make the intervals too narrow).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Estimate",
    "Paired",
    "auroc",
    "b_cubed",
    "bootstrap_mean",
    "bootstrap_pooled",
    "connected",
    "grade_level",
    "macro_f1",
    "mean_of",
    "paired_pooled",
    "paired_test",
    "precision_recall_f1",
]

_SEED = 20261122
_DRAWS = 1000
Floats = NDArray[np.float64]
Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True)
class Estimate:
    """A measure's value with its 95 % interval over ``n`` items; None where there is nothing to measure."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0

    def to_json(self) -> dict[str, float | int | None]:
        return {"value": _rounded(self.value), "low": _rounded(self.low), "high": _rounded(self.high), "n": self.n}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the applicable values; None if there are none."""
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else None


def _clusters(groups: Sequence[Hashable]) -> tuple[NDArray[np.int64], int]:
    numbers: dict[Hashable, int] = {}
    rows = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)
    return rows, len(numbers)


def bootstrap_mean(values: Sequence[float | None], groups: Sequence[Hashable], draws: int = _DRAWS) -> Estimate:
    """Mean with a cluster-bootstrap interval. ``groups[i]`` is the topic of ``values[i]``."""
    kept = [(value, group) for value, group in zip(values, groups, strict=True) if value is not None]
    if not kept:
        return Estimate(None)
    numbers = np.array([value for value, _ in kept], dtype=np.float64)
    rows, count = _clusters([group for _, group in kept])
    sums = np.bincount(rows, weights=numbers, minlength=count)
    sizes = np.bincount(rows, minlength=count).astype(np.float64)
    drawn = np.random.default_rng(_SEED).integers(0, count, size=(draws, count))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(numbers.mean()), float(low), float(high), len(kept))


def bootstrap_pooled(
    rows: Floats,
    groups: Sequence[Hashable],
    measure: Callable[[Floats], Mapping[str, float | None]],
    draws: int = 400,
) -> dict[str, Estimate]:
    """Measures that are not means (F1, AUROC …) with cluster-bootstrap intervals.

    Args: rows: (n_items, columns), one row an item. measure: rows → measure name → value.
    """
    point = measure(rows)
    if not len(rows):
        return {name: Estimate(value) for name, value in point.items()}
    numbers, count = _clusters(groups)
    members = [np.flatnonzero(numbers == cluster) for cluster in range(count)]
    random = np.random.default_rng(_SEED)
    samples: dict[str, list[float]] = {name: [] for name in point}
    for _ in range(draws):
        picked = np.concatenate([members[cluster] for cluster in random.integers(0, count, size=count)])
        for name, value in measure(rows[picked]).items():
            if value is not None:
                samples[name].append(value)
    return {name: _interval(value, samples[name], len(rows)) for name, value in point.items()}


def _interval(value: float | None, samples: list[float], n: int) -> Estimate:
    if value is None or not samples:
        return Estimate(value, n=n)
    low, high = np.percentile(samples, [2.5, 97.5])
    return Estimate(value, float(low), float(high), n)


@dataclass(frozen=True)
class Paired:
    """The mean difference B − A over the items that both runs measured, its interval and p (sign-flip test)."""

    difference: float
    low: float
    high: float
    p: float
    n: int


def paired_test(
    a: Sequence[float | None], b: Sequence[float | None], groups: Sequence[Hashable], draws: int = 2000
) -> Paired | None:
    """Paired bootstrap interval and paired permutation test, both by topic; None without common items.

    p is two-sided: how often randomly swapping A and B within topics gives a mean difference at least this large.
    """
    kept = [(y - x, g) for x, y, g in zip(a, b, groups, strict=True) if x is not None and y is not None]
    if not kept:
        return None
    deltas = np.array([delta for delta, _ in kept], dtype=np.float64)
    rows, count = _clusters([group for _, group in kept])
    sums = np.bincount(rows, weights=deltas, minlength=count)
    sizes = np.bincount(rows, minlength=count).astype(np.float64)
    random = np.random.default_rng(_SEED)
    drawn = random.integers(0, count, size=(draws, count))
    low, high = np.percentile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [2.5, 97.5])
    flips = random.choice(np.array([-1.0, 1.0]), size=(draws, count))
    observed = abs(float(sums.sum()))
    extreme = int((np.abs(flips @ sums) >= observed - 1e-12).sum())
    p = (extreme + 1) / (draws + 1)
    return Paired(float(deltas.mean()), float(low), float(high), p, len(kept))


def paired_pooled(
    a: Floats,
    b: Floats,
    groups: Sequence[Hashable],
    measure: Callable[[Floats], Mapping[str, float | None]],
    draws: int = 400,
) -> dict[str, tuple[float, float, Paired]]:
    """Measures that are not means, compared on the same items: name → (value A, value B, paired difference).

    Interval and p by a paired bootstrap over topics; p is twice the smaller share of draws beyond zero.
    """
    first, second = measure(a), measure(b)
    numbers, count = _clusters(groups)
    members = [np.flatnonzero(numbers == cluster) for cluster in range(count)]
    random = np.random.default_rng(_SEED)
    samples: dict[str, list[float]] = {name: [] for name in first}
    for _ in range(draws):
        picked = np.concatenate([members[cluster] for cluster in random.integers(0, count, size=count)])
        drawn_a, drawn_b = measure(a[picked]), measure(b[picked])
        for name in samples:
            x, y = drawn_a.get(name), drawn_b.get(name)
            if x is not None and y is not None:
                samples[name].append(y - x)
    found: dict[str, tuple[float, float, Paired]] = {}
    for name, deltas in samples.items():
        x, y = first[name], second.get(name)
        if x is None or y is None or not deltas:
            continue
        drawn = np.array(deltas)
        low, high = np.percentile(drawn, [2.5, 97.5])
        p = min(1.0, 2 * (min(int((drawn <= 0).sum()), int((drawn >= 0).sum())) + 1) / (len(drawn) + 1))
        found[name] = (x, y, Paired(y - x, float(low), float(high), p, len(a)))
    return found


# --- classification -------------------------------------------------------------------------------------------------


def precision_recall_f1(
    gold: NDArray[np.bool_], found: NDArray[np.bool_]
) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 of one class; None where the denominator is empty (nothing found, nothing there)."""
    hits = int(np.sum(gold & found))
    n_found, n_gold = int(found.sum()), int(gold.sum())
    precision = hits / n_found if n_found else None
    recall = hits / n_gold if n_gold else None
    f1 = 2 * hits / (n_found + n_gold) if n_found + n_gold else None
    return precision, recall, f1


def macro_f1(gold: NDArray[np.int64], found: NDArray[np.int64], classes: int) -> float | None:
    """Unweighted mean of F1 over the classes that occur in gold or answer."""
    return mean_of(precision_recall_f1(gold == label, found == label)[2] for label in range(classes))


def auroc(is_positive: NDArray[np.bool_], scores: Floats) -> float | None:
    """Probability that a positive outranks a negative, ties half (Mann–Whitney); None without both."""
    positives, negatives = int(is_positive.sum()), int((~is_positive).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    return float((ranks[is_positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def connected(nodes: Iterable[Node], edges: Iterable[tuple[Node, Node]]) -> dict[Node, int]:
    """node → number of its connected component."""
    parent: dict[Node, Node] = {node: node for node in nodes}

    def root(node: Node) -> Node:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in edges:
        parent[root(a)] = root(b)
    numbers: dict[Node, int] = {}
    return {node: numbers.setdefault(root(node), len(numbers)) for node in parent}


def b_cubed(gold: Mapping[Node, int], found: Mapping[Node, int]) -> dict[Node, tuple[float, float]]:
    """node → (precision, recall) of its cluster (Bagga and Baldwin 1998); their means are the measure."""
    by_gold: dict[int, set[Node]] = {}
    by_found: dict[int, set[Node]] = {}
    for node, cluster in gold.items():
        by_gold.setdefault(cluster, set()).add(node)
        by_found.setdefault(found[node], set()).add(node)
    scores: dict[Node, tuple[float, float]] = {}
    for node, cluster in gold.items():
        own, theirs = by_gold[cluster], by_found[found[node]]
        common = len(own & theirs)
        scores[node] = (common / len(theirs), common / len(own))
    return scores


# --- language -------------------------------------------------------------------------------------------------------

_VOWELS = re.compile(r"[aeiouy]+")


def _syllables(word: str) -> int:
    """Groups of vowels, a silent final e left out; at least one. Numbers count as one."""
    word = word.lower()
    groups = len(_VOWELS.findall(word))
    if word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1:
        groups -= 1
    return max(1, groups)


def grade_level(text: str) -> float | None:
    """Flesch–Kincaid grade (Kincaid et al. 1975) of plain text; None without words."""
    sentences = max(1, len(re.findall(r"[.!?]+(?=\s|$)", text)))
    words = re.findall(r"[A-Za-z0-9]+(?:['’.-][A-Za-z0-9]+)*", text)
    if not words:
        return None
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59
