"""The corpus inside an installed package is read, never written; ``corpus copy`` makes one that may be written to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gmedbot.claims.reviews import Review, save_review
from gmedbot.corpus.copying import copy_corpus
from gmedbot.corpus.sources import corpus_files
from gmedbot.errors import StorageError, UsageError
from gmedbot.settings import is_packaged, refuse_packaged
from tests.support import ROOT, SMALL_CORPUS, Outcome

pytestmark = pytest.mark.core

VOCABULARY = ROOT / "tests" / "data" / "deltoid" / "vocabulary"
NOTES = "Notes on the hip\n\nThe gluteus medius keeps the pelvis level when the other foot leaves the ground.\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(SMALL_CORPUS, tmp_path / "theirs"))
    shutil.copytree(VOCABULARY, folder / "vocabulary")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_holds_the_same_files_without_locks_and_can_be_written_to(corpus: Path, tmp_path: Path) -> None:
    wanted = contents(corpus)
    (corpus / ".reviews.yaml.lock").touch()
    for path in (*corpus.rglob("*"), corpus):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        count = copy_corpus(corpus, tmp_path / "deep" / "mine")
    finally:
        for path in (corpus, *(path for path in corpus.rglob("*") if path.is_dir())):
            path.chmod(0o755)
    mine = tmp_path / "deep" / "mine"
    assert contents(mine) == wanted and count == len(wanted)
    assert all(path.stat().st_mode & 0o200 for path in (mine, *mine.rglob("*")))
    assert [path.name for path in mine.parent.iterdir()] == ["mine"]


def test_an_empty_folder_is_filled_and_any_other_is_refused(corpus: Path, tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    assert copy_corpus(corpus, empty) == len(contents(corpus))
    full.mkdir()
    (full / "mine.txt").write_text("mine", "utf-8")
    for folder in (full, full / "mine.txt"):
        with pytest.raises(UsageError, match="new or empty"):
            copy_corpus(corpus, folder)
    with pytest.raises(UsageError, match="outside"):
        copy_corpus(corpus, corpus / "inside")
    with pytest.raises(UsageError, match="must be a corpus"):
        copy_corpus(full, tmp_path / "new")
    assert contents(full) == {"mine.txt": b"mine"} and not (tmp_path / "new").exists()


def test_a_copy_that_fails_leaves_nothing(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, copied = shutil.copyfile, list[Path]()

    def full_disk(source: Path, target: Path) -> None:
        if len(copied) == 3:
            raise OSError(28, "No space left on device")
        copied.append(real(source, target))

    monkeypatch.setattr("shutil.copyfile", full_disk)
    with pytest.raises(StorageError, match="No space left"):
        copy_corpus(corpus, tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"] and len(copied) == 3


def test_only_the_folder_inside_the_package_counts_as_packaged(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "gmedbot"
    package.mkdir()
    monkeypatch.setattr("gmedbot.settings._PACKAGE", package)
    shutil.copytree(corpus, package / "_corpus")
    (tmp_path / "link").symlink_to(package / "_corpus")
    monkeypatch.chdir(package)
    for folder in (package / "_corpus", tmp_path / "link", Path("_corpus"), package / "_corpus" / "vocabulary"):
        assert is_packaged(folder)
        with pytest.raises(UsageError, match="gmedbot corpus copy"):
            refuse_packaged(folder)
    assert not any(map(is_packaged, (corpus, package, tmp_path / "_corpus", package / "_corpus2")))
    with pytest.raises(UsageError, match="gmedbot corpus copy"):
        save_review(package / "_corpus" / "reviews.yaml", Review("a:1", "b:1", "1", "2", "agree"))
    assert contents(package / "_corpus") == contents(corpus)


Program = Callable[..., Outcome]


@pytest.fixture
def installed(corpus: Path, tmp_path: Path) -> tuple[Program, Path]:
    """The program as a wheel lays it out, in a working folder without a corpus; and its corpus."""
    site, work = tmp_path / "site-packages", tmp_path / "work"
    shutil.copytree(
        ROOT / "src" / "gmedbot", site / "gmedbot", ignore=shutil.ignore_patterns("__pycache__", "*.npz", "*.onnx")
    )
    shutil.copytree(corpus, site / "gmedbot" / "_corpus")
    work.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GMEDBOT_")}
    environment = kept | {"PYTHONPATH": str(site), "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}

    def run(*arguments: str, stdin: str = "") -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "gmedbot", *arguments],
            input=stdin, capture_output=True, text=True, cwd=work, env=environment, timeout=180,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run, site / "gmedbot" / "_corpus"


def test_an_installed_program_writes_nothing_into_its_package_and_says_how_to_go_on(
    installed: tuple[Program, Path], tmp_path: Path
) -> None:
    run, packaged = installed
    before = contents(packaged)
    (tmp_path / "work" / "notes.txt").write_text(NOTES, "utf-8")
    for arguments in (
        ("corpus", "add", "notes.txt", "--yes"),
        ("corpus", "add", "notes.txt"),
        ("corpus", "readme"),
        ("claims", "review"),
        ("claims", "review", "--withdraw", "a:1", "b:1"),
    ):
        done = run(*arguments, stdin="y\n")
        assert done.code == 2 and "gmedbot corpus copy corpus" in done.stderr, (arguments, done)
    assert run("corpus", "add", "notes.txt", "--json").code == 0  # a preview writes nothing
    assert contents(packaged) == before
    done = run("corpus", "copy", "corpus")
    assert done.code == 0 and done.stdout.endswith("Next: gmedbot index build\n")
    assert run("corpus", "add", "notes.txt", "--yes").code == 0
    mine = tmp_path / "work" / "corpus"
    assert len(corpus_files(mine)) == len(corpus_files(packaged)) + 1 and contents(packaged) == before
    assert "--corpus other --index other-index" in run("corpus", "copy", "other").stdout
