"""Weights that were learned for this field, kept as a difference to the model that they were learned from.

A few layers of all-MiniLM-L6-v2 were trained on learners' questions and on pairs of statements (``training/``). What
changed is stored with 8 bits a value and a scale for each row: a third of the size of the layers, and nothing of the
published model is copied. numpy reads it; torch is only needed where the model itself is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import EncoderError

__all__ = ["adapter_path", "apply_adapter", "read_adapter", "save_adapter"]

_SCALE = "scale:"


def adapter_path(name: str) -> Path:
    """The packaged adapter ``name``: "encoder", "relator", or "verdict", which is added to the relator."""
    return Path(__file__).parent / "data" / f"{name}-adapter.npz"


def save_adapter(path: Path, base: Mapping[str, NDArray[Any]], learned: Mapping[str, NDArray[Any]]) -> None:
    """Store ``learned`` − ``base`` for every array that changed; an array that ``base`` lacks is stored whole."""
    stored: dict[str, NDArray[Any]] = {}
    for name in sorted(learned):
        value = np.asarray(learned[name], dtype=np.float32)
        start = np.asarray(base[name], dtype=np.float32) if name in base else np.zeros_like(value)
        change = value - start
        if not np.any(change):
            continue
        rows = change.reshape(len(change), -1) if change.ndim > 1 else change.reshape(1, -1)
        scale = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12) / 127
        stored[name] = np.round(rows / scale).astype(np.int8).reshape(change.shape)
        stored[_SCALE + name] = scale[:, 0].astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **stored)  # type: ignore[arg-type,unused-ignore]


def read_adapter(path: Path) -> dict[str, NDArray[np.float32]]:
    """Name → difference, float32 in the shape of the weight. Raises: EncoderError if the file cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            found: dict[str, NDArray[np.float32]] = {}
            for name in stored.files:
                if name.startswith(_SCALE):
                    continue
                change = stored[name].astype(np.float32)
                rows = change.reshape(len(change), -1) if change.ndim > 1 else change.reshape(1, -1)
                found[name] = (rows * stored[_SCALE + name][:, None]).reshape(change.shape)
            return found
    except (OSError, ValueError, KeyError) as error:
        raise EncoderError(
            f"{path.name} must hold the adapter of the encoder.", str(error), "pip install --force-reinstall gmedbot"
        ) from error


def apply_adapter(network: Any, path: Path) -> None:
    """Add the stored differences to the weights of a torch network, in place."""
    import torch

    weights: Mapping[str, Any] = network.state_dict()
    with torch.no_grad():
        for name, change in read_adapter(path).items():
            if name not in weights or tuple(weights[name].shape) != change.shape:
                raise EncoderError(
                    f"{path.name} must fit the packaged model.", f"no weight {name} of shape {change.shape}",
                    "pip install --force-reinstall gmedbot",
                )  # fmt: skip
            weights[name].add_(torch.from_numpy(change))
