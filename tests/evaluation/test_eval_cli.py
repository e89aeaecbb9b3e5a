"""``gmedbot eval`` as others start it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gmedbot.settings import Settings
from tests.support import Outcome, RunCli

pytestmark = pytest.mark.integration


def test_run_gate_compare_and_docs_work_together(
    small_settings: Settings, gold_folder: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    gold = shutil.copytree(gold_folder, tmp_path / "evaluation")
    (tmp_path / "README.md").write_text("<!-- results:begin -->\n<!-- results:end -->\n", "utf-8")

    def ev(*arguments: str) -> Outcome:
        places = ("--corpus", small_settings.corpus, "--index", small_settings.index, "--gold", gold)
        return run_cli("eval", *arguments, *places)

    ungated = ev("run", "--gate", "--only", "safety")
    assert ungated.code == 2 and "--update-baseline" in ungated.stderr
    first = ev("run", "--update-baseline")
    assert first.code == 0, first.stderr
    assert "nugget recall (vital)" in first.stdout and (gold / "results" / "latest.json").is_file()
    gated = ev("run", "--gate", "--only", "safety,retrieval", "--json")
    assert gated.code == 0, gated.stderr
    assert json.loads(gated.stdout)["gate"] == []
    baseline = json.loads((gold / "baseline.json").read_text("utf-8"))
    baseline["splits"]["all"]["retrieval nDCG@10"]["value"] = 2.0
    (gold / "baseline.json").write_text(json.dumps(baseline), "utf-8")
    red = ev("run", "--gate", "--only", "retrieval", "--no-save")
    assert red.code == 1 and "fell: retrieval nDCG@10 (all)" in red.stdout
    compared = ev("compare", "previous", "latest")
    assert compared.code == 0 and "no measure differs" in compared.stdout
    assert ev("compare", "nothing", "latest").code == 2
    assert ev("docs", "--check").code == 1
    assert ev("docs").code == 0
    assert ev("docs", "--check").code == 0
    (tmp_path / "docs" / "evaluation.md").write_text("edited by hand", "utf-8")
    assert ev("docs", "--check").code == 1


def test_an_unknown_area_is_refused_with_the_list(small_settings: Settings, gold_folder: Path, run_cli: RunCli) -> None:
    done = run_cli(
        "eval",
        "run",
        "--only",
        "poetry",
        "--gold",
        gold_folder,
        "--corpus",
        small_settings.corpus,
        "--index",
        small_settings.index,
    )
    assert done.code == 2 and "retrieval" in done.stderr and "Traceback" not in done.stderr


def test_without_an_index_the_command_says_what_to_run(
    small_settings: Settings, gold_folder: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    done = run_cli(
        "eval", "run", "--gold", gold_folder, "--corpus", small_settings.corpus, "--index", tmp_path / "none"
    )
    assert done.code == 3 and "gmedbot index build" in done.stderr
