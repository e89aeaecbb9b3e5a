"""The composition root: one open index, and everything that answers a question over it.

``Bot.open(settings).ask(question, history)`` is the whole product in one call; the page, the command line and the API
are views of its ``Answer``. Nothing is loaded on import. An opened bot only reads, so it may be shared by threads.
"""

from __future__ import annotations

import gc
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain, islice, takewhile, zip_longest

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.cite import Citations
from gmedbot.answer.compose import Composer, Found
from gmedbot.answer.conflicts import conflict_card
from gmedbot.answer.evidence import Evidence, EvidenceFinder
from gmedbot.answer.exercises import exercise_cards
from gmedbot.answer.premise import PremiseCheck
from gmedbot.answer.ranking import answer_models
from gmedbot.answer.recall import Recall
from gmedbot.answer.replies import Replies
from gmedbot.answer.suggest import Suggester
from gmedbot.answer.told import Told
from gmedbot.conversation.alarm import RedFlagScreen
from gmedbot.conversation.followup import Standalone, wish_of
from gmedbot.conversation.premise import premise_of
from gmedbot.conversation.reading import MessageReader
from gmedbot.conversation.scope import Verdict, decide
from gmedbot.conversation.smalltalk import small_talk
from gmedbot.encoder import whole_text
from gmedbot.errors import GmedbotError
from gmedbot.index.protocol import Index
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.retrieval.ahead import QueryVectors
from gmedbot.retrieval.hybrid import Hits, HybridRetriever
from gmedbot.retrieval.rerank import reranking_of
from gmedbot.retrieval.understand import Query, Speller
from gmedbot.settings import Settings
from gmedbot.types import (
    Answer,
    AskOptions,
    Claim,
    Conflict,
    ExerciseCard,
    Finding,
    Passage,
    Relation,
    Safety,
    ScoredPassage,
    Source,
)

__all__ = ["Bot"]

Asked = list[tuple[Query, Standalone]]  #: the questions of one message

_log = logging.getLogger(__name__)

_CHECK_AGAIN = 30.0  #: seconds until a build that was refused is checked again
_DEPTH = 25  #: passages whose claims are read for an answer
_STUDY_EVIDENCE = frozenset({"study", "trial", "synthesis"})
_OVERVIEW = 3  #: things to say of a muscle that make an overview, whatever the gate thinks of so short a question


