"""Yes or no, from how the statements stand to what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.answer.verdict import first_word
from gmedbot.types import Claim, Frame
from tests.support import make_claim

YES, NO, SAYS_NOTHING = (4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 4.0)
#: Probabilities of 0.87 and 0.55: above what a first word takes, and between that and what may object.
LIKELY_NO, LEANS_NO = (0.0, 2.6, 0.0), (0.0, 0.9, 0.0)


class _Reader:
    """Answers with the log-odds that the statement's text names, and remembers what it was asked."""

    def __init__(self, odds: dict[str, tuple[float, float, float]]) -> None:
        self.odds = odds
        self.asked: list[tuple[str, str]] = []

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]:
        self.asked += pairs
        return np.array([self.odds[text] for _, text in pairs])


def _claims(*texts: str) -> list[Claim]:
    return [make_claim(f"s:{place}", text, Frame()) for place, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("odds", "word"),
    [
        ([YES], "Yes."),
        ([NO], "No."),
        ([SAYS_NOTHING], ""),
        ([SAYS_NOTHING, NO], ""),
        ([NO, SAYS_NOTHING], "No."),
        ([NO, YES], "It depends."),
        ([YES, NO], "It depends."),
        ([YES, LIKELY_NO], "It depends."),
        ([YES, LEANS_NO], ""),
        ([LIKELY_NO], "No."),
        ([LEANS_NO], ""),
        ([], ""),
    ],
)
def test_the_leading_statement_says_the_word_and_the_next_may_object(
    odds: list[tuple[float, float, float]], word: str
) -> None:
    texts = [f"statement {place}" for place in range(len(odds))]
    assert first_word("Is it?", _claims(*texts), _Reader(dict(zip(texts, odds, strict=True)))) == word


@pytest.mark.parametrize(("lead", "read"), [(SAYS_NOTHING, "a"), (YES, "ab")])
def test_the_next_statement_is_read_only_if_the_first_decides(lead: tuple[float, float, float], read: str) -> None:
    reader = _Reader({"a": lead, "b": SAYS_NOTHING, "c": SAYS_NOTHING})
    first_word("My slides say so, right?", _claims("a", "a", "b", "c"), reader)
    assert reader.asked == [("My slides say so, right?", text) for text in read]
