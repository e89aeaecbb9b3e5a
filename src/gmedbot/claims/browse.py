"""Reading the claims of a built index: lists, one claim whole, conflicts, and the review of unsure relations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gmedbot.claims.reviews import (
    Review,
    Reviews,
    load_reviews,
    own_review,
    save_review,
    text_hash,
    withdraw_review,
)
from gmedbot.errors import UsageError
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.settings import Settings, refuse_packaged
from gmedbot.types import Claim, Relation

__all__ = ["list_claims", "list_conflicts", "render_claim", "review_relations", "show_claim", "withdraw_judgement"]


def _open(settings: Settings) -> BuiltIndex:
    return BuiltIndex(Store(settings.index))


def list_claims(settings: Settings, attribute: str | None, source: str | None) -> list[dict[str, Any]]:
    """Claims as rows, filtered by attribute and source, in the order of the sources.

    Raises: UsageError for a source that the index does not hold.
    """
    index = _open(settings)
    if source is not None and source not in index.sources:
        raise UsageError(f"Source {source} must be in the index.", "it is not", "gmedbot corpus list")
    return [
        {
            "id": claim.claim_id,
            "source": claim.source_id,
            "attribute": claim.frame.attribute,
            "subjects": sorted(claim.frame.subjects),
            "status": index.finding_of_claim[claim.claim_id].status,
            "text": claim.text,
        }
        for claim in index.claims
        if (attribute is None or attribute in claim.frame.attributes) and (source is None or source == claim.source_id)
    ]


def _find(index: BuiltIndex, claim_id: str) -> Claim:
    hits = [claim for claim in index.claims if claim.claim_id.startswith(claim_id)]
    exact = [claim for claim in hits if claim.claim_id == claim_id] or hits
    if len(exact) != 1:
        found = "none" if not exact else f"{len(exact)} claims begin so"
        raise UsageError(f"One claim must have the id {claim_id}.", found, "gmedbot claims list")
    return exact[0]


def show_claim(settings: Settings, claim_id: str) -> dict[str, Any]:
    """One claim with its frame, its finding, and every relation it takes part in. An id may be shortened."""
    index = _open(settings)
    claim = _find(index, claim_id)
    finding = index.finding_of_claim[claim.claim_id]
    frame = claim.frame
    related = [relation for relation in index.relations.values() if claim.claim_id in (relation.a, relation.b)]
    return {
        "id": claim.claim_id,
        "source": claim.source_id,
        "heading": list(claim.heading),
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "frame": {
            "subjects": sorted(frame.subjects),
            "parts": sorted(frame.parts),
            "attributes": list(frame.attributes),
            "terms": list(frame.terms),
            "roots": sorted(frame.roots),
            "polarity": frame.polarity,
            "advice": frame.advice,
            "quantities": [
                {"low": q.low, "high": q.high, "unit": q.unit, "kind": q.kind, "measure": q.measure, "sd": q.sd}
                for q in frame.quantities
            ],
        },
        "finding": {
            "id": finding.finding_id,
            "status": finding.status,
            "supporters": list(finding.supporters),
            "origins": list(finding.origins),
            "dissents": list(finding.dissents),
        },
        "relations": [_relation_row(index, relation, claim.claim_id) for relation in related],
    }


def _relation_row(index: BuiltIndex, relation: Relation, claim_id: str) -> dict[str, Any]:
    other = relation.b if relation.a == claim_id else relation.a
    claim = index.claims[index.claim_row[other]]
    return {
        "with": other,
        "source": claim.source_id,
        "text": claim.text,
        "relation": relation.label,
        "type": relation.type,
        "reason": relation.reason,
        "confidence": relation.confidence,
        "judged_by": relation.judged_by,
    }


def render_claim(report: dict[str, Any]) -> str:
    """The text form of ``show_claim``."""
    frame, finding = report["frame"], report["finding"]
    lines = [
        f"{report['id']}  ({' › '.join(report['heading'])})",
        f"  {report['text']}",
        f"  about {', '.join(frame['subjects']) or 'no muscle named'}; attributes {', '.join(frame['attributes']) or 'none'}",
        f"  finding {finding['id']}: {finding['status']}, {len(finding['origins'])} independent source(s)",
    ]
    for row in report["relations"]:
        kind = f" ({row['type']})" if row["type"] else ""
        lines.append(f"  {row['relation']}{kind} with {row['source']}: {row['text']}")
        lines.append(f"      {row['reason']} [confidence {row['confidence']:.2f}, {row['judged_by']}]")
    return "\n".join(lines)


def list_conflicts(
    settings: Settings, attribute: str | None, kind: str | None, source: str | None
) -> list[dict[str, Any]]:
    """Every conflicting pair of claims, surest first, filtered by attribute, conflict type and source."""
    index = _open(settings)
    rows = []
    for relation in index.relations.values():
        if relation.label != "conflict" or (kind is not None and relation.type != kind):
            continue
        a, b = (index.claims[index.claim_row[item]] for item in (relation.a, relation.b))
        shared = [name for name in a.frame.attributes if name in b.frame.attributes]
        if attribute is not None and attribute not in shared:
            continue
        if source is not None and source not in (a.source_id, b.source_id):
            continue
        rows.append(
            {
                "attribute": shared[0] if shared else a.frame.attribute,
                "type": relation.type,
                "a": a.claim_id,
                "source_a": a.source_id,
                "text_a": a.text,
                "b": b.claim_id,
                "source_b": b.source_id,
                "text_b": b.text,
                "reason": relation.reason,
                "confidence": relation.confidence,
                "judged_by": relation.judged_by,
            }
        )
    return sorted(rows, key=lambda row: (-row["confidence"], row["a"], row["b"]))


def review_relations(settings: Settings, below: float, only_stale: bool) -> int:
    """Walk the unsure relations in the terminal and save each judgement to ``corpus/reviews.yaml`` at once.

    Returns: 0; with ``only_stale``, 1 if there are reviews whose texts have changed.
    Raises: UsageError if the corpus is the one inside the package, which is not written to.
    """
    if not only_stale:
        refuse_packaged(settings.corpus)
    index = _open(settings)
    path = settings.corpus / "reviews.yaml"
    reviews = load_reviews(path)
    claims = {claim.claim_id: claim for claim in index.claims}
    stale = reviews.stale(claims)
    for review in stale:
        sys.stdout.write(f"stale: {review.a} and {review.b} ({review.label}): a text has changed since the review\n")
    if only_stale:
        sys.stdout.write(f"{len(stale)} stale of {len(reviews)} review(s)\n")
        if any(review.rank for review in stale):
            sys.stdout.write("to take one back: gmedbot claims review --withdraw ID ID\n")
        return 1 if stale else 0
    unsure = [
        relation
        for relation in index.relations.values()
        if relation.confidence < below and reviews.find(relation.a, relation.b) is None
    ]
    unsure.sort(key=lambda relation: (relation.confidence, relation.a, relation.b))
    saved = _walk(path, unsure, claims)
    sys.stdout.write(f"{saved} review(s) saved to {path}; they take effect with: gmedbot index build\n")
    return 0


def _walk(path: Path, unsure: Sequence[Relation], claims: dict[str, Claim]) -> int:
    """Show one relation after the other and keep what is said. Returns: how many judgements are there at the end."""
    said: list[tuple[int, Review]] = []
    place = 0
    while place < len(unsure):
        verdict = _ask(unsure[place], claims, place + 1, len(unsure), is_first=not said)
        if verdict is None:
            break
        if verdict == _BACK:
            if said:
                place, review = said.pop()
                _take_back(path, review)
            continue
        if verdict:
            review = _review(unsure[place], claims, *verdict)
            save_review(path, review)
            said.append((place, review))
        place += 1
    return len(said)


def _take_back(path: Path, review: Review) -> None:
    """Withdraw what was said a moment ago, unless somebody has said otherwise since."""
    now = load_reviews(path).find(review.a, review.b)
    if now == review and withdraw_review(path, review.a, review.b):
        sys.stdout.write(f"withdrawn: {review.label}\n")
    else:
        sys.stdout.write("not withdrawn: it was judged otherwise meanwhile\n")


def withdraw_judgement(settings: Settings, a: str, b: str) -> str:
    """Take back the judgement of one pair of claims, in the index or gone from it; ids may be shortened.

    Returns: what was withdrawn, whole, so that it can be said again; and what speaks of the pair now.
    Raises: UsageError if this pair has no judgement of its own, or the corpus is the one inside the package.
    """
    refuse_packaged(settings.corpus)
    path = settings.corpus / "reviews.yaml"
    review = own_review(load_reviews(path), a, b)

    def check(reviews: Reviews) -> None:
        if reviews.find(review.a, review.b) != review:
            raise UsageError(
                f"The judgement of {review.a} and {review.b} must be as it was read.",
                "it was changed meanwhile",
                "run the same command again",
            )

    withdraw_review(path, review.a, review.b, check)
    left = load_reviews(path).find(review.a, review.b)
    lines = [f"Withdrawn from {path}: {review.a} and {review.b}: {review.label}"]
    if review.note:
        lines.append(f"  its note was: {review.note}")
    if left is not None:
        lines.append(f"  in force again: {left.label}, of a dispute or group; edit its row by hand to change that")
    return "\n".join([*lines, "It takes effect with: gmedbot index build"])


_KEYS = {"a": "agree", "c": "conflict", "d": "different"}
_BACK = ("withdraw", "")


def _ask(
    relation: Relation, claims: dict[str, Claim], place: int, total: int, is_first: bool = True
) -> tuple[str, str] | tuple[()] | None:
    """One relation shown and judged: (label, note), () to skip, ``_BACK`` to undo, None to stop. End of input stops."""
    back = "" if is_first else "w withdraw the last · "
    first, second = claims[relation.a], claims[relation.b]
    sys.stdout.write(
        f"\n[{place}/{total}] {relation.label} ({relation.confidence:.2f}): {relation.reason}\n"
        f"  1. {first.source_id}: {first.text}\n  2. {second.source_id}: {second.text}\n"
        f"y accept · a agree · c conflict · d different · s skip · {back}q quit; text after the letter is your note > "
    )
    sys.stdout.flush()
    line = sys.stdin.readline()
    key, _, note = line.strip().partition(" ")
    if not line or key == "q":
        return None
    if key == "w":
        return _BACK
    if key == "y":
        return relation.label, note
    return (_KEYS[key], note) if key in _KEYS else ()


def _review(relation: Relation, claims: dict[str, Claim], label: str, note: str = "") -> Review:
    return Review(
        relation.a,
        relation.b,
        text_hash(claims[relation.a].text),
        text_hash(claims[relation.b].text),
        label,
        note,
        relation.type if label == "conflict" else None,
    )
