"""Memory: the running app at rest, and the peak of one ``gmedbot ask``, against the peak of the raw script.

The app is the web page's server after a few questions; the bar is 0.6 × the raw sentence-transformers + FAISS script.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from pathlib import Path

from benchmarks.common import CACHE, ROOT, built_index, made_texts, run_child, save, table
from benchmarks.server import running_app

_PEAK = (
    "import os,resource,runpy,sys,atexit;"
    "atexit.register(lambda: sys.stderr.write('\\npeak_mib=%.1f\\n' % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024)));"
    "sys.argv=sys.argv[1:]; sys.path.insert(0, os.path.dirname(sys.argv[0])); runpy.run_path(sys.argv[0], run_name='__main__')"
)


def main() -> int:
    index = built_index()
    raw = ROOT / "benchmarks" / "programs" / "raw.py"
    count = 200 if "--quick" in sys.argv else 1000
    texts = CACHE / "memory-texts.jsonl"
    texts.parent.mkdir(parents=True, exist_ok=True)
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in made_texts(count)), "utf-8")
    peak = run_child([sys.executable, "-c", _PEAK, raw, "build", texts, CACHE / "raw-memory"]).peak_mib
    asking = run_child([sys.executable, "-c", _PEAK, raw, "ask", CACHE / "raw-memory", "Which nerve?"]).peak_mib
    program = CACHE / "ask.py"
    program.write_text("import sys\nfrom gmedbot.cli.main import main\nsys.exit(main(sys.argv[1:]))\n")
    own = run_child(
        [sys.executable, "-c", _PEAK, program, "ask", "--corpus", ROOT / "corpus", "--index", index, "Which nerve?"]
    ).peak_mib
    with running_app(index) as (address, process):
        for text in (
            "Which nerve supplies the gluteus medius?",
            "What are the best exercises?",
            "Where does it insert?",
        ):
            body = json.dumps({"question": text}).encode()
            request = urllib.request.Request(f"{address}/api/ask", body, {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=60).read()
        rest = _resident_mib(process)
    rows = [
        ["raw script, building and answering 1,000 texts: peak", peak, 1.0],
        ["raw script, answering: peak", asking, asking / peak],
        ["gmedbot ask: peak", own, own / peak],
        ["the app at rest", rest, rest / peak],
    ]
    table(["process", "MiB", "of the raw script's peak"], rows)
    save("memory", {"rows": rows, "bar": 0.6})
    return 0


def _resident_mib(process: int) -> float:
    """Resident memory of a process, from /proc."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else float("nan")


if __name__ == "__main__":
    sys.exit(main())
