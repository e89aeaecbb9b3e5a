"""The texts of a build → vectors: each once, from the cache where it is known, by as many workers as there are."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gmedbot.encoder import EXPORT_FORMAT, Encoder, OnnxEncoder
from gmedbot.errors import UsageError
from gmedbot.index.cache import VectorCache
from gmedbot.settings import Settings

__all__ = ["Progress", "encode_groups", "vector_key"]

#: (stage, done, total) → None; stages are "read", "model", "split", "encode", "nearest" and "groups" (in a large corpus),
#: "claims", "copies", "write".
Progress = Callable[[str, int, int], None]


def encode_groups(
    settings: Settings,
    encoder: Encoder,
    groups: Sequence[Sequence[str]],
    engine: Literal["local", "ray"],
    tell: Progress,
    full: bool,
) -> tuple[list[NDArray[np.float32]], int]:
    """The vectors of each group of texts, and how many of all had to be encoded."""
    total, before, fresh = sum(map(len, groups)), 0, 0
    found: list[NDArray[np.float32]] = []
    with VectorCache(settings.index / "cache", vector_key(encoder)) as cache, _spread(encoder, engine) as workers:
        if full:
            cache.clear()
        for texts in groups:

            def done_of(done: int, before: int = before) -> None:
                tell("encode", before + done, total)

            vectors, new = cache.encode(workers, texts, done_of)
            found.append(vectors)
            before, fresh = before + len(texts), fresh + new
    return found, fresh


@contextlib.contextmanager
def _spread(encoder: Encoder, engine: Literal["local", "ray"]) -> Iterator[Encoder]:
    """The encoder, or one that hands texts to the workers of a Ray cluster."""
    if engine == "local":
        yield encoder
        return
    if not isinstance(encoder, OnnxEncoder):
        raise UsageError(
            "--engine ray needs an encoder that can be exported to ONNX.", encoder.card.model, "--engine local"
        )
    from gmedbot.index.ray_build import RayEncoder

    with RayEncoder(encoder) as workers:
        yield workers


def vector_key(encoder: Encoder) -> str:
    """What decides a vector to its last bit: the weights, what runs them, and how they were exported."""
    card = encoder.card
    return hashlib.sha256(
        f"{card.digest} {card.engine} {card.passages} {card.max_tokens} {EXPORT_FORMAT}".encode()
    ).hexdigest()
