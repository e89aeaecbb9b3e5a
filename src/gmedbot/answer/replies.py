"""Answer, decline or greet: a draft or its absence → the ``Answer`` that is shown, with what can be asked next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gmedbot.answer.cite import Citations
from gmedbot.answer.compose import Draft
from gmedbot.answer.evidence import Evidence
from gmedbot.answer.glossary import Glossary
from gmedbot.answer.render import EDUCATION_NOTICE, inert, markers, render_answer
from gmedbot.answer.suggest import Suggester
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.conversation.scope import Verdict
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.understand import Query
from gmedbot.types import Answer, Safety

__all__ = ["Replies"]

_HEALTH_TOPICS = frozenset({"injury", "diagnosis", "treatment", "prevention", "surgery", "injection", "exercises"})
_DECLINE = "I could not find that in my sources, so I will not guess."
_NEAREST = "The nearest that they say:"
#: The cosine of the nearest statement, or of a question it answers, from which a decline names it.
_WORTH_NAMING = 0.45


class Replies:
    """Makes the replies over one index. Thread-safe: it only reads."""

    def __init__(self, index: BuiltIndex, vocabulary: Vocabulary, suggester: Suggester) -> None:
        self._index = index
        self._suggester = suggester
        self._glossary = Glossary(vocabulary)
        focus = vocabulary.terms.get(vocabulary.focus)
        #: What the corpus is about, by its name.
        self.focus = focus.name if focus else "topic of my sources"

    def answer(
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
        """The answer of a draft. ``history``: what was said before, so that none of it is suggested."""
        topics = {topic for c in draft.citations for topic in self._index.sources[c.source_id].topics}
        notice = EDUCATION_NOTICE if topics & _HEALTH_TOPICS else ""
        text = render_answer(draft.statements, draft.conflicts, draft.verdict, safety, draft.table, remark, notice)
        return Answer(
            question=question,
            standalone_question=query.text,
            status="safety" if safety is not None and safety.urgency != "routine" else "answered",
            answer=text,
            statements=tuple(draft.statements),
            citations=draft.citations,
            conflicts=tuple(draft.conflicts),
            safety=safety,
            suggestions=self._suggester.after(query, draft.findings, evidence, history),
            index=self._index.id,
            timings_ms=timings,
            shape=query.shape,
            notice=notice,
            chart=draft.chart,
            table=draft.table,
            glossary=self._glossary.of(draft.statements),
            verdict=draft.verdict,
            remark=remark,
        )

    def decline(
        self,
        question: str,
        query: Query,
        verdict: Verdict,
        safety: Safety | None,
        timings: Mapping[str, float],
        evidence: Sequence[Evidence] = (),
        remark: str = "",
        is_plain: bool = False,
    ) -> Answer:
        """Say that the sources do not answer this, what is near, and what can be asked. ``is_plain``: in plain words."""
        suggestions = self._suggester.after(query, (), evidence, ()) if verdict.reason == "not-covered" else ()
        suggestions = tuple(dict.fromkeys((*suggestions, *self._suggester.starters())))[:3]
        out_of_scope = f"{_DECLINE} I only answer about the {self.focus} and what surrounds it."
        lead = {"empty": "Please type a question.", "out-of-scope": out_of_scope}.get(verdict.reason, _DECLINE)
        lines = [f"**{safety.message}**"] if safety is not None else []
        lines += [remark] if remark else []
        citations = Citations(self._index)
        if safety is None or safety.urgency == "routine":  # nobody with an emergency needs to read what was not found
            lines.append(lead)
            best = evidence[0].best if evidence and verdict.reason == "not-covered" else None
            if best is not None and max(best.cosine, best.asked) >= _WORTH_NAMING:
                claim = best.claim
                said = inert(claim.plain if is_plain and claim.plain else claim.text)
                lines.append(f"{_NEAREST} {said} {markers(citations.cite([claim]))}")
        if suggestions:
            lines.append("You could ask:\n" + "\n".join(f"- {text}" for text in suggestions))
        return Answer(
            question=question,
            standalone_question=query.text,
            status="safety" if safety is not None else "declined",
            answer="\n\n".join(lines),
            citations=citations.all,
            safety=safety,
            suggestions=suggestions,
            index=self._index.id,
            timings_ms=dict(timings),
            shape="decline",
            remark=remark,
        )

    def greet(self, question: str, reply: str) -> Answer:
        """Answer a greeting or a question about the program, with questions to begin with."""
        suggestions = self._suggester.starters()[:3]
        text = "\n\n".join([reply, "You could ask:\n" + "\n".join(f"- {item}" for item in suggestions)])
        return Answer(
            question=question,
            standalone_question=question,
            status="declined",
            answer=text if suggestions else reply,
            suggestions=suggestions,
            index=self._index.id,
            shape="greeting",
        )
