"""A running app takes up a new build by itself: between two requests, in a thread of its own that ends with the app."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from gmedbot.bot import Bot
from gmedbot.errors import GmedbotError, IndexMissingError
from gmedbot.index.build import build_index
from gmedbot.index.store import Store
from gmedbot.settings import Settings, load_settings
from gmedbot.ui.app import build_app
from gmedbot.ui.loaded import LoadedBot
from tests.ui.fake import FakeBot

WATCHER = "gmedbot-index-watcher"
NERVE = {"question": "Which nerve supplies the gluteus medius?"}


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == WATCHER]


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


class Renewed(FakeBot):
    """Counts the looks; a look can be held up, and can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error: Exception | None = None

    def reload_if_changed(self) -> bool:
        self.looks += 1
        assert self.may_go_on.wait(60)
        if self.error is not None:
            raise self.error
        return False


@pytest.mark.core
def test_no_request_waits_while_a_new_build_is_checked(tmp_path: Path) -> None:
    bot = Renewed()
    bot.may_go_on.clear()
    loaded = LoadedBot(bot)
    watcher = loaded.watch(tmp_path)
    wait_until(lambda: bot.looks > 0)
    found: list[object] = []
    asking = threading.Thread(target=lambda: found.append(loaded.get()))
    asking.start()
    asking.join(20)
    assert found == [bot] and bot.looks == 1  # the look is not over yet
    bot.may_go_on.set()
    watcher.stop()
    assert not watcher.is_alive


@pytest.mark.core
def test_requests_look_themselves_where_nothing_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmedbot.ui.loaded._LOOK_AGAIN", -1.0)
    bot = Renewed()
    loaded = LoadedBot(bot)
    loaded.get()
    assert bot.looks == 1
    watcher = loaded.watch(tmp_path)
    wait_until(lambda: bot.looks > 1)
    watcher.stop()
    looks = bot.looks
    loaded.get()
    assert bot.looks == looks + 1  # the watcher has ended, so requests look again


@pytest.mark.core
@pytest.mark.parametrize("error", [IndexMissingError("an index"), RuntimeError("of another kind")])
def test_a_look_that_fails_neither_ends_the_watch_nor_costs_the_bot(tmp_path: Path, error: Exception) -> None:
    bot = Renewed()
    bot.error = error
    loaded = LoadedBot(bot)
    with loaded.watch(tmp_path) as watcher:
        wait_until(lambda: bot.looks > 0)
        (tmp_path / "CURRENT").write_text("x", "utf-8")
        wait_until(lambda: bot.looks > 1)
        assert loaded.get() is bot and watcher.is_alive


@pytest.mark.core
def test_the_bot_is_opened_by_the_watcher_once_there_is_an_index(tmp_path: Path) -> None:
    missing, bot = IndexMissingError("an index", "none", "gmedbot index build"), FakeBot()

    def reopen() -> FakeBot:
        if not (tmp_path / "index" / "CURRENT").exists():
            raise missing
        return bot

    loaded = LoadedBot(None, reopen, missing)
    with loaded.watch(tmp_path / "index"):
        with pytest.raises(GmedbotError, match="gmedbot index build"):
            loaded.get()
        (tmp_path / "index").mkdir()
        (tmp_path / "index" / "CURRENT").write_text("x", "utf-8")
        wait_until(lambda: loaded.error is None)
        assert loaded.get() is bot


@pytest.mark.core
def test_the_watch_begins_and_ends_with_the_app(tmp_path: Path) -> None:
    app = build_app(FakeBot(), load_settings(index=tmp_path, corpus=tmp_path))
    assert watchers() == []
    for _ in range(2):
        with TestClient(app) as client:
            assert client.get("/healthz").status_code == 200
            assert len(watchers()) == 1
        assert watchers() == []


@pytest.fixture
def settings(small_corpus: Path, own_index: Path, tmp_path: Path) -> Settings:
    return load_settings(corpus=Path(shutil.copytree(small_corpus, tmp_path / "corpus")), index=own_index)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """The app over a real index, served as it is served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    app = build_app(Bot.open(settings), settings, reopen=lambda: Bot.open(settings))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive() and watchers() == []


def served(url: str) -> str:
    return str(httpx.get(f"{url}/healthz", trust_env=False, timeout=60).json()["index"])


@pytest.mark.integration
def test_a_published_build_and_a_rollback_are_taken_up_and_every_request_is_answered(
    url: str, settings: Settings
) -> None:
    first = served(url)
    stop, answers, errors = threading.Event(), list[tuple[int, str]](), list[BaseException]()

    def ask() -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            while not stop.is_set():
                try:
                    response = client.post("/api/ask", json=NERVE)
                    answers.append((response.status_code, response.json()["index"]))
                except BaseException as error:
                    errors.append(error)
                    return

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    atlas = settings.corpus / "test-atlas-2010.md"
    atlas.write_text(atlas.read_text("utf-8") + "\nThe gluteus medius is thick in this atlas.\n", "utf-8")
    second = build_index(settings).build_id
    wait_until(lambda: served(url) == second)
    enough = len(answers) + 4
    wait_until(lambda: len(answers) >= enough or bool(errors))
    Store(settings.index).rollback()
    wait_until(lambda: served(url) == first)
    stop.set()
    for thread in asking:
        thread.join(60)
    assert errors == [] and first != second
    assert {code for code, _ in answers} == {200} and {index for _, index in answers} == {first, second}
