"""One web page, fetched with care: http(s) only, public addresses only, few redirects, a size and a time limit.

An address may come from anywhere, so it is treated as hostile. The name is resolved here, every address behind it is
judged, and the connection goes to the very address that was judged: a name that points elsewhere a moment later
(DNS rebinding) gains nothing. Each redirect is judged again. robots.txt is asked first and obeyed.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from gmedbot.errors import AddRefusedError

if TYPE_CHECKING:
    import httpx

    from gmedbot.settings import Settings

__all__ = ["AGENT", "Fetched", "fetch_page", "is_public"]

AGENT = "gmedbot"
_HEADER = "gmedbot/0.1 (corpus add; a person asked for this page)"
_MAX_REDIRECTS = 5
_ROBOTS_BYTES = 512 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TYPES = ("text/", "application/xhtml", "application/xml", "application/pdf", "application/octet-stream",
          "application/vnd.openxmlformats-officedocument.wordprocessingml")  # fmt: skip


@dataclass(frozen=True)
class Fetched:
    """The body of a page. ``url`` is the last address after redirects; ``charset`` is what the server said."""

    url: str
    data: bytes
    content_type: str
    charset: str | None


class _Deadline:
    """The seconds left for one page with all its redirects."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise AddRefusedError(f"The page must come within {self._seconds:g} seconds.", "it took longer", "set GMEDBOT_FETCH_SECONDS, or save the page and add the file")  # fmt: skip
        return left


def fetch_page(url: str, settings: Settings) -> Fetched:
    """Fetch one page. Raises: AddRefusedError with the reason; nothing is retried."""
    deadline = _Deadline(settings.fetch_seconds)
    limit = settings.max_source_mb * 1_000_000
    robots: dict[str, RobotFileParser | None] = {}
    for _ in range(_MAX_REDIRECTS + 1):
        _check_robots(url, settings, deadline, robots)
        status, headers, data = _get(url, settings, deadline, limit)
        if status in (301, 302, 303, 307, 308) and headers.get("location"):
            url = urljoin(url, headers["location"])
            continue
        if status != 200:
            raise AddRefusedError(f"{url} must answer with a page.", f"HTTP status {status}", "check the address")
        kind = headers.get("content-type", "text/html").casefold()
        if not kind.startswith(_TYPES):
            raise AddRefusedError(f"{url} must be a page, PDF, DOCX or text.", f"its type is {kind}")
        charset = kind.partition("charset=")[2].split(";")[0].strip(" \"'") or None
        return Fetched(url, data, kind.split(";")[0].strip(), charset)
    raise AddRefusedError(f"At most {_MAX_REDIRECTS} redirects are followed.", f"still redirected at {url}")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, however it is written inside IPv6."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _address_of(url: str, settings: Settings) -> tuple[str, str, int]:
    """(IP address to connect to, host, port) of a URL whose every address may be visited."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise AddRefusedError(f"{url} must be a web address.", str(error)) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddRefusedError("Only http and https addresses are fetched.", url)
    if parts.username or parts.password:
        raise AddRefusedError("An address must not hold a user name or password.", parts.hostname)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise AddRefusedError(f"{parts.hostname} must be a known host.", str(error), "check the address") from error
    addresses = [str(entry[4][0]) for entry in found]
    closed = [address for address in addresses if not is_public(address)]
    if closed and not settings.allow_private_urls:
        raise AddRefusedError(
            "Only public addresses are fetched.",
            f"{parts.hostname} is {closed[0]}, a private or local address",
            "save the page and add the file, or set GMEDBOT_ALLOW_PRIVATE_URLS=true",
        )
    return addresses[0], parts.hostname, port


def _get(url: str, settings: Settings, deadline: _Deadline, limit: int) -> tuple[int, httpx.Headers, bytes]:
    """One request to the judged address, no redirect followed, body cut off with an error at ``limit`` bytes."""
    import httpx

    address, host, port = _address_of(url, settings)
    shown = f"[{address}]" if ":" in address else address
    pinned = httpx.URL(url).copy_with(host=shown.strip("[]"), port=port, fragment=None)
    name = host if port in (80, 443) else f"{host}:{port}"
    headers = {
        "Host": name,
        "User-Agent": _HEADER,
        "Accept": "text/html,application/pdf;q=0.9,text/plain;q=0.8,*/*;q=0.5",
    }
    body = bytearray()
    try:
        with httpx.Client(trust_env=False, follow_redirects=False, timeout=deadline.left()) as client:
            request = client.build_request("GET", pinned, headers=headers, extensions={"sni_hostname": host})
            response = client.send(request, stream=True)
            try:
                for block in response.iter_bytes():
                    body += block
                    deadline.left()
                    if len(body) > limit:
                        raise AddRefusedError(
                            f"A source may have at most {limit / 1e6:g} MB.",
                            f"{url} is larger",
                            "set GMEDBOT_MAX_SOURCE_MB",
                        )
            finally:
                response.close()
            return response.status_code, response.headers, bytes(body)
    except httpx.TimeoutException as error:
        raise AddRefusedError(f"{url} must answer within {settings.fetch_seconds:g} seconds.", "it did not") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise AddRefusedError(
            f"{url} must be reachable.", str(error) or type(error).__name__, "check the address"
        ) from error


def _check_robots(url: str, settings: Settings, deadline: _Deadline, known: dict[str, RobotFileParser | None]) -> None:
    """Refuse what robots.txt forbids. No file (4xx) allows everything; a failing server (5xx) allows nothing (RFC 9309)."""
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc}"
    if site not in known:
        known[site] = _robots(site, settings, deadline)
    rules = known[site]
    if rules is not None and not rules.can_fetch(AGENT, url):
        raise AddRefusedError(
            f"robots.txt of {parts.netloc} must allow the page.",
            "it does not",
            "ask the publisher, or add a page you saved by hand",
        )


def _robots(site: str, settings: Settings, deadline: _Deadline) -> RobotFileParser | None:
    url = f"{site}/robots.txt"
    for _ in range(_MAX_REDIRECTS + 1):
        status, headers, data = _get(url, settings, deadline, _ROBOTS_BYTES * 2)
        if status in (301, 302, 303, 307, 308) and headers.get("location"):
            url = urljoin(url, headers["location"])
            continue
        rules = RobotFileParser(url)
        if status == 200:
            rules.parse(data[:_ROBOTS_BYTES].decode("utf-8", "replace").splitlines())
        elif status >= 500:
            rules.disallow_all = True  # type: ignore[attr-defined]
        else:
            return None
        return rules
    return None
