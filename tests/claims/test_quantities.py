"""Numbers are read with what they count; what only says when a value holds is kept apart from the value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.claims.quantities import find_quantities, find_roots, quantity_distance, same_amount
from gmedbot.types import Quantity

pytestmark = pytest.mark.core


def values(text: str) -> list[tuple[float, float, str]]:
    return [(q.low, q.high, q.unit) for q in find_quantities(text) if q.kind == "value"]


def kinds(text: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for quantity in find_quantities(text):
        found.setdefault(quantity.kind, []).append(quantity.low)
    return found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It reached 81 %MVIC.", [(81, 81, "%MVIC")]),
        ("It reached 81% of MVIC.", [(81, 81, "%MVIC")]),
        ("It reached 81 % of maximum voluntary isometric contraction.", [(81, 81, "%MVIC")]),
        ("The range was 39–82 %MVIC.", [(39, 82, "%MVIC")]),
        ("Hold for 10 to 15 seconds.", [(10, 15, "s")]),
        ("The tendon was 4.5 mm thick.", [(4.5, 4.5, "mm")]),
        ("The footprint measured 438 mm².", [(438, 438, "mm²")]),
        ("The muscle weighed 1,200 g.", [(1200, 1200, "g")]),
        ("Do three sets of 12 repetitions.", [(3, 3, "set"), (12, 12, "rep")]),
        ("The hip carries 2.5 times body weight.", [(2.5, 2.5, "×BW")]),
        ("It improved in 77% of patients.", [(77, 77, "%")]),
    ],
)
def test_a_value_has_its_unit(text: str, wanted: list[tuple[float, float, str]]) -> None:
    assert values(text) == wanted


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("In 21 healthy adults, activation was 81 %MVIC.", "n", 21),
        ("Activation was high (n = 30).", "n", 30),
        ("At 8 weeks, 77% had improved.", "time", 8),
        ("With 60° of hip flexion it reached 38 %MVIC.", "angle", 60),
        ("The difference was 12% (p = 0.03).", "p", 0.03),
        ("A study of 2009 measured it.", "year", 2009),
    ],
)
def test_what_qualifies_a_value_is_not_taken_for_it(text: str, kind: str, number: float) -> None:
    found = kinds(text)
    assert number in found[kind]
    assert number not in found.get("value", [])


def test_a_spread_belongs_to_its_value() -> None:
    for text in ("It was 81 %MVIC (SD 42).", "It was 81 ± 42 %MVIC.", "It was 81 (SD 42) %MVIC."):
        (quantity,) = find_quantities(text)
        assert (quantity.low, quantity.sd, quantity.unit) == (81, 42, "%MVIC"), text


def test_bounds_and_guesses_are_marked() -> None:
    def marks(text: str) -> list[str]:
        return [quantity.comparator for quantity in find_quantities(text)]

    assert marks("It was less than 5%.") == ["<"]
    assert marks("It was at least 5%.") == [">"]
    assert marks("It was about 5%.") == ["~"]
    assert marks("It was 5%.") == [""]


def test_the_measure_nearest_to_a_number_names_it() -> None:
    sensitivity, specificity = find_quantities("The sensitivity was 72% and the specificity was 76%.")
    assert (sensitivity.measure, specificity.measure) == ("sensitivity", "specificity")


@given(st.integers(1, 999), st.sampled_from((" %MVIC", "%", " mm", " cm", " kg", "°", " weeks")), st.integers(0, 99))
def test_a_number_is_read_exactly_and_where_it_stands(whole: int, unit: str, fraction: int) -> None:
    number = f"{whole}.{fraction:02d}"
    text = f"The measured amount came to {number}{unit} in all."
    (quantity,) = find_quantities(text)
    assert quantity.low == quantity.high == float(number)
    assert text[quantity.start : quantity.end].startswith(number)


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for quantity in find_quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
        assert quantity.low <= quantity.high
    find_roots(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("L4–S1", "L4 L5 S1"),
        ("L4-S1", "L4 L5 S1"),
        ("L4 to S1", "L4 L5 S1"),
        ("L4, L5 and S1", "L4 L5 S1"),
        ("L5–S1", "L5 S1"),
        ("L4-5", "L4 L5"),
        ("the fourth and fifth lumbar and first sacral nerves", "L4 L5 S1"),
        ("l5/s1", "L5 S1"),
        ("no roots at all", ""),
    ],
)
def test_roots_are_read_in_every_spelling(text: str, wanted: str) -> None:
    assert find_roots(text) == frozenset(wanted.split())


def test_roots_are_no_quantities() -> None:
    assert find_quantities("The roots are L4–S1.") == ()


def quantity(low: float, unit: str = "%", high: float | None = None, **facts: Any) -> Quantity:
    return Quantity(low, low if high is None else high, unit, **facts)


@pytest.mark.parametrize(
    ("p", "q", "same"),
    [
        (quantity(82), quantity(83), True),
        (quantity(81, "%MVIC"), quantity(39, "%MVIC"), False),
        (quantity(4, "cm"), quantity(40, "mm"), True),
        (quantity(52, "week"), quantity(12, "month"), True),
        (quantity(10, "week"), quantity(10, "month"), False),
        (quantity(5, "kg"), quantity(5, "mm"), False),
        (quantity(30, "s", 60), quantity(45, "s"), True),
        (quantity(50, comparator=">"), quantity(70), True),
        (quantity(50, comparator=">"), quantity(30), False),
        (quantity(50, comparator="<"), quantity(70), False),
    ],
)
def test_amounts_are_compared_after_conversion_and_rounding(p: Quantity, q: Quantity, same: bool) -> None:
    assert same_amount(p, q) is same_amount(q, p) is same


UNITS = st.sampled_from(("%", "%MVIC", "mm", "cm", "in", "week", "month", "s", "min", ""))
AMOUNTS = st.builds(
    lambda low, width, unit, sign: Quantity(low, low + width, unit, comparator=sign),
    st.floats(0, 500, allow_nan=False), st.sampled_from((0.0, 0.0, 1.0, 20.0)), UNITS, st.sampled_from(("", "", "<", ">", "~")),
)  # fmt: skip


@given(AMOUNTS, AMOUNTS)
def test_comparing_amounts_does_not_depend_on_their_order(p: Quantity, q: Quantity) -> None:
    assert same_amount(p, q) == same_amount(q, p)
    assert quantity_distance(p, q) == pytest.approx(quantity_distance(q, p))


@given(AMOUNTS)
def test_an_amount_is_the_same_as_itself(p: Quantity) -> None:
    assert same_amount(p, p)
    assert quantity_distance(p, p) == 0
