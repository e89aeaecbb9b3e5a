"""Which texts repeat one another: whole copies, edited copies and copied stretches, with the share that was copied.

Two nets, because each misses what the other catches. Runs of nine words shared word for word find copied stretches,
also a single paragraph inside a long page. MinHash over three-word shingles (datasketch) finds texts that were
edited throughout, so that no nine words in a row survived. Both are near-linear: no pair is compared unless a net
caught it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.types import Document, Source

__all__ = [
    "COPY_SHARE",
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
_BREAK = "\x1e"  #: stands for a line end that no run may cross
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
Hashes = NDArray[np.uint64]


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


def find_overlaps(texts: Mapping[str, str]) -> tuple[Overlap, ...]:
    """Every pair of texts with a shared run or of one edited text, largest share first. ids → texts."""
    hashed = {name: _hash_text(text) for name, text in texts.items()}
    names = sorted(texts)
    pairs = set(_pairs_by_runs(names, hashed)) | set(_pairs_by_minhash(names, hashed))
    found = (_compare(a, b, texts[a], hashed[a], hashed[b]) for a, b in sorted(pairs))
    return tuple(sorted((overlap for overlap in found if overlap is not None), key=_size))


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


def _hash_text(text: str) -> _Hashed:
    """The same numbers on every machine and in every run."""
    words = words_of(text)
    hashes = np.fromiter(
        ((zlib.crc32(word.encode()) << 32) | zlib.adler32(word.encode()) for word, _, _ in words), np.uint64, len(words)
    )
    runs = _grams(hashes, RUN)
    breaks = np.array([place for place, sign in enumerate(text) if sign == _BREAK], np.int64)
    if len(breaks) and len(runs):
        part = np.searchsorted(breaks, np.array([start for _, start, _ in words], np.int64))
        runs[part[: len(runs)] != part[RUN - 1 :]] = 0
    return _Hashed(hashes, runs)


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


def _pairs_by_runs(names: Sequence[str], hashed: Mapping[str, _Hashed]) -> Iterator[tuple[str, str]]:
    """Pairs that share a run of ``RUN`` words: all runs sorted together, equal ones stand side by side."""
    grams = [np.unique(hashed[name].runs[hashed[name].runs != 0]) for name in names]
    if not grams:
        return
    values = np.concatenate(grams)
    owners = np.repeat(np.arange(len(names)), [len(part) for part in grams])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    edges = np.flatnonzero(np.diff(values)) + 1
    for group in _groups(owners, edges):
        if 2 <= len(group) <= _BOILERPLATE:
            for place, i in enumerate(group):
                for j in group[place + 1 :]:
                    yield names[int(i)], names[int(j)]


def _groups(owners: NDArray[np.int64], edges: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The groups of two or more, found without visiting the millions of single ones."""
    starts = np.concatenate([[0], edges])
    ends = np.concatenate([edges, [len(owners)]])
    for place in np.flatnonzero(ends - starts >= 2):
        yield owners[starts[place] : ends[place]]


def _pairs_by_minhash(names: Sequence[str], hashed: Mapping[str, _Hashed]) -> Iterator[tuple[str, str]]:
    from datasketch import MinHashLSH

    lsh: Any = MinHashLSH(threshold=EDITED, num_perm=_PERMUTATIONS)
    for name in names:
        shingles = np.unique(_grams(hashed[name].words, _SHINGLE))
        if len(shingles) < 2 * RUN:  # too short to tell an edit from chance
            continue
        sketch = _sketch(shingles)
        for other in lsh.query(sketch):
            yield min(name, other), max(name, other)
        lsh.insert(name, sketch)


def _sketch(shingles: Hashes) -> Any:
    from datasketch import MinHash

    sketch: Any = MinHash(num_perm=_PERMUTATIONS, seed=1, hashfunc=int)
    sketch.update_batch((shingles >> np.uint64(32)).tolist())
    return sketch


def _compare(a: str, b: str, text_a: str, a_hashed: _Hashed, b_hashed: _Hashed) -> Overlap | None:
    """The exact comparison of one pair; None if they share nothing that counts."""
    runs_a, runs_b = a_hashed.runs, b_hashed.runs
    common = np.intersect1d(runs_a[runs_a != 0], runs_b[runs_b != 0])
    three_a, three_b = (np.unique(_grams(hashed.words, _SHINGLE)) for hashed in (a_hashed, b_hashed))
    shared = len(np.intersect1d(three_a, three_b, assume_unique=True))
    union = len(three_a) + len(three_b) - shared
    similarity = shared / union if union and min(len(three_a), len(three_b)) >= 2 * RUN else 0.0
    if not len(common) and similarity < EDITED:
        return None
    covered_a = _covered(runs_a, common, len(a_hashed.words))
    covered_b = _covered(runs_b, common, len(b_hashed.words))
    place, length = _longest(np.isin(runs_a, common))
    words = words_of(text_a)
    sample = (
        text_a.replace(_BREAK, " ")[words[place][1] : words[min(place + 14, place + length) - 1][2]] if length else ""
    )
    return Overlap(
        a,
        b,
        float(covered_a.mean()) if len(covered_a) else 0.0,
        float(covered_b.mean()) if len(covered_b) else 0.0,
        similarity,
        length,
        " ".join(sample.split()),
        words[place][1] if length else 0,
    )


def _covered(runs: Hashes, common: Hashes, n_words: int) -> NDArray[np.bool_]:
    """Which words stand in a shared run."""
    steps = np.zeros(n_words + 1, np.int64)
    starts = np.flatnonzero(np.isin(runs, common))
    np.add.at(steps, starts, 1)
    np.add.at(steps, starts + RUN, -1)
    return np.cumsum(steps)[:n_words] > 0


def _longest(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """(first word, words) of the longest row of shared runs."""
    best, start, length = (0, 0), 0, 0
    for place, flag in enumerate(flags.tolist()):
        if flag:
            if not length:
                start = place
            length += 1
            if length > best[1]:
                best = (start, length)
        else:
            length = 0
    return (best[0], best[1] + RUN - 1) if best[1] else (0, 0)


def unexplained_copies(documents: Sequence[Document]) -> tuple[Overlap, ...]:
    """Copies that the lineage does not explain, for the report of a build; looked for only if a source holds a page's
    full text, because digests are written in our own words and checked by ``gmedbot corpus check``."""
    if not any(document.source.is_full_text for document in documents):
        return ()
    sources = {document.source.source_id: document.source for document in documents}
    full = {name for name, source in sources.items() if source.is_full_text}
    overlaps = find_overlaps(document_texts(documents))
    return tuple(o for o in overlaps if full & {o.a, o.b} and propose_lineage(o, sources) is not None)
