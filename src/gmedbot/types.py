"""The nouns of gmedbot: frozen values that the stages hand to one another.

The module imports nothing of ours, so any stage may use it. A value is checked when it is made; after
that nobody has to ask whether it is whole. Offsets count Unicode characters, start inclusive, end exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "EVIDENCE_RANK",
    "Answer",
    "AskOptions",
    "Attribute",
    "ChartPoint",
    "Citation",
    "Claim",
    "Conflict",
    "Document",
    "ExerciseCard",
    "ExerciseValue",
    "Finding",
    "FindingStatus",
    "Frame",
    "Passage",
    "Quantity",
    "Relation",
    "RelationLabel",
    "Safety",
    "ScoredPassage",
    "Side",
    "Source",
    "Statement",
    "Table",
    "Turn",
]

RelationLabel = Literal["agree", "conflict", "different"]
FindingStatus = Literal["single", "agreed", "disputed"]
Attribute = str

#: How much weight a source's own kind of evidence carries, weakest 1 to strongest 5 (docs/claims.md).
EVIDENCE_RANK: Mapping[str, int] = {"lay": 1, "expert": 2, "study": 3, "trial": 4, "synthesis": 5}


#: What stands for an author where the source names none.
_NAMELESS = re.compile(r"(?:unnamed|unknown|anonymous|authors? (?:list )?not)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """Who said it: the front matter of one corpus file.

    ``kind`` and ``evidence`` come from the closed lists in ``gmedbot.corpus.sources``. ``lineage`` names the
    source whose text or data this one repeats, so that copies are not counted as votes.
    """

    source_id: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    container: str
    kind: str
    evidence: str
    doi: str | None = None
    url: str | None = None
    topics: tuple[str, ...] = ()
    n: int | None = None
    population: str | None = None
    method: str | None = None
    lineage: str | None = None
    reviewed: str | None = None
    is_full_text: bool = False

    @property
    def label(self) -> str:
        """Short name for a list or a chart: first author and year; the title where no author is named."""
        name = re.sub(r"\s*\(.*", "", self.authors[0]).split(",")[0] if self.authors else self.container
        if _NAMELESS.match(name):
            name = self.title if len(self.title) <= 40 else self.title[:40].rsplit(" ", 1)[0] + " …"
        parts = name.split()
        is_person = len(parts) >= 2 and parts[-1].isupper() and len(parts[-1]) <= 4
        short = " ".join(parts[:-1]) if is_person else name
        return f"{short} {self.year}" if self.year else short


@dataclass(frozen=True)
class Document:
    """A source and its text after the front matter. ``text`` is never edited after reading."""

    source: Source
    text: str
    path: str
    first_line: int = 1  #: line of the file on which ``text`` begins, for messages

    def line_of(self, offset: int) -> int:
        """The line of the file (from 1) that holds the character at ``offset``."""
        return self.first_line + self.text.count("\n", 0, offset)


@dataclass(frozen=True)
class Passage:
    """A stretch of one document that can be retrieved and cited; ``text == document.text[start:end]``."""

    passage_id: str
    source_id: str
    text: str
    start: int
    end: int
    heading: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text):
            raise ValueError(f"passage {self.passage_id}: {len(self.text)} characters but span {self.start}–{self.end}")


@dataclass(frozen=True)
class Quantity:
    """A measured or stated number, kept exactly as far as the text gives it.

    ``low == high`` for a single value. ``unit`` is canonical ("%MVIC", "°", "week"; "" for a bare number).
    ``kind``: value, n (sample size), sd, ci, p, time (time point), angle (joint position), load, year. ``measure``
    says what was measured where the words say so (sensitivity, hazard ratio, thickness).
    """

    low: float
    high: float
    unit: str
    kind: str = "value"
    measure: str = ""
    sd: float | None = None
    comparator: str = ""  #: "", "<", ">", "~"
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Frame:
    """What a claim says, in terms that can be compared.

    ``subjects`` are the muscles (or, where none is named, the things) the claim is about. ``terms`` are all the
    vocabulary ids found, in order. ``polarity`` is False for a denied statement. ``advice`` is +1 for recommended,
    -1 for advised against. ``level`` is the rank of a frequency or degree word and the kind of its scale.
    ``is_reported`` marks "the page states that …".
    """

    subjects: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    attribute: Attribute = ""
    attributes: tuple[Attribute, ...] = ()
    terms: tuple[str, ...] = ()
    roots: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()
    polarity: bool = True
    advice: int = 0
    level: tuple[str, int] | None = None
    direction: int = 0  #: +1 raises / more, -1 lowers / less, 0 neither
    is_reported: bool = False
    words: frozenset[str] = frozenset()  #: levelled content words that no term covers


@dataclass(frozen=True)
class Claim:
    """One sentence of one source, read into a frame; ``text`` is ``document.text[start:end]`` without links and HTML,
    ``plain`` the same in plain words where the corpus has them."""

    claim_id: str
    source_id: str
    passage_id: str
    text: str
    start: int
    end: int
    heading: tuple[str, ...]
    frame: Frame = field(default_factory=Frame, hash=False, compare=False)
    plain: str = ""


@dataclass(frozen=True)
class Relation:
    """How two claims stand to one another; symmetric, so ``a < b`` by convention."""

    a: str
    b: str
    label: RelationLabel
    type: str | None
    reason: str
    confidence: float
    is_contextual: bool = False
    judged_by: str = "frames"


@dataclass(frozen=True)
class Finding:
    """Claims that say the same thing, and those that dispute it. Status is derived, never stored.

    ``supporters`` are claim ids, best wording first. ``origins`` are the independent origins behind them:
    sources grouped by lineage and copied text. ``dissents`` are the ids of the findings that conflict.
    """

    finding_id: str
    attribute: Attribute
    subject: str
    supporters: tuple[str, ...]
    origins: tuple[str, ...]
    dissents: tuple[str, ...] = ()

    @property
    def status(self) -> FindingStatus:
        if self.dissents:
            return "disputed"
        return "agreed" if len(self.origins) >= 2 else "single"


@dataclass(frozen=True)
class ScoredPassage:
    """A passage with its score; higher is better, everywhere. Ranks count from 1."""

    passage: Passage
    score: float
    rank: int
    retriever: str


@dataclass(frozen=True)
class Citation:
    """A numbered reference to a verbatim quote: ``document.text[start:end] == quote``."""

    n: int
    source_id: str
    title: str
    year: int | None
    kind: str
    evidence: str
    url: str | None
    passage_id: str
    heading: tuple[str, ...]
    quote: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """One thing the answer says. ``citations`` are numbers of ``Answer.citations`` and are never empty.

    ``status`` is that of its finding, except that it is not disputed where only what the finding says of another muscle is.

    ``origins`` counts the independent origins behind it; ``finding_id`` links to the ledger. ``role`` tells the
    page where it belongs: "lead" (answers the question), "point", "step", "caution", "row". ``asks`` is set where several
    questions are answered at once: on the lead of each, with the verdict that opens it, if there is one. ``original`` is the
    statement as its source's digest puts it, where ``text`` says it in plain words.
    """

    text: str
    citations: tuple[int, ...]
    status: FindingStatus = "single"
    role: str = "point"
    origins: int = 1
    finding_id: str = ""
    asks: str = ""
    verdict: str = ""
    original: str = ""


@dataclass(frozen=True)
class Side:
    """One side of a disagreement, in the words of its best source.

    ``also`` holds other statements on the same side that say more or say it otherwise, each with its citations;
    ``evidence`` and ``origins`` count them. ``original``: as in ``Statement``.
    """

    text: str
    citations: tuple[int, ...]
    evidence: str = ""  #: the strongest evidence level on this side
    origins: int = 1
    finding_id: str = ""
    also: tuple[tuple[str, tuple[int, ...]], ...] = ()
    original: str = ""

    @property
    def said(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Every statement of the side with its citations, the best first."""
        return ((self.text, self.citations), *self.also)

    @property
    def all_citations(self) -> frozenset[int]:
        return frozenset(number for _, numbers in self.said for number in numbers)


