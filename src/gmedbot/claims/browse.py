"""Reading the claims of a built index: lists, one claim whole, conflicts, and the review of unsure relations."""

from __future__ import annotations

import sys
from typing import Any

from gmedbot.claims.reviews import Review, load_reviews, save_review, text_hash
from gmedbot.errors import UsageError
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.settings import Settings
from gmedbot.types import Claim, Relation

__all__ = ["list_claims", "list_conflicts", "render_claim", "review_relations", "show_claim"]


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
    """
    index = _open(settings)
    path = settings.corpus / "reviews.yaml"
    reviews = load_reviews(path)
    claims = {claim.claim_id: claim for claim in index.claims}
    stale = reviews.stale(claims)
    for review in stale:
        sys.stdout.write(f"stale: {review.a} and {review.b} ({review.label}): a text has changed since the review\n")
    if only_stale:
        sys.stdout.write(f"{len(stale)} stale of {len(reviews)} review(s)\n")
        return 1 if stale else 0
    unsure = [
        relation
        for relation in index.relations.values()
        if relation.confidence < below and reviews.find(relation.a, relation.b) is None
    ]
    unsure.sort(key=lambda relation: (relation.confidence, relation.a, relation.b))
    done = 0
    for place, relation in enumerate(unsure, start=1):
        verdict = _ask(relation, claims, place, len(unsure))
        if verdict is None:
            break
        if verdict:
            save_review(path, _review(relation, claims, *verdict))
            done += 1
    sys.stdout.write(f"{done} review(s) saved to {path}; they take effect with: gmedbot index build\n")
    return 0


_KEYS = {"a": "agree", "c": "conflict", "d": "different"}


def _ask(relation: Relation, claims: dict[str, Claim], place: int, total: int) -> tuple[str, str] | tuple[()] | None:
    """One relation shown and judged: (label, note), () to skip, None to stop. End of input stops."""
    first, second = claims[relation.a], claims[relation.b]
    sys.stdout.write(
        f"\n[{place}/{total}] {relation.label} ({relation.confidence:.2f}): {relation.reason}\n"
        f"  1. {first.source_id}: {first.text}\n  2. {second.source_id}: {second.text}\n"
        "y accept · a agree · c conflict · d different · s skip · q quit; text after the letter is your note > "
    )
    sys.stdout.flush()
    line = sys.stdin.readline()
    key, _, note = line.strip().partition(" ")
    if not line or key == "q":
        return None
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
