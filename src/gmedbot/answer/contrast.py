"""Two or three things side by side: one row for each thing worth saying, one column for each thing asked about."""

from __future__ import annotations

from collections.abc import Sequence

from gmedbot.answer.cite import Citations
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import EVIDENCE_RANK, Claim, Table

__all__ = ["contrast_table", "paired_rows"]

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
        best = _row(things, attribute, index, vocabulary)
        if all(claim is not None for claim in best) and len(rows) < _MAX_ROWS:
            cells = [(claim.text, citations.cite(_with_support(claim, index))) for claim in best if claim is not None]
            rows.append(((vocabulary.attributes[attribute].name, ()), *cells))
    if len(rows) < _MIN_ROWS:
        return None
    return Table(("", *(vocabulary.terms[thing].name for thing in things)), tuple(rows))


def _row(things: Sequence[str], attribute: str, index: BuiltIndex, vocabulary: Vocabulary) -> list[Claim | None]:
    """The best statement about each thing. Values are set side by side only if one source measured them of one muscle: those
    of two studies are no comparison."""
    found = [_about(thing, attribute, index, vocabulary) for thing in things]
    best = [max(own, key=lambda claim: _standing(claim, index), default=None) for own in found]
    if not any(claim is not None and _has_value(claim) for claim in best):
        return best
    by_study = [{(claim.source_id, claim.frame.subjects): claim for claim in reversed(own)} for own in found]
    shared = sorted(set.intersection(*map(set, by_study)), key=lambda key: (key[0], sorted(key[1])))
    rows: list[list[Claim | None]] = [[own[key] for own in by_study] for key in shared]
    if rows:
        standing = [_standing(by_study[0][key], index) for key in shared]
        return rows[standing.index(max(standing))]
    plain = [[claim for claim in own if not _has_value(claim)] for own in found]
    return [max(own, key=lambda claim: _standing(claim, index), default=None) for own in plain]


def _has_value(claim: Claim) -> bool:
    return any(quantity.kind == "value" for quantity in claim.frame.quantities)


def _about(thing: str, attribute: str, index: BuiltIndex, vocabulary: Vocabulary) -> list[Claim]:
    """The statements about this thing alone, in the order of the index."""
    kind = vocabulary.terms[thing].kind

    def alone(claim: Claim) -> bool:
        named = {term for term in claim.frame.terms if vocabulary.terms[term].kind == kind}
        return claim.frame.attribute == attribute and named == {thing} and not claim.frame.is_reported

    return [claim for row in index.claim_table.of_attribute(attribute) if alone(claim := index.claims[row])]


def paired_rows(things: Sequence[str], claims: Sequence[Claim], vocabulary: Vocabulary) -> list[tuple[Claim, ...]]:
    """Statements that one source makes of each thing alone, of one attribute, muscle and exercise, in the order of ``claims``:
    a row for each such source. What one source says of one thing only is no comparison."""
    groups: dict[tuple[str, str, frozenset[str]], dict[str, Claim]] = {}
    for claim in claims:
        named = [thing for thing in things if thing in claim.frame.terms]
        if len(named) == 1:
            about = frozenset(
                term
                for term in claim.frame.terms
                if vocabulary.terms[term].kind in ("muscle", "exercise") and term not in things
            )
            groups.setdefault((claim.source_id, claim.frame.attribute, about), {}).setdefault(named[0], claim)
    return [tuple(row[thing] for thing in things) for row in groups.values() if len(row) == len(things)]


def _standing(claim: Claim, index: BuiltIndex) -> tuple[int, bool, int, int, str]:
    origins = len(index.finding_of_claim[claim.claim_id].origins)
    evidence = EVIDENCE_RANK[index.sources[claim.source_id].evidence]
    return origins, not claim.frame.parts, evidence, -len(claim.text), claim.claim_id


def _with_support(claim: Claim, index: BuiltIndex) -> list[Claim]:
    finding = index.finding_of_claim[claim.claim_id]
    others = [index.claims[index.claim_row[other]] for other in finding.supporters if other != claim.claim_id]
    return [claim, *others]
