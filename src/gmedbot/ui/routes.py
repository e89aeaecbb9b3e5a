"""What the chat page's scripts ask for: starters, a passage, answers drawn again, votes, exported files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from gmedbot.service import export
from gmedbot.service.feedback import FeedbackStore
from gmedbot.ui.loaded import LoadedBot
from gmedbot.ui.records import RecordError, record_to_answer
from gmedbot.ui.stream import Stops, finished
from gmedbot.ui.views.chat import empty_state
from gmedbot.ui.views.panel import passage_gone, source_view
from gmedbot.ui.views.standing import dispute_panel

__all__ = ["page_routes"]

_log = logging.getLogger(__name__)

#: Answers drawn again by one request, and turns of one exported conversation.
MAX_RENDERED = 200
MAX_TURNS = 1000


class RenderIn(BaseModel):
    """Records of answers to draw again."""

    model_config = ConfigDict(extra="forbid")
    records: list[dict[str, Any] | None] = Field(max_length=MAX_RENDERED)


class StopIn(BaseModel):
    """A turn whose reader does not want the rest."""

    model_config = ConfigDict(extra="forbid")
    turn: str = Field(min_length=1, max_length=64)


class VoteIn(BaseModel):
    """A vote on an answer; ``value`` None takes it back."""

    model_config = ConfigDict(extra="forbid")
    client: str = Field(min_length=8, max_length=64)
    turn: str = Field(min_length=1, max_length=64)
    value: Literal["up", "down"] | None
    reason: str = Field("", max_length=24)
    question: str = Field(max_length=20_000)
    passages: list[str] = Field(default_factory=list, max_length=200)
    index: str = Field("", max_length=80)


class TurnIn(BaseModel):
    """A turn to export."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(max_length=20_000)
    record: dict[str, Any] | None = None


class ExportIn(BaseModel):
    """A conversation to export."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field("", max_length=400)
    turns: list[TurnIn] = Field(max_length=MAX_TURNS)


def page_routes(loaded: LoadedBot, store: Callable[[], FeedbackStore | None], stops: Stops) -> APIRouter:
    """The routes under ``/api/ui``; they serve our own page and may change with it."""
    router = APIRouter(prefix="/api/ui", include_in_schema=False)

    @router.get("/start")
    def start() -> HTMLResponse:
        bot = loaded.get()
        return HTMLResponse(str(empty_state(bot.suggestions(), len(bot.sources()))))

    @router.get("/passage")
    def passage(id: str, start: int = 0, end: int = 0) -> HTMLResponse:
        ledger = loaded.ledger()
        found = ledger.bot.passage(id)
        source = ledger.sources.get(found.source_id) if found else None
        if found is None or source is None:
            return HTMLResponse(str(passage_gone(None, ledger.index_id)), status_code=404)
        others = ledger.others(ledger.claim_at(id, start, end))
        copied = ledger.sources.get(source.lineage) if source.lineage else None
        return HTMLResponse(str(source_view(found, source, (start, end), others, copied)))

    @router.get("/finding")
    def finding(id: str) -> HTMLResponse:
        ledger = loaded.ledger()
        found = ledger.findings.get(id)
        if found is None:
            return HTMLResponse(str(passage_gone(None, ledger.index_id)), status_code=404)
        return HTMLResponse(str(dispute_panel(ledger, found)))

    @router.post("/render")
    def render(body: RenderIn) -> JSONResponse:
        bot = loaded.get()
        turns: list[dict[str, Any] | None] = []
        for record in body.records:
            try:
                turns.append(None if record is None else finished(record_to_answer(record), bot))
            except RecordError:
                turns.append(None)
        return JSONResponse(turns)

    @router.post("/stop")
    def stop(body: StopIn) -> JSONResponse:
        stops.add(body.turn)
        return JSONResponse({"stopped": True})

    @router.post("/vote")
    def vote(body: VoteIn) -> JSONResponse:
        return _vote(store(), body)

    @router.post("/export/{form}")
    def save(form: Literal["md", "html", "json"], body: ExportIn) -> Response:
        return _export(form, body)

    return router


def _vote(votes: FeedbackStore | None, body: VoteIn) -> JSONResponse:
    problem = JSONResponse({"error": "votes cannot be kept"}, status_code=503)
    if votes is None:
        return problem
    try:
        votes.vote(
            body.client,
            body.turn,
            body.value,
            question=body.question,
            reason=body.reason,
            passages=body.passages,
            index_id=body.index,
        )
    except SQLAlchemyError:
        _log.exception("a vote could not be kept")
        return problem
    return JSONResponse({"kept": body.value is not None})


def _export(form: str, body: ExportIn) -> Response:
    """The conversation as a file; a record that cannot be read is a turn without an answer."""
    turns = []
    for turn in body.turns:
        try:
            answer = record_to_answer(turn.record) if turn.record else None
        except RecordError:
            answer = None
        turns.append(export.ExportTurn(turn.question, answer))
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    conversation = export.Conversation(body.title, turns, now)
    make, kind = {
        "md": (export.to_markdown, "text/markdown"),
        "html": (export.to_html, "text/html"),
        "json": (export.to_json, "application/json"),
    }[form]
    return Response(make(conversation), media_type=f"{kind}; charset=utf-8")
