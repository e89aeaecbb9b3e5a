"""``docs/performance.md`` from ``benchmarks/results/*.json``: every number in it was measured, none is typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.common import RESULTS, ROOT, emit

_HEAD = """# Performance

Written by `python -m benchmarks.report` from the files in `benchmarks/results/`; do not edit it. `make bench` measures
again and writes it anew. Absolute times belong to the machine that is named with each table; the ratios are what the project
holds itself to, and each compares two programs in one run on the same texts and model (all-MiniLM-L6-v2).
"""


def main() -> int:
    parts = [_HEAD]
    for name, write in _PARTS.items():
        path = RESULTS / f"{name}.json"
        if path.is_file():
            content = json.loads(path.read_text("utf-8"))
            parts.append(f"{write(content['figures'])}\n{_origin(content)}")
    target = ROOT / "docs" / "performance.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(parts), "utf-8")
    emit(f"Written: {target.relative_to(ROOT)}")
    return 0


def _origin(content: dict[str, Any]) -> str:
    machine = content["machine"]
    busy = "; the machine was busy" if machine["load_average"] > machine["cores"] else ""
    at = f", commit {content['commit']}" if content["commit"] else ""
    return (
        f"<sub>{content['date']}{at}; {machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, Python "
        f"{machine['python']}, onnxruntime {machine['versions']['onnxruntime']}, sentence-transformers "
        f"{machine['versions']['sentence-transformers']}; load average {machine['load_average']}{busy}</sub>\n"
    )


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _rows(head: list[str], rows: list[list[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_number(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cold_start(figures: dict[str, Any]) -> str:
    rows = [
        *figures["rows"],
        ["ratio (bar: " + str(figures["bar"]) + ")", figures["ratio"]["seconds"], figures["ratio"]["cpu"]],
    ]
    return "## From start to answer\n\n" + _rows(["process", "seconds", "CPU seconds"], rows)


def _latency(figures: dict[str, Any]) -> str:
    stages = ("understand", "encode", "retrieve", "compose")
    head = [
        "questions",
        "n",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        *stages,
        "ST encode p50",
        "ratio p50",
        "ratio p95",
        "CPU ratio p50",
        "p95",
    ]
    rows = [
        [name, f["n"], f["wall"]["p50"], f["wall"]["p95"], f["wall"]["p99"], *(f["split"][s] for s in stages),
         f["reference"]["p50"], f["ratio"]["p50"], f["ratio"]["p95"], f["ratio"]["cpu_p50"], f["ratio"]["cpu_p95"]]
        for name, f in figures.items()
    ]  # fmt: skip
    note = (
        "The whole answer in a warm process against one `SentenceTransformer.encode` of the same question "
        "(bars: p50 ≤ 0.8 ×, p95 ≤ 1.2 ×), by the shape of the answer; the middle columns are its parts.\n\n"
    )
    return "## An answer\n\n" + note + _rows(head, rows)


def _throughput(figures: dict[str, Any]) -> str:
    head = ["clients", "answers/s", "p50 ms", "p95 ms", "p99 ms", "errors"]
    keys = ("clients", "rate", "p50", "p95", "p99", "errors")
    note = "`POST /api/ask` of the running web app; clients share the cores with it and never pause.\n\n"
    return "## Many users\n\n" + note + _rows(head, [[row[key] for key in keys] for row in figures["rows"]])


def _memory(figures: dict[str, Any]) -> str:
    note = f"The bar for the app at rest is {figures['bar']} of the raw script's peak.\n\n"
    return "## Memory\n\n" + note + _rows(["process", "MiB", "of the raw script's peak"], figures["rows"])


def _build(figures: dict[str, Any]) -> str:
    bars = figures["bars"]
    note = f"{figures['texts']} texts of a few sentences. Bars: exact ≥ {bars['exact']} ×, fast ≥ {bars['fast']} ×.\n\n"
    return "## Encoding\n\n" + note + _rows(figures["head"], figures["rows"])


def _build_scale(figures: dict[str, Any]) -> str:
    """The largest corpus that was built, step by step."""
    row = max(figures["rows"], key=lambda row: int(row["documents"]))
    cheap = (
        " A cheap encoder and pair reader stand in for the networks, whose time grows with the texts and pairs."
        if row["cheap"]
        else ""
    )
    steps = sorted(row["steps"].items(), key=lambda pair: -pair[1])
    then = [[f"then `gmedbot {name}`", own["seconds"], own["peak"]] for name, own in row.get("after", {}).items()]
    note = (
        f"{row['documents']:,} made documents: {row['passages']:,} passages, {row['claims']:,} claims, {row['pairs']:,} pairs compared, "
        f"in {row['seconds']:,.0f} s and at most {row['peak']:,.0f} MiB.{cheap} CPU seconds and peak MiB of each step:\n\n"
    )
    rows = [[name, took, row["peaks"].get(name, "")] for name, took in steps]
    return "## Building a large corpus\n\n" + note + _rows(["step", "seconds", "peak MiB"], rows + then)


def _scaling(figures: dict[str, Any]) -> str:
    head = ["passages", "dense index", "dense p50 ms", "words p50 ms", "both p50 ms", "R@10 of exact", "words R@50", "open s", "build s",
            "build peak MiB", "answering MiB", "disk MiB"]  # fmt: skip
    rows = [
        [f"{r['size']:,}", r["type"], r["dense"]["p50"], r["words"]["p50"], r["both"]["p50"], r["recall"],
         r["word_recall"], r["open"],
         r["build"], r["build_peak"], r["peak"], r["disk"]] for r in figures["rows"]
    ]  # fmt: skip
    note = "Search and build without encoding; vectors and texts are made from the corpus (see `benchmarks/scaling.py`).\n\n"
    return (
        "## Scale\n\n"
        + note
        + _rows(head, rows)
        + "\n![search time, build time and memory by size](figures/scaling.svg)\n"
    )


def _peers(figures: dict[str, Any]) -> str:
    middle, large = figures["sizes"][1], figures["sizes"][-1]
    head = ["", "start to answer, s", "CPU s", f"passages/s ({middle:,})", "a CPU s", f"answer p50 ms ({middle:,})",
            f"({large:,})", f"CPU ms ({large:,})", f"peak MiB ({large:,})", "R@10 of exact"]  # fmt: skip
    rows, failed = [], []
    for name, own in figures["peers"].items():
        if "error" in own:
            failed.append(f"{name} did not run: `{own['error'].strip().splitlines()[-1][:160]}`")
            continue
        rows.append(
            [name, own["start_s"], own["start_cpu_s"], own[f"build_{middle}"], own[f"build_cpu_{middle}"],
             own[f"answer_{middle}"]["p50"], own[f"answer_{large}"]["p50"], own[f"answer_cpu_{large}"]["p50"],
             own[f"peak_{large}"], own.get("agreement", "–")]
        )  # fmt: skip
    note = (
        "Same texts, same model, one run, each in an environment of its own. The answer is the ten nearest texts of a "
        "question in a warm process with one thread; ours also searches words and fuses both.\n\n"
    )
    return "## Peers\n\n" + note + _rows(head, rows) + "".join(f"\n{line}\n" for line in failed)


_PARTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "cold_start": _cold_start,
    "latency": _latency,
    "throughput": _throughput,
    "memory": _memory,
    "build": _build,
    "build_scale": _build_scale,
    "scaling": _scaling,
    "peers": _peers,
}


if __name__ == "__main__":
    sys.exit(main())
