"""Every command of docs/maintaining.md runs, in its order, and exits as the page says."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from gmedbot.cli.main import main
from gmedbot.corpus.sources import read_corpus
from tests.support import ROOT, SMALL_CORPUS, write_calibration_gold

pytestmark = pytest.mark.integration

PAGE = ROOT / "docs" / "maintaining.md"
NOTES = "Notes on the hip\n\nThe gluteus medius keeps the pelvis level when the other foot leaves the ground.\nThe tensor fasciae latae helps it.\n"


def commands() -> list[tuple[list[str], int]]:
    """(arguments after "gmedbot", exit code) of each line in the page's sh blocks."""
    found: list[tuple[list[str], int]] = []
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        for line in block.splitlines():
            command, _, comment = line.partition("#")
            code = re.search(r"exits (\d)", comment)
            words = shlex.split(command)
            assert words[0] == "gmedbot", line
            found.append((words[1:], int(code.group(1)) if code else 0))
    return found


def prepare(folder: Path) -> None:
    """The files that the page speaks of."""
    shutil.copytree(SMALL_CORPUS, folder / "corpus")
    shutil.copytree(ROOT / "tests" / "data" / "deltoid" / "vocabulary", folder / "corpus" / "vocabulary")
    shutil.copy(ROOT / "tests" / "data" / "deltoid" / "safety.yaml", folder / "corpus" / "safety.yaml")
    shutil.copytree(ROOT / "tests" / "data" / "deltoid", folder / "deltoid")
    shutil.copy(ROOT / "tests" / "data" / "pages" / "blog.html", folder / "page.html")
    (folder / "notes.txt").write_text(NOTES, "utf-8")
    (folder / "empty.txt").write_text("", "utf-8")
    document = next(d for d in read_corpus(SMALL_CORPUS) if d.source.source_id == "test-atlas-2010")
    quote = "The gluteus medius abducts the hip."
    start = document.text.index(quote)
    citation = {"n": 1, "source_id": "test-atlas-2010", "quote": quote, "start": start, "end": start + len(quote)}
    answer = {"statements": [{"text": quote, "citations": [1]}], "citations": [citation]}
    export = {"format": "gmedbot-conversation/1", "turns": [{"question": "?", "answer": answer}]}
    (folder / "export.json").write_text(json.dumps(export), "utf-8")
    write_calibration_gold(folder / "evaluation")


def test_every_command_of_the_page_exits_as_it_says(
    tmp_path: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.conftest import give_encoder

    prepare(tmp_path)
    give_encoder(encoder_folder, tmp_path / "index")
    give_encoder(encoder_folder, tmp_path / "deltoid-index")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # who is asked says nothing, which ends the asking
    wanted = commands()
    assert len(wanted) > 25
    for arguments, code in wanted:
        if arguments[0] == "init":  # it copies from the project's vocabulary, which the working folder's would hide
            monkeypatch.setattr("gmedbot.corpus.template.default_corpus", lambda: ROOT / "corpus")
        found = main(arguments)
        output = capsys.readouterr()
        assert found == code, f"gmedbot {shlex.join(arguments)}: {output.out[-600:]}{output.err[-600:]}"
