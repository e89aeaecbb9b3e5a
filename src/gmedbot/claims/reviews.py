"""Maintainers overrule the program: ``corpus/reviews.yaml`` holds accepted, rejected and explained relations.

A row of the file judges one pair (``a``, ``b``, ``label``), a whole dispute (``sides``: claims of different sides
conflict) or a group (``same``: claims of one list say the same, claims of different lists do not). A claim's id and
the hash of its text bind the judgement to the very words: when a text changes, the review is set aside and reported
as stale, never applied silently.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

from gmedbot.errors import CorpusError, FileFinding, StorageError, UsageError
from gmedbot.settings import refuse_packaged
from gmedbot.types import Claim, Relation

__all__ = [
    "Review", "Reviews", "dispute_reasons", "load_reviews", "own_review", "save_review", "text_hash", "withdraw_review",
]  # fmt: skip

_LABELS = ("agree", "conflict", "different")

#: How long one saving waits for another; each takes milliseconds.
_LOCK_SECONDS = 10.0
_ROW = re.compile(r"^-(?=[ \n])", re.MULTILINE)
_ROW_AND_COMMENTS = re.compile(r"(?:^(?:#.*)?\n)*^-(?=[ \n])", re.MULTILINE)


def text_hash(text: str) -> str:
    """Short hash of a claim's text, to tell whether it is still the text that was reviewed."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Review:
    """One judgement of a maintainer on one pair of claims (``a`` < ``b``)."""

    a: str
    b: str
    hash_a: str
    hash_b: str
    label: str
    note: str = ""
    type: str | None = None
    rank: int = 1  #: a judgement of one pair (1) overrules that of a dispute or group (0)


class Reviews:
    """All reviews of a corpus."""

    def __init__(self, reviews: Sequence[Review] = ()) -> None:
        self._by_pair: Mapping[tuple[str, str], Review] = {(review.a, review.b): review for review in reviews}

    def __iter__(self) -> Iterator[Review]:
        return iter(self._by_pair.values())

    def __len__(self) -> int:
        return len(self._by_pair)

    def find(self, a: str, b: str) -> Review | None:
        return self._by_pair.get((min(a, b), max(a, b)))

    def apply(self, relation: Relation, first: Claim, second: Claim) -> Relation:
        """The relation as the maintainer judged it, or unchanged if there is no review of these very texts."""
        review = self._by_pair.get((relation.a, relation.b))
        if review is None or not _is_bound(review, first, second):
            return relation
        kind = (review.type or relation.type or "value") if review.label == "conflict" else None
        return replace(
            relation,
            label=review.label,  # type: ignore[arg-type]
            type=kind,
            reason=review.note or relation.reason,
            confidence=1.0,
            judged_by="review",
        )

    def stale(self, claims: Mapping[str, Claim]) -> tuple[Review, ...]:
        """Reviews whose claims are gone or read differently now."""
        return tuple(
            review
            for review in self._by_pair.values()
            if review.a not in claims
            or review.b not in claims
            or not _is_bound(review, claims[review.a], claims[review.b])
        )


def _is_bound(review: Review, first: Claim, second: Claim) -> bool:
    """True if the claims still read as they were reviewed; a row without hashes is bound by the ids alone, which
    are made of the words."""
    hashes = ((review.hash_a, first), (review.hash_b, second))
    return all(not known or known == text_hash(claim.text) for known, claim in hashes)


def load_reviews(path: Path) -> Reviews:
    """Read the reviews; no file is no reviews. Raises: CorpusError if the file is not what it should be."""
    if not path.is_file():
        return Reviews()
    import yaml

    try:
        rows = _load(path.read_text("utf-8")) or []
        reviews = sorted((review for row in rows for review in _reviews(row)), key=lambda review: review.rank)
    except (yaml.YAMLError, OSError, KeyError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{path.name} must be a list of reviews.", [FileFinding(path.name, 0, "reviews", str(error))]
        ) from error
    return Reviews(reviews)


def dispute_reasons(path: Path) -> dict[str, str]:
    """topic → note of the disputes (rows with ``sides``) that have both; relations give the note as their reason. Raises:
    as ``load_reviews``."""
    load_reviews(path)
    rows = (_load(path.read_text("utf-8")) or []) if path.is_file() else []
    return {row["topic"]: row["note"] for row in rows if "sides" in row and row.get("topic") and row.get("note")}


