"""The texts of a message are encoded once each, those that are wanted together in one call, and what goes wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.encoder import EncoderCard
from gmedbot.errors import EncoderError
from gmedbot.retrieval.ahead import QueryVectors

pytestmark = pytest.mark.core


class CountingEncoder:
    """A text becomes its length; what was encoded together is kept."""

    card = EncoderCard("counting", "0", "0", 1, 64, "onnx")

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        self.calls.append(list(texts))
        if "broken" in texts:
            raise EncoderError("The encoder must be readable.", "a broken one", "gmedbot index build")
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    def count_tokens(self, text: str) -> int:
        return len(text)


def test_each_text_is_encoded_once_and_given_in_the_order_asked_for() -> None:
    encoder = CountingEncoder()
    vectors = QueryVectors(encoder)
    assert vectors.of(["a", "three", "a"]).tolist() == [[1], [5], [1]]
    assert encoder.calls == [["three", "a"]]  # the longest first: no thread is left with it at the end
    assert vectors.of(["later", "a"]).tolist() == [[5], [1]]
    assert encoder.calls[1:] == [["later"]]


def test_texts_that_are_begun_are_encoded_once_in_the_background() -> None:
    encoder = CountingEncoder()
    vectors = QueryVectors(encoder)
    vectors.begin("whole", "", "a", "whole")
    vectors.begin("a", "two", "three")
    assert vectors.of(["three", "a", "two", "whole"]).tolist() == [[5], [1], [3], [5]]
    assert sorted(encoder.calls) == [["a"], ["three"], ["two"], ["whole"]]


def test_a_lone_text_waits_until_it_is_wanted() -> None:
    encoder = CountingEncoder()
    vectors = QueryVectors(encoder)
    vectors.begin("alone", "", "alone")
    assert encoder.calls == []
    vectors.of(["alone"])
    assert encoder.calls == [["alone"]]


def test_work_in_the_background_is_waited_for() -> None:
    vectors = QueryVectors(CountingEncoder())
    waited = vectors.later(lambda: float(vectors.of(["question"])[0, 0]))
    assert waited() == 8


def test_an_encoder_that_fails_is_heard() -> None:
    vectors = QueryVectors(CountingEncoder())
    vectors.begin("sound", "broken")
    assert vectors.of(["sound"]).tolist() == [[5]]
    with pytest.raises(EncoderError, match="a broken one"):
        vectors.of(["broken"])
    with pytest.raises(EncoderError, match="a broken one"):
        vectors.later(lambda: vectors.of(["broken"]))()
