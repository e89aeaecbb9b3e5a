"""A small bot for the tests of the pages: eight sources, one agreement, one conflict with a chart, and what is declined.

Its offsets are true (``document[start:end] == quote``), as the real ones are; its sentences are only examples.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gmedbot.types import (
    Answer,
    AskOptions,
    ChartPoint,
    Citation,
    Claim,
    Conflict,
    ExerciseCard,
    ExerciseValue,
    Finding,
    Passage,
    Relation,
    Safety,
    Side,
    Source,
    Statement,
    Table,
)

EVIL = "${alert(1)} <img src=x onerror=alert(1)> `x` & \\u003cb>"


def _source(source_id: str, title: str, author: str, year: int, kind: str, evidence: str, **more: object) -> Source:
    base = Source(source_id, title, (author,), year, "Journal of Examples 1(2):3-4", kind, evidence,
                  url=f"https://doi.org/10.1000/{source_id}", topics=("anatomy",))  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


SOURCES = (
    _source("gray-1918", "Anatomy of the Human Body", "Gray H", 1918, "textbook", "expert"),
    _source("ward-2010", "Architecture of the hip abductors", "Ward SR", 2010, "cadaver-study", "study", n=21,
            population="cadaver hips"),
    _source("lay-page", "Your hips, explained", "Hip page", 2022, "web-article", "lay", lineage="gray-1918"),
    _source("distefano-2009", "Gluteal muscle activation during common therapeutic exercises", "Distefano LJ", 2009,
            "emg-study", "study", n=21, population="healthy adults", topics=("exercises",)),
    _source("bolgla-2005", "Electromyographic analysis of hip rehabilitation exercises", "Bolgla LA", 2005, "emg-study",
            "study", n=16, topics=("exercises",)),
    _source("boren-2011", "Electromyographic analysis of the gluteus medius", "Boren K", 2011, "emg-study", "study",
            n=26, topics=("exercises",)),
    _source("reiman-2012", "A literature review of gluteal activation", "Reiman MP", 2012, "systematic-review",
            "synthesis", topics=("exercises",)),
    _source("leap-2018", "Education plus exercise for gluteal tendinopathy", "Mellor R", 2018, "randomised-trial",
            "trial", n=204, topics=("treatment",)),
)  # fmt: skip

#: source → heading → sentences; each sentence is a claim.
TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "gray-1918": {
        "Origin": ("The gluteus medius arises from the outer surface of the ilium between its anterior and posterior "
                   "gluteal lines.",),
        "Nerve supply": ("The superior gluteal nerve supplies the gluteus medius.",
                         "The superior gluteal nerve to the gluteus medius carries fibres of L4, L5 and S1."),
    },
    "ward-2010": {
        "Nerve supply": ("In 21 cadaver hips, the superior gluteal nerve entered the gluteus medius on its deep face.",
                         "The gluteus medius is innervated by the superior gluteal nerve (L5–S1).",),
    },
    "lay-page": {"Nerve supply": ("The gluteus medius gets its nerve supply from the superior gluteal nerve. " + EVIL,)},
    "distefano-2009": {"Activation": (
        "In 21 healthy adults, side-lying hip abduction reached 81 %MVIC (SD 42) of the gluteus medius.",
        "In 21 healthy adults, the clam in 30° of hip flexion reached 40 %MVIC (SD 38) of the gluteus medius.",
        "In 21 healthy adults, the single-leg squat reached 64 %MVIC (SD 24) of the gluteus medius.")},
    "bolgla-2005": {"Activation": (
        "In 16 healthy adults, side-lying hip abduction reached 42 %MVIC (SD 23) of the gluteus medius.",
        "In 16 healthy adults, the pelvic drop reached 57 %MVIC (SD 32) of the gluteus medius.")},
    "boren-2011": {"Activation": (
        "In 26 healthy adults, the side plank with hip abduction reached 103 %MVIC of the gluteus medius.",
        "In 26 healthy adults, the single-leg squat reached 82 %MVIC of the gluteus medius.")},
    "reiman-2012": {"Technique": (
        "In side-lying hip abduction the top leg is lifted with the toes pointing forward.",
        "In side-lying hip abduction the pelvis should not roll backward.")},
    "leap-2018": {"Treatment": (
        "In 204 adults with gluteal tendinopathy, education plus exercise gave a better global outcome at 8 weeks than "
        "one corticosteroid injection.",)},
}  # fmt: skip


@dataclass
class Library:
    """The sources' texts as documents, passages and claims with true offsets."""

    documents: dict[str, str] = field(default_factory=dict)
    passages: dict[str, Passage] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)

    @classmethod
    def build(cls) -> Library:
        library = cls()
        for source_id, sections in TEXTS.items():
            text = f"# {source_id}\n"
            spans: list[tuple[str, int, tuple[str, ...]]] = []
            for heading, sentences in sections.items():
                text += f"\n## {heading}\n"
                spans.append((heading, len(text), sentences))
                text += "\n".join(sentences) + "\n"
            library.documents[source_id] = text
            for heading, start, sentences in spans:
                body = "\n".join(sentences)
                passage_id = f"{source_id}.{heading.split()[0].lower()}"
                library.passages[passage_id] = Passage(
                    passage_id, source_id, body, start, start + len(body), (heading,)
                )
                for n, sentence in enumerate(sentences):
                    at = text.index(sentence, start)
                    claim_id = f"{passage_id}.{n}"
                    library.claims[claim_id] = Claim(claim_id, source_id, passage_id, sentence, at, at + len(sentence),
                                                     (heading,))  # fmt: skip
        return library


