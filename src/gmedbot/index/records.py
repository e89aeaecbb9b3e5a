"""The stored form of the nouns: typed value → plain record → the same value. Kept apart so that types stay pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gmedbot.types import Claim, Finding, Frame, Passage, Quantity, Relation, Source

__all__ = [
    "claim_from_record",
    "claim_record",
    "finding_from_record",
    "finding_record",
    "passage_from_record",
    "passage_record",
    "relation_from_record",
    "relation_record",
    "source_from_record",
    "source_record",
]

_QUANTITY_FIELDS = ("low", "high", "unit", "kind", "measure", "sd", "comparator", "start", "end")


def source_record(source: Source) -> dict[str, Any]:
    return asdict(source)


def source_from_record(row: dict[str, Any]) -> Source:
    return Source(**{**row, "authors": tuple(row["authors"]), "topics": tuple(row["topics"])})


def passage_record(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.passage_id,
        "source": passage.source_id,
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "heading": list(passage.heading),
    }


def passage_from_record(row: dict[str, Any]) -> Passage:
    return Passage(row["id"], row["source"], row["text"], row["start"], row["end"], tuple(row["heading"]))


def claim_record(claim: Claim) -> dict[str, Any]:
    frame = claim.frame
    return {
        "id": claim.claim_id,
        "source": claim.source_id,
        "passage": claim.passage_id,
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "heading": list(claim.heading),
        "frame": {
            "subjects": sorted(frame.subjects),
            "parts": sorted(frame.parts),
            "attributes": list(frame.attributes),
            "terms": list(frame.terms),
            "roots": sorted(frame.roots),
            "quantities": [[getattr(q, name) for name in _QUANTITY_FIELDS] for q in frame.quantities],
            "polarity": frame.polarity,
            "advice": frame.advice,
            "level": list(frame.level) if frame.level else None,
            "direction": frame.direction,
            "reported": frame.is_reported,
            "words": sorted(frame.words),
        },
        **({"plain": claim.plain} if claim.plain else {}),
    }


def claim_from_record(row: dict[str, Any]) -> Claim:
    facts = row["frame"]
    frame = Frame(
        subjects=frozenset(facts["subjects"]),
        parts=frozenset(facts["parts"]),
        attribute=facts["attributes"][0] if facts["attributes"] else "",
        attributes=tuple(facts["attributes"]),
        terms=tuple(facts["terms"]),
        roots=frozenset(facts["roots"]),
        quantities=tuple(Quantity(*values) for values in facts["quantities"]),
        polarity=facts["polarity"],
        advice=facts["advice"],
        level=(facts["level"][0], facts["level"][1]) if facts["level"] else None,
        direction=facts["direction"],
        is_reported=facts["reported"],
        words=frozenset(facts["words"]),
    )
    place = row["source"], row["passage"], row["text"], row["start"], row["end"], tuple(row["heading"])
    return Claim(row["id"], *place, frame, row.get("plain", ""))


def relation_record(relation: Relation) -> dict[str, Any]:
    return asdict(relation)


def relation_from_record(row: dict[str, Any]) -> Relation:
    return Relation(**row)


def finding_record(finding: Finding) -> dict[str, Any]:
    return asdict(finding)


def finding_from_record(row: dict[str, Any]) -> Finding:
    return Finding(
        finding_id=row["finding_id"],
        attribute=row["attribute"],
        subject=row["subject"],
        supporters=tuple(row["supporters"]),
        origins=tuple(row["origins"]),
        dissents=tuple(row["dissents"]),
    )
