"""Runs on disk: a folder a run, with the measures, every item, TREC files and the report; and the small latest.json.

``evaluation/results/runs/<id>/`` is for people and for ``eval compare``; it is not in git. ``latest.json`` holds the
measures alone, is committed, and is what docs/evaluation.md and the README are written from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gmedbot.errors import UsageError
from gmedbot.evaluation.areas import abstention, claims
from gmedbot.evaluation.beside import against_json
from gmedbot.evaluation.items import AreaResult, Item, Pooled
from gmedbot.evaluation.measures import Estimate
from gmedbot.evaluation.run import AREAS, RunResult
from gmedbot.index.store import storage_errors

__all__ = ["FACETS", "StoredRun", "find_run", "latest_json", "load_run", "runs_folder", "save_run", "write_latest"]

#: area → (facet, measure) pairs that the reports break down.
FACETS: Mapping[str, Sequence[tuple[str, str]]] = {
    "retrieval": (
        ("type", "R@5(capped)"),
        ("style", "R@5(capped)"),
        ("several", "R@5(capped)"),
        ("wording", "R@5(capped)"),
    ),
    "answers": (
        ("type", "nugget recall (vital)"),
        ("style", "nugget recall (vital)"),
        ("disputed", "nugget recall (vital)"),
    ),
    "dialogues": (("turn", "R@5(capped)"), ("turn", "wrongly refused")),
    "claims": (("relation", "accuracy"), ("near miss", "accuracy"), ("type", "accuracy")),
    "neighbours": (("relation", "accuracy"),),
    "abstention": (("kind", "right"),),
    "safety": (("rule", "red-flag recall"),),
    "injected": (("kind", "harmless"),),
}
_POOLED: Mapping[str, Pooled] = {"claims": claims.POOLED, "neighbours": claims.POOLED, "abstention": abstention.POOLED}


@dataclass(frozen=True)
class StoredRun:
    """A run read back: its facts and its items, enough to compare it with another."""

    id: str
    facts: Mapping[str, Any]
    areas: Mapping[str, AreaResult]


def runs_folder(gold: Path) -> Path:
    return gold / "results" / "runs"


def latest_json(result: RunResult) -> dict[str, Any]:
    """The measures of a run as plain values: split → area → system → measure → {value, low, high, n}."""
    return {
        "id": result.id,
        "facts": dict(result.facts),
        "gold": {
            "quotes": result.gold["quotes"],
            "stale": len(result.gold["stale"]),
            "sources_missing": list(result.gold["sources_missing"]),
            "claims_lost": len(result.gold["claims_lost"]),
            "counts": result.gold["counts"],
        },
        "measures": {
            split: {
                area: {
                    system: {name: estimate.to_json() for name, estimate in found.items()}
                    for system, found in systems.items()
                }
                for area, systems in areas.items()
            }
            for split, areas in result.measures.items()
        },
        "against": against_json(result),
        "facets": _facets(result),
        "confusion": dict(result.areas["claims"].extra["confusion"]) if "claims" in result.areas else {},
        "seconds": dict(result.seconds),
    }


def _facets(result: RunResult) -> dict[str, Any]:
    """area → "facet: measure" → value of the facet → estimate, over all splits of the run."""
    return {
        area: {
            f"{facet}: {measure}": {
                name: estimate.to_json() for name, estimate in result.areas[area].by_facet(facet, measure).items()
            }
            for facet, measure in pairs
        }
        for area, pairs in FACETS.items()
        if area in result.areas
    }


def write_latest(result: RunResult, gold: Path) -> Path:
    """Write ``results/latest.json``. Keys are sorted and times left out, so that equal results give an equal file."""
    content = latest_json(result)
    content.pop("seconds")
    path = gold / "results" / "latest.json"
    _write(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return path


def save_run(result: RunResult, folder: Path) -> Path:
    """Write everything about a run into ``folder/<run id>``: result.json, items.json, TREC runs and qrels."""
    own = folder / result.id
    _write(own / "result.json", json.dumps(latest_json(result), indent=1, ensure_ascii=False) + "\n")
    items = {
        area: [asdict(item) for item in found.items]  # facets and details are plain values
        for area, found in result.areas.items()
    }
    head = {"id": result.id, "facts": dict(result.facts), "items": items}
    _write(own / "items.json", json.dumps(head, ensure_ascii=False) + "\n")
    for area, found in result.areas.items():
        for system, run in found.run_files.items():
            name = system.replace(" ", "-")
            lines = (
                f"{query} Q0 {passage} {rank} {score:.6f} {name}\n"
                for query, ranking in run.items()
                for rank, (passage, score) in enumerate(ranking, start=1)
            )
            _write(own / f"{area}.{name}.run", "".join(lines))
        if found.qrels:
            grades = (
                f"{query} 0 {name} {grade}\n" for query, own_ in found.qrels.items() for name, grade in own_.items()
            )
            _write(own / f"{area}.qrels", "".join(grades))
    return own


def _write(path: Path, text: str) -> None:
    with storage_errors(f"Writing {path.name}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def find_run(name: str, folder: Path) -> Path:
    """A run's folder by id, by path, or as "latest" / "previous".

    Raises: UsageError listing the runs that there are.
    """
    known = sorted(path.parent.name for path in folder.glob("*/items.json"))
    place = {"latest": -1, "previous": -2}.get(name)
    if place is not None and len(known) >= -place:
        return folder / known[place]
    for path in (folder / name, Path(name)):
        if (path / "items.json").is_file():
            return path
    raise UsageError(
        f"{name!r} must be a run: an id, a folder, latest or previous.",
        f"{len(known)} runs: {', '.join(known[-5:]) or 'none'}",
        "gmedbot eval run",
    )


def load_run(path: Path) -> StoredRun:
    """Read a run's items back. Raises: UsageError if the file is not one."""
    try:
        data = json.loads((path / "items.json").read_text("utf-8"))
        areas = {
            area: AreaResult(area, tuple(Item(**item) for item in items), _POOLED.get(area))
            for area, items in data["items"].items()
            if area in AREAS
        }
        return StoredRun(str(data["id"]), data["facts"], areas)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}/items.json must be a stored run.", str(error), "gmedbot eval run") from error


def estimate_of(cell: Mapping[str, Any]) -> Estimate:
    """The estimate behind a cell of latest.json."""
    return Estimate(cell["value"], cell["low"], cell["high"], cell["n"])
