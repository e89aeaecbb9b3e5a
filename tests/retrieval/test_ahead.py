"""The texts of a message are encoded once each, beside other work, and what goes wrong there is told here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.encoder import EncoderCard
from gmedbot.errors import EncoderError
from gmedbot.retrieval.ahead import QueryVectors

pytestmark = pytest.mark.core


class CountingEncoder:
    """A text becomes its length; what was encoded, and where, is kept."""

    card = EncoderCard("counting", "0", "0", 1, 64, "onnx")

    def __init__(self, wanted_before: threading.Event | None = None) -> None:
        self.seen: list[tuple[str, str]] = []
        self._wanted_before = wanted_before

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        if self._wanted_before is not None:
            assert self._wanted_before.wait(10), "the other work never ran"
        self.seen += [(text, threading.current_thread().name) for text in texts]
        if "broken" in texts:
            raise EncoderError("The encoder must be readable.", "a broken one", "gmedbot index build")
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    def count_tokens(self, text: str) -> int:
        return len(text)


def test_each_text_is_encoded_once_and_given_in_the_order_asked_for() -> None:
    encoder = CountingEncoder()
    vectors = QueryVectors(encoder)
    vectors.begin("three", "", "a", "three")
    assert vectors.of(["a", "three", "a"]).tolist() == [[1], [5], [1]]
    assert sorted(text for text, _ in encoder.seen) == ["a", "three"]


def test_work_goes_on_while_a_text_is_encoded() -> None:
    begun = threading.Event()
    encoder = CountingEncoder(wanted_before=begun)
    vectors = QueryVectors(encoder)

    def read() -> list[float]:
        begun.set()  # the encoder waits for this: run one after the other, neither would ever end
        return [float(value) for value in vectors.of(["question"])[0]]

    assert vectors.meanwhile("question", read) == [8]
    assert encoder.seen == [("question", threading.current_thread().name)]


def test_a_text_that_is_known_is_not_encoded_again() -> None:
    encoder = CountingEncoder()
    vectors = QueryVectors(encoder)
    vectors.of(["known"])
    assert vectors.meanwhile("known", lambda: "done") == "done"
    assert vectors.meanwhile("", lambda: "nothing to encode") == "nothing to encode"
    assert len(encoder.seen) == 1


def test_an_encoder_that_fails_is_heard_and_nobody_waits_for_ever() -> None:
    vectors = QueryVectors(CountingEncoder())
    with pytest.raises(EncoderError, match="a broken one"):
        vectors.meanwhile("broken", lambda: vectors.of(["broken"]))
    with pytest.raises(EncoderError, match="a broken one"):
        vectors.of(["broken"])
