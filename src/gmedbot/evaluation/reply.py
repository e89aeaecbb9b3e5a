"""An answer as the measures see it, whoever gave it: statements with their quotes, sides of disagreements, text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gmedbot.types import Answer, Citation, Conflict

__all__ = ["Reply", "Said", "reply_of"]


@dataclass(frozen=True)
class Said:
    """One sentence of an answer and the citations behind it. ``numbers`` are the markers as given, also dead ones.

    ``original``: the sentence of the corpus that the answer gives in plain words, as people wrote them down for it.
    ``against``: what stands on the other sides, for a sentence of a card.
    """

    text: str
    cited: tuple[Citation, ...]
    numbers: tuple[int, ...] = ()
    finding_id: str = ""
    original: str = ""
    against: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """The sentence as the corpus has it, which gold quotes and findings are bound to."""
        return self.original or self.text


@dataclass(frozen=True)
class Reply:
    """``cards``: each disagreement shown, as its sides. ``also``: what is visible beside them (table, chart, verdict)."""

    statements: tuple[Said, ...]
    cards: tuple[tuple[Said, ...], ...] = ()
    also: tuple[str, ...] = ()
    all_citations: tuple[Citation, ...] = ()

    @property
    def is_declined(self) -> bool:
        return not self.statements

    @property
    def said(self) -> tuple[Said, ...]:
        """Statements and sides, each text once."""
        found: dict[str, Said] = {}
        for said in (*self.statements, *(side for card in self.cards for side in card)):
            found.setdefault(said.text, said)
        return tuple(found.values())

    @property
    def text(self) -> str:
        """Everything that is shown; suggestions and notices are not part of it."""
        return "\n".join([*(said.text for said in self.said), *self.also])

    @property
    def meaning(self) -> str:
        """What a nugget may be found in: what is shown, and the statements that it puts in plain words."""
        return "\n".join([self.text, *(said.original for said in self.said if said.original)])

    def quotes(self) -> set[str]:
        """The texts said and the quotes cited for them."""
        return {said.statement for said in self.said} | {c.quote for said in self.said for c in said.cited}


def reply_of(answer: Answer) -> Reply:
    """The product's answer as a reply."""
    known = {citation.n: citation for citation in answer.citations}

    def said(text: str, numbers: Iterable[int], finding_id: str = "", original: str = "") -> Said:
        marks = tuple(numbers)
        return Said(text, tuple(known[n] for n in marks if n in known), marks, finding_id, original)

    also: list[str] = []
    if answer.table is not None:
        also.extend(text for row in answer.table.rows for text, _ in row if text)
    also.extend(f"{point.label}: {point.value:g} {point.unit}" for point in answer.chart)

    def card_of(card: Conflict) -> tuple[Said, ...]:
        sides = [
            [
                said(text, numbers, original="" if place else side.original)
                for place, (text, numbers) in enumerate(side.said)
            ]
            for side in card.sides
        ]
        return tuple(
            replace(one, against=tuple(other.statement for others in sides if others is not own for other in others))
            for own in sides
            for one in own
        )

    return Reply(
        tuple(said(s.text, s.citations, s.finding_id, s.original) for s in answer.statements),
        tuple(card_of(card) for card in answer.conflicts),
        tuple(also),
        answer.citations,
    )
