"""The composition root: one open index, and everything that answers a question over it.

``Bot.open(settings).ask(question, history)`` is the whole product in one call; the page, the command line and the API
are views of its ``Answer``. Nothing is loaded on import. An opened bot only reads, so it may be shared by threads.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gmedbot.answer.cite import Citations
from gmedbot.answer.compose import Composer, Draft
from gmedbot.answer.conflicts import conflict_card
from gmedbot.answer.evidence import Evidence, EvidenceFinder
from gmedbot.answer.exercises import exercise_cards
from gmedbot.answer.render import EDUCATION_NOTICE, render_answer
from gmedbot.claims.vocabulary import normal_words
from gmedbot.conversation.followup import Standalone, rewrite
from gmedbot.conversation.language import other_language
from gmedbot.conversation.scope import Verdict, decide
from gmedbot.conversation.smalltalk import small_talk
from gmedbot.errors import GmedbotError
from gmedbot.index.protocol import Index
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.retrieval.hybrid import Hits, HybridRetriever
from gmedbot.retrieval.understand import Query, Speller, understand
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
    Statement,
)

__all__ = ["Bot"]

_DEPTH = 40  #: passages whose claims are read for an answer
_HEALTH_TOPICS = frozenset({"injury", "diagnosis", "treatment", "prevention", "surgery", "injection", "exercises"})
_STUDY_EVIDENCE = frozenset({"study", "trial", "synthesis"})
_DECLINE = "I could not find that in my sources, so I will not guess."


class Bot:
    """Answers questions over one published index."""

    def __init__(self, index: BuiltIndex, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
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
        self.retriever = HybridRetriever.over(
            self._searchable(index), index.encoder, self._settings.dense_weight, self._settings.candidates
        )
        self._finder = EvidenceFinder(index, self.vocabulary)
        self._composer = Composer(index, self.vocabulary)

    def _searchable(self, index: BuiltIndex) -> Index:
        """Where passages are searched: in the files of the build, or in the database that it was copied to."""
        if self._settings.backend == "embedded":
            return index.index
        from gmedbot.index.postgres import PostgresIndex

        return PostgresIndex(self._settings.database_url or "", index.id)

    def warm(self) -> None:
        """Answer a question unheard: whatever is loaded or compiled at first use is ready after it."""
        for question in self.suggestions()[:1]:
            self.ask(question)

    @property
    def index_id(self) -> str:
        return self._index.id

    def reload_if_changed(self) -> bool:
        """Switch to a newly published build; keep the old one if the new one cannot be opened. True if switched."""
        try:
            current = Store(self._settings.index).current_id()
            if current == self._index.id:
                return False
            index = BuiltIndex(Store(self._settings.index), current)
            index.check_settings(self._settings.fingerprint(), self._settings.encoder)
            Store(self._settings.index).verify_files(current)
            fresh = Bot(index, self._settings)
            fresh.warm()
        except GmedbotError:
            return False
        with self._lock:
            # one assignment, so that no thread sees half of each, and nothing remembered of the old build stays
            self.__dict__ = {**fresh.__dict__, "_lock": self._lock}
        return True

    # --- asking -------------------------------------------------------------------------------------------------

    def understand(self, question: str, history: Sequence[str] = ()) -> tuple[Query, Standalone]:
        """The standalone query behind a question in its conversation."""
        longest = self._settings.max_question_chars
        said = [text[:longest] for text in (*history, question)]
        if other_language(said[-1], self._speller_knows):  # its words are no typing errors
            return understand(said[-1], self.vocabulary), Standalone(said[-1])
        mended = [understand(text, self.vocabulary, self.speller).text for text in said]
        standalone = rewrite(mended[-1], mended[:-1], self.vocabulary)
        query = understand(standalone.text, self.vocabulary, self.speller)
        return replace(query, context=standalone.context, turn=standalone.kind), standalone

    def retrieve(self, question: str, k: int, history: Sequence[str] = ()) -> tuple[ScoredPassage, ...]:
        """The ``k`` best passages for a question, best first."""
        return self._held()._retrieve(question, k, history)

    def _retrieve(self, question: str, k: int, history: Sequence[str]) -> tuple[ScoredPassage, ...]:
        query, _ = self.understand(question, history)
        vectors, passage_vector = self._vectors(query)
        hits = self._search(query, max(k, _DEPTH), passage_vector)
        best: dict[int, float] = {}
        for item in self._finder.find(query, vectors, hits):
            for scored in item.claims:
                row = self._index.row_of[scored.claim.passage_id]
                best[row] = max(best.get(row, -math.inf), scored.score)
        ranked = sorted(best, key=lambda row: (-best[row], row))
        rest = [row for row in hits.rows.tolist() if row not in best]
        floor = min(best.values(), default=0.0)
        scores = {**best, **{row: floor - 1 - place for place, row in enumerate(rest)}}
        return tuple(
            ScoredPassage(self._index.passages[row], scores[row], rank, "evidence")
            for rank, row in enumerate([*ranked, *rest][:k], start=1)
        )

    def _vectors(self, query: Query) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For claims: the question as it was put and, if it has one, its conversation, (1 or 2, dim); for passages:
        the question with the field's names, (dim,)."""
        texts = list(dict.fromkeys(text for text in (query.text, query.context, query.search_text) if text))
        vectors = dict(zip(texts, self.retriever.encoder.encode(texts), strict=True))
        for_claims = [vectors[text] for text in (query.text, query.context) if text]
        return np.asarray(for_claims), vectors[query.search_text]

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
        return self.retriever.search(query.search_text, k, query_vector=vector)

    def ask(self, question: str, history: Sequence[str] = (), options: AskOptions | None = None) -> Answer:
        """Answer one question after the earlier questions ``history``. Never raises for what a person typed.

        The same question, history, options and index give the same answer, timings aside.
        """
        return self._held()._ask(question, history, options or AskOptions())

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
            timings[name] = round((now - started) * 1000, 3)
            started = now

        safety = self._index.safety.screen(question) if self._index.safety else None
        reply = small_talk(question, self._focus_name) if safety is None else None
        if reply is not None:
            return self._greet(question, reply)
        query, standalone = self.understand(question[: self._settings.max_question_chars], history)
        if not query.text.strip():
            return self._decline(question, query, Verdict(False, "empty"), safety, timings)
        remark = self._remark(question)
        mark("understand")
        vectors, passage_vector = self._vectors(query)
        mark("encode")
        hits = self._search(query, _DEPTH, passage_vector)
        mark("retrieve")
        evidence = self._filtered(self._finder.find(query, vectors, hits), options)
        verdict = self._decide(query, evidence, hits)
        if not verdict.is_answerable:
            mark("compose")
            return self._decline(question, query, verdict, safety, timings, evidence, remark)
        if query.shape == "overview":
            evidence = self._filtered(self._finder.overview(query), options) or evidence
        is_short = options.length == "short" or standalone.command in ("shorter", "simpler")
        draft = self._composer.compose(query, evidence, is_short)
        answer = self._answer(question, query, draft, safety, timings, history, evidence, remark)
        mark("compose")
        return replace(answer, timings_ms=timings)

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

    def _answer(
        self,
        question: str,
        query: Query,
        draft: Draft,
        safety: Safety | None,
        timings: Mapping[str, float],
        history: Sequence[str],
        evidence: Sequence[Evidence],
        remark: str,
    ) -> Answer:
        topics = {topic for c in draft.citations for topic in self._index.sources[c.source_id].topics}
        notice = EDUCATION_NOTICE if topics & _HEALTH_TOPICS else ""
        text = render_answer(
            draft.statements, draft.conflicts, query.shape, draft.verdict, safety, draft.table, remark, notice
        )
        return Answer(
            question=question,
            standalone_question=query.text,
            status="safety" if safety is not None and safety.urgency != "routine" else "answered",
            answer=text,
            statements=tuple(draft.statements),
            citations=draft.citations,
            conflicts=tuple(draft.conflicts),
            safety=safety,
            suggestions=self._next_questions(query, draft.findings, evidence, history),
            index=self.index_id,
            timings_ms=timings,
            shape=query.shape,
            notice=notice,
            chart=draft.chart,
            table=draft.table,
            glossary=self._glossary(draft.statements),
            verdict=draft.verdict,
            remark=remark,
        )

    def _decline(
        self,
        question: str,
        query: Query,
        verdict: Verdict,
        safety: Safety | None,
        timings: Mapping[str, float],
        evidence: Sequence[Evidence] = (),
        remark: str = "",
    ) -> Answer:
        """Say that the sources do not answer this, what is near, and what can be asked."""
        suggestions = self._next_questions(query, (), evidence, ()) if verdict.reason == "not-covered" else ()
        suggestions = tuple(dict.fromkeys((*suggestions, *self.suggestions())))[:3]
        out_of_scope = f"{_DECLINE} I only answer about the {self._focus_name} and what surrounds it."
        lead = {"empty": "Please type a question.", "out-of-scope": out_of_scope}.get(verdict.reason, _DECLINE)
        lines = [f"**{safety.message}**"] if safety is not None else []
        lines += [remark] if remark else []
        if safety is None or safety.urgency == "routine":
            lines.append(lead)  # nobody with an emergency needs to read what was not found
        if suggestions:
            lines.append("You could ask:\n" + "\n".join(f"- {text}" for text in suggestions))
        return Answer(
            question=question,
            standalone_question=query.text,
            status="safety" if safety is not None else "declined",
            answer="\n\n".join(lines),
            safety=safety,
            suggestions=suggestions,
            index=self.index_id,
            timings_ms=dict(timings),
            shape="decline",
            remark=remark,
        )

    @property
    def _focus_name(self) -> str:
        """What the corpus is about, by its name."""
        focus = self.vocabulary.terms.get(self.vocabulary.focus)
        return focus.name if focus else "topic of my sources"

    def _remark(self, question: str) -> str:
        """A word to somebody who writes in another language."""
        language = other_language(question, self._speller_knows)
        return (
            f"I answer in English, from English sources. I took your question to be in {language}." if language else ""
        )

    def _speller_knows(self, word: str) -> bool:
        levelled = [own for own, _, _ in normal_words(word)]
        return any(self.speller.knows(own) or own in self._index.english for own in levelled)

    def _greet(self, question: str, reply: str) -> Answer:
        """Answer a greeting or a question about the program, with questions to begin with."""
        suggestions = self.suggestions()[:3]
        text = "\n\n".join([reply, "You could ask:\n" + "\n".join(f"- {item}" for item in suggestions)])
        return Answer(
            question=question,
            standalone_question=question,
            status="declined",
            answer=text if suggestions else reply,
            suggestions=suggestions,
            index=self.index_id,
            shape="greeting",
        )

    def _next_questions(
        self, query: Query, used: Sequence[str], evidence: Sequence[Evidence], history: Sequence[str]
    ) -> tuple[str, ...]:
        """Three questions near this one that the index can answer and that were not asked."""
        asked = {text.casefold().strip(" ?") for text in (*history, query.question, query.text)}
        subject = self._subject_name(query)
        found: dict[str, None] = {}
        for item in evidence[:40]:
            attribute = self.vocabulary.attributes.get(item.finding.attribute)
            if attribute is None or not attribute.question or item.finding.finding_id in used:
                continue
            if (
                attribute.id in query.attributes[:1]
                or (attribute.id, self._subject_id(query)) not in self._index.claim_table.themes
            ):
                continue
            text = attribute.question.replace("{subject}", subject)
            if text.casefold().strip(" ?") not in asked and attribute.id in self._asked_about:
                found[text] = None
        for text in self.suggestions():
            if text.casefold().strip(" ?") not in asked:
                found[text] = None
        return tuple(found)[:3]

    def _subject_id(self, query: Query) -> str:
        """What the question is about: its exercise, else its condition, else its muscle, else the corpus' own."""
        for kind in ("exercise", "condition", "muscle"):
            for term in query.terms:
                if self.vocabulary.terms[term].kind == kind:
                    return term
        return self.vocabulary.focus

    def _subject_name(self, query: Query) -> str:
        term = self.vocabulary.terms.get(self._subject_id(query))
        if term is None:
            return "it"
        return f"the {term.name}" if term.kind == "muscle" else term.name

    @cached_property
    def _asked_about(self) -> Mapping[str, int]:
        """Attributes with findings of two or more sources: questions about them have an answer."""
        counts = self._index.claim_table.sources_of_attribute
        return {name: sources for name, sources in counts.items() if sources >= 2}

    def _glossary(self, statements: Sequence[Statement]) -> tuple[tuple[str, str], ...]:
        """Terms of the answer that learners may not know, with their plain meaning, in order of use."""
        found: dict[str, str] = {}
        for statement in statements:
            for match in self.vocabulary.find(statement.text):
                if match.term.gloss and match.term.id != self.vocabulary.focus:
                    found.setdefault(match.term.name, match.term.gloss)
        return tuple(found.items())[:6]

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
        return tuple(name for name in self.vocabulary.attributes if name in self._asked_about)

    def suggestions(self) -> tuple[str, ...]:
        """Starter questions, each of which the index can answer."""
        focus = self.vocabulary.terms.get(self.vocabulary.focus)
        subject = f"the {focus.name}" if focus else "it"
        wanted = sorted(self._asked_about, key=lambda name: (-self._asked_about[name], name))
        wanted = [name for name in wanted if (name, self.vocabulary.focus) in self._index.claim_table.themes]
        questions = [self.vocabulary.attributes[name].question for name in wanted if name in self.vocabulary.attributes]
        return tuple(dict.fromkeys(q.replace("{subject}", subject) for q in questions if q))[:8]

    def exercises(self) -> tuple[ExerciseCard, ...]:
        """Every exercise of the vocabulary that the sources speak of, with measured values, technique and cautions."""
        return self._exercises

    @cached_property
    def _exercises(self) -> tuple[ExerciseCard, ...]:
        return exercise_cards(self._index.claims, self.vocabulary)
