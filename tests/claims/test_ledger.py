"""Findings: closed under agreement, free of conflict, the same in any order, deaf to copies."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gmedbot.claims.extract import extract_claims
from gmedbot.claims.ledger import Ledger, build_ledger, origin_of, relate_claims
from gmedbot.claims.relator import Relator, relation_models
from gmedbot.claims.reviews import Review, save_review, text_hash
from gmedbot.claims.support import better_supported, support_of
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.corpus.sources import read_corpus
from gmedbot.index.reader import BuiltIndex
from gmedbot.passages import split_document
from gmedbot.types import Claim, Finding, Source
from tests.support import SMALL_CORPUS, make_source

pytestmark = pytest.mark.core

NOWHERE = Path("no-reviews.yaml")
#: No model is loaded here: the frames decide alone, and are less sure than with the reader.
FRAMES_ALONE = replace(relation_models(), plain=0.99, near=-1.0, agree=0.6, conflict=0.6)


class Case:
    """The claims of the small corpus with vectors of their words: near texts are near, and no model is needed."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        documents = read_corpus(SMALL_CORPUS)
        self.sources: dict[str, Source] = {document.source.source_id: document.source for document in documents}
        self.claims: list[Claim] = []
        for document in documents:
            passages = split_document(document, lambda text: len(text.split()), 200)
            self.claims.extend(extract_claims(document, passages, vocabulary))

    def add_copies(self, claim: Claim, count: int, **facts: object) -> Case:
        """The case with ``count`` more sources that repeat ``claim``; ``facts`` go to their front matter."""
        more = object.__new__(Case)
        more.vocabulary = self.vocabulary
        copies = [
            make_source(f"copy-{n:02d}", **{"kind": "web-article", "evidence": "lay", **facts}) for n in range(count)
        ]
        more.sources = {**self.sources, **{source.source_id: source for source in copies}}
        more.claims = [
            *self.claims,
            *(replace(claim, claim_id=f"{copy.source_id}:x", source_id=copy.source_id) for copy in copies),
        ]
        return more

    def ledger(self, claims: Sequence[Claim] | None = None, reviews: Path = NOWHERE) -> Ledger:
        chosen = self.claims if claims is None else claims
        relator = Relator(self.vocabulary, None, FRAMES_ALONE)
        return build_ledger(
            chosen, self.sources, self.vocabulary, vectors([claim.text for claim in chosen]), reviews, relator
        )

    def claim(self, source_id: str, words: str) -> Claim:
        (found,) = [claim for claim in self.claims if claim.source_id == source_id and words in claim.text]
        return found


def vectors(texts: Sequence[str]) -> np.ndarray:
    """(n, 256) unit rows: counts of letter triples, each text by itself."""
    out = np.zeros((len(texts), 256), dtype=np.float32)
    for row, text in enumerate(texts):
        for place in range(len(text) - 2):
            out[row, sum(ord(letter) * 31**n for n, letter in enumerate(text[place : place + 3])) % 256] += 1
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9), dtype=np.float32)


@pytest.fixture(scope="module")
def case(vocabulary: Vocabulary) -> Case:
    return Case(vocabulary)


def of_claim(ledger: Ledger, claim: Claim) -> Finding:
    (found,) = [finding for finding in ledger.findings if claim.claim_id in finding.supporters]
    return found


def check_whole(ledger: Ledger, claims: Sequence[Claim], sources: Mapping[str, Source]) -> None:
    """What must hold of every ledger."""
    owners = {claim.claim_id: claim.source_id for claim in claims}
    members = [item for finding in ledger.findings for item in finding.supporters]
    assert sorted(members) == sorted(owners), "every claim supports exactly one finding"
    conflicts = {(r.a, r.b) for r in ledger.relations if r.label == "conflict"}
    ids = {finding.finding_id: finding for finding in ledger.findings}
    for finding in ledger.findings:
        assert not any((a, b) in conflicts for a in finding.supporters for b in finding.supporters)
        assert finding.finding_id not in finding.dissents
        assert all(finding.finding_id in ids[other].dissents for other in finding.dissents)
        assert set(finding.origins) == {origin_of(sources[owners[item]], sources) for item in finding.supporters}
    assert all(r.a < r.b and r.label != "different" for r in ledger.relations)
    assert all(owners[r.a] != owners[r.b] for r in ledger.relations)


def test_the_small_corpus_gives_a_whole_ledger(case: Case) -> None:
    check_whole(case.ledger(), case.claims, case.sources)


