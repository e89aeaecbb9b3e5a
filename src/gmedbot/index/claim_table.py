"""The claims of a build as columns: what links a claim to its passage, source, finding, attribute and keys.

``claims.jsonl`` holds what a claim says; these arrays hold what is asked of all claims at once (which state a nerve
supply, how rare is a word, whose are they), so that no question has to parse them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.keys import claim_keys
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.errors import IndexDamagedError
from gmedbot.index.rows import load_array
from gmedbot.types import Claim, Finding, Passage

__all__ = ["ClaimTable", "KeyRows", "write_claim_table"]

Rows = NDArray[np.int32]
_COLUMNS = ("passage", "source", "finding", "attribute", "key", "key_start")


def write_claim_table(
    folder: Path,
    claims: Sequence[Claim],
    passages: Sequence[Passage],
    source_ids: Sequence[str],
    findings: Sequence[Finding],
    vocabulary: Vocabulary,
) -> None:
    """Write ``claims.<column>.npy`` and ``claims.names.json``. Rows are the places in the sequences given."""
    passage_row = {passage.passage_id: row for row, passage in enumerate(passages)}
    source_row = {name: row for row, name in enumerate(source_ids)}
    finding_row = {claim_id: row for row, finding in enumerate(findings) for claim_id in finding.supporters}
    keys = [sorted(claim_keys(claim, vocabulary)) for claim in claims]
    key_names = sorted({key for own in keys for key in own})
    key_number = {name: number for number, name in enumerate(key_names)}
    attributes = sorted({claim.frame.attribute for claim in claims if claim.frame.attribute})
    attribute_number = {name: number for number, name in enumerate(attributes)}
    columns = {
        "passage": [passage_row[claim.passage_id] for claim in claims],
        "source": [source_row[claim.source_id] for claim in claims],
        "finding": [finding_row[claim.claim_id] for claim in claims],
        "attribute": [attribute_number.get(claim.frame.attribute, -1) for claim in claims],
        "key": [key_number[key] for own in keys for key in own],
        "key_start": np.cumsum([0, *map(len, keys)]),
    }
    for name, values in columns.items():
        np.save(folder / f"claims.{name}.npy", np.asarray(values, dtype=np.int32))
    names = {"keys": key_names, "attributes": attributes, "themes": _themes(claims)}
    (folder / "claims.names.json").write_text(json.dumps(names, ensure_ascii=False), "utf-8")


def _themes(claims: Sequence[Claim]) -> list[tuple[str, str]]:
    """(attribute, subject) pairs that two or more sources open a statement with: they make good questions."""
    found: dict[tuple[str, str], set[str]] = {}
    for claim in claims:
        if claim.frame.terms:
            found.setdefault((claim.frame.attribute, claim.frame.terms[0]), set()).add(claim.source_id)
    return sorted(theme for theme, sources in found.items() if len(sources) >= 2)


class _Groups(Sequence[tuple[int, ...]]):
    """value → the places where a column holds it, ascending."""

    def __init__(self, column: Rows) -> None:
        self._order = np.argsort(column, kind="stable")
        values = np.asarray(column)[self._order]
        self._starts = np.searchsorted(values, np.arange(int(values[-1]) + 2 if len(values) else 1))

    def __getitem__(self, value: Any) -> Any:
        return tuple(self.of(value).tolist())

    def of(self, value: int) -> NDArray[np.int64]:
        """The places of a value, ascending; none for one that the column does not hold."""
        is_held = 0 <= value < len(self)
        places: NDArray[np.int64] = (
            self._order[self._starts[value] : self._starts[value + 1]] if is_held else self._order[:0]
        )
        return places

    def __len__(self) -> int:
        return len(self._starts) - 1


class KeyRows:
    """key → the rows that have it, from each row's keys as one flat column."""

    def __init__(self, names: Sequence[str], column: Rows, starts: Rows) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}
        self._groups = _Groups(column)
        self._starts = starts

    def of(self, key: str) -> NDArray[np.int64]:
        """Rows, ascending."""
        number = self._numbers.get(key)
        if number is None:
            return np.zeros(0, dtype=np.int64)
        return np.searchsorted(self._starts, self._groups.of(number), side="right") - 1


class ClaimTable:
    """The columns of one build, memory-mapped; rows are those of ``claims.jsonl``."""

    def __init__(self, folder: Path) -> None:
        self._columns: dict[str, NDArray[Any]] = {name: load_array(folder / f"claims.{name}.npy") for name in _COLUMNS}
        try:
            names = json.loads((folder / "claims.names.json").read_text("utf-8"))
            self._key_names: list[str] = names["keys"]
            self._attributes: list[str] = names["attributes"]
            #: (attribute, subject) pairs that two or more sources open a statement with
            self.themes = frozenset((attribute, subject) for attribute, subject in names["themes"])
        except (OSError, ValueError, KeyError) as error:
            raise IndexDamagedError("claims.names.json must be readable.", str(error), "gmedbot index build") from error

    @property
    def finding(self) -> Rows:
        """(n_claims,) row of each claim's finding."""
        return self._columns["finding"]

    @cached_property
    def by_passage(self) -> Sequence[tuple[int, ...]]:
        """passage row → rows of its claims, in text order."""
        return _Groups(self._columns["passage"])

    def of_attribute(self, attribute: str) -> tuple[int, ...]:
        """Rows of the claims whose first attribute this is, ascending."""
        if attribute not in self._attributes:
            return ()
        number = self._attributes.index(attribute)
        return tuple(np.flatnonzero(self._columns["attribute"] == number).tolist())

    @cached_property
    def sources_of_attribute(self) -> Mapping[str, int]:
        """attribute → how many sources speak of it."""
        attribute, source = self._columns["attribute"], self._columns["source"]
        pairs = np.unique(np.stack([attribute, source]), axis=1)[0]
        counts = np.bincount(pairs[pairs >= 0], minlength=len(self._attributes))
        return dict(zip(self._attributes, counts.tolist(), strict=True))

    def keys(self, row: int) -> frozenset[str]:
        """The keys of one claim (see ``claims.keys``)."""
        start = self._columns["key_start"]
        return frozenset(self._key_names[number] for number in self._columns["key"][start[row] : start[row + 1]])

    @cached_property
    def rows_of(self) -> KeyRows:
        """The claims that have a key."""
        return KeyRows(self._key_names, self._columns["key"], self._columns["key_start"])

    @cached_property
    def key_counts(self) -> Mapping[str, int]:
        """key → how many claims have it."""
        counts = np.bincount(self._columns["key"], minlength=len(self._key_names))
        return dict(zip(self._key_names, counts.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._columns["passage"])
