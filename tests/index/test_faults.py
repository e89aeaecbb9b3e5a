"""Kills, a full disk, a read-only folder, two builds at once: never a mixed or lost index, always a word on what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.kill_builds import kill_builds
from gmedbot.bot import Bot
from gmedbot.errors import IndexLockedError, IndexMissingError, StorageError
from gmedbot.index.build import build_index
from gmedbot.index.store import Store
from gmedbot.index.verify import verify_index
from gmedbot.settings import Settings
from tests.support import ROOT

pytestmark = pytest.mark.integration

CHILD = """
import resource, sys
from gmedbot.errors import GmedbotError
from gmedbot.index.build import build_index
from gmedbot.settings import load_settings
settings = load_settings(corpus=sys.argv[1], index=sys.argv[2])
limit = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    build_index(settings, full=True)
except GmedbotError as error:
    sys.stdout.write(type(error).__name__ + ": " + str(error))
    sys.exit(error.exit_code)
"""


def add_source(corpus: Path, words: int = 1) -> None:
    sentence = "The gluteus medius keeps the pelvis level in case number {}.\n"
    (corpus / "extra.md").write_text(
        "---\nid: extra\ntitle: Extra\nauthors: [A]\ncontainer: B\nkind: textbook\nevidence: expert\ntopics: [anatomy]\n---\n# E\n\n"
        + "".join(sentence.format(number) for number in range(words)),
        "utf-8",
    )


def test_builds_killed_at_random_moments_leave_the_old_or_the_new_index(settings: Settings) -> None:
    """The smaller sister of ``benchmarks/kill_builds.py``, which kills fifty."""
    assert kill_builds(settings, kills=6, seed=3)["killed"] == 6


@pytest.mark.parametrize("limit", [0, 700, 6_000, 20_000])
def test_a_disk_that_is_full_at_any_file_leaves_the_index_as_it_was(
    settings: Settings, corpus: Path, limit: int
) -> None:
    """A limit on the size of a file makes writes fail as a full disk does, wherever a file grows past it."""
    old = build_index(settings).build_id
    add_source(corpus, 60)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", CHILD, str(corpus), str(settings.index), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=180)
    assert "Traceback" not in done.stderr, done.stderr[-800:]
    assert (done.returncode, done.stdout.split(":")[0]) == (3, "StorageError"), done.stdout
    assert "free space" in done.stdout
    assert verify_index(settings.changed())["build"] == old
    assert list(settings.index.glob(".staged-*")) == []
    assert build_index(settings).build_id != old


def test_a_write_that_fails_at_the_last_step_leaves_the_index_as_it_was(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = build_index(settings).build_id
    add_source(corpus)
    real = os.replace

    def refuse(source: object, target: object) -> None:
        if Path(str(target)).name in ("CURRENT",):
            raise OSError(28, "No space left on device", str(target))
        real(str(source), str(target))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        with pytest.raises(StorageError, match="No space left"):
            build_index(settings)
    assert verify_index(settings)["build"] == old
    new = build_index(settings).build_id
    assert verify_index(settings)["build"] == new != old


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_says_so(settings: Settings) -> None:
    settings.index.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="permission"):
            build_index(settings)
    finally:
        settings.index.chmod(0o700)


def test_a_folder_that_refuses_every_write_says_so_and_reading_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index(settings)

    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="Permission denied"):
        build_index(settings)
    assert Bot.open(settings).ask("Which nerve supplies the gluteus medius?").status in ("answered", "declined")


def test_two_builds_at_once_are_refused_and_the_lock_of_a_dead_build_is_free(settings: Settings) -> None:
    held = (
        "import sys, time\nfrom pathlib import Path\nfrom gmedbot.index.store import Store\n"
        "with Store(Path(sys.argv[1])).lock():\n    sys.stdout.write('held\\n'); sys.stdout.flush(); time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", held, str(settings.index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(IndexLockedError, match="another build"):
            build_index(settings)
        other.kill()
        other.wait()
    assert build_index(settings).sources == 6


def test_a_missing_pointer_is_a_missing_index_and_a_build_brings_it_back(settings: Settings) -> None:
    build_id = build_index(settings).build_id
    Store(settings.index).pointer.unlink()
    with pytest.raises(IndexMissingError, match="gmedbot index build"):
        Bot.open(settings)
    assert build_index(settings).build_id == build_id
    assert verify_index(settings)["build"] == build_id
