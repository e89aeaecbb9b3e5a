"""A question that rests on what the sources deny is set right first; one that rests on what they say is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gmedbot.answer import premise
from gmedbot.answer.premise import PremiseCheck
from gmedbot.bot import Bot
from gmedbot.claims.reader import LABELS
from gmedbot.claims.relate import Judgement
from gmedbot.claims.relator import Pair
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.understand import understand
from gmedbot.types import Finding, RelationLabel

pytestmark = pytest.mark.integration

INFERIOR = "Since the gluteus medius is supplied by the inferior gluteal nerve, which nerve roots supply it?"
ROOTS = "Since the superior gluteal nerve to the gluteus medius carries the roots {}, what does it do?"


def correction(built: BuiltIndex, question: str) -> Finding | None:
    return PremiseCheck(built, built.vocabulary).correction(understand(question, built.vocabulary))


def texts(built: BuiltIndex, finding: Finding | None) -> list[str]:
    return [] if finding is None else [built.claims[built.claim_row[name]].text for name in finding.supporters]


def judged(monkeypatch: pytest.MonkeyPatch, verdicts: dict[str, tuple[RelationLabel, float]]) -> list[Pair]:
    """Give a verdict on claims that hold a text, and "different" on the rest. Returns the pairs that were judged."""
    seen: list[Pair] = []

    class Fixed:
        def __init__(self, *arguments: Any) -> None: ...

        def closest(self, pairs: Sequence[Pair], most: int, plain: float, doubt: float) -> list[int]:
            return list(range(len(pairs)))

        def judge(self, pairs: Sequence[Pair]) -> list[Judgement | None]:
            seen.extend(pairs)
            given = [next((v for text, v in verdicts.items() if text in pair.text_b), None) for pair in pairs]
            return [None if verdict is None else Judgement(verdict[0], None, "", verdict[1]) for verdict in given]

    monkeypatch.setattr(premise, "Relator", Fixed)
    monkeypatch.setattr(premise, "_NEAREST", 12)
    monkeypatch.setattr(premise, "_NEAR", 0.0)
    return seen


def test_a_wrong_nerve_is_set_right_by_the_finding_of_most_origins(built: BuiltIndex) -> None:
    finding = correction(built, INFERIOR)
    assert finding is not None and len(finding.origins) == 2
    assert all("superior gluteal nerve" in text for text in texts(built, finding))


def test_a_wrong_bone_is_set_right(built: BuiltIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, {"greater trochanter": ("conflict", 0.95)})
    (text,) = texts(built, correction(built, "Why does the gluteus medius insert on the lesser trochanter?"))
    assert "greater trochanter" in text


@pytest.mark.parametrize(
    "question",
    [
        "Since the gluteus medius is supplied by the superior gluteal nerve, what does it do?",
        "The gluteus medius abducts the hip, right?",
        "Which nerve supplies the gluteus medius?",
        "Is the gluteus medius supplied by the inferior gluteal nerve?",
        "Since the weather is so nice today, which nerve supplies the gluteus medius?",
        "",
    ],
)
def test_what_the_sources_say_and_what_they_do_not_speak_of_needs_no_correction(
    built: BuiltIndex, question: str
) -> None:
    assert correction(built, question) is None


def test_a_premise_of_the_weaker_side_is_answered_by_the_stronger(built: BuiltIndex) -> None:
    (text,) = texts(built, correction(built, ROOTS.format("L4–S1")))
    assert "L5–S1" in text  # a dissection against a textbook
    assert correction(built, ROOTS.format("L5–S1")) is None


# --- the rule, with given verdicts ----------------------------------------------------------------------------------


def test_a_doubtful_verdict_corrects_nobody(built: BuiltIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    for confidence, is_corrected in ((0.89, False), (0.9, True)):
        judged(monkeypatch, {"superior gluteal nerve supplies": ("conflict", confidence)})
        assert (correction(built, INFERIOR) is not None) is is_corrected


def test_a_source_that_says_so_too_outweighs_those_that_conflict(
    built: BuiltIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(monkeypatch, {"is supplied by": ("agree", 0.95), "L4–S1": ("conflict", 0.99)})
    assert correction(built, INFERIOR) is None


def test_of_several_findings_against_it_the_one_of_most_origins_is_said(
    built: BuiltIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(monkeypatch, {"L4–S1": ("conflict", 0.99), "supplies the": ("conflict", 0.91), "L5–S1": ("conflict", 1.0)})
    finding = correction(built, INFERIOR)
    assert finding is not None and len(finding.origins) == 2


def test_only_the_nearest_claims_are_held_against_the_premise(
    built: BuiltIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = judged(monkeypatch, {})
    assert correction(built, INFERIOR) is None
    assert len(seen) == 12 < len(built.claims)
    assert {pair.text_a for pair in seen} == {"the gluteus medius is supplied by the inferior gluteal nerve"}
    assert [pair.cosine for pair in seen] == sorted((pair.cosine for pair in seen), reverse=True)


def test_without_a_premise_nothing_is_judged(built: BuiltIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = judged(monkeypatch, {})
    correction(built, "Which nerve supplies the gluteus medius?")
    correction(built, "Since the weather is so nice today, which nerve supplies the gluteus medius?")
    assert seen == []


# --- in an answer ---------------------------------------------------------------------------------------------------


def test_the_correction_opens_the_answer_and_is_cited(bot: Bot) -> None:
    answer = bot.ask(INFERIOR)
    lead, *rest = answer.statements
    assert answer.status == "answered" and answer.verdict == ""
    assert (lead.role, lead.verdict, lead.origins) == ("lead", "First, a correction:", 2)
    assert "superior gluteal nerve" in lead.text and lead.citations
    assert answer.answer.startswith(f"**First, a correction:** {lead.text}")
    assert [statement.role for statement in answer.statements].count("lead") == 1
    assert [statement.finding_id for statement in rest].count(lead.finding_id) == 0, "said once"
    quotes = {citation.n: citation.quote for citation in answer.citations}
    assert lead.text in {quotes[number] for number in lead.citations}


CHECK = "My slides say that the gluteus medius inserts on the kneecap, is that right?"


class _Slow:
    """Frames see no clash at first; more is read only where nothing but the claim is asked about."""

    def __init__(self, *arguments: Any) -> None: ...

    def closest(self, pairs: Sequence[Pair], most: int, plain: float, doubt: float) -> list[int]:
        return [] if doubt else list(range(len(pairs)))

    def judge(self, pairs: Sequence[Pair]) -> list[Judgement | None]:
        return [Judgement("conflict", None, "", 0.95) for _ in pairs]


@pytest.mark.parametrize(
    ("row", "is_denied"), [((0.0, 3.0, 0.0), True), ((3.0, 0.0, 0.0), False), ((0.0, 0.0, 3.0), False)]
)
def test_a_claim_to_be_checked_is_denied_if_the_message_itself_is_read_so(
    built: BuiltIndex, monkeypatch: pytest.MonkeyPatch, row: tuple[float, ...], is_denied: bool
) -> None:
    asked: list[tuple[str, str]] = []

    class Reader:
        def read(self, pairs: Sequence[tuple[str, str]]) -> Any:
            asked.extend(pairs)
            return np.array([row for _ in pairs])

    monkeypatch.setattr(premise, "Relator", _Slow)
    monkeypatch.setattr(premise, "_NEAR", 0.0)
    monkeypatch.setitem(built.__dict__, "verdict_reader", Reader())
    assert (correction(built, CHECK) is not None) == is_denied
    assert asked and {message for message, _ in asked} == {CHECK}
    assert correction(built, "Since the gluteus medius inserts on the kneecap, what does it do?") is None


@pytest.mark.parametrize(("says", "outcome"), [("conflict", "better"), ("agree", None), ("different", "own")])
def test_a_denial_by_the_weaker_side_gives_way_to_what_the_better_side_says(
    built: BuiltIndex, monkeypatch: pytest.MonkeyPatch, says: str, outcome: str | None
) -> None:
    better = min(built.findings, key=lambda finding: finding.finding_id)
    supporting = set(texts(built, better))

    class Reader:
        def read(self, pairs: Sequence[tuple[str, str]]) -> Any:
            labels = [says if text in supporting else "conflict" for _, text in pairs]
            return np.array([[float(label == name) for name in LABELS] for label in labels])

    monkeypatch.setattr(premise, "Relator", _Slow)
    monkeypatch.setattr(premise, "_NEAR", 0.0)
    monkeypatch.setitem(built.__dict__, "verdict_reader", Reader())
    monkeypatch.setattr(PremiseCheck, "_overruled", lambda self, claim: better)
    found = correction(built, CHECK)
    assert (found is None) == (outcome is None)
    if found is not None:
        assert (found.finding_id == better.finding_id) == (outcome == "better")
