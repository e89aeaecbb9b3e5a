"""A maintainer's judgement holds for the very texts that were judged, and is kept whole on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from gmedbot.claims.reviews import (
    Review,
    Reviews,
    load_reviews,
    own_review,
    save_review,
    text_hash,
    withdraw_review,
)
from gmedbot.errors import CorpusError, StorageError, UsageError
from gmedbot.types import Frame, Relation
from tests.support import ROOT, make_claim

pytestmark = pytest.mark.core

A = make_claim("a:1", "It helps.", Frame())
B = make_claim("b:1", "It harms.", Frame())
FOUND = Relation("a:1", "b:1", "agree", None, "the same words", 0.9)


def review(label: str = "conflict", **facts: Any) -> Review:
    return Review("a:1", "b:1", text_hash(A.text), text_hash(B.text), label, **facts)


def test_a_review_replaces_label_reason_and_confidence() -> None:
    made = Reviews([review(note="one helps, one harms", type="recommendation")]).apply(FOUND, A, B)
    assert (made.label, made.type, made.reason) == ("conflict", "recommendation", "one helps, one harms")
    assert (made.confidence, made.judged_by) == (1.0, "review")


def test_a_conflict_always_has_a_type_and_nothing_else_has_one() -> None:
    assert Reviews([review()]).apply(FOUND, A, B).type == "value"
    assert Reviews([review("different", type="value")]).apply(FOUND, A, B).type is None


def test_a_review_of_another_text_is_not_applied_and_is_stale() -> None:
    reviews = Reviews([review()])
    edited = make_claim("b:1", "It heals.", Frame())
    assert reviews.apply(FOUND, A, edited) == FOUND
    assert reviews.stale({"a:1": A, "b:1": edited}) == (review(),)
    assert reviews.stale({"a:1": A}) == (review(),)
    assert reviews.stale({"a:1": A, "b:1": B}) == ()


def test_a_pair_is_found_from_both_sides() -> None:
    reviews = Reviews([review()])
    assert reviews.find("a:1", "b:1") == reviews.find("b:1", "a:1") == review()
    assert reviews.find("a:1", "c:1") is None


def test_a_saved_review_comes_back_and_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    save_review(path, review("agree", note="first – “quoted”: yes"))
    other = Review("c:1", "d:1", "x", "y", "different")
    save_review(path, other)
    save_review(path, review("conflict", type="value"))
    reviews = load_reviews(path)
    assert len(reviews) == 2
    assert reviews.find("a:1", "b:1") == review("conflict", type="value")
    assert reviews.find("c:1", "d:1") == other
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix != ".lock"] == ["reviews.yaml"]


WRITTEN = """\
# Judgements, by hand and by program.
- topic: nerve
  sides:
  - ['x:1']
  - ['y:1',   'y:2']   # two of one page
