"""``python -m benchmarks [NAME…] [--quick]``: run the benchmarks one after another, then write docs/performance.md."""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.common import ROOT, emit

NAMES = ("cold_start", "latency", "throughput", "memory", "build", "scaling", "peers")


def main() -> int:
    """Run what was asked for; a benchmark that fails is named and the rest still run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="small sizes and few repetitions: does it run at all")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    failed = []
    for name in arguments.names or NAMES:
        emit(f"== {name}")
        command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if arguments.quick else [])]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    subprocess.run([sys.executable, "-m", "benchmarks.report"], cwd=ROOT, check=True)
    if failed:
        emit(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
