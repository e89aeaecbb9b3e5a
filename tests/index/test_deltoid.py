"""A bot about another muscle, from data alone: agreement, copies, conflict, numbers and red flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from gmedbot.bot import Bot
from gmedbot.corpus.check import check_corpus
from gmedbot.index.build import build_index
from gmedbot.settings import load_settings
from tests.support import ROOT

pytestmark = pytest.mark.integration

DELTOID = ROOT / "tests" / "data" / "deltoid"


@pytest.fixture(scope="module")
def deltoid(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Bot:
    from tests.conftest import give_encoder

    index = tmp_path_factory.mktemp("deltoid")
    give_encoder(encoder_folder, index)
    settings = load_settings(corpus=DELTOID, index=index)
    build_index(settings)
    return Bot.open(settings)


def test_its_corpus_is_in_order() -> None:
    assert check_corpus(DELTOID).errors == ()


def test_sources_that_agree_are_merged_and_a_copy_has_no_vote(deltoid: Bot) -> None:
    finding = next(f for f in deltoid.findings() if f.attribute == "nerve" and len(f.supporters) == 3)
    assert finding.origins == ("atlas-2001", "clinic-2015")


def test_its_conflict_is_shown_with_both_sides(deltoid: Bot) -> None:
    answer = deltoid.ask("Which nerve supplies the deltoid?")
    assert answer.status == "answered"
    assert "axillary nerve" in answer.statements[0].text
    sides = {side.text for conflict in answer.conflicts for side in conflict.sides}
    assert any("suprascapular" in side for side in sides)


def test_values_and_roots_are_read(deltoid: Bot) -> None:
    assert "62 %MVIC" in deltoid.ask("How active is the deltoid in the lateral raise?").answer
    assert "C5 and C6" in deltoid.ask("Which nerve roots supply the deltoid?").answer


def test_its_own_red_flags_lead(deltoid: Bot) -> None:
    answer = deltoid.ask("my shoulder is out of its socket")
    assert answer.status == "safety"
    assert answer.safety is not None
    assert answer.safety.rule == "rf01-dislocation"


def test_it_speaks_of_its_own_muscle(deltoid: Bot) -> None:
    assert deltoid.vocabulary.focus == "deltoid"
    assert all("gluteus" not in question for question in deltoid.suggestions())
