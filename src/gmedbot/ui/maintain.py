"""The maintainers' page: reachable only with a password in the settings, and then only by those who know it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gmedbot.errors import GmedbotError
from gmedbot.index.store import Manifest, Store
from gmedbot.service.feedback import FeedbackStore
from gmedbot.settings import Settings
from gmedbot.ui.judging import add_judging
from gmedbot.ui.loaded import LoadedBot
from gmedbot.ui.login import COOKIE, SESSION_SECONDS, Login
from gmedbot.ui.text import t
from gmedbot.ui.views.maintain import Build, Desk, changes_page, desk_page, login_page
from gmedbot.ui.views.page import page

__all__ = ["maintainer_routes"]

Votes = Callable[[], FeedbackStore | None]


def maintainer_routes(loaded: LoadedBot, settings: Settings, votes: Votes) -> APIRouter:
    """The routes under ``/maintain``; none at all without a password, so that they answer like any wrong address."""
    router = APIRouter(prefix="/maintain", include_in_schema=False)
    if not settings.maintainer_password:
        return router
    login = Login(settings.maintainer_password)
    compared = _Compared()

    @router.get("")
    def desk(request: Request) -> HTMLResponse:
        if not login.is_valid(request.cookies.get(COOKIE)):
            return HTMLResponse(page(t("maintain.title"), "", login_page()))
        shown = _read_desk(loaded, settings, votes)
        response = HTMLResponse(page(t("maintain.title"), "", desk_page(shown)))
        response.headers["Cache-Control"] = "no-store"
        return response

    @router.get("/changes")
    def changes(request: Request) -> Response:
        if not login.is_valid(request.cookies.get(COOKIE)):
            return RedirectResponse("/maintain", status_code=303)
        text = compared.text(settings)
        response = HTMLResponse(page(t("maintain.changed"), "", changes_page(text)))
        response.headers["Cache-Control"] = "no-store"
        return response

    @router.post("/login")
    def enter(request: Request, password: Annotated[str, Form(max_length=400)] = "") -> Response:
        if login.is_braked():
            return HTMLResponse(page(t("maintain.title"), "", login_page(t("maintain.slow"))), status_code=429)
        if not login.check(password):
            return HTMLResponse(page(t("maintain.title"), "", login_page(t("maintain.wrong"))), status_code=403)
        response = RedirectResponse("/maintain", status_code=303)
        is_https = request.url.scheme == "https"
        response.set_cookie(COOKIE, login.cookie(), max_age=SESSION_SECONDS, path="/maintain", httponly=True,
                            samesite="strict", secure=is_https)  # fmt: skip
        return response

    @router.post("/logout")
    def leave() -> Response:
        response = RedirectResponse("/maintain", status_code=303)
        response.delete_cookie(COOKIE, path="/maintain")
        return response

    add_judging(router, login, loaded, settings)
    return router


def _read_desk(loaded: LoadedBot, settings: Settings, votes: Votes) -> Desk:
    """All that the page shows; what cannot be read is left out, with the reason in its place."""
    store = votes()
    builds = _builds(settings)
    facts: dict[str, str] = {"index folder": str(settings.index), "corpus folder": str(settings.corpus)}
    conflicts = []
    try:
        ledger = loaded.ledger()
        found = list(ledger.findings.values())
        facts |= {
            "build": ledger.index_id,
            "sources": f"{len(ledger.sources):,}",
            "statements": f"{len(ledger.claims):,}",
            "findings": f"{len(found):,}",
            "agreed": f"{sum(f.status == 'agreed' for f in found):,}",
            "disputed": f"{sum(f.status == 'disputed' for f in found):,}",
        }
        conflicts = list(ledger.bot.conflicts())
    except GmedbotError as error:
        facts["problem"] = str(error)
    return Desk(
        facts=facts,
        builds=builds,
        conflicts=conflicts,
        votes=store.votes() if store else (),
        unanswered=store.unanswered() if store else (),
        days=settings.feedback_days,
    )


def _builds(settings: Settings) -> list[Build]:
    store = Store(settings.index)
    try:
        current = store.current_id()
    except GmedbotError:
        current = ""
    return [Build(build_id, _manifest(store, build_id), build_id == current) for build_id in store.list_builds()]


def _manifest(store: Store, build_id: str) -> dict[str, str]:
    try:
        found: Manifest = store.manifest(build_id)
    except GmedbotError as error:
        return {"problem": error.found or error.wanted}
    numbers = {"sources": found.n_sources, "passages": found.n_passages, "claims": found.n_claims}
    return {name: f"{number:,}" for name, number in numbers.items()}


class _Compared:
    """What the newest build says differently. Worked out when it is first asked for, as it reads two whole builds, and
    kept until the builds are others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._builds: tuple[str, ...] = ()
        self._text = ""

    def text(self, settings: Settings) -> str:
        with self._lock:
            builds = tuple(f"{b.build_id} {b.is_current}" for b in _builds(settings))
            if builds != self._builds:
                self._text = _changes(settings) if len(builds) > 1 else t("maintain.one_build")
                self._builds = builds
            return self._text


def _changes(settings: Settings) -> str:
    """What the newest build says differently from the one before, in words."""
    try:
        from gmedbot.index.diff import diff_builds, render_diff

        return str(render_diff(diff_builds(settings, ())))
    except (ImportError, GmedbotError) as error:
        return str(error)
