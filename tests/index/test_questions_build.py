"""A build binds learners' questions to its claims, notices when they change, and does without them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gmedbot.bot import Bot
from gmedbot.errors import CorpusError, IndexDamagedError
from gmedbot.index.build import build_index
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.stale import is_stale
from gmedbot.index.store import Store
from gmedbot.index.verify import verify_index
from gmedbot.settings import Settings
from tests.index.conftest import fingerprint
from tests.support import SMALL_CORPUS

pytestmark = pytest.mark.integration

NERVE = "The gluteus medius is supplied by the superior gluteal nerve."
WEAK = "A weak gluteus medius causes a positive Trendelenburg sign."
QUESTIONS = {
    "test-atlas-2010": (
        f"- statement: {NERVE}\n  asked: [which nerve runs the side hip muscle?, who drives my bum?]\n"
        "- statement: The gluteus medius abducts the hip.\n  asked: [what moves my leg out?]\n"
    ),
    "test-blog-2020": f"- statement: {NERVE}\n  asked: [who drives my bum?]\n",
    "test-gait-2014": f"- statement: {WEAK}\n  asked: [why does my hip dip?]\n- statement: Gone.\n  asked: [gone?]\n",
}
FILES = {
    "questions.jsonl", "questions.offsets.npy", "questions.vectors.npy", "questions.centres.npy", "questions.pairs.npy",
    "questions.key.npy", "questions.key_start.npy", "questions.names.json",
}  # fmt: skip


@pytest.fixture
def asked(corpus: Path) -> Path:
    """The folder of questions beside the sources."""
    folder = corpus / "questions"
    folder.mkdir()
    for name, text in QUESTIONS.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def test_each_question_is_bound_to_its_claims_and_encoded_as_a_learner_asks_it(settings: Settings, asked: Path) -> None:
    build_index(settings)
    index = BuiltIndex(Store(settings.index))
    table = index.questions
    found = {
        (claim.source_id, claim.text): {table.text(number) for number in table.of_claim(row)}
        for row, claim in enumerate(index.claims)
        if table.of_claim(row)
    }
    assert found == {
        ("test-atlas-2010", NERVE): {"which nerve runs the side hip muscle?", "who drives my bum?"},
        ("test-atlas-2010", "The gluteus medius abducts the hip."): {"what moves my leg out?"},
        ("test-blog-2020", NERVE): {"who drives my bum?"},
        ("test-gait-2014", WEAK): {"why does my hip dip?"},
    }
    assert len(table) == 4  # one that two sources answer is one; one whose sentence is gone is none
    (vector,) = index.encoder.encode(["who drives my bum?"])
    near = table.nearness(vector)
    best = {(index.claims[row].source_id, index.claims[row].text) for row in np.flatnonzero(near > 0.999).tolist()}
    assert best == {("test-atlas-2010", NERVE), ("test-blog-2020", NERVE)}
    assert set(index.manifest.files) >= FILES
    assert verify_index(settings)["checked"]["sources"] == 6


def test_a_changed_question_is_noticed_and_costs_one_vector(settings: Settings, asked: Path) -> None:
    build_index(settings)
    assert is_stale(settings) == ""
    path = asked / "test-gait-2014.yaml"
    path.write_text(QUESTIONS["test-gait-2014"].replace("dip?", "drop when I walk?"), "utf-8")
    assert "questions" in is_stale(settings)
    report = build_index(settings)
    assert (report.extracted, report.encoded, report.changed) == (0, 1, True)
    assert is_stale(settings) == ""
    incremental = fingerprint(Store(settings.index).path(report.build_id))
    full = build_index(settings, full=True)
    assert fingerprint(Store(settings.index).path(full.build_id)) == incremental


def test_a_new_file_and_a_removed_folder_are_noticed_and_without_it_all_is_as_before(
    settings: Settings, corpus: Path
) -> None:
    bare = build_index(settings).build_id
    folder = corpus / "questions"
    folder.mkdir()
    assert is_stale(settings) == "", "an empty folder asks nothing"
    (folder / "test-atlas-2010.yaml").write_text(QUESTIONS["test-atlas-2010"], "utf-8")
    assert "questions" in is_stale(settings)
    assert build_index(settings).build_id != bare
    shutil.rmtree(folder)
    assert "questions" in is_stale(settings)
    assert build_index(settings).build_id == bare


def test_a_broken_file_of_questions_stops_the_build_and_leaves_the_index_as_it_was(
    settings: Settings, asked: Path
) -> None:
    first = build_index(settings)
    (asked / "test-atlas-2010.yaml").write_text("- statement: A.\n", "utf-8")
    with pytest.raises(CorpusError, match=r"questions/test-atlas-2010\.yaml"):
        build_index(settings)
    assert Store(settings.index).current_id() == first.build_id


def test_a_corpus_without_questions_builds_an_empty_table_and_answers(built: BuiltIndex, bot: Bot) -> None:
    assert not (SMALL_CORPUS / "questions").exists()
    assert len(built.questions) == 0
    assert not built.questions.nearness(built.claim_vectors[0]).any()
    assert bot.ask("Which nerve supplies the gluteus medius?").status == "answered"


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_index_that_lost_a_file_of_questions_is_damaged(own_index: Path, name: str) -> None:
    (Store(own_index).path(Store(own_index).current_id()) / name).unlink()
    with pytest.raises(IndexDamagedError, match=name):
        BuiltIndex(Store(own_index))