def _reviews(row: Mapping[str, Any]) -> Iterator[Review]:
    """The pairs that one row judges."""
    if "sides" not in row and "same" not in row:
        yield _review(row)
        return
    is_dispute = "sides" in row
    lists: list[list[str]] = row["sides" if is_dispute else "same"]
    if len(lists) < 2 - (not is_dispute) or not all(isinstance(name, str) for part in lists for name in part):
        raise ValueError("sides must be two or more lists of claim ids, same one or more")
    across = "conflict" if is_dispute else "different"
    kind = row.get("type") if is_dispute else None
    for place, part in enumerate(lists):
        for other in lists[place + 1 :]:
            for a, b in product(part, other):
                yield Review(min(a, b), max(a, b), "", "", across, row.get("note") or "", kind, 0)
        if not is_dispute:
            for a, b in combinations(part, 2):
                yield Review(min(a, b), max(a, b), "", "", "agree", row.get("note") or "", None, 0)


def _review(row: Mapping[str, Any]) -> Review:
    if row["label"] not in _LABELS:
        raise ValueError(f"label {row['label']!r} is not one of {', '.join(_LABELS)}")
    review = Review(
        row["a"], row["b"], row["hash_a"], row["hash_b"], row["label"], row.get("note") or "", row.get("type")
    )
    if review.a < review.b:
        return review
    return replace(review, a=review.b, b=review.a, hash_a=review.hash_b, hash_b=review.hash_a)


def save_review(path: Path, review: Review, check: Callable[[Reviews], None] = lambda reviews: None) -> None:
    """Add or replace one review, and leave every other row as it was written, comments included.

    The file is written whole beside the old one and swapped, so it is never half. Savings follow one another: each
    holds a lock while it reads and writes, so that none undoes another.

    Args: check: is given the reviews that are there, under the lock; what it raises keeps this one from being saved.
    Raises: CorpusError if the file is not what it should be; StorageError if the folder refuses or the lock is held.
    """
    _change(path, check, lambda text: _with_row(text, review))


def withdraw_review(path: Path, a: str, b: str, check: Callable[[Reviews], None] = lambda reviews: None) -> bool:
    """Take back what was said of one pair: its own row goes, every other row and all comments stay as written.

    A dispute (``sides``) or a group (``same``) speaks of many pairs in one row and is never changed here: that of the
    pair, if there is one, is in force again.

    Args: check: as in ``save_review``.
    Returns: whether there was such a row; without one the file is not touched.
    Raises: as ``save_review``.
    """
    found: list[bool] = []

    def change(text: str) -> str:
        made = _without_row(text, a, b)
        found.append(made != text)
        return made

    _change(path, check, change)
    return found == [True]


def own_review(reviews: Reviews, a: str, b: str) -> Review:
    """The judgement of this very pair, to be withdrawn; ids may be shortened as long as one pair fits.

    Raises: UsageError if there is none, if several fit, or if the pair is judged by a dispute or a group alone.
    """
    fitting = [
        review
        for review in reviews
        if any(review.a.startswith(x) and review.b.startswith(y) for x, y in ((a, b), (b, a)))
    ]
    exact = [review for review in fitting if {review.a, review.b} == {a, b}] or fitting
    own = [review for review in exact if review.rank]
    if len(own) == 1:
        return own[0]
    wanted = f"One judgement of the pair {a} and {b} must be there to be withdrawn."
    if own:
        raise UsageError(wanted, f"{len(own)} pairs begin so", "give the ids whole")
    if exact:
        raise UsageError(wanted, _BY_HAND, "edit the row with sides: or same: that names both, in reviews.yaml")
    raise UsageError(wanted, "nobody has judged it", "gmedbot claims conflicts --json shows the ids of pairs")


_BY_HAND = "it is judged only as part of a dispute (sides) or a group (same), which is one row for many pairs"


