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
    vectors.encode("a", "", "three", "a")
    assert vectors.of(["a", "three", "a"]).tolist() == [[1], [5], [1]]
    assert encoder.calls == [["three", "a"]]  # the longest first: no thread is left with it at the end
    assert vectors.of(["later", "a"]).tolist() == [[5], [1]]
    assert encoder.calls[1:] == [["later"]]


def test_texts_that_are_known_or_empty_are_not_encoded() -> None:
    encoder = CountingEncoder()
    vectors = QueryVectors(encoder)
    vectors.encode("", "")
    assert encoder.calls == []


def test_work_in_the_background_is_waited_for() -> None:
    vectors = QueryVectors(CountingEncoder())
    waited = vectors.later(lambda: float(vectors.of(["question"])[0, 0]))
    assert waited() == 8


def test_an_encoder_that_fails_is_heard() -> None:
    vectors = QueryVectors(CountingEncoder())
    with pytest.raises(EncoderError, match="a broken one"):
        vectors.encode("broken")
    with pytest.raises(EncoderError, match="a broken one"):
        vectors.later(lambda: vectors.of(["broken"]))()
