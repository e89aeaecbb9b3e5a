"""A query → the claims that answer it, scored and grouped by finding.

Passages are found by the retriever; this stage looks inside them. A claim's score adds up what a careful reader looks
for: is it about the muscle, the part, the exercise that was asked; does it state the kind of thing that was asked;
does its wording meet the question's. The weights were fitted on the dev questions (docs/decisions/).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.ranking import RankingModel, answer_models
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.dense import similarities
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.hybrid import Hits
from gmedbot.retrieval.understand import Query
from gmedbot.types import EVIDENCE_RANK, Claim, Finding

__all__ = ["FEATURES", "Evidence", "EvidenceFinder", "Gaps", "ScoredClaim"]

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class ScoredClaim:
    """A claim and how well it answers; scores are log-odds against the query's other claims: only differences count."""

    claim: Claim
    score: float
    cosine: float
    coverage: float  #: share of the query's rarer words and terms that the claim holds
    asked: float = 0.0  #: cosine of the nearest question that learners ask and the claim answers
    asked_coverage: float = 0.0  #: ``coverage`` by the claim and its questions together


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


@dataclass(frozen=True)
class Gaps:
    """What of a question stays unanswered, as the answerability gate sees it."""

    unmet: int = 0  #: words and terms that no claim of the index holds
    unmet_share: float = 0.0
    uncovered: float = 0.0  #: share, weighted by rarity, that none of the three leading claims holds
    rarest: float = 0.0  #: rarity of the rarest of those, 0–1


class _Facts(NamedTuple):
    """What is known of a claim before any question."""

    claim: Claim
    finding: Finding
    keys: frozenset[str]  #: its words and terms
    all_keys: frozenset[str]  #: with those of the questions that it answers
    subjects: frozenset[str]  #: muscles; the corpus' own where none is named
    exercises: frozenset[str]
    particulars: frozenset[str]  #: conditions and exercises, which a definition does not speak of
    heading: str | None  #: attribute of the heading that it stands under
    attribute_rarity: float
    has_value: bool
    features: Mapping[str, float]


#: What is seen of a claim in the light of a question; ``answer.ranking`` weighs it.
FEATURES: tuple[str, ...] = (
    "cosine", "coverage", "passage", "passage_cosine", "attribute", "attribute_other", "attribute_rarity", "heading_rarity",
    "subject_other", "subject_named", "part", "part_other", "exercise", "exercise_variant", "exercise_other", "value", "reported",
    "evidence", "length", "definition", "consensus", "context_cosine", "context_coverage", "shift_cosine", "shift_coverage",
    "follow_up", "shift", "question_length", "asks_number", "asks_yes_no", "asks_list",
    "asked", "asked_coverage", "unasked", "context_asked", "shift_asked",
)  # fmt: skip
_NOTHING: Mapping[str, float] = dict.fromkeys(FEATURES, 0.0)
_NOTHING_MORE: Mapping[str, float] = {}
#: Claims taken by their own vector beside those of the passages found; indexes of more claims do without.
_NEAREST_CLAIMS = 40
_SCAN_LIMIT = 50_000
_DEFINING = frozenset({"definition", "surface-anatomy", "shape", "function-general"})


