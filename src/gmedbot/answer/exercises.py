"""Every exercise that the sources speak of, with measured values, technique and cautions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.types import Claim, ExerciseCard, ExerciseValue

__all__ = ["exercise_cards"]


def exercise_cards(claims: Iterable[Claim], vocabulary: Vocabulary) -> tuple[ExerciseCard, ...]:
    """One card for each exercise that a claim names, by id."""
    by_term: dict[str, list[Claim]] = {}
    for claim in claims:
        for term in claim.frame.terms:
            if vocabulary.terms[term].kind == "exercise":
                by_term.setdefault(term, []).append(claim)
    return tuple(_card(name, by_term[name], vocabulary) for name in sorted(by_term))


def _card(name: str, claims: Sequence[Claim], vocabulary: Vocabulary) -> ExerciseCard:
    term = vocabulary.terms[name]
    facts: Mapping[str, Any] = term.facts
    equipment = facts.get("equipment") or []
    values: list[ExerciseValue] = []
    technique: list[str] = []
    cautions: list[str] = []
    for claim in claims:
        own = [t for t in claim.frame.terms if vocabulary.terms[t].kind == "exercise"]
        if own[0] != name:
            continue
        numbers = [q for q in claim.frame.quantities if q.kind == "value" and q.unit == "%MVIC"]
        if len(numbers) == 1 and numbers[0].low == numbers[0].high and not numbers[0].comparator:
            muscles = ", ".join(vocabulary.terms[m].name for m in sorted(claim.frame.subjects))
            condition = re.sub(r"\s+", " ", claim.text)
            values.append(
                ExerciseValue(claim.source_id, claim.passage_id, claim.claim_id, numbers[0].low, numbers[0].sd, "%MVIC", muscles, condition)
            )  # fmt: skip
        elif "cautions" in claim.frame.attributes[:2] or claim.frame.advice < 0:
            cautions.append(claim.claim_id)
        elif claim.frame.attribute in ("technique", "dosage", "progression"):
            technique.append(claim.claim_id)
    return ExerciseCard(
        name=term.name,
        synonyms=(*term.synonyms, *term.lay),
        equipment=", ".join(equipment) if isinstance(equipment, list) else str(equipment),
        position=str(facts.get("position") or ""),
        weight_bearing=facts.get("weight_bearing"),
        values=tuple(values),
        technique=tuple(technique),
        cautions=tuple(cautions),
    )
