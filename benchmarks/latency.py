"""How long an answer takes, by kind of question, against one ``SentenceTransformer.encode`` of the same question.

Milliseconds of the whole answer (understanding, encoding, retrieval, composition) in one warm process, and the split.
CPU milliseconds stand beside them: on a busy machine only those compare. Bars: p50 ≤ 0.8 ×, p95 ≤ 1.2 ×.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.common import ROOT, built_index, percentiles, questions, save, table

_BLOCK = 40
_STAGES = ("understand", "encode", "retrieve", "compose")


def main() -> int:
    from gmedbot.bot import Bot
    from gmedbot.encoder import SentenceTransformerEncoder
    from gmedbot.settings import load_settings

    rounds = 1 if "--quick" in sys.argv else 3
    bot = Bot.open(load_settings(corpus=ROOT / "corpus", index=built_index()))
    texts = [row["question"] for row in questions()][:: 8 if rounds == 1 else 1]
    for text in texts:
        bot.ask(text)
    model = SentenceTransformerEncoder().model
    import torch

    torch.set_num_threads(1)
    for text in texts[:20]:
        model.encode([text], show_progress_bar=False)
    rows: list[dict[str, Any]] = []
    for _ in range(rounds):
        for start in range(0, len(texts), _BLOCK):
            rows.extend(_block(bot, model, texts[start : start + _BLOCK]))
    shapes = sorted({row["shape"] for row in rows})
    parts = [("all", rows), *((shape, [row for row in rows if row["shape"] == shape]) for shape in shapes)]
    figures = {name: _summary(own) for name, own in parts}
    table(
        ["questions", "n", "p50 ms", "p95 ms", "p99 ms", *_STAGES, "encode of ST p50", "ratio p50", "ratio p95", "CPU ratio"],
        [
            [name, f["n"], f["wall"]["p50"], f["wall"]["p95"], f["wall"]["p99"], *(f["split"][s] for s in _STAGES),
             f["reference"]["p50"], f["ratio"]["p50"], f["ratio"]["p95"], f["ratio"]["cpu_p50"]]
            for name, f in figures.items()
        ],
    )  # fmt: skip
    save("latency", figures)
    return 0


def _block(bot: Any, model: Any, texts: list[str]) -> list[dict[str, Any]]:
    """Some questions answered by us, then the same encoded by sentence-transformers.

    In blocks, so that both meet the same load of the machine, and yet neither finds its weights driven out of the
    processor's cache by the other at every question, as no server does.
    """
    bot.ask(texts[0])
    ours = [_timed(lambda text=text: bot.ask(text)) for text in texts]
    model.encode([texts[0]], show_progress_bar=False)
    theirs = [_timed(lambda text=text: model.encode([text], show_progress_bar=False)) for text in texts]
    return [
        {
            "shape": answer.shape,
            "wall": wall,
            "cpu": cpu,
            "reference": reference,
            "reference_cpu": reference_cpu,
            "split": {stage: answer.timings_ms.get(stage, 0.0) for stage in _STAGES},
        }
        for (answer, wall, cpu), (_, reference, reference_cpu) in zip(ours, theirs, strict=True)
    ]


def _timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result, milliseconds and CPU milliseconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    columns = {key: percentiles([row[key] for row in rows]) for key in ("wall", "cpu", "reference", "reference_cpu")}
    return {
        "n": len(rows),
        **columns,
        "split": {s: round(statistics.median(row["split"][s] for row in rows), 3) for s in _STAGES},
        "ratio": {
            "p50": columns["wall"]["p50"] / columns["reference"]["p50"],
            "p95": columns["wall"]["p95"] / columns["reference"]["p95"],
            "cpu_p50": columns["cpu"]["p50"] / columns["reference_cpu"]["p50"],
            "cpu_p95": columns["cpu"]["p95"] / columns["reference_cpu"]["p95"],
        },
    }


if __name__ == "__main__":
    sys.exit(main())
