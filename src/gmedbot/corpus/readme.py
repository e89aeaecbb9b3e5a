"""``corpus/README.md``: what the corpus holds, by kind, evidence, topic and year, made from the front matters.

Generated, never edited: ``gmedbot corpus check`` fails while the file differs from what the sources say.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gmedbot.corpus.sources import EVIDENCE, KINDS, TOPICS, read_corpus
from gmedbot.errors import StorageError
from gmedbot.types import Source

__all__ = ["render_readme", "stale_readme", "write_readme"]

_MARK = "<!-- made by `gmedbot corpus readme`; do not edit -->"
_EVIDENCE_WORDS: Mapping[str, str] = {
    "synthesis": "systematic reviews and meta-analyses",
    "trial": "randomised trials",
    "study": "own data of any other design",
    "expert": "textbooks, reviews, guidelines, edited reference pages, protocols",
    "lay": "unsourced and popular pages",
}


def render_readme(sources: Iterable[Source]) -> str:
    """The page for these sources. The same sources give the same text, whatever their order."""
    rows = sorted(sources, key=lambda source: source.source_id)
    copies = sum(source.lineage is not None for source in rows)
    full = sum(source.is_full_text for source in rows)
    years = [source.year for source in rows if source.year is not None]
    parts = [
        _MARK,
        "# The corpus",
        f"{len(rows)} sources"
        + (f", published {min(years)}–{max(years)}" if years else "")
        + f"; {copies} repeat another source (`lineage`) and have no vote of their own"
        + (f"; {full} hold a page's full text" if full else "")
        + ". One Markdown file a source: front matter, then one claim a sentence in our own words. "
        "How a digest is written: `docs/corpus.md`.",
        "Terms are in `vocabulary/`, red flags in `safety.yaml`, maintainers' judgements on pairs of claims in "
        "`reviews.yaml`, what learners ask in `questions/`, what they ask about disputes in `disputes.yaml`, "
        "statements in plain words in `plain/` (where present).",
        "## By evidence",
        _table(
            ["evidence", "sources", "what it is"],
            [
                (name, n, _EVIDENCE_WORDS.get(name, ""))
                for name, n in _counted(EVIDENCE[::-1], [s.evidence for s in rows])
            ],
        ),
        "## By kind",
        _table(["kind", "sources"], _counted(KINDS, [source.kind for source in rows])),
        "## By topic",
        "A source may have several.",
        _table(["topic", "sources"], _counted(TOPICS, [topic for source in rows for topic in source.topics])),
        "## By year",
        _table(["years", "sources"], _by_years(rows)),
    ]
    return "\n\n".join(parts) + "\n"


def stale_readme(folder: Path, sources: Iterable[Source]) -> str:
    """Why README.md of a corpus is not up to date; "" if it is, or if there is none of ours to keep."""
    path = folder / "README.md"
    try:
        found = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    if not found.startswith(_MARK) or found == render_readme(sources):
        return ""
    return "does not fit the sources; run: gmedbot corpus readme"


def write_readme(folder: Path) -> Path:
    """Write README.md anew, whole or not at all.

    Raises: CorpusError if a source cannot be read; StorageError if the folder refuses, or if a README is not ours.
    """
    text = render_readme(document.source for document in read_corpus(folder))
    path = folder / "README.md"
    if path.exists() and not path.read_text("utf-8", errors="replace").startswith(_MARK):
        raise StorageError(
            f"{path} must be a generated page.", "it was written by hand", "move it away, then run again"
        )
    fresh = folder / f".README-{os.getpid()}"
    try:
        fresh.write_text(text, "utf-8")
        os.replace(fresh, path)
    except OSError as error:
        raise StorageError(f"Writing {path} must be possible.", error.strerror or str(error)) from error
    return path


def _counted(order: Iterable[str], values: Iterable[str]) -> list[tuple[str, int]]:
    counts = Counter(values)
    return [(name, counts[name]) for name in order if counts[name]]


def _by_years(rows: Sequence[Source]) -> list[tuple[str, int]]:
    """Up to 1980 in one line, then by five years; undated last."""
    bins: Counter[tuple[int, str]] = Counter()
    for source in rows:
        if source.year is None:
            bins[(9999, "undated")] += 1
        elif source.year < 1980:
            bins[(0, "before 1980")] += 1
        else:
            first = source.year // 5 * 5
            bins[(first, f"{first}–{first + 4}")] += 1
    return [(name, count) for (_, name), count in sorted(bins.items())]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)