# the pair that was hard
- {a: 'a:1', b: 'b:1', hash_a: '1', hash_b: '2', label: agree, who: me}
- {a: 'c:1', b: 'd:1', hash_a: '1', hash_b: '2', label: agree}
# end
"""


def test_a_saving_leaves_other_rows_and_all_comments_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text(WRITTEN, "utf-8")
    save_review(path, review("conflict", note="why"))
    found = path.read_text("utf-8")
    before, changed, after = WRITTEN.partition(
        "- {a: 'a:1', b: 'b:1', hash_a: '1', hash_b: '2', label: agree, who: me}\n"
    )
    assert changed and found.startswith(before) and found.endswith(after)
    row = yaml.safe_load(found)[1]
    assert (row["label"], row["note"], row["who"]) == ("conflict", "why", "me")  # what is not ours is kept too


@pytest.mark.parametrize("text", ["# only this", "[{a: c:1, b: d:1, hash_a: '1', hash_b: '2', label: agree}] # x",
                                  "# k\n- &k {a: c:1, b: d:1, hash_a: '1', hash_b: '2', label: agree}\n- {<<: *k, b: e:1}\n",
                                  "- a: c:1\n  b: d:1\n  hash_a: '1'\n  hash_b: '2'\n  label: agree\n  note: |+\n    one\n\n    # two\n\n"])  # fmt: skip
def test_a_file_written_in_any_way_keeps_its_rows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text(text, "utf-8")
    before = list(load_reviews(path))
    save_review(path, review())
    assert set(load_reviews(path)) == {*before, review()}
    assert all(line in path.read_text("utf-8") for line in text.split("\n") if line.startswith("#"))


def test_many_savings_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    made = [Review(f"a:{n}", f"b:{n}", "1", "2", "agree") for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: save_review(path, item), made))
    assert set(load_reviews(path)) == set(made)


def test_savings_of_two_programs_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    program = (
        "import sys; from pathlib import Path; from gmedbot.claims.reviews import Review, save_review\n"
        "for n in range(15): save_review(Path(sys.argv[1]), Review(f'{sys.argv[2]}:{n}', 'z:1', '1', '2', 'agree'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), name], env=environment) for name in "ab"]
    assert [each.wait(60) for each in running] == [0, 0]
    assert len(load_reviews(path)) == 30


def test_a_saving_that_fails_leaves_the_file_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reviews.yaml"
    save_review(path, review("agree"))
    before = path.read_bytes()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save_review(path, review("conflict"))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix != ".lock"] == ["reviews.yaml"]


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text("- {a: [1", "utf-8")
    with pytest.raises(CorpusError, match=r"reviews\.yaml"):
        save_review(path, review())
    assert path.read_text("utf-8") == "- {a: [1"


def test_a_pair_written_the_wrong_way_round_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text(yaml.safe_dump([{"a": "b:1", "b": "a:1", "hash_a": "2", "hash_b": "1", "label": "agree"}]), "utf-8")
    assert load_reviews(path).find("a:1", "b:1") == Review("a:1", "b:1", "1", "2", "agree")


def test_no_file_is_no_reviews_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    assert len(load_reviews(tmp_path / "none.yaml")) == 0
    for text in ("a: [1", "- 1", "- {a: x, b: y, hash_a: '1', hash_b: '2', label: maybe}", "- {a: x}"):
        path = tmp_path / "reviews.yaml"
        path.write_text(text, "utf-8")
        with pytest.raises(CorpusError, match=r"reviews\.yaml"):
            load_reviews(path)


def test_withdrawing_takes_the_row_of_the_pair_and_leaves_all_else_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text(WRITTEN, "utf-8")
    assert withdraw_review(path, "b:1", "a:1") is True
    assert path.read_text("utf-8") == WRITTEN.replace(
        "- {a: 'a:1', b: 'b:1', hash_a: '1', hash_b: '2', label: agree, who: me}\n", ""
    )
    assert withdraw_review(path, "c:1", "d:1") is True  # the last of its kind: the comments around it stay
    assert path.read_text("utf-8").endswith("# the pair that was hard\n# end\n")
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix != ".lock"] == ["reviews.yaml"]


def test_a_saving_that_is_withdrawn_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    written = WRITTEN.replace("'a:1'", "'a:2'")
    path.write_text(written, "utf-8")
    save_review(path, review("conflict", note="too quick"))
    assert path.read_text("utf-8") != written
    assert withdraw_review(path, "a:1", "b:1") is True
    assert path.read_text("utf-8") == written


def test_the_only_row_can_be_withdrawn(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    save_review(path, review())
    assert withdraw_review(path, "a:1", "b:1") is True
    assert len(load_reviews(path)) == 0
    save_review(path, review())
    assert list(load_reviews(path)) == [review()]


@pytest.mark.parametrize(("a", "b"), [("x:1", "y:2"), ("nobody:1", "y:1")])
def test_a_dispute_is_not_withdrawn_nor_is_what_is_not_there(tmp_path: Path, a: str, b: str) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text(WRITTEN, "utf-8")
    before = path.stat().st_mtime_ns
    assert withdraw_review(path, a, b) is False
    assert path.read_text("utf-8") == WRITTEN and path.stat().st_mtime_ns == before
    with pytest.raises(UsageError, match="sides" if a == "x:1" else "nobody has judged it"):
        own_review(load_reviews(path), a, b)


def test_a_judgement_is_found_by_the_beginnings_of_its_ids_if_one_fits(tmp_path: Path) -> None:
    reviews = Reviews([Review("a:11", "b:1", "", "", "agree"), Review("a:12", "b:1", "", "", "agree"), review()])
    assert own_review(reviews, "b:", "a:12").a == "a:12"
    assert own_review(reviews, "a:1", "b:1") == review()  # whole ids before longer ones
    with pytest.raises(UsageError, match="2 pairs begin so"):
        own_review(Reviews(list(reviews)[:2]), "a:", "b:")


@pytest.mark.parametrize("text", ["[{a: a:1, b: b:1, hash_a: '1', hash_b: '2', label: agree}, {a: c:1, b: d:1, hash_a: '1', hash_b: '2', label: agree}] # x",
                                  "# k\n- &k {a: a:1, b: b:1, hash_a: '1', hash_b: '2', label: agree}\n- {<<: *k, b: e:1}\n"])  # fmt: skip
def test_withdrawing_from_a_file_written_in_any_way_keeps_its_other_rows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reviews.yaml"
    path.write_text(text, "utf-8")
    before = {(review.a, review.b) for review in load_reviews(path)}
    assert withdraw_review(path, "a:1", "b:1") is True
    assert {(review.a, review.b) for review in load_reviews(path)} == before - {("a:1", "b:1")}
    assert all(line in path.read_text("utf-8") for line in text.split("\n") if line.startswith("#"))


def test_savings_and_withdrawals_at_once_do_not_undo_each_other(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yaml"
    old = [Review(f"a:{n}", f"b:{n}", "1", "2", "agree") for n in range(8)]
    new = [Review(f"c:{n}", f"d:{n}", "1", "2", "agree") for n in range(8)]
    for item in old:
        save_review(path, item)
    with ThreadPoolExecutor(8) as pool:
        gone = pool.map(lambda item: withdraw_review(path, item.a, item.b), old)
        kept = pool.map(lambda item: save_review(path, item), new)
        assert all(gone) and len(list(kept)) == 8
    assert set(load_reviews(path)) == set(new)


def test_a_withdrawal_that_fails_or_is_refused_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reviews.yaml"
    save_review(path, review())
    before = path.read_bytes()

    def refuse(reviews: Reviews) -> None:
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        withdraw_review(path, "a:1", "b:1", refuse)
    monkeypatch.setattr("os.replace", lambda old, new: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    with pytest.raises(StorageError, match="Read-only"):
        withdraw_review(path, "a:1", "b:1")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix != ".lock"] == ["reviews.yaml"]
