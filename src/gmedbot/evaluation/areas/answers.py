"""Answers: do they hold what a good answer must, nothing beside it, and do their citations say what they say?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gmedbot.answer.compose import CORRECTION
from gmedbot.claims.quantities import numbers_in
from gmedbot.evaluation.baselines import AnswerBaselines
from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold, Question
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item
from gmedbot.evaluation.measures import grade_level
from gmedbot.evaluation.reply import Reply, Said, reply_of
from gmedbot.evaluation.support import Support
from gmedbot.types import Answer, Document

__all__ = ["citation_values", "content_values", "measure_answers", "opening_of", "verdict_values"]


def measure_answers(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """Ask every question; measure the product fully and the baselines on content."""
    bench.warm(question.question for question in gold.questions)
    support = Support(bench.index, bench.binding, gold.pairs)
    baselines = AnswerBaselines(bench)
    items: list[Item] = []
    questions = [question for question in gold.questions if bench.binding.grades(question.quotes)]
    for number, question in enumerate(questions, start=1):
        answer = bench.ask(question.question)
        reply = reply_of(answer)
        values: dict[str, Mapping[str, float | None]] = {
            PRODUCT: {
                **content_values(question, reply, support),
                **citation_values(reply, support, bench.documents),
                **verdict_values(question.verdict, opening_of(answer)),
            }
        }
        for name, make in baselines.systems.items():
            values[name] = content_values(question, make(question.question), support)
        items.append(_item(question, reply, values, answer.answer))
        tell(number, len(questions))
    return AreaResult("answers", tuple(items))


def _item(question: Question, reply: Reply, values: dict[str, Mapping[str, float | None]], shown: str) -> Item:
    return Item(
        id=question.id,
        split=question.split,
        topic=question.topic,
        values=values,
        facets={
            "style": question.style,
            "type": question.type,
            "disputed": "disputed" if question.is_disputed else "undisputed",
            "several": "several sources" if question.needs_several else "one source",
        },
        detail={
            "question": question.question,
            "answer": shown,
            "declined": reply.is_declined,
            "missing": [
                {"nugget": nugget.text, "vital": nugget.is_vital}
                for nugget in question.nuggets
                if not nugget.is_in(reply.meaning) or reply.is_declined
            ],
            "sides_missing": [side[0] for side in question.sides if not _shows(reply, side)],
            "cards": len(reply.cards),
        },
    )


def _share(hits: Iterable[bool]) -> float | None:
    found = list(hits)
    return sum(found) / len(found) if found else None


def content_values(question: Question, reply: Reply, support: Support) -> dict[str, float | None]:
    """What is in the answer. A declined answer holds no nugget: recall 0, precision not applicable."""
    text = "" if reply.is_declined else reply.meaning
    vital = [nugget.is_in(text) for nugget in question.nuggets if nugget.is_vital]
    every = [nugget.is_in(text) for nugget in question.nuggets]
    values: dict[str, float | None] = {
        "nugget recall (vital)": _share(vital),
        "nugget recall (all)": _share(every),
        "nugget precision": _share(_is_wanted(question, said, support, True) for said in reply.said),
        "nugget precision (strict)": _share(_is_wanted(question, said, support, False) for said in reply.said),
        "source recall": _source_recall(question, reply, support),
        "wrongly declined": float(reply.is_declined),
        "words": float(len(reply.text.split())) if not reply.is_declined else None,
        "reading grade": None if reply.is_declined else grade_level("\n".join(said.text for said in reply.said)),
    }
    values |= _dispute_values(question, reply, support)
    return values


def _is_wanted(question: Question, said: Said, support: Support, with_nuggets: bool) -> bool:
    """A statement is wanted if it, or a quote behind it, is gold or of the gold's finding; or if it holds a nugget."""
    quotes = {quote.text for quote in question.judged}
    if said.statement in quotes or any(citation.quote in quotes for citation in said.cited):
        return True
    if support.findings_of(said.statement) & support.findings_of_all(quotes):
        return True
    return with_nuggets and any(nugget.is_in(f"{said.text}\n{said.original}") for nugget in question.nuggets)


