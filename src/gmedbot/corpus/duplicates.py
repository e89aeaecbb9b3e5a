"""Which texts repeat one another: whole copies, edited copies and copied stretches, with the share that was copied.

Two nets, because each misses what the other catches. Runs of nine words shared word for word find copied stretches,
also a single paragraph inside a long page. MinHash over three-word shingles (datasketch) finds texts that were
edited throughout, so that no nine words in a row survived. Both are near-linear: no pair is compared unless a net
caught it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.types import Document, Source

__all__ = [
    "COPY_SHARE",
    "LONG_RUN",
    "SAME_SHARE",
    "Overlap",
    "find_overlaps",
    "overlaps_of",
    "propose_lineage",
    "unexplained_copies",
    "words_of",
]

#: Words in a row that two authors do not hit upon by chance; the project's own rule for digests.
RUN = 9
#: A text of which this share stands in another is a copy of it: it gets that text's lineage, not a vote of its own.
COPY_SHARE = 0.5
#: From this share on, both ways, the texts are the same text.
SAME_SHARE = 0.95
#: Jaccard similarity of three-word shingles above which a text counts as an edited copy. Measured: pages on the same
#: subject by different authors stay below 0.1, a page with every eighth word changed has about 0.5.
EDITED = 0.3
_SHINGLE = 3
_PERMUTATIONS = 64
#: A run that stands in more texts than this is boilerplate (a licence line) and says nothing about who copied whom.
_BOILERPLATE = 30
#: Words in a row that a person should look at, though the rest differs.
LONG_RUN = 20
#: Of more texts than this a share of all runs is looked at: copies share hundreds, and stock phrases would be millions.
_MANY, _ONE_IN = 1000, 8
#: Of 64 numbers of two sketches so many are alike in all but one of a hundred pairs of edited texts (0.3 ± 0.06 of them).
_ALIKE = 10
_BREAK = "\x1e"  #: stands for a line end that no run may cross
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
Hashes = NDArray[np.uint64]
#: (done, total) → None
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Overlap:
    """What two texts share. ``share_a``: part of a's words that stands in runs shared with b; 0 to 1."""

    a: str
    b: str
    share_a: float
    share_b: float
    similarity: float
    longest: int  #: words in the longest shared run
    sample: str  #: the beginning of that run
    start: int  #: where it begins in a's text

    @property
    def is_same(self) -> bool:
        return min(self.share_a, self.share_b) >= SAME_SHARE

    @property
    def is_copy(self) -> bool:
        """Most of one of the two stands in the other, or they are edits of one text."""
        return max(self.share_a, self.share_b) >= COPY_SHARE or self.similarity >= EDITED


