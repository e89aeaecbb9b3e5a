"""Search from a thousand to a million passages: milliseconds, recall, build seconds and memory, with plots.

Vectors are made, not encoded: mixtures of the corpus' own passage vectors with a little noise, so that they lie as
real ones do (random directions would be a harder problem that no corpus poses). Texts are sentences of the corpus.
Everything is streamed to disk in blocks, as a build of a large corpus is. Bars at 10⁶: R@10 ≥ 0.97 of exact, and
retrieval p50 ≤ 5 × that at 10⁴ or ≤ 5 ms, whichever is larger.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import CACHE, ROOT, built_index, emit, made_texts, percentiles, questions, run_child, save, table

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_BLOCK = 50_000


def main() -> int:
    if "--child" in sys.argv:
        return _child(int(sys.argv[-1]))
    sizes = (1_000, 10_000) if "--quick" in sys.argv else _SIZES
    rows = []
    for size in sizes:
        emit(f"{size:,} passages …")
        built = run_child([sys.executable, "-m", "benchmarks.scaling", "--child", "build", str(size)]).last_json()
        asked = run_child([sys.executable, "-m", "benchmarks.scaling", "--child", "ask", str(size)]).last_json()
        rows.append({"size": size, **built, **asked})
        shutil.rmtree(_folder(size), ignore_errors=True)
    head = ["passages", "type", "dense p50 ms", "words p50 ms", "both p50 ms", "R@10", "words R@50", "open s", "build s", "build peak MiB",
            "answering MiB", "disk MiB"]  # fmt: skip
    table(head, [
        [f"{r['size']:,}", r["type"], r["dense"]["p50"], r["words"]["p50"], r["both"]["p50"], r["recall"],
         r["word_recall"], r["open"], r["build"],
         r["build_peak"], r["peak"], r["disk"]] for r in rows
    ])  # fmt: skip
    save("scaling", {"rows": rows, "bars": {"recall": 0.97, "times": 5.0, "milliseconds": 5.0}})
    _plot(rows)
    return 0


def _folder(size: int) -> Path:
    return CACHE / f"scaling-{size}"


def _child(size: int) -> int:
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # noqa: E731
    if "build" in sys.argv:
        started = time.perf_counter()
        facts = _build(size)
        emit(json.dumps({**facts, "build": time.perf_counter() - started, "build_peak": peak()}))
    else:
        emit(json.dumps({**_ask(size), "peak": peak()}))
    return 0


def _real_vectors() -> NDArray[np.float32]:
    from gmedbot.index.reader import BuiltIndex
    from gmedbot.index.store import Store

    index = BuiltIndex(Store(built_index()))
    return np.array(index.dense.vectors(np.arange(len(index.passages))))


def made_vectors(real: NDArray[np.float32], size: int) -> Any:
    """Blocks of (≤ 50,000, dim) unit rows: two passages mixed and a fifth of noise. The same ones every time."""
    for number, start in enumerate(range(0, size, _BLOCK)):
        rng = np.random.default_rng([20261122, number])
        n = min(_BLOCK, size - start)
        share = rng.uniform(0.5, 1, (n, 1)).astype(np.float32)
        mixed = share * real[rng.integers(len(real), size=n)] + (1 - share) * real[rng.integers(len(real), size=n)]
        noise = rng.standard_normal((n, real.shape[1]), dtype=np.float32) / np.sqrt(real.shape[1])
        mixed += 0.5 * noise
        yield mixed / np.linalg.norm(mixed, axis=1, keepdims=True)


def _build(size: int) -> dict[str, Any]:
    from gmedbot.index.streaming import StreamingBuild

    folder = _folder(size)
    shutil.rmtree(folder, ignore_errors=True)
    real = _real_vectors()
    texts = made_texts(size)
    with StreamingBuild(folder, size, real.shape[1]) as build:
        for block in made_vectors(real, size):
            rows = [{"id": f"p{build.size + n}", "text": next(texts)} for n in range(len(block))]
            build.add(rows, [row["text"] for row in rows], block)
        kind = build.finish()
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
    return {"type": kind, "disk": disk}


def _ask(size: int) -> dict[str, Any]:
    from gmedbot.encoder import OnnxEncoder
    from gmedbot.index.dense import exact_nearest
    from gmedbot.index.reader import BuiltIndex
    from gmedbot.index.store import Store
    from gmedbot.index.streaming import open_streamed
    from gmedbot.retrieval.hybrid import HybridRetriever

    encoder = BuiltIndex(Store(built_index())).encoder
    assert isinstance(encoder, OnnxEncoder)
    asked = [row["question"] for row in questions()][:100]
    vectors = encoder.encode(asked)
    started = time.perf_counter()
    passages, dense, words = open_streamed(_folder(size))
    opened = time.perf_counter() - started
    hybrid = HybridRetriever(dense, words, encoder)
    for text, vector in zip(asked[:20], vectors, strict=False):
        hybrid.search(text, 10, query_vector=vector)
    times: dict[str, list[float]] = {"dense": [], "words": [], "both": []}
    found = []
    for text, vector in zip(asked, vectors, strict=True):
        a = time.perf_counter()
        found.append(set(dense.search(vector, 10)[0].tolist()))
        b = time.perf_counter()
        words.search(text, 50)
        c = time.perf_counter()
        hits = hybrid.search(text, 10, query_vector=vector)
        _ = [passages[int(row)] for row in hits.rows]
        d = time.perf_counter()
        for name, took in (("dense", b - a), ("words", c - b), ("both", d - c)):
            times[name].append(1000 * took)
    kept = _folder(size) / "dense.vectors.npy"
    source = np.load(kept, mmap_mode="r") if kept.is_file() else dense.vectors(np.arange(dense.size))
    exact = exact_nearest(source, vectors, 10)
    recall = float(np.mean([len(a & set(b.tolist())) / 10 for a, b in zip(found, exact, strict=True)]))
    return {
        "open": opened,
        "recall": recall,
        "word_recall": _word_recall(words, asked),
        **{name: percentiles(values) for name, values in times.items()},
    }


def _word_recall(words: Any, asked: list[str]) -> float:
    """Share of the 50 best rows by the whole BM25 sum that a search by words finds."""
    shares = []
    for text in asked:
        scores = words.scores(text)
        best = np.lexsort((np.arange(len(scores)), -scores))[:50]
        wanted = set(best[scores[best] > 0].tolist())
        if wanted:
            shares.append(len(wanted & set(words.search(text, 50)[0].tolist())) / len(wanted))
    return float(np.mean(shares))


def _plot(rows: list[dict[str, Any]]) -> None:
    """docs/figures/scaling.svg: time of a search, and build time and memory, over the number of passages."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        emit("No plot: pip install matplotlib")
        return
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "gmedbot"
    from matplotlib import pyplot

    sizes = [row["size"] for row in rows]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for name, label in (("dense", "vectors"), ("words", "words"), ("both", "both, fused")):
        left.plot(sizes, [row[name]["p50"] for row in rows], marker="o", label=label)
    left.set(xscale="log", yscale="log", xlabel="passages", ylabel="milliseconds, p50", title="One search")
    left.legend(frameon=False)
    right.plot(sizes, [row["build_peak"] for row in rows], marker="o", label="peak MiB, building")
    right.plot(sizes, [row["peak"] for row in rows], marker="o", label="peak MiB, answering")
    right.plot(sizes, [row["build"] for row in rows], marker="o", label="seconds, building without encoding")
    right.set(xscale="log", yscale="log", xlabel="passages", title="Building and memory")
    right.legend(frameon=False)
    target = ROOT / "docs" / "figures"
    target.mkdir(parents=True, exist_ok=True)
    figure.savefig(target / "scaling.svg", metadata={"Date": None})
    emit("Written: docs/figures/scaling.svg")


if __name__ == "__main__":
    sys.exit(main())
