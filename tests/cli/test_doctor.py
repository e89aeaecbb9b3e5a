"""Doctor says which corpus is in use, and whether it is the one that an update would write over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gmedbot.cli.doctor import which_corpus
from tests.support import ROOT, SMALL_CORPUS

pytestmark = pytest.mark.core


def test_a_named_corpus_is_told_from_the_packaged_one() -> None:
    assert "named by --corpus or a setting, not the packaged one" in which_corpus(SMALL_CORPUS)


def test_the_packaged_corpus_is_called_so_with_the_way_to_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmedbot.cli.doctor.is_packaged", lambda corpus: corpus == SMALL_CORPUS)
    assert "came with the package; to change it: gmedbot corpus copy corpus" in which_corpus(SMALL_CORPUS)


def test_the_corpus_of_the_working_folder_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    shutil.copytree(SMALL_CORPUS, tmp_path / "corpus")
    shutil.copytree(ROOT / "tests" / "data" / "deltoid" / "vocabulary", tmp_path / "corpus" / "vocabulary")
    monkeypatch.chdir(tmp_path)
    assert which_corpus(Path("corpus")).startswith("corpus (the working folder's own")
