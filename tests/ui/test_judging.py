"""Maintainers judge disagreements: the list, one row saved for each judgement, and who may do it. No browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gmedbot.claims.reviews import Review, Reviews, load_reviews, save_review, text_hash
from gmedbot.settings import load_settings
from gmedbot.types import Claim, Relation
from gmedbot.ui.app import build_app
from gmedbot.ui.docket import pair_of, read_docket
from gmedbot.ui.ledger import Ledger
from gmedbot.ui.local import is_loopback
from gmedbot.ui.text import t
from tests.ui.fake import LIBRARY, RELATIONS, FakeBot

pytestmark = pytest.mark.core

PASSWORD = "correct horse"
ROOTS = ("gray-1918.nerve.1", "ward-2010.nerve.1")
VALUES = ("bolgla-2005.activation.0", "distefano-2009.activation.0")
LOCAL = ("http://127.0.0.1:7860", "127.0.0.1")


def review(pair: tuple[str, str], label: str, note: str = "", kind: str | None = None) -> Review:
    a, b = (LIBRARY.claims[claim_id] for claim_id in pair)
    return Review(a.claim_id, b.claim_id, text_hash(a.text), text_hash(b.text), label, note, kind)


class Maintainer:
    """Somebody at the page: reads a card's form, fills it in, sends it."""

    def __init__(self, corpus: Path, bot: FakeBot, at: tuple[str, str], host: str) -> None:
        index = corpus.parent / "index"
        settings = load_settings(index=index, corpus=corpus, maintainer_password=PASSWORD, host=host)
        app = build_app(bot, settings, pace=0)
        self.client = TestClient(app, base_url=at[0], client=(at[1], 50_000), follow_redirects=False)
        self.path = corpus / "reviews.yaml"
        self.client.post("/maintain/login", data={"password": PASSWORD})

    def read(self, **query: object) -> str:
        return self.client.get("/maintain/conflicts", params={k: str(v) for k, v in query.items()}).text

    def form(self, pair: tuple[str, str]) -> dict[str, str]:
        """The hidden fields of a pair's form, as they are on the page now."""
        for form in re.findall(r"<form[^>]*data-judge.*?</form>", self.read(), re.DOTALL):
            found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
            if (found["a"], found["b"]) == pair:
                return {key: unescape(value) for key, value in found.items()}
        raise AssertionError(f"no form for {pair}")

    def send(self, form: dict[str, str], label: str, note: str = "", **more: str) -> Any:  # the client's own type
        return self.client.post("/maintain/judge", data={**form, "label": label, "note": note, **more})


New = Callable[..., Maintainer]


@pytest.fixture
def maintainer(tmp_path: Path) -> New:
    (tmp_path / "corpus").mkdir()

    def make(bot: FakeBot | None = None, at: tuple[str, str] = LOCAL, host: str = "127.0.0.1") -> Maintainer:
        return Maintainer(tmp_path / "corpus", bot or FakeBot(), at, host)

    return make


def test_conflicts_are_listed_least_certain_first_with_both_sentences_and_the_reason(maintainer: New) -> None:
    page = maintainer().read()
    places = [page.index(words) for words in ("55%", "62%", "81%")]
    assert places == sorted(places) and "97%" not in page  # what agrees is no conflict
    for claim_id in ROOTS:
        assert LIBRARY.claims[claim_id].text in page
    assert "L4, L5 and S1 against L5–S1" in page and "Different anatomy" in page and "Gray 1918" in page
    assert "one denies it ${alert(1)} &lt;img" in page and "<img src=x" not in page
    for label in ("conflict", "agree", "different"):
        assert page.count(f'name="label" value="{label}"') == 3


