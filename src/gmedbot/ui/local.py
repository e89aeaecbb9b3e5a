"""Whether a request comes from the machine that serves it: what writes to the corpus is open to nobody else."""

from __future__ import annotations

import ipaddress

from fastapi import Request

__all__ = ["is_local", "is_loopback"]

#: A proxy that passes requests on is itself local, but those who ask it are not.
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_loopback(host: str | None) -> bool:
    """Whether a name or address means this very machine: localhost, 127.0.0.0/8, ::1."""
    name = (host or "").strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_local(request: Request, host: str) -> bool:
    """Whether the app is served on a loopback address only (``host`` is the one it was started with), and the request
    came over one, by a name that means this machine (another name would be a page of the web that was pointed here),
    and through no proxy.
    """
    served = (request.scope.get("server") or ("",))[0]
    asked = request.client.host if request.client else ""
    is_passed_on = any(name in request.headers for name in _PASSED_ON)
    return not is_passed_on and all(map(is_loopback, (host, served, asked, request.url.hostname)))
