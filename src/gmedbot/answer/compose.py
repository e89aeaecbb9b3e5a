"""Evidence → answer: what to say first, what to leave out, and in which shape.

Every statement is a sentence of the corpus. The composer selects, orders and joins; it never writes a fact. The shape
follows the question: a verdict for yes/no, steps for how-to, values by source for a number, a table for a
comparison, bullets for a list, one sentence and its neighbours for a fact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.cite import Citations
from gmedbot.answer.conflicts import conflict_card, reason_between
from gmedbot.answer.contrast import contrast_table, paired_rows
from gmedbot.answer.evidence import Evidence
from gmedbot.answer.ranking import answer_models
from gmedbot.answer.verdict import first_word
from gmedbot.claims.vocabulary import Vocabulary, normal_words
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.understand import Query
from gmedbot.types import ChartPoint, Citation, Claim, Conflict, Finding, FindingStatus, Side, Statement, Table

__all__ = ["CORRECTION", "Composer", "Dispute", "Draft", "Found"]

Vector = NDArray[np.float32]
Said = TypeVar("Said", Statement, Side)


class Found(NamedTuple):
    """A question, encoded, and what was found for it, best first. ``is_direct``: something says just what was asked."""

    query: Query
    vector: Vector
    evidence: Sequence[Evidence]
    is_direct: bool = True


#: Words of the statements shown before details unfold (issue: about 150).
_WORD_BUDGET = 150
_SHAPE_LIMIT = {"fact": 5, "definition": 4, "yes-no": 5, "why": 6, "number": 7, "comparison": 8, "list": 8, "how-to": 8, "overview": 8}  # fmt: skip
#: A finding is shown if its log-odds are at most this much below the best one's; fitted on the dev questions.
_SHAPE_MARGIN = {"fact": 1.8, "definition": 1.8, "yes-no": 1.8, "why": 2.1, "number": 2.1, "comparison": 2.1, "list": 2.5, "how-to": 2.5, "overview": 3.4}  # fmt: skip
#: Findings this near to the best are as good an answer: the one that most sources support leads.
_TIE = 0.4
#: A disagreement is shown if it bears on the question with this probability (docs/decisions/0012).
_APT = 0.7
#: And opens a yes/no answer, or brings a finding that stands on one card onto another, with this one. Of 15 such openings
#: that strict readers judged, the seven wrong ones lay below 0.87, and seven of the eight right ones above 0.92.
_APT_TO_OPEN = 0.9
#: What stands for the nearness of learners' questions where a corpus has none for a statement: about the mean of those judged.
_UNASKED = 0.65
_MAX_CARDS = 2
_TABLE_MARGIN = 6.0  #: log-odds below the best statement within which a source's comparison is shown
_TABLE_ROWS = 4
_NEARLY_SHOWN = 12  #: findings whose disputes are looked at, shown or not
#: Log-odds below the best finding from which a better supported side no longer leads. On dev 18 answers began with the
#: better side of a disagreement; the four that so lost a fitting first sentence lay 3.1 or more below, the others but one less.
_LEADING = 3.0
#: Kinds of question that are answered by what explains; that somebody found otherwise is told on the card.
_EXPLAINING = frozenset({"why", "how-to", "definition", "overview"})
#: Opens an answer that does not say what was asked, and how much such an answer says.
_NEAR = "My sources do not say exactly this. Nearest to it:"
_NEAR_LIMIT = 3
#: Opens an answer to a question that takes something for granted which the sources deny.
CORRECTION = "First, a correction:"


@dataclass
class Draft:
    """An answer's parts before they are rendered."""

    statements: list[Statement] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    citations: tuple[Citation, ...] = ()
    chart: tuple[ChartPoint, ...] = ()
    table: Table | None = None
    verdict: str = ""
    findings: tuple[str, ...] = ()


class Dispute(NamedTuple):
    """A finding to be shown, findings that dispute it for one reason, and how likely this bears on the question."""

    item: Evidence
    rivals: tuple[Finding, ...]
    seen: tuple[float, ...]  #: ``CARD_FEATURES``, and ``DISPUTE_FEATURES`` where there are questions on it
    aptness: float


