"""The better supported side is chosen by a written rule, step by step, and says which step decided."""

from __future__ import annotations

from typing import Any

import pytest

from gmedbot.claims.support import Support, better_supported, support_of
from gmedbot.types import Frame
from tests.support import make_claim, make_source

pytestmark = pytest.mark.core


def side(**facts: Any) -> Support:
    given: dict[str, Any] = {
        "evidence": "study",
        "rank": 3,
        "origins": 1,
        "sample": 20,
        "newest": 2010,
        "is_direct": True,
    }
    return Support(**{**given, **facts})


@pytest.mark.parametrize(
    ("better", "worse", "word"),
    [
        ({"is_direct": True}, {"is_direct": False, "rank": 5, "evidence": "synthesis"}, "doubtful"),
        ({"rank": 4, "evidence": "trial"}, {"origins": 9}, "randomised trial"),
        ({"origins": 3}, {"origins": 1, "sample": 900}, "independent"),
        ({"sample": 60}, {"sample": 20, "newest": 2024}, "samples"),
        ({"newest": 2020}, {"newest": 2000}, "newer"),
    ],
)
def test_each_step_of_the_rule_decides_before_the_next(
    better: dict[str, Any], worse: dict[str, Any], word: str
) -> None:
    assert better_supported([side(**better), side(**worse)])[0] == 0
    place, why = better_supported([side(**worse), side(**better)])
    assert place == 1 and word in why


@pytest.mark.parametrize("other", [{}, {"origins": 2}, {"sample": 50}, {"newest": 2025}, {"sample": 0}, {"newest": 0}])
def test_a_lead_that_is_too_small_leaves_it_undecided(other: dict[str, Any]) -> None:
    place, why = better_supported([side(), side(**other)])
    assert place is None and why.startswith("Undecided")


def test_one_side_alone_is_no_verdict() -> None:
    assert better_supported([side()])[0] is None
    assert better_supported([])[0] is None


def test_a_third_weak_side_does_not_disturb_the_best_two() -> None:
    place, _ = better_supported([side(rank=1, evidence="lay", origins=50), side(), side(rank=4, evidence="trial")])
    assert place == 2


def test_an_origin_counts_once_by_its_strongest_source() -> None:
    sources = {
        "trial": make_source("trial", evidence="trial", n=100, year=2018),
        "blog": make_source("blog", evidence="lay", lineage="trial", n=900, year=2024),
        "book": make_source("book", evidence="expert", year=2000),
    }
    claims = [make_claim(f"{name}:1", "It helps.", Frame()) for name in sources]
    found = support_of(claims, sources)
    assert (found.evidence, found.origins, found.sample, found.newest) == ("trial", 2, 100, 2018)
    assert support_of(list(reversed(claims)), sources) == found


def test_a_side_is_direct_if_one_of_its_claims_is() -> None:
    sources = {"a": make_source("a"), "b": make_source("b")}
    told = make_claim("a:1", "The page states that it helps.", Frame(is_reported=True))
    stated = make_claim("b:1", "It helps.", Frame())
    assert not support_of([told], sources).is_direct
    assert support_of([told, stated], sources).is_direct
