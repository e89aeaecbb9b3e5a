"""An address may come from anywhere: what is fetched, and what is refused. The server is a local one."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmedbot.corpus.add import prepare_source
from gmedbot.corpus.fetch import fetch_page, is_public
from gmedbot.errors import AddRefusedError
from gmedbot.settings import Settings, load_settings

pytestmark = pytest.mark.core

PAGE = "<html><head><title>Hips</title></head><body><main><h1>Hips</h1><p>The gluteus medius abducts the hip and keeps the pelvis level.</p></main></body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    robots = "User-agent: *\nDisallow: /private\n"

    def do_GET(self) -> None:
        path = self.path
        self.server.asked.append((path, self.headers["Host"], self.headers["User-Agent"]))  # type: ignore[attr-defined]
        if path == "/robots.txt":
            self.answer(self.robots.encode(), "text/plain")
        elif path.startswith("/loop"):
            self.move("/loop" + path[5:] + "x")
        elif path == "/moved":
            self.move("/page")
        elif path == "/inward":
            self.move("http://127.0.0.1:1/secret")
        elif path == "/file":
            self.move("file:///etc/passwd")
        elif path == "/to-private":
            self.move("/private/page")
        elif path == "/image":
            self.answer(b"\x89PNG", "image/png")
        elif path == "/big":
            self.answer(b"The hip moves. " * 100_000, "text/plain")
        elif path == "/none":
            self.send_error(404)
        elif path == "/slow":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            try:
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                return
        else:
            self.answer(PAGE.encode(), "text/html; charset=utf-8")

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return

    def move(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", server.asked  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_settings(tmp_path: Path) -> Settings:
    return load_settings(
        corpus=tmp_path / "c", index=tmp_path / "i", allow_private_urls=True, max_source_mb=1, fetch_seconds=5
    )


def test_a_page_is_fetched_after_its_robots_file_and_says_who_asks(
    site: tuple[str, list[tuple[str, str, str]]], open_settings: Settings
) -> None:
    url, asked = site
    candidate = prepare_source(f"{url}/moved", open_settings)
    assert candidate.source.title == "Hips"
    assert "keeps the pelvis level" in candidate.text
    assert [path for path, _, _ in asked] == ["/robots.txt", "/moved", "/page"]
    assert all("gmedbot" in agent for _, _, agent in asked)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/private/page", "robots.txt"),
        ("/to-private", "robots.txt"),
        ("/loop", "redirects"),
        ("/image", "image/png"),
        ("/big", "1 MB"),
        ("/none", "404"),
        ("/file", "http and https"),
    ],
)
def test_a_page_is_refused_with_the_reason(
    path: str, reason: str, site: tuple[str, list[tuple[str, str, str]]], open_settings: Settings
) -> None:
    with pytest.raises(AddRefusedError, match=reason):
        fetch_page(site[0] + path, open_settings)


def test_a_server_that_drips_is_left_after_the_time_limit(
    site: tuple[str, list[tuple[str, str, str]]], tmp_path: Path
) -> None:
    hasty = load_settings(corpus=tmp_path, index=tmp_path, allow_private_urls=True, fetch_seconds=0.5)
    started = time.monotonic()
    with pytest.raises(AddRefusedError, match="seconds"):
        fetch_page(f"{site[0]}/slow", hasty)
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f.1/",
    ],
)
def test_private_addresses_are_refused_however_they_are_written(url: str, tmp_path: Path) -> None:
    with pytest.raises(AddRefusedError) as refused:
        fetch_page(url, load_settings(corpus=tmp_path, index=tmp_path))
    assert "private or local" in refused.value.found or "known host" in refused.value.wanted


def test_a_redirect_from_a_public_page_to_a_private_one_is_judged_again(
    site: tuple[str, list[tuple[str, str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address is taken for public, as a name would be that points to the open internet."""
    import gmedbot.corpus.fetch as fetch

    real = is_public
    seen: list[str] = []

    def once(address: str) -> bool:
        seen.append(address)
        return len(seen) <= 2 or real(address)  # robots.txt and the page itself

    monkeypatch.setattr(fetch, "is_public", once)
    with pytest.raises(AddRefusedError, match="private or local"):
        fetch_page(f"{site[0]}/inward", load_settings(corpus=tmp_path, index=tmp_path))
    assert [path for path, _, _ in site[1]] == ["/robots.txt", "/inward"]


@pytest.mark.parametrize(
    "url", ["ftp://example.org/x", "file:///etc/passwd", "http://user:pw@example.org/", "http:///x", "gopher://x/"]
)
def test_other_schemes_and_passwords_in_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(AddRefusedError):
        prepare_source(url, load_settings(corpus=tmp_path, index=tmp_path))


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("127.0.0.1", False), ("172.16.0.1", False), ("100.64.0.1", False), ("::1", False), ("fe80::1%eth0", False),
     ("fc00::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:7f00:1::", False), ("224.0.0.1", False), ("2606:4700::1111", True)],
)  # fmt: skip
def test_addresses_of_the_open_internet_are_told_from_others(address: str, public: bool) -> None:
    assert is_public(address) is public