class Composer:
    """Composes answers over one index. Thread-safe."""

    def __init__(self, index: BuiltIndex, vocabulary: Vocabulary) -> None:
        self._index = index
        self._vocabulary = vocabulary
        self._findings = index.finding_of
        self._models = answer_models()

    def compose_all(
        self,
        asked: Sequence[Found],
        is_short: bool = False,
        correction: Finding | None = None,
        is_plain: bool = False,
    ) -> Draft:
        """One draft for the questions of a message, each with its vector and its ranked evidence (not empty); they share its
        length.

        Args: correction: what sets right something that the message takes for granted; it opens the answer. is_plain:
            statements and the sides of cards are given in plain words, where the corpus has them.
        """
        citations = Citations(self._index)
        draft = self._compose_each(asked, is_short, citations)
        if correction is not None:
            text = self._claims(correction)[0].text
            numbers = citations.cite(self._claims(correction))
            opening = Statement(
                text,
                numbers,
                correction.status,
                "lead",
                len(correction.origins),
                correction.finding_id,
                "",
                CORRECTION,
            )
            kept = [item for item in draft.statements if item.asks or item.finding_id != correction.finding_id]
            if kept and not kept[0].asks and kept[0].role == "lead":
                kept[0] = replace(kept[0], role="step" if asked[0].query.shape == "how-to" else "point")
            draft.statements = [opening, *kept]
            draft.findings = (correction.finding_id, *draft.findings)
            draft.verdict = ""
        if is_plain:
            draft.statements = [self._in_plain(item) for item in draft.statements]
            draft.conflicts = [
                replace(card, sides=tuple(self._in_plain(side) for side in card.sides)) for card in draft.conflicts
            ]
        draft.citations = citations.all
        return draft

    def _in_plain(self, item: Said) -> Said:
        """A statement or a side in plain words, or as it is."""
        finding = self._findings.get(item.finding_id)
        claims = self._claims(finding) if finding is not None else []
        plain = next((claim.plain for claim in claims if claim.text == item.text and claim.plain), "")
        return replace(item, text=plain, original=item.text) if plain else item

    def _claims(self, finding: Finding) -> list[Claim]:
        return [self._index.claims[self._index.claim_row[name]] for name in finding.supporters]

    def _compose_each(self, asked: Sequence[Found], is_short: bool, citations: Citations) -> Draft:
        """The drafts of all questions in one. What leads one answer is no point of another, and two questions with the
        same lead share it under both their words, unless each has a verdict on it."""
        if len(asked) == 1:
            return self.compose(asked[0], is_short, citations)
        parts = [self.compose(found, is_short, citations, len(asked)) for found in asked]
        groups: list[tuple[Statement, list[Statement]]] = []
        for found, part in zip(asked, parts, strict=True):
            role = "step" if found.query.shape == "how-to" else "lead"
            lead = replace(part.statements[0], asks=found.query.text, verdict=part.verdict, role=role)
            for place, (first, rest) in enumerate(groups):
                verdict = _shared(first.verdict, lead.verdict)
                if first.finding_id == lead.finding_id and verdict is not None:
                    both = replace(first, asks=f"{first.asks} {lead.asks}", verdict=verdict)
                    groups[place] = (both, [*rest, *part.statements[1:]])
                    break
            else:
                groups.append((lead, part.statements[1:]))
        whole = Draft(findings=tuple(name for part in parts for name in part.findings))
        said = {lead.finding_id for lead, _ in groups}
        for lead, rest in groups:
            whole.statements.append(lead)
            for item in rest:
                if item.finding_id not in said:
                    said.add(item.finding_id)
                    whole.statements.append(item)
        cards = {card.explanation: card for part in reversed(parts) for card in reversed(part.conflicts)}
        whole.conflicts = list(cards.values())[::-1]
        whole.chart = next((part.chart for part in parts if part.chart), ())
        whole.table = next((part.table for part in parts if part.table is not None), None)
        return whole

    def compose(
        self,
        found: Found,
        is_short: bool = False,
        citations: Citations | None = None,
        share: int = 1,
    ) -> Draft:
        """Draft an answer from ranked evidence (not empty).

        Args: citations: those of the other questions of the message. share: how many questions share the length.
        """
        query, vector, evidence, is_direct = found
        chosen = self.choose(found, is_short, share)
        citations = Citations(self._index) if citations is None else citations
        most = max(1, _MAX_CARDS // share)
        draft = Draft(findings=tuple(item.finding.finding_id for item in chosen))
        shown: dict[str, None] = {}
        for place, item in enumerate(chosen):
            finding = item.finding
            shown[finding.finding_id] = None
            draft.statements.append(self._statement(item, citations, "lead" if place == 0 else _role(query, item)))
        carded: set[str] = set()
        is_disputed = False
        for dispute in self.disputes(query, chosen, evidence, vector):
            names = {dispute.item.finding.finding_id, *(rival.finding_id for rival in dispute.rivals)}
            if len(draft.conflicts) >= most or dispute.aptness < _APT:
                break
            most_shared = 1 if dispute.aptness >= _APT_TO_OPEN else 0
            if len(names & carded) > most_shared:
                continue
            item = dispute.item
            card = conflict_card(
                self._index, self._vocabulary, item.finding, dispute.rivals, citations, item.best.claim
            )
            if card is not None and card.explanation not in {other.explanation for other in draft.conflicts}:
                draft.conflicts.append(card)
                carded |= names
                is_disputed = is_disputed or dispute.aptness >= _APT_TO_OPEN
                if item is chosen[0] and len(draft.conflicts) == 1 and query.shape not in _EXPLAINING:
                    self._lead_with_better(draft, card, evidence)
        draft.chart = self._chart(query, evidence, citations)
        draft.table = self._table(query, evidence, citations)
        draft.verdict = self._verdict(query, chosen, is_disputed) if is_direct else _NEAR
        draft.citations = citations.all
        return draft

    def disputes(
        self, query: Query, chosen: Sequence[Evidence], evidence: Sequence[Evidence], vector: Vector
    ) -> list[Dispute]:
        """The disagreements of the findings to be shown, the likeliest to bear on the question first; and those of findings
        nearly shown, if people wrote down what is asked about them. ``vector``: the encoded question.

        Both sides must have been found for the question: a rival of something said in passing is another matter.
        """
        found: list[Dispute] = []
        nearness = lru_cache(lambda reason: self._index.disputes.nearness(reason, vector))
        places = {item.finding.finding_id: place for place, item in enumerate(evidence)}
        shown = {item.finding.finding_id for item in chosen}
        others = [item for item in evidence[:_NEARLY_SHOWN] if item.finding.finding_id not in shown]
        for item in (*chosen, *others):
            rivals = [self._findings[name] for name in item.finding.dissents if name in places]
            rivals = [rival for rival in rivals if self._is_about(query, rival)]
            rivals.sort(key=lambda rival: (places[rival.finding_id], rival.finding_id))
            groups: dict[str | None, list[Finding]] = {}
            for rival in rivals:
                groups.setdefault(self._reason(item.finding.finding_id, rival.finding_id), []).append(rival)
            for reason, group in groups.items():
                if reason is None:
                    continue
                place = places[group[0].finding_id]
                seen = self._seen(item, evidence[place], place, chosen[0])
                near = nearness(reason)
                if near is not None:
                    seen = (*seen, *near)
                    found.append(Dispute(item, tuple(group), seen, self._models.disputes.probability(seen)))
                elif item.finding.finding_id in shown:
                    found.append(Dispute(item, tuple(group), seen, self._models.cards.probability(seen)))
        return sorted(found, key=lambda dispute: (-dispute.aptness, dispute.item.finding.finding_id))

    @lru_cache(maxsize=65_536)  # noqa: B019 - one composer lives as long as its index
    def _reason(self, finding: str, rival: str) -> str | None:
        return reason_between(self._index, self._findings[finding], self._findings[rival])

    def _seen(self, item: Evidence, rival: Evidence, place: int, lead: Evidence) -> tuple[float, ...]:
        """``CARD_FEATURES`` of a finding and the nearest of its rivals, found at ``place``."""
        return (
            item.score - lead.score,
            rival.score - lead.score,
            math.log1p(place),
            item.best.asked or _UNASKED,
            rival.best.asked or _UNASKED,
            rival.best.asked_coverage,
        )

    def _lead_with_better(self, draft: Draft, card: Conflict, evidence: Sequence[Evidence]) -> None:
        """Say the better supported side first, if it answers nearly as well as the other: an outlier that happens to match
        the question's words must not lead, and neither must a better study of something else than was asked."""
        place = card.better_supported
        if place is None or place == 0:
            return
        side = card.sides[place]
        scores = {item.finding.finding_id: item.score for item in evidence}
        if scores.get(side.finding_id, -math.inf) < evidence[0].score - _LEADING:
            return
        draft.statements[0] = Statement(side.text, side.citations, "disputed", "lead", side.origins, side.finding_id)
        draft.findings += (side.finding_id,)

    # --- choosing -----------------------------------------------------------------------------------------------

    def choose(self, found: Found, is_short: bool = False, share: int = 1) -> list[Evidence]:
        """The findings to show: near the best one, not repeating one another, within the word budget."""
        query, _, evidence, is_direct = found
        limit = 2 if is_short else -(-_SHAPE_LIMIT[query.shape] // share)
        limit = limit if is_direct else min(limit, _NEAR_LIMIT)
        floor = evidence[0].score - _SHAPE_MARGIN[query.shape]
        chosen: list[Evidence] = []
        words = 0
        for item in _lead_first(evidence):
            if len(chosen) >= limit or item.score < floor:
                break
            if any(self._repeats(item, other) for other in chosen):
                continue
            length = len(item.best.claim.text.split())
            if chosen and words + length > _WORD_BUDGET // share:
                continue
            words += length
            chosen.append(item)
        return chosen

    def beyond(self, asked: Sequence[Found], times: int, is_short: bool = False) -> list[Found]:
        """What comes after that which ``times`` answers showed of the questions of a message, and says something new; []
        if nothing does. No yes or no is said to it: that was said at first."""
        found = list(asked)
        for _ in range(times):
            rest = [(one, self._left(one, self.choose(one, is_short, len(asked)))) for one in found]
            found = [one._replace(query=replace(one.query, shape="fact"), evidence=left) for one, left in rest if left]
        return found

    def _left(self, found: Found, shown: Sequence[Evidence]) -> tuple[Evidence, ...]:
        return tuple(
            item for item in found.evidence if not any(item is one or self._repeats(item, one) for one in shown)
        )

    def _repeats(self, item: Evidence, other: Evidence) -> bool:
        """True if the reader learns nothing new: nearly the same words, or a side of a card already shown."""
        if item.finding.finding_id in other.finding.dissents:
            return True
        first, second = _words(item.best.claim.text), _words(other.best.claim.text)
        return len(first & second) / max(1, min(len(first), len(second))) > 0.85

    def _is_about(self, query: Query, finding: Finding) -> bool:
        """False if muscles were named and the finding speaks of others."""
        return self._speaks_of(query.subjects, finding)

    def _speaks_of(self, subjects: Collection[str], finding: Finding) -> bool:
        """Whether a finding names one of the muscles, a part or the whole of one, or none at all. True for no muscles."""
        about = frozenset().union(*(claim.frame.subjects for claim in self._claims(finding)))
        related = (self._vocabulary.refines(a, b) for p in about for q in subjects for a, b in ((p, q), (q, p)))
        return not about or not subjects or not about.isdisjoint(subjects) or any(related)

    def _statement(self, item: Evidence, citations: Citations, role: str) -> Statement:
        finding = item.finding
        best = item.best.claim
        rest = self._claims(finding)
        numbers = citations.cite([best, *(claim for claim in rest if claim.claim_id != best.claim_id)])
        status = self._status(finding, best)
        return Statement(best.text, numbers, status, role, len(finding.origins), finding.finding_id)

    def _status(self, finding: Finding, said: Claim) -> FindingStatus:
        """Whether what is said is disputed: a finding may name two muscles, and only what it says of the other be denied."""
        about = said.frame.subjects
        if finding.status != "disputed" or not about:
            return finding.status
        against = [self._findings[name] for name in finding.dissents if name in self._findings]
        if not against or any(self._speaks_of(about, rival) for rival in against):
            return "disputed"
        return "agreed" if len(finding.origins) > 1 else "single"

    # --- shapes -------------------------------------------------------------------------------------------------

    def _verdict(self, query: Query, chosen: Sequence[Evidence], is_disputed: bool) -> str:
        """The first words of a yes/no answer, read from what the best claims say to the question.
        ``is_disputed``: a disagreement is shown that surely bears on the question."""
        if query.shape != "yes-no" or _EITHER.search(query.text):
            return ""
        if is_disputed:
            return "Sources disagree."
        near = [item.best.claim for item in chosen if item.score >= chosen[0].score - _TIE]
        return first_word(query.text, near, self._index.verdict_reader)

    def _chart(self, query: Query, evidence: Sequence[Evidence], citations: Citations) -> tuple[ChartPoint, ...]:
        """Values of one exercise by study, when there are three or more of one unit."""
        if not query.exercises or query.shape not in ("number", "fact", "comparison", "yes-no", "list"):
            return ()
        wanted = set(query.exercises)
        subjects = query.subjects or {self._vocabulary.focus}
        points: dict[str, ChartPoint] = {}
        for item in evidence:
            for scored in item.claims:
                claim = scored.claim
                if claim.source_id in points or not wanted & set(_exercises(claim, self._vocabulary)[:1]):
                    continue
                if not subjects & (claim.frame.subjects or {self._vocabulary.focus}):
                    continue
                values = [q for q in claim.frame.quantities if q.kind == "value" and q.unit == "%MVIC"]
                if len(values) == 1 and values[0].low == values[0].high and not values[0].comparator:
                    (number,) = citations.cite([claim])
                    label = self._index.sources[claim.source_id].label
                    points[claim.source_id] = ChartPoint(label, values[0].low, values[0].unit, values[0].sd, number)
        if len(points) < 3:
            return ()
        return tuple(sorted(points.values(), key=lambda point: (-point.value, point.label)))

    def _table(self, query: Query, evidence: Sequence[Evidence], citations: Citations) -> Table | None:
        """A comparison of two or three named things: by attribute if everything is asked, else by source."""
        things = query.exercises if len(query.exercises) > 1 else tuple(sorted(query.subjects))
        if query.shape != "comparison" or not 2 <= len(things) <= 3:
            return None
        if not set(query.attributes) - _GENERAL:
            table = contrast_table(things, self._index, self._vocabulary, citations)
            if table is not None:
                return table
        floor = evidence[0].score - _TABLE_MARGIN
        near = [scored.claim for item in evidence for scored in item.claims if scored.score >= floor]
        pairs = paired_rows(things, near, self._vocabulary)[:_TABLE_ROWS]
        if not pairs:
            return None
        rows = (tuple((claim.text, citations.cite([claim])) for claim in pair) for pair in pairs)
        return Table(tuple(self._vocabulary.terms[thing].name for thing in things), tuple(rows))


#: Attributes that "what is the difference" is read as; they narrow nothing.
_GENERAL = frozenset({"comparison", "definition", "relations", "differential", "name"})


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return frozenset(word for word, _, _ in normal_words(text))


def _shared(first: str, second: str) -> str | None:
    """The verdict on two questions with one lead, None if each has its own. What answers one directly is no near miss."""
    told = {first, second} - ({_NEAR} if first != second else set())
    return max(told) if len(told) == 1 or "" in told else None


def _lead_first(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence with the best supported of the best findings in front."""
    best = evidence[0].score
    tied = [item for item in evidence if item.score >= best - _TIE]
    lead = max(tied, key=lambda item: (len(item.finding.origins), item.score))
    return [lead, *(item for item in evidence if item is not lead)]


def _exercises(claim: Claim, vocabulary: Vocabulary) -> list[str]:
    return [term for term in claim.frame.terms if vocabulary.terms[term].kind == "exercise"]


def _role(query: Query, item: Evidence) -> str:
    if query.shape == "how-to":
        return "step"
    if item.best.claim.frame.advice < 0:
        return "caution"
    return "point"


#: "Above or below?" is answered by neither yes nor no.
_EITHER = re.compile(r"\bor\b(?! (?:not|no|so)\b)", re.IGNORECASE)