LIBRARY = Library.build()

FINDINGS = (
    Finding("f-nerve", "nerve", "gluteus medius", ("gray-1918.nerve.0", "ward-2010.nerve.1", "lay-page.nerve.0"),
            ("gray-1918", "ward-2010")),
    Finding("f-roots-a", "nerve-roots", "gluteus medius", ("gray-1918.nerve.1",), ("gray-1918",), ("f-roots-b",)),
    Finding("f-roots-b", "nerve-roots", "gluteus medius", ("ward-2010.nerve.1",), ("ward-2010",), ("f-roots-a",)),
    Finding("f-abd-81", "activation", "gluteus medius", ("distefano-2009.activation.0",), ("distefano-2009",),
            ("f-abd-42",)),
    Finding("f-abd-42", "activation", "gluteus medius", ("bolgla-2005.activation.0",), ("bolgla-2005",), ("f-abd-81",)),
    Finding("f-origin", "origin", "gluteus medius", ("gray-1918.origin.0",), ("gray-1918",)),
)  # fmt: skip


def _value(claim_id: str, value: float, sd: float | None) -> ExerciseValue:
    claim = LIBRARY.claims[claim_id]
    return ExerciseValue(claim.source_id, claim.passage_id, claim_id, value, sd, "%MVIC", "gluteus medius", claim.text)


EXERCISES = (
    ExerciseCard("side plank with hip abduction", ("side bridge with abduction",), "none", "side plank", True,
                 (_value("boren-2011.activation.0", 103, None),), (), ()),
    ExerciseCard("side-lying hip abduction", ("side leg raise",), "none", "side-lying", False,
                 (_value("distefano-2009.activation.0", 81, 42), _value("bolgla-2005.activation.0", 42, 23)),
                 ("reiman-2012.technique.0",), ("reiman-2012.technique.1",)),
    ExerciseCard("single-leg squat", (), "none", "standing", True,
                 (_value("distefano-2009.activation.2", 64, 24), _value("boren-2011.activation.1", 82, None)), (), ()),
    ExerciseCard("pelvic drop", ("hip hitch",), "step", "standing", True, (_value("bolgla-2005.activation.1", 57, 32),),
                 (), ()),
    ExerciseCard("clam", ("clamshell",), "band", "side-lying", False, (_value("distefano-2009.activation.1", 40, 38),),
                 (), ()),
    ExerciseCard("lateral band walk", (), "band", "standing", True, (), (), ()),
)  # fmt: skip


def _cite(n: int, claim_id: str) -> Citation:
    claim = LIBRARY.claims[claim_id]
    source = next(s for s in SOURCES if s.source_id == claim.source_id)
    return Citation(n, source.source_id, source.title, source.year, source.kind, source.evidence, source.url,
                    claim.passage_id, claim.heading, claim.text, claim.start, claim.end)  # fmt: skip


def _roots() -> Conflict:
    return Conflict(
        "nerve-roots", "anatomy", "root sets differ: L4, L5 and S1 against L5–S1",
        (Side("The superior gluteal nerve carries fibres of L4, L5 and S1.", (4,), "expert"),
         Side("The gluteus medius is innervated by the superior gluteal nerve (L5–S1).", (2,), "study")),
        1, "A dissection study outweighs one textbook.",
    )  # fmt: skip


