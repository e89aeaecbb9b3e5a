"""Follow-ups lean on the answers before them, which are found again from the questions alone."""

from __future__ import annotations

import numpy as np
import pytest

from gmedbot.answer.evidence import EvidenceFinder
from gmedbot.answer.joined import PARTS, JoinModel
from gmedbot.answer.ranking import answer_models
from gmedbot.answer.told import LATEST, TOLD, Told
from gmedbot.bot import Bot

pytestmark = pytest.mark.integration
NERVE = "Which nerve supplies the gluteus medius?"
ORIGIN = "Where does the gluteus medius arise?"
FOLLOW_UP = "and its roots?"


def column(table: np.ndarray, name: str) -> list[float]:
    return table[:, TOLD.index(name)].tolist()  # type: ignore[no-any-return]


def test_the_answer_before_is_what_that_question_finds(bot: Bot) -> None:
    (told,) = bot._recall.of([NERVE])
    lead = bot._index.claims[told.heads[0]]
    assert lead.text == bot.ask(NERVE).citations[0].quote
    assert sum(told.shares) == pytest.approx(1) and set(told.heads) <= told.claims
    assert list(told.shares) == sorted(told.shares, reverse=True) and len(told.shares) == len(told.heads)


def test_the_latest_answer_comes_first_and_small_talk_is_no_answer(bot: Bot) -> None:
    history = [ORIGIN, NERVE, "thanks!"]
    assert LATEST == 2
    assert [one.heads for one in bot._recall.of(history)] == [bot._recall.of(history[:2])[0].heads]
    assert [one.heads for one in bot._recall.of([ORIGIN, NERVE])] == [
        bot._recall.of([ORIGIN, NERVE])[0].heads,
        bot._recall.of([ORIGIN])[0].heads,
    ]
    assert bot._recall.of([]) == () and bot._recall.of(["hello"]) == ()


def test_what_was_said_is_told_from_what_is_new(bot: Bot) -> None:
    query, _ = bot.understand(FOLLOW_UP, [NERVE])
    told = bot._told(query, [NERVE])
    lead = told[0].heads[0]
    rows = [lead, *(row for row in range(len(bot._index.claims)) if row not in told[0].claims)]
    table = bot._finder.told_of(query, bot._vectors(query)[-1], rows, told)
    assert table.shape == (len(rows), len(TOLD)) and np.isfinite(table).all()
    assert column(table, "is_told") == [1.0] * len(rows)
    assert column(table, "is_told_lead") == column(table, "is_told_claim") == [1.0] + [0.0] * (len(rows) - 1)
    assert column(table, "told_lead_cosine")[0] == pytest.approx(1, abs=1e-3)
    assert column(table, "told_new")[0] < 1e-9 < max(column(table, "told_new"))
    assert column(table, "told_finding")[0] == column(table, "told_passage")[0] == column(table, "told_source")[0] == 1
    assert column(table, "told_before_cosine") == [0.0] * len(rows), "nothing was answered before the last message"


def test_a_bar_in_a_follow_up_is_a_bar(bot: Bot) -> None:
    query, _ = bot.understand("and its roots | branches?", [NERVE])
    assert query.typed == "and its roots | branches?"


def test_a_question_that_stands_alone_leans_on_nothing(bot: Bot) -> None:
    query, _ = bot.understand(ORIGIN, [])
    assert bot._told(query, [NERVE]) == () and len(bot._vectors(query)) == 1 and query.typed == ""


def test_a_follow_up_is_ranked_behind_its_answer_only_where_there_is_one(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    look = EvidenceFinder.told_of

    def spied(self: EvidenceFinder, query: object, joined: object, rows: object, told: list[Told]) -> object:
        seen.append(len(told))
        return look(self, query, joined, rows, told)  # type: ignore[arg-type]

    monkeypatch.setattr(EvidenceFinder, "told_of", spied)
    bot.ask(FOLLOW_UP, [ORIGIN, NERVE])
    assert seen == [2]
    query, _ = bot.understand(FOLLOW_UP, [NERVE])
    vectors = bot._vectors(query)
    assert bot._finder.find(query, vectors, bot._search(query, 25, vectors[0])) and seen == [2]


def test_the_same_conversation_has_the_same_answer_whatever_was_asked_between(bot: Bot) -> None:
    first = bot.ask(FOLLOW_UP, [NERVE])
    bot._recall._told.cache_clear()
    bot.ask("why?", [ORIGIN])
    again = bot.ask(FOLLOW_UP, [NERVE])
    assert first.statements and first.statements == again.statements


def test_a_follow_up_is_answered_on_what_its_answer_spoke_of(project_bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    question, history = "which part of it is that?", ["Where does the gluteus medius insert?"]
    assert "trochanter" in project_bot.ask(question, history).statements[0].text
    monkeypatch.setattr(project_bot._recall, "of", lambda history: ())
    assert "trochanter" not in project_bot.ask(question, history).statements[0].text, "so it was the answer that helped"


def test_vectors_are_joined_by_their_weights() -> None:
    parts = np.random.default_rng(6).normal(size=(len(PARTS), 4)).astype(np.float32)
    joined = JoinModel((1.0, 0.5, *[0.0] * (len(PARTS) - 2))).join(parts)
    wanted = parts[0] + 0.5 * parts[1]
    assert joined == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-6)
    with pytest.raises(ValueError, match="6 weights wanted, got 2"):
        JoinModel((1.0, 2.0))


def test_vectors_are_not_joined_for_an_encoder_that_the_weights_do_not_know(bot: Bot) -> None:
    assert answer_models().join_model("another") is None
    model = answer_models().join_model(bot._index.manifest.encoder.model)
    query, _ = bot.understand(FOLLOW_UP, [NERVE])
    told = bot._told(query, [NERVE])
    vectors = bot._vectors(query, told=told)
    assert model is not None and vectors[-1] == pytest.approx(model.join(bot._parts(query, told)))
    assert len(vectors) == 3 and np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)
