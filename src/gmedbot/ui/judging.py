"""The addresses at which maintainers read and judge disagreements. Reading needs the login; judging also needs to be
on the machine that serves, because it writes into the corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from pydantic import BaseModel

from gmedbot.errors import GmedbotError
from gmedbot.settings import Settings, is_packaged
from gmedbot.ui.docket import WITHDRAW, Judgement, MeanwhileError, judge, pair_of, read_docket, withdraw
from gmedbot.ui.ledger import Ledger
from gmedbot.ui.loaded import LoadedBot
from gmedbot.ui.local import is_local
from gmedbot.ui.login import COOKIE, Login
from gmedbot.ui.text import t
from gmedbot.ui.views.html import Markup, join
from gmedbot.ui.views.judge import PAGE, SHOWS, Bench, judge_page, judge_tabs, pair_card, problem_box, unsaved_page
from gmedbot.ui.views.maintain import login_page
from gmedbot.ui.views.page import page

__all__ = ["add_judging"]

_SCRIPTS = ("pages.js", "judge.js")


class JudgementIn(BaseModel):
    """The form of one pair. ``part``: the script asks, and puts the card in its place without a new page."""

    a: str = ""
    b: str = ""
    label: str = ""
    note: str = ""
    seen: str = ""
    key: str = ""
    show: str = "all"
    shown: int = PAGE
    part: str = ""


def add_judging(router: APIRouter, login: Login, loaded: LoadedBot, settings: Settings) -> None:
    """Add the routes to those of the maintainers."""
    path = settings.corpus / "reviews.yaml"

    @router.get("/conflicts")
    def conflicts(request: Request, show: str = "all", shown: int = PAGE, saved: str = "") -> HTMLResponse:
        cookie = request.cookies.get(COOKIE)
        if not login.is_valid(cookie):
            return HTMLResponse(page(t("maintain.title"), "", login_page()))
        ledger = loaded.ledger()
        is_ours = not is_packaged(settings.corpus)
        key = login.form_key(cookie) if is_ours and is_local(request, settings.host) else ""
        bench = _bench(ledger, path, show, shown, key, saved)
        return _page(judge_page(read_docket(ledger, path), replace(bench, is_packaged=not is_ours)))

    @router.post("/judge")
    def save(request: Request, said: Annotated[JudgementIn, Form()]) -> Response:
        cookie = request.cookies.get(COOKIE)
        if not login.is_valid(cookie) or not login.is_form_key(cookie, said.key):
            if said.part:
                return PlainTextResponse(t("judge.expired"), status_code=403)
            return HTMLResponse(page(t("maintain.title"), "", login_page(t("judge.expired"))), status_code=403)
        if not is_local(request, settings.host):
            return PlainTextResponse(t("judge.elsewhere", command="gmedbot claims review"), status_code=403)
        ledger = loaded.ledger()
        return _judged(ledger, path, said, _bench(ledger, path, said.show, said.shown, said.key))


def _bench(ledger: Ledger, path: Path, show: str, shown: int, key: str, saved: str = "") -> Bench:
    return Bench(ledger.sources, str(path), key, show if show in SHOWS else "all", max(1, min(shown, 5000)), saved)


def _judged(ledger: Ledger, path: Path, said: JudgementIn, bench: Bench) -> Response:
    """Save it, and answer with the card as it stands now; with the problem and the typed note if it was not saved."""
    problem, code = "", 200
    try:
        change = withdraw if said.label == WITHDRAW else judge
        change(ledger, path, Judgement(said.a, said.b, said.label, said.note, said.seen))
    except MeanwhileError as error:
        problem, code = error.wanted, 409
    except GmedbotError as error:
        problem, code = str(error), 400
    try:
        pair = pair_of(ledger, path, *sorted((said.a, said.b)))
    except GmedbotError:  # told in ``problem`` already
        pair = None
    if said.part and (pair is None or (problem and code != 409)):
        return PlainTextResponse(problem, status_code=code)  # the card stays as it is, with the note in it
    if pair is None:
        return _page(unsaved_page(problem_box(problem, said.note), bench), code)
    card = pair_card(pair, bench, problem, said.note if problem else None)
    if said.part:
        return HTMLResponse(str(join((card, judge_tabs(read_docket(ledger, path), bench)))), status_code=code)
    if problem:
        return _page(unsaved_page(card, bench), code)
    where = urlencode({"show": bench.show, "shown": bench.shown, "saved": pair.key})
    return RedirectResponse(f"/maintain/conflicts?{where}#{pair.key}", status_code=303)


def _page(content: Markup, code: int = 200) -> HTMLResponse:
    made = HTMLResponse(page(t("judge.title"), "", content, scripts=_SCRIPTS), status_code=code)
    made.headers["Cache-Control"] = "no-store"
    return made
