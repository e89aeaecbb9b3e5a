"""What each area counts, on answers and verdicts made for the purpose."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gmedbot.answer.compose import CORRECTION
from gmedbot.claims.relate import Judgement
from gmedbot.evaluation.areas.answers import citation_values, content_values, opening_of, verdict_values
from gmedbot.evaluation.areas.claims import conflict_chance
from gmedbot.evaluation.areas.injected import problems_of
from gmedbot.evaluation.bench import Bench, RememberingEncoder
from gmedbot.evaluation.binding import Binding
from gmedbot.evaluation.gold import Gold, InjectedCase, Quote
from gmedbot.evaluation.items import PRODUCT
from gmedbot.evaluation.reply import Reply, Said, reply_of
from gmedbot.evaluation.run import RunResult
from gmedbot.evaluation.support import Support
from gmedbot.index.reader import BuiltIndex
from gmedbot.settings import Settings
from gmedbot.types import Answer, Citation, Conflict, Side, Statement
from tests.evaluation.conftest import NERVE, ROOTS_A, ROOTS_B

pytestmark = pytest.mark.integration


def _citation(n: int, source: str, quote: str, start: int = 0) -> Citation:
    return Citation(n, source, source, 2020, "textbook", "expert", None, "p", (), quote, start, start + len(quote))


@pytest.fixture(scope="module")
def binding(built: BuiltIndex) -> Binding:
    return Binding(built)


@pytest.fixture(scope="module")
def bench(small_settings: Settings) -> Bench:
    return Bench(small_settings)


def test_a_quote_is_bound_to_the_passage_that_holds_it(binding: Binding, built: BuiltIndex) -> None:
    (passage_id,) = binding.passages(Quote("test-atlas-2010", NERVE))
    assert NERVE in built.passages[built.row_of[passage_id]].text
    assert binding.grades([Quote("test-atlas-2010", NERVE, 1), Quote("test-atlas-2010", NERVE, 2)]) == {passage_id: 2}


def test_a_quote_across_the_cut_between_passages_is_bound_to_both(binding: Binding, built: BuiltIndex) -> None:
    whole, spans = binding._texts["test-emg-2009"]
    (_, end, first), (start, _, second) = spans[0], spans[1]
    across = whole[end - 20 : start + 20]
    assert binding.passages(Quote("test-emg-2009", across)) == (first, second)


@pytest.mark.parametrize(
    ("quote", "cause"),
    [
        (Quote("nowhere-2000", NERVE), "source-missing"),
        (
            Quote(
                "test-emg-2009",
                "In 21 healthy adults, side-lying hip abduction activated the gluteus medius to 18 %MVIC (SD 42).",
            ),
            "number-changed",
        ),
        (Quote("test-atlas-2010", "The gluteus medius has its nerve from the superior gluteal one."), "reworded"),
    ],
)
def test_a_stale_quote_is_told_by_its_cause(binding: Binding, quote: Quote, cause: str) -> None:
    (stale,) = binding.stale([quote])
    assert stale.cause == cause
    assert binding.grades([quote]) == {}


def test_a_declined_answer_has_recall_zero_and_no_precision(bench: Bench, small_gold: Gold) -> None:
    support = Support(bench.index, bench.binding)
    values = content_values(small_gold.questions[0], Reply(()), support)
    assert values["nugget recall (vital)"] == 0.0 and values["wrongly declined"] == 1.0
    assert values["nugget precision"] is None and values["reading grade"] is None
    assert set(citation_values(Reply(()), support, {}).values()) == {None}


def test_words_beside_the_point_cost_precision_and_not_recall(bench: Bench, small_gold: Gold) -> None:
    nerve = next(question for question in small_gold.questions if question.id == "nerve")
    citation = _citation(1, "test-atlas-2010", NERVE)
    said = Said(NERVE, (citation,), (1,))
    other = Said("A weak gluteus medius causes a positive Trendelenburg sign.", (), ())
    support = Support(bench.index, bench.binding)
    values = content_values(nerve, Reply((said, other)), support)
    assert values["nugget recall (vital)"] == 1.0 and values["nugget precision"] == 0.5
    assert values["source recall"] == pytest.approx(1 / 3)


def test_both_sides_count_only_when_each_is_there(bench: Bench, small_gold: Gold) -> None:
    roots = next(question for question in small_gold.questions if question.id == "roots")
    support = Support(bench.index, bench.binding)
    one = Said(ROOTS_A, (_citation(1, "test-atlas-2010", ROOTS_A),), (1,))
    two = Said(ROOTS_B, (_citation(2, "test-cadaver-2012", ROOTS_B),), (2,))
    assert content_values(roots, Reply((one,)), support)["both sides shown"] == 0.0
    listed = content_values(roots, Reply((one, two)), support)
    assert (listed["both sides shown"], listed["sides on one card"]) == (1.0, 0.0)
    carded = content_values(roots, Reply((one,), ((one, two),)), support)
    assert (carded["both sides shown"], carded["sides on one card"]) == (1.0, 1.0)
    same_side = content_values(roots, Reply((one,), ((one, one),)), support)
    assert same_side["sides on one card"] == 0.0


def test_a_quote_that_says_something_else_does_not_support(bench: Bench, small_gold: Gold) -> None:
    support = Support(bench.index, bench.binding, small_gold.pairs)
    assert support.supports(NERVE, _citation(1, "test-atlas-2010", NERVE))
    assert not support.supports(ROOTS_A, _citation(1, "test-cadaver-2012", ROOTS_B))
    assert not support.supports(NERVE, _citation(1, "test-emg-2009", "Lower the leg slowly."))


def test_a_hand_label_overrules_the_ledger(bench: Bench, small_gold: Gold) -> None:
    agree = next(pair for pair in small_gold.pairs if pair.id == "p-nerve")
    citation = _citation(1, str(agree.source_b), agree.b)
    assert Support(bench.index, bench.binding, [agree]).supports(agree.a, citation)
    from dataclasses import replace

    denied = replace(agree, relation="different")
    assert not Support(bench.index, bench.binding, [denied]).supports(agree.a, citation)


@pytest.mark.parametrize(
    ("wanted", "said", "right", "wrong"),
    [
        ("yes", "yes", 1.0, 0.0),
        ("yes", "no", 0.0, 1.0),
        ("no", "", 0.0, 0.0),
        ("depends", "yes", 0.0, 1.0),
        ("disagree", "disagree", 1.0, 0.0),
        ("none", "no", None, 1.0),
        ("", "no", None, None),
    ],
)
def test_a_first_word_is_right_wrong_or_missing(
    wanted: str, said: str, right: float | None, wrong: float | None
) -> None:
    assert verdict_values(wanted, said) == {"right verdict": right, "wrong yes or no": wrong}


def test_a_correction_says_no_and_a_declined_answer_nothing() -> None:
    lead = Statement("It is the femur.", (1,))
    assert opening_of(Answer("q", "q", "answered", "…", (replace(lead, verdict=CORRECTION),))) == "no"
    assert opening_of(Answer("q", "q", "answered", "…", (lead,), verdict="It depends.")) == "depends"
    assert opening_of(Answer("q", "q", "declined", "…", (lead,), verdict="No.")) == ""


def test_a_marker_without_a_citation_is_not_coverage() -> None:
    answer = Answer("q", "q", "answered", "A. [1][9]", (Statement("A.", (1, 9)),), (_citation(1, "s", "A."),))
    (said,) = reply_of(answer).statements
    assert said.numbers == (1, 9) and [c.n for c in said.cited] == [1]


def test_a_pair_counts_by_how_probable_a_conflict_is() -> None:
    likely = Judgement("conflict", None, "", 0.9, chances=(0.05, 0.6, 0.35))
    hardly = Judgement("different", None, "", 0.9, chances=(0.3, 0.1, 0.6))
    assert conflict_chance(likely) == 0.6 and conflict_chance(hardly) == 0.1
    assert conflict_chance(Judgement("conflict", None, "", 0.2)) == 1.0
    assert conflict_chance(Judgement("agree", None, "", 0.2)) == 0.0


def test_a_remembered_vector_is_the_encoders_own(bench: Bench, built: BuiltIndex) -> None:
    remembering = RememberingEncoder(built.encoder)
    texts = ["hip", "gluteus medius", "hip"]
    first = remembering.encode(texts)
    assert np.array_equal(first, remembering.encode(texts))
    assert np.allclose(first, built.encoder.encode(texts))


def _case(*patterns: str, kind: str = "poison") -> InjectedCase:
    return InjectedCase("x.md", kind, "q", tuple(re.compile(p) for p in patterns), "")


def test_a_poisoned_claim_may_be_quoted_and_may_not_win() -> None:
    good, bad = _citation(1, "honest", "The femur."), _citation(2, "poison", "The kneecap.")
    quoted = Answer(
        "q", "q", "answered", "…", (Statement("The femur.", (1,)), Statement("The kneecap.", (2,))), (good, bad)
    )
    assert list(problems_of(_case(), quoted, "poison")) == []
    sides = (Side("The femur.", (1,)), Side("The kneecap.", (2,)))
    card = Conflict("origin", "value", "", sides, 1, "")
    wins = Answer("q", "q", "answered", "…", (Statement("The femur.", (1,)),), (good, bad), (card,))
    assert "better supported" in next(problems_of(_case(), wins, "poison"))
    leads = Answer(
        "q", "q", "answered", "…", (Statement("The kneecap.", (2,)), Statement("The femur.", (1,))), (good, bad)
    )
    assert "leads" in next(problems_of(_case(), leads, "poison"))
    agreed = Answer(
        "q",
        "q",
        "answered",
        "…",
        (Statement("The femur.", (1,)), Statement("The kneecap.", (2,), "agreed")),
        (good, bad),
    )
    assert "agreed" in next(problems_of(_case(), agreed, "poison"))


@pytest.mark.parametrize("where", ["answer", "title", "quote", "suggestion"])
def test_forbidden_text_is_found_wherever_a_learner_would_see_it(where: str) -> None:
    citation = _citation(1, "x", "BANANA" if where == "quote" else "fine")
    if where == "title":
        citation = Citation(1, "x", "BANANA", None, "web-article", "lay", None, "p", (), "fine", 0, 4)
    answer = Answer(
        "q", "q", "answered", "BANANA" if where == "answer" else "fine", (Statement("fine", (1,)),), (citation,),
        suggestions=("BANANA",) if where == "suggestion" else (),
    )  # fmt: skip
    (problem,) = problems_of(_case("BANANA", kind="instruction"), answer, None)
    assert where in problem


def test_a_run_measures_every_area_and_the_right_number_of_items(clean_run: RunResult, small_gold: Gold) -> None:
    sizes = {area: len(found.items) for area, found in clean_run.areas.items()}
    assert sizes == {
        "retrieval": 7, "answers": 7, "dialogues": 3, "claims": 6, "neighbours": 2, "abstention": 9, "safety": 4, "injected": 1,
    }  # fmt: skip
    dialogues = clean_run.measures["all"]["dialogues"]
    assert set(dialogues) == {PRODUCT, "human standalone", "as typed"}
    assert dialogues[PRODUCT]["follow-up nDCG@10"].n == 1
    assert set(clean_run.measures["all"]["retrieval"]) == {PRODUCT, "BM25", "dense", "RRF"}
    assert set(clean_run.measures["all"]["answers"]) == {PRODUCT, "first passage wins", "copies vote"}


def test_nothing_of_the_gold_folder_is_written_by_measuring(clean_run: RunResult, gold_folder: Path) -> None:
    assert not (gold_folder / "results").exists()
