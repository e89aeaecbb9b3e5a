"""The second look: what stands beside a good answer is seen, and nothing of the first look is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.answer import evidence as module
from gmedbot.answer.company import COMPANY, company_of
from gmedbot.answer.evidence import EvidenceFinder
from gmedbot.answer.features import FEATURES, Facts
from gmedbot.bot import Bot
from gmedbot.claims.extract import read_frame
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.types import Finding
from tests.support import make_claim

pytestmark = pytest.mark.core
ROOTS = "The superior gluteal nerve carries the roots L4 to S1."
OTHER = "The superior gluteal nerve carries the roots L5 to S1."
SKIN = "The skin over the hip is supplied by the subcostal nerve."


def facts_of(vocabulary: Vocabulary, name: str, text: str, finding: str, dissents: tuple[str, ...] = ()) -> Facts:
    claim = make_claim(name, text, read_frame(text, (), vocabulary))
    found = Finding(finding, "nerve", "gluteus-medius", (name,), (claim.source_id,), dissents)
    none: frozenset[str] = frozenset()
    return Facts(claim, found, 0, none, none, none, none, None, False, ())


def column(table: NDArray[np.float64], name: str) -> list[float]:
    return table[:, COMPANY.index(name)].tolist()  # type: ignore[no-any-return]


def test_what_agrees_with_the_lead_or_disputes_it_is_told_from_what_stands_apart(vocabulary: Vocabulary) -> None:
    facts = [
        facts_of(vocabulary, "a:1", ROOTS, "one", ("two",)),
        facts_of(vocabulary, "b:1", ROOTS, "one", ("two",)),
        facts_of(vocabulary, "c:1", OTHER, "two", ("one",)),
        facts_of(vocabulary, "a:2", SKIN, "three"),
    ]
    scores = np.array([2.0, 1.0, 0.5, 0.0])
    vectors = np.array([[1, 0], [1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    features = np.zeros((4, len(FEATURES)))
    features[0, FEATURES.index("asked")] = 0.9
    table = company_of(facts, scores, vectors, features)
    assert table.shape == (4, len(COMPANY))
    assert column(table, "agrees") == pytest.approx([np.exp(-1.0), 1, 0, 0])
    assert column(table, "disputes") == pytest.approx([np.exp(-1.5), np.exp(-1.5), 1, 0])
    assert column(table, "lead_cosine") == pytest.approx([0, 1, 0.8, 0])
    assert column(table, "repeats") == pytest.approx([0, 1, 0.8, 0.6])
    assert column(table, "lead_source") == [0, 0, 0, 1]
    assert column(table, "asked_beside") == pytest.approx([0.9, 0.9, 0.72, 0])
    assert column(table, "behind_lead") == pytest.approx([0, -1, -1.5, -2])


def test_a_claim_without_company_is_no_fault(vocabulary: Vocabulary) -> None:
    table = company_of(
        [facts_of(vocabulary, "a:1", ROOTS, "one")], np.array([1.0]), np.ones((1, 1), np.float32), np.zeros((1, 99))
    )
    assert table.shape == (1, len(COMPANY)) and np.isfinite(table).all()


@pytest.mark.integration
def test_claims_beyond_those_looked_at_twice_follow_in_the_order_of_the_first_look(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, _ = bot.understand("Which nerve supplies the gluteus medius?")
    vectors = bot._vectors(query)
    finder, hits = bot._finder, bot._search(query, 40, bot._vectors(query)[0])
    rows, table = finder.observer.observe(query, vectors, hits)
    facts = [finder.observer.facts(row) for row in rows]
    monkeypatch.setattr(module, "LOOKED_AT", 3)
    scores = finder._twice(rows, table, facts)
    first = np.round(finder._models.first.score(table), 6)
    seen, _ = finder.look_again(rows, table, facts, first)
    rest = [place for place in np.argsort(-first, kind="stable").tolist() if place not in set(seen.tolist())]
    assert len(seen) == 3 and len(rest) > 1
    assert scores[rest].max() < scores[seen].min()
    assert scores[rest].tolist() == sorted(scores[rest].tolist(), reverse=True)


@pytest.mark.integration
def test_a_follow_up_is_looked_at_once_and_what_stands_alone_twice(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    look = type(bot._finder).look_again

    def seen(self: EvidenceFinder, rows: Sequence[int], *rest: Any) -> Any:
        looked.append(len(rows))
        return look(self, rows, *rest)

    bot._recall.of(["Which nerve supplies the gluteus medius?"])  # the earlier question stands alone
    monkeypatch.setattr(EvidenceFinder, "look_again", seen)
    bot.ask("and its roots?", ["Which nerve supplies the gluteus medius?"])
    assert looked == []
    bot.ask("Which nerve supplies the gluteus medius?")
    assert len(looked) == 1 and looked[0] > 0
