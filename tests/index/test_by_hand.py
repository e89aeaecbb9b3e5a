"""What people write beside the sources goes into a build: plain wordings are shown, questions on disputes are near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gmedbot.bot import Bot
from gmedbot.corpus.disputes import QuestionsOnDispute
from gmedbot.errors import IndexDamagedError
from gmedbot.index.build import build_index
from gmedbot.index.disputes import BoundDispute, DisputeTable, bind_disputes, write_disputes
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.stale import is_stale
from gmedbot.index.store import Store
from gmedbot.settings import Settings
from gmedbot.types import AskOptions

NERVE = "The gluteus medius is supplied by the superior gluteal nerve."
PLAIN = "The superior gluteal nerve drives the gluteus medius."
BOUND = [
    BoundDispute("roots differ", ("which roots?", "L4?"), ("which nerve?",)),
    BoundDispute("other", ("what?",), ()),
]
VECTORS = np.eye(4, dtype=np.float32)


@pytest.fixture
def table(tmp_path: Path) -> DisputeTable:
    write_disputes(tmp_path, BOUND, VECTORS)
    return DisputeTable(tmp_path)


@pytest.mark.core
def test_nearness_is_told_for_both_kinds_of_questions(table: DisputeTable) -> None:
    assert len(table) == 2
    assert table.nearness("roots differ", VECTORS[1]) == pytest.approx((1.0, 0.5, 0.0, 0.0))
    assert table.nearness("roots differ", VECTORS[2]) == pytest.approx((0.0, 0.0, 1.0, 1.0))
    assert table.nearness("other", VECTORS[3]) == pytest.approx((1.0, 1.0, 0.0, 0.0))


@pytest.mark.core
def test_of_a_dispute_without_questions_nothing_is_told(table: DisputeTable) -> None:
    assert table.nearness("never asked about", VECTORS[0]) is None


@pytest.mark.core
def test_vectors_that_do_not_fit_are_damage(tmp_path: Path) -> None:
    write_disputes(tmp_path, BOUND, VECTORS[:3])
    with pytest.raises(IndexDamagedError, match="must hold 4 rows"):
        DisputeTable(tmp_path)


@pytest.mark.core
def test_questions_are_bound_to_the_reason_of_their_topic() -> None:
    rows = [QuestionsOnDispute("roots", ("which roots?",), ()), QuestionsOnDispute("settled", ("really?",), ())]
    assert bind_disputes(rows, {"roots": "roots differ"}) == [BoundDispute("roots differ", ("which roots?",), ())]


@pytest.mark.integration
def test_a_plain_wording_is_shown_and_the_statement_is_quoted(settings: Settings, corpus: Path) -> None:
    build_index(settings)
    question = "Which nerve supplies the gluteus medius?"
    before = Bot.open(settings, is_warm=False).ask(question)
    said = before.statements[0].text
    (corpus / "plain").mkdir()
    for citation in before.citations:
        if citation.n in before.statements[0].citations:
            text = f"- statement: {citation.quote}\n  plain: {PLAIN}\n"
            (corpus / "plain" / f"{citation.source_id}.yaml").write_text(text, "utf-8")
    assert "plain wordings" in is_stale(settings)
    report = build_index(settings)
    assert (report.extracted, report.encoded, report.changed) == (0, 0, True)
    bot = Bot.open(settings, is_warm=False)
    answer = bot.ask(question)
    shown = answer.statements[0]
    assert (shown.text, shown.original) == (PLAIN, said)
    assert PLAIN in answer.answer
    assert said in {citation.quote for citation in answer.citations if citation.n in shown.citations}
    assert answer.citations == before.citations
    as_written = bot.ask(question, options=AskOptions(wording="source"))
    assert as_written.statements == before.statements


@pytest.mark.integration
def test_questions_on_a_dispute_of_the_reviews_are_in_the_build(settings: Settings, corpus: Path) -> None:
    build_index(settings)
    claims = {claim.text: claim.claim_id for claim in BuiltIndex(Store(settings.index)).claims}
    first, second = claims[NERVE], claims["The gluteus medius abducts the hip."]
    row = f"- topic: nerve\n  type: anatomy\n  note: They differ.\n  sides: [['{first}'], ['{second}']]\n"
    (corpus / "reviews.yaml").write_text(row, "utf-8")
    (corpus / "disputes.yaml").write_text("- {topic: nerve, asked: [who drives it?]}\n", "utf-8")
    assert build_index(settings).encoded == 1
    index = BuiltIndex(Store(settings.index))
    (vector,) = index.encoder.encode(["who drives it?"])
    assert index.disputes.nearness("They differ.", vector) == pytest.approx((1.0, 1.0, 0.0, 0.0), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("reader_name", "0" * 12, "reader"),
        ("relator_digest", "0" * 12, "weighs"),
        ("packaged_digest", "0" * 64, "encoder"),
    ],
)
def test_an_index_of_other_networks_is_stale(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    build_index(settings)
    assert is_stale(settings) == ""
    monkeypatch.setattr(f"gmedbot.index.stale.{name}", lambda *names: value)
    assert why in is_stale(settings)
