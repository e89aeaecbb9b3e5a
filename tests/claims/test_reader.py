"""The exported readers: two statements, a question beside a statement, and files that cannot be read."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from gmedbot.claims.reader import LABELS, PairReader
from gmedbot.errors import EncoderError
from gmedbot.quantise import quantise

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


def test_loud_channels_cost_the_others_no_bits(tmp_path: Path) -> None:
    """A network with one channel a hundred times louder than the others, and small weights on it, as transformers have them."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(3)
    table, matrix = rng.normal(size=(50, 16)).astype(np.float32), rng.normal(size=(16, 4)).astype(np.float32)
    loud = np.ones(16, dtype=np.float32)
    loud[5], matrix[5] = 100, matrix[5] / 50
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"], "gather"),
        helper.make_node("Mul", ["rows", "loud"], ["hidden"], "shout"),
        helper.make_node("MatMul", ["hidden", "matrix"], ["logits"], "linear"),
    ]
    graph = helper.make_graph(
        nodes, "loud", [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, None])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, None, 4])],
        [numpy_helper.from_array(value, name) for name, value in (("table", table), ("loud", loud), ("matrix", matrix))],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "loud.onnx"))
    samples = [{"input_ids": np.arange(start, start + 10, dtype=np.int64)[np.newaxis]} for start in (0, 10, 20)]
    unseen = {"input_ids": np.arange(30, 50, dtype=np.int64)[np.newaxis]}

    def error(name: str) -> float:
        session = onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"])
        found = session.run(None, unseen)[0]
        return float(np.abs(found - (table[unseen["input_ids"]] * loud) @ matrix).mean())

    quantise(tmp_path / "loud.onnx", tmp_path / "plain.onnx")
    quantise(tmp_path / "loud.onnx", tmp_path / "evened.onnx", samples)
    assert error("loud.onnx") < 1e-4
    assert 0 < error("evened.onnx") < error("plain.onnx") / 2
