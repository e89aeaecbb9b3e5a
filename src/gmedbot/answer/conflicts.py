"""Disputed findings → conflict cards: who says what, how they differ, which side is better supported and why."""

from __future__ import annotations

from collections.abc import Sequence

from gmedbot.answer.cite import Citations
from gmedbot.claims.support import better_supported, support_of
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import Claim, Conflict, Finding, Relation, Side

__all__ = ["conflict_card", "reason_between", "relations_between"]

_MAX_SIDES = 4
_MAX_ALSO = 2  #: further statements shown on one side; all are counted


def relations_between(index: BuiltIndex, first: Finding, second: Finding) -> tuple[Relation, ...]:
    """The conflicting pairs between two findings, surest first."""
    found: list[Relation] = []
    for a in first.supporters:
        for b in second.supporters:
            relation = index.relations.get((min(a, b), max(a, b)))
            if relation is not None and relation.label == "conflict":
                found.append(relation)
    return tuple(sorted(found, key=lambda relation: (-relation.confidence, relation.a, relation.b)))


def reason_between(index: BuiltIndex, first: Finding, second: Finding) -> str | None:
    """Why two findings differ, as a review has it: findings that differ from one for one reason stand on one card. "" where
    the program alone set them against one another, None if no stored relation does."""
    relations = relations_between(index, first, second)
    if not relations:
        return None
    return relations[0].reason if relations[0].judged_by == "review" else ""


def conflict_card(
    index: BuiltIndex,
    vocabulary: Vocabulary,
    finding: Finding,
    rivals: Sequence[Finding],
    citations: Citations,
    lead: Claim | None = None,
) -> Conflict | None:
    """One card for a finding and the findings that dispute it; None if no stored relation backs it.

    Sides are whole findings, so that each shows every source behind it. The finding asked about comes first.
    """
    backed = [(rival, relations_between(index, finding, rival)) for rival in rivals]
    backed = [(rival, relations) for rival, relations in backed if relations]
    if not backed:
        return None
    backed.sort(key=lambda pair: (-len(pair[0].origins), -pair[1][0].confidence, pair[0].finding_id))
    relation = backed[0][1][0]
    groups = _sides(index, finding, [rival for rival, _ in backed], relation)
    supports = [support_of([c for f in group for c in _claims(index, f)], index.sources) for group in groups]
    place, why = better_supported(supports)
    sides = []
    for number, (group, support) in enumerate(zip(groups, supports, strict=True)):
        claims = _claims(index, group[0])
        best = lead if number == 0 and lead is not None else claims[0]
        rest = [claim for claim in claims if claim.claim_id != best.claim_id]
        numbers = citations.cite([best, *rest])
        others = [_claims(index, other) for other in group[1 : 1 + _MAX_ALSO]]
        also = tuple((own[0].text, citations.cite(own)) for own in others)
        sides.append(Side(best.text, numbers, support.evidence, support.origins, group[0].finding_id, also))
    attribute = vocabulary.attributes.get(finding.attribute)
    return Conflict(
        attribute=attribute.name if attribute else finding.attribute or "statement",
        type=relation.type or "value",
        explanation=_explain(relation),
        sides=tuple(sides),
        better_supported=place,
        why=why,
    )


def _sides(index: BuiltIndex, finding: Finding, rivals: Sequence[Finding], relation: Relation) -> list[list[Finding]]:
    """The findings of each side, that of ``finding`` first, each led by its best supported one.

    Statements that a maintainer put on one side stand on one side; those that the program set against one another stand
    for themselves, as nobody has said that they belong together.
    """
    if relation.judged_by != "review":
        return [[finding], *([rival] for rival in rivals[: _MAX_SIDES - 1])]
    groups: list[list[Finding]] = [[finding]]
    for rival in rivals:
        for group in groups[1:]:
            if all(other.finding_id not in rival.dissents for other in group):
                group.append(rival)
                break
        else:
            if len(groups) < _MAX_SIDES:
                groups.append([rival])
    taken = {item.finding_id for group in groups for item in group}
    for name in sorted(rivals[0].dissents):
        if name in taken or name in finding.dissents or name not in index.finding_of:
            continue
        ally = index.finding_of[name]
        between = relations_between(index, ally, rivals[0])
        if between and between[0].judged_by == "review" and between[0].reason == relation.reason:
            groups[0].append(ally)
    return [[group[0], *sorted(group[1:], key=lambda f: (-len(f.origins), f.finding_id))] for group in groups]


def _claims(index: BuiltIndex, finding: Finding) -> list[Claim]:
    return [index.claims[index.claim_row[item]] for item in finding.supporters]


def _explain(relation: Relation) -> str:
    reason = relation.reason[:1].upper() + relation.reason[1:]
    return reason if reason.endswith(".") else f"{reason}."
