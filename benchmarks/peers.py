"""The peers, each in its own environment, on the same texts and model, one after the other in one run.

Start to first answer (ten documents), build passages a second (1,000 documents), milliseconds of a top-ten answer
(1,000 and 10,000 documents), peak memory, and how far each agrees with the exact ten nearest: a fast wrong answer is
no answer. ``--small`` leaves out the largest size, which takes half an hour. Installing takes minutes the first time; a peer that cannot be installed or fails is named with its error.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.common import (
    CACHE,
    ROOT,
    Child,
    emit,
    made_texts,
    percentiles,
    questions,
    repeat,
    run_child,
    save,
    table,
)
from benchmarks.peers_environments import PEERS, python_of

_THREADS = {"OMP_NUM_THREADS": "1", "ANONYMIZED_TELEMETRY": "False"}


def main() -> int:
    quick = "--quick" in sys.argv
    sizes = (10, 300) if quick else (10, 1000) if "--small" in sys.argv else (10, 1000, 10_000)
    only = [name for name in sys.argv[1:] if name in PEERS]
    work = CACHE / "peer-work"
    work.mkdir(parents=True, exist_ok=True)
    files = {size: _write(work / f"texts-{size}.jsonl", "text", list(made_texts(size))) for size in sizes}
    asked = _write(
        work / "questions.jsonl", "question", [row["question"] for row in questions()][:: 20 if quick else 3]
    )
    figures: dict[str, Any] = {}
    for name in only or PEERS:
        try:
            figures[name] = _measure(name, files, asked, work, 1 if quick else 3)
        except (RuntimeError, subprocess.CalledProcessError, OSError, ValueError) as error:
            emit(f"{name}: {str(error)[-600:]}")
            figures[name] = {"error": str(error)[-600:]}
    _agreement(figures, max(sizes))
    _show(figures, sizes)
    save("peers", {"sizes": sizes, "peers": figures})
    return 0


def _write(path: Path, key: str, values: list[str]) -> Path:
    path.write_text("".join(json.dumps({key: value}) + "\n" for value in values), "utf-8")
    return path


def _measure(name: str, files: dict[int, Path], asked: Path, work: Path, times: int) -> dict[str, Any]:
    python = python_of(name)
    program = ROOT / "benchmarks" / "programs" / PEERS[name][0]
    found: dict[str, Any] = {}
    for size, texts in files.items():
        folder = work / f"{program.stem}-{size}"
        built = _run(python, program, "build", texts, folder).last_json() if size != 10_000 else {}
        if size == 10_000:
            if not (folder / "built.json").is_file():
                built = _run(python, program, "build", texts, folder).last_json()
                (folder / "built.json").write_text(json.dumps(built))
            built = json.loads((folder / "built.json").read_text())
        if size == min(files):
            starts = repeat(times, lambda folder=folder: _run(python, program, "ask", folder, "Which nerve?"))
            found["start_s"] = statistics.median(run.seconds for run in starts)
            found["start_cpu_s"] = statistics.median(run.cpu for run in starts)
            continue
        bench = _run(python, program, "bench", folder, asked, threads=True).last_json()
        found[f"build_{size}"] = built["n"] / built["build"]
        found[f"build_cpu_{size}"] = built["n"] / built["build_cpu"]
        found[f"answer_{size}"] = percentiles(bench["times"])
        found[f"answer_cpu_{size}"] = percentiles(bench["cpus"])
        found[f"build_peak_{size}"] = built["peak_mib"]
        found[f"peak_{size}"] = bench["peak_mib"]
        found[f"found_{size}"] = bench["found"]
    emit(f"{name}: done")
    return found


def _run(python: Path, program: Path, *arguments: Any, threads: bool = False) -> Child:
    environment = {"PYTHONPATH": str(ROOT / "src") if program.stem == "ours" else "", **(_THREADS if threads else {})}
    return run_child([python, program, *map(str, arguments)], environment)


def _agreement(figures: dict[str, Any], largest: int) -> None:
    """Share of the exact ten that each peer found; raw FAISS is exact."""
    exact = figures.get("raw sentence-transformers + FAISS", {}).get(f"found_{largest}")
    for own in figures.values():
        mine = own.get(f"found_{largest}")
        if exact and mine:
            own["agreement"] = statistics.mean(len(set(a) & set(b)) / 10 for a, b in zip(exact, mine, strict=True))
        for key in [key for key in own if key.startswith("found_")]:
            del own[key]


def _show(figures: dict[str, Any], sizes: tuple[int, ...]) -> None:
    middle, large = sizes[1], sizes[-1]
    head = ["peer", "start to answer, s", "CPU s", f"passages/s ({middle})", "per CPU s", f"answer p50 ms ({middle})",
            f"({large})", f"CPU ms ({large})", f"peak MiB ({large})", "R@10 of exact"]  # fmt: skip
    rows = [
        [name, own["start_s"], own["start_cpu_s"], own[f"build_{middle}"], own[f"build_cpu_{middle}"],
         own[f"answer_{middle}"]["p50"], own[f"answer_{large}"]["p50"], own[f"answer_cpu_{large}"]["p50"],
         own[f"peak_{large}"], own.get("agreement", float("nan"))]
        for name, own in figures.items() if "error" not in own
    ]  # fmt: skip
    table(head, rows)


if __name__ == "__main__":
    sys.exit(main())
