"""What is looked at for a question stays bounded however many claims a corpus holds."""

from __future__ import annotations

import pytest

from gmedbot.answer import features
from gmedbot.bot import Bot

pytestmark = pytest.mark.integration
NERVE = "Which nerve supplies the gluteus medius?"


def test_of_an_attribute_with_many_claims_those_nearest_to_the_question_are_looked_at(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = bot._finder.observer
    rows = observer.of_attribute("nerve")
    assert len(rows) > 2
    vector = bot.retriever.encoder.encode([NERVE])[0]
    assert observer._nearest(rows, vector) == rows
    monkeypatch.setattr(features, "_OF_ATTRIBUTE", 2)
    near = bot._index.claim_vectors[list(rows)] @ vector
    best = sorted(rows, key=lambda row: -near[rows.index(row)])[:2]
    assert observer._nearest(rows, vector) == tuple(best)
    assert "superior gluteal nerve" in bot.ask(NERVE).answer
