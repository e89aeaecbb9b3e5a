"""``index diff`` says what the bot will say differently, in sources, findings, conflicts and answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gmedbot.errors import UsageError
from gmedbot.index.build import build_index
from gmedbot.index.diff import diff_builds, gold_questions, render_diff
from gmedbot.settings import Settings

pytestmark = pytest.mark.integration

QUESTION = "Which nerve roots supply the gluteus medius?"


def test_a_source_that_disagrees_shows_as_source_conflict_finding_and_answer(settings: Settings, corpus: Path) -> None:
    cadaver = corpus / "test-cadaver-2012.md"
    text = cadaver.read_text("utf-8")
    cadaver.unlink()
    old = build_index(settings).build_id
    cadaver.write_text(text, "utf-8")
    gait = corpus / "test-gait-2014.md"
    gait.write_text(
        gait.read_text("utf-8").replace("stops the pelvis from dropping", "keeps the pelvis from dropping"), "utf-8"
    )
    new = build_index(settings).build_id

    report = diff_builds(settings, [], [QUESTION])
    assert (report["old"], report["new"]) == (old, new)
    assert report["sources"] == {"added": ["test-cadaver-2012"], "removed": [], "changed": {}}
    assert [row["source"] for row in report["passages"]["changed"]] == ["test-gait-2014"]
    assert any("L5–S1" in row["text_a"] + row["text_b"] for row in report["conflicts"]["new"])
    changes = {(row["source"], row["was"], row["now"]) for row in report["findings"]}
    assert ("test-atlas-2010", "single", "disputed") in changes
    assert [row["question"] for row in report["answers"]["changed"]] == [QUESTION]
    shown = render_diff(report)
    assert "Sources added: 1\n  test-cadaver-2012" in shown
    assert "Gold questions: 1 of 1 answered differently" in shown

    back = diff_builds(settings, [new[:8], old[:8]], [])
    assert back["sources"]["removed"] == ["test-cadaver-2012"]
    assert back["conflicts"]["vanished"] == report["conflicts"]["new"]
    assert json.loads(json.dumps(back)) == back


def test_one_build_or_an_unknown_one_cannot_be_compared(settings: Settings) -> None:
    build_index(settings)
    with pytest.raises(UsageError, match="two builds"):
        diff_builds(settings, [])
    with pytest.raises(UsageError, match="nope"):
        diff_builds(settings, ["nope"])


def test_gold_questions_are_read_beside_the_corpus_and_bad_lines_are_left_out(settings: Settings, corpus: Path) -> None:
    folder = corpus.parent / "evaluation"
    folder.mkdir()
    (folder / "questions-a.jsonl").write_text('{"question": "A?"}\nnot json\n{"question": "A?"}\n{"q": 1}\n', "utf-8")
    assert gold_questions(settings) == ["A?"]
