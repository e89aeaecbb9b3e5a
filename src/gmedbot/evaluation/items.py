"""What an area hands back: one item a gold line, with its values per system, and how to sum them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.evaluation.measures import Estimate, bootstrap_mean, bootstrap_pooled

__all__ = ["PRODUCT", "AreaResult", "Item", "Pooled", "Values"]

#: The name of the system under test; the baselines go by their own.
PRODUCT = "gmedbot"
#: measure → value; None is "not applicable" and leaves the mean.
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Item:
    """One gold line, measured. ``detail`` is what a person needs to see why: question, answer, what was missing."""

    id: str
    split: str
    topic: str
    values: Mapping[str, Values]  #: system → measure → value
    facets: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pooled:
    """Measures over all items at once (F1, AUROC). ``rows`` (n_items, columns) of one system."""

    rows: Callable[[Sequence[Item], str], NDArray[np.float64]]
    measure: Callable[[NDArray[np.float64]], Mapping[str, float | None]]


@dataclass(frozen=True)
class AreaResult:
    """All items of an area. ``extra`` holds facts that belong to the area as a whole (a confusion matrix)."""

    area: str
    items: tuple[Item, ...]
    pooled: Pooled | None = None
    run_files: Mapping[str, Mapping[str, Sequence[tuple[str, float]]]] = field(default_factory=dict)
    qrels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def systems(self) -> tuple[str, ...]:
        """Systems in the order in which they first appear; the product first."""
        names = dict.fromkeys(name for item in self.items for name in item.values)
        return tuple(sorted(names, key=lambda name: name != PRODUCT))

    def estimates(self, split: str) -> dict[str, dict[str, Estimate]]:
        """system → measure → estimate over one split ("all" for both)."""
        items = [item for item in self.items if split == "all" or item.split in (split, "both")]
        return {system: self._of_system(items, system) for system in self.systems()}

    def _of_system(self, items: Sequence[Item], system: str) -> dict[str, Estimate]:
        names = dict.fromkeys(name for item in items for name in item.values.get(system, {}))
        topics = [item.topic for item in items]
        found = {
            name: bootstrap_mean([item.values.get(system, {}).get(name) for item in items], topics) for name in names
        }
        if self.pooled is not None:
            own = [item for item in items if system in item.values]
            rows = self.pooled.rows(own, system)
            found |= bootstrap_pooled(rows, [item.topic for item in own], self.pooled.measure)
        return found

    def by_facet(self, facet: str, measure: str, split: str = "all", system: str = PRODUCT) -> dict[str, Estimate]:
        """value of the facet → estimate of one measure, most items first."""
        groups: dict[str, list[Item]] = {}
        for item in self.items:
            if facet in item.facets and (split == "all" or item.split in (split, "both")):
                groups.setdefault(item.facets[facet], []).append(item)
        found = {
            name: bootstrap_mean(
                [item.values.get(system, {}).get(measure) for item in own], [item.topic for item in own]
            )
            for name, own in groups.items()
        }
        return dict(sorted(found.items(), key=lambda pair: (-pair[1].n, pair[0])))