def _three_views() -> Answer:
    """Three sides, of which the first says two more things."""
    base = _nerve()
    said = [(c.quote, (c.n,)) for c in base.citations]
    sides = (Side(*said[0], evidence="study", origins=3, also=(said[2], said[4])), Side(*said[3], evidence="expert"),
             Side(*said[1], evidence="lay"))  # fmt: skip
    return replace(base, conflicts=(replace(_roots(), sides=sides, better_supported=0),))


def _nerve() -> Answer:
    cited = ("gray-1918.nerve.0", "ward-2010.nerve.1", "lay-page.nerve.0", "gray-1918.nerve.1", "ward-2010.nerve.0")
    citations = tuple(_cite(n, c) for n, c in enumerate(cited, 1))
    statements = (
        Statement(citations[0].quote, (1, 2, 3), "agreed", "lead", 2, "f-nerve"),
        Statement(citations[3].quote, (4,), "disputed", "point", 1, "f-roots-a"),
        Statement(citations[4].quote, (5,), "single", "point", 1),
    )
    text = f"{statements[0].text} [1][2][3]\n\n- {statements[1].text} [4]\n- {statements[2].text} [5]"
    return Answer("", "", "answered", text, statements, citations, (_roots(),),
                  suggestions=("What does the gluteus medius do?", "Where does it insert?"),
                  glossary=(("innervate", "to supply with a nerve"),))  # fmt: skip


def _activation() -> Answer:
    rows = (
        ("side plank with hip abduction", "boren-2011.activation.0", 103.0, None),
        ("side-lying hip abduction", "distefano-2009.activation.0", 81.0, 42.0),
        ("single-leg squat", "distefano-2009.activation.2", 64.0, 24.0),
        ("pelvic drop", "bolgla-2005.activation.1", 57.0, 32.0),
        ("side-lying hip abduction", "bolgla-2005.activation.0", 42.0, 23.0),
        ("clam", "distefano-2009.activation.1", 40.0, 38.0),
    )
    citations = tuple(_cite(n, claim) for n, (_, claim, _, _) in enumerate(rows, 1))
    statements = tuple(
        Statement(c.quote, (c.n,), "disputed" if c.n in (2, 5) else "single", "lead" if c.n == 1 else "point")
        for c in citations
    )
    conflict = Conflict(
        "activation", "value", "81 %MVIC against 42 %MVIC; the studies placed electrodes and normalised differently",
        (Side(citations[1].quote, (2,), "study"), Side(citations[4].quote, (5,), "study")), None, "",
    )  # fmt: skip
    names = {s.source_id: s.label for s in SOURCES}
    chart = tuple(ChartPoint(f"{label} ({names[LIBRARY.claims[claim].source_id]})", value, "%MVIC", sd, n)
                  for n, (label, claim, value, sd) in enumerate(rows, 1))  # fmt: skip
    text = "\n".join(f"- {s.text} [{s.citations[0]}]" for s in statements)
    return Answer("", "", "answered", text, statements, citations, (conflict,), shape="number", chart=chart,
                  notice="For learning only; a clinician can fit an exercise to you.",
                  suggestions=("How is side-lying hip abduction done?",),
                  glossary=(("%MVIC", "share of the strongest effort a person can make"),))  # fmt: skip


def _howto() -> Answer:
    citations = (_cite(1, "reiman-2012.technique.0"), _cite(2, "reiman-2012.technique.1"))
    statements = (Statement(citations[0].quote, (1,), role="step"), Statement(citations[1].quote, (2,), role="caution"))
    text = f"1. {citations[0].quote} [1]\n\n{citations[1].quote} [2]"
    return Answer("", "", "answered", text, statements, citations, shape="how-to")


def _compare() -> Answer:
    citations = (_cite(1, "distefano-2009.activation.1"), _cite(2, "distefano-2009.activation.0"))
    table = Table(("", "Clam", "Side-lying hip abduction"),
                  ((("Activation", ()), ("40 %MVIC", (1,)), ("81 %MVIC", (2,))),
                   (("Position", ()), ("side-lying", (1,)), ("side-lying", (2,)))))  # fmt: skip
    statements = tuple(Statement(c.quote, (c.n,), role="row") for c in citations)
    return Answer("", "", "answered", "See the table. [1][2]", statements, citations, shape="comparison", table=table)


def _safety() -> Answer:
    base = _howto()
    safety = Safety(
        "emergency", "Numbness between the legs with back pain needs an emergency department **now**.", "ces"
    )
    return replace(base, status="safety", safety=safety, statements=(), citations=(), answer=safety.message)


def _emergency() -> Answer:
    """A red flag beside a question that has an answer, with a disagreement in it."""
    return replace(_nerve(), status="safety", safety=_safety().safety)


