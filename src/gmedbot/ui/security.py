"""Headers that keep a page to itself: nothing loaded from, sent to or framed by another host."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import JSONResponse, Response

__all__ = ["MAX_BODY_BYTES", "add_security"]

#: Largest request: a long conversation to export. Nothing else comes near it.
MAX_BODY_BYTES = 4_000_000

_COMMON = (
    "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'; style-src 'self' 'unsafe-inline'; "
)
#: Our own pages run only our own script files.
_STRICT = _COMMON + "script-src 'self'"
#: Gradio evaluates its components' scripts; without both of these the chat page stays empty.
_GRADIO = _COMMON + "script-src 'self' 'unsafe-inline' 'unsafe-eval'; worker-src 'self' blob:"

_OWN_PAGES = ("/explore", "/anatomy", "/maintain", "/api/", "/gm/", "/healthz")

#: Gradio's file routes: no component of ours takes or serves a file.
_CLOSED = ("/gradio_api/upload", "/gradio_api/file=", "/gradio_api/proxy=", "/gradio_api/stream/")


def add_security(app: FastAPI) -> None:
    """Set the headers on every response, refuse bodies that are too large, close routes that nobody needs."""

    @app.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        path = request.url.path
        if path.startswith(_CLOSED):
            return JSONResponse({"error": "not found"}, status_code=404)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return JSONResponse({"error": "the request is too large"}, status_code=413)
        response = await call_next(request)
        headers = response.headers
        is_own = path.startswith(_OWN_PAGES) or response.status_code in {404, 503}
        headers["Content-Security-Policy"] = _STRICT if is_own else _GRADIO
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), interest-cohort=()"
        return response