class Bot:
    """Answers questions over one published index."""

    def __init__(self, index: BuiltIndex, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._refused = ("", 0, 0)  #: the build that could not be taken up, when it was published, when it was checked
        self._set(index)

    @classmethod
    def open(cls, settings: Settings, is_warm: bool = True) -> Bot:
        """Open the published index.

        Args: is_warm: answer one question unheard, so that the first learner does not wait; a single ``ask`` does not.
        Raises: IndexMissingError, IndexDamagedError, IndexMismatchError, EncoderError; each says what to run.
        """
        index = BuiltIndex(Store(settings.index))
        index.check_settings(settings.fingerprint(), settings.encoder)
        bot = cls(index, settings)
        if is_warm:
            bot.warm()
        return bot

    def _set(self, index: BuiltIndex) -> None:
        self._index = index
        self.vocabulary = index.vocabulary
        self.speller = Speller(index.lexicon, self.vocabulary, lambda: index.english)
        known, second = self._settings, reranking_of(self._settings, index)
        self.retriever = HybridRetriever.over(
            self._searchable(index), index.encoder, known.dense_weight, known.candidates, second
        )
        self._finder = EvidenceFinder(index, self.vocabulary)
        self._composer = Composer(index, self.vocabulary)
        self._reader = MessageReader(
            self.vocabulary, self.speller, lambda: index.english, self._settings.max_question_chars
        )
        self._join = answer_models().join_model(index.manifest.encoder.model)
        self._recall = Recall(self._reader, self.retriever, self._finder)
        self._screen = RedFlagScreen(index.safety, index.manifest.encoder.model, mend=self._reader.mended)
        self._premises = PremiseCheck(index, self.vocabulary)
        self._suggester = Suggester(index, self.vocabulary, self.speller, lambda text: self.verdict(text).is_answerable)
        self._replies = Replies(index, self.vocabulary, self._suggester)

    def _searchable(self, index: BuiltIndex) -> Index:
        """Where passages are searched: in the files of the build, or in the database that it was copied to."""
        if self._settings.backend == "embedded":
            return index.index
        from gmedbot.index.postgres import PostgresIndex

        return PostgresIndex(self._settings.database_url or "", index.id)

    def warm(self) -> None:
        """Answer a question unheard: whatever is loaded or compiled at first use is ready after it, and stays: the garbage
        collector need not walk through it while a learner waits (25 to 70 ms at a time)."""
        for question in self.suggestions()[:1]:
            self.ask(question)
        gc.unfreeze()  # a build that was taken up before this one may go
        gc.collect()
        gc.freeze()

    @property
    def index_id(self) -> str:
        return self._index.id

    def reload_if_changed(self) -> bool:
        """Switch to a newly published build; keep the old one if the new one cannot be opened. True if switched.

        A build that was refused is checked again when it is published anew, or half a minute later: checking reads all
        of it, and a running app looks every two seconds.
        """
        store, refusal = Store(self._settings.index), ("", 0, 0)
        try:
            current = store.current_id()
            if current == self._index.id:
                return False
            refusal = (current, store.published_at(), int(time.monotonic() // _CHECK_AGAIN))
            if refusal == self._refused:
                return False
            index = BuiltIndex(store, current)
            index.check_settings(self._settings.fingerprint(), self._settings.encoder)
            store.verify_files(current)
            fresh = Bot(index, self._settings)
            fresh.warm()
        except GmedbotError as error:
            if refusal[:2] != self._refused[:2]:
                _log.warning("the new build was not taken up, the old one goes on answering: %s", error)
            self._refused = refusal
            return False
        with self._lock:
            # one assignment, so that no thread sees half of each, and nothing remembered of the old build stays
            self.__dict__ = {**fresh.__dict__, "_lock": self._lock}
        return True

    # --- asking -------------------------------------------------------------------------------------------------

    def understand(self, question: str, history: Sequence[str] = ()) -> tuple[Query, Standalone]:
        """The standalone query behind a question in its conversation."""
        return self._reader.understand(question, history)

    def retrieve(self, question: str, k: int, history: Sequence[str] = ()) -> tuple[ScoredPassage, ...]:
        """The ``k`` best passages for a question, best first."""
        return self._held()._retrieve(whole_text(question), k, [*map(whole_text, history)])

    def _retrieve(self, question: str, k: int, history: Sequence[str]) -> tuple[ScoredPassage, ...]:
        rankings = [self._ranking(query, k, history) for query, _ in self._reader.read(question, history)]
        # several questions in one: the best passages of each in turn
        turns = (item for turn in zip_longest(*rankings) for item in turn if item is not None)
        scores: dict[int, float] = {}
        lowest = math.inf
        for row, score in turns:
            if row not in scores:
                lowest = scores[row] = min(lowest, score)
        return tuple(
            ScoredPassage(self._index.passages[row], score, rank, "evidence")
            for rank, (row, score) in enumerate(islice(scores.items(), k), start=1)
        )

    def _ranking(self, query: Query, k: int, history: Sequence[str] = ()) -> list[tuple[int, float]]:
        """(row, score) of at least ``k`` passages: those with claims that answer best, then the others that were found."""
        told = self._told(query, history)
        vectors = self._vectors(query, told=told)
        hits = self._search(query, max(k, _DEPTH), vectors[0])
        best: dict[int, float] = {}
        for item in self._finder.find(query, vectors, hits, told):
            for scored in item.claims:
                row = self._index.row_of[scored.claim.passage_id]
                best[row] = max(best.get(row, -math.inf), scored.score)
        ranked = sorted(best, key=lambda row: (-best[row], row))
        floor = min(best.values(), default=0.0)
        rest = [row for row in hits.rows.tolist() if row not in best]
        return [(row, best[row]) for row in ranked] + [(row, floor - 1 - n) for n, row in enumerate(rest)]

    def _told(self, query: Query, history: Sequence[str]) -> tuple[Told, ...]:
        """The answers that a follow-up may lean on, the latest first; empty for a question that stands alone."""
        return self._recall.of(history) if query.context else ()

    def _vectors(
        self, query: Query, known: QueryVectors | None = None, told: Sequence[Told] = ()
    ) -> NDArray[np.float32]:
        """The question as it was put and, if it has one, its conversation, and behind an answer what they are joined to,
        (1 to 3, dim). The words that the vocabulary adds are searched as words only: encoded, they found nothing more and
        cost a second run of the encoder."""
        known = QueryVectors(self.retriever.encoder) if known is None else known
        vectors = known.of([text for text in (query.text, query.context) if text])
        if not told or self._join is None:
            return vectors
        return np.vstack([vectors, self._join.join(self._parts(query, told, known))])

    def _parts(self, query: Query, told: Sequence[Told], known: QueryVectors | None = None) -> NDArray[np.float32]:
        """The ``joined.PARTS`` of a follow-up, (n_parts, dim)."""
        known = QueryVectors(self.retriever.encoder) if known is None else known
        written = known.of([query.context, query.typed, query.text])
        last, heads = told[0], np.asarray(self._index.claim_vectors[list(told[0].heads)])
        mean = np.asarray(last.shares, dtype=np.float32) @ heads
        return np.vstack([written, last.asked, heads[0], mean / np.linalg.norm(mean)])

    def _decide(self, query: Query, evidence: Sequence[Evidence], hits: Hits) -> Verdict:
        """The two gates of ``conversation.scope`` over what was found."""
        thresholds = self._index.manifest.thresholds
        passage = self._passage_score(evidence, hits)
        return decide(query, evidence, self.vocabulary, thresholds, self._finder.gaps(query, evidence), passage)

    def _passage_score(self, evidence: Sequence[Evidence], hits: Hits) -> float:
        """Fused score, 0 to 1, of the passage that holds the best claim; 0 if it was not among the hits."""
        if not evidence:
            return 0.0
        place = self._index.row_of.get(evidence[0].best.claim.passage_id)
        found = np.flatnonzero(hits.rows == place)
        return float(hits.scores[found[0]]) if len(found) else 0.0

    def _search(self, query: Query, k: int, vector: NDArray[np.float32] | None = None) -> Hits:
        return self.retriever.search(query.text, k, query.search_text, query_vector=vector)

    def ask(self, question: str, history: Sequence[str] = (), options: AskOptions | None = None) -> Answer:
        """Answer one question after the earlier questions ``history``. Never raises for what a person typed.

        The same question, history, options and index give the same answer, timings aside.
        """
        return self._held()._ask(whole_text(question), [*map(whole_text, history)], options or AskOptions())

    def _held(self) -> Bot:
        """This bot with the index it has now: one question is answered from one build, whatever is taken up meanwhile."""
        held = object.__new__(Bot)
        held.__dict__ = self.__dict__  # a switch gives ``self`` another dictionary and leaves this one
        return held

    def _ask(self, question: str, history: Sequence[str], options: AskOptions) -> Answer:
        """Answer over the index that is held."""
        started = time.perf_counter()
        timings: dict[str, float] = {}

        def mark(name: str) -> None:
            nonlocal started
            now = time.perf_counter()
            timings[name] = round(timings.get(name, 0.0) + (now - started) * 1000, 3)
            started = now

        known = QueryVectors(self.retriever.encoder)
        asked, safety = self._read(question, history, known)
        reply = small_talk(question, self._replies.focus) if safety is None else None
        if reply is not None:
            return self._replies.greet(question, reply)
        if not asked[0][0].text.strip():
            return self._replies.decline(question, asked[0][0], Verdict(False, "empty"), safety, timings)
        remark = _joined(self._reader.remark(question), self._remembered(history, safety, known))
        mark("understand")
        corrections = self._corrections(asked, known)
        found = [(query, *self._look(query, options, mark, known, history)) for query, _ in asked]
        if len(found) == 1 and not found[0][2].is_answerable and (pieces := self._reader.pieces(question, history)):
            each = [(query, *self._look(query, options, mark, known, history)) for query, _ in pieces]
            if any(verdict.is_answerable for *_, verdict in each):
                asked, found = pieces, each
        found = [(query, seen, self._if_corrected(query, seen, verdict, corrections)) for query, seen, verdict in found]
        answered: list[Found] = [
            Found(q, known.of([q.text])[0], seen, verdict.is_direct)
            for q, seen, verdict in found
            if verdict.is_answerable
        ]
        if not answered:
            mark("compose")
            query, evidence, verdict = found[0]
            return self._replies.decline(
                question, query, verdict, safety, timings, evidence, remark, options.wording == "plain"
            )
        missed = [query.text for query, _, verdict in found if not verdict.is_answerable]
        if missed:
            remark = _joined(remark, f"I could not find this in my sources: {' '.join(missed)}")
        command = asked[0][1].command
        is_short = options.length == "short" or command in ("shorter", "simpler")
        if command == "more":
            talk = (text for text in reversed(history) if small_talk(text, self._replies.focus) is None)
            times = 1 + sum(wish_of(text) == "more" for text in takewhile(wish_of, talk))
            left = self._composer.beyond(answered, times, is_short)
            answered = left or answered
            remark = remark if left else _joined(remark, "My sources say no more than this about it.")
        correction = self._correct(answered, corrections, options, mark, known)
        draft = self._composer.compose_all(answered, is_short, correction, options.wording == "plain")
        if command == "sources":
            labels = dict.fromkeys(self._index.sources[own.source_id].label for own in draft.citations)
            remark = _joined(remark, f"These sources stand behind the answer: {'; '.join(labels)}.")
        query, _, seen, _ = answered[0]
        queries = [*(own for own, _ in asked), *(own for own, *_ in answered)]
        said = [*history, *(text for own in queries for text in (own.question, own.text))]
        answer = self._replies.answer(question, query, draft, safety, timings, said, seen, remark)
        mark("compose")
        texts = (own.text if own.text.endswith(("?", ".", "!")) else f"{own.text}." for own, _ in asked)
        read_as = " ".join(texts) if len(asked) > 1 else query.text
        return replace(answer, timings_ms=timings, standalone_question=read_as)

    def _read(self, question: str, history: Sequence[str], known: QueryVectors) -> tuple[Asked, Safety | None]:
        """The questions of a message, and what worries in it; all that will be wanted of it is being encoded."""
        asked = self._reader.read(question[: self._settings.max_question_chars], history)
        # what was typed is wanted only beside an earlier answer
        texts = chain.from_iterable(
            (q.text, q.context, q.typed if history else "", self._premises.read_of(q)) for q, _ in asked
        )
        known.begin(self._screen.read_of(question), *texts)
        return asked, self._screen.screen(question, lambda text: known.of([text])[0])

    def _remembered(self, history: Sequence[str], safety: Safety | None, known: QueryVectors) -> str:
        """A reminder of what worried in an earlier message, "" if nothing did or this one worries itself."""
        worry = None if safety else self._screen.remembered(history, lambda text: known.of([text])[0])
        return f"What you wrote earlier still comes first: {worry.message}" if worry else ""

    def _corrections(self, asked: Asked, known: QueryVectors) -> dict[Query, Callable[[], Finding | None]]:
        """What sets right the premise of each question that has one, worked out while the question is looked up."""
        queries = [query for query, _ in asked if self._premises.read_of(query)]
        return {query: known.later(partial(self._premises.correction, query, known)) for query in queries}

    @staticmethod
    def _if_corrected(
        query: Query,
        seen: Sequence[Evidence],
        verdict: Verdict,
        corrections: Mapping[Query, Callable[[], Finding | None]],
    ) -> Verdict:
        """A question that claims what the sources deny is answered by the correction, even if by nothing else."""
        if verdict.is_answerable or not seen or query not in corrections or corrections[query]() is None:
            return verdict
        return replace(verdict, is_answerable=True, reason="answer")

    def _correct(
        self,
        answered: list[Found],
        corrections: Mapping[Query, Callable[[], Finding | None]],
        options: AskOptions,
        mark: Callable[[str], None],
        known: QueryVectors,
    ) -> Finding | None:
        """What sets right the first wrong premise of the questions, None if there is none. A question that asks something
        beside its premise is looked up again without it, in ``answered``, so that the premise does not decide the answer."""
        for place, (query, *_) in enumerate(answered):
            correction = corrections[query]() if query in corrections else self._premises.correction(query, known)
            if correction is None:
                continue
            premise, rest = premise_of(query.text)
            if rest:
                bare, _ = self._reader.beside(premise, rest)
                evidence, verdict = self._look(bare, options, mark, known)
                if verdict.is_answerable:
                    answered[place] = Found(bare, known.of([bare.text])[0], evidence, verdict.is_direct)
            return correction
        return None

    def verdict(self, question: str) -> Verdict:
        """What the gates say of a question that stands alone."""
        query, _ = self.understand(question)
        return self._look(query, AskOptions(), lambda name: None)[1]

    def _look(
        self,
        query: Query,
        options: AskOptions,
        mark: Callable[[str], None],
        known: QueryVectors | None = None,
        history: Sequence[str] = (),
    ) -> tuple[tuple[Evidence, ...], Verdict]:
        """What the sources say to one question, and whether that answers it. ``known``: the message's texts."""
        told = self._told(query, history)
        vectors = self._vectors(query, known, told)
        mark("encode")
        hits = self._search(query, _DEPTH, vectors[0])
        mark("retrieve")
        evidence = self._filtered(self._finder.find(query, vectors, hits, told), options)
        verdict = self._decide(query, evidence, hits)
        if query.shape == "overview":
            found = self._filtered(self._finder.overview(query), options)
            if found and (verdict.is_answerable or len(found) >= _OVERVIEW):
                evidence, verdict = found, replace(verdict, is_answerable=True, reason="answer", is_direct=True)
        mark("compose")
        return evidence, verdict

    def _filtered(self, evidence: Sequence[Evidence], options: AskOptions) -> tuple[Evidence, ...]:
        """Evidence within the chosen topics and kinds of source."""
        if not options.topics and options.evidence == "all":
            return tuple(evidence)
        kept: list[Evidence] = []
        for item in evidence:
            claims = tuple(scored for scored in item.claims if self._allowed(scored.claim, options))
            if claims:
                kept.append(replace(item, claims=claims))
        return tuple(sorted(kept, key=lambda item: -item.score))

    def _allowed(self, claim: Claim, options: AskOptions) -> bool:
        source = self._index.sources[claim.source_id]
        if options.topics and not set(options.topics) & set(source.topics):
            return False
        return options.evidence == "all" or source.evidence in _STUDY_EVIDENCE

    # --- reading the index --------------------------------------------------------------------------------------

    def passage(self, passage_id: str) -> Passage | None:
        row = self._index.row_of.get(passage_id)
        return None if row is None else self._index.passages[row]

    def source(self, source_id: str) -> Source | None:
        return self._index.sources.get(source_id)

    def sources(self) -> tuple[Source, ...]:
        return tuple(self._index.sources.values())

    def claims(self) -> tuple[Claim, ...]:
        return tuple(self._index.claims)

    def claim(self, claim_id: str) -> Claim | None:
        row = self._index.claim_row.get(claim_id)
        return None if row is None else self._index.claims[row]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._index.findings)

    def finding(self, finding_id: str) -> Finding | None:
        return self._index.finding_of.get(finding_id)

    def conflicts(self) -> tuple[Conflict, ...]:
        """Every disputed finding as a card, each disagreement once, best supported topics first."""
        return self._conflicts

    def relations(self) -> tuple[Relation, ...]:
        """Every pair of claims that agree or conflict, sorted by ids."""
        return tuple(self._index.relations.values())

    @cached_property
    def _conflicts(self) -> tuple[Conflict, ...]:
        cards: list[Conflict] = []
        done: set[str] = set()
        disputed = [finding for finding in self._index.findings if finding.dissents]
        for finding in sorted(disputed, key=lambda f: (-len(f.origins), f.finding_id)):
            rivals = [self._index.finding_of[other] for other in finding.dissents if other not in done]
            done.add(finding.finding_id)
            if rivals:
                card = conflict_card(self._index, self.vocabulary, finding, rivals, Citations(self._index))
                if card is not None:
                    cards.append(card)
        return tuple(cards)

    def attributes(self) -> tuple[str, ...]:
        """Attributes that two or more sources speak of, in the order of the vocabulary."""
        return tuple(name for name in self.vocabulary.attributes if name in self._suggester.asked_about)

    def suggestions(self) -> tuple[str, ...]:
        """Starter questions, each of which the index can answer."""
        return self._suggester.starters()

    def exercises(self) -> tuple[ExerciseCard, ...]:
        """Every exercise of the vocabulary that the sources speak of, with measured values, technique and cautions."""
        return self._exercises

    @cached_property
    def _exercises(self) -> tuple[ExerciseCard, ...]:
        return exercise_cards(self._index.claims, self.vocabulary)


def _joined(*remarks: str) -> str:
    return " ".join(filter(None, remarks))