@dataclass(frozen=True)
class Conflict:
    """Sources that cannot both be right, or are right under different conditions."""

    attribute: str
    type: str
    explanation: str
    sides: tuple[Side, ...]
    better_supported: int | None
    why: str


@dataclass(frozen=True)
class Safety:
    """A red flag found in the question: where to seek care, and how fast."""

    urgency: Literal["emergency", "urgent", "routine"]
    message: str
    rule: str


@dataclass(frozen=True)
class ChartPoint:
    """One study's value for a chart: label, value, spread (SD) and the citation that holds it."""

    label: str
    value: float
    unit: str
    sd: float | None
    citation: int


@dataclass(frozen=True)
class Table:
    """A comparison table. Each cell is (text, citation numbers)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]


@dataclass(frozen=True)
class Answer:
    """What the bot says to one question, with everything needed to check it.

    ``answer`` is the Markdown of the whole, with [n] markers. ``status``: "answered", "declined" (nothing in the
    sources) or "safety" (a red flag leads). ``shape`` is the question type that chose the layout.
    """

    question: str
    standalone_question: str
    status: Literal["answered", "declined", "safety"]
    answer: str
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    safety: Safety | None = None
    suggestions: tuple[str, ...] = ()
    index: str = ""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    id: str | None = None
    shape: str = "fact"
    notice: str = ""  #: education notice, shown under health-advice answers
    chart: tuple[ChartPoint, ...] = ()
    table: Table | None = None
    glossary: tuple[tuple[str, str], ...] = ()  #: (term, plain meaning), first use only
    verdict: str = ""  #: the first words of a yes/no answer: "Yes.", "No.", "It depends.", "Sources disagree."
    remark: str = ""  #: a word on how the question was taken, shown above the answer

    def to_json(self) -> dict[str, Any]:
        """The stable JSON contract of ``gmedbot ask --json`` (docs/contracts.md), field for field."""
        return {
            "id": self.id,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "status": self.status,
            "answer": self.answer,
            "statements": [
                {"text": s.text, "citations": list(s.citations), "status": s.status, "original": s.original}
                for s in self.statements
            ],
            "citations": [
                {
                    "n": c.n,
                    "source_id": c.source_id,
                    "title": c.title,
                    "year": c.year,
                    "kind": c.kind,
                    "evidence": c.evidence,
                    "url": c.url,
                    "passage_id": c.passage_id,
                    "heading": list(c.heading),
                    "quote": c.quote,
                    "start": c.start,
                    "end": c.end,
                }
                for c in self.citations
            ],
            "conflicts": [
                {
                    "attribute": c.attribute,
                    "type": c.type,
                    "explanation": c.explanation,
                    "sides": [
                        {
                            "text": s.text,
                            "citations": list(s.citations),
                            "also": [{"text": text, "citations": list(numbers)} for text, numbers in s.also],
                        }
                        for s in c.sides
                    ],
                    "better_supported": c.better_supported,
                    "why": c.why,
                }
                for c in self.conflicts
            ],
            "safety": None
            if self.safety is None
            else {"urgency": self.safety.urgency, "message": self.safety.message, "rule": self.safety.rule},
            "suggestions": list(self.suggestions),
            "index": self.index,
            "timings_ms": dict(self.timings_ms),
        }


@dataclass(frozen=True)
class AskOptions:
    """What a learner may choose: topics of the sources, length of the answer, kind of evidence, and whether statements are
    put in plain words (where the corpus has them) or as the digests of the sources put them."""

    topics: tuple[str, ...] = ()
    length: Literal["short", "full"] = "full"
    evidence: Literal["all", "studies"] = "all"
    wording: Literal["plain", "source"] = "plain"


@dataclass(frozen=True)
class ExerciseValue:
    """One study's measured value for one exercise."""

    source_id: str
    passage_id: str
    claim_id: str
    value: float
    sd: float | None
    unit: str
    muscle: str
    condition: str


@dataclass(frozen=True)
class ExerciseCard:
    """One exercise with what the sources measured and advise. ``technique`` and ``cautions`` are claim ids."""

    name: str
    synonyms: tuple[str, ...]
    equipment: str
    position: str
    weight_bearing: bool | None
    values: tuple[ExerciseValue, ...]
    technique: tuple[str, ...]
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class Turn:
    """One exchange of a conversation; a conversation is a tuple of turns, oldest first."""

    question: str
    answer: Answer | None = None
