"""From the start of a process to its first answer: ``gmedbot ask`` against raw sentence-transformers + FAISS.

Both answer the same question over a stored index of the project's corpus, files in the page cache. The bar is 0.12.
"""

from __future__ import annotations

import compileall
import statistics
import sys

from benchmarks.common import CACHE, ROOT, built_index, repeat, run_child, save, table

_QUESTION = "Which nerve supplies the gluteus medius?"
_BAR = 0.12


def main() -> int:
    compileall.compile_dir(ROOT / "src", quiet=2)  # as pip compiles what it installs, the other program's packages too
    times = 1 if "--quick" in sys.argv else 5
    index = built_index()
    raw = ROOT / "benchmarks" / "programs" / "raw.py"
    stored = CACHE / "raw-cold"
    if not (stored / "index.faiss").is_file():
        from gmedbot.index.reader import BuiltIndex
        from gmedbot.index.store import Store

        texts = CACHE / "cold-texts.jsonl"
        texts.parent.mkdir(parents=True, exist_ok=True)
        import json

        passages = BuiltIndex(Store(index)).passages
        texts.write_text("".join(json.dumps({"text": p.text}) + "\n" for p in passages), "utf-8")
        run_child([sys.executable, raw, "build", texts, stored])
    asks = [sys.executable, "-m", "gmedbot", "ask", "--corpus", ROOT / "corpus", "--index", index, _QUESTION]
    ours = repeat(times, lambda: run_child(asks))
    theirs = repeat(times, lambda: run_child([sys.executable, raw, "ask", stored, _QUESTION]))
    rows = [
        [name, statistics.median(c.seconds for c in runs), statistics.median(c.cpu for c in runs)]
        for name, runs in (("gmedbot ask", ours), ("raw sentence-transformers + FAISS", theirs))
    ]
    ratios = {"seconds": rows[0][1] / rows[1][1], "cpu": rows[0][2] / rows[1][2]}
    table(["from start to answer", "seconds", "CPU seconds"], [*rows, ["ratio", ratios["seconds"], ratios["cpu"]]])
    save("cold_start", {"rows": rows, "ratio": ratios, "bar": _BAR, "runs": times})
    return 0


if __name__ == "__main__":
    sys.exit(main())