def words_of(text: str) -> list[tuple[str, int, int]]:
    """Lower-case words of a text with their offsets; heading marks, list marks and punctuation left out."""
    return [(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]


def find_overlaps(texts: Mapping[str, str], told: Told | None = None, is_thorough: bool = True) -> tuple[Overlap, ...]:
    """Every pair of texts with a shared run or of one edited text, largest share first.

    Args: texts: id → text. told: steps done, of how many: each text twice, then each pair that a net caught.
        is_thorough: False leaves out what nobody need look at: pairs that share less than a thirtieth of the shorter text
        and less than ``LONG_RUN`` words; of more than a thousand texts an eighth of all runs is looked at.
    """
    names, steps = sorted(texts), 2 * len(texts)
    tell: Told = told or (lambda done, total: None)
    hashed: dict[str, _Hashed] = {}
    for number, name in enumerate(names, start=1):
        hashed[name] = _hash_text(texts[name])
        tell(number, steps)
    one_in = _ONE_IN if len(names) > _MANY and not is_thorough else 1
    pairs = set(_pairs_by_runs(names, hashed, one_in, is_thorough))
    pairs.update(_pairs_by_minhash(names, hashed, one_in > 1, lambda done: tell(len(names) + done, steps)))
    found: list[Overlap] = []
    for number, (a, b) in enumerate(sorted(pairs), start=1):
        overlap = _compare(a, b, texts[a], hashed[a], hashed[b])
        if overlap is not None:
            found.append(overlap)
        tell(steps + number, steps + len(pairs))
    return tuple(sorted(found, key=_size))


def overlaps_of(name: str, text: str, texts: Mapping[str, str]) -> tuple[Overlap, ...]:
    """What one new text shares with each of ``texts``, largest share first; ``a`` is the new text."""
    own = _hash_text(text)
    found = (_compare(name, other, text, own, _hash_text(texts[other])) for other in sorted(texts) if other != name)
    return tuple(sorted((overlap for overlap in found if overlap is not None), key=_size))


def propose_lineage(overlap: Overlap, sources: Mapping[str, Source]) -> tuple[str, str] | None:
    """(copy, origin) for a pair that is a copy, None if it is too little or the sources already say so.

    The one of which more was copied is the copy; equal shares go by year, then by the length of what is known.
    """
    first, second = sources[overlap.a], sources[overlap.b]
    if not overlap.is_copy or _root(first, sources) == _root(second, sources):
        return None
    years = (first.year or 9999, second.year or 9999)
    if abs(overlap.share_a - overlap.share_b) > 0.15:
        is_first = overlap.share_a > overlap.share_b
    elif years[0] != years[1]:
        is_first = years[0] > years[1]
    else:
        is_first = True
    return (overlap.a, overlap.b) if is_first else (overlap.b, overlap.a)


def document_texts(documents: Iterable[Document]) -> dict[str, str]:
    """id → text for comparison, offsets kept: without heading lines, which digests share by design, and with sentences
    of digests set apart, because two short plain sentences in a row are no copied run."""
    return {
        document.source.source_id: _comparable(document.text, is_digest=not document.source.is_full_text)
        for document in documents
    }


def _comparable(text: str, is_digest: bool) -> str:
    plain = re.sub(r"(?m)^#.*$", lambda match: " " * len(match.group()), text)
    return plain.replace("\n", _BREAK) if is_digest else plain


def _root(source: Source, sources: Mapping[str, Source]) -> str:
    seen: set[str] = set()
    while source.lineage is not None and source.lineage in sources and source.source_id not in seen:
        seen.add(source.source_id)
        source = sources[source.lineage]
    return min(seen | {source.source_id}) if source.source_id in seen else source.source_id


def _size(overlap: Overlap) -> tuple[float, float, str, str]:
    return (-max(overlap.share_a, overlap.share_b), -overlap.similarity, overlap.a, overlap.b)


@dataclass(frozen=True)
class _Hashed:
    """A text as numbers: one per word, and one per run of ``RUN`` words, 0 where a run would cross a break."""

    words: Hashes
    runs: Hashes
    spans: NDArray[np.int32]  #: (n_words, 2) where each word begins and ends

    @cached_property
    def shingles(self) -> Hashes:
        """Distinct runs of three words, ascending."""
        return np.unique(_grams(self.words, _SHINGLE))


def _hash_text(text: str) -> _Hashed:
    """The same numbers on every machine and in every run."""
    words = words_of(text)
    hashes = np.fromiter(
        ((zlib.crc32(word.encode()) << 32) | zlib.adler32(word.encode()) for word, _, _ in words), np.uint64, len(words)
    )
    spans = np.array([span for _, *span in words], np.int32).reshape(-1, 2)
    runs = _grams(hashes, RUN)
    breaks = np.array([match.start() for match in re.finditer(_BREAK, text)], np.int64)
    if len(breaks) and len(runs):
        part = np.searchsorted(breaks, spans[:, 0])
        runs[part[: len(runs)] != part[RUN - 1 :]] = 0
    return _Hashed(hashes, runs, spans)


def _grams(hashes: Hashes, size: int) -> Hashes:
    """Hash of every run of ``size`` words, (n_words - size + 1,)."""
    count = len(hashes) - size + 1
    if count < 1:
        return np.empty(0, np.uint64)
    out = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for place in range(size):
            out = out * np.uint64(0x9E3779B97F4A7C15) + hashes[place : place + count]
            out ^= out >> np.uint64(29)
    return out


def _pairs_by_runs(
    names: Sequence[str], hashed: Mapping[str, _Hashed], one_in: int, is_thorough: bool
) -> Iterator[tuple[str, str]]:
    """Pairs that share runs of ``RUN`` words: all runs sorted together, equal ones stand side by side."""
    grams = [np.unique(hashed[name].runs[hashed[name].runs % np.uint64(one_in) == 0]) for name in names]
    grams = [part[part != 0] for part in grams]
    if not grams:
        return
    values = np.concatenate(grams)
    owners = np.repeat(np.arange(len(names)), [len(part) for part in grams])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    codes, counts = _counted_pairs(owners, np.flatnonzero(np.diff(values)) + 1, len(names))
    first, second = codes // max(1, len(names)), codes % max(1, len(names))
    if not is_thorough:
        lengths = np.asarray([len(hashed[name].words) for name in names], np.int64)
        shorter = np.minimum(lengths[first], lengths[second])
        # in a pair that shares so much or so long a run are three times as many; some of them may be boilerplate
        least = np.clip(shorter // (9 * RUN + 9), 1, 4) if one_in == 1 else np.full(len(codes), 2)
        kept = counts >= least
        first, second = first[kept], second[kept]
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        yield names[i], names[j]


def _counted_pairs(
    owners: NDArray[np.int64], edges: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(codes i · n + j, ascending; how many runs the two share), from the owners of equal runs, ascending in a group."""
    starts = np.concatenate([[0], edges]).astype(np.int64)
    sizes = np.diff(np.concatenate([starts, [len(owners)]]))
    codes, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for size in range(2, _BOILERPLATE + 1):
        places = starts[sizes == size]
        left, right = np.triu_indices(size, 1)
        step = max(1, 4_000_000 // len(left))
        for at in range(0, len(places), step):
            group = owners[places[at : at + step, np.newaxis] + np.arange(size)]
            fresh, own = np.unique(group[:, left] * n + group[:, right], return_counts=True)
            codes, where = np.unique(np.concatenate([codes, fresh]), return_inverse=True)
            counts = np.bincount(where, weights=np.concatenate([counts, own])).astype(np.int64)
    return codes, counts


def _pairs_by_minhash(
    names: Sequence[str], hashed: Mapping[str, _Hashed], is_estimated: bool, told: Callable[[int], None]
) -> Iterator[tuple[str, str]]:
    """Pairs of edited texts. Args: is_estimated: leave out those whose sketches are far from alike."""
    from datasketch import MinHashLSH

    lsh: Any = MinHashLSH(threshold=EDITED, num_perm=_PERMUTATIONS)
    sketches: dict[str, Any] = {}
    for number, name in enumerate(names, start=1):
        told(number)
        shingles = hashed[name].shingles
        if len(shingles) < 2 * RUN:  # too short to tell an edit from chance
            continue
        sketch = _sketch(shingles)
        for other in lsh.query(sketch):
            if not is_estimated or np.count_nonzero(sketches[other] == sketch.hashvalues) >= _ALIKE:
                yield min(name, other), max(name, other)
        lsh.insert(name, sketch)
        if is_estimated:
            sketches[name] = sketch.hashvalues


def _sketch(shingles: Hashes) -> Any:
    from datasketch import MinHash

    sketch: Any = MinHash(num_perm=_PERMUTATIONS, seed=1, hashfunc=int)
    sketch.update_batch((shingles >> np.uint64(32)).tolist())
    return sketch


def _compare(a: str, b: str, text_a: str, a_hashed: _Hashed, b_hashed: _Hashed) -> Overlap | None:
    """The exact comparison of one pair; None if they share nothing that counts."""
    runs_a, runs_b = a_hashed.runs, b_hashed.runs
    common = np.intersect1d(runs_a[runs_a != 0], runs_b[runs_b != 0])
    three_a, three_b = a_hashed.shingles, b_hashed.shingles
    shared = len(np.intersect1d(three_a, three_b, assume_unique=True))
    union = len(three_a) + len(three_b) - shared
    similarity = shared / union if union and min(len(three_a), len(three_b)) >= 2 * RUN else 0.0
    if not len(common) and similarity < EDITED:
        return None
    covered_a = _covered(runs_a, common, len(a_hashed.words))
    covered_b = _covered(runs_b, common, len(b_hashed.words))
    place, length = _longest(np.isin(runs_a, common))
    spans = a_hashed.spans
    sample = text_a[spans[place, 0] : spans[min(place + 14, place + length) - 1, 1]] if length else ""
    return Overlap(
        a,
        b,
        float(covered_a.mean()) if len(covered_a) else 0.0,
        float(covered_b.mean()) if len(covered_b) else 0.0,
        similarity,
        length,
        " ".join(sample.replace(_BREAK, " ").split()),
        int(spans[place, 0]) if length else 0,
    )


def _covered(runs: Hashes, common: Hashes, n_words: int) -> NDArray[np.bool_]:
    """Which words stand in a shared run."""
    steps = np.zeros(n_words + 1, np.int64)
    starts = np.flatnonzero(np.isin(runs, common))
    np.add.at(steps, starts, 1)
    np.add.at(steps, starts + RUN, -1)
    return np.cumsum(steps)[:n_words] > 0


def _longest(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """(first word, words) of the longest row of shared runs, the first of equal ones."""
    steps = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    if not len(starts):
        return 0, 0
    best = int((ends - starts).argmax())
    return int(starts[best]), int(ends[best] - starts[best]) + RUN - 1


def unexplained_copies(documents: Sequence[Document], told: Told | None = None) -> tuple[Overlap, ...]:
    """Copies that the lineage does not explain, for the report of a build; looked for only if a source holds a page's
    full text, because digests are written in our own words and checked by ``gmedbot corpus check``."""
    if not any(document.source.is_full_text for document in documents):
        return ()
    sources = {document.source.source_id: document.source for document in documents}
    full = {name for name, source in sources.items() if source.is_full_text}
    overlaps = find_overlaps(document_texts(documents), told, is_thorough=False)
    return tuple(o for o in overlaps if full & {o.a, o.b} and propose_lineage(o, sources) is not None)
