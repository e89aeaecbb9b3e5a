"""Maintainers review relations in the terminal, and take back what they said."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from gmedbot.claims.browse import list_conflicts
from gmedbot.claims.reviews import load_reviews
from gmedbot.cli.main import main
from gmedbot.settings import Settings, load_settings

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(small_corpus: Path, small_index: Path, tmp_path: Path) -> Settings:
    return load_settings(corpus=Path(shutil.copytree(small_corpus, tmp_path / "corpus")), index=small_index)


class Desk:
    """Somebody at the terminal."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings, self.monkeypatch, self.capsys = settings, monkeypatch, capsys
        self.path = settings.corpus / "reviews.yaml"

    def review(self, *options: str, typed: str = "") -> tuple[int, str]:
        self.monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        places = ("--corpus", str(self.settings.corpus), "--index", str(self.settings.index))
        code = main(["claims", "review", *options, *places])
        said = self.capsys.readouterr()
        return code, said.out + said.err

    def labels(self) -> list[str]:
        return [review.label for review in load_reviews(self.path)]


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(settings, monkeypatch, capsys)


def test_the_last_judgement_of_a_walk_can_be_withdrawn_and_said_again(desk: Desk) -> None:
    code, said = desk.review("--below", "2", typed="d first\nw\nc second\na third\nw\nq\n")
    assert code == 0 and "1 review(s) saved" in said
    assert said.count("withdrawn: different") == 1 and said.count("withdrawn: agree") == 1
    assert [(review.label, review.note) for review in load_reviews(desk.path)] == [("conflict", "second")]
    assert said.count("[1/") == 2 and said.count("[2/") == 3  # what was withdrawn is asked again


def test_there_is_nothing_to_withdraw_before_the_first_judgement(desk: Desk) -> None:
    _, said = desk.review("--below", "2", typed="w\nw\n")
    assert "w withdraw" not in said and "0 review(s) saved" in said and not desk.path.exists()


def test_a_judgement_is_withdrawn_by_its_claims_and_can_be_said_again_from_what_is_shown(desk: Desk) -> None:
    desk.review("--below", "2", typed="d they count differently\nq\n")
    made = next(iter(load_reviews(desk.path)))
    code, said = desk.review("--withdraw", made.b, made.a)
    assert code == 0 and "different" in said and "they count differently" in said and "gmedbot index build" in said
    assert desk.labels() == []
    code, said = desk.review("--withdraw", made.a, made.b)
    assert code == 2 and "nobody has judged it" in said and "gmedbot claims conflicts" in said


def test_a_judgement_of_a_sentence_that_is_gone_can_be_withdrawn(desk: Desk) -> None:
    row = "- {a: 'gone:1', b: 'gone:2', hash_a: '1', hash_b: '2', label: agree}\n"
    desk.path.write_text(f"# kept\n{row}", "utf-8")
    code, said = desk.review("--stale")
    assert code == 1 and "--withdraw" in said
    assert desk.review("--withdraw", "gone:1", "gone:2")[0] == 0
    assert desk.path.read_text("utf-8") == "# kept\n" and desk.review("--stale")[0] == 0


def test_a_dispute_is_not_withdrawn_but_is_in_force_again_once_its_exception_is(desk: Desk) -> None:
    row = list_conflicts(desk.settings, None, None, None)[0]
    dispute = f"- sides: [['{row['a']}'], ['{row['b']}']]\n  note: by hand\n"
    desk.path.write_text(dispute, "utf-8")
    code, said = desk.review("--withdraw", row["a"], row["b"])
    assert code == 2 and "sides" in said and desk.path.read_text("utf-8") == dispute
    a, b = sorted((row["a"], row["b"]))
    desk.path.write_text(dispute + f"- {{a: '{a}', b: '{b}', hash_a: '1', hash_b: '2', label: agree}}\n", "utf-8")
    code, said = desk.review("--withdraw", row["a"], row["b"])
    assert code == 0 and "in force again: conflict" in said and "by hand" in said
    assert desk.path.read_text("utf-8") == dispute


def test_withdrawing_and_listing_what_is_stale_are_two_commands(desk: Desk) -> None:
    with pytest.raises(SystemExit):
        desk.review("--stale", "--withdraw", "a", "b")
