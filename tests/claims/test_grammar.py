"""Made pairs: the relation follows from the meanings, whatever the words."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

import pytest

from training.grammar import (
    KINDS,
    Meaning,
    Words,
    _changed,
    _drawn,
    _said_value,
    made_pairs,
    read_words,
    relation,
)

pytestmark = pytest.mark.core
WORDS = read_words(is_held_out=False)
HELD = read_words(is_held_out=True)


def meaning(kind: str, sign: str, value: float = 0.0, unit: str = "", **terms: str) -> Meaning:
    return Meaning(kind, sign, tuple(sorted(terms.items())), value, unit)


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        (meaning("compare", "more", x="1", y="2", m="0"), meaning("compare", "more", x="2", y="1", m="0"), "conflict"),
        (meaning("compare", "same", x="1", y="2", m="0"), meaning("compare", "same", x="2", y="1", m="0"), "agree"),
        (meaning("compare", "more", x="1", y="2", m="0"), meaning("compare", "same", x="2", y="1", m="0"), "conflict"),
        (meaning("compare", "more", x="1", y="2", m="0"), meaning("compare", "more", x="1", y="3", m="0"), "different"),
        (meaning("compare", "more", x="1", y="2", m="0"), meaning("compare", "more", x="1", y="2", m="4"), "different"),
        (meaning("nerve", "nerve", x="1", y="2"), meaning("nerve", "nerve", x="1", y="3"), "conflict"),
        (meaning("nerve", "nerve", x="1", y="2"), meaning("nerve", "nerve", x="4", y="2"), "different"),
        (meaning("role", "main", x="1", a="2"), meaning("role", "main", x="3", a="2"), "conflict"),
        (meaning("role", "helps", x="1", a="2"), meaning("role", "helps", x="3", a="2"), "different"),
        (meaning("role", "main", x="1", a="2"), meaning("role", "helps", x="1", a="2"), None),
        (meaning("share", "is", 0.33, "share", d="1", p="2"), meaning("share", "is", 0.34, "share", d="1", p="2"), "agree"),
        (meaning("share", "is", 0.33, "share", d="1", p="2"), meaning("share", "is", 0.6, "share", d="1", p="2"), "conflict"),
        (meaning("share", "is", 0.33, "share", d="1", p="2"), meaning("share", "is", 0.4, "share", d="1", p="2"), None),
        (meaning("accuracy", "sens", 0.9, "share", x="1", d="2"), meaning("accuracy", "spec", 0.2, "share", x="1", d="2"), "different"),
        (meaning("timing", "from", 42, "time", a="1", e="2"), meaning("timing", "until", 42, "time", a="1", e="2"), "agree"),
        (meaning("effect", "up", x="1", m="2"), meaning("link", "risk", f="1", d="2"), "different"),
    ],
)  # fmt: skip
def test_the_relation_follows_from_the_meanings(a: Meaning, b: Meaning, wanted: str | None) -> None:
    assert relation(a, b) == relation(b, a) == wanted
    assert relation(a, a) == relation(b, replace(b)) == "agree"


@pytest.mark.parametrize("found", [WORDS, HELD], ids=["read", "held out"])
def test_every_kind_has_its_templates_with_each_slot_once_and_its_terms(found: Words) -> None:
    for name, kind in KINDS.items():
        for sign in kind.signs:
            for text in found.templates[name, sign]:
                slots = Counter(re.findall(r"\{(\w+)\}", text))
                assert set(slots.values()) == {1}
                assert set(kind.slots) <= set(slots), text
                assert set(slots) - set(kind.slots) <= {"v", "t", "n"}, text
        assert all(len(WORDS.of(type_)) > 2 for type_ in kind.slots.values())


def test_pairs_are_made_again_from_the_same_seed_a_third_of_each_relation() -> None:
    pairs = made_pairs(WORDS, 300, random.Random(4))
    assert pairs == made_pairs(WORDS, 300, random.Random(4))
    assert Counter(pair["relation"] for pair in pairs) == {"agree": 100, "conflict": 100, "different": 100}
    assert all("{" not in pair["a"] + pair["b"] and pair["a"] != pair["b"] for pair in pairs)
    assert {pair["kind"] for pair in pairs} == set(KINDS)


def test_what_is_held_out_is_not_read() -> None:
    def texts(words: Words) -> set[str]:
        terms = {name for rows in words.terms.values() for name in rows}
        return terms | {text for rows in words.templates.values() for text in rows}

    assert texts(WORDS)
    assert texts(HELD)
    assert not texts(WORDS) & texts(HELD)


def test_values_that_conflict_are_never_said_in_the_same_words() -> None:
    rng = random.Random(5)
    seen: Counter[str] = Counter()
    while min(seen[unit] for unit in ("share", "time", "dose", "times", "few", "count")) < 40:
        a = _drawn(rng.choice(sorted(KINDS)), WORDS, rng)
        b = _changed(a, "conflict", WORDS, rng) if a.unit else None
        if b is None or b.sign != a.sign or b.terms != a.terms:
            continue
        seen[a.unit] += 1
        said = [{_said_value(one, rng).removeprefix("about ") for _ in range(12)} for one in (a, b)]
        assert not said[0] & said[1], (a, b)