class EvidenceFinder:
    """Scores claims of one index for a query. Thread-safe: it only reads."""

    def __init__(self, index: BuiltIndex, vocabulary: Vocabulary, model: RankingModel | None = None) -> None:
        """``model``: weighs ``FEATURES``; the packaged one by default."""
        self._model = answer_models().ranking if model is None else model
        self._index = index
        self._vocabulary = vocabulary
        self._table = index.claim_table
        total = max(1, len(self._table))
        self._rarity = {key: math.log(1 + total / count) for key, count in self._table.key_counts.items()}
        self._unseen = math.log(1 + total)

    @lru_cache(maxsize=65_536)  # noqa: B019 - one finder lives as long as its index
    def _facts(self, row: int) -> _Facts:
        """What no question changes; worked out when a claim is first met."""
        claim, terms = self._index.claims[row], self._vocabulary.terms
        frame, keys, asked_keys = claim.frame, self._table.keys(row), self._index.questions.keys(row)
        finding = self._index.finding_of_claim[claim.claim_id]
        return _Facts(
            claim=claim,
            finding=finding,
            keys=keys,
            all_keys=keys | asked_keys,
            subjects=frame.subjects or frozenset({self._vocabulary.focus}),
            exercises=frozenset(term for term in frame.terms if terms[term].kind == "exercise"),
            particulars=frozenset(term for term in frame.terms if terms[term].kind in ("condition", "exercise")),
            heading=self._vocabulary.heading_attribute(claim.heading),
            attribute_rarity=self._attribute_rarity(frame.attributes[0]) if frame.attributes else 0.0,
            has_value=any(quantity.kind == "value" for quantity in frame.quantities),
            features={
                "subject_named": float(bool(frame.subjects)),
                "reported": float(frame.is_reported),
                "evidence": EVIDENCE_RANK[self._index.sources[claim.source_id].evidence] / 5,
                "length": len(claim.text) / 100,
                "consensus": math.log(len(finding.origins)),
                "unasked": float(not asked_keys),
            },
        )

    def _attribute_rarity(self, attribute: str) -> float:
        """A hit on a rare attribute (origin) says more than one on a common one (activation)."""
        return math.log(max(2, len(self._table)) / max(1, len(self._of_attribute(attribute)))) / 3

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

    def find(self, query: Query, vectors: Vectors, hits: Hits) -> tuple[Evidence, ...]:
        """Findings that may answer, best first. ``vectors``: the encoded question, and its conversation if it has one."""
        observed = self.observe(query, vectors, hits)
        if not observed:
            return ()
        pick = itemgetter(*self._model.names)
        scores = np.round(self._model.score(np.array([pick(found) for _, found in observed])), 6).tolist()
        scored = [
            (
                ScoredClaim(
                    self._index.claims[row],
                    score,
                    found["cosine"],
                    found["coverage"],
                    found["asked"],
                    found["asked_coverage"],
                ),
                self._facts(row).finding,
            )
            for (row, found), score in zip(observed, scores, strict=True)
        ]
        scored.sort(key=lambda item: (-item[0].score, item[0].claim.claim_id))
        return _by_finding(scored)

    def observe(self, query: Query, vectors: Vectors, hits: Hits) -> list[tuple[int, dict[str, float]]]:
        """Rows of the claims that may answer, with all ``FEATURES`` by name; what does not apply is zero."""
        near = [self._index.questions.nearness(vector) for vector in vectors]
        rows = self._candidates(query, hits, vectors, near)
        if not rows:
            return []
        passages = {
            self._index.passages[int(row)].passage_id: {"passage": score, "passage_cosine": dense}
            for row, score, dense in zip(hits.rows, hits.scores.tolist(), hits.dense.tolist(), strict=True)
        }
        matrix = np.asarray(self._index.claim_vectors[rows])
        keys = self.query_keys(query)
        behind = self._text_keys(query.context) - keys if query.context else frozenset()
        turn = "shift" if query.turn == "topic-shift" else "context"
        always = {
            **_NOTHING,
            "follow_up": float(bool(query.context) and turn == "context"),
            "shift": float(bool(query.context) and turn == "shift"),
            "question_length": len(query.text.split()) / 10,
            "asks_number": float(query.shape == "number"),
            "asks_yes_no": float(query.shape == "yes-no"),
            "asks_list": float(query.shape in ("list", "overview", "comparison")),
        }
        weights, weights_behind = self._weights(keys), self._weights(behind)
        columns = {"cosine": (matrix @ vectors[0]).tolist(), "asked": near[0][rows].tolist()}
        if query.context and len(vectors) > 1:
            columns[f"{turn}_cosine"] = (matrix @ vectors[1]).tolist()
            columns[f"{turn}_asked"] = near[1][rows].tolist()
        observed: list[tuple[int, dict[str, float]]] = []
        for place, row in enumerate(rows):
            facts = self._facts(row)
            found = {**always, **facts.features, **passages.get(facts.claim.passage_id, _NOTHING_MORE)}
            for name, column in columns.items():
                found[name] = column[place]
            found["coverage"] = _share(weights, facts.keys)
            found["asked_coverage"] = _share(weights, facts.all_keys)
            if weights_behind:
                found[f"{turn}_coverage"] = _share(weights_behind, facts.keys)
            self._fit(query, facts, found)
            observed.append((row, found))
        return observed

    def _weights(self, keys: frozenset[str]) -> dict[str, float]:
        """The words and terms that are wanted, each with its share of their rarity."""
        rarities = {key: self._rarity.get(key, self._unseen) for key in sorted(keys)}
        total = sum(rarities.values())
        return {key: rarity / total for key, rarity in rarities.items()} if total else {}

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

    def gaps(self, query: Query, evidence: Sequence[Evidence]) -> Gaps:
        """What of the question is met by no claim at all, and what by none of the three that lead."""
        keys = self.query_keys(query)
        missing = sum(key not in self._rarity for key in keys)
        led = sorted((scored for item in evidence[:3] for scored in item.claims[:1]), key=lambda s: -s.score)
        held = (
            frozenset().union(*(self._facts(self._index.claim_row[s.claim.claim_id]).keys for s in led))
            if led
            else keys
        )
        open_keys = keys - held
        rarest = max((self._rarity.get(key, self._unseen) for key in open_keys), default=0.0)
        return Gaps(missing, missing / max(1, len(keys)), _share(self._weights(keys), open_keys), rarest / self._unseen)

    def _candidates(self, query: Query, hits: Hits, vectors: Vectors, near: Sequence[Vectors]) -> list[int]:
        rows: dict[int, None] = {}
        for row in hits.rows.tolist():
            for claim_row in self._index.claims_of_passage.get(self._index.passages[row].passage_id, ()):
                rows[claim_row] = None
        wanted = set(query.terms) - query.subjects
        for attribute in query.attributes[:2]:
            for claim_row in self._of_attribute(attribute):
                if not wanted or wanted & self._facts(claim_row).keys:
                    rows[claim_row] = None
        for nearness in near:
            nearest = np.argsort(-nearness, kind="stable")[:_NEAREST_CLAIMS]
            rows.update(dict.fromkeys(nearest[nearness[nearest] > 0].tolist()))
        if len(self._table) <= _SCAN_LIMIT:
            for vector in vectors:
                cosines = similarities(self._index.claim_vectors, vector)
                for claim_row in np.argsort(-cosines, kind="stable")[:_NEAREST_CLAIMS].tolist():
                    rows[claim_row] = None
        return list(rows)

    def _fit(self, query: Query, facts: _Facts, found: dict[str, float]) -> None:
        """Add to ``found`` how the subject, part, exercise, attribute and value of a claim meet those of the query."""
        frame, v = facts.claim.frame, self._vocabulary
        if query.attributes and frame.attributes:
            own = frame.attributes
            found["attribute"] = float(any(name in own[:3] for name in query.attributes[:2]))
            found["attribute_other"] = float(not any(name in own for name in query.attributes))
            if query.attributes[0] == own[0]:
                found["attribute_rarity"] = facts.attribute_rarity
            if facts.heading is not None and facts.heading in query.attributes[:2]:
                found["heading_rarity"] = self._attribute_rarity(facts.heading)
        subjects = query.subjects or {v.focus}
        if not subjects & facts.subjects:
            found["subject_named"] = 0.0
            found["subject_other"] = float(not any(v.refines(p, q) for p in subjects for q in facts.subjects))
        if query.parts:
            found["part"] = float(bool(query.parts & frame.parts))
            found["part_other"] = float(bool(frame.parts) and not query.parts & frame.parts)
        if query.exercises:
            if not facts.exercises.isdisjoint(query.exercises):
                found["exercise"] = 1.0
            elif any(v.refines(p, q) for p in facts.exercises for q in query.exercises):
                found["exercise_variant"] = 1.0
            else:
                found["exercise_other"] = 1.0
        found["value"] = float(facts.has_value and query.shape == "number")
        if query.shape in ("definition", "overview") and frame.attribute in _DEFINING:
            found["definition"] = float(facts.particulars <= set(query.terms))


def _share(weights: Mapping[str, float], own: frozenset[str]) -> float:
    """The share of what is wanted that a claim holds."""
    return sum(weight for key, weight in weights.items() if key in own)


def _by_finding(scored: Sequence[tuple[ScoredClaim, Finding]]) -> tuple[Evidence, ...]:
    findings: dict[str, Finding] = {}
    groups: dict[str, list[ScoredClaim]] = {}
    for item, finding in scored:
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
