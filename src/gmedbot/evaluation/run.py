"""One evaluation run: areas measured in order, results gathered into one value that every report reads."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

import gmedbot
from gmedbot.errors import UsageError
from gmedbot.evaluation.areas.abstention import measure_abstention
from gmedbot.evaluation.areas.answers import measure_answers
from gmedbot.evaluation.areas.claims import measure_claims, measure_neighbours
from gmedbot.evaluation.areas.dialogues import measure_dialogues
from gmedbot.evaluation.areas.injected import measure_injected
from gmedbot.evaluation.areas.retrieval import measure_retrieval
from gmedbot.evaluation.areas.safety import measure_safety
from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import SPLITS, Gold
from gmedbot.evaluation.items import AreaResult
from gmedbot.evaluation.measures import Estimate

__all__ = ["AREAS", "Progress", "RunResult", "run_evaluation"]

Progress = Callable[[str, int, int], None]
Measure = Callable[[Bench, Gold, Callable[[int, int], None]], AreaResult]

#: Areas in the order of the report.
AREAS: Mapping[str, Measure] = {
    "retrieval": measure_retrieval,
    "answers": measure_answers,
    "dialogues": measure_dialogues,
    "claims": measure_claims,
    "neighbours": measure_neighbours,
    "abstention": measure_abstention,
    "safety": measure_safety,
    "injected": measure_injected,
}


@dataclass(frozen=True)
class RunResult:
    """Everything one run found. ``splits``: those measured; ``gold``: how the gold stands to the index."""

    id: str
    facts: Mapping[str, Any]
    splits: tuple[str, ...]
    areas: Mapping[str, AreaResult]
    gold: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def measures(self) -> dict[str, dict[str, dict[str, dict[str, Estimate]]]]:
        """split → area → system → measure → estimate."""
        return {split: {name: area.estimates(split) for name, area in self.areas.items()} for split in self.splits}


def run_evaluation(
    bench: Bench, gold: Gold, only: Sequence[str] = (), split: str = "all", progress: Progress | None = None
) -> RunResult:
    """Measure the product on the gold data.

    Args: only: areas, all by default. split: "dev", "test" or "all".
    Raises: UsageError for an unknown area; the errors of opening an index came before.
    """
    tell: Progress = progress or (lambda stage, done, total: None)
    unknown = [name for name in only if name not in AREAS]
    if unknown:
        raise UsageError(f"--only takes {', '.join(AREAS)}.", ", ".join(unknown), "gmedbot eval run --help")
    part = gold.only(split)
    stale = bench.binding.stale(part.quotes())
    areas: dict[str, AreaResult] = {}
    seconds: dict[str, float] = {}
    for name, measure in AREAS.items():
        if only and name not in only:
            continue
        started = time.perf_counter()
        areas[name] = measure(bench, part, lambda done, total, name=name: tell(name, done, total))  # type: ignore[misc]
        seconds[name] = round(time.perf_counter() - started, 2)
    splits = (*SPLITS, "all") if split == "all" else (split,)
    return RunResult(
        id=_run_id(bench.index.id),
        facts=_facts(bench, split),
        splits=splits,
        areas=areas,
        gold={
            "quotes": len(part.quotes()),
            "stale": [vars(item) for item in stale],
            "sources_missing": sorted({item.source for item in stale if item.cause == "source-missing"}),
            "left_out": _left_out(bench, part),
            "claims_lost": [vars(quote) for quote in bench.binding.lost(part.quotes())],
            "counts": _counts(part),
        },
        seconds=seconds,
    )


def _left_out(bench: Bench, gold: Gold) -> dict[str, dict[str, str]]:
    """area → id → split of the questions and turns that nothing can be measured of: the index holds none of their quotes."""
    binding = bench.binding
    questions = {q.id: q.split for q in gold.questions if not binding.grades(q.quotes)}
    turns = {t.id: d.split for d in gold.dialogues for t in d.turns if not binding.grades(t.quotes)}
    return {"retrieval": questions, "answers": questions, "dialogues": turns}


def _counts(gold: Gold) -> dict[str, int]:
    return {
        "questions": len(gold.questions),
        "dialogues": len(gold.dialogues),
        "turns": sum(len(dialogue.turns) for dialogue in gold.dialogues),
        "pairs": len(gold.pairs),
        "neighbouring pairs": len(gold.neighbours),
        "unanswerable": len(gold.unanswerable),
        "red flags": sum(message.is_red_flag for message in gold.safety),
        "harmless messages": sum(not message.is_red_flag for message in gold.safety),
        "injected documents": len(gold.injected),
    }


def _run_id(build: str) -> str:
    now = datetime.now(timezone.utc)
    return f"{now:%Y%m%d-%H%M%S}-{build[:8]}"


def _facts(bench: Bench, split: str) -> dict[str, Any]:
    manifest = bench.index.manifest
    names = ["dense_weight", "candidates", "passage_tokens", "encoder", "reranker"]
    if bench.settings.reranker is not None:
        names.append("rerank_depth")
    settings = {name: getattr(bench.settings, name) for name in names}
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "gmedbot": gmedbot.__version__,
        "index": bench.index.id,
        "corpus": manifest.corpus[:12],
        "sources": manifest.n_sources,
        "passages": manifest.n_passages,
        "claims": manifest.n_claims,
        "findings": manifest.n_findings,
        "encoder": manifest.encoder.model,
        "settings": settings,
        "settings_digest": hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12],
        "split": split,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
