"""Passages and sentences stand in their document at their offsets, whatever the document looks like."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.corpus.sources import parse_document
from gmedbot.encoder import OnnxEncoder
from gmedbot.passages import (
    Section,
    embedding_text,
    fenced_blocks,
    split_document,
    split_sections,
    split_sentences,
)
from gmedbot.types import Passage
from tests.support import make_document

pytestmark = pytest.mark.core

SENTENCES = (
    "The gluteus medius abducts the hip.",
    "It reached 81 %MVIC (SD 42), e.g. in Fig. 2, vs. 39.5 %MVIC.",
    "Ends without a full stop",
    "L4–S1 – not L5–S1!",
    "…",
    "ﬁbre ½ °C “quoted” 中文 🦴",
)
BLOCKS = st.one_of(
    st.sampled_from(SENTENCES),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=6).map(" ".join),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map("\n".join),
    st.builds(lambda level, text: f"{'#' * level} {text}", st.integers(1, 6), st.sampled_from(SENTENCES)),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(lambda items: "\n".join(f"- {i}" for i in items)),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=3).map(
        lambda items: "\n".join(f"{n}. {i}" for n, i in enumerate(items, 1))
    ),
    st.sampled_from(
        ("---", "***", "___", "===", "| a | b |\n|---|---|\n| 1 | 2 |", "> quoted\n> twice", "    indented", "")
    ),
    st.lists(st.sampled_from(SENTENCES), max_size=3).map(
        lambda items: "```\n# no heading\n" + "\n".join(items) + "\n```"
    ),
    st.sampled_from(
        ("```python\nnever closed", "```", "~~~", "````text", "```a``` inline", "~~~~ \n# no heading\n~~~~~")
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40),
)
MARKDOWN = st.lists(st.tuples(BLOCKS, st.sampled_from(("\n", "\n\n", "\n\n\n", "\n \t\n"))), max_size=14).map(
    lambda pairs: "".join(block + gap for block, gap in pairs)
)


def count(text: str) -> int:
    """A stand-in for word pieces: three characters each, two special tokens."""
    return math.ceil(len(text) / 3) + 2


def bare(text: str) -> str:
    return "".join(text.split())


@given(MARKDOWN, st.sampled_from((8, 24, 60, 200)))
def test_every_passage_reads_as_its_document_at_its_offsets(text: str, window: int) -> None:
    passages = split_document(make_document(text), count, window)
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert passage.text.strip() == passage.text != ""
    places = [(passage.start, passage.end) for passage in passages]
    assert places == sorted(places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert len({passage.passage_id for passage in passages}) == len(passages)


@given(MARKDOWN, st.sampled_from((24, 60, 200)))
def test_no_passage_is_longer_than_the_window(text: str, window: int) -> None:
    document = make_document(text)
    for passage in split_document(document, count, window):
        head = count(embedding_text(Passage("", "", "", 0, 0, passage.heading), document.source.title))
        assert count(passage.text) <= max(window - head, window // 2)
        if head <= window // 2:
            assert count(embedding_text(passage, document.source.title)) <= window


@given(MARKDOWN, st.sampled_from((24, 200)))
def test_every_word_is_in_a_passage_or_in_the_heading_of_one(text: str, window: int) -> None:
    passages = split_document(make_document(text), count, window)
    inside = {place for passage in passages for place in range(passage.start, passage.end)}
    headings = {bare(name) for passage in passages for name in passage.heading}
    cursor = 0
    for line in text.splitlines(keepends=True):
        lost = [place for place, sign in enumerate(line, cursor) if sign.isalnum() and place not in inside]
        if lost:
            assert re.match(r"#{1,6} ", line) and bare(line.lstrip("#").strip().strip("#")) in headings, line
        cursor += len(line)


@pytest.mark.parametrize("mark", ["```", "```text", "~~~", "````", "```a``` and", "``` two words"])
def test_a_fence_that_is_never_closed_hides_nothing_and_headings_go_on_to_count(mark: str) -> None:
    text = f"# Top\nFirst.\n{mark}\nSecond.\n\n## Later\nThird.\n"
    passages = split_document(make_document(text), count, 200)
    assert [passage.heading for passage in passages] == [("Top",), ("Top", "Later")]
    assert passages[0].text.startswith("First.") and passages[0].text.endswith("Second.")
    assert passages[1].text == "Third."


def test_a_stray_fence_does_not_turn_the_blocks_around_it_inside_out() -> None:
    text = "## A\n```python\n# code\n```\nOne.\n\n```\nTwo.\n\n~~~\n# more code\n~~~\n## B\nThree.\n"
    assert [text[start:end] for start, end in fenced_blocks(text)] == [
        "```python\n# code\n```\n",
        "~~~\n# more code\n~~~\n",
    ]
    sections = split_sections(text)
    assert [section.heading for section in sections] == [("A",), ("B",)]
    assert bare(text[sections[0].start : sections[0].end]) == bare(text[text.index("```") : text.index("## B")])


def test_a_block_ends_at_its_own_mark_only() -> None:
    text = "````\n```\n# code\n~~~\n```` no end\n`````\n# Heading\nText.\n"
    assert [text[start:end] for start, end in fenced_blocks(text)] == [text[: text.index("# Heading")]]
    assert [section.heading for section in split_sections(text)] == [(), ("Heading",)]


def test_many_fences_that_open_nothing_take_no_time() -> None:
    text = "".join(f"```word{n}\nText {n}.\n~~~word{n}\n" for n in range(20_000))
    assert fenced_blocks(text) == ()  # quadratic, this would take minutes


def test_a_heading_with_nothing_under_it_is_found_by_its_words() -> None:
    text = "## Exercises\n### Clamshell\n### Side plank\nHold it.\n\n## Last words"
    passages = split_document(make_document(text), count, 200)
    assert [(passage.heading, passage.text) for passage in passages] == [
        (("Exercises",), "### Clamshell"),
        (("Exercises", "Side plank"), "Hold it."),
        ((), "## Last words"),
    ]
    assert [p.text for p in split_document(make_document("## A\n## A\n## \n"), count, 200)] == ["## A", "## A"]
    assert [sentences(passage.text) for passage in passages] == [[], ["Hold it."], []]  # a heading states nothing


def test_a_section_that_repeats_its_heading_stands_at_its_own_place() -> None:
    text = "## Ilium\nIlium\n"
    assert split_sections(text) == (Section(("Ilium",), 9, 14),)


@given(st.lists(st.sampled_from(SENTENCES), max_size=9), st.sampled_from((20, 200)))
def test_prose_is_covered_without_a_gap(sentences: list[str], window: int) -> None:
    text = "\n\n".join(sentences)
    passages = split_document(make_document(text), count, window)
    assert bare("".join(passage.text for passage in passages)) == bare(text)


@given(MARKDOWN)
def test_every_sentence_lies_within_its_text_in_order_and_trimmed(text: str) -> None:
    spans = split_sentences(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in spans)
    assert all(text[start:end].strip() for start, end, _ in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_repeated_paragraph_gets_a_passage_for_each_place() -> None:
    text = "## A\nThe same words.\n\n## A\nThe same words.\n\n## B\nThe same words.\n"
    passages = split_document(make_document(text), count, 200)
    assert [passage.text for passage in passages][-1] == "The same words."
    assert len({passage.start for passage in passages}) == len(passages) >= 2
    assert sum(passage.text.count("The same words.") for passage in passages) == 3


def test_headings_give_the_path_and_do_not_count_inside_code() -> None:
    text = "# Top\nIntro.\n\n## Origin\nIlium.\n\n```\n# no heading\n```\n\n### Fibres\nAnterior.\n"
    sections = split_sections(text)
    assert [section.heading for section in sections] == [("Top",), ("Top", "Origin"), ("Top", "Origin", "Fibres")]
    assert "# no heading" in text[sections[1].start : sections[1].end]


def test_line_ends_of_other_systems_are_read_as_one_kind() -> None:
    front = '---\nid: doc\ntitle: "T"\nauthors: [A]\ncontainer: C\nkind: textbook\nevidence: expert\ntopics: [anatomy]\n---\n'
    body = "# T\n\n## Origin\nIlium.\nAlso the fascia.\n\nIlium.\n"
    wanted, _ = parse_document(front + body, "doc.md")
    for end in ("\r\n", "\r"):
        document, findings = parse_document((front + body).replace("\n", end), "doc.md")
        assert document is not None and findings == ()
        assert document == wanted
        assert all(document.text[p.start : p.end] == p.text for p in split_document(document, count, 40))


def test_ids_depend_on_place_and_words_and_on_nothing_else() -> None:
    text = "## A\nOne. Two.\n"
    first = split_document(make_document(text), count, 200)
    assert first == split_document(make_document(text), count, 200)
    assert first[0].passage_id != split_document(make_document("\n" + text), count, 200)[0].passage_id
    assert first[0].passage_id != split_document(make_document(text, "other"), count, 200)[0].passage_id


@pytest.mark.integration
def test_the_budget_holds_for_the_word_pieces_of_the_packaged_model(encoder: OnnxEncoder, small_corpus: Path) -> None:
    text = "\n\n".join(path.read_text("utf-8") for path in sorted(small_corpus.glob("*.md")))
    document = make_document(text + "supercalifragilistic" * 40)
    passages = split_document(document, encoder.count_tokens, 64)
    assert len(passages) > 10
    assert max(encoder.count_tokens(passage.text) for passage in passages) <= 64


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end, _ in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("Reached 81.5 %MVIC. It fell.", ["Reached 81.5 %MVIC.", "It fell."]),
        ("Exercises, e.g. the clam, help. Others, i.e. Squats, too.", ["Exercises, e.g. the clam, help.", "Others, i.e. Squats, too."]),
        ("Ward et al. 2009 and Fig. 2 agree. So do we.", ["Ward et al. 2009 and Fig. 2 agree.", "So do we."]),
        ("Dr. Smith of the U.S. Army says so. Fine.", ["Dr. Smith of the U.S. Army says so.", "Fine."]),
        ("P. J. Miller wrote it. Read it.", ["P. J. Miller wrote it.", "Read it."]),
        ("Cited.[1,2] Next.", ["Cited.[1,2]", "Next."]),
        ("He said “stop.” Then he left.", ["He said “stop.”", "Then he left."]),
        ("First line\nof one sentence. Second.", ["First line\nof one sentence.", "Second."]),
        ("Roots are L4–S1. They differ.", ["Roots are L4–S1.", "They differ."]),
        ("The muscle has m. gluteus medius as name. End.", ["The muscle has m. gluteus medius as name.", "End."]),
        ("", []),
        (" \n\t\n", []),
        ("---\n***\n___\n* * *\n===", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_would_end_them(text: str, wanted: list[str]) -> None:
    assert sentences(text) == wanted


def test_list_items_lose_their_marker_and_are_marked() -> None:
    text = "Steps:\n- Lie down.\n* Lift.\n1. Hold\n   for 5 s.\n2) Rest.\n"
    found = [(text[start:end], is_item) for start, end, is_item in split_sentences(text)]
    assert found[0] == ("Steps:", False)
    assert [item for item, _ in found[1:3]] == ["Lie down.", "Lift."]
    assert found[3][0].startswith("Hold") and found[-1] == ("Rest.", True)
    assert all(is_item for _, is_item in found[1:])


def test_headings_rules_and_fences_are_no_sentences() -> None:
    assert sentences("# Heading\n\n---\n\n```\n```\n~~~text\n\nText.\n| --- | --- |\n") == ["Text."]
