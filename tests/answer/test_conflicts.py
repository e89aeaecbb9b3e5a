"""A card shows a dispute as maintainers or the program see it: who stands on which side, and what stands behind it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from gmedbot.answer.cite import Citations
from gmedbot.answer.conflicts import conflict_card, reason_between
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.reader import BuiltIndex
from gmedbot.types import Claim, Conflict, Finding, Frame, Passage, Relation
from tests.support import make_claim, make_source

pytestmark = pytest.mark.core

EMPTY = Vocabulary([], [])
NOTE = "Older books and dissections differ"


def index_of(findings: list[Finding], relations: list[Relation], **evidence: str) -> BuiltIndex:
    """An index of claims "a:1" with the text "Says a:1." by source "a"; ``evidence`` is that of a source."""
    names = [name for finding in findings for name in finding.supporters]
    claims: list[Claim] = [replace(make_claim(name, f"Says {name}.", Frame()), passage_id=name) for name in names]
    passages = [Passage(claim.claim_id, claim.source_id, claim.text, 0, claim.end) for claim in claims]
    owners = {claim.source_id for claim in claims}
    made = SimpleNamespace(
        claims=claims,
        claim_row={name: row for row, name in enumerate(names)},
        passages=passages,
        row_of={name: row for row, name in enumerate(names)},
        sources={name: make_source(name, evidence=evidence.get(name, "expert")) for name in owners},
        finding_of={finding.finding_id: finding for finding in findings},
        relations={(relation.a, relation.b): relation for relation in relations},
    )
    return cast(BuiltIndex, made)


def finding(name: str, supporters: str, dissents: str) -> Finding:
    claims = tuple(supporters.split())
    return Finding(name, "", "", claims, tuple(sorted({claim[0] for claim in claims})), tuple(dissents.split()))


def conflict(a: str, b: str, judged_by: str = "review", reason: str = NOTE) -> Relation:
    return Relation(min(a, b), max(a, b), "conflict", "anatomy", reason, 0.9, False, judged_by)


def card_of(index: BuiltIndex, of: str, *rivals: str, lead: Claim | None = None) -> tuple[Conflict, Citations]:
    citations = Citations(index)
    found = index.finding_of
    card = conflict_card(index, EMPTY, found[of], [found[name] for name in rivals], citations, lead)
    assert card is not None
    return card, citations


#: "one" stands against "two" and "three", which a maintainer has put on one side.
SIDES = [finding("one", "a:1", "two three"), finding("two", "b:1", "one"), finding("three", "c:1 d:1", "one")]
JUDGED = [conflict("a:1", "b:1"), conflict("a:1", "c:1"), conflict("a:1", "d:1")]


def test_findings_that_a_review_puts_on_one_side_stand_on_one_side() -> None:
    card, citations = card_of(index_of(SIDES, JUDGED), "one", "two", "three")
    first, second = card.sides
    assert (first.text, first.also) == ("Says a:1.", ())
    assert (second.text, second.finding_id) == ("Says c:1.", "three"), "the best supported statement leads its side"
    assert [text for text, _ in second.also] == ["Says b:1."]
    quotes = {item.n: item.quote for item in citations.all}
    assert all(text in {quotes[n] for n in numbers} for side in card.sides for text, numbers in side.said)
    assert second.all_citations == {n for _, numbers in second.said for n in numbers}
    assert {quotes[n] for n in second.all_citations} == {"Says b:1.", "Says c:1.", "Says d:1."}
    assert card.explanation == f"{NOTE}."


def test_support_is_counted_over_everything_on_a_side() -> None:
    index = index_of(SIDES, JUDGED, b="trial")
    card, _ = card_of(index, "one", "two", "three")
    assert [(side.origins, side.evidence) for side in card.sides] == [(1, "expert"), (3, "trial")]
    assert card.better_supported == 1 and "stronger evidence" in card.why


def test_asked_from_the_other_side_the_card_is_the_same_dispute() -> None:
    index = index_of(SIDES, JUDGED)
    card, _ = card_of(index, "two", "one")
    assert [side.text for side in card.sides] == ["Says b:1.", "Says a:1."], "what was asked about comes first"
    assert [text for text, _ in card.sides[0].also] == ["Says c:1."], "and its allies stand with it"
    assert [side.origins for side in card.sides] == [3, 1]
    assert card.better_supported == 0


def test_findings_of_one_review_that_dispute_one_another_are_sides_of_their_own() -> None:
    findings = [
        finding("one", "a:1", "two three"),
        finding("two", "b:1", "one three"),
        finding("three", "c:1", "one two"),
    ]
    relations = [conflict("a:1", "b:1"), conflict("a:1", "c:1"), conflict("b:1", "c:1")]
    card, _ = card_of(index_of(findings, relations), "one", "two", "three")
    assert len(card.sides) == 3 and all(side.also == () for side in card.sides)


def test_what_only_the_program_sets_against_a_finding_stands_for_itself() -> None:
    index = index_of(SIDES, [replace(relation, judged_by="frames") for relation in JUDGED])
    card, _ = card_of(index, "one", "two", "three")
    assert sorted(side.text for side in card.sides[1:]) == ["Says b:1.", "Says c:1."]
    assert all(side.also == () for side in card.sides)


def test_an_ally_of_another_dispute_does_not_stand_with_the_finding() -> None:
    relations = [conflict("a:1", "b:1"), conflict("a:1", "c:1", reason="Another note"), conflict("a:1", "d:1", reason="Another note")]  # fmt: skip
    card, _ = card_of(index_of(SIDES, relations), "two", "one")
    assert [side.also for side in card.sides] == [(), ()]


def test_of_many_statements_on_a_side_two_more_are_shown_and_all_are_counted() -> None:
    others = [finding(f"f{n}", f"{name}:1", "one") for n, name in enumerate("bcdefg")]
    one = finding("one", "a:1", " ".join(item.finding_id for item in others))
    index = index_of([one, *others], [conflict("a:1", item.supporters[0]) for item in others])
    card, citations = card_of(index, "one", *(item.finding_id for item in others))
    assert len(card.sides) == 2
    assert len(card.sides[1].also) == 2 and card.sides[1].origins == 6
    assert len(citations.all) == 4, "what is not shown is not cited"


def test_a_card_has_four_sides_at_most() -> None:
    names = ["f0", "f1", "f2", "f3", "f4", "f5"]
    findings = [finding(own, f"{letter}:1", " ".join(n for n in names if n != own))
                for own, letter in zip(names, "abcdef", strict=True)]  # fmt: skip
    relations = [conflict(f"{a}:1", f"{b}:1") for a in "abcdef" for b in "abcdef" if a < b]
    for judged_by in ("review", "frames"):
        index = index_of(findings, [replace(relation, judged_by=judged_by) for relation in relations])
        assert len(card_of(index, "f0", *names[1:])[0].sides) == 4


def test_the_claim_that_was_asked_for_speaks_for_its_side() -> None:
    index = index_of(SIDES, JUDGED)
    lead = index.claims[index.claim_row["d:1"]]
    card, _ = card_of(index, "three", "one", lead=lead)
    assert card.sides[0].text == "Says d:1."


@pytest.mark.parametrize(
    ("judged_by", "quotes", "origins"),
    [("review", {"Says c:1."}, 1), ("frames", {"Says c:1.", "Says b:1.", "Says d:1."}, 3)],
)
def test_a_side_is_told_by_what_the_other_side_denies(judged_by: str, quotes: set[str], origins: int) -> None:
    """Of three statements that agree, one says more than the others, and only this is denied."""
    findings = [finding("one", "a:1", "two"), finding("two", "b:1 c:1 d:1", "one")]
    index = index_of(findings, [conflict("a:1", "c:1", judged_by)])
    card, citations = card_of(index, "one", "two")
    side = card.sides[1]
    assert (side.text, side.origins) == ("Says c:1.", origins)
    assert {item.quote for item in citations.all if item.n in side.citations} == quotes
    asked, _ = card_of(index, "two", "one", lead=index.claims[index.claim_row["b:1"]])
    assert asked.sides[0].text == ("Says c:1." if judged_by == "review" else "Says b:1.")


def test_a_finding_that_no_stored_relation_sets_against_another_makes_no_card() -> None:
    index = index_of(SIDES, [])
    assert conflict_card(index, EMPTY, SIDES[0], SIDES[1:], Citations(index)) is None
    assert [reason_between(index, SIDES[0], side) for side in SIDES[1:]] == [None, None]


def test_the_note_of_a_review_tells_disputes_apart() -> None:
    relations = [conflict("a:1", "b:1"), conflict("a:1", "c:1", reason="Another note")]
    index = index_of(SIDES, relations)
    first, second = (reason_between(index, SIDES[0], side) for side in SIDES[1:])
    assert first and second == "Another note" != first
    index = index_of(SIDES, JUDGED)
    assert len({reason_between(index, SIDES[0], side) for side in SIDES[1:]}) == 1
