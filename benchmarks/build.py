"""Passages a second: ``SentenceTransformer.encode`` with its defaults, and our exact and fast mode, on the same texts.

Texts have natural lengths (a few sentences). Bars: exact ≥ 1.15 ×, fast ≥ 2.5 ×. Fidelity is the lowest cosine
and the overlap of the ten nearest neighbours with those of sentence-transformers' own vectors.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from benchmarks.common import CACHE, made_texts, save, table


def main() -> int:
    from gmedbot.encoder import DEFAULT_MODEL, OnnxEncoder, SentenceTransformerEncoder, export_encoder

    count = 120 if "--quick" in sys.argv else 600
    texts = list(made_texts(count))
    reference = SentenceTransformerEncoder()
    folder = CACHE / "encoder"
    export_encoder(DEFAULT_MODEL, folder)
    exact, fast = OnnxEncoder(folder), OnnxEncoder(folder, mode="fast")
    for encoder in (exact, fast):
        encoder.encode(texts[:20])
    modes: dict[str, Any] = {
        "SentenceTransformer.encode": lambda: reference.model.encode(
            texts, normalize_embeddings=True, show_progress_bar=False
        ),
        "exact": lambda: exact.encode(texts),
        "fast": lambda: fast.encode(texts),
    }
    vectors: dict[str, Any] = {}
    best: dict[str, tuple[float, float]] = {}
    for _ in range(1 if count < 200 else 3):
        for name, run in modes.items():
            wall, cpu = time.perf_counter(), time.process_time()
            vectors[name] = np.asarray(run(), dtype=np.float32)
            took = time.perf_counter() - wall, time.process_time() - cpu
            best[name] = min(took, best.get(name, took))
    base = vectors["SentenceTransformer.encode"]
    wall0, cpu0 = best["SentenceTransformer.encode"]
    rows = [
        [name, count / wall, count / cpu, wall0 / wall, cpu0 / cpu,
         float((base * vectors[name]).sum(1).min()), _overlap(base, vectors[name])]
        for name, (wall, cpu) in best.items()
    ]  # fmt: skip
    head = ["mode", "passages/s", "a CPU second", "× wall", "× CPU", "lowest cosine", "top-10 overlap"]
    table(head, rows)
    save("build", {"head": head, "rows": rows, "bars": {"exact": 1.15, "fast": 2.5}, "texts": count})
    return 0


def _overlap(a: Any, b: Any) -> float:
    """Mean share of each text's ten nearest that both sets of vectors agree on."""
    shared = []
    for row in range(len(a)):
        first, second = (np.argsort(-(v @ v[row]), kind="stable")[1:11] for v in (a, b))
        shared.append(len(set(first.tolist()) & set(second.tolist())) / 10)
    return float(np.mean(shared))


if __name__ == "__main__":
    sys.exit(main())
