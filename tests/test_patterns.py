"""Needles only ever turn away texts that cannot match; the results are those of the patterns alone."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.claims.vocabulary import Vocabulary, prepared_rows, vocabulary_from_rows, vocabulary_rows
from gmedbot.conversation.safety import SafetyRules
from gmedbot.patterns import LazyPattern, PatternSet, needles_of
from tests.support import PROJECT_CORPUS, ROOT

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("pattern", "needles"),
    [
        (r"\bnerv(?:e|es)\b", ("nerve",)),
        (r"(?:abc|de)f?", ("abc", "de")),
        (r"weight[- ]bear\w*|walk(?:ing)?", ("alk", "eight")),
        (r"colou?r", ("colo",)),
        (r"(?:numb)?ness", ("ness",)),
        (r"\d+\s*%", ()),
        (r"(?i:Pain)", ()),
        (r"(?:pain)*", ()),
        (r"a|b", ()),
    ],
)
def test_needles_are_words_that_every_match_must_hold(pattern: str, needles: tuple[str, ...]) -> None:
    assert needles_of(pattern, re.IGNORECASE) == needles


def test_a_case_sensitive_pattern_keeps_the_case_of_its_needles() -> None:
    assert needles_of(r"\bTFL\b") == ("TFL",)
    assert LazyPattern(r"\bTFL\b", 0, needles_of(r"\bTFL\b")).search("the TFL") is not None


def test_a_pattern_is_not_compiled_for_a_text_without_its_needles() -> None:
    pattern = LazyPattern(r"\bnerve\b", re.IGNORECASE, ("nerve",))
    assert pattern.search("the hip joint") is None
    assert "pattern" not in pattern.__dict__
    assert pattern.search("the Nerve") is not None


def test_letters_that_fold_in_odd_ways_are_tried_all_the_same() -> None:
    pattern = LazyPattern(r"sign", re.IGNORECASE, needles_of(r"sign", re.IGNORECASE))
    assert pattern.search("ſign") is not None  # a long s, which IGNORECASE folds to s and lower() does not


_PATTERNS = [
    r"nerv(?:e|ous)",
    r"\bhip\b.*\bpain\b",
    r"(?:weak|weaker)\b",
    r"\d+ ?%",
    r"suppl(?:y|ies|ied)",
    r"gluteu?s",
]


@given(
    st.lists(
        st.sampled_from(
            [
                "nerve",
                "nervous",
                "hip",
                "pain",
                "weak",
                "weaker",
                "5%",
                "supply",
                "supplies",
                "gluteus",
                "glutes",
                "the",
                "of",
            ]
        )
    )
)
def test_a_set_finds_what_its_patterns_find_one_by_one(words: list[str]) -> None:
    text = " ".join(words)
    lazy = [LazyPattern(pattern, re.IGNORECASE, needles_of(pattern, re.IGNORECASE)) for pattern in _PATTERNS]
    found = PatternSet((pattern, pattern.text) for pattern in lazy).labels(text)
    assert sorted(found) == sorted(p for p in _PATTERNS if re.search(p, text, re.IGNORECASE))


def _questions() -> list[str]:
    lines = [
        line for path in sorted((ROOT / "evaluation").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    rows = [json.loads(line) for line in lines if line.strip()]
    return [row[key] for row in rows for key in ("question", "text", "message") if isinstance(row.get(key), str)]


def test_stored_red_flags_judge_every_question_of_the_evaluation_as_the_file_does() -> None:
    rules = SafetyRules.load(PROJECT_CORPUS / "safety.yaml")
    stored = json.loads(json.dumps(rules.to_record()))
    read = SafetyRules.from_record(stored)
    for group in [pair for rule in stored["rules"] for form in rule["forms"] for pair in form["all"]]:
        for pattern in group[1]:
            pattern[1] = []
    for pair in [pair for rule in stored["rules"] for form in rule["forms"] for pair in form["none"]]:
        pair[1] = []
    for pair in stored["guards"].values():
        pair[1] = []
    without_needles = SafetyRules.from_record(stored)
    texts = _questions()
    judged = [read.screen(text) for text in texts]
    assert any(judged)
    assert judged == [without_needles.screen(text) for text in texts]


def test_a_prepared_vocabulary_reads_as_the_one_it_was_made_from(vocabulary: Vocabulary) -> None:
    rows = json.loads(json.dumps(prepared_rows(vocabulary_rows(PROJECT_CORPUS / "vocabulary"))))
    prepared = vocabulary_from_rows(rows)
    assert prepared.words == vocabulary.words
    for text in _questions()[::7]:
        assert prepared.find(text) == vocabulary.find(text)
        assert prepared.question_cue_hits(text) == vocabulary.question_cue_hits(text)
        assert prepared.cue_hits(text) == vocabulary.cue_hits(text)
