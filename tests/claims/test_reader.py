"""The exported readers: two statements, a question beside a statement, and files that cannot be read."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from gmedbot.claims.reader import LABELS, PairReader
from gmedbot.encoder import quantise
from gmedbot.errors import EncoderError

NERVE = "The gluteus medius is supplied by the superior gluteal nerve."
PAIRS = [
    (NERVE, "The superior gluteal nerve innervates the gluteus medius."),
    (NERVE, "The inferior gluteal nerve, not the superior one, supplies the gluteus medius."),
    (NERVE, "The clamshell is done with the knees bent."),
]


def shares(reader: PairReader, pairs: list[tuple[str, str]]) -> np.ndarray:
    powers = np.exp(reader.read(pairs))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_plain_cases_are_told_apart(reader_folder: Path) -> None:
    found = shares(PairReader(reader_folder), PAIRS)
    assert [LABELS[row.argmax()] for row in found] == ["agree", "conflict", "different"]


def test_a_verdict_is_the_same_in_any_order_and_company(reader_folder: Path) -> None:
    reader = PairReader(reader_folder, mode="verdict")
    together = reader.read(PAIRS)
    assert np.array_equal(reader.read([(b, a) for a, b in PAIRS]), together)
    assert np.array_equal(reader.read(PAIRS[1:2])[0], together[1])


def test_a_question_is_answered_yes_and_no_by_what_was_found_for_it(reader_folder: Path) -> None:
    asked = [
        ("Is the gluteus medius innervated by the superior gluteal nerve?", NERVE),
        ("Is it the sciatic nerve that supplies the gluteus medius?", NERVE),
        ("Does the gluteus medius tear more often in women?", NERVE),
    ]
    found = shares(PairReader(reader_folder, mode="verdict"), asked)
    assert [LABELS[row.argmax()] for row in found] == ["agree", "conflict", "different"]


def test_a_folder_without_the_network_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="gmedbot index build --full"):
        PairReader(tmp_path, mode="verdict")


def test_making_eight_bits_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    before = logging.getLogger().level, logging.getLogger().handlers[:]
    with pytest.raises(Exception, match=r"nothing\.onnx"):
        quantise(tmp_path / "nothing.onnx", tmp_path / "eight.onnx")
    assert (logging.getLogger().level, logging.getLogger().handlers) == before
