"""`gmedbot index build` and what follows it at 300 to 20,000 documents: time and peak memory of every step.

    python -m benchmarks.build_scale [COUNT…] [--quick]

Documents are made (see ``made_corpus``). A count with "c" (20000c) takes a cheap encoder and a cheap pair reader in place of
the networks: these take the same time for every text, so what they cost at a size is worked out from how many texts and
pairs there were, and everything else is measured. Needs /proc for the memory of a step.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import resource
import shutil
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import CACHE, emit, run_child, save, table

_COUNTS = ("300", "1000", "3000", "20000c")
_QUESTION = "Which nerve supplies the gluteus medius?"
#: step → the functions (module:name) whose own time belongs to it; what they call and is listed too is counted there.
_STEPS: dict[str, tuple[str, ...]] = {
    "reading": ("gmedbot.index.build:read_corpus",),
    "splitting and extracting": ("gmedbot.index.build:_read_out",),
    "encoding": ("gmedbot.index.cache:VectorCache.encode",),
    "choosing pairs": ("gmedbot.claims.ledger:_sorted_pairs",),
    "relating": ("gmedbot.index.build:build_ledger",),
    "pair reader": ("gmedbot.index.cache:PairCache.read",),
    "findings": ("gmedbot.claims.ledger:_group",),
    "duplicates": ("gmedbot.index.build:unexplained_copies",),
    "vector index": ("gmedbot.index.dense:DenseIndex.build", "gmedbot.index.dense:DenseIndex.save"),
    "word index": ("gmedbot.index.lexical:LexicalIndex.build", "gmedbot.index.lexical:LexicalIndex.save"),
    "writing": (
        "gmedbot.index.build:_write_rows", "gmedbot.index.build:write_claim_table", "gmedbot.index.build:write_questions",
        "gmedbot.index.build:_lexicon", "gmedbot.index.build:_english", "gmedbot.index.build:_check",
    ),
    "hashing and publishing": ("gmedbot.index.build:_manifest", "gmedbot.index.store:Store.publish"),
}  # fmt: skip


class _Clock:
    """Own CPU seconds (of all threads, so that other work on the machine does not count) and peak MiB of nested steps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peaks: dict[str, float] = {}
        self._stack: list[str] = ["the rest"]
        self._since = time.process_time()

    def _turn(self) -> None:
        now = time.process_time()
        name = self._stack[-1]
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        is_outer = len(self._stack) == 1
        self._turn()
        self._stack.append(name)
        if is_outer:
            _forget_peak()
        try:
            yield
        finally:
            self._turn()
            if is_outer:
                self.peaks[name] = max(self.peaks.get(name, 0.0), _peak())
            self._stack.pop()


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """Peak MiB since ``_forget_peak``."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found.group(1)) / 1024 if found else float("nan")


def _time_steps(clock: _Clock) -> None:
    """Wrap every function of ``_STEPS``; one that this version of the program has not is left out."""
    for step, places in _STEPS.items():
        for place in places:
            module, _, name = place.partition(":")
            owner: Any = importlib.import_module(module)
            *above, last = name.split(".")
            for part in above:
                owner = getattr(owner, part)
            if last not in vars(owner):
                continue
            raw = vars(owner)[last]
            plain = raw.__func__ if isinstance(raw, classmethod) else raw
            timed = _timed(plain, step, clock)
            setattr(owner, last, classmethod(timed) if isinstance(raw, classmethod) else timed)


def _timed(function: Callable[..., Any], step: str, clock: _Clock) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with clock.step(step):
            return function(*args, **kwargs)

    return timed


class CheapEncoder:
    """Words hashed into directions: near texts get near vectors, in microseconds. The card is the true encoder's."""

    def __init__(self, encoder: Any) -> None:
        self.card = encoder.card
        self.count_tokens = lambda text: len(text.split()) * 4 // 3
        self._rows = np.random.default_rng(1).standard_normal((4096, encoder.card.dim)).astype(np.float32)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        out = np.empty((len(texts), self.card.dim), np.float32)
        for row, text in enumerate(texts):
            words = [zlib.crc32(word.encode()) % 4096 for word in text.lower().split()]
            out[row] = self._rows[words].sum(axis=0) if words else self._rows[0]
            if progress is not None:
                progress(1)
        lengths: NDArray[np.float32] = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(out / lengths, np.float32)


class CheapReader:
    """Weighs a pair by its shared words; counts what it is asked."""

    asked = 0

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]:
        CheapReader.asked += len(pairs)
        found = np.zeros((len(pairs), 3))
        for row, (a, b) in enumerate(pairs):
            first, second = set(a.split()), set(b.split())
            share = len(first & second) / max(1, len(first | second))
            found[row] = round(6 * share - 3, 3), round(1 - 4 * abs(share - 0.6), 3), round(2 - 5 * share, 3)
        return found


