"""Reading gold data, and what the committed gold data promises."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from gmedbot.errors import UsageError
from gmedbot.evaluation.gold import DialogueTurn, Gold, Question, load_gold
from tests.evaluation.conftest import QUESTIONS, write_gold, write_lines
from tests.support import ROOT

pytestmark = pytest.mark.core

EVALUATION = ROOT / "evaluation"


@pytest.fixture(scope="module")
def committed() -> Gold:
    return load_gold(EVALUATION)


def test_a_wrong_line_is_named_with_its_file_and_number(tmp_path: Path) -> None:
    folder = write_gold(tmp_path / "evaluation")
    bad = {key: value for key, value in QUESTIONS[1].items() if key != "topic_key"}
    write_lines(folder / "questions.jsonl", [QUESTIONS[0], bad])
    with pytest.raises(UsageError, match=r"questions\.jsonl:2 .*\n.*topic_key"):
        load_gold(folder)


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("questions.jsonl", {"split": "train"}, "dev or test"),
        ("pairs.jsonl", {"relation": "maybe"}, "agree, conflict or different"),
        ("safety.jsonl", {"label": "odd"}, "red-flag or harmless"),
    ],
)
def test_a_value_outside_its_list_is_refused(tmp_path: Path, file: str, change: dict[str, str], says: str) -> None:
    folder = write_gold(tmp_path / "evaluation")
    first = json.loads((folder / file).read_text("utf-8").splitlines()[0])
    write_lines(folder / file, [{**first, **change}])
    with pytest.raises(UsageError, match=says):
        load_gold(folder)


def test_a_hostile_document_is_measured_in_its_own_split_and_in_both_if_it_names_none(tmp_path: Path) -> None:
    folder = write_gold(tmp_path / "evaluation")
    manifest = folder / "injected" / "manifest.jsonl"
    (case,) = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    write_lines(manifest, [case, {**case, "file": "b.md", "split": "dev"}, {**case, "file": "c.md", "split": "test"}])
    gold = load_gold(folder)
    assert [found.file for found in gold.only("dev").injected] == [case["file"], "b.md"]
    assert [found.file for found in gold.only("test").injected] == [case["file"], "c.md"]
    assert len(gold.only("all").injected) == 3


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    folder = write_gold(tmp_path / "evaluation")
    write_lines(folder / "questions.jsonl", [QUESTIONS[0], QUESTIONS[0]])
    with pytest.raises(UsageError, match="twice"):
        load_gold(folder)


def test_a_folder_without_gold_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gold data"):
        load_gold(tmp_path)


def test_each_turn_knows_the_questions_before_it(small_gold: Gold) -> None:
    talk = small_gold.dialogues[0]
    assert talk.turns[0].history == ()
    assert talk.turns[1].history == (talk.turns[0].question,)


def test_there_is_enough_gold_of_each_kind(committed: Gold) -> None:
    assert len(committed.questions) >= 300
    assert sum(question.needs_several for question in committed.questions) >= 80
    assert len(committed.dialogues) >= 80
    assert all(3 <= len(dialogue.turns) <= 6 for dialogue in committed.dialogues)
    assert len(committed.pairs) >= 400
    different = [pair for pair in committed.pairs if pair.relation == "different"]
    assert sum(pair.near_miss is not None for pair in different) * 2 >= len(different)
    assert len(committed.unanswerable) >= 150
    assert sum(item.is_near for item in committed.unanswerable) >= 75
    flags = Counter(message.is_red_flag for message in committed.safety)
    assert flags[True] >= 100 and flags[False] >= 100
    assert len(committed.injected) >= 50


def test_no_topic_and_no_quote_is_in_both_splits(committed: Gold) -> None:
    """Of questions, dialogues and pairs together: what is tuned on one may not be judged on another."""
    topics: dict[str, set[str]] = {}
    texts: dict[str, set[str]] = {}
    for question in committed.questions:
        topics.setdefault(question.topic, set()).add(question.split)
        for quote in question.quotes:
            texts.setdefault(quote.text, set()).update({question.split} if quote.grade == 2 else ())
    for dialogue in committed.dialogues:
        topics.setdefault(dialogue.topic, set()).add(dialogue.split)
        for quote in (quote for turn in dialogue.turns for quote in turn.quotes if quote.grade == 2):
            texts.setdefault(quote.text, set()).add(dialogue.split)
    for pair in committed.pairs:
        topics.setdefault(pair.topic, set()).add(pair.split)
        for text in (pair.a, pair.b):
            texts.setdefault(text, set()).add(pair.split)
    for item in committed.unanswerable:
        topics.setdefault(item.topic, set()).add(item.split)
    assert {topic for topic, splits in topics.items() if len(splits) > 1} == set()
    assert {text for text, splits in texts.items() if len(splits) > 1} == set()


def test_every_line_has_its_date_and_no_message_is_there_twice() -> None:
    for path in sorted((*EVALUATION.glob("*.jsonl"), EVALUATION / "injected" / "manifest.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        undated = [row for row in rows if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(row.get("date")))]
        assert undated == [], path.name
        said = Counter(re.sub(r"\W+", " ", row["text"].lower()) for row in rows if "text" in row)
        assert [text for text, count in said.items() if count > 1] == [], path.name


def test_every_injected_file_of_the_list_is_there_and_every_file_is_on_the_list(committed: Gold) -> None:
    listed = {case.file for case in committed.injected}
    there = {
        path.name for path in (EVALUATION / "injected").iterdir() if path.name not in ("manifest.jsonl", "README.md")
    }
    assert listed == there


def test_every_gold_quote_stands_in_its_source(committed: Gold) -> None:
    from gmedbot.corpus.sources import scan_corpus

    texts = {document.source.source_id: document.text for document in scan_corpus(ROOT / "corpus")[0]}
    lost = [(quote.source, quote.text) for quote in committed.quotes() if quote.text not in texts.get(quote.source, "")]
    assert lost == []


def test_every_nugget_of_a_question_is_in_one_of_its_own_quotes(committed: Gold) -> None:
    """A pattern that its own gold does not match could never be met by an extractive answer."""
    never = [
        (question.id, nugget.text)
        for question in committed.questions
        for nugget in question.nuggets
        if nugget.is_vital and not nugget.is_in("\n".join(quote.text for quote in question.quotes))
    ]
    assert never == []


def test_what_was_pooled_belongs_to_a_question_and_is_nothing_that_its_writer_named(committed: Gold) -> None:
    rows = [json.loads(line) for line in (EVALUATION / "pooled.jsonl").read_text("utf-8").splitlines()]
    turns = [turn for dialogue in committed.dialogues for turn in dialogue.turns]
    asked: dict[str, Question | DialogueTurn] = {question.id: question for question in committed.questions}
    asked.update({turn.id: turn for turn in turns})
    assert {row["id"] for row in rows} <= set(asked) and len({row["id"] for row in rows}) == len(rows)
    for item in asked.values():
        named = {(quote.source, quote.text) for quote in item.quotes}
        assert all(quote.grade in (1, 2) and (quote.source, quote.text) not in named for quote in item.pooled), item.id
        assert item.judged == item.quotes + item.pooled
    assert sum(len(item.pooled) for item in asked.values()) == sum(len(row["gold"]) for row in rows) > 1000
