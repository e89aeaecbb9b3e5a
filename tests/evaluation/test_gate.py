"""What the baseline keeps, and how a fall is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gmedbot.errors import UsageError
from gmedbot.evaluation.gate import GATED, INVARIANTS, LOWER_IS_BETTER, check_gate, load_baseline, update_baseline
from gmedbot.evaluation.items import PRODUCT, Item
from gmedbot.evaluation.run import RunResult

pytestmark = pytest.mark.integration


def _with_values(result: RunResult, area: str, **values: float) -> RunResult:
    """The run with some values of every item of an area replaced."""
    found = result.areas[area]
    items = tuple(
        replace(item, values={**item.values, PRODUCT: {**item.values[PRODUCT], **values}}) for item in found.items
    )
    return RunResult(
        result.id,
        result.facts,
        result.splits,
        {**result.areas, area: replace(found, items=items)},
        result.gold,
        result.seconds,
    )


def test_every_gated_measure_is_one_that_a_run_gives(clean_run: RunResult, baseline: dict[str, Any]) -> None:
    given = {
        (area, measure) for area, systems in clean_run.measures["all"].items() for measure in systems.get(PRODUCT, {})
    } | {("gold", name) for name in ("sources missing", "numbers changed", "claims lost", "share stale")}
    assert set(GATED) | set(INVARIANTS) <= given
    assert {name for _, name in given if name.startswith(("loss", "false", "wrongly"))} <= LOWER_IS_BETTER


def test_a_fall_within_the_tolerance_passes_and_one_beyond_it_does_not(
    clean_run: RunResult, baseline: dict[str, Any]
) -> None:
    value = clean_run.measures["all"]["retrieval"][PRODUCT]["RR@10"].value
    assert value is not None
    near = _with_values(clean_run, "retrieval", **{"RR@10": value - 0.01})
    far = _with_values(clean_run, "retrieval", **{"RR@10": 0.0})
    assert not [f for f in check_gate(near, baseline) if f.split == "all" and f.measure == "RR@10"]
    (finding,) = [f for f in check_gate(far, baseline) if f.split == "all" and f.measure == "RR@10"]
    assert finding.kind == "fell" and "baseline" in finding.wanted
    assert {name for name, _ in finding.questions} == {item.id for item in clean_run.areas["retrieval"].items}


def test_a_measure_where_less_is_better_is_red_when_it_rises(clean_run: RunResult, baseline: dict[str, Any]) -> None:
    findings = check_gate(_with_values(clean_run, "answers", **{"wrongly declined": 1.0}), baseline)
    assert ("fell", "wrongly declined") in {(f.kind, f.measure) for f in findings}
    assert not check_gate(_with_values(clean_run, "answers", **{"wrongly declined": 0.0}), baseline)


def test_only_the_questions_that_got_worse_are_named(clean_run: RunResult, baseline: dict[str, Any]) -> None:
    found = clean_run.areas["answers"]
    name = "nugget recall (vital)"
    spoilt = next(item for item in found.items if item.values[PRODUCT][name] == 1.0)

    def spoil(item: Item) -> Item:
        if item.id != spoilt.id:
            return item
        return replace(item, values={PRODUCT: {**item.values[PRODUCT], name: 0.0}})

    items = tuple(spoil(item) for item in found.items)
    areas = {**clean_run.areas, "answers": replace(found, items=items)}
    result = RunResult(clean_run.id, clean_run.facts, clean_run.splits, areas, clean_run.gold, clean_run.seconds)
    (finding,) = [f for f in check_gate(result, baseline) if f.measure == name and f.split == "all"]
    assert [key for key, _ in finding.questions] == [spoilt.id]
    assert finding.questions[0][1] == spoilt.detail["question"]


def test_a_tolerance_set_by_hand_outlives_a_new_baseline(clean_run: RunResult, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    content = update_baseline(clean_run, path)
    content["splits"]["all"]["retrieval RR@10"]["tolerance"] = 0.5
    path.write_text(json.dumps(content), "utf-8")
    update_baseline(clean_run, path)
    assert load_baseline(path)["splits"]["all"]["retrieval RR@10"]["tolerance"] == 0.5
    assert load_baseline(path)["splits"]["dev"]["retrieval RR@10"]["tolerance"] == GATED["retrieval", "RR@10"]


def test_a_part_of_a_run_cannot_become_the_baseline(clean_run: RunResult, tmp_path: Path) -> None:
    part = replace(clean_run, areas={"safety": clean_run.areas["safety"]})
    with pytest.raises(UsageError, match="whole run"):
        update_baseline(part, tmp_path / "baseline.json")


def test_a_missing_or_broken_baseline_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text("[]", "utf-8")
    for path in (tmp_path / "none.json", tmp_path / "baseline.json"):
        with pytest.raises(UsageError, match="--update-baseline"):
            load_baseline(path)
