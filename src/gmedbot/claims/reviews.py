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

from gmedbot.errors import CorpusError, FileFinding, StorageError
from gmedbot.types import Claim, Relation

__all__ = ["Review", "Reviews", "load_reviews", "save_review", "text_hash"]

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
    from filelock import FileLock, Timeout

    fix = f"make {path.parent} writable, or free space there; {path.name} is unchanged"
    try:
        path.parent.stat()  # FileLock would make a folder that is not there
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS):
            check(load_reviews(path))
            text = path.read_text("utf-8") if path.is_file() else ""
            _swap(path, _with_row(text, review))
    except Timeout as error:
        raise StorageError(
            f"{path.name} must be free to be written.", "another program holds it", "try again"
        ) from error
    except OSError as error:
        raise StorageError(f"{path.name} must be writable.", error.strerror or str(error), fix) from error


def _with_row(text: str, review: Review) -> str:
    """The text of the file with the review in its place: sorted by ids, disputes and groups first, in their order."""
    rows: list[dict[str, Any]] = _load(text) or []
    head, parts, tail = _parts(text)
    comments = "".join(f"{line}\n" for line in text.split("\n") if line.startswith("#"))
    if _each(parts) != [[row] for row in rows]:  # written in a way that cannot be cut up
        head, parts, tail = comments, [_dump(row) for row in rows], ""
    known = {field.name for field in fields(Review)}
    fresh = {key: value for key, value in asdict(review).items() if value not in (None, "") and key != "rank"}
    kept, above = [], ""
    for row, part in zip(rows, parts, strict=True):
        if {row.get("a"), row.get("b")} == {review.a, review.b}:
            above = part[: _ROW.search(part).start()]  # type: ignore[union-attr]
            fresh |= {key: value for key, value in row.items() if key not in known}
        else:
            kept.append((row, part))
    kept.append((fresh, above + _dump(fresh)))
    kept.sort(key=lambda pair: (pair[0].get("a", ""), pair[0].get("b", "")))
    texts = (head, *(part for _, part in kept), tail)
    made = "".join(part if part.endswith("\n") else f"{part}\n" for part in texts if part)
    wanted = [row for row, _ in kept]
    return made if _load(made) == wanted else comments + "".join(map(_dump, wanted))


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
