"""Learners' questions as a table: what is written is what is read, and damage is named before it answers anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.claims.vocabulary import Vocabulary, vocabulary_from_rows
from gmedbot.corpus.questions import QuestionsOf
from gmedbot.errors import IndexDamagedError
from gmedbot.index.questions import BoundQuestion, QuestionTable, bind_questions, write_questions
from gmedbot.index.rows import load_array
from gmedbot.types import Frame
from tests.support import make_claim

pytestmark = pytest.mark.core

EMPTY = Vocabulary([], [])
#: Four claims; the first and the third answer one question, the last none.
BOUND: list[BoundQuestion] = [("hip nerve?", (0, 2)), ("pelvis drop?", (2,)), ("hip bone?", (1,))]
VECTORS = np.array([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]], dtype=np.float32)
N_CLAIMS = 4
FILES = (
    "questions.jsonl", "questions.offsets.npy", "questions.vectors.npy", "questions.centres.npy", "questions.pairs.npy",
    "questions.key.npy", "questions.key_start.npy", "questions.names.json",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_questions(tmp_path, BOUND, VECTORS, EMPTY, N_CLAIMS)
    return tmp_path


@pytest.fixture
def table(folder: Path) -> QuestionTable:
    return QuestionTable(folder, N_CLAIMS)


def vector(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


# --- binding --------------------------------------------------------------------------------------------------------


def test_a_question_is_bound_to_the_claims_of_its_sentence() -> None:
    claims = [make_claim(f"{source}:{n}", text, Frame()) for n, (source, text) in enumerate([("a", "X."), ("a", "Y.")])]
    assert bind_questions([QuestionsOf("a", "Y.", ("y?", "why y?"))], claims) == [("y?", (1,)), ("why y?", (1,))]


def test_the_same_sentence_of_another_source_is_another_claim() -> None:
    claims = [make_claim("a:1", "X.", Frame()), make_claim("b:1", "X.", Frame())]
    assert bind_questions([QuestionsOf("b", "X.", ("x?",))], claims) == [("x?", (1,))]


def test_a_sentence_that_stands_twice_in_a_source_is_found_both_times() -> None:
    claims = [make_claim("a:1", "X.", Frame()), make_claim("a:2", "X.", Frame())]
    assert bind_questions([QuestionsOf("a", "X.", ("x?",))], claims) == [("x?", (0, 1))]


def test_a_question_of_several_statements_is_one_question_with_all_their_claims() -> None:
    claims = [make_claim("a:1", "X.", Frame()), make_claim("b:1", "Y.", Frame())]
    items = [QuestionsOf("b", "Y.", ("both?",)), QuestionsOf("a", "X.", ("only x?", "both?"))]
    assert bind_questions(items, claims) == [("both?", (1, 0)), ("only x?", (0,))]


def test_questions_of_a_sentence_that_is_gone_are_left_out() -> None:
    claims = [make_claim("a:1", "X.", Frame())]
    items = [QuestionsOf("a", "Gone.", ("g?",)), QuestionsOf("gone", "X.", ("h?",)), QuestionsOf("a", "X.", ("x?",))]
    assert bind_questions(items, claims) == [("x?", (0,))]
    assert bind_questions([], claims) == bind_questions(items, []) == []


# --- writing and reading --------------------------------------------------------------------------------------------


def test_what_is_written_is_read(table: QuestionTable) -> None:
    assert len(table) == 3
    assert [table.text(number) for number in range(3)] == [text for text, _ in BOUND]
    assert [table.of_claim(row) for row in range(N_CLAIMS)] == [(0,), (2,), (0, 1), ()]


def test_questions_keep_their_characters(tmp_path: Path) -> None:
    text = 'warum "dip"? \u2013 \u4e2d\u6bbf\u7b4b\n?'
    write_questions(tmp_path, [(text, (0,))], VECTORS[:1], EMPTY, 1)
    assert QuestionTable(tmp_path, 1).text(0) == text


def test_nearness_is_the_cosine_of_the_nearest_question_of_each_claim(table: QuestionTable) -> None:
    found = table.nearness(vector(1, 0, 0))
    assert found.shape == (N_CLAIMS,) and found.dtype == np.dtype("float32")
    assert found.tolist() == pytest.approx([1, 0.6, 1, 0])
    # claim 2 has two questions: the nearer one counts, whichever it is
    assert table.nearness(vector(0, 1, 0)).tolist() == pytest.approx([0, 0.8, 1, 0])


def test_a_claim_without_questions_is_near_to_nothing(table: QuestionTable) -> None:
    for query in VECTORS:
        assert table.nearness(query)[3] == 0


def test_nearness_is_the_best_of_many_as_a_plain_loop_finds_it(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    vectors = np.abs(random.normal(size=(40, 8))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    bound = [(f"q{n}?", tuple(sorted(random.choice(15, size=3, replace=False).tolist()))) for n in range(40)]
    write_questions(tmp_path, bound, vectors, EMPTY, 16)
    table, query = QuestionTable(tmp_path, 16), vectors[11]
    owners: list[list[int]] = [[n for n, (_, rows) in enumerate(bound) if row in rows] for row in range(16)]
    assert [list(table.of_claim(row)) for row in range(16)] == owners
    wanted = [max((float(vectors[n] @ query) for n in own), default=0.0) for own in owners]
    assert table.nearness(query).tolist() == pytest.approx(wanted, abs=1e-6)
    assert wanted[15] == 0


def test_a_claim_far_down_is_as_near_as_the_questions_of_a_few_allow(tmp_path: Path) -> None:
    """More claims than are compared exactly: the nearest keep their nearest question, and nothing is lost or made up."""
    random = np.random.default_rng(11)
    about = random.normal(size=(450, 16))  # two questions about each of 450 claims, and 50 claims without
    vectors = np.concatenate([about + 0.3 * random.normal(size=about.shape) for _ in range(2)]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    write_questions(tmp_path, [(f"q{n}?", (n % 450,)) for n in range(900)], vectors, EMPTY, 500)
    found = QuestionTable(tmp_path, 500).nearness(vectors[3])
    cosines = vectors @ vectors[3]
    wanted = np.maximum(np.maximum(cosines[:450], cosines[450:]), 0)
    best = np.argsort(-wanted)[:50]
    assert found[best].tolist() == pytest.approx(wanted[best].tolist(), abs=1e-6)
    assert int(found.argmax()) == 3 and found[3] == pytest.approx(1)
    assert (found >= 0).all()
    assert found[450:].tolist() == [0] * 50


def test_a_query_that_turns_its_back_on_every_question_is_near_to_nothing(tmp_path: Path) -> None:
    write_questions(tmp_path, [("q?", (999,))], VECTORS[:1], EMPTY, 1000)
    assert QuestionTable(tmp_path, 1000).nearness(-VECTORS[0]).tolist() == [0] * 1000


def test_keys_are_the_words_of_all_questions_of_a_claim(table: QuestionTable) -> None:
    assert table.keys(0) == {"hip", "nerve"}
    assert {"hip", "nerve", "drop"} <= table.keys(2)
    assert table.keys(2) == table.keys(0) | {key for key in table.keys(2) if key not in table.keys(0)}
    assert "bone" not in table.keys(2)
    assert table.keys(3) == frozenset()


def test_keys_name_the_terms_that_a_question_speaks_of(tmp_path: Path) -> None:
    rows = {
        "digest": "",
        "attributes": [],
        "terms": [{"id": "gluteus-medius", "kind": "muscle", "name": "gluteus medius", "synonyms": ["side bum"]}],
    }
    write_questions(tmp_path, [("where is the side bum?", (0,))], VECTORS[:1], vocabulary_from_rows(rows), 1)
    assert "gluteus-medius" in QuestionTable(tmp_path, 1).keys(0)


@pytest.mark.parametrize("n_claims", [0, 3])
def test_an_empty_table_is_near_to_nothing_and_opens(tmp_path: Path, n_claims: int) -> None:
    write_questions(tmp_path, [], np.zeros((0, 3), dtype=np.float32), EMPTY, n_claims)
    table = QuestionTable(tmp_path, n_claims)
    assert len(table) == 0
    assert table.nearness(VECTORS[0]).tolist() == [0] * n_claims
    assert [table.of_claim(row) for row in range(n_claims)] == [()] * n_claims
    assert [table.keys(row) for row in range(n_claims)] == [frozenset()] * n_claims


def test_writing_twice_gives_the_same_bytes(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("again")
    write_questions(other, BOUND, VECTORS, EMPTY, N_CLAIMS)
    assert {name: (folder / name).read_bytes() for name in FILES} == {
        name: (other / name).read_bytes() for name in FILES
    }
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(IndexDamagedError, match="gmedbot index build") as raised:
        QuestionTable(folder, N_CLAIMS)
    assert name in str(raised.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0.1, 0.5])
def test_a_file_cut_short_is_damage(folder: Path, name: str, kept: float) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(IndexDamagedError, match="gmedbot index build"):
        QuestionTable(folder, N_CLAIMS)


def test_vectors_of_another_count_are_damage_told_with_both_counts(folder: Path) -> None:
    np.save(folder / "questions.vectors.npy", VECTORS[:2])
    with pytest.raises(IndexDamagedError, match="hold 3 rows") as raised:
        QuestionTable(folder, N_CLAIMS)
    assert raised.value.found == "shape (2, 3)"


def test_a_pair_with_a_claim_that_is_not_there_is_damage(folder: Path) -> None:
    with pytest.raises(IndexDamagedError, match="gmedbot index build"):
        QuestionTable(folder, 2)


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param(np.array([[0, 0], [1, 3]], dtype=np.int32), id="a question that is not there"),
        pytest.param(np.array([[0, 0], [N_CLAIMS, 1]], dtype=np.int32), id="a claim that is not there"),
        pytest.param(np.array([[-1, 0]], dtype=np.int32), id="a claim before the first"),
        pytest.param(np.array([[0, -1]], dtype=np.int32), id="a question before the first"),
        pytest.param(np.array([[2, 0], [0, 0]], dtype=np.int32), id="not by claim"),
        pytest.param(np.array([0, 1, 2, 1], dtype=np.int32), id="one dimension"),
        pytest.param(np.zeros((2, 3), dtype=np.int32), id="three columns"),
        pytest.param(np.zeros((1, 2, 2), dtype=np.int32), id="three dimensions"),
        pytest.param(np.array(1, dtype=np.int32), id="one number"),
        pytest.param(np.array([[0.0, 1.0]]), id="fractions"),
        pytest.param(np.array([["0", "1"]]), id="words"),
    ],
)
def test_pairs_that_are_none_are_damage_told_with_what_was_found(folder: Path, pairs: NDArray[Any]) -> None:
    np.save(folder / "questions.pairs.npy", pairs)
    with pytest.raises(IndexDamagedError, match="gmedbot index build") as raised:
        QuestionTable(folder, N_CLAIMS)
    assert "questions.pairs.npy" in str(raised.value)
    assert str(pairs.shape) in str(raised.value) and str(pairs.dtype) in str(raised.value)


def test_pairs_up_to_the_last_question_and_claim_are_taken(folder: Path) -> None:
    np.save(folder / "questions.pairs.npy", np.array([[0, 0], [N_CLAIMS - 1, 2]], dtype=np.int64))
    assert QuestionTable(folder, N_CLAIMS).of_claim(N_CLAIMS - 1) == (2,)


def test_words_that_are_not_there_are_damage(folder: Path) -> None:
    (folder / "questions.names.json").write_text('["bone"]', "utf-8")
    with pytest.raises(IndexDamagedError, match="hold numbers of 1 names"):
        QuestionTable(folder, N_CLAIMS)


@pytest.mark.parametrize("starts", [[0, 0, 0, 0, 99], [0, 4, 2, 2, 2], [1, 1, 1, 1, 1], [-1, 0, 0, 0, 0]])
def test_words_cut_at_places_that_are_not_there_are_damage(folder: Path, starts: list[int]) -> None:
    np.save(folder / "questions.key_start.npy", np.array(starts, dtype=np.int32))
    with pytest.raises(IndexDamagedError, match="gmedbot index build"):
        QuestionTable(folder, N_CLAIMS)


@pytest.mark.parametrize("name", ["vectors", "centres", "key_start"])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_an_array_of_another_length_is_damage(folder: Path, name: str, shape: tuple[int, ...]) -> None:
    np.save(folder / f"questions.{name}.npy", np.zeros(shape, dtype=np.float32))
    with pytest.raises(IndexDamagedError, match="gmedbot index build") as raised:
        QuestionTable(folder, N_CLAIMS)
    assert f"questions.{name}.npy" in str(raised.value)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".npy")])
def test_an_array_without_a_byte_is_damage(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(IndexDamagedError, match="gmedbot index build") as raised:
        QuestionTable(folder, N_CLAIMS)
    assert name in str(raised.value)
    with pytest.raises(IndexDamagedError):
        load_array(folder / name)


def test_a_row_that_is_no_record_is_damage_when_it_is_read(folder: Path) -> None:
    path = folder / "questions.jsonl"
    path.write_bytes(path.read_bytes().replace(b"{", b"<"))
    table = QuestionTable(folder, N_CLAIMS)
    with pytest.raises(IndexDamagedError, match=r"questions\.jsonl"):
        table.text(0)
