"""One question from the page: check it, ask the bot, and send the answer in growing pieces.

A piece says how many blocks of the piece before it still stand (``keep``) and brings the rest, so that a long answer
costs a slow connection little more than itself. The last message brings all, and mends what may have been lost.

Messages are JSON texts for the page's script. The generator never raises: an exception in a Gradio event would
leave the page waiting, so every failure becomes a message that a person can read.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any, Literal, cast

from gmedbot.service.export import answer_markdown
from gmedbot.settings import Settings
from gmedbot.types import Answer, AskOptions
from gmedbot.ui.ledger import against
from gmedbot.ui.ports import BotPort
from gmedbot.ui.records import answer_to_record
from gmedbot.ui.text import count, t
from gmedbot.ui.views.answer import answer_blocks, answer_states
from gmedbot.ui.views.html import el, icon
from gmedbot.ui.views.panel import source_list

__all__ = [
    "MAX_HISTORY",
    "TOPIC_GROUPS",
    "Stops",
    "check_question",
    "finished",
    "options_from",
    "spoken",
    "stream_answer",
]

_log = logging.getLogger(__name__)

#: Earlier questions that are sent to the bot; the focus of a talk is in its last few.
MAX_HISTORY = 12

#: The four topics that a learner chooses from, and the topics of the corpus behind each.
TOPIC_GROUPS: dict[str, tuple[str, ...]] = {
    "anatomy": ("anatomy", "imaging"),
    "function": ("function", "strength"),
    "exercises": ("exercises",),
    "injury": ("injury", "diagnosis", "treatment", "prevention", "injection", "surgery"),
}


def options_from(data: object) -> AskOptions:
    """Options as the page sends them; anything unknown counts as not chosen."""
    chosen = data if isinstance(data, dict) else {}
    groups = chosen.get("topics")
    names = [g for g in groups if isinstance(g, str)] if isinstance(groups, list) else []
    topics = tuple(topic for name in names for topic in TOPIC_GROUPS.get(name, ()))
    length = "short" if chosen.get("length") == "short" else "full"
    wording = "source" if chosen.get("wording") == "source" else "plain"
    evidence = "studies" if chosen.get("evidence") == "studies" else "all"
    return AskOptions(
        topics=topics,
        length=cast(Literal["short", "full"], length),
        evidence=cast(Literal["all", "studies"], evidence),
        wording=cast(Literal["plain", "source"], wording),
    )


def check_question(question: object, settings: Settings) -> str | None:
    """What is wrong with a question, in words for its writer; None if it can be asked."""
    if not isinstance(question, str) or not question.strip():
        return t("error.empty")
    if len(question) > settings.max_question_chars:
        return t("error.long", found=f"{len(question):,}", most=f"{settings.max_question_chars:,}")
    return None


def history_from(data: object, settings: Settings) -> Sequence[str]:
    """The last earlier questions, as texts of a bearable length."""
    if not isinstance(data, list):
        return ()
    return tuple(q for q in data if isinstance(q, str) and len(q) <= settings.max_question_chars)[-MAX_HISTORY:]


def finished(answer: Answer, bot: BotPort) -> dict[str, Any]:
    """All that the page keeps and shows of a complete answer."""
    return {
        "blocks": answer_blocks(answer, bot.source, partial(against, bot)),
        "sources": str(source_list(answer, bot.source)),
        "count": _sources(answer),
        "say": spoken(answer),
        "urgent": answer.safety is not None and answer.safety.urgency != "routine",
        "copy": answer_markdown(answer),
        "record": answer_to_record(answer),
    }


def spoken(answer: Answer) -> str:
    """The one sentence or two that a screen reader says when the answer is complete; advice to seek care leads."""
    sources = count(_sources(answer), "source")
    counts = t("say.counts", statements=count(len(answer.statements), "statement"), sources=sources)
    if answer.conflicts:
        counts = t("say.conflicts", counts=counts, points=count(len(answer.conflicts), "point"))
    if answer.safety is not None:
        advice = f"{t(f'safety.{answer.safety.urgency}')}. {answer.safety.message.replace('*', '')}"
        return f"{advice} {t('say.then', summary=counts)}" if answer.statements else advice
    if answer.shape == "greeting":
        return t("say.done", summary=answer.answer.split("\n", 1)[0].rstrip(" ."))
    if answer.status == "declined" or answer.shape == "decline":
        return t("say.declined")
    return t("say.done", summary=counts if answer.statements else sources)


def _sources(answer: Answer) -> int:
    """How many sources an answer cites; several of its quotes may come from one."""
    return len({c.source_id for c in answer.citations})


class Stops:
    """The turns that their readers have stopped. Bounded: only the latest matter."""

    def __init__(self, most: int = 500) -> None:
        self._turns: OrderedDict[str, None] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def add(self, turn: str) -> None:
        with self._lock:
            self._turns[turn] = None
            while len(self._turns) > self._most:
                self._turns.popitem(last=False)

    def __contains__(self, turn: object) -> bool:
        with self._lock:
            return turn in self._turns


def stream_answer(
    data: object,
    get_bot: Callable[[], BotPort],
    settings: Settings,
    *,
    pace: float,
    stops: Container[str] = (),
    on_answer: Callable[[Answer], None] = lambda answer: None,
) -> Iterator[str]:
    """Messages for one question: growing blocks, then the finished answer.

    Args:
        pace: seconds between two pieces, so that the eye can follow; the answer itself is made in one go.
        stops: the turns that were stopped; looked at between two pieces.
    """
    request = data if isinstance(data, dict) else {}
    turn = str(request.get("turn", ""))[:64]
    wrong = check_question(request.get("question"), settings)
    if wrong:
        yield _message(turn, error=wrong, done=True)
        return
    try:
        bot = get_bot()
        history = history_from(request.get("history"), settings)
        answer = bot.ask(str(request["question"]), history, options_from(request.get("options")))
        on_answer(answer)
        before: list[str] = []
        for state in answer_states(answer, bot.source, partial(against, bot)):
            if turn in stops:
                return
            keep = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(before, state, strict=False))))
            yield _message(turn, keep=keep, blocks=state[keep:])
            before = state
            time.sleep(pace)
        yield _message(turn, done=True, **finished(answer, bot))
    except Exception:  # the boundary to the page: it must hear of everything
        _log.exception("a question could not be answered")
        block = el("div", el("h3", icon("alert"), t("error.title")), el("p", t("error.internal")), class_="gm-declined")
        yield _message(turn, blocks=[str(block)], failed=True, done=True)


def _message(turn: str, **fields: Any) -> str:
    """One message; ``<`` is written as an escape so that nothing on the way takes it for markup."""
    return json.dumps({"turn": turn, **fields}).replace("<", "\\u003c")
