"""An answer as blocks of HTML, in the order a reader needs them.

safety → remark → greeting or declined → lead → points, steps, cautions → conflicts → table → chart → figure → notice → words → next.
``answer_states`` gives the growing list of blocks that the page shows while it streams; the last is the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from urllib.parse import urlencode

from gmedbot.types import Answer, Citation, Source, Statement
from gmedbot.ui.text import t
from gmedbot.ui.views.cards import conflict_card, glossary_list, safety_card, suggestion_chips
from gmedbot.ui.views.chart import bar_charts
from gmedbot.ui.views.cite import chips, short_name
from gmedbot.ui.views.figure import answer_figure
from gmedbot.ui.views.html import Markup, el, icon, join
from gmedbot.ui.views.prose import inline, prose
from gmedbot.ui.views.table import comparison_table

__all__ = ["MAX_STATES", "answer_blocks", "answer_states"]

#: More states than this make the page redraw without showing anything sooner.
MAX_STATES = 14

FindSource = Callable[[str], Source | None]
#: How many independent origins dispute a finding, by its id.
CountAgainst = Callable[[str], int]
Named = Mapping[int, tuple[Citation, str]]


@dataclass(frozen=True)
class Section:
    """A block that may grow while it streams: its items, and how they are wrapped."""

    items: Sequence[Markup]
    wrap: Callable[[Sequence[Markup]], Markup]


def _nobody(finding_id: str) -> int:
    return 0


def answer_blocks(answer: Answer, source: FindSource, against: CountAgainst = _nobody) -> list[str]:
    """The whole answer. ``against``: how many independent origins dispute a finding; 0 if that is not known."""
    return [str(section.wrap(section.items)) for section in _sections(answer, source, against)]


def answer_states(answer: Answer, source: FindSource, against: CountAgainst = _nobody) -> Iterator[list[str]]:
    """Growing lists of blocks, one statement more each time, at most ``MAX_STATES`` of them."""
    sections = _sections(answer, source, against)
    states: list[list[str]] = []
    done: list[str] = []
    for section in sections:
        for shown in range(1, len(section.items) + 1):
            states.append([*done, str(section.wrap(section.items[:shown]))])
        done = [*done, str(section.wrap(section.items))]
    stride = -(-len(states) // MAX_STATES) or 1
    last = len(states) - 1
    yield from (state for at, state in enumerate(states) if at % stride == 0 or at == last)


def _sections(answer: Answer, source: FindSource, against: CountAgainst) -> list[Section]:
    named: Named = {c.n: (c, short_name(c, source(c.source_id))) for c in answer.citations}
    before = [_single(block) for block in _before(answer)]
    if answer.safety and answer.safety.urgency == "emergency" and answer.statements:
        calm = replace(answer, suggestions=())  # nobody who needs an ambulance is asked what to read next
        rest = _body(calm, named, source, against)
        return [*before, Section([section.wrap(section.items) for section in rest], _wrap_later)]
    return [*before, *_body(answer, named, source, against)]


def _wrap_later(items: Sequence[Markup]) -> Markup:
    """What can wait: folded away under an emergency, so that neither exercises nor disputes stand beside its advice."""
    summary = el("summary", icon("book"), t("safety.later"))
    note = el("p", t("safety.later.note"), class_="gm-fine")
    return el("details", summary, el("div", note, *items, class_="gm-blocks"), class_="gm-later")


def _body(answer: Answer, named: Named, source: FindSource, against: CountAgainst) -> list[Section]:
    out: list[Section] = []
    if answer.shape == "greeting":
        text = prose(_without_repeats(answer), lambda n: chips((n,), named))
        out.append(_single(el("div", text, class_="gm-greeting")))
    elif not answer.statements and (answer.status == "declined" or answer.shape == "decline"):
        if answer.status == "declined" or _without_repeats(answer).strip():  # an emergency leaves nothing to decline
            out.append(_single(_declined(answer, named)))
    elif not answer.statements and answer.answer and not answer.safety:
        out.append(_single(prose(answer.answer, lambda n: chips((n,), named))))
    out.extend(_statement_sections(answer, named, against))
    out.extend(_single(block) for block in _after(answer, named, source))
    return out


def _single(block: Markup) -> Section:
    return Section((block,), lambda items: items[0])


def _before(answer: Answer) -> Iterator[Markup]:
    """What stands above the answer: how the question was read, and the safety card, which leads."""
    read_as = answer.standalone_question.strip()
    if read_as and read_as.casefold().rstrip("?.! ") != answer.question.strip().casefold().rstrip("?.! "):
        yield el("p", el("span", t("turn.read_as"), ": "), read_as, class_="gm-readas")
    if answer.safety:
        yield safety_card(answer.safety)
    if answer.remark:
        yield el("p", answer.remark, class_="gm-remark")


def _declined(answer: Answer, named: Named) -> Markup:
    text = prose(_without_repeats(answer), lambda n: chips((n,), named))
    return el("div", el("h3", icon("none"), t("declined.title")), text, class_="gm-declined")


def _without_repeats(answer: Answer) -> str:
    """The text of an answer without the lines that stand elsewhere: the safety message, the remark, the suggestions."""
    elsewhere = {*answer.suggestions, answer.remark} - {""}
    if answer.safety:
        elsewhere.add(answer.safety.message)
    lines = [x for x in answer.answer.splitlines() if x.strip().removeprefix("- ").strip("*") not in elsewhere]
    while lines and (not lines[-1].strip() or lines[-1].rstrip().endswith(":")):
        lines.pop()
    return "\n".join(lines)


def _statement_sections(answer: Answer, named: Named, against: CountAgainst) -> Iterator[Section]:
    """Statements by role: leads as paragraphs, points and steps as lists, cautions in a box of their own."""
    shown = [s for s in answer.statements if s.role != "row" or answer.table is None]
    for (_, role), group in groupby(shown, key=_placing(answer)):
        statements = list(group)
        texts = [_statement(s, answer, named, against) for s in statements]
        if statements[0].asks:
            yield _single(el("h3", statements[0].asks, class_="gm-asked"))
        if role == "lead":
            verdict = statements[0].verdict or answer.verdict
            first = join((el("strong", verdict, class_="gm-verdict"), " ", texts[0])) if verdict else texts[0]
            leads = [el("p", x, class_="gm-lead") for x in (first, *texts[1:])]
            yield Section(leads, lambda items: join(items))
        elif role == "step":
            yield Section([el("li", x) for x in texts], _wrap_steps)
        elif role == "caution":
            yield Section([el("li", x) for x in texts], _wrap_cautions)
        elif len(texts) == 1 and len(shown) == 1:
            yield _single(el("p", texts[0], class_="gm-lead"))
        else:
            yield Section([el("li", x) for x in texts], lambda items: el("ul", *items, class_="gm-points"))


def _placing(answer: Answer) -> Callable[[Statement], tuple[int, str]]:
    """(number of the question, place) of statements seen in order."""
    part = 0

    def place(statement: Statement) -> tuple[int, str]:
        nonlocal part
        part += bool(statement.asks)
        return part, _place(statement, answer)

    return place


def _place(statement: Statement, answer: Answer) -> str:
    """Where a statement stands: the first of a how-to is its first step, a row without a table is a point."""
    if statement.role == "row":
        return "point"
    if statement.asks or statement.verdict:
        return statement.role
    return "step" if statement.role == "lead" and answer.shape == "how-to" else statement.role


def _wrap_steps(items: Sequence[Markup]) -> Markup:
    return el("div", el("h3", t("turn.steps")), el("ol", *items, class_="gm-steps"))


def _wrap_cautions(items: Sequence[Markup]) -> Markup:
    return el("div", el("h3", icon("alert"), t("turn.caution")), el("ul", *items), class_="gm-caution")


def _statement(statement: Statement, answer: Answer, named: Named, against: CountAgainst) -> Markup:
    """Text, chips, and the line that says who agrees or that somebody does not."""
    return join(
        (
            inline(statement.text),
            " ",
            chips(statement.citations, named),
            " ",
            _status(statement, answer, against),
        )
    )


def _status(statement: Statement, answer: Answer, against: CountAgainst) -> Markup:
    """Whether others say the same, or otherwise; how many stand on each side, unless it is one against one."""
    if statement.status == "disputed":
        at = _conflict_of(statement, answer)
        n, m = _counts(statement, answer, at, against)
        words = (icon("differ"), t("status.split", n=n, m=m) if m and n + m > 2 else t("status.disputed"))
        if at is None and statement.finding_id:
            href = f"/explore?{urlencode({'finding': statement.finding_id})}"
            return el(
                "a", *words, href=href, class_="gm-status is-disputed", title=t("status.show"),
                data_finding=statement.finding_id,
            )  # fmt: skip
        if at is None:
            return el("span", *words, class_="gm-status is-disputed")
        return el(
            "button",
            *words,
            type="button",
            class_="gm-status is-disputed",
            data_conflict=at,
            title=t("status.show"),
        )
    if statement.status == "agreed" and statement.origins > 1:
        return el("span", icon("agree"), t("status.agreed", n=statement.origins), class_="gm-status is-agreed")
    return Markup("")


def _counts(statement: Statement, answer: Answer, at: int | None, against: CountAgainst) -> tuple[int, int]:
    """How many independent sources stand on the side of a statement and against it: those of its card where there is one,
    so that the two never tell different numbers."""
    if at is None:
        return statement.origins, against(statement.finding_id) if statement.finding_id else 0
    mine = set(statement.citations)
    sides = answer.conflicts[at].sides
    own = next(side for side in sides if mine & side.all_citations)
    return own.origins, sum(side.origins for side in sides if side is not own)


def _conflict_of(statement: Statement, answer: Answer) -> int | None:
    """The conflict card that shares a citation with the statement."""
    mine = set(statement.citations)
    for at, conflict in enumerate(answer.conflicts):
        if any(mine & side.all_citations for side in conflict.sides):
            return at
    return None


def _after(answer: Answer, named: Named, source: FindSource) -> Iterator[Markup]:
    for at, conflict in enumerate(answer.conflicts):
        yield conflict_card(conflict, named, at)
    if answer.table is not None:
        yield comparison_table(answer.table, named)
    yield from bar_charts(answer.chart, named)
    figure = answer_figure(answer)
    if figure:
        yield figure
    if answer.notice:
        yield el("p", answer.notice, class_="gm-edu")
    if answer.glossary:
        yield glossary_list(answer.glossary)
    if answer.suggestions:
        yield suggestion_chips(answer.suggestions)
