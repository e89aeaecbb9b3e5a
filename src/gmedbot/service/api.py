"""The HTTP API for other programs: one question in, the stable JSON answer out; and whether the service is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from gmedbot.errors import GmedbotError
from gmedbot.settings import Settings
from gmedbot.types import Answer

__all__ = ["AskOptionsIn", "AskRequest", "api_router"]


class Asker(Protocol):
    """The part of the bot that the API needs."""

    @property
    def index_id(self) -> str: ...
    def ask(self, question: str, history: Sequence[str] = ..., options: Any = ...) -> Answer: ...


class AskOptionsIn(BaseModel):
    """The options of a question; topics are those of the corpus."""

    model_config = ConfigDict(extra="forbid")
    topics: list[str] = Field(default_factory=list, max_length=20)
    length: Literal["short", "full"] = "full"
    evidence: Literal["all", "studies"] = "all"


class AskRequest(BaseModel):
    """A question, the earlier questions of the talk (oldest first), and options."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1)
    history: list[str] = Field(default_factory=list, max_length=50)
    options: AskOptionsIn = Field(default_factory=AskOptionsIn)


def api_router(
    get_bot: Callable[[], Asker],
    settings: Settings,
    make_options: Callable[[tuple[str, ...], str, str], Any],
) -> APIRouter:
    """Routes ``POST /api/ask`` and ``GET /healthz``.

    Args:
        get_bot: the bot in use; raises GmedbotError while there is none.
        make_options: the bot's own options from topics, length and evidence.
    """
    router = APIRouter()

    @router.post("/api/ask")
    def ask(request: AskRequest) -> JSONResponse:
        if not request.question.strip() or len(request.question) > settings.max_question_chars:
            wanted = f"a question of 1 to {settings.max_question_chars} characters"
            return _problem(422, wanted, f"{len(request.question)} characters", "")
        try:
            bot = get_bot()
        except GmedbotError as error:
            return _problem(503, error.wanted, error.found, error.fix)
        options = request.options
        chosen = make_options(tuple(options.topics), options.length, options.evidence)
        return JSONResponse(bot.ask(request.question, tuple(request.history), chosen).to_json())

    @router.get("/healthz")
    def health() -> JSONResponse:
        try:
            return JSONResponse({"status": "ok", "index": get_bot().index_id})
        except GmedbotError as error:
            return _problem(503, error.wanted, error.found, error.fix)

    return router


def _problem(code: int, wanted: str, found: str, fix: str) -> JSONResponse:
    return JSONResponse({"error": {"wanted": wanted, "found": found, "fix": fix}}, status_code=code)
