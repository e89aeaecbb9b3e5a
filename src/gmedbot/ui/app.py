"""The web app put together: Gradio's chat page and our own pages in one FastAPI application."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gmedbot.errors import GmedbotError, StorageError
from gmedbot.service.api import api_router
from gmedbot.service.feedback import FeedbackStore, feedback_url
from gmedbot.settings import Settings
from gmedbot.types import Answer, AskOptions
from gmedbot.ui.loaded import LoadedBot
from gmedbot.ui.maintain import maintainer_routes
from gmedbot.ui.pages import own_pages
from gmedbot.ui.ports import BotPort
from gmedbot.ui.routes import page_routes
from gmedbot.ui.security import add_security
from gmedbot.ui.stream import Stops, stream_answer
from gmedbot.ui.views.page import chat_head, missing_page, not_found_page, opening_head

__all__ = ["build_app", "serve"]

_log = logging.getLogger(__name__)

#: Seconds between two pieces of an answer: fourteen of them stay well under half a second.
PACE = 0.03

#: Addresses at which programs ask, not people: a wrong one there gets no page.
_NOT_PAGES = ("/api/", "/gradio_api/", "/gm/", "/assets/", "/static/", "/maintain", "/.well-known/")


def build_app(
    bot: BotPort | None,
    settings: Settings,
    *,
    reopen: Callable[[], BotPort] | None = None,
    error: GmedbotError | None = None,
    pace: float = PACE,
) -> FastAPI:
    """The whole web app.

    Args:
        bot: an open bot; None if there is no index yet, then every page says what to run.
        reopen: opens the bot once there is an index.
        error: why there is no bot.
    """
    loaded = LoadedBot(bot, reopen, error)
    votes = _Votes(settings)
    app = FastAPI(title="gmedbot", docs_url=None, redoc_url=None, lifespan=_watching(loaded, settings))
    app.add_middleware(_Opening)  # innermost, so that it sees the page before it is compressed
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.include_router(api_router(loaded.get, settings, _options))
    stops = Stops()
    app.include_router(page_routes(loaded, votes.get, stops))
    app.include_router(own_pages(loaded))
    app.include_router(maintainer_routes(loaded, settings, votes.get))
    app.mount("/gm", _Assets(directory=str(resources.files("gmedbot.ui").joinpath("assets"))), name="gm")
    _handle_trouble(app, loaded)
    add_security(app)
    return _mount_chat(
        app,
        settings,
        lambda data: stream_answer(data, loaded.get, settings, pace=pace, stops=stops, on_answer=votes.note),
    )


def serve(settings: Settings, *, host: str, port: int, open_browser: bool) -> None:
    """Run the web app until it is interrupted; without an index it says so on the page and looks again."""
    import uvicorn

    from gmedbot.bot import Bot

    settings = settings.changed(host=host, port=port)  # what is served decides what maintainers may do

    def reopen() -> BotPort:
        return Bot.open(settings)

    bot, error = None, None
    try:
        bot = reopen()
    except GmedbotError as problem:
        error = problem
        _log.warning("%s", problem)
    app = build_app(bot, settings, reopen=reopen, error=error)
    if open_browser:
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host
        timer = threading.Timer(1.0, webbrowser.open, (f"http://{shown}:{port}/",))
        timer.daemon = True
        timer.start()
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)


def _watching(loaded: LoadedBot, settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """While the app runs, a thread looks for new builds; it has ended when the app has."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watcher = loaded.watch(settings.index)
        try:
            yield
        finally:
            await asyncio.to_thread(watcher.stop)

    return lifespan


class _Assets(StaticFiles):
    """Our style sheets and scripts. Their address carries a hash of the file, so they may be kept for good."""

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        is_named = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_named else "no-cache"
        return response


class _Opening:
    """Puts ``opening_head`` into the chat page as Gradio serves it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._head = opening_head().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def changed(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            whole = body.replace(b"</head>", self._head + b"</head>", 1)
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(whole))
            await send(start)
            await send({"type": "http.response.body", "body": whole})

        await self._app(scope, receive, changed)


class _Votes:
    """The store of votes, opened when first needed; a store that cannot be opened costs the votes, not the chat."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store: FeedbackStore | None = None
        self._lock = threading.Lock()

    def get(self) -> FeedbackStore | None:
        with self._lock:
            if self._store is None:
                try:
                    self._store = FeedbackStore(feedback_url(self._settings), self._settings.feedback_days)
                except StorageError as error:
                    _log.warning("votes are not kept: %s", error)
            return self._store

    def note(self, answer: Answer) -> None:
        """Keep a question that was declined, for the maintainers."""
        store = self.get() if answer.status == "declined" and answer.shape != "greeting" else None
        if store is not None:
            try:
                store.add_unanswered(answer.question, answer.index)
            except Exception:  # a full disk must not cost the learner the answer
                _log.exception("an unanswered question could not be kept")


def _options(topics: tuple[str, ...], length: Any, evidence: Any) -> AskOptions:
    return AskOptions(topics=topics, length=length, evidence=evidence)


def _handle_trouble(app: FastAPI, loaded: LoadedBot) -> None:
    """While there is no index every page says what to run; a wrong address gets a page of ours."""

    @app.middleware("http")
    async def need_bot(request: Request, call_next: Callable[[Request], Any]) -> Response:
        if request.url.path == "/":
            try:
                loaded.get()
            except GmedbotError as error:
                return HTMLResponse(missing_page(error), status_code=503)
        response: Response = await call_next(request)
        is_page = request.method == "GET" and not request.url.path.startswith(_NOT_PAGES)
        if response.status_code == 404 and is_page and "text/html" not in response.headers.get("content-type", ""):
            return HTMLResponse(not_found_page(), status_code=404)
        return response

    @app.exception_handler(GmedbotError)
    async def no_bot(request: Request, error: GmedbotError) -> Response:
        if request.url.path.startswith("/api/"):
            body = {"error": {"wanted": error.wanted, "found": error.found, "fix": error.fix}}
            return JSONResponse(body, status_code=503)
        return HTMLResponse(missing_page(error), status_code=503)


def _mount_chat(app: FastAPI, settings: Settings, stream: Callable[[object], Iterator[str]]) -> FastAPI:
    """Gradio at "/". Its telemetry is switched off before it is imported: the switch is read only once."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    from gmedbot.ui.blocks import build_blocks

    blocks = build_blocks(stream, settings.max_question_chars)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        head=chat_head(settings.max_question_chars),
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        ssr_mode=False,
        max_file_size="1mb",
        favicon_path=str(resources.files("gmedbot.ui").joinpath("assets", "icon.svg")),
    )
    return mounted
