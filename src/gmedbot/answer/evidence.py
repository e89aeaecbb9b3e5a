"""A query → the claims that answer it, scored and grouped by finding.

Passages are found by the retriever; this stage looks inside them. A claim's score adds up what a careful reader looks
for: is it about the muscle, the part, the exercise that was asked; does it state the kind of thing that was asked;
does its wording meet the question's. The weights were fitted on the dev questions (docs/decisions/).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.dense import similarities
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.hybrid import Hits
from gmedbot.retrieval.understand import Query
from gmedbot.types import EVIDENCE_RANK, Claim, Finding

__all__ = ["Evidence", "EvidenceFinder", "ScoredClaim"]


@dataclass(frozen=True)
class ScoredClaim:
    """A claim and how well it answers; scores are log-odds, comparable within one query, about 0 to 6."""

    claim: Claim
    score: float
    cosine: float
    coverage: float  #: share of the query's rarer words and terms that the claim holds


@dataclass(frozen=True)
class Evidence:
    """A finding that answers, with its claims as this query ranks them, best first."""

    finding: Finding
    claims: tuple[ScoredClaim, ...]

    @property
    def best(self) -> ScoredClaim:
        return self.claims[0]

    @property
    def score(self) -> float:
        return self.claims[0].score


#: Log-odds that a reader would prefer a claim, per feature: a pairwise logistic regression on the dev questions
#: (docs/decisions/0002; cross-validated nDCG@10 0.745 against 0.734 for weights set by hand).
WEIGHTS: Mapping[str, float] = {
    "cosine": 3.23,
    "coverage": 1.51,
    "passage": 6.84,
    "passage_cosine": -6.79,
    "attribute": 0.54,
    "attribute_other": -0.88,
    "attribute_rarity": 0.42,
    "heading_rarity": 0.34,
    "subject_other": -0.78,
    "subject_named": -0.35,
    "part": 1.91,
    "part_other": -0.64,
    "exercise": 0.35,
    "exercise_variant": 0.37,
    "exercise_other": -0.72,
    "value": 0.61,
    "reported": -0.58,
    "evidence": -1.05,
    "length": 0.17,
    "definition": 1.90,
}
#: Claims taken by their own vector beside those of the passages found; indexes of more claims do without.
_NEAREST_CLAIMS = 60
_SCAN_LIMIT = 50_000
_DEFINING = frozenset({"definition", "surface-anatomy", "shape", "function-general"})


class EvidenceFinder:
    """Scores claims of one index for a query. Thread-safe: it only reads."""

    def __init__(self, index: BuiltIndex, vocabulary: Vocabulary) -> None:
        self._index = index
        self._vocabulary = vocabulary
        self._table = index.claim_table
        total = max(1, len(self._table))
        self._rarity = {key: math.log(1 + total / count) for key, count in self._table.key_counts.items()}
        self._unseen = math.log(1 + total)

    @lru_cache(maxsize=65_536)  # noqa: B019 - one finder lives as long as its index
    def _keys(self, row: int) -> frozenset[str]:
        return self._table.keys(row)

    @lru_cache(maxsize=1024)  # noqa: B019
    def _of_attribute(self, attribute: str) -> tuple[int, ...]:
        return self._table.of_attribute(attribute)

    def query_keys(self, query: Query) -> frozenset[str]:
        """The same kind of keys for a query; function words and question words are left out."""
        return self._text_keys(query.text)

    @lru_cache(maxsize=256)  # noqa: B019 - an answer asks for the keys of its question more than once
    def _text_keys(self, text: str) -> frozenset[str]:
        from gmedbot.claims.extract import read_words

        terms, words = read_words(text, self._vocabulary)
        return frozenset(terms) | {word for word in words if word not in _QUESTION_WORDS}

    def find(self, query: Query, vector: NDArray[np.float32], hits: Hits) -> tuple[Evidence, ...]:
        """Findings that may answer, best first. ``vector`` is the encoded question, (dim,)."""
        rows = self._candidates(query, hits, vector)
        if not rows:
            return ()
        passages = {
            self._index.passages[int(row)].passage_id: (float(score), float(dense))
            for row, score, dense in zip(hits.rows, hits.scores, hits.dense, strict=True)
        }
        cosines = np.asarray(self._index.claim_vectors[rows]) @ vector
        keys = self.query_keys(query)
        weight = sum(self._rarity.get(key, self._unseen) for key in keys)
        scored: list[ScoredClaim] = []
        for row, cosine in zip(rows, cosines.tolist(), strict=True):
            claim = self._index.claims[row]
            met = sum(self._rarity.get(key, self._unseen) for key in keys & self._keys(row))
            coverage = met / weight if weight else 0.0
            features = self.features(query, claim, cosine, coverage, passages.get(claim.passage_id, (0.0, 0.0)))
            score = sum(WEIGHTS[name] * value for name, value in features.items())
            scored.append(ScoredClaim(claim, score, cosine, coverage))
        scored.sort(key=lambda item: (-item.score, item.claim.claim_id))
        return self._by_finding(scored)

    def overview(self, query: Query) -> tuple[Evidence, ...]:
        """One finding for each thing worth saying of a muscle, best supported first; empty for other subjects."""
        subject = next(iter(sorted(query.subjects)), self._vocabulary.focus)
        others = [t for t in query.terms if self._vocabulary.terms[t].kind in ("condition", "exercise", "treatment")]
        if len(query.subjects) > 1 or others or set(query.attributes) - _DEFINING:
            return ()
        chosen: list[Evidence] = []
        wanted = sorted((a for a in self._vocabulary.attributes.values() if a.overview), key=lambda a: a.overview)
        for attribute in wanted:
            rows = [row for row in self._of_attribute(attribute.id) if self._is_about(row, subject)]
            if not rows:
                continue
            row = max(rows, key=lambda row: self._standing(row))
            claim = self._index.claims[row]
            scored = ScoredClaim(claim, 1.0, 1.0, 1.0)
            chosen.append(Evidence(self._index.finding_of_claim[claim.claim_id], (scored,)))
        return tuple(chosen)

    def _is_about(self, row: int, subject: str) -> bool:
        frame = self._index.claims[row].frame
        return frame.subjects == {subject} and not frame.parts and not frame.is_reported

    def _standing(self, row: int) -> tuple[int, int, int]:
        """How well a claim stands for its attribute: independent origins, evidence, shortness."""
        claim = self._index.claims[row]
        finding = self._index.finding_of_claim[claim.claim_id]
        evidence = EVIDENCE_RANK[self._index.sources[claim.source_id].evidence]
        return len(finding.origins), evidence, -len(claim.text)

    def unmet(self, query: Query) -> tuple[float, float]:
        """How many of the query's words and terms no claim holds, and their share; for the answerability gate."""
        keys = self.query_keys(query)
        missing = sum(key not in self._rarity for key in keys)
        return float(missing), missing / max(1, len(keys))

    def _candidates(self, query: Query, hits: Hits, vector: NDArray[np.float32]) -> list[int]:
        rows: dict[int, None] = {}
        for row in hits.rows.tolist():
            for claim_row in self._index.claims_of_passage.get(self._index.passages[row].passage_id, ()):
                rows[claim_row] = None
        wanted = set(query.terms) - query.subjects
        for attribute in query.attributes[:2]:
            for claim_row in self._of_attribute(attribute):
                if not wanted or wanted & self._keys(claim_row):
                    rows[claim_row] = None
        if len(self._table) <= _SCAN_LIMIT:
            cosines = similarities(self._index.claim_vectors, vector)
            for claim_row in np.argsort(-cosines, kind="stable")[:_NEAREST_CLAIMS].tolist():
                rows[claim_row] = None
        return list(rows)

    def features(
        self, query: Query, claim: Claim, cosine: float, coverage: float, passage: tuple[float, float]
    ) -> dict[str, float]:
        """What speaks for and against a claim, by the names of ``WEIGHTS``; absent is zero."""
        frame, v = claim.frame, self._vocabulary
        found = {"cosine": cosine, "coverage": coverage, "passage": passage[0], "passage_cosine": passage[1]}
        if query.attributes and frame.attributes:
            found.update(self._attribute_features(query, claim))
        subjects = query.subjects or {v.focus}
        about = frame.subjects or {v.focus}
        if subjects & about:
            found["subject_named"] = float(bool(frame.subjects))
        elif not any(v.refines(p, q) for p in subjects for q in about):
            found["subject_other"] = 1.0
        if query.parts:
            found["part"] = float(bool(query.parts & frame.parts))
            found["part_other"] = float(bool(frame.parts) and not query.parts & frame.parts)
        if query.exercises:
            own = {term for term in frame.terms if v.terms[term].kind == "exercise"}
            if own & set(query.exercises):
                found["exercise"] = 1.0
            elif any(v.refines(p, q) for p in own for q in query.exercises):
                found["exercise_variant"] = 1.0
            else:
                found["exercise_other"] = 1.0
        asks_number = query.shape == "number"
        found["value"] = float(asks_number and any(quantity.kind == "value" for quantity in frame.quantities))
        found["reported"] = float(frame.is_reported)
        found["evidence"] = EVIDENCE_RANK[self._index.sources[claim.source_id].evidence] / 5
        found["length"] = len(claim.text) / 100
        if query.shape in ("definition", "overview") and frame.attribute in _DEFINING:
            other = any(v.terms[t].kind in ("condition", "exercise") and t not in query.terms for t in frame.terms)
            found["definition"] = float(not other)
        return found

    def _attribute_features(self, query: Query, claim: Claim) -> dict[str, float]:
        """A hit on a rare attribute (origin) says more than one on a common one (activation)."""
        own = claim.frame.attributes
        heading = self._vocabulary.heading_attribute(claim.heading)
        total = max(2, len(self._table))

        def rarity(attribute: str) -> float:
            return math.log(total / max(1, len(self._of_attribute(attribute)))) / 3

        return {
            "attribute": float(any(name in own[:3] for name in query.attributes[:2])),
            "attribute_other": float(not any(name in own for name in query.attributes)),
            "attribute_rarity": rarity(own[0]) if query.attributes[0] == own[0] else 0.0,
            "heading_rarity": rarity(heading) if heading is not None and heading in query.attributes[:2] else 0.0,
        }

    def _by_finding(self, scored: list[ScoredClaim]) -> tuple[Evidence, ...]:
        findings: dict[str, Finding] = {}
        groups: dict[str, list[ScoredClaim]] = {}
        for item in scored:
            finding = self._index.finding_of_claim[item.claim.claim_id]
            findings[finding.finding_id] = finding
            groups.setdefault(finding.finding_id, []).append(item)
        return tuple(Evidence(findings[name], tuple(items)) for name, items in groups.items())


_QUESTION_WORDS = frozenset(
    [
        "what",
        "which",
        "how",
        "why",
        "when",
        "where",
        "who",
        "whose",
        "whom",
        "tell",
        "give",
        "explain",
        "describe",
        "list",
        "name",
        "mean",
        "define",
        "best",
        "good",
        "bad",
        "know",
        "happen",
        "work",
        "use",
        "many",
        "much",
        "often",
        "long",
        "does",
        "thing",
        "way",
        "kind",
        "type",
        "someone",
        "people",
        "person",
        "anyone",
        "everybody",
        "please",
        "want",
        "need",
        "difference",
        "between",
        "compare",
        "better",
        "main",
        "exactly",
        "actually",
        "really",
    ]
)