@pytest.mark.parametrize("label", ["conflict", "agree", "different"])
def test_a_judgement_becomes_one_row_bound_to_the_words_and_says_when_it_takes_effect(
    maintainer: New, label: str
) -> None:
    seen = maintainer()
    answer = seen.send(seen.form(ROOTS), label, "  counted\r\n differently ")
    assert answer.status_code == 303
    kind = "anatomy" if label == "conflict" else None
    assert list(load_reviews(seen.path)) == [review(ROOTS, label, "counted differently", kind)]
    page = seen.client.get(answer.headers["location"]).text
    assert f"Judged: {t(f'judge.{label}')}. Takes effect with the next <code>gmedbot index build</code>" in page
    assert "counted differently" in page


def test_a_judgement_can_be_changed_and_other_rows_stay(maintainer: New) -> None:
    seen = maintainer()
    seen.path.write_text("# by hand\n- sides: [['x:1'], ['y:1']]\n", "utf-8")
    seen.send(seen.form(ROOTS), "agree", "first")
    seen.send(seen.form(VALUES), "different")
    seen.send(seen.form(ROOTS), "conflict", "second")
    text = seen.path.read_text("utf-8")
    assert text.startswith("# by hand\n- sides: [['x:1'], ['y:1']]\n") and text.count("label:") == 2
    assert load_reviews(seen.path).find(*ROOTS) == review(ROOTS, "conflict", "second", "anatomy")


def test_two_savings_at_once_are_both_kept(maintainer: New) -> None:
    seen = maintainer()
    forms = [seen.form(VALUES), seen.form(ROOTS), seen.form(("lay-page.nerve.0", "ward-2010.nerve.0"))]
    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(lambda form: seen.send(form, "agree").status_code, forms))
    assert codes == [303, 303, 303] and len(load_reviews(seen.path)) == 3


def test_a_pair_that_was_judged_meanwhile_is_not_written_over_unseen(maintainer: New) -> None:
    seen, other = maintainer(), maintainer()
    form, late = seen.form(ROOTS), other.form(ROOTS)
    seen.send(form, "agree", "theirs")
    answer = other.send(late, "conflict", "mine <b>", part="1")
    assert answer.status_code == 409 and "after you opened it" in answer.text
    assert "theirs" in answer.text and "mine &lt;b&gt;</textarea>" in answer.text
    assert load_reviews(seen.path).find(*ROOTS) == review(ROOTS, "agree", "theirs")
    assert other.send(late, "agree", "theirs", part="1").status_code == 200  # the same again is no harm
    shown = other.send(late, "conflict", "mine <b>")
    assert shown.status_code == 409 and t("judge.back") in shown.text  # without a script: a page with the card
    other.send(other.form(ROOTS), "conflict", "mine")
    assert load_reviews(seen.path).find(*ROOTS) == review(ROOTS, "conflict", "mine", "anatomy")


def test_the_script_gets_the_card_and_the_new_numbers(maintainer: New) -> None:
    seen = maintainer()
    answer = seen.send(seen.form(ROOTS), "different", part="1")
    assert answer.status_code == 200 and answer.text.count("<article") == 1 and "<html" not in answer.text
    assert "Not judged <b>2</b>" in answer.text and "Judged <b>1</b>" in answer.text


def test_the_headings_show_what_they_say_and_what_was_just_judged(maintainer: New) -> None:
    seen = maintainer()
    answer = seen.send({**seen.form(ROOTS), "show": "open"}, "different")
    assert seen.read(show="open").count("<article") == 2
    assert seen.client.get(answer.headers["location"]).text.count("<article") == 3
    assert seen.read(show="judged").count("<article") == 1
    assert seen.read(shown=1).count("<article") == 1 and "Show 2 more" in seen.read(shown=1)
    assert seen.read(show="nonsense", shown=-4).count("<article") == 1


def test_a_judged_pair_that_left_the_index_can_still_be_judged_again(maintainer: New) -> None:
    seen = maintainer()
    apart = ("gray-1918.nerve.0", "ward-2010.nerve.0")
    save_review(seen.path, review(apart, "different"))
    assert t("judge.line.done", label=t("judge.different")) in seen.read(show="judged")
    seen.send(seen.form(apart), "agree")
    assert load_reviews(seen.path).find(*apart) == review(apart, "agree")


