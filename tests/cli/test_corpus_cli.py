"""``gmedbot corpus``, ``init``, ``verify`` and ``doctor`` as people and programs start them."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from gmedbot.corpus.sources import read_corpus
from tests.support import ROOT, SMALL_CORPUS, RunCli

pytestmark = pytest.mark.integration

DELTOID = ROOT / "tests" / "data" / "deltoid"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(SMALL_CORPUS, tmp_path / "corpus"))
    shutil.copytree(DELTOID / "vocabulary", folder / "vocabulary")
    return folder


def test_show_text_is_the_document_text_to_the_last_character(run_cli: RunCli, small_corpus: Path) -> None:
    for document in read_corpus(small_corpus)[:2]:
        done = run_cli("corpus", "show", document.source.source_id, "--text", "--corpus", small_corpus)
        assert (done.code, done.stdout) == (0, document.text)


def test_show_gives_a_card_or_json_and_names_near_ids(run_cli: RunCli, small_corpus: Path) -> None:
    card = run_cli("corpus", "show", "test-emg-2009", "--corpus", small_corpus)
    assert "Kestrel DL" in card.stdout
    data = json.loads(run_cli("corpus", "show", "test-emg-2009", "--json", "--corpus", small_corpus).stdout)
    assert (data["n"], data["path"]) == (21, "test-emg-2009.md")
    missing = run_cli("corpus", "show", "test-emg-2008", "--corpus", small_corpus)
    assert missing.code == 2
    assert "near: test-emg-2009" in missing.stderr


def test_list_filters_and_gives_json_lines(run_cli: RunCli, small_corpus: Path) -> None:
    rows = [
        json.loads(line) for line in run_cli("corpus", "list", "--json", "--corpus", small_corpus).stdout.splitlines()
    ]
    assert [row["source_id"] for row in rows] == sorted(row["source_id"] for row in rows)
    assert len(rows) == 6
    table = run_cli("corpus", "list", "--evidence", "study", "--topic", "anatomy", "--corpus", small_corpus).stdout
    assert table.splitlines()[1].startswith("test-cadaver-2012\t2012\tcadaver-study\tstudy")
    assert len(table.splitlines()) == 2


def test_check_exits_with_one_on_errors_and_prints_file_and_line(run_cli: RunCli, corpus: Path) -> None:
    assert run_cli("corpus", "check", "--errors", "--corpus", corpus).code == 0
    atlas = corpus / "test-atlas-2010.md"
    atlas.write_text(atlas.read_text("utf-8") + "It also flexes the hip.\n", "utf-8")
    done = run_cli("corpus", "check", "--corpus", corpus)
    assert done.code == 1
    assert "test-atlas-2010.md:28: [not-self-contained]" in done.stdout
    report = json.loads(run_cli("corpus", "check", "--json", "--corpus", corpus).stdout)
    assert report["errors"] == 1
    assert report["ok"] is False
    assert {"path", "line", "rule", "message", "level"} == set(report["findings"][0])


def test_add_says_when_it_begins_a_new_corpus(run_cli: RunCli, corpus: Path, tmp_path: Path) -> None:
    page = ROOT / "tests" / "data" / "pages" / "leaflet.html"
    begun = run_cli("corpus", "add", page, "--yes", "--corpus", tmp_path / "corpsu")
    assert begun.code == 0
    assert "corpsu did not exist: a new corpus was begun" in begun.stderr
    assert "did not exist" not in run_cli("corpus", "add", page, "--yes", "--corpus", corpus).stderr


def test_add_previews_asks_and_writes_only_after_yes(run_cli: RunCli, corpus: Path, tmp_path: Path) -> None:
    page = ROOT / "tests" / "data" / "pages" / "leaflet.html"
    refused = run_cli("corpus", "add", page, "--corpus", corpus, stdin="n\n")
    assert refused.code == 1
    assert "Greater trochanteric pain syndrome" in refused.stdout
    assert "Nothing was written." in refused.stdout
    preview = json.loads(run_cli("corpus", "add", page, "--json", "--corpus", corpus).stdout)
    assert preview["written"] is None
    before = len(list(corpus.glob("*.md")))
    done = run_cli(
        "corpus",
        "add",
        page,
        "--yes",
        "--id",
        "leaflet",
        "--kind",
        "patient-information",
        "--topics",
        "injury,treatment",
        "--corpus",
        corpus,
    )
    assert done.code == 0, done.stderr
    assert len(list(corpus.glob("*.md"))) == before + 1
    (source,) = [d.source for d in read_corpus(corpus) if d.source.source_id == "leaflet"]
    assert (source.kind, source.evidence, source.topics, source.is_full_text) == (
        "patient-information",
        "lay",
        ("injury", "treatment"),
        True,
    )


def test_add_takes_what_it_can_and_says_why_not_the_rest(run_cli: RunCli, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("", "utf-8")
    (tmp_path / "good.txt").write_text("The gluteus medius abducts the hip in open-chain tasks.\n", "utf-8")
    done = run_cli(
        "corpus",
        "add",
        tmp_path / "empty.txt",
        tmp_path / "good.txt",
        "http://127.0.0.1:9/x",
        "--yes",
        "--json",
        "--corpus",
        corpus,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.code == 1
    assert [bool(row["written"]) for row in rows] == [False, True, False]
    assert rows[0]["refused"]["found"] == "it is empty"
    assert "private or local" in rows[2]["refused"]["found"]


def test_verify_checks_an_export_against_the_corpus(run_cli: RunCli, corpus: Path, tmp_path: Path) -> None:
    document = next(d for d in read_corpus(corpus) if d.source.source_id == "test-atlas-2010")
    quote = "The gluteus medius abducts the hip."
    start = document.text.index(quote)
    citation = {"n": 1, "source_id": "test-atlas-2010", "quote": quote, "start": start, "end": start + len(quote)}
    answer = {"statements": [{"text": quote, "citations": [1]}], "citations": [citation]}
    export = tmp_path / "export.json"
    export.write_text(
        json.dumps({"format": "gmedbot-conversation/1", "turns": [{"question": "?", "answer": answer}]}), "utf-8"
    )
    assert run_cli("verify", export, "--corpus", corpus).code == 0
    citation["start"] = start - 1
    export.write_text(
        json.dumps({"format": "gmedbot-conversation/1", "turns": [{"question": "?", "answer": answer}]}), "utf-8"
    )
    bad = run_cli("verify", export, "--json", "--corpus", corpus)
    assert bad.code == 1
    assert "the quote stands elsewhere" in json.loads(bad.stdout)["problems"][0]
    assert run_cli("verify", tmp_path / "none.json").code == 2


def test_doctor_finds_what_is_wrong_and_names_the_command(
    run_cli: RunCli, small_index: Path, small_corpus: Path, tmp_path: Path
) -> None:
    well = json.loads(run_cli("doctor", "--json", "--corpus", small_corpus, "--index", small_index).stdout)
    assert well["ok"] is True
    assert {check["name"] for check in well["checks"]} == {
        "python",
        "packages",
        "model",
        "larger",
        "reranker",
        "corpus",
        "index",
        "freshness",
        "gate",
        "disk",
        "port",
    }
    ill = run_cli("doctor", "--corpus", small_corpus, "--index", tmp_path / "none")
    assert ill.code == 3
    assert "→ gmedbot index build" in ill.stdout
    assert "Traceback" not in ill.stderr


def test_doctor_sees_a_taken_port(small_index: Path, small_corpus: Path) -> None:
    from gmedbot.cli.doctor import examine
    from gmedbot.settings import load_settings

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = load_settings(corpus=small_corpus, index=small_index, port=taken.getsockname()[1])
        (port,) = [check for check in examine(settings) if check.name == "port"]
    assert port.status == "warning"
    assert f"--port {settings.port + 1}" in port.fix


def test_init_makes_a_corpus_that_checks_once_it_has_a_digest(run_cli: RunCli, tmp_path: Path) -> None:
    folder = tmp_path / "triceps"
    assert run_cli("init", folder, "--subject", "triceps brachii").code == 0
    assert run_cli("init", folder).code == 2  # never over what is there
    assert run_cli("corpus", "check", "--corpus", folder).code == 1  # no source yet
    digest = (folder / "digest.txt").read_text("utf-8").replace("author-2020", "first").replace("…", "the humerus")
    (folder / "first.md").write_text(digest, "utf-8")
    done = run_cli("corpus", "check", "--errors", "--corpus", folder)
    assert done.code == 0, done.stdout


def test_readme_is_written_and_checked(run_cli: RunCli, corpus: Path) -> None:
    assert run_cli("corpus", "readme", "--corpus", corpus).code == 0
    assert (corpus / "README.md").read_text("utf-8").count("| textbook | 1 |") == 1
    (corpus / "test-blog-2020.md").unlink()
    assert "stale-readme" in run_cli("corpus", "check", "--corpus", corpus).stdout
