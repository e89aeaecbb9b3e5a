"""A large corpus: wordings are compared instead of all pairs, and say the same of who agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.claims import ledger as ledger_module
from gmedbot.claims.ledger import Ledger, build_ledger
from gmedbot.claims.relator import Pair, Relator, relation_models
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.claims.wordings import nearest_rows, wording_pairs
from gmedbot.types import Claim, Frame, Source
from tests.support import make_source

pytestmark = pytest.mark.core

NERVE = "The gluteus medius is supplied by the superior gluteal nerve."
OTHER = "The gluteus medius is supplied by the inferior gluteal nerve."


def made_vectors(n: int, dim: int = 24) -> np.ndarray:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((40, dim))[rng.integers(40, size=n)] + 0.3 * rng.standard_normal((n, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_most_of_the_true_nearest_are_found_in_the_nearest_cells() -> None:
    vectors = made_vectors(3000)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -1)
    found = dict(nearest_rows(vectors, 5, 0.5))
    hits = [len(set(found[row]) & set(np.argsort(-scores[row])[:5].tolist())) for row in found]
    assert len(found) > 2900
    assert np.mean(hits) > 4.5
    for row, others in found.items():
        cosines = scores[row][others]
        assert row not in others
        assert cosines.min() >= 0.5 - 1e-6
        assert (np.diff(cosines) <= 1e-6).all()


def test_nothing_is_near_to_a_single_row_or_to_none() -> None:
    assert list(nearest_rows(made_vectors(1), 5, 0.0)) == []
    assert list(nearest_rows(np.zeros((0, 8), np.float32), 5, 0.0)) == []


def claim(source_id: str, number: int, text: str) -> Claim:
    return Claim(f"{source_id}:{number}", source_id, "p", text, 0, len(text), (), Frame())


def test_a_wording_that_a_thousand_sources_repeat_is_compared_once_with_another() -> None:
    claims = [claim(f"s{n:04d}", 0, "same") for n in range(1000)] + [claim("other", 0, "near")]
    vectors = np.full((1001, 4), 0.5, np.float32)
    pairs = list(wording_pairs(claims, lambda one: {("a", "b")}, vectors, 0.4))
    assert len(pairs) == len(set(pairs)) == 1000
    assert [pair for pair in pairs if 1000 in pair] == [(0, 1000)]
    assert all(claims[i].source_id != claims[j].source_id and i < j for i, j in pairs)


def test_what_shares_no_block_or_no_second_source_is_not_compared() -> None:
    claims = [claim("a", 0, "one"), claim("b", 0, "two"), claim("b", 1, "three")]
    vectors = np.full((3, 4), 0.5, np.float32)
    blocks = {"one": {("x", "x")}, "two": {("y", "y")}, "three": {("y", "y")}}
    assert list(wording_pairs(claims, lambda one: blocks[one.text], vectors, 0.4)) == []


def made_ledger(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, limit: int) -> tuple[Ledger, list[Claim]]:
    from gmedbot.claims.extract import read_frame

    monkeypatch.setattr(ledger_module, "_LARGE", limit)
    texts = [NERVE] * 12 + [OTHER] * 5
    sources: dict[str, Source] = {f"s{n:02d}": make_source(f"s{n:02d}") for n in range(len(texts))}
    claims = [
        replace(claim(f"s{n:02d}", 0, text), frame=read_frame(text, (), vocabulary)) for n, text in enumerate(texts)
    ]
    vectors = np.asarray([[1.0, 0.0] if text == NERVE else [0.9, np.sqrt(0.19)] for text in texts], np.float32)
    models = replace(relation_models(), plain=0.99, near=0.4, agree=0.6, conflict=0.6)
    ledger = build_ledger(claims, sources, vocabulary, vectors, Path("none.yaml"), Relator(vocabulary, None, models))
    return ledger, claims


def test_a_large_corpus_has_the_findings_of_all_pairs_from_far_fewer(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, _ = made_ledger(vocabulary, monkeypatch, 6000)
    large, _ = made_ledger(vocabulary, monkeypatch, 0)
    assert large.findings == small.findings
    assert sorted(len(finding.origins) for finding in large.findings) == [5, 12]
    assert all(finding.dissents for finding in large.findings)
    assert len(large.relations) < len(small.relations) / 4


def test_the_progress_of_every_step_is_told(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    _, claims = made_ledger(vocabulary, monkeypatch, 0)
    told: list[str] = []
    sources = {one.source_id: make_source(one.source_id) for one in claims}
    vectors = np.full((len(claims), 4), 0.5, np.float32)
    build_ledger(claims, sources, vocabulary, vectors, Path("none.yaml"), Relator(vocabulary, None),
                 lambda stage, done, total: told.append(stage))  # fmt: skip
    assert {"nearest", "claims"} <= set(told)


class _Counting:
    """Reads nothing and remembers what it was given."""

    def __init__(self) -> None:
        self.read_pairs: list[tuple[str, str]] = []

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]:
        self.read_pairs += pairs
        return np.zeros((len(pairs), 3))


@pytest.mark.parametrize(("most", "least_read", "most_read"), [(10_000, 40, 66), (20, 5, 25)])
def test_only_the_likeliest_pairs_are_read_where_there_are_too_many(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, most: int, least_read: int, most_read: int
) -> None:
    from gmedbot.claims.extract import read_frame

    monkeypatch.setattr(ledger_module, "_READINGS", most)
    claims = [
        replace(claim(f"s{n:02d}", 0, text), frame=read_frame(text, (), vocabulary))
        for n, text in enumerate(f"{start} in group {n}." for n in range(6) for start in (NERVE[:-1], OTHER[:-1]))
    ]
    sources: dict[str, Source] = {one.source_id: make_source(one.source_id) for one in claims}
    angles = np.linspace(0, 0.5, len(claims))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    reader = _Counting()
    models = replace(relation_models(), plain=1.0, near=0.4)
    build_ledger(claims, sources, vocabulary, vectors, Path("none.yaml"), Relator(vocabulary, reader, models))
    assert least_read <= len(reader.read_pairs) <= most_read
    frames = Relator(vocabulary, None, models)
    every = [Pair(a.frame, b.frame, a.text, b.text, 0.9) for place, a in enumerate(claims) for b in claims[place + 1 :]]
    assert frames.plain_limit(every, 0.1) < frames.plain_limit(every, 0.5) <= frames.plain_limit(every, 2.0) <= 1.0
    assert frames.plain_limit([], 0.5) == 1.0