def test_a_judgement_can_be_withdrawn_and_other_rows_and_comments_stay(maintainer: New) -> None:
    seen = maintainer()
    seen.path.write_text("# by hand\n- sides: [['x:1'], ['y:1']]\n", "utf-8")
    before = seen.read()
    assert 'value="withdraw"' not in before  # nothing to withdraw
    seen.send(seen.form(VALUES), "different")
    kept = seen.path.read_text("utf-8")
    seen.send(seen.form(ROOTS), "agree", "too quick")
    assert seen.read().count('value="withdraw"') == 2
    assert seen.send(seen.form(ROOTS), "withdraw", "a note that nobody asks for").status_code == 303
    assert seen.path.read_text("utf-8") == kept
    assert load_reviews(seen.path).find(*ROOTS) is None and "Not judged <b>2</b>" in seen.read()


def test_withdrawing_twice_is_no_harm_and_what_was_said_meanwhile_is_not_withdrawn_unseen(maintainer: New) -> None:
    seen, other = maintainer(), maintainer()
    seen.send(seen.form(ROOTS), "agree", "first")
    form, late = seen.form(ROOTS), other.form(ROOTS)
    seen.send(form, "conflict", "second")
    answer = other.send(late, "withdraw", part="1")
    assert answer.status_code == 409 and t("judge.changed_withdraw") in answer.text and "second" in answer.text
    assert load_reviews(seen.path).find(*ROOTS) == review(ROOTS, "conflict", "second", "anatomy")
    form = other.form(ROOTS)
    for _ in range(2):
        assert other.send(form, "withdraw", part="1").status_code == 200
    assert len(load_reviews(seen.path)) == 0


def test_what_only_a_dispute_says_is_not_withdrawn_on_the_page(maintainer: New) -> None:
    seen = maintainer()
    written = f"- sides: [[{ROOTS[0]}], [{ROOTS[1]}]]\n  note: by hand\n"
    seen.path.write_text(written, "utf-8")
    assert 'value="withdraw"' not in seen.read()
    answer = seen.send(seen.form(ROOTS), "withdraw", part="1")
    assert answer.status_code == 400 and answer.text == t("judge.by_hand", file="reviews.yaml")
    assert seen.path.read_text("utf-8") == written
    seen.send(seen.form(ROOTS), "different", "not this one")
    seen.send(seen.form(ROOTS), "withdraw")
    found = load_reviews(seen.path).find(*ROOTS)  # the dispute speaks of the pair again
    assert found is not None and (found.label, found.rank) == ("conflict", 0)


def test_withdrawing_what_the_index_was_built_with_says_that_a_build_is_needed(maintainer: New) -> None:
    seen = maintainer(BuiltBot())
    assert t("judge.withdrawn", command="<code>gmedbot index build</code>") in unescape(seen.read())
    save_review(seen.path, review(ROOTS, "conflict", "counted differently", "anatomy"))
    assert "Nobody's judgement" not in unescape(seen.read())
    answer = seen.send(seen.form(ROOTS), "withdraw", part="1")
    assert "Nobody's judgement" in unescape(answer.text) and "gmedbot index build" in answer.text
    assert seen.send({**seen.form(ROOTS), "a": "gone:1"}, "withdraw").status_code == 400


