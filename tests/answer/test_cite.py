"""A citation is a verbatim quote at its offsets, or there is no answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gmedbot.answer.cite import Citations
from gmedbot.corpus.sources import read_corpus
from gmedbot.index.reader import BuiltIndex
from tests.support import SMALL_CORPUS

pytestmark = pytest.mark.integration


def test_every_claim_of_the_index_can_be_cited_and_its_quote_stands_in_its_file(built: BuiltIndex) -> None:
    texts = {document.source.source_id: document.text for document in read_corpus(SMALL_CORPUS)}
    citations = Citations(built)
    for claim in built.claims:
        citations.cite([claim])
    assert [citation.n for citation in citations.all] == list(range(1, len(built.claims) + 1))
    for citation in citations.all:
        assert texts[citation.source_id][citation.start : citation.end] == citation.quote != ""
        passage = built.passages[built.row_of[citation.passage_id]]
        assert passage.start <= citation.start < citation.end <= passage.end
        source = built.sources[citation.source_id]
        assert (citation.title, citation.year, citation.kind) == (source.title, source.year, source.kind)


def test_a_claim_keeps_its_number(built: BuiltIndex) -> None:
    citations = Citations(built)
    first, second = built.claims[0], built.claims[-1]
    assert citations.cite([first]) == (1,)
    assert citations.cite([second, first]) == (1, 2)
    assert citations.cite([first]) == (1,)
    assert len(citations.all) == 2


def test_a_source_is_cited_once_a_statement_by_its_first_claim(built: BuiltIndex) -> None:
    own = [claim for claim in built.claims if claim.source_id == "test-emg-2009"]
    citations = Citations(built)
    assert citations.cite(own) == (1,)
    assert citations.all[0].quote == own[0].text


def test_a_claim_that_does_not_stand_in_its_passage_is_never_cited(built: BuiltIndex) -> None:
    claim = built.claims[0]
    for wrong in (replace(claim, text="Something else."), replace(claim, start=claim.start + 1)):
        with pytest.raises(ValueError, match="does not stand"):
            Citations(built).cite([wrong])


def test_nothing_cited_is_no_citation(built: BuiltIndex) -> None:
    citations = Citations(built)
    assert citations.cite([]) == () and citations.all == ()
