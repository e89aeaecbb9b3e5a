"""Boosted trees as arrays: worked out by hand, kept in a file, refused when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gmedbot.claims.trees import TreeFile, TreeModel
from gmedbot.errors import EncoderError

pytestmark = pytest.mark.core


def one_split() -> TreeModel:
    """Three trees; the first asks whether feature 1 is above 0.5, the others are a single leaf."""
    own = np.arange(3, dtype=np.int16)
    left, right = np.tile(own, (3, 1)), np.tile(own, (3, 1))
    left[0, 0], right[0, 0] = 1, 2
    feature, threshold, value = np.zeros((3, 3), np.int16), np.zeros((3, 3)), np.zeros((3, 3))
    feature[0, 0], threshold[0, 0] = 1, 0.5
    value[0, 1:] = 1.0, 3.0
    return TreeModel(feature, threshold, left, right, value, np.zeros(3), np.array([1]))


def test_a_row_takes_the_branch_of_its_feature_and_a_file_says_the_same(tmp_path: Path) -> None:
    rows = np.array([[9.0, 0.5], [0.0, 0.6]])
    odds = np.exp([1.0, 3.0])
    made = one_split().probabilities(rows)
    assert made[:, 0] == pytest.approx(odds / (odds + 2))
    assert made.sum(axis=1) == pytest.approx([1, 1])
    one_split().save(tmp_path / "trees.npz")
    assert np.array_equal(TreeFile(tmp_path / "trees.npz").probabilities(rows), made)
    (tmp_path / "trees.npz").write_bytes(b"x")
    with pytest.raises(EncoderError, match=r"trees\.npz"):
        TreeModel.load(tmp_path / "trees.npz")
