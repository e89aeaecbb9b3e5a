"""``index verify`` passes a whole build and finds every kind of damage; opening finds cut files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from gmedbot.bot import Bot
from gmedbot.errors import GmedbotError, IndexDamagedError, IndexMismatchError
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Manifest, Store
from gmedbot.index.verify import verify_build, verify_index
from gmedbot.settings import Settings, load_settings
from tests.support import SMALL_CORPUS

pytestmark = pytest.mark.integration


def test_a_whole_build_is_counted_and_compared_with_its_corpus(small_settings: Settings) -> None:
    report = verify_index(small_settings)
    checked = report["checked"]
    assert checked["sources"] == 6
    assert checked["offsets"] == checked["passages"] + checked["claims"]
    assert checked["searches"] > 0


def test_a_corpus_that_moved_on_is_not_compared(own_index: Path, tmp_path: Path) -> None:
    corpus = Path(shutil.copytree(SMALL_CORPUS, tmp_path / "corpus"))
    (corpus / "test-blog-2020.md").unlink()
    report = verify_index(load_settings(corpus=corpus, index=own_index))
    assert "offsets" not in report["checked"]


def files_of(index: Path) -> list[Path]:
    build = Store(index).path(Store(index).current_id())
    return [path for path in sorted(build.rglob("*")) if path.is_file()]


def unlink_first(path: Path) -> None:
    """Make a file its own before it is changed: fixtures share files by hard links."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


def test_every_file_cut_short_is_named_when_the_index_is_opened(own_index: Path, small_corpus: Path) -> None:
    settings = load_settings(corpus=small_corpus, index=own_index)
    for path in files_of(own_index):
        whole = path.read_bytes()
        if len(whole) < 2:
            continue
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(GmedbotError) as raised:
            Bot.open(settings)
        assert "gmedbot index build" in raised.value.fix, path.name
        path.write_bytes(whole)
    Bot.open(settings)


def test_every_altered_file_is_found_by_verify(own_index: Path, small_corpus: Path) -> None:
    settings = load_settings(corpus=small_corpus, index=own_index)
    for path in files_of(own_index):
        whole = path.read_bytes()
        if not whole:
            continue
        changed = bytearray(whole)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(bytes(changed))
        with pytest.raises((IndexDamagedError, IndexMismatchError)):
            verify_index(settings)
        path.write_bytes(whole)
    verify_index(settings)


@pytest.mark.parametrize("name", ["encoder.onnx", "encoder.data", "tokenizer.json", "encoder.json"])
def test_a_damaged_encoder_says_what_to_run(own_index: Path, small_corpus: Path, name: str) -> None:
    folder = own_index / "encoders" / Store(own_index).manifest().encoder_folder
    if not (folder / name).exists():
        pytest.skip("this export has no such file")
    unlink_first(folder / name)
    os.truncate(folder / name, (folder / name).stat().st_size // 2)
    with pytest.raises(GmedbotError, match="gmedbot index build"):
        Bot.open(load_settings(corpus=small_corpus, index=own_index)).ask("Which nerve supplies the gluteus medius?")


def test_a_search_that_differs_from_brute_force_is_damage(built: BuiltIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        type(built.dense), "search", lambda self, query, k: (np.arange(k, dtype=np.int64), np.full(k, 0.1, np.float32))
    )
    with pytest.raises(IndexDamagedError, match="nearest"):
        verify_build(built)


def test_other_settings_and_another_encoder_are_named_with_wanted_and_found(small_settings: Settings) -> None:
    for change in ({"passage_tokens": 64}, {"encoder": "other-model"}):
        with pytest.raises(IndexMismatchError, match="gmedbot index build"):
            Bot.open(small_settings.changed(**change))


def test_the_manifest_states_the_size_of_every_file(built: BuiltIndex) -> None:
    manifest: Manifest = built.manifest
    assert manifest.sizes == {name: (built.folder / name).stat().st_size for name in manifest.files}
