"""Builds are published in one step, kept, pruned and rolled back to; what was killed is swept away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gmedbot.encoder import EncoderCard, file_digest
from gmedbot.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    StorageError,
    UsageError,
)
from gmedbot.index.store import FORMAT, Manifest, Store

pytestmark = pytest.mark.core

CARD = EncoderCard("m", "r", "d" * 64, 3, 256, "onnx")


def stage(folder: Path, text: str) -> tuple[Path, str]:
    """A staged build with one file; its id follows from the text."""
    staged = folder / ".staged-1"
    staged.mkdir(parents=True)
    (staged / "a.txt").write_text(text, "utf-8")
    draft = Manifest(
        FORMAT, "", "0", CARD, "enc", "rea", "rel", "s", 200, text, "v", "flat", 1, 1, 1, 1, {},
        {"a.txt": file_digest(staged / "a.txt")}, {"a.txt": len(text)},
    )  # fmt: skip
    manifest = Manifest(**{**draft.__dict__, "build_id": draft.derived_id()})
    (staged / "manifest.json").write_text(manifest.to_json(), "utf-8")
    return staged, manifest.build_id


def publish(store: Store, text: str, keep: int = 10) -> str:
    staged, build_id = stage(store.folder, text)
    store.publish(staged, build_id, keep)
    return build_id


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "index")


def test_the_last_builds_are_kept_and_the_older_removed(store: Store) -> None:
    ids = [publish(store, text, keep=3) for text in "abcde"]
    assert store.list_builds() == tuple(reversed(ids[2:]))
    assert store.current_id() == ids[-1]


def test_rolling_back_twice_goes_back_two_and_the_next_build_comes_after(store: Store) -> None:
    a, b, c = (publish(store, text) for text in "abc")
    assert store.rollback() == b
    assert store.rollback() == a
    d = publish(store, "d")
    assert store.rollback() == a
    assert store.rollback(c[:6]) == c
    assert store.current_id() == c
    assert set(store.list_builds()) == {a, b, c, d}


def test_rolling_back_past_the_oldest_build_never_goes_round_to_a_withdrawn_one(store: Store) -> None:
    a, b, bad = (publish(store, text) for text in ("a", "b", "bad"))
    assert [store.rollback(), store.rollback()] == [b, a]
    with pytest.raises(UsageError, match=f"before {a}"):
        store.rollback()
    assert store.current_id() == a
    c = publish(store, "c")
    assert store.rollback() == a
    with pytest.raises(UsageError):
        store.rollback()
    assert publish(store, "bad") == bad  # built again, it counts as any other
    assert (store.rollback(), store.rollback(c)) == (a, c)
    assert store.rollback() == a


def test_what_was_rolled_back_from_is_removed_first(store: Store) -> None:
    a, b, bad = (publish(store, text, keep=3) for text in ("a", "b", "bad"))
    store.rollback()
    d = publish(store, "d", keep=3)
    assert store.list_builds() == (d, b, a)
    assert bad not in store.list_builds()


def test_rolling_back_to_nothing_or_to_a_damaged_build_is_refused(store: Store) -> None:
    a = publish(store, "a")
    with pytest.raises(UsageError, match="builds on disk"):
        store.rollback()
    b = publish(store, "b")
    (store.path(a) / "a.txt").write_text("x", "utf-8")
    with pytest.raises(IndexDamagedError, match=r"a\.txt was altered"):
        store.rollback()
    assert store.current_id() == b


def test_publishing_a_whole_build_again_never_takes_it_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a = publish(store, "a")
    inode = (store.path(a) / "a.txt").stat().st_ino
    publish(store, "a")
    assert (store.path(a) / "a.txt").stat().st_ino == inode


def test_publishing_a_damaged_build_again_mends_it(store: Store) -> None:
    a = publish(store, "a")
    (store.path(a) / "a.txt").unlink()
    publish(store, "a")
    assert store.verify_files(a).build_id == a


def test_left_overs_of_killed_builds_are_swept_away(store: Store) -> None:
    publish(store, "a")
    for name in (".staged-7", ".replaced-7", "encoders/.fresh-7"):
        (store.folder / name).mkdir(parents=True)
    (store.folder / ".CURRENT-7").write_text("half", "utf-8")
    with store.lock():
        store.sweep()
    assert sorted(path.name for path in store.folder.iterdir()) == [".lock", "CURRENT", "builds", "encoders", "history"]


def test_a_build_killed_between_pointer_and_history_counts_as_published(store: Store) -> None:
    a, b = publish(store, "a"), publish(store, "b")
    (store.folder / "history").write_text(f"{a}\n", "utf-8")
    assert store.history() == (a, b)
    assert store.rollback() == a


@pytest.mark.parametrize("pointer", ["../../etc", "zz", "\x00", "ABCDEF123456"])
def test_a_pointer_that_names_no_build_is_damage(store: Store, pointer: str) -> None:
    publish(store, "a")
    store.pointer.write_text(pointer, "utf-8")
    with pytest.raises(IndexDamagedError):
        store.current_id()


def test_no_pointer_is_a_missing_index(store: Store) -> None:
    with pytest.raises(IndexMissingError, match="gmedbot index build"):
        store.current_id()


def test_another_format_and_an_altered_manifest_say_what_to_run(store: Store) -> None:
    a = publish(store, "a")
    path = store.path(a) / "manifest.json"
    facts = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**facts, "format": FORMAT - 1}), "utf-8")
    with pytest.raises(IndexMismatchError, match="gmedbot index build"):
        store.manifest()
    path.write_text(json.dumps({**facts, "n_claims": 7}), "utf-8")
    with pytest.raises(IndexDamagedError, match="rollback"):
        store.manifest()
    publish(store, "b")  # an unreadable neighbour does not stop a build


def test_only_one_may_hold_the_lock(store: Store) -> None:
    with store.lock(), pytest.raises(IndexLockedError, match="wait"), Store(store.folder).lock():
        pass
    with store.lock():
        pass


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(StorageError, match="published index is unchanged"), Store(tmp_path / "file" / "index").lock():
        pass
