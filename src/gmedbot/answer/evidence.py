"""A query → the claims that answer it, scored (``answer.features``, ``answer.ranking``) and grouped by finding."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.company import LOOKED_AT, company_of
from gmedbot.answer.features import DEFINING, FEATURES, ClaimObserver, Facts, share_of
from gmedbot.answer.ranking import Rankings, answer_models
from gmedbot.answer.told import Told, told_of
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.hybrid import Hits
from gmedbot.retrieval.understand import Query
from gmedbot.types import EVIDENCE_RANK, Claim, Finding

__all__ = ["Evidence", "EvidenceFinder", "Gaps", "ScoredClaim"]

Vectors = NDArray[np.float32]


class ScoredClaim(NamedTuple):
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
    is_unheard: bool = False  #: single muscles are named, and none of the five leading claims speaks of one of them


#: Columns that a scored claim keeps, in the order of its fields.
_SHOWN = [FEATURES.index(name) for name in ("cosine", "coverage", "asked", "asked_coverage")]


#: How far behind the last of the claims that were looked at twice the others begin.
_UNSEEN = 1.0


class EvidenceFinder:
    """Scores claims of one index for a query. Thread-safe: it only reads."""

    def __init__(self, index: BuiltIndex, vocabulary: Vocabulary, models: Rankings | None = None) -> None:
        """``models``: of the first and the second look; the packaged ones by default."""
        self._models = answer_models().rankings if models is None else models
        self._index = index
        self._vocabulary = vocabulary
        self.observer = ClaimObserver(index, vocabulary)

    def find(self, query: Query, vectors: Vectors, hits: Hits, told: Sequence[Told] = ()) -> tuple[Evidence, ...]:
        """Findings that may answer, best first.

        Args: vectors: the encoded question, its conversation if it has one, and what both are joined to. told: the answers
        before a follow-up, the latest first; they are not looked at for a question that stands alone.
        """
        rows, table = self.observer.observe(query, vectors, hits)
        if not rows:
            return ()
        facts = [self.observer.facts(row) for row in rows]
        scores = np.round(self._scores(query, vectors, rows, table, facts, told), 6).tolist()
        seen = table[:, _SHOWN].tolist()
        ranked = sorted(zip(scores, facts, seen, strict=True), key=lambda item: (-item[0], item[1].claim.claim_id))
        findings: dict[str, Finding] = {}
        groups: dict[str, list[ScoredClaim]] = {}
        for score, own, values in ranked:
            name = own.finding.finding_id
            findings[name] = own.finding
            groups.setdefault(name, []).append(ScoredClaim(own.claim, score, *values))
        return tuple(Evidence(findings[name], tuple(items)) for name, items in groups.items())

    def remember(self, query: Query, asked: Vectors, evidence: Sequence[Evidence]) -> Told | None:
        """What was found for a message, as a follow-up leans on it; None if nothing was. ``asked``: its vector, (dim,)."""
        if not evidence:
            return None
        rows = [[self._index.claim_row[scored.claim.claim_id] for scored in item.claims] for item in evidence]
        return Told.of(asked, self.observer.query_keys(query), rows, [item.score for item in evidence])

    def told_of(self, query: Query, joined: Vectors, rows: Sequence[int], told: Sequence[Told]) -> NDArray[np.float64]:
        """``TOLD`` of the candidates of a follow-up with the vector ``joined``, (n, len(TOLD))."""
        return told_of(query.typed, joined, told, rows, self._index, self.observer)

    def _scores(
        self,
        query: Query,
        vectors: Vectors,
        rows: Sequence[int],
        table: NDArray[np.float64],
        facts: Sequence[Facts],
        told: Sequence[Told],
    ) -> NDArray[np.float64]:
        """A score for each row."""
        if not query.context:
            return self._twice(rows, table, facts)
        # a follow-up's leader may be of another matter than was meant: its company says nothing then (docs/decisions/0026)
        if not told:
            return self._models.first.score(table)
        return self._models.follow_up.score(np.hstack([table, self.told_of(query, vectors[-1], rows, told)]))

    def _twice(self, rows: Sequence[int], table: NDArray[np.float64], facts: Sequence[Facts]) -> NDArray[np.float64]:
        """Those that the first look ranks best are looked at again beside one another."""
        first = np.round(self._models.first.score(table), 6)
        places, again = self.look_again(rows, table, facts, first)
        second = self._models.second.score(again)
        scores: NDArray[np.float64] = first + (second.min() - first[places].min() - _UNSEEN)
        scores[places] = second
        return scores

    def look_again(
        self, rows: Sequence[int], table: NDArray[np.float64], facts: Sequence[Facts], first: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Places of the ``LOOKED_AT`` claims with the highest scores ``first``, best first, and what both looks see of them,
        (n, features of both)."""
        places = np.argsort(-first, kind="stable")[:LOOKED_AT]
        vectors = np.asarray(self._index.claim_vectors[[rows[place] for place in places.tolist()]])
        company = company_of([facts[place] for place in places.tolist()], first[places], vectors, table[places])
        return places, np.hstack([table[places], company])

    def overview(self, query: Query) -> tuple[Evidence, ...]:
        """One finding for each thing worth saying of a muscle, best supported first; empty for other subjects."""
        subject = next(iter(sorted(query.subjects)), self._vocabulary.focus)
        others = [t for t in query.terms if self._vocabulary.terms[t].kind in ("condition", "exercise", "treatment")]
        if len(query.subjects) > 1 or others or set(query.attributes) - DEFINING:
            return ()
        chosen: list[Evidence] = []
        wanted = sorted((a for a in self._vocabulary.attributes.values() if a.overview), key=lambda a: a.overview)
        for attribute in wanted:
            rows = [row for row in self.observer.of_attribute(attribute.id) if self._is_about(row, subject)]
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

    def _are_single(self, subjects: Set[str]) -> bool:
        """Whether muscles are named, and none of them is a group: what is said of one muscle may answer for its group."""
        return bool(subjects) and subjects.isdisjoint(self._groups)

    @cached_property
    def _groups(self) -> frozenset[str]:
        terms = self._vocabulary.terms
        parents = {parent for term in terms.values() for parent in term.parents}
        return frozenset(parents | {name for name, term in terms.items() if term.name.endswith("muscles")})

    def _names_one(self, subjects: Set[str], item: Evidence) -> bool:
        """Whether the best claim of a finding names one of the muscles, a part of it, or the group that it belongs to."""
        frame, vocabulary = item.best.claim.frame, self._vocabulary
        named = {*frame.terms, *(frame.subjects or {vocabulary.focus})}
        return any(
            not subjects.isdisjoint(vocabulary.wholes(name)) or any(name in vocabulary.wholes(one) for one in subjects)
            for name in named
        )

    def gaps(self, query: Query, evidence: Sequence[Evidence]) -> Gaps:
        """What of the question is met by no claim at all, and what by none of the three that lead."""
        look = self.observer
        keys = look.query_keys(query)
        missing = sum(not look.is_known(key) for key in keys)
        led = sorted((scored for item in evidence[:3] for scored in item.claims[:1]), key=lambda s: -s.score)
        held = (
            frozenset().union(*(look.facts(self._index.claim_row[s.claim.claim_id]).keys for s in led)) if led else keys
        )
        open_keys = keys - held
        rarest = max((look.rarity(key) for key in open_keys), default=0.0) / look.greatest_rarity
        is_unheard = self._are_single(query.subjects) and not any(
            self._names_one(query.subjects, item) for item in evidence[:5]
        )
        return Gaps(missing, missing / max(1, len(keys)), share_of(look.weights(keys), open_keys), rarest, is_unheard)