def test_the_corpus_inside_the_package_can_be_looked_at_but_not_judged(
    maintainer: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = maintainer()
    form = seen.form(ROOTS)
    (seen.path.parent / "_corpus").symlink_to(seen.path.parent)  # the corpus is the one inside the package now
    monkeypatch.setattr("gmedbot.settings._PACKAGE", seen.path.parent)
    page = seen.read()
    assert "<article" in page and "data-judge" not in page and "gmedbot corpus copy corpus" in page
    for label in ("agree", "withdraw"):
        answer = seen.send(form, label, part="1")
        assert answer.status_code == 400 and "gmedbot corpus copy" in answer.text
    assert not seen.path.exists()


class BuiltBot(FakeBot):
    """The bot after a build that took the judgement in."""

    def relations(self) -> tuple[Relation, ...]:
        a, b = (LIBRARY.claims[claim_id] for claim_id in ROOTS)
        judged = Reviews([review(ROOTS, "conflict", "counted differently", "anatomy")])
        return tuple(judged.apply(r, a, b) if (r.a, r.b) == ROOTS else r for r in RELATIONS)


def test_a_judgement_is_in_effect_once_the_index_was_built_with_it(maintainer: New) -> None:
    seen = maintainer(BuiltBot())
    save_review(seen.path, review(ROOTS, "conflict", "counted differently", "anatomy"))
    states = {pair.first.claim_id: pair.state for pair in read_docket(Ledger.read(BuiltBot()), seen.path).pairs}
    assert states[ROOTS[0]] == "done" and set(states.values()) == {"done", "open"}
    page = seen.read()
    assert page.rindex("<article") < page.index(t("judge.sure"))  # what is certain comes last
    waiting = pair_of(Ledger.read(FakeBot()), seen.path, *ROOTS)
    assert waiting is not None and waiting.state == "waiting"


def test_a_dispute_written_by_hand_marks_its_pairs_and_one_pair_may_differ(maintainer: New) -> None:
    seen = maintainer()
    seen.path.write_text(f"- sides: [[{ROOTS[0]}], [{ROOTS[1]}]]\n  note: by hand\n", "utf-8")
    assert t("judge.in_group", file=f"<code>{seen.path}</code>") in seen.read() and "by hand" in seen.read()
    seen.send(seen.form(ROOTS), "different", "not this one")
    assert load_reviews(seen.path).find(*ROOTS) == review(ROOTS, "different", "not this one")
    assert "by hand" in seen.path.read_text("utf-8")


def test_judgements_of_changed_and_of_lost_sentences_are_shown_as_set_aside(maintainer: New) -> None:
    seen = maintainer()
    save_review(seen.path, Review(*ROOTS, "other", "words", "agree", "of old"))
    save_review(seen.path, Review("gone:1", ROOTS[1], "1", "2", "conflict", "lost <i>"))
    page = seen.read(show="aside")
    assert "Set aside <b>2</b>" in page and "of old" in page and t("judge.lost") in page
    assert "<code>gone:1</code>" in page and "lost &lt;i&gt;" in page
    seen.send(seen.form(ROOTS), "agree", "judged anew")
    assert "Set aside <b>1</b>" in seen.read() and "gone:1" in seen.path.read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "maybe"}, "Choose one"), ({"a": "gone:1"}, "not in the index"), ({"b": ROOTS[0]}, "not in the index"),
        ({"note": "x" * 2001}, "2,001"),
    ],
)  # fmt: skip
def test_what_is_no_judgement_is_refused_in_words_and_the_note_comes_back(
    maintainer: New, change: dict[str, str], words: str
) -> None:
    seen = maintainer()
    form = {**seen.form(ROOTS), "label": "agree", "note": "keep me", **change}
    for part in ("", "1"):
        answer = seen.client.post("/maintain/judge", data={**form, "part": part})
        assert answer.status_code == 400 and words in answer.text
        assert part or form["note"] in answer.text
    assert not seen.path.exists()


def test_a_damaged_file_is_reported_and_not_written_over(maintainer: New) -> None:
    seen = maintainer()
    form = seen.form(ROOTS)
    seen.path.write_text("- {a: [1", "utf-8")
    assert "reviews.yaml must be a list of reviews." in seen.read()
    answer = seen.send(form, "agree", "keep me")
    assert answer.status_code == 400 and "keep me" in answer.text and "must be a list" in answer.text
    assert seen.path.read_text("utf-8") == "- {a: [1"