def _change(path: Path, check: Callable[[Reviews], None], change: Callable[[str], str]) -> None:
    """Read, check, change and swap the file under its lock; a change that changes nothing writes nothing."""
    from filelock import FileLock, Timeout

    refuse_packaged(path.parent)
    fix = f"make {path.parent} writable, or free space there; {path.name} is unchanged"
    try:
        path.parent.stat()  # FileLock would make a folder that is not there
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS):
            check(load_reviews(path))
            text = path.read_text("utf-8") if path.is_file() else ""
            made = change(text)
            if made != text:
                _swap(path, made)
    except Timeout as error:
        raise StorageError(
            f"{path.name} must be free to be written.", "another program holds it", "try again"
        ) from error
    except OSError as error:
        raise StorageError(f"{path.name} must be writable.", error.strerror or str(error), fix) from error


def _with_row(text: str, review: Review) -> str:
    """The text of the file with the review in its place: sorted by ids, disputes and groups first, in their order."""
    head, pairs, tail = _cut(text)
    known = {field.name for field in fields(Review)}
    fresh = {key: value for key, value in asdict(review).items() if value not in (None, "") and key != "rank"}
    kept, above = [], ""
    for row, part in pairs:
        if {row.get("a"), row.get("b")} == {review.a, review.b}:
            above = _comments_above(part)
            fresh |= {key: value for key, value in row.items() if key not in known}
        else:
            kept.append((row, part))
    kept.append((fresh, above + _dump(fresh)))
    kept.sort(key=lambda pair: (pair[0].get("a", ""), pair[0].get("b", "")))
    return _joined(text, head, kept, tail)


def _without_row(text: str, a: str, b: str) -> str:
    """The text without the rows of one pair; what stood above them stays where it was. The same if there is none."""
    head, pairs, tail = _cut(text)
    kept, above = [], ""
    for row, part in pairs:
        if {row.get("a"), row.get("b")} == {a, b} and "sides" not in row and "same" not in row:
            above += _comments_above(part)
        else:
            kept.append((row, above + part))
            above = ""
    return text if len(kept) == len(pairs) else _joined(text, head, kept, above + tail)


def _cut(text: str) -> tuple[str, list[tuple[dict[str, Any], str]], str]:
    """What stands above the first row, each row with its text, what follows the last."""
    rows: list[dict[str, Any]] = _load(text) or []
    head, parts, tail = _parts(text)
    if _each(parts) != [[row] for row in rows]:  # written in a way that cannot be cut up
        head, parts, tail = _all_comments(text), [_dump(row) for row in rows], ""
    return head, list(zip(rows, parts, strict=True)), tail


def _joined(text: str, head: str, kept: Sequence[tuple[dict[str, Any], str]], tail: str) -> str:
    """The file put together again, written plainly if it would not read back as the rows that it is to hold."""
    texts = (head, *(part for _, part in kept), tail)
    made = "".join(part if part.endswith("\n") else f"{part}\n" for part in texts if part)
    wanted = [row for row, _ in kept]
    return made if (_load(made) or []) == wanted else _all_comments(text) + "".join(map(_dump, wanted))


def _comments_above(part: str) -> str:
    """The lines of a row's text that stand above the row itself."""
    match = _ROW.search(part)
    return part[: match.start()] if match is not None else ""


def _all_comments(text: str) -> str:
    return "".join(f"{line}\n" for line in text.split("\n") if line.startswith("#"))


def _parts(text: str) -> tuple[str, list[str], str]:
    """What stands above the first row, the text of each row with the comments above it, and what follows the last."""
    starts = [match.start() for match in _ROW_AND_COMMENTS.finditer(text)]
    first = _ROW.search(text)
    if first is None:
        return text, [], ""
    starts[0] = first.start()
    end = len(text)
    for line in reversed(text.splitlines(keepends=True)):
        if line.strip() and not line.startswith("#"):
            break
        end -= len(line)
    return text[: starts[0]], [text[a:b] for a, b in zip(starts, [*starts[1:], end], strict=True)], text[end:]


def _each(parts: Sequence[str]) -> list[Any] | None:
    """Each part read for itself; None if one cannot be, such as one that needs an anchor of another."""
    import yaml

    try:
        return [_load(part) for part in parts]
    except yaml.YAMLError:
        return None


def _load(text: str) -> Any:
    """YAML as ``safe_load`` reads it, by libyaml where there is one: ten times as quick."""
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _dump(row: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump([dict(row)], sort_keys=False, allow_unicode=True, width=120))


def _swap(path: Path, text: str) -> None:
    """Write the file beside the old one, down to the disk, and put it in its place."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
