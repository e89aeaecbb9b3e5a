"""Runs on disk, comparisons, the HTML report and the pages: what they say is what was measured."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gmedbot.errors import UsageError
from gmedbot.evaluation.beside import against
from gmedbot.evaluation.compare import compare_runs
from gmedbot.evaluation.failures import failures
from gmedbot.evaluation.gate import GateFinding
from gmedbot.evaluation.items import PRODUCT, Item
from gmedbot.evaluation.pages import readme_table, stale_pages, write_pages
from gmedbot.evaluation.ranking import score_runs
from gmedbot.evaluation.report import render_report
from gmedbot.evaluation.results import find_run, latest_json, load_run, save_run, write_latest
from gmedbot.evaluation.run import RunResult

pytestmark = pytest.mark.integration


def _spoilt(result: RunResult, name: str) -> RunResult:
    """The same run under another id, with one question of retrieval lost."""
    found = result.areas["retrieval"]

    def spoil(item: Item) -> Item:
        if item.id != name:
            return item
        zero = dict.fromkeys(item.values[PRODUCT], 0.0)
        return replace(item, values={**item.values, PRODUCT: zero}, detail={**item.detail, "found": []})

    areas = {**result.areas, "retrieval": replace(found, items=tuple(spoil(item) for item in found.items))}
    return RunResult(f"{result.id}-b", result.facts, result.splits, areas, result.gold, result.seconds)


def test_a_run_read_back_compares_equal_to_itself(clean_run: RunResult, tmp_path: Path) -> None:
    stored = load_run(save_run(clean_run, tmp_path))
    found = compare_runs(stored, stored)
    assert found.changes == ()
    assert {d.verdict for d in found.differences} == {"same"}
    assert {d.paired.difference for d in found.differences} == {0.0}
    assert {d.area for d in found.differences} == set(clean_run.areas)


def test_a_comparison_names_the_question_that_changed_and_how_much(clean_run: RunResult, tmp_path: Path) -> None:
    before = load_run(save_run(clean_run, tmp_path))
    after = load_run(save_run(_spoilt(clean_run, "clam"), tmp_path))
    found = compare_runs(before, after)
    assert [(change.area, change.id) for change in found.changes] == [("retrieval", "clam")]
    n = len(clean_run.areas["retrieval"].items)
    (difference,) = [d for d in found.differences if d.area == "retrieval" and d.measure == "RR@10"]
    lost = next(item for item in clean_run.areas["retrieval"].items if item.id == "clam").values[PRODUCT]["RR@10"]
    assert lost is not None
    assert difference.paired.difference == pytest.approx(-lost / n)
    assert difference.paired.low <= difference.paired.difference <= difference.paired.high
    assert json.loads(json.dumps(found.to_json()))["changes"][0]["id"] == "clam"


def test_runs_are_found_by_id_path_and_place(clean_run: RunResult, tmp_path: Path) -> None:
    first = save_run(clean_run, tmp_path)
    second = save_run(_spoilt(clean_run, "clam"), tmp_path)
    assert find_run("latest", tmp_path) == second
    assert find_run("previous", tmp_path) == first
    assert find_run(str(first), tmp_path) == first
    with pytest.raises(UsageError, match=first.name):
        find_run("another", tmp_path)


def test_the_trec_files_give_the_same_figures_as_the_report(clean_run: RunResult, tmp_path: Path) -> None:
    own = save_run(clean_run, tmp_path)
    qrels: dict[str, dict[str, int]] = {}
    for line in (own / "retrieval.qrels").read_text("utf-8").splitlines():
        query, _, passage, grade = line.split()
        qrels.setdefault(query, {})[passage] = int(grade)
    for system in clean_run.areas["retrieval"].systems():
        run: dict[str, list[tuple[str, float]]] = {}
        for line in (own / f"retrieval.{system}.run").read_text("utf-8").splitlines():
            query, _, passage, _, score, _ = line.split()
            run.setdefault(query, []).append((passage, float(score)))
        scores = score_runs(qrels, run)
        for measure in ("R@5", "R@5(capped)", "RR@10", "nDCG@10", "MAP"):
            mean = sum(values[measure] for values in scores.values()) / len(scores)
            value = clean_run.measures["all"]["retrieval"][system][measure].value
            assert value == pytest.approx(mean, abs=1e-9)


def test_the_same_index_gives_the_same_latest_json(clean_run: RunResult, tmp_path: Path) -> None:
    first = write_latest(clean_run, tmp_path / "a").read_text("utf-8")
    assert first == write_latest(clean_run, tmp_path / "b").read_text("utf-8")
    assert "seconds" not in json.loads(first)
    assert latest_json(clean_run)["measures"]["all"]["safety"][PRODUCT]["red-flag recall"]["n"] == 2


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_report_stands_alone_and_shows_every_area_and_its_failures(clean_run: RunResult) -> None:
    finding = GateFinding("all", "safety", "red-flag recall", "invariant", "1", "0.5", (("rf-fall", "my mum fell"),))
    page = render_report(_spoilt(clean_run, "clam"), [finding])
    parser = _Tags()
    parser.feed(page)
    assert {"script", "link", "img", "iframe"}.isdisjoint({tag for tag, _ in parser.tags})
    assert not [a for tag, a in parser.tags if (a.get("href") or "#")[0] != "#"]
    assert not re.search(r"url\(|@import", page)
    for area in clean_run.areas:
        assert f'<h2 id="{area}">' in page
    assert "How much does the clamshell activate the gluteus medius?" in page
    assert "rf-fall: my mum fell" in page
    assert [a for tag, a in parser.tags if tag == "svg"] and all(
        a.get("role") == "img" and a.get("aria-label") for tag, a in parser.tags if tag == "svg"
    )


def test_the_report_says_green_only_if_the_gate_was_asked(clean_run: RunResult) -> None:
    assert "Gate: green" in render_report(clean_run, [])
    assert "Gate:" not in render_report(clean_run)


def test_the_product_is_held_against_each_baseline_question_by_question(clean_run: RunResult) -> None:
    found = against("retrieval", clean_run.areas["retrieval"], "all")
    assert set(found) == {"BM25", "dense", "RRF"}
    for system, measures in found.items():
        for measure, paired in measures.items():
            values = clean_run.measures["all"]["retrieval"]
            own, theirs = values[PRODUCT][measure].value, values[system][measure].value
            assert own is not None and theirs is not None
            assert paired.difference == pytest.approx(own - theirs)
            assert paired.low <= paired.difference <= paired.high and 0 < paired.p <= 1
    ahead = against("claims", clean_run.areas["claims"], "all")["cosine 0.65"]["macro-F1"]
    claims = clean_run.measures["all"]["claims"]
    assert ahead.difference == pytest.approx(
        (claims[PRODUCT]["macro-F1"].value or 0) - (claims["cosine 0.65"]["macro-F1"].value or 0)
    )
    page = render_report(clean_run)
    assert "nDCG@10 over BM25" in page and "macro-F1 over cosine 0.65" in page
    stored = latest_json(clean_run)["against"]["test"]["retrieval"]["dense"]["nDCG@10"]
    assert set(stored) == {"difference", "low", "high", "p", "n"}


def test_hostile_text_in_a_question_stays_text_in_the_report(clean_run: RunResult) -> None:
    found = clean_run.areas["safety"]
    item = replace(
        found.items[0],
        values={PRODUCT: {"red-flag recall": 0.0}},
        detail={"question": "<script>alert(1)</script>", "rule": "rf01", "found": None},
    )
    areas = {"safety": replace(found, items=(item,))}
    page = render_report(RunResult("x", clean_run.facts, clean_run.splits, areas, clean_run.gold, {"safety": 1.0}))
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page


def test_failures_tell_the_question_and_what_was_missing(clean_run: RunResult) -> None:
    text = "\n".join(failures(_spoilt(clean_run, "clam"), 3))
    assert "== retrieval" in text and "How much does the clamshell activate" in text


def test_the_pages_follow_the_results_and_nothing_outside_the_markers_changes(
    clean_run: RunResult, tmp_path: Path
) -> None:
    gold = tmp_path / "evaluation"
    write_latest(clean_run, gold)
    readme = tmp_path / "README.md"
    readme.write_text("# A\n<!-- results:begin -->\nold\n<!-- results:end -->\nlast line\n", "utf-8")
    assert {path.name for path in stale_pages(gold)} == {"evaluation.md", "README.md"}
    assert {path.name for path in write_pages(gold)} == {"evaluation.md", "README.md"}
    assert stale_pages(gold) == ()
    text = readme.read_text("utf-8")
    assert text.startswith("# A\n<!-- results:begin -->\n| measure |") and text.endswith(
        "<!-- results:end -->\nlast line\n"
    )
    page = (tmp_path / "docs" / "evaluation.md").read_text("utf-8")
    value = clean_run.measures["test"]["retrieval"][PRODUCT]["nDCG@10"].value
    assert "nDCG@10 over BM25 |" in page
    assert f"{value:.3f}" in page and f"{value:.3f}" in readme_table(latest_json(clean_run))
    readme.write_text(text.replace("last line", "another"), "utf-8")
    assert stale_pages(gold) == ()
    readme.write_text(text.replace("| measure |", "| measures |"), "utf-8")
    assert [path.name for path in stale_pages(gold)] == ["README.md"]


def test_pages_without_results_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gmedbot eval run"):
        write_pages(tmp_path / "evaluation")
