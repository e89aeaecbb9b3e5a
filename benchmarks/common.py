"""What the benchmarks share: the machine, tables, result files, child processes that are measured, and texts."""

from __future__ import annotations

import datetime
import json
import os
import platform
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "CACHE",
    "RESULTS",
    "ROOT",
    "Child",
    "built_index",
    "emit",
    "made_texts",
    "percentiles",
    "questions",
    "repeat",
    "run_child",
    "save",
    "table",
]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"
#: Peers' environments and built indexes; may be deleted at any time.
CACHE = Path(os.environ.get("GMEDBOT_BENCH_CACHE", Path.home() / ".cache" / "gmedbot" / "bench"))
_SEED = 20261122


def emit(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a Markdown table, numbers with three digits that matter."""
    shown = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[place]) for line in [list(head), *shown]) for place in range(len(head))]
    for line in [list(head), ["-" * width for width in widths], *shown]:
        emit("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
    emit()


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """The processor, cores, memory and versions that a figure belongs to, and how busy the machine was."""
    cpu = platform.processor()
    if Path("/proc/cpuinfo").is_file():
        names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        cpu = names[0] if names else cpu
    versions = {}
    for package in ("numpy", "onnxruntime", "faiss-cpu", "sentence-transformers", "torch"):
        from importlib.metadata import PackageNotFoundError, version

        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "absent"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
        "load_average": round(os.getloadavg()[0], 2),
    }


def commit() -> str:
    """The commit that is checked out, read from the files of the repository; "" outside one."""
    head = ROOT / ".git" / "HEAD"
    try:
        text = head.read_text().strip()
        if not text.startswith("ref: "):
            return text[:12]
        ref = ROOT / ".git" / text[5:]
        if ref.is_file():
            return ref.read_text().strip()[:12]
        packed = (ROOT / ".git" / "packed-refs").read_text()
        return next(line.split()[0][:12] for line in packed.splitlines() if line.endswith(text[5:]))
    except (OSError, StopIteration):
        return ""


def save(name: str, figures: Mapping[str, Any]) -> None:
    """Write ``results/<name>.json``."""
    content = {
        "benchmark": name,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": machine(),
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    emit(f"Written: benchmarks/results/{name}.json")


@dataclass(frozen=True)
class Child:
    """What a measured process took: seconds, CPU seconds, peak MiB, and what it printed."""

    seconds: float
    cpu: float
    peak_mib: float
    output: str

    def last_json(self) -> dict[str, Any]:
        return dict(json.loads(self.output.strip().splitlines()[-1]))


def run_child(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Child:
    """Run a command to its end. Raises: RuntimeError with its errors if it fails."""
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **(environment or {})}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT
    )
    output, errors = process.communicate()
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"{command}: exit {process.returncode}\n{errors[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = re.search(r"^peak_mib=([\d.]+)$", errors, re.MULTILINE)
    return Child(seconds, cpu, float(peak.group(1)) if peak else float("nan"), output)


def repeat(times: int, run: Callable[[], Child]) -> list[Child]:
    """Run several times; the first is thrown away, so that files are in the page cache for all."""
    run()
    return [run() for _ in range(times)]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 of milliseconds."""
    return {f"p{p}": round(float(np.percentile(values, p)), 3) for p in (50, 95, 99)}


def questions() -> list[dict[str, Any]]:
    """The gold questions, with their type where the file gives one."""
    rows: list[dict[str, Any]] = []
    for path in sorted((ROOT / "evaluation").glob("questions*.jsonl")):
        rows.extend(json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())
    return rows


def sentences() -> list[str]:
    """Every sentence of the project's corpus, in order."""
    from gmedbot.corpus.sources import read_corpus

    texts = (document.text for document in read_corpus(ROOT / "corpus"))
    lines = (line.strip(" -*") for text in texts for line in text.splitlines() if not line.startswith("#"))
    return [part for line in lines for part in re.split(r"(?<=[.!?]) (?=[A-Z])", line) if len(part) > 30]


def made_texts(n: int) -> Iterator[str]:
    """``n`` distinct passages of natural length, each a few sentences of the corpus; the same ones every time."""
    pool = sentences()
    rng = random.Random(_SEED)
    for number in range(n):
        picked = rng.sample(pool, rng.choice((1, 2, 2, 3, 3, 4, 6)))
        yield f"{' '.join(picked)} (case {number})"


def built_index(folder: Path | None = None) -> Path:
    """An index of the project's corpus, built in the cache if the checkout's is missing or stale."""
    from gmedbot.index.build import build_index
    from gmedbot.index.stale import is_stale
    from gmedbot.settings import load_settings

    for path in (folder, ROOT / "index", CACHE / "index"):
        if path is not None and not is_stale(load_settings(corpus=ROOT / "corpus", index=path)):
            return path
    target = folder or CACHE / "index"
    build_index(load_settings(corpus=ROOT / "corpus", index=target))
    return target
