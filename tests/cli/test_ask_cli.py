"""The commands that other programs call, called as they call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gmedbot.cli.main import main
from gmedbot.corpus.sources import read_corpus
from gmedbot.index.store import Store
from tests.support import SMALL_CORPUS, UNANSWERABLE, Outcome, RunCli

pytestmark = pytest.mark.integration

NERVE = "Which nerve supplies the gluteus medius?"
FIELDS = {
    "id", "question", "standalone_question", "status", "answer", "statements", "citations", "conflicts", "safety",
    "suggestions", "index", "timings_ms",
}  # fmt: skip
TEXTS = {document.source.source_id: document.text for document in read_corpus(SMALL_CORPUS)}


@pytest.fixture
def here(small_index: Path) -> list[str]:
    """The options that point at the small corpus."""
    return ["--corpus", str(SMALL_CORPUS), "--index", str(small_index)]


def rows(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.code == 0, outcome.stderr
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def lines(path: Path, *items: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), "utf-8")
    return path


def test_a_person_gets_the_answer_and_its_sources(run_cli: RunCli, here: list[str]) -> None:
    outcome = run_cli("ask", "And the roots?", "--history", NERVE, *here)
    assert outcome.code == 0 and outcome.stderr == ""
    assert outcome.stdout.startswith("(") and "gluteus medius" in outcome.stdout.splitlines()[0]
    assert "Sources\n[1] " in outcome.stdout and "Sources disagree" in outcome.stdout
    assert '    "' in outcome.stdout


def test_a_file_is_answered_line_for_line_in_its_order(run_cli: RunCli, here: list[str], tmp_path: Path) -> None:
    path = lines(
        tmp_path / "q.jsonl",
        {"id": "z", "question": NERVE},
        {"id": 7, "question": "And its roots?", "history": [NERVE]},
        {"id": "m", "question": UNANSWERABLE, "history": []},
        {"id": "a", "question": "I cannot pass urine and my groin is numb", "extra": "kept out"},
    )
    found = rows(run_cli("ask", "--file", path, "--json", *here))
    assert [row["id"] for row in found] == ["z", 7, "m", "a"]
    assert [row["status"] for row in found] == ["answered", "answered", "declined", "safety"]
    assert found[1]["question"] == "And its roots?" and "gluteus medius" in found[1]["standalone_question"]
    assert found[3]["safety"]["urgency"] == "emergency" and set(found[3]["safety"]) == {"urgency", "message", "rule"}
    for row in found:
        assert set(row) == FIELDS
        for citation in row["citations"]:
            assert citation["quote"] == TEXTS[citation["source_id"]][citation["start"] : citation["end"]]
    (piped,) = rows(run_cli("ask", "--file", "-", "--json", *here, stdin=json.dumps({"id": "z", "question": NERVE})))
    (single,) = rows(run_cli("ask", NERVE, "--json", *here))
    for row in (piped, single, found[0]):
        row.pop("timings_ms")
    assert piped == found[0]
    assert {**single, "id": "z"} == found[0] and single["id"] is None


def test_byte_order_marks_blank_lines_and_halves_of_characters_do_no_harm(
    run_cli: RunCli, here: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "q.jsonl"
    first, second = json.dumps({"id": 1, "question": NERVE}), '{"id": 2, "question": "\\ud800 ' + NERVE + '"}'
    path.write_bytes(f"\ufeff{first}\r\n\n   \n{second}".encode())
    found = rows(run_cli("ask", "--file", path, "--json", *here))
    assert [(row["id"], row["status"]) for row in found] == [(1, "answered"), (2, "answered")]
    pairs = tmp_path / "pairs.jsonl"
    pair = {"id": "ü", "a": "The gluteus medius abducts the hip.", "b": "The gluteus medius abducts the hip."}
    pairs.write_text("\ufeff" + json.dumps(pair) + '\n{"id": 2, "a": "\\udfff", "b": "It abducts the hip."}\n', "utf-8")
    compared = rows(run_cli("claims", "compare", "--file", pairs, *here))
    assert [(row["id"], row["relation"]) for row in compared] == [("ü", "agree"), (2, "different")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"id": 1, "a": "x", "b": "y"}\n{"id": 2, "a": null, "b": "y"}\n', 'pairs.jsonl:2: "a" must be a string'),
        (b'{"id": 1, "a": "x", "b": 5}\n', 'pairs.jsonl:1: "b" must be a string'),
        (b'{"id": 1, "a": "x", "b": "caf\xe9"}\n', "pairs.jsonl:1 must be UTF-8"),
        (b"id,a,b\n1,x,y\n", "pairs.jsonl:1 must be one JSON object a line"),
        (b'[{"id": 1, "a": "x", "b": "y"}]\n', "pairs.jsonl:1 must hold id, a, b"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_its_line(
    run_cli: RunCli, here: list[str], tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(content)
    outcome = run_cli("claims", "compare", "--file", path, *here)
    assert outcome.code == 2 and says in outcome.stderr and "Traceback" not in outcome.stderr


def test_statements_that_say_nothing_are_not_called_agreement(run_cli: RunCli, here: list[str]) -> None:
    (found,) = rows(run_cli("claims", "compare", "…", "The gluteus medius abducts the hip.", "--json", *here))
    assert (found["relation"], found["reason"]) == ("different", "one of them states nothing")


def test_a_bad_line_stops_with_its_file_and_line(run_cli: RunCli, here: list[str], tmp_path: Path) -> None:
    good = json.dumps({"id": 1, "question": NERVE})
    for number, bad in enumerate(
        ("{not json", '["a list"]', '{"id": 1}', '{"id": 1, "question": "q", "history": "no"}')
    ):
        path = tmp_path / f"bad{number}.jsonl"
        path.write_text(f"{good}\n\n{bad}\n", "utf-8")
        if number:  # the same parsing as in the first, without another process
            continue
        outcome = run_cli("ask", "--file", path, "--json", *here)
        assert outcome.code == 2 and f"{path}:3" in outcome.stderr and "Traceback" not in outcome.stderr
        assert len(outcome.stdout.splitlines()) == 1, "lines before it are answered"


@pytest.mark.parametrize("bad", ['["a list"]', '{"id": 1}', "17", '{"id": 1, "question": "q", "history": "no"}'])
def test_every_kind_of_bad_line_is_wrong_use(
    here: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(f"\n{bad}\n", "utf-8")
    assert main(["ask", "--file", str(path), "--json", *here]) == 2
    assert f"{path}:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["ask", "q", "--file", "q.jsonl"],
        ["ask", "--file", "no-such-file.jsonl"],
        ["retrieve"],
        ["retrieve", "q", "--top", "0"],
        ["claims", "compare", "only one"],
        ["claims", "compare", "a", "b", "--file", "pairs.jsonl"],
    ],
)
def test_wrong_use_is_exit_2_with_a_message(
    here: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main([*arguments, *here]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("gmedbot: ")


def test_unknown_options_are_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["ask", "--no-such-option"])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_without_an_index_it_says_what_to_run(run_cli: RunCli, tmp_path: Path) -> None:
    outcome = run_cli("ask", NERVE, "--corpus", SMALL_CORPUS, "--index", tmp_path / "none")
    assert (outcome.code, outcome.stdout) == (3, "")
    assert "gmedbot index build" in outcome.stderr and "Traceback" not in outcome.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "name", ["claims.jsonl", "dense.faiss", "vocabulary.json", "words/words.json", "manifest.json"]
)
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_index_is_exit_3(own_index: Path, capsys: pytest.CaptureFixture[str], name: str, damage: str) -> None:
    store = Store(own_index)
    path = store.path(store.current_id()) / name
    path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert main(["ask", NERVE, "--corpus", str(SMALL_CORPUS), "--index", str(own_index)]) == 3
    printed = capsys.readouterr()
    assert printed.out == "" and "gmedbot index" in printed.err


def test_passages_come_as_json_lines_and_as_a_trec_run(run_cli: RunCli, here: list[str], tmp_path: Path) -> None:
    path = lines(tmp_path / "q.jsonl", {"id": "q1", "question": NERVE}, {"id": "q2", "question": UNANSWERABLE})
    found = rows(run_cli("retrieve", "--file", path, "--top", "3", "--format", "jsonl", *here))
    assert [row["id"] for row in found] == ["q1", "q2"]
    for row in found:
        assert [item["rank"] for item in row["passages"]] == [1, 2, 3]
        for item in row["passages"]:
            assert set(item) == {"passage_id", "source_id", "rank", "score", "heading", "text", "start", "end"}
            assert item["text"] == TEXTS[item["source_id"]][item["start"] : item["end"]]
    outcome = run_cli("retrieve", "--file", path, "--top", "3", "--format", "trec", *here)
    run = [line.split(" ") for line in outcome.stdout.splitlines()]
    assert [(line[0], line[1], line[2], int(line[3]), line[5]) for line in run] == [
        (row["id"], "Q0", item["passage_id"], item["rank"], "gmedbot") for row in found for item in row["passages"]
    ]
    assert all(float(line[4]) == pytest.approx(item["score"]) for line, item in zip(
        run, [item for row in found for item in row["passages"]], strict=True))  # fmt: skip


def test_two_statements_are_compared(run_cli: RunCli, here: list[str]) -> None:
    a, b = "The roots of the superior gluteal nerve are L4–S1.", "The roots of the superior gluteal nerve are L5–S1."
    (row,) = rows(run_cli("claims", "compare", a, b, "--json", *here))
    assert set(row) == {"id", "relation", "reason", "type", "confidence"}
    assert (row["id"], row["relation"]) == (None, "conflict") and row["type"] and 0 <= row["confidence"] <= 1
    shown = run_cli("claims", "compare", a, b, *here)
    assert shown.code == 0 and shown.stdout.startswith("conflict (")


def test_pairs_of_a_file_are_compared_in_its_order(
    here: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nerve = "The superior gluteal nerve supplies the gluteus medius."
    path = lines(
        tmp_path / "pairs.jsonl",
        {"id": "same", "a": nerve, "b": nerve},
        {"id": "other", "a": nerve, "b": "The clamshell activated the gluteus medius to 38 %MVIC."},
        {"id": 3, "a": "", "b": "🦴"},
    )
    assert main(["claims", "compare", "--file", str(path), "--json", *here]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in found] == ["same", "other", 3]
    assert [row["relation"] for row in found][:2] == ["agree", "different"]
    assert all(row["relation"] in ("agree", "conflict", "different") for row in found)
    path.write_text('{"id": 1, "a": "x"}\n', "utf-8")
    assert main(["claims", "compare", "--file", str(path), *here]) == 2
    assert f"{path}:1" in capsys.readouterr().err


def test_statements_are_compared_without_an_index_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "The gluteus medius abducts the hip."
    arguments = ["claims", "compare", text, text, "--json", "--corpus", str(SMALL_CORPUS), "--index", str(tmp_path)]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["relation"] == "agree"


def test_claims_are_listed_shown_and_filtered(here: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "list", "--source", "test-cadaver-2012", "--json", *here]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(listed) == 3 and {row["source"] for row in listed} == {"test-cadaver-2012"}
    assert main(["claims", "show", listed[1]["id"], "--json", *here]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["frame"]["roots"] == ["L5", "S1"] and shown["relations"]
    assert main(["claims", "conflicts", "--json", *here]) == 0
    assert "L4–S1" in capsys.readouterr().out
    assert main(["claims", "list", "--source", "nobody", *here]) == 2
    assert main(["claims", "show", "nothing", *here]) == 2
    assert "gmedbot" in capsys.readouterr().err


def test_an_empty_file_of_questions_is_no_error(
    here: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text("\n \n", "utf-8")
    assert main(["ask", "--file", str(path), "--json", *here]) == 0
    assert capsys.readouterr().out == ""
