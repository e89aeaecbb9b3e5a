"""Two or three things side by side: one row for each thing worth saying, one column for each thing asked about."""

from __future__ import annotations

from collections.abc import Sequence

from gmedbot.answer.cite import Citations
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import EVIDENCE_RANK, Claim, Table

__all__ = ["contrast_table"]

#: What is worth comparing beside the attributes of an overview.
_ALSO = (
    "relations",
    "activation",
    "fibre-type",
    "nerve-roots",
    "technique",
    "benefits",
    "cautions",
    "symptom",
    "cause",
    "treatment",
)
_MAX_ROWS = 8
_MIN_ROWS = 2


def contrast_table(
    things: Sequence[str], index: BuiltIndex, vocabulary: Vocabulary, citations: Citations
) -> Table | None:
    """Rows in the order of an overview, each with the best supported statement about each thing alone.

    Args: things: two or three ids of one kind (muscles, exercises, conditions).
    Returns: None if fewer than two rows have a statement in every column.
    """
    if len({vocabulary.terms[thing].kind for thing in things}) != 1:
        return None
    overview = sorted((a for a in vocabulary.attributes.values() if a.overview), key=lambda a: a.overview)
    wanted = dict.fromkeys([*(a.id for a in overview), *(name for name in _ALSO if name in vocabulary.attributes)])
    rows: list[tuple[tuple[str, tuple[int, ...]], ...]] = []
    for attribute in wanted:
        best = [_best(thing, attribute, index, vocabulary) for thing in things]
        if all(claim is not None for claim in best) and len(rows) < _MAX_ROWS:
            cells = [(claim.text, citations.cite(_with_support(claim, index))) for claim in best if claim is not None]
            rows.append(((vocabulary.attributes[attribute].name, ()), *cells))
    if len(rows) < _MIN_ROWS:
        return None
    return Table(("", *(vocabulary.terms[thing].name for thing in things)), tuple(rows))


def _best(thing: str, attribute: str, index: BuiltIndex, vocabulary: Vocabulary) -> Claim | None:
    """The statement that most sources make of this thing alone; strong evidence, then shortness decide."""
    kind = vocabulary.terms[thing].kind

    def alone(claim: Claim) -> bool:
        named = {term for term in claim.frame.terms if vocabulary.terms[term].kind == kind}
        return claim.frame.attribute == attribute and named == {thing} and not claim.frame.is_reported

    found = [claim for row in index.claim_table.of_attribute(attribute) if alone(claim := index.claims[row])]
    return max(found, key=lambda claim: _standing(claim, index), default=None)


def _standing(claim: Claim, index: BuiltIndex) -> tuple[int, bool, int, int, str]:
    origins = len(index.finding_of_claim[claim.claim_id].origins)
    evidence = EVIDENCE_RANK[index.sources[claim.source_id].evidence]
    return origins, not claim.frame.parts, evidence, -len(claim.text), claim.claim_id


def _with_support(claim: Claim, index: BuiltIndex) -> list[Claim]:
    finding = index.finding_of_claim[claim.claim_id]
    others = [index.claims[index.claim_row[other]] for other in finding.supporters if other != claim.claim_id]
    return [claim, *others]
