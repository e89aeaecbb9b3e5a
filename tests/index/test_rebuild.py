"""A rebuild reads and encodes what is new and nothing else, and gives what a full build gives, byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gmedbot.errors import CorpusError
from gmedbot.index.build import build_index
from gmedbot.index.store import Store
from gmedbot.settings import Settings
from tests.conftest import give_encoder
from tests.index.conftest import fingerprint

pytestmark = pytest.mark.integration


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def full_build(settings: Settings, tmp_path: Path, encoder_folder: Path) -> dict[str, bytes]:
    """The files of a build of the same corpus in an empty index folder."""
    folder = tmp_path / "from-nothing"
    shutil.rmtree(folder, ignore_errors=True)
    give_encoder(encoder_folder, folder)
    fresh = settings.changed(index=folder)
    return fingerprint(Store(folder).path(build_index(fresh).build_id))


def test_an_incremental_build_equals_a_full_one_after_every_kind_of_change(
    settings: Settings, corpus: Path, tmp_path: Path, encoder_folder: Path
) -> None:
    first = build_index(settings)
    assert (first.extracted, first.changed) == (6, True)

    edit(corpus / "test-atlas-2010.md", "abducts the hip", "abducts and steadies the hip")
    (corpus / "test-blog-2020.md").unlink()
    gait = corpus / "test-gait-2014.md"
    edit(gait, "id: test-gait-2014", "id: test-gait-renamed")
    gait.rename(corpus / "test-gait-renamed.md")
    (corpus / "new.md").write_text(
        (corpus / "test-emg-2009.md").read_text("utf-8").replace("test-emg-2009", "new"), "utf-8"
    )

    second = build_index(settings)
    assert second.extracted == 3  # edited, renamed, new
    assert 0 < second.encoded < first.encoded / 2
    assert fingerprint(Store(settings.index).path(second.build_id)) == full_build(settings, tmp_path, encoder_folder)


def test_two_builds_of_one_corpus_are_the_same_files_and_the_second_does_nothing(settings: Settings) -> None:
    first = build_index(settings)
    before = fingerprint(Store(settings.index).path(first.build_id))
    second = build_index(settings)
    assert (second.build_id, second.changed, second.encoded, second.extracted) == (first.build_id, False, 0, 0)
    again = build_index(settings, full=True)
    assert again.encoded == first.encoded
    assert again.extracted == 6
    assert fingerprint(Store(settings.index).path(again.build_id)) == before


def test_a_removed_source_leaves_nothing_behind(settings: Settings, corpus: Path) -> None:
    build_index(settings)
    (corpus / "test-gtps-2018.md").unlink()
    build = Store(settings.index).path(build_index(settings).build_id)
    assert [name for name, data in fingerprint(build).items() if b"test-gtps-2018" in data] == []


def test_a_changed_vocabulary_reads_every_source_anew_and_encodes_nothing(settings: Settings, corpus: Path) -> None:
    build_index(settings)
    with (corpus / "vocabulary" / "hip.yaml").open("a", encoding="utf-8") as stream:
        stream.write("- {id: pelvis, kind: bone, name: pelvis}\n")
    report = build_index(settings)
    assert (report.extracted, report.encoded) == (6, 0)


@pytest.mark.parametrize("name", ["readings.sqlite", "vectors"])
@pytest.mark.parametrize("damage", [b"", b"not a database at all", None])
def test_a_damaged_cache_costs_time_and_nothing_else(settings: Settings, name: str, damage: bytes | None) -> None:
    first = build_index(settings)
    before = fingerprint(Store(settings.index).path(first.build_id))
    (path,) = (settings.index / "cache").glob(f"{name}*")
    data = bytearray(path.read_bytes())
    if damage is None:  # flip bits all over the second half, where the values are
        for place in range(len(data) // 2, len(data), 97):
            data[place] ^= 0xFF
        damage = bytes(data)
    path.write_bytes(damage)
    again = build_index(settings)
    assert again.build_id == first.build_id
    assert fingerprint(Store(settings.index).path(again.build_id)) == before


def test_a_broken_source_stops_the_build_and_leaves_the_index_as_it_was(settings: Settings, corpus: Path) -> None:
    first = build_index(settings)
    (corpus / "bad.md").write_text("no front matter\n", "utf-8")
    with pytest.raises(CorpusError, match=r"bad\.md:1"):
        build_index(settings)
    assert Store(settings.index).current_id() == first.build_id