def _build(corpus: Path, index: Path, is_cheap: bool) -> dict[str, Any]:
    import gmedbot.index.build as build
    from gmedbot.settings import load_settings

    settings = load_settings(corpus=corpus, index=index)
    if is_cheap:
        encoder = CheapEncoder(build._encoder(settings)[0])
        folder = build._encoder(settings)[1]
        name = build._reader(settings)[0]
        build._encoder = lambda settings: (encoder, folder)
        build._reader = lambda settings: (name, CheapReader())  # type: ignore[assignment, return-value]
    else:
        build._encoder(settings), build._reader(settings)  # exported once, and no part of what grows
    clock = _Clock()
    _time_steps(clock)
    calls = {"pairs": 0}
    taken: list[float] = [time.perf_counter()]
    pauses: list[tuple[float, str]] = []

    def tell(stage: str, done: int, total: int) -> None:
        now = time.perf_counter()
        pauses.append((now - taken[0], stage))
        taken[0] = now
        if stage == "claims":
            calls["pairs"] = max(calls["pairs"], total)

    started = time.perf_counter()
    report = build.build_index(settings, tell)
    pauses.append((time.perf_counter() - taken[0], "the end"))
    return {
        "seconds": time.perf_counter() - started, "steps": clock.seconds, "peaks": clock.peaks,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "build": report.build_id,
        "passages": report.passages, "claims": report.claims, "findings": report.findings, "texts": report.encoded,
        "pairs": calls["pairs"], "read_pairs": CheapReader.asked, "longest_silence": max(pauses),
    }  # fmt: skip


def _after(corpus: Path, index: Path, is_cheap: bool) -> dict[str, Any]:
    """Seconds of what a maintainer and a learner do next, each in a process of its own."""
    found: dict[str, Any] = {}
    commands = {
        "corpus check": ["corpus", "check", "--errors"],
        "index build, nothing new": ["index", "build"],
        "index verify": ["index", "verify"],
        "ask": ["ask", _QUESTION],
    }
    for name, words in commands.items():
        if is_cheap and name in ("index build, nothing new", "index verify"):
            continue  # they would find vectors that the true encoder does not give
        command = [
            sys.executable,
            "-m",
            "benchmarks.build_scale",
            "--cli",
            *words,
            "--corpus",
            corpus,
            "--index",
            index,
        ]
        child = run_child([str(part) for part in command])
        found[name] = {"seconds": child.seconds, "peak": child.peak_mib}
    return found


def _cli(arguments: list[str]) -> int:
    from gmedbot.cli.main import main as run

    code = run(arguments)
    sys.stderr.write(f"\npeak_mib={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}\n")
    return 0 if code in (0, 1) else code


def _child(count: str) -> int:
    number, is_cheap = int(count.rstrip("c")), count.endswith("c")
    folder = CACHE / f"build-scale-{count}"
    emit(json.dumps(_build(folder / "corpus", folder / "index", is_cheap) | {"documents": number, "cheap": is_cheap}))
    return 0


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == ["--child"]:
        return _child(words[1])
    if words[:1] == ["--cli"]:
        return _cli(words[1:])
    from benchmarks.made_corpus import make_corpus

    counts = [word for word in words if word[0] != "-"] or (["100"] if "--quick" in words else list(_COUNTS))
    rows = []
    for count in counts:
        emit(f"{count} documents …")
        folder = CACHE / f"build-scale-{count}"
        shutil.rmtree(folder, ignore_errors=True)
        make_corpus(folder / "corpus", int(count.rstrip("c")))
        row = run_child([sys.executable, "-m", "benchmarks.build_scale", "--child", count]).last_json()
        _show(row)
        row["after"] = _after(folder / "corpus", folder / "index", row["cheap"])
        table(
            ["then", "seconds", "peak MiB"], [[name, own["seconds"], own["peak"]] for name, own in row["after"].items()]
        )
        rows.append(row)
        if "--keep" not in words:
            shutil.rmtree(folder, ignore_errors=True)
    if "--no-save" in words:
        return 0
    save("build_scale", {"rows": rows})
    return 0


def _show(row: dict[str, Any]) -> None:
    emit(
        f"{row['documents']:,} documents{' (cheap networks)' if row['cheap'] else ''}: {row['passages']:,} passages, {row['claims']:,} "
        f"claims, {row['pairs']:,} pairs, {row['seconds']:.0f} s, {row['peak']:,.0f} MiB; silent for at most "
        f"{row['longest_silence'][0]:.1f} s (before {row['longest_silence'][1]})"
    )
    steps = sorted(row["steps"].items(), key=lambda pair: -pair[1])
    table(["step", "CPU seconds", "peak MiB"], [[name, took, row["peaks"].get(name, "")] for name, took in steps])


if __name__ == "__main__":
    sys.exit(main())
