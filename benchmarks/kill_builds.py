"""Kill builds with SIGKILL and check that the index always answers from one whole build.

    python benchmarks/kill_builds.py [--kills 50] [--seed 1]

Half of the kills come at random moments. The other half come at random changes of the file system (a file opened for
writing, a rename, a removal), most of them among the last, because publishing takes a moment that a clock seldom hits.
Before each build the corpus is changed, so that there is something to publish. After each kill the published build
must verify and be the old one or the new one; at the end an ordinary build must succeed and leave no left-overs.
Prints one JSON line with the counts. Needs a POSIX system.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gmedbot.errors import GmedbotError
from gmedbot.index.build import build_index
from gmedbot.index.store import Store
from gmedbot.index.verify import verify_index
from gmedbot.settings import Settings, load_settings

__all__ = ["kill_builds"]

#: Builds in a child: the imports are paid for before it says "go", so that a kill falls into the build. With a number
#: it kills itself at that change of a file below the index folder; with none it tells how many there were.
_CHILD = """
import os, signal, sys
corpus, index, full, at = sys.argv[1], sys.argv[2], sys.argv[3] == "full", int(sys.argv[4])
import bm25s, faiss, onnxruntime
import gmedbot.index.dense, gmedbot.index.lexical
from gmedbot.index.build import build_index
from gmedbot.settings import load_settings
settings = load_settings(corpus=corpus, index=index)
seen = 0
def hook(event, args):
    global seen
    if event == "open" and not (isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        return
    if event not in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"):
        return
    if not str(args[0]).startswith(index):
        return
    seen += 1
    if seen == at:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
sys.stdout.write("go\\n"); sys.stdout.flush()
build_index(settings, full=full)
sys.stdout.write(f"{seen}\\n"); sys.stdout.flush()
os._exit(0)
"""


@dataclass(frozen=True)
class _Run:
    """How a build in a child ended: killed or not, after how many seconds, with how many changes of files."""

    was_killed: bool
    seconds: float
    changes: int


def kill_builds(settings: Settings, kills: int, seed: int = 1) -> dict[str, int]:
    """Run and kill builds of a corpus, which the function changes, until ``kills`` were killed.

    Returns: how many builds were killed, how many ended first, and after how many kills the new build was published.
    Raises: AssertionError if a published build is ever not whole, or neither the old nor the new one.
    """
    chance = random.Random(seed)
    store = Store(settings.index)
    build_index(settings)
    _change(settings.corpus, -1)
    typical = _build_in_child(settings)
    counts = {"killed": 0, "ended first": 0, "killed after publishing": 0}
    for number in range(3 * kills):
        old = store.current_id()
        _change(settings.corpus, number)
        if number % 2:
            run = _build_in_child(settings, seconds=chance.uniform(0, typical.seconds), full=chance.random() < 0.3)
        else:
            late = chance.random() < 0.7
            low = max(1, typical.changes - 25) if late else 1
            run = _build_in_child(settings, at_change=chance.randint(low, typical.changes))
        _check(settings, old, run.was_killed, counts)
        if counts["killed"] == kills:
            break
    build_index(settings)
    left = [
        path.name for path in settings.index.iterdir() if path.name.startswith((".staged", ".replaced", ".CURRENT"))
    ]
    assert left == [], left
    verify_index(settings)
    return counts


def _check(settings: Settings, old: str, was_killed: bool, counts: dict[str, int]) -> None:
    """The published build is whole, and it is the old one or that of the corpus as it is now."""
    counts["killed" if was_killed else "ended first"] += 1
    report = verify_index(settings)
    if report["build"] == old:
        assert was_killed, "a build that ended must be published"
        return
    assert "offsets" in report["checked"], "the published build is neither the old nor the new one"
    counts["killed after publishing"] += was_killed


def _change(corpus: Path, number: int) -> None:
    text = (
        "---\nid: changing\ntitle: Changing\nauthors: [A]\ncontainer: B\nkind: textbook\nevidence: expert\n"
        f"topics: [anatomy]\n---\n# C\n\nThe gluteus medius has fact number {number}.\n"
    )
    (corpus / "changing.md").write_text(text, "utf-8")


def _build_in_child(settings: Settings, seconds: float | None = None, full: bool = False, at_change: int = 0) -> _Run:
    """Start a build, and kill it after ``seconds`` of building or at a change of files; let it end if neither is given."""
    command = [
        sys.executable,
        "-c",
        _CHILD,
        str(settings.corpus),
        str(settings.index),
        "full" if full else "",
        str(at_change),
    ]
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"go\n", child.stderr.read()[-800:]
        started = time.perf_counter()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        rest, errors = child.communicate()
        was_killed = child.returncode == -signal.SIGKILL
        assert was_killed or child.returncode == 0, errors[-800:]
        return _Run(was_killed, time.perf_counter() - started, 0 if was_killed else int(rest))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=Path("tests/data/deltoid"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(shutil.copytree(arguments.corpus, Path(folder) / "corpus"))
        settings = load_settings(corpus=corpus, index=Path(folder) / "index")
        started = time.perf_counter()
        try:
            counts = kill_builds(settings, arguments.kills, arguments.seed)
        except GmedbotError as error:
            sys.exit(f"the index was lost: {error}")
        sys.stdout.write(json.dumps({**counts, "seconds": round(time.perf_counter() - started, 1)}) + "\n")


if __name__ == "__main__":
    main()
