"""What is seen of the claims that may answer a query, column by column; ``answer.ranking`` weighs it.

Passages are found by the retriever; this stage looks inside them. A claim's score adds up what a careful reader looks
for: is it about the muscle, the part, the exercise that was asked; does it state the kind of thing that was asked;
does its wording meet the question's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.dense import similarities
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.hybrid import Hits
from gmedbot.retrieval.understand import Query
from gmedbot.types import EVIDENCE_RANK, Claim, Finding

__all__ = ["DEFINING", "FEATURES", "ClaimObserver", "Facts", "share_of"]

Vectors = NDArray[np.float32]
Table = NDArray[np.float64]
Column = NDArray[np.float64]
Value = TypeVar("Value")


class Facts(NamedTuple):
    """What is known of a claim before any question."""

    claim: Claim
    finding: Finding
    passage: int  #: row of the passage that holds it
    keys: frozenset[str]  #: its words and terms
    subjects: frozenset[str]  #: muscles; the corpus' own where none is named
    exercises: frozenset[str]
    particulars: frozenset[str]  #: conditions and exercises, which a definition does not speak of
    heading: str | None  #: attribute of the heading that it stands under
    has_value: bool
    constant: tuple[float, ...]  #: the features that no question changes, in the order of ``_CONSTANT``


#: What is seen of a claim in the light of a question, in the order of the table's columns.
FEATURES: tuple[str, ...] = (
    "cosine", "coverage", "passage", "passage_cosine", "attribute", "attribute_other", "attribute_rarity", "heading_rarity",
    "subject_other", "subject_named", "part", "part_other", "exercise", "exercise_variant", "exercise_other", "value", "reported",
    "evidence", "length", "definition", "consensus", "context_cosine", "context_coverage", "shift_cosine", "shift_coverage",
    "follow_up", "shift", "question_length", "asks_number", "asks_yes_no", "asks_list",
    "asked", "asked_coverage", "unasked", "context_asked", "shift_asked",
)  # fmt: skip
_PLACE: Mapping[str, int] = {name: place for place, name in enumerate(FEATURES)}
_CONSTANT = ("subject_named", "reported", "evidence", "length", "consensus", "unasked")
#: Attributes that say what a thing is.
DEFINING = frozenset({"definition", "surface-anatomy", "shape", "function-general"})
#: Claims taken by their own vector beside those of the passages found; indexes of more claims do without.
_NEAREST_CLAIMS = 40
_SCAN_LIMIT = 50_000
#: Claims of one attribute that are taken at most: in a corpus of thousands of documents those nearest to the question.
_OF_ATTRIBUTE = 1_000


class ClaimObserver:
    """Looks at the claims of one index in the light of a query. Thread-safe: it only reads."""

    def __init__(self, index: BuiltIndex, vocabulary: Vocabulary) -> None:
        self._index = index
        self._vocabulary = vocabulary
        self._table = index.claim_table
        total = max(1, len(self._table))
        self._rarity = {key: math.log(1 + total / count) for key, count in self._table.key_counts.items()}
        self._unseen = math.log(1 + total)

    @lru_cache(maxsize=65_536)  # noqa: B019 - one observer lives as long as its index
    def facts(self, row: int) -> Facts:
        """What no question changes; worked out when a claim is first met."""
        claim, terms = self._index.claims[row], self._vocabulary.terms
        frame, keys, asked_keys = claim.frame, self._table.keys(row), self._index.questions.keys(row)
        finding = self._index.finding_of_claim[claim.claim_id]
        constant = {
            "subject_named": float(bool(frame.subjects)),
            "reported": float(frame.is_reported),
            "evidence": EVIDENCE_RANK[self._index.sources[claim.source_id].evidence] / 5,
            "length": len(claim.text) / 100,
            "consensus": math.log(len(finding.origins)),
            "unasked": float(not asked_keys),
        }
        return Facts(
            claim=claim,
            finding=finding,
            passage=self._index.row_of[claim.passage_id],
            keys=keys,
            subjects=frame.subjects or frozenset({self._vocabulary.focus}),
            exercises=frozenset(term for term in frame.terms if terms[term].kind == "exercise"),
            particulars=frozenset(term for term in frame.terms if terms[term].kind in ("condition", "exercise")),
            heading=self._vocabulary.heading_attribute(claim.heading),
            has_value=any(quantity.kind == "value" for quantity in frame.quantities),
            constant=tuple(constant[name] for name in _CONSTANT),
        )

    @lru_cache(maxsize=1024)  # noqa: B019
    def _attribute_rarity(self, attribute: str) -> float:
        """A hit on a rare attribute (origin) says more than one on a common one (activation)."""
        return math.log(max(2, len(self._table)) / max(1, len(self.of_attribute(attribute)))) / 3

    @lru_cache(maxsize=1024)  # noqa: B019
    def of_attribute(self, attribute: str) -> tuple[int, ...]:
        """Rows of the claims whose first attribute this is, ascending."""
        return self._table.of_attribute(attribute)

    def rarity(self, key: str) -> float:
        """How much a word or term says, in nats; one that no claim holds says most."""
        return self._rarity.get(key, self._unseen)

    def is_known(self, key: str) -> bool:
        """Whether any claim holds a word or term."""
        return key in self._rarity

    @property
    def greatest_rarity(self) -> float:
        """The rarity of what no claim holds."""
        return self._unseen

    def query_keys(self, query: Query) -> frozenset[str]:
        """The same kind of keys for a query as for a claim (``text_keys``)."""
        return self.text_keys(query.text)

    @lru_cache(maxsize=256)  # noqa: B019 - an answer asks for the keys of its question more than once
    def text_keys(self, text: str) -> frozenset[str]:
        """The words and terms of what somebody asked; question words are left out."""
        from gmedbot.claims.extract import read_words

        terms, words = read_words(text, self._vocabulary)
        return frozenset(terms) | {word for word in words if word not in _QUESTION_WORDS}

    def weights(self, keys: frozenset[str]) -> dict[str, float]:
        """The words and terms that are wanted, each with its share of their rarity; they add up to 1."""
        rarities = {key: self.rarity(key) for key in sorted(keys)}
        total = sum(rarities.values())
        return {key: rarity / total for key, rarity in rarities.items()} if total else {}

    def observe(self, query: Query, vectors: Vectors, hits: Hits) -> tuple[list[int], Table]:
        """Rows of the claims that may answer, and their ``FEATURES``, (n_rows, n_features); what does not apply is zero.

        ``vectors``: the encoded question, and its conversation if it has one.
        """
        near = [self._index.questions.nearness(vector) for vector in vectors]
        is_scanned = len(self._table) <= _SCAN_LIMIT
        every = [similarities(self._index.claim_vectors, vector) for vector in vectors] if is_scanned else []
        rows = self._candidates(query, hits, vectors, near, every)
        table = np.zeros((len(rows), len(FEATURES)))
        if not rows:
            return rows, table
        if every:
            cosines = [own[rows] for own in every]
        else:
            matrix = np.asarray(self._index.claim_vectors[rows])
            cosines = [matrix @ vector for vector in vectors]
        facts = [self.facts(row) for row in rows]
        table[:, [_PLACE[name] for name in _CONSTANT]] = [own.constant for own in facts]
        for name, column in self._columns(query, cosines, hits, rows, near, facts):
            table[:, _PLACE[name]] = column
        return rows, table

    def _columns(
        self,
        query: Query,
        cosines: Sequence[Vectors],
        hits: Hits,
        rows: list[int],
        near: Sequence[Vectors],
        facts: Sequence[Facts],
    ) -> list[tuple[str, Any]]:
        """Columns by name: a value for each row, or one for all. ``cosines``: of the rows with each vector of the query."""
        turn = "shift" if query.turn == "topic-shift" else "context"
        keys = self.query_keys(query)
        weights = self.weights(keys)
        scores = zip(hits.scores.tolist(), hits.dense.tolist(), strict=True)
        found = dict(zip(hits.rows.tolist(), scores, strict=True))
        places = [found.get(own.passage, (0.0, 0.0)) for own in facts]
        columns: list[tuple[str, Any]] = [
            ("follow_up", float(bool(query.context) and turn == "context")),
            ("shift", float(bool(query.context) and turn == "shift")),
            ("question_length", len(query.text.split()) / 10),
            ("asks_number", float(query.shape == "number")),
            ("asks_yes_no", float(query.shape == "yes-no")),
            ("asks_list", float(query.shape in ("list", "overview", "comparison"))),
            ("passage", [score for score, _ in places]),
            ("passage_cosine", [dense for _, dense in places]),
            ("cosine", cosines[0]),
            ("asked", near[0][rows]),
            *zip(("coverage", "asked_coverage"), self.coverage(weights, rows), strict=True),
            *self._fit(query, facts),
        ]
        if query.context and len(cosines) > 1:
            columns += [(f"{turn}_cosine", cosines[1]), (f"{turn}_asked", near[1][rows])]
        behind = self.weights(self.text_keys(query.context) - keys) if query.context else {}
        if behind:
            columns.append((f"{turn}_coverage", self.coverage(behind, rows)[0]))
        return columns

    def coverage(self, weights: Mapping[str, float], rows: Sequence[int]) -> tuple[Column, Column]:
        """``share_of`` for the claims of some rows, without and with the questions that they answer."""
        own, asked = np.zeros(len(self._table)), np.zeros(len(self._table))
        for key, weight in weights.items():
            held, by_questions = self._rows_of(key)
            own[held] += weight
            asked[held] += weight
            asked[by_questions] += weight
        return own[rows], asked[rows]

    @lru_cache(maxsize=16_384)  # noqa: B019
    def _rows_of(self, key: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of the claims that hold a key, and of the others with a question that does."""
        held = self._table.rows_of.of(key)
        return held, np.setdiff1d(self._index.questions.rows_of.of(key), held)

    def _candidates(
        self, query: Query, hits: Hits, vectors: Vectors, near: Sequence[Vectors], cosines: Sequence[Vectors]
    ) -> list[int]:
        """Rows that may answer. ``near``, ``cosines``: of all claims, for each vector; a large index has no ``cosines``."""
        rows: dict[int, None] = {}
        of_passage = self._table.by_passage
        for row in hits.rows.tolist():
            rows.update(dict.fromkeys(of_passage[row]))
        wanted = sorted(set(query.terms) - query.subjects)
        for attribute in query.attributes[:2]:
            of_attribute = self.of_attribute(attribute)
            if wanted and of_attribute:
                named = set(chain.from_iterable(self._rows_of(term)[0].tolist() for term in wanted))
                of_attribute = tuple(row for row in of_attribute if row in named)
            rows.update(dict.fromkeys(self._nearest(of_attribute, vectors[0])))
        for nearness in near:
            nearest = _greatest(nearness)
            rows.update(dict.fromkeys(nearest[nearness[nearest] > 0].tolist()))
        for own in cosines:
            rows.update(dict.fromkeys(_greatest(own).tolist()))
        return list(rows)

    def _nearest(self, rows: tuple[int, ...], vector: Vectors) -> tuple[int, ...]:
        if len(rows) <= _OF_ATTRIBUTE:
            return rows
        places = _greatest(np.asarray(self._index.claim_vectors[list(rows)]) @ vector, _OF_ATTRIBUTE)
        return tuple(rows[place] for place in places.tolist())

    def _fit(self, query: Query, facts: Sequence[Facts]) -> list[tuple[str, list[float]]]:
        """How the subject, part, exercise, attribute and value of the claims meet those of the query."""
        columns: list[tuple[str, list[float]]] = []
        if query.attributes:
            columns += self._attribute_fit(query, facts)
        focus = frozenset({self._vocabulary.focus})
        wanted = query.subjects or focus
        met = _each(lambda own: not wanted.isdisjoint(own), [own.subjects for own in facts])
        if not all(met):
            related = _each(lambda own: self._are_related(wanted, own), [own.subjects for own in facts])
            place = _CONSTANT.index("subject_named")
            columns += [
                ("subject_named", [own.constant[place] * fits for own, fits in zip(facts, met, strict=True)]),
                ("subject_other", [float(not (a or b)) for a, b in zip(met, related, strict=True)]),
            ]
        if query.parts:
            parts = [own.claim.frame.parts for own in facts]
            has = _each(lambda own: not query.parts.isdisjoint(own), parts)
            columns += [
                ("part", [float(fits) for fits in has]),
                ("part_other", [float(bool(own) and not fits) for own, fits in zip(parts, has, strict=True)]),
            ]
        if query.exercises:
            kinds = _each(lambda own: self._exercise_fit(query, own), [own.exercises for own in facts])
            for name in ("exercise", "exercise_variant", "exercise_other"):
                columns.append((name, [float(kind == name) for kind in kinds]))
        if query.shape == "number":
            columns.append(("value", [float(own.has_value) for own in facts]))
        if query.shape in ("definition", "overview"):
            terms = set(query.terms)
            columns.append(
                (
                    "definition",
                    [float(own.claim.frame.attribute in DEFINING and own.particulars <= terms) for own in facts],
                )
            )
        return columns

    def _attribute_fit(self, query: Query, facts: Sequence[Facts]) -> list[tuple[str, list[float]]]:
        first, leading = query.attributes[0], set(query.attributes[:2])
        every = set(query.attributes)

        def fit(own: tuple[str, ...]) -> tuple[float, float, float]:
            if not own:
                return 0.0, 0.0, 0.0
            rarity = self._attribute_rarity(first) if own[0] == first else 0.0
            return float(not leading.isdisjoint(own[:3])), float(every.isdisjoint(own)), rarity

        fits = _each(fit, [own.claim.frame.attributes for own in facts])
        heading = [
            self._attribute_rarity(own.heading) if own.heading in leading and own.claim.frame.attributes else 0.0
            for own in facts
        ]
        names = ("attribute", "attribute_other", "attribute_rarity")
        return [
            *zip(names, (list(column) for column in zip(*fits, strict=True)), strict=True),
            ("heading_rarity", heading),
        ]

    def _are_related(self, subjects: frozenset[str] | set[str], own: frozenset[str]) -> bool:
        return any(self._vocabulary.refines(p, q) for p in subjects for q in own)

    def _exercise_fit(self, query: Query, own: frozenset[str]) -> str:
        if not own.isdisjoint(query.exercises):
            return "exercise"
        if any(self._vocabulary.refines(p, q) for p in own for q in query.exercises):
            return "exercise_variant"
        return "exercise_other"


