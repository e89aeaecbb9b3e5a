"""What a maintainer judges on the page is in the next index: the one promise that the page cannot keep by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gmedbot.bot import Bot
from gmedbot.index.build import build_index
from gmedbot.settings import load_settings
from gmedbot.ui.docket import Judgement, judge, pair_of, read_docket
from gmedbot.ui.ledger import Ledger
from tests.conftest import give_encoder

pytestmark = pytest.mark.integration


def test_a_judgement_takes_effect_with_the_next_build(tmp_path: Path, small_corpus: Path, encoder_folder: Path) -> None:
    corpus, index = tmp_path / "corpus", tmp_path / "index"
    path = corpus / "reviews.yaml"
    shutil.copytree(small_corpus, corpus)
    index.mkdir()
    give_encoder(encoder_folder, index)
    settings = load_settings(corpus=corpus, index=index)
    build_index(settings)
    ledger = Ledger.read(Bot.open(settings))
    first = next(claim for claim in ledger.claims.values() if claim.frame.attribute == "nerve")
    second = next(claim for claim in ledger.claims.values() if claim.source_id != first.source_id)
    a, b = sorted((first.claim_id, second.claim_id))
    pair = pair_of(ledger, path, a, b)
    assert pair is not None and pair.state == "open"
    judge(ledger, path, Judgement(b, a, "conflict", "said by hand", pair.seen))
    waiting = pair_of(ledger, path, a, b)
    assert waiting is not None and waiting.state == "waiting"
    build_index(settings)
    ledger = Ledger.read(Bot.open(settings))
    done = next(pair for pair in read_docket(ledger, path).showing("judged") if pair.first.claim_id == a)
    assert done.state == "done" and done.relation is not None
    assert (done.relation.label, done.relation.reason) == ("conflict", "said by hand")