@hypothesis_settings(max_examples=12)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_claims_does_not_matter(case: Case, chance: random.Random) -> None:
    shuffled = list(case.claims)
    chance.shuffle(shuffled)
    assert case.ledger(shuffled) == case.ledger()


def test_the_known_agreement_and_the_known_conflict_are_found(case: Case) -> None:
    ledger = case.ledger()
    copied = of_claim(ledger, case.claim("test-blog-2020", "superior gluteal nerve"))
    assert set(copied.origins) == {"test-atlas-2010", "test-cadaver-2012"}
    four = of_claim(ledger, case.claim("test-atlas-2010", "L4–S1"))
    five = of_claim(ledger, case.claim("test-cadaver-2012", "L5–S1"))
    assert four.status == five.status == "disputed"
    assert five.finding_id in four.dissents and four.finding_id in five.dissents


def test_ten_copies_of_a_weak_source_change_neither_status_nor_verdict(case: Case) -> None:
    claim = case.claim("test-atlas-2010", "L4–S1")
    rival = case.claim("test-cadaver-2012", "L5–S1")
    more = case.add_copies(claim, 10, lineage="test-atlas-2010")
    before, after = case.ledger(), more.ledger()
    check_whole(after, more.claims, more.sources)
    old, new = of_claim(before, claim), of_claim(after, claim)
    assert len(new.supporters) >= len(old.supporters) + 10
    assert (new.status, new.origins) == (old.status, old.origins)
    assert of_claim(after, rival).status == of_claim(before, rival).status

    def verdict(which: Case, ledger: Ledger) -> tuple[int | None, str]:
        by_id = {item.claim_id: item for item in which.claims}
        sides = [[by_id[i] for i in of_claim(ledger, item).supporters] for item in (claim, rival)]
        return better_supported([support_of(side, which.sources) for side in sides])

    assert verdict(more, after) == verdict(case, before)


def test_a_single_source_and_its_copies_do_not_agree_with_themselves(case: Case) -> None:
    claim = case.claim("test-gtps-2018", "crossing their legs")
    more = case.add_copies(claim, 10, lineage="test-gtps-2018")
    finding = of_claim(more.ledger(), claim)
    assert len(finding.supporters) == 11 and finding.origins == ("test-gtps-2018",) and finding.status == "single"
    independent = case.add_copies(claim, 1)
    assert of_claim(independent.ledger(), claim).status == "agreed"


def test_two_claims_of_one_source_are_never_compared(case: Case) -> None:
    check = {claim.claim_id: claim.source_id for claim in case.claims}
    assert all(check[r.a] != check[r.b] for r in case.ledger().relations)


def test_a_lineage_that_runs_in_a_circle_ends(case: Case) -> None:
    a, b = make_source("a", lineage="b"), make_source("b", lineage="a")
    assert origin_of(a, {"a": a, "b": b}) in ("a", "b")
    c = make_source("c", lineage="gone")
    assert origin_of(c, {"c": c}) == "c"
    chain = {name: make_source(name, lineage=up) for name, up in (("x", "y"), ("y", "z"), ("z", None))}
    assert {origin_of(source, chain) for source in chain.values()} == {"z"}


def test_a_review_overrules_the_program(case: Case, tmp_path: Path) -> None:
    a, b = case.claim("test-atlas-2010", "L4–S1"), case.claim("test-cadaver-2012", "L5–S1")
    first, second = sorted((a, b), key=lambda claim: claim.claim_id)
    path = tmp_path / "reviews.yaml"
    hashes = text_hash(first.text), text_hash(second.text)
    save_review(path, Review(first.claim_id, second.claim_id, *hashes, "different", "two counts of one thing"))
    assert of_claim(case.ledger(), a).status == "disputed"
    assert of_claim(case.ledger(reviews=path), a).status != "disputed"
    assert of_claim(case.ledger(reviews=path), b).status != "disputed"


def test_a_relation_carries_its_ids_in_order_and_its_judge(case: Case) -> None:
    a, b = case.claim("test-atlas-2010", "L4–S1"), case.claim("test-cadaver-2012", "L5–S1")
    relator = Relator(case.vocabulary, None)
    (there,), (back,) = relate_claims([(a, b)], [0.9], relator), relate_claims([(b, a)], [0.9], relator)
    assert there == back and there.a < there.b
    assert there.label == "conflict" and there.judged_by != "review"


def test_no_claims_give_no_findings(case: Case) -> None:
    assert case.ledger([]) == Ledger((), ())


@pytest.mark.integration
def test_a_built_index_holds_a_whole_ledger(built: BuiltIndex) -> None:
    check_whole(Ledger(tuple(built.relations.values()), tuple(built.findings)), tuple(built.claims), built.sources)