def test_a_folder_that_refuses_is_reported(maintainer: New) -> None:
    seen = maintainer()
    form = seen.form(ROOTS)
    shutil.rmtree(seen.path.parent)
    answer = seen.send(form, "agree", part="1")
    assert answer.status_code == 400 and "reviews.yaml must be writable." in answer.text
    assert not seen.path.parent.exists()  # a wrong setting must not hide a judgement in a new folder


@pytest.mark.parametrize(
    ("at", "host", "headers"),
    [
        (LOCAL, "0.0.0.0", {}),
        (("http://192.168.1.5:7860", "192.168.1.9"), "127.0.0.1", {}),
        (("http://127.0.0.1:7860", "192.168.1.9"), "127.0.0.1", {}),
        (("http://gmedbot.example", "127.0.0.1"), "127.0.0.1", {}),
        (LOCAL, "127.0.0.1", {"x-forwarded-for": "203.0.113.7"}),
        (LOCAL, "127.0.0.1", {"host": "evil.example"}),
    ],
)
def test_away_from_this_machine_the_list_can_be_read_but_not_judged(
    maintainer: New, monkeypatch: pytest.MonkeyPatch, at: tuple[str, str], host: str, headers: dict[str, str]
) -> None:
    seen = maintainer(at=at, host=host)
    with monkeypatch.context() as pretend:  # even with a form in hand nothing may be saved
        pretend.setattr("gmedbot.ui.judging.is_local", lambda request, host: True)
        form = seen.form(ROOTS)
    seen.client.headers.update(headers)
    page = seen.read()
    assert "<article" in page and "data-judge" not in page and "gmedbot claims review" in page
    answer = seen.send(form, "agree")
    assert answer.status_code == 403 and "on this machine" in answer.text
    assert not seen.path.exists()


def test_nobody_judges_without_the_login_or_without_the_form(maintainer: New) -> None:
    seen = maintainer()
    form = seen.form(ROOTS)
    assert seen.send({**form, "key": ""}, "agree").status_code == 403  # another page sends the cookie, but has no key
    assert seen.send({**form, "key": "ü" * 64}, "agree", part="1").status_code == 403
    seen.client.cookies.clear()
    assert "Password" in seen.read() and "<article" not in seen.read()
    answer = seen.send(form, "agree", part="1")
    assert answer.status_code == 403 and "log in again" in answer.text
    assert not seen.path.exists()


def test_without_a_password_there_is_nothing_to_judge(tmp_path: Path) -> None:
    app = build_app(FakeBot(), load_settings(index=tmp_path, corpus=tmp_path))
    with TestClient(app, base_url=LOCAL[0], client=("127.0.0.1", 1)) as other:
        assert other.get("/maintain/conflicts").status_code == 404
        assert other.post("/maintain/judge", data={"a": "x"}).status_code == 404


def test_the_desk_leads_to_the_list(maintainer: New) -> None:
    assert 'href="/maintain/conflicts"' in maintainer().client.get("/maintain").text


@pytest.mark.parametrize(("host", "is_ours"), [("127.0.0.1", True), ("127.3.2.1", True), ("localhost", True), ("::1", True),
                                               ("[::1]", True), ("0.0.0.0", False), ("::", False), ("", False), (None, False),
                                               ("localhost.evil.example", False), ("192.168.0.1", False)])  # fmt: skip
def test_only_names_of_this_machine_count_as_loopback(host: str | None, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


def test_a_pair_speaks_of_the_attribute_that_both_sentences_have(maintainer: New) -> None:
    ledger = Ledger.read(FakeBot())
    assert {type(c) for c in ledger.claims.values()} == {Claim}
    pair = pair_of(ledger, Path("none.yaml"), *ROOTS)
    assert pair is not None and pair.attribute == "nerve-roots"
    assert pair_of(ledger, Path("none.yaml"), "gone:1", ROOTS[1]) is None
