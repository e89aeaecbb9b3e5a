"""Which statements of a large corpus are compared: one for each wording, with the wordings nearest to it.

In a small corpus every pair that shares a block is looked at (see ``ledger``). In one of twenty thousand documents the same
thing is said thousands of times, and that would be hundreds of millions of pairs. Here statements of the same words and
frame are one wording, which one of them speaks for, and a wording is compared with the few nearest that share a block.
Neighbours are looked for among the nearest cells only, so that the work grows with n√n at most and no n × n table exists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gmedbot.types import Claim

__all__ = ["nearest_rows", "wording_pairs"]

#: Nearest wordings that are looked at, and how many of those that share a block are compared.
_LOOKED_AT, _COMPARED = 48, 8
_CELL = 256  #: wordings of a cell, on average
_CELLS = 8  #: nearest cells that are searched
_ROWS = 512  #: wordings searched at once
Vectors = NDArray[np.float32]
Keys = Callable[[Claim], set[tuple[str, str]]]
Told = Callable[[int, int], None]


def wording_pairs(
    claims: Sequence[Claim], keys: Keys, vectors: Vectors, near: float, told: Told | None = None
) -> Iterator[tuple[int, int]]:
    """Rows (i < j) of claims of different sources to compare, each pair once.

    Args: keys: the blocks of a claim. vectors: (n_claims, dim) unit rows. near: least cosine.
    Yields: each claim with the one that speaks for its wording, then wordings with their nearest.
    """
    wordings = _wordings(claims)
    for rows in wordings:
        yield from _same(rows, claims)
    speakers = np.asarray([rows[0] for rows in wordings])
    blocks = _numbered([keys(claims[row]) for row in speakers.tolist()])
    seen: set[int] = set()
    for place, others in nearest_rows(vectors[speakers], _LOOKED_AT, near, told):
        met = 0
        for other in others:
            if blocks[place].isdisjoint(blocks[other]):
                continue
            pair = _of_two_sources(wordings[place], wordings[other], claims)
            if pair is None:
                continue
            code = min(place, other) * len(wordings) + max(place, other)
            if code not in seen:
                seen.add(code)
                yield pair
            met += 1
            if met == _COMPARED:
                break


def _wordings(claims: Sequence[Claim]) -> list[list[int]]:
    """Rows of the claims of the same text and frame, in the order of the claims."""
    found: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        found[claim.text, claim.frame].append(row)
    return list(found.values())


def _same(rows: Sequence[int], claims: Sequence[Claim]) -> Iterator[tuple[int, int]]:
    """The claims of a wording with the first that is of another source."""
    first = rows[0]
    second = next((row for row in rows if claims[row].source_id != claims[first].source_id), None)
    if second is None:
        return
    for row in rows[1:]:
        other = first if claims[row].source_id != claims[first].source_id else second
        yield (row, other) if row < other else (other, row)


def _of_two_sources(left: Sequence[int], right: Sequence[int], claims: Sequence[Claim]) -> tuple[int, int] | None:
    """The first claims of two wordings that are of different sources; None if one source says all of it."""
    for i in left[:2]:
        for j in right[:2]:
            if claims[i].source_id != claims[j].source_id:
                return (i, j) if i < j else (j, i)
    return None


def _numbered(keys: Sequence[set[tuple[str, str]]]) -> list[frozenset[int]]:
    """Sets of numbers in place of sets of names; equal ones are one object."""
    number: dict[tuple[str, str], int] = {}
    known: dict[frozenset[int], frozenset[int]] = {}
    found = []
    for own in keys:
        numbers = frozenset(number.setdefault(key, len(number)) for key in own)
        found.append(known.setdefault(numbers, numbers))
    return found


def nearest_rows(vectors: Vectors, k: int, least: float, told: Told | None = None) -> Iterator[tuple[int, list[int]]]:
    """(row, up to ``k`` other rows of a cosine of ``least`` or more, nearest first), for every row that has any.

    Args: vectors: (n, dim) unit rows. told: rows done, of how many.
    """
    n = len(vectors)
    if not n:
        return
    cells = max(1, n // _CELL)
    centres = vectors[np.linspace(0, n - 1, cells).astype(np.int64)]
    home = np.concatenate([(vectors[at : at + 4096] @ centres.T).argmax(axis=1) for at in range(0, n, 4096)])
    order = np.argsort(home, kind="stable")
    starts = np.searchsorted(home[order], np.arange(cells + 1))
    done = 0
    for cell in range(cells):
        own = order[starts[cell] : starts[cell + 1]]
        if not len(own):
            continue
        around = np.sort(np.argsort(-(centres @ centres[cell]), kind="stable")[:_CELLS])
        pool = np.sort(np.concatenate([order[starts[near] : starts[near + 1]] for near in around]))
        held = vectors[pool]
        for at in range(0, len(own), _ROWS):
            part = own[at : at + _ROWS]
            yield from _best(part, pool, vectors[part] @ held.T, k, least)
        done += len(own)
        if told is not None:
            told(done, n)


def _best(
    rows: NDArray[np.int64], pool: NDArray[np.int64], scores: Vectors, k: int, least: float
) -> Iterator[tuple[int, list[int]]]:
    width = min(k + 1, len(pool))
    places = np.argpartition(-scores, width - 1, axis=1)[:, :width]
    for row, near, own in zip(rows.tolist(), places, np.take_along_axis(scores, places, axis=1), strict=True):
        kept = np.lexsort((pool[near], -own))
        others = [int(pool[near[place]]) for place in kept if own[place] >= least]
        others = [other for other in others if other != row][:k]
        if others:
            yield row, others
