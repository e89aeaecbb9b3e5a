"""Encoding of more than one machine can: the same encoder, run by Ray Data over as many workers as there are.

Texts are cut into blocks, each block goes to a worker that has the exported encoder open, and vectors come back by
their number. A text is encoded alone wherever it lands, so the vectors are those of a build on one machine, bit for
bit on equal processors. Only this file knows Ray.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gmedbot.encoder import EncoderCard, OnnxEncoder, Vectors
from gmedbot.errors import UsageError

__all__ = ["RayEncoder"]

#: Texts a block: some seconds of work, so that handing them over costs nothing and a lost worker loses little.
_BLOCK = 256


class RayEncoder:
    """An ``Encoder`` whose ``encode`` is a Ray Data job; counting word pieces stays in this process.

    Use as a context manager. Joins the cluster that ``RAY_ADDRESS`` names, else starts one on this machine. The folder of the encoder must be
    readable under the same path on every node (a shared file system), as Ray's own guides advise for models.

    Raises: UsageError if Ray is not installed.
    """

    def __init__(self, encoder: OnnxEncoder, workers: int | None = None) -> None:
        try:
            import ray
            import ray.data  # noqa: F401 - the part that the job needs; a bare ray lacks it
        except ModuleNotFoundError as error:
            raise UsageError(
                "--engine ray needs Ray.", f"{error.name} is absent", "pip install 'gmedbot[ray]'"
            ) from error
        self._local = encoder
        self._workers = workers
        self._is_own_cluster = False

    def __enter__(self) -> RayEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cluster if it was started here."""
        if self._is_own_cluster:
            import ray

            ray.shutdown()
            self._is_own_cluster = False

    @property
    def card(self) -> EncoderCard:
        return self._local.card

    def count_tokens(self, text: str) -> int:
        return self._local.count_tokens(text)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        vectors = np.zeros((len(texts), self.card.dim), dtype=np.float32)
        if not texts:
            return vectors
        import ray

        if not ray.is_initialized():
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            self._is_own_cluster = True
        workers = self._workers or max(1, int(ray.cluster_resources().get("CPU", os.cpu_count() or 1)))
        for block in self._job(texts, min(workers, -(-len(texts) // _BLOCK))):
            vectors[block["row"]] = np.stack(block["vector"])
            if progress is not None:
                progress(len(block["row"]))
        return vectors

    def _job(self, texts: Sequence[str], workers: int) -> Any:
        """Blocks of {"row", "vector"} as they come."""
        import ray

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        # cut here and not by a repartition: its tasks would wait for a core, and the workers hold them all
        rows = ray.data.from_items(
            [{"row": row, "text": text} for row, text in enumerate(texts)],
            override_num_blocks=max(workers, -(-len(texts) // _BLOCK)),
        )
        mode = "fast" if self.card.passages == "fast" else "exact"
        return rows.map_batches(
            _Worker,
            fn_constructor_args=(str(self._local.folder), mode),
            batch_size=None,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        ).iter_batches(batch_size=None, batch_format="numpy")


class _Worker:
    """Opens the encoder once and encodes the blocks that it is given, one thread: Ray has one worker a core."""

    def __init__(self, folder: str, mode: Any) -> None:
        self._encoder = OnnxEncoder(Path(folder), threads=1, mode=mode)

    def __call__(self, block: dict[str, Any]) -> dict[str, Any]:
        return {"row": block["row"], "vector": self._encoder.encode([str(text) for text in block["text"]])}
