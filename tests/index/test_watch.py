"""A running app takes up a new build by itself, answers all the while, and keeps the old one if the new one is bad."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gmedbot.bot import Bot
from gmedbot.index.build import build_index
from gmedbot.index.store import Manifest, Store
from gmedbot.index.watch import IndexWatcher
from gmedbot.settings import Settings

pytestmark = pytest.mark.integration


def change(corpus: Path, word: str) -> None:
    path = corpus / "test-atlas-2010.md"
    path.write_text(path.read_text("utf-8") + f"\nThe gluteus medius is {word} in this atlas.\n", "utf-8")


def test_a_new_build_is_taken_up_without_losing_an_answer(settings: Settings, corpus: Path) -> None:
    first = build_index(settings).build_id
    bot = Bot.open(settings)
    taken, stop = threading.Event(), threading.Event()
    seen: list[str] = []
    errors: list[BaseException] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                seen.append(bot.ask("Which nerve supplies the gluteus medius?").index)
            except BaseException as error:
                errors.append(error)
                return

    with IndexWatcher(settings.index, bot.reload_if_changed, taken.set):
        asking = threading.Thread(target=ask)
        asking.start()
        change(corpus, "thick")
        second = build_index(settings).build_id
        assert taken.wait(60)
        stop.set()
        asking.join(30)
    assert errors == []
    assert set(seen) <= {first, second}
    assert bot.index_id == second != first


def test_a_damaged_new_build_is_not_taken_up(settings: Settings, corpus: Path) -> None:
    first = build_index(settings).build_id
    bot = Bot.open(settings)
    change(corpus, "broad")
    second = build_index(settings).build_id
    path = Store(settings.index).path(second) / "lexicon.json"
    path.write_text(path.read_text("utf-8").replace("1", "2", 1), "utf-8")
    assert bot.reload_if_changed() is False
    assert bot.index_id == first
    assert bot.ask("Which nerve supplies the gluteus medius?").index == first


def test_a_refused_build_is_not_read_again_with_every_look_but_when_it_is_published_anew(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    build_index(settings)
    bot, store = Bot.open(settings), Store(settings.index)
    change(corpus, "round")
    second = build_index(settings).build_id
    path = store.path(second) / "lexicon.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"1", b"2", 1))
    checks: list[str] = []
    real = Store.verify_files

    def counted(self: Store, build_id: str) -> Manifest:
        checks.append(build_id)
        return real(self, build_id)

    monkeypatch.setattr(Store, "verify_files", counted)
    monkeypatch.setattr("gmedbot.bot._CHECK_AGAIN", 1e9)
    assert [bot.reload_if_changed() for _ in range(3)] == [False] * 3
    assert checks == [second] and caplog.text.count("was not taken up") == 1
    store.point_to(second)
    assert bot.reload_if_changed() is False and checks == [second] * 2
    path.write_bytes(whole)
    monkeypatch.setattr("gmedbot.bot._CHECK_AGAIN", 1e-3)  # it is checked again after a while, published anew or not
    assert bot.reload_if_changed() is True and bot.index_id == second


@pytest.mark.parametrize(
    "error", [OSError(28, "inotify watch limit reached"), ImportError("no watchfiles"), RuntimeError("no events")]
)
def test_where_nothing_can_be_watched_it_looks_from_time_to_time_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def refuse(*folders: Path, **options: object) -> None:
        raise error

    looks = threading.Semaphore(0)

    def reload() -> bool:
        looks.release()
        return False

    monkeypatch.setattr("watchfiles.watch", refuse)
    monkeypatch.setattr("gmedbot.index.watch._LOOK_MS", 10)
    with IndexWatcher(tmp_path, reload) as watcher:
        assert all(looks.acquire(timeout=20) for _ in range(4))
        assert watcher.is_alive
    assert not watcher.is_alive
    assert caplog.text.count("cannot be watched") == 1


def test_stopping_ends_the_thread_wherever_it_is(tmp_path: Path) -> None:
    looked = threading.Event()

    def reload() -> bool:
        looked.set()
        return False

    for folder in (tmp_path, tmp_path / "not there"):
        watcher = IndexWatcher(folder, reload).start()
        assert folder != tmp_path or looked.wait(20)
        watcher.stop()
        assert not [thread for thread in threading.enumerate() if thread.name == "gmedbot-index-watcher"]


def test_an_error_while_looking_does_not_end_the_watch(tmp_path: Path) -> None:
    looks = threading.Semaphore(0)

    def reload() -> bool:
        looks.release()
        raise RuntimeError("once more")

    with IndexWatcher(tmp_path, reload):
        assert looks.acquire(timeout=20)
        (tmp_path / "CURRENT").write_text("x", "utf-8")
        assert looks.acquire(timeout=20)


def test_a_question_is_answered_from_one_build_even_if_another_is_taken_up_meanwhile(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch comes between finding the evidence and naming its sources, and takes the sources away."""
    first = build_index(settings).build_id
    bot = Bot.open(settings)
    for name in ("test-atlas-2010", "test-blog-2020", "test-cadaver-2012"):
        (corpus / f"{name}.md").unlink()
    build_index(settings)
    real = type(bot._finder).find
    switched: list[bool] = []

    def find_and_switch(*args: object, **kwargs: object) -> object:
        found = real(*args, **kwargs)  # type: ignore[arg-type]
        switched.append(bot.reload_if_changed())
        return found

    monkeypatch.setattr(type(bot._finder), "find", find_and_switch)
    answer = bot.ask("Which nerve supplies the gluteus medius?")
    assert switched[0] is True
    assert answer.index == first
    assert {citation.source_id for citation in answer.citations} >= {"test-atlas-2010"}
    assert bot.ask("Which nerve supplies the gluteus medius?").index == bot.index_id != first
