"""A real browser and real servers for the tests of the pages.

Chromium is taken from GMEDBOT_CHROMIUM or the path; without one the browser tests are skipped. Screenshots go to
GMEDBOT_SHOTS or a temporary folder. Every request to another host and every error on the console fails the test.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running app with the fake bot."""

    process: subprocess.Popen[bytes]
    url: str
    empty_url: str

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextlib.contextmanager
def running(pace: float) -> Iterator[Server]:
    port, empty_port = free_port(), free_port()
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "NO_PROXY": "127.0.0.1,localhost"}
    command = [sys.executable, "-m", "tests.ui.server", str(port), str(pace), str(empty_port)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{empty_port}")
    try:
        wait_for(server)
        yield server
    finally:
        server.kill()


def wait_for(server: Server, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert server.process.poll() is None, "the server ended"
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{server.url}/healthz", trust_env=False)
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Answers at once."""
    with running(0.005) as made:
        yield made


@pytest.fixture
def judged_server() -> Iterator[Server]:
    """Its own, as what is judged on it stays judged."""
    with running(0.005) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("GMEDBOT_CHROMIUM") or next((p for p in map(shutil.which, NAMES) if p), None)
    if path is None:
        pytest.skip("no Chromium; set GMEDBOT_CHROMIUM")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


@dataclass
class Visit:
    """A page, and what it must not have done."""

    page: Page
    name: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    may_fail: bool = False

    def watch(self) -> None:
        def asked(request: Request) -> None:
            if "//127.0.0.1" not in request.url and not request.url.startswith(("data:", "blob:")):
                self.foreign.append(request.url)

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.errors.append(message.text)

        self.page.on("request", asked)
        self.page.on("console", said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def ask(self, question: str) -> None:
        """Type a question and wait for its whole answer."""
        self.start(question)
        self.done()

    def start(self, question: str) -> None:
        """Type a question and send it."""
        self.ready()
        self.page.fill("#gm-question", question)
        self.page.press("#gm-question", "Enter")
        self.page.wait_for_selector("#gm-turns .gm-turn:last-child .gm-a[aria-busy]")

    def ready(self) -> None:
        """Wait until the page's scripts have started."""
        self.page.wait_for_selector(".gm-app[data-ready]")

    def done(self) -> None:
        """Wait until nothing is being answered."""
        self.page.wait_for_selector("#gm-turns .gm-turn:last-child .gm-a[aria-busy=false]")


NewVisit = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[NewVisit]:
    """Opens pages; at the end checks that none asked another host or said an error."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def open_page(url: str, *, width: int = 1280, dark: bool = False, may_fail: bool = False) -> Visit:
        is_phone = width < 500
        context = browser.new_context(
            viewport={"width": width, "height": 844 if is_phone else 860},
            color_scheme="dark" if dark else "light",
            is_mobile=is_phone,
            has_touch=is_phone,
            reduced_motion="reduce",
            accept_downloads=True,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        made = Visit(context.new_page(), f"{width}-{'dark' if dark else 'light'}", may_fail=may_fail)
        made.watch()
        visits.append(made)
        made.page.goto(url)
        return made

    yield open_page
    for context in contexts:
        context.close()
    for made in visits:
        assert made.foreign == []
        assert made.may_fail or made.errors == []


@pytest.fixture(scope="module")
def desk(browser: Browser, server: Server) -> Iterator[Visit]:
    """One open chat page that many tests use in turn; loading Gradio anew for each would cost most of their time."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 860},
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(15_000)
    made = Visit(context.new_page(), "desk")
    made.watch()
    made.page.goto(server.url)
    yield made
    context.close()


@pytest.fixture
def chat(desk: Visit) -> Iterator[Visit]:
    """The open chat page with nothing in it."""
    desk.ready()
    desk.page.evaluate("localStorage.clear()")
    desk.page.click("#gm-new")
    desk.page.fill("#gm-question", "")
    desk.page.mouse.move(2, 2)
    yield desk
    foreign, errors = [*desk.foreign], [*desk.errors]
    desk.foreign.clear()
    desk.errors.clear()
    assert foreign == [] and errors == []


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go."""
    folder = os.environ.get("GMEDBOT_SHOTS")
    path = Path(folder) if folder else tmp_path_factory.mktemp("shots")
    path.mkdir(parents=True, exist_ok=True)
    return path