def share_of(weights: Mapping[str, float], own: frozenset[str]) -> float:
    """The share of what is wanted that a claim holds."""
    return sum([weight for key, weight in weights.items() if key in own])


def _each(say: Callable[[Any], Value], values: Sequence[Any]) -> list[Value]:
    """``say`` of every value, asked once for each that occurs: a few hundred claims have a dozen subjects."""
    said = {value: say(value) for value in set(values)}
    return [said[value] for value in values]


def _greatest(scores: Vectors, most: int = _NEAREST_CLAIMS) -> NDArray[np.int64]:
    """Places of the ``most`` greatest scores, greatest first, equal ones by place."""
    n = len(scores)
    if n <= most:
        return np.argsort(-scores, kind="stable")
    # everything not below the last wanted one, so that equal scores are cut by place and not by chance
    least = np.partition(scores, n - most)[n - most]
    places = np.flatnonzero(scores >= least)
    best: NDArray[np.int64] = places[np.argsort(-scores[places], kind="stable")[:most]]
    return best


_QUESTION_WORDS = frozenset([
    "what", "which", "how", "why", "when", "where", "who", "whose", "whom", "tell", "give", "explain", "describe",
    "list", "name", "mean", "define", "best", "good", "bad", "know", "happen", "work", "use", "many", "much",
    "often", "long", "does", "thing", "way", "kind", "type", "someone", "people", "person", "anyone", "everybody",
    "please", "want", "need", "difference", "between", "compare", "better", "main", "exactly", "actually", "really",
])  # fmt: skip