def _without_card() -> Answer:
    """A disputed statement whose dispute has no card in the answer."""
    return replace(_nerve(), conflicts=())


def _declined() -> Answer:
    text = "My sources say nothing about this.\n\nThey cover:\n\n- anatomy\n- exercises"
    return Answer("", "", "declined", text, suggestions=("Which nerve supplies the gluteus medius?",))


def _greeting() -> Answer:
    suggestions = ("Which nerve supplies the gluteus medius?", "What does the gluteus medius do?")
    text = "Hello! I answer questions about the gluteus medius, each sentence with its source. Ask away."
    lines = "\n".join(f"- {item}" for item in suggestions)
    return Answer("", "", "declined", f"{text}\n\nYou could ask:\n{lines}", suggestions=suggestions, shape="greeting")


#: What a question in another language gets said before its answer.
REMARK = "I answer in English, from English sources. I took your question to be in German."


def _in_german(answer: Answer) -> Answer:
    return replace(answer, remark=REMARK, answer=f"{REMARK}\n\n{answer.answer}")


#: Two conflicts that the program found, a third with a text that tries to be markup, and one agreement.
RELATIONS = (
    Relation("bolgla-2005.activation.0", "distefano-2009.activation.0", "conflict", "value",
             "81 %MVIC against 42 %MVIC", 0.81),
    Relation("gray-1918.nerve.0", "ward-2010.nerve.1", "agree", None, "the same nerve", 0.97),
    Relation("gray-1918.nerve.1", "ward-2010.nerve.1", "conflict", "anatomy", "L4, L5 and S1 against L5–S1", 0.62),
    Relation("lay-page.nerve.0", "ward-2010.nerve.0", "conflict", "polarity", "one denies it " + EVIL, 0.55),
)  # fmt: skip


class FakeBot:
    """Answers by key words. ``delay`` seconds before each answer; "crash" raises, as no real question may."""

    index_id = "fake-1"

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.asked: list[tuple[str, tuple[str, ...], AskOptions | None]] = []

    def ask(self, question: str, history: Sequence[str] = (), options: AskOptions | None = None) -> Answer:
        self.asked.append((question, tuple(history), options))
        time.sleep(self.delay)
        words = question.lower()
        if "crash" in words:
            raise RuntimeError("as asked")
        standalone = question
        if "it" in words.replace("?", "").split() and history:
            standalone = question.replace("it", "the gluteus medius")
            words += " nerve"
        answer = (
            _emergency() if "fell" in words
            else _without_card() if "disputed" in words
            else _safety() if "numb" in words
            else _howto() if "how" in words
            else _compare() if "compare" in words
            else _activation() if "exercise" in words or "activat" in words
            else _three_views() if "views" in words
            else _nerve() if "nerve" in words or "innervat" in words
            else _in_german(_nerve()) if "nerv" in words
            else _in_german(_declined()) if "wetter" in words
            else _greeting() if "hello" in words
            else _declined()
        )  # fmt: skip
        return replace(answer, question=question, standalone_question=standalone, index=self.index_id)

    def passage(self, passage_id: str) -> Passage | None:
        return LIBRARY.passages.get(passage_id)

    def source(self, source_id: str) -> Source | None:
        return next((s for s in SOURCES if s.source_id == source_id), None)

    def sources(self) -> tuple[Source, ...]:
        return SOURCES

    def claims(self) -> tuple[Claim, ...]:
        return tuple(LIBRARY.claims.values())

    def claim(self, claim_id: str) -> Claim | None:
        return LIBRARY.claims.get(claim_id)

    def findings(self) -> tuple[Finding, ...]:
        return FINDINGS

    def conflicts(self) -> tuple[Conflict, ...]:
        return (_roots(),)

    def relations(self) -> tuple[Relation, ...]:
        return RELATIONS

    def finding(self, finding_id: str) -> Finding | None:
        return next((f for f in FINDINGS if f.finding_id == finding_id), None)

    def exercises(self) -> tuple[ExerciseCard, ...]:
        return EXERCISES

    def attributes(self) -> tuple[str, ...]:
        return ("nerve", "nerve-roots", "activation")

    def suggestions(self) -> tuple[str, ...]:
        return (
            "Which nerve supplies the gluteus medius?",
            "Which exercise activates the gluteus medius most?",
            "How is side-lying hip abduction done?",
            "Compare the clam and side-lying hip abduction",
        )

    def reload_if_changed(self) -> bool:
        return False
