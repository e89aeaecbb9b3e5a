"""Maintainers overrule the program: ``corpus/reviews.yaml`` holds accepted, rejected and explained relations.

A review is bound to two claims by id and by a hash of their texts. When a text changes the review no longer speaks
of what it judged: it is set aside and reported as stale, never applied silently.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gmedbot.errors import CorpusError, FileFinding
from gmedbot.types import Claim, Relation

__all__ = ["Review", "Reviews", "load_reviews", "save_review", "text_hash"]

_LABELS = ("agree", "conflict", "different")


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


class Reviews:
    """All reviews of a corpus."""

    def __init__(self, reviews: Sequence[Review] = ()) -> None:
        self._by_pair: Mapping[tuple[str, str], Review] = {(review.a, review.b): review for review in reviews}

    def __len__(self) -> int:
        return len(self._by_pair)

    def find(self, a: str, b: str) -> Review | None:
        return self._by_pair.get((min(a, b), max(a, b)))

    def apply(self, relation: Relation, first: Claim, second: Claim) -> Relation:
        """The relation as the maintainer judged it, or unchanged if there is no review of these very texts."""
        review = self._by_pair.get((relation.a, relation.b))
        if review is None or (review.hash_a, review.hash_b) != (text_hash(first.text), text_hash(second.text)):
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
            or text_hash(claims[review.a].text) != review.hash_a
            or text_hash(claims[review.b].text) != review.hash_b
        )


def load_reviews(path: Path) -> Reviews:
    """Read the reviews; no file is no reviews. Raises: CorpusError if the file is not what it should be."""
    if not path.is_file():
        return Reviews()
    import yaml

    try:
        rows = yaml.safe_load(path.read_text("utf-8")) or []
        reviews = [_review(row) for row in rows]
    except (yaml.YAMLError, OSError, KeyError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{path.name} must be a list of reviews.", [FileFinding(path.name, 0, "reviews", str(error))]
        ) from error
    return Reviews(reviews)


def _review(row: Mapping[str, Any]) -> Review:
    if row["label"] not in _LABELS:
        raise ValueError(f"label {row['label']!r} is not one of {', '.join(_LABELS)}")
    review = Review(
        row["a"], row["b"], row["hash_a"], row["hash_b"], row["label"], row.get("note") or "", row.get("type")
    )
    if review.a < review.b:
        return review
    return replace(review, a=review.b, b=review.a, hash_a=review.hash_b, hash_b=review.hash_a)


def save_review(path: Path, review: Review) -> None:
    """Add or replace one review; the file is written whole beside the old one and swapped, so it is never half."""
    import yaml

    rows: list[dict[str, Any]] = []
    if path.is_file():
        rows = [
            row
            for row in yaml.safe_load(path.read_text("utf-8")) or []
            if {row.get("a"), row.get("b")} != {review.a, review.b}
        ]
    rows.append({key: value for key, value in review.__dict__.items() if value not in (None, "")})
    rows.sort(key=lambda row: (row["a"], row["b"]))
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(yaml.safe_dump(rows, sort_keys=False, allow_unicode=True), "utf-8")
    os.replace(fresh, path)