def _source_recall(question: Question, reply: Reply, support: Support) -> float | None:
    """Share of the sources of grade-2 quotes that the answer cites; applies where several are needed."""
    if not question.needs_several:
        return None
    wanted = {quote.source for quote in question.quotes if quote.grade == 2 and support.binding.passages(quote)}
    cited = {citation.source_id for said in reply.said for citation in said.cited}
    return _share(source in cited for source in sorted(wanted))


def opening_of(answer: Answer) -> str:
    """The word that an answer begins with; a correction of what the question claims says no."""
    if not answer.statements or answer.status == "declined":
        return ""
    verdict = answer.statements[0].verdict or answer.verdict
    return {
        "Yes.": "yes",
        "No.": "no",
        CORRECTION: "no",
        "It depends.": "depends",
        "Sources disagree.": "disagree",
    }.get(verdict, "")


def verdict_values(wanted: str, said: str) -> dict[str, float | None]:
    """Whether a yes/no question is answered with the right word first, and whether with a plain yes or no that is wrong."""
    if not wanted:
        return {"right verdict": None, "wrong yes or no": None}
    return {
        "right verdict": None if wanted == "none" else float(said == wanted),
        "wrong yes or no": float(said in ("yes", "no") and said != wanted),
    }


def _shows(reply: Reply, side: Sequence[str]) -> bool:
    return not reply.quotes().isdisjoint(side)


def _dispute_values(question: Question, reply: Reply, support: Support) -> dict[str, float | None]:
    """Both sides shown (anywhere; on one card), for a disputed question; cards beside the point, for another."""
    if not question.is_disputed:
        unlabelled = [card for card in reply.cards if not any(_opposes(card, sides) for sides in question.apt)]
        return {
            "both sides shown": None,
            "sides on one card": None,
            "cards per 100": None if reply.is_declined else 100.0 * len(reply.cards),
            "spurious cards per 100": None if reply.is_declined else 100.0 * len(unlabelled),
        }
    known = [side for side in question.sides if any(support.binding.claims(text) for text in side)]
    if len(known) < 2:
        return {"both sides shown": None, "sides on one card": None, "spurious cards per 100": None}
    shown = [_shows(reply, side) for side in known]
    return {
        "both sides shown": float(sum(shown) >= 2 and all(shown[:2])),
        "sides on one card": float(any(_opposes(card, known) for card in reply.cards)),
        "spurious cards per 100": None,
    }


def _opposes(card: Sequence[Said], sides: Sequence[Sequence[str]]) -> bool:
    """True if two different sides of the card hold quotes of two different gold sides."""
    held = [{number for number, side in enumerate(sides) if _holds(said, side)} for said in card]
    return any(
        first != second for i, one in enumerate(held) for other in held[i + 1 :] for first in one for second in other
    )


def _holds(said: Said, side: Sequence[str]) -> bool:
    return said.statement in side or any(citation.quote in side for citation in said.cited)


def citation_values(reply: Reply, support: Support, documents: Mapping[str, Document]) -> dict[str, float | None]:
    """Whether the citations hold. Not applicable to a declined answer, which has none."""
    if reply.is_declined:
        names = ("citation coverage", "quote fidelity", "number fidelity", "citation precision", "citation recall")
        return dict.fromkeys(names)
    said = reply.said
    pairs = [(one, citation) for one in said for citation in one.cited]
    return {
        "citation coverage": _share(bool(one.numbers) and len(one.cited) == len(one.numbers) for one in said),
        "quote fidelity": _share(
            _is_verbatim(c.source_id, c.start, c.end, c.quote, documents) for c in reply.all_citations
        ),
        "number fidelity": _share(_numbers_hold(one) for one in said),
        "citation precision": _share(support.supports(one.statement, citation) for one, citation in pairs),
        "citation recall": _share(
            source in {citation.source_id for citation in one.cited}
            for one in said
            for source in sorted(support.sources_behind(one))
        ),
    }


def _is_verbatim(source: str, start: int, end: int, quote: str, documents: Mapping[str, Document]) -> bool:
    document = documents.get(source)
    return document is not None and bool(quote) and document.text[start:end] == quote


def _numbers_hold(said: Said) -> bool:
    """Every number of the sentence stands in one and the same quote behind it."""
    wanted = set(numbers_in(said.text))
    return not wanted or any(wanted <= set(numbers_in(citation.quote)) for citation in said.cited)
