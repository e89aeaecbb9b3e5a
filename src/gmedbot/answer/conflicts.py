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

    A side shows every source that says what the other side denies. The finding asked about comes first.

    Args: lead: the statement of ``finding`` that opens its side, if it is in dispute itself.
    """
    backed = [(rival, relations_between(index, finding, rival)) for rival in rivals]
    backed = [(rival, relations) for rival, relations in backed if relations]
    if not backed:
        return None
    backed.sort(key=lambda pair: (-len(pair[0].origins), -pair[1][0].confidence, pair[0].finding_id))
    relation = backed[0][1][0]
    groups = _sides(index, finding, [rival for rival, _ in backed], relation)
    told = [[_in_dispute(index, item, _others(groups, group)) for item in group] for group in groups]
    supports = [support_of([claim for claims in own for claim in claims], index.sources) for own in told]
    place, why = better_supported(supports)
    sides = []
    for group, own, support in zip(groups, told, supports, strict=True):
        claims, *others = own[: 1 + _MAX_ALSO]
        best = lead if lead in claims else claims[0]
        rest = [claim for claim in claims if claim.claim_id != best.claim_id]
        numbers = citations.cite([best, *rest])
        also = tuple((more[0].text, citations.cite(more)) for more in others)
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


def _others(groups: Sequence[Sequence[Finding]], own: Sequence[Finding]) -> list[Finding]:
    return [finding for group in groups if group is not own for finding in group]


def _in_dispute(index: BuiltIndex, finding: Finding, others: Sequence[Finding]) -> list[Claim]:
    """What a finding has against the other sides, never empty. A statement may agree with the rest of its finding and say
    one thing more, and only this be denied: "an abductor with a part in flexion" among "it abducts". Where people judged,
    the statements that they named; where the program did, it named only the surest, and all stand behind them.
    """
    relations = [relation for other in others for relation in relations_between(index, finding, other)]
    named = {name for relation in relations for name in (relation.a, relation.b)}
    claims = _claims(index, finding)
    denied = [claim for claim in claims if claim.claim_id in named]
    if all(relation.judged_by == "review" for relation in relations):
        return denied or claims
    return [*denied, *(claim for claim in claims if claim.claim_id not in named)]


def _claims(index: BuiltIndex, finding: Finding) -> list[Claim]:
    return [index.claims[index.claim_row[item]] for item in finding.supporters]


def _explain(relation: Relation) -> str:
    reason = relation.reason[:1].upper() + relation.reason[1:]
    return reason if reason.endswith(".") else f"{reason}."
