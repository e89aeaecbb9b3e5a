"""Any BEIR-format set: read strictly, run as the product searches, scored as anyone would score the run files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gmedbot.encoder import OnnxEncoder
from gmedbot.errors import UsageError
from gmedbot.evaluation.beir import evaluate_beir, read_beir, write_runs
from gmedbot.settings import Settings, load_settings
from tests.evaluation.conftest import write_lines
from tests.support import RunCli

pytestmark = pytest.mark.integration

_DOCUMENTS = {
    "d1": ("Bread", "Sourdough bread rises with wild yeast. It needs flour, water and time."),
    "d2": (
        "Volcanoes",
        "Lava flows from a volcano when magma reaches the surface.\n# A heading in a text\nAsh falls far away.",
    ),
    "d3": ("", "The violin has four strings tuned in fifths."),
    "d4": ("An empty page", ""),
    "d5": (
        "Odd \u2028 signs",
        "Tabs\tand\x0bother separators\u2029 stay readable. ```\ncode\n``` Whales sing under water.",
    ),
    "d6": (
        "Long",
        " ".join(f"Sentence number {n} speaks of glaciers and ice." for n in range(80)) + " Penguins breed there.",
    ),
}
_QUERIES = {"q1": "how does bread rise", "q2": "what comes out of a volcano", "q3": "strings of a violin",
            "q4": "penguins breeding", "q5": "unjudged question", "q6": "songs of whales"}  # fmt: skip
_QRELS = [("q1", "d1", 1), ("q2", "d2", 2), ("q3", "d3", 1), ("q4", "d6", 1), ("q6", "d5", 1), ("q1", "d3", 0)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "set"
    (path / "qrels").mkdir(parents=True)
    write_lines(path / "corpus.jsonl", [{"_id": k, "title": t, "text": x} for k, (t, x) in _DOCUMENTS.items()])
    write_lines(path / "queries.jsonl", [{"_id": k, "text": x} for k, x in _QUERIES.items()])
    lines = ["query-id\tcorpus-id\tscore", *(f"{q}\t{d}\t{s}" for q, d, s in _QRELS)]
    (path / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path, small_settings: Settings) -> Settings:
    return load_settings(corpus=small_settings.corpus, index=tmp_path / "index")


def test_only_judged_queries_are_asked_and_a_grade_of_zero_is_no_judgement(folder: Path) -> None:
    found = read_beir(folder)
    assert set(found.queries) == {"q1", "q2", "q3", "q4", "q6"}
    assert found.qrels["q1"] == {"d1": 1}
    assert len(found.documents) == len(_DOCUMENTS)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("corpus.jsonl", '{"_id": "a"}\nnot json\n', "corpus.jsonl:2"),
        ("queries.jsonl", '{"text": "no id"}\n', "queries.jsonl:1"),
        ("queries.jsonl", '{"_id": "other", "text": "x"}\n', "queries.jsonl"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "test.tsv:2"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t0.5\n", "test.tsv:2"),
        ("qrels/test.tsv", "q1 0 d1 1\n", "test.tsv:1"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t0\n", "judgements above 0"),
        ("corpus.jsonl", '{"_id": null, "text": "a"}\n', "corpus.jsonl:1"),
        ("corpus.jsonl", '["_id"]\n', "corpus.jsonl:1"),
        ("corpus.jsonl", '{"_id": "a", "text": ["b"]}\n', 'corpus.jsonl:1: "text"'),
        ("corpus.jsonl", '{"_id": "a", "text": "b"}\n{"_id": "a", "text": "c"}\n', "corpus.jsonl:2"),
        ("queries.jsonl", '{"_id": "q1"}\n', "with its text"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(folder: Path, file: str, content: str, says: str) -> None:
    (folder / file).write_text(content, "utf-8")
    with pytest.raises(UsageError, match=says):
        read_beir(folder)


def test_a_missing_file_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"corpus\.jsonl, queries\.jsonl and qrels/test\.tsv"):
        read_beir(tmp_path)


def test_byte_order_marks_line_ends_whole_floats_and_a_missing_header_are_taken_as_meant(folder: Path) -> None:
    wanted = read_beir(folder)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        text = (folder / name).read_text("utf-8")
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_beir(folder) == wanted
    rows = "".join(f"{query}\t{document}\t{grade}.0\n" for query, document, grade in _QRELS)
    (folder / "qrels" / "test.tsv").write_text(rows, "utf-8")
    assert read_beir(folder) == wanted
    (folder / "qrels" / "test.tsv").write_text(rows.replace("\td", "\t0\td"), "utf-8")
    assert read_beir(folder) == wanted


def test_a_judged_document_that_is_not_there_counts_as_missed_and_is_named(folder: Path) -> None:
    with (folder / "qrels" / "test.tsv").open("a", encoding="utf-8") as stream:
        stream.write('q1\t"gone\t1\n')
    found = read_beir(folder)
    assert found.absent == ('"gone',)
    assert found.qrels["q1"] == {"d1": 1, '"gone': 1}


def test_an_id_with_a_blank_stays_one_column_of_the_run_file_and_of_the_qrels(tmp_path: Path) -> None:
    write_runs({"gmedbot": {"query 1": [("doc\u00a0a 1", 0.5)]}}, tmp_path, {"query 1": {"doc\u00a0a 1": 2}})
    assert (tmp_path / "gmedbot.run").read_text("utf-8") == "query%201 Q0 doc%C2%A0a%201 1 0.500000 gmedbot\n"
    assert (tmp_path / "qrels").read_text("utf-8") == "query%201 0 doc%C2%A0a%201 2\n"


def test_documents_are_found_also_by_what_stands_deep_in_a_long_or_odd_text(
    folder: Path, settings: Settings, encoder: OnnxEncoder
) -> None:
    measures, runs = evaluate_beir(read_beir(folder), settings, encoder)
    assert set(measures) == {"gmedbot", "BM25", "dense", "RRF"}
    top = {query: ranking[0][0] for query, ranking in runs["gmedbot"].items()}
    assert top == {"q1": "d1", "q2": "d2", "q3": "d3", "q4": "d6", "q6": "d5"}
    assert measures["gmedbot"]["nDCG@10"].value == pytest.approx(1.0)


def test_each_document_is_listed_once_with_falling_scores(
    folder: Path, settings: Settings, encoder: OnnxEncoder
) -> None:
    _, runs = evaluate_beir(read_beir(folder), settings, encoder)
    for run in runs.values():
        for ranking in run.values():
            names = [name for name, _ in ranking]
            scores = [score for _, score in ranking]
            assert len(set(names)) == len(names)
            assert scores == sorted(scores, reverse=True) and len(set(scores)) == len(scores)


def test_figures_agree_with_the_run_files(
    folder: Path, settings: Settings, encoder: OnnxEncoder, tmp_path: Path
) -> None:
    measures, runs = evaluate_beir(read_beir(folder), settings, encoder)
    write_runs(runs, tmp_path / "out", read_beir(folder).qrels)
    ranks: dict[str, int] = {}
    judged = {query: document for query, document, grade in _QRELS if grade}
    for line in (tmp_path / "out" / "BM25.run").read_text("utf-8").splitlines():
        query, _, name, rank, _, _ = line.split()
        if judged[query] == name:
            ranks[query] = int(rank)
    reciprocal = sum(1 / ranks[q] if ranks.get(q, 99) <= 10 else 0.0 for q in judged) / len(judged)
    assert measures["BM25"]["RR@10"].value == pytest.approx(reciprocal)


def test_the_command_line_runs_a_set_and_an_export_of_our_own(
    folder: Path, small_settings: Settings, gold_folder: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    places = ("--corpus", small_settings.corpus, "--index", small_settings.index)
    done = run_cli("eval", "beir", folder, "--json", *places)
    assert done.code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["queries"] == 5 and found["measures"]["gmedbot"]["nDCG@10"]["value"] > 0.9
    exported = run_cli("eval", "export-beir", tmp_path / "ours", "--gold", gold_folder, *places)
    assert exported.code == 0, exported.stderr
    again = read_beir(tmp_path / "ours")
    assert set(again.queries) == {"nerve", "origin", "roots", "side-lying", "clam", "night", "exercise"}
    assert run_cli("eval", "export-beir", tmp_path / "ours", "--gold", gold_folder, *places).code == 2
    assert run_cli("eval", "beir", tmp_path / "nowhere", *places).code == 2
