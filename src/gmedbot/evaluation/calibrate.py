"""Choose the thresholds of the two gates for the encoder of an index, on the dev questions alone.

The rule: the highest threshold at which at most 2 % of the answerable dev questions are declined. A question that the
sources answer and the bot declines is the worse fault, since nobody can tell it from an honest gap; so its share is
what is held, and as many unanswerable questions are declined as that allows. A best F1 would weigh both by how many
unanswerable questions happen to be in the gold data, which says nothing about those that learners ask.

All thresholds between two neighbouring probabilities do the same to the dev questions; the middle of the gap is taken,
so that a question a little less clear than the last one answered is still answered.

Questions that name nothing of the field have a threshold of their own, chosen by the same rule among themselves and
never below the other: the first gate. With few of them it is the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gmedbot.conversation.scope import DEFAULT_THRESHOLDS, limit_of
from gmedbot.errors import UsageError
from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold

__all__ = ["Calibration", "Judged", "calibrate", "choose_thresholds", "count_declined", "highest_threshold"]

DECLINED = 0.02  #: share of answerable questions that may be declined
#: Fewer questions cannot tell 2 % from nothing, nor a good threshold from one that declines nobody.
_LEAST_ANSWERABLE, _LEAST_UNANSWERABLE = 50, 20
_LEAST_OUTSIDE = 5  #: answerable questions that name nothing of the field


@dataclass(frozen=True)
class Judged:
    """A dev question as the gates see it. ``is_answerable``: what is true of it."""

    probability: float
    is_in_scope: bool
    is_answerable: bool


@dataclass(frozen=True)
class Calibration:
    """Thresholds chosen, those that the index answers with, and what either declines: {"answerable", "unanswerable"}."""

    thresholds: Mapping[str, float]
    in_force: Mapping[str, float]
    asked: Mapping[str, int]
    declined: Mapping[str, int]
    declined_in_force: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {name: dict(value) for name, value in vars(self).items()}


def calibrate(
    bench: Bench, gold: Gold, share: float = DECLINED, tell: Callable[[int, int], None] = lambda done, total: None
) -> Calibration:
    """Ask the gates about the dev questions and choose.

    Raises: UsageError if there are too few dev questions whose answers the index holds, or too few it does not answer.
    """
    judged = judge(bench, gold, tell)
    asked = count_declined(judged, dict.fromkeys(DEFAULT_THRESHOLDS, 2.0))
    if asked["answerable"] < _LEAST_ANSWERABLE or asked["unanswerable"] < _LEAST_UNANSWERABLE:
        raise UsageError(
            f"Calibration needs {_LEAST_ANSWERABLE} dev questions that the index answers and {_LEAST_UNANSWERABLE} that it "
            "does not (questions*.jsonl and unanswerable.jsonl with split dev).",
            f"{asked['answerable']} and {asked['unanswerable']} in {gold.folder}",
            "write more (evaluation/README.md), or point --gold at another folder",
        )
    in_force = {**DEFAULT_THRESHOLDS, **bench.index.manifest.thresholds}
    chosen = choose_thresholds(judged, share)
    return Calibration(chosen, in_force, asked, count_declined(judged, chosen), count_declined(judged, in_force))


def judge(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> tuple[Judged, ...]:
    """What the gates see of each dev question. Questions whose quotes the index does not hold are left out."""
    dev = gold.only("dev")
    asked = [(item.question, True) for item in dev.questions if bench.binding.grades(item.quotes)]
    asked += [(item.question, False) for item in dev.unanswerable]
    bench.warm(question for question, _ in asked)
    judged: list[Judged] = []
    for number, (question, is_answerable) in enumerate(asked, start=1):
        verdict = bench.bot.verdict(question)
        judged.append(Judged(verdict.probability, verdict.is_in_scope, is_answerable))
        tell(number, len(asked))
    return tuple(judged)


def choose_thresholds(judged: Sequence[Judged], share: float) -> dict[str, float]:
    """The thresholds by the rule of this module."""
    answerable = highest_threshold(judged, share)
    outside = [item for item in judged if not item.is_in_scope]
    if sum(item.is_answerable for item in outside) < _LEAST_OUTSIDE:
        return {"answerable": answerable, "scope": answerable}
    return {"answerable": answerable, "scope": max(answerable, highest_threshold(outside, share))}


def highest_threshold(judged: Sequence[Judged], share: float) -> float:
    """The middle of the gap below the first answerable question that must not be declined."""
    wanted = sorted(item.probability for item in judged if item.is_answerable)
    first = wanted[int(share * len(wanted) + 1e-9)]
    below = max((item.probability for item in judged if item.probability < first), default=0.0)
    middle = (below + first) / 2
    short = round(middle, 4)
    return short if below < short <= first else middle


def count_declined(judged: Sequence[Judged], thresholds: Mapping[str, float]) -> dict[str, int]:
    """How many answerable and unanswerable questions the thresholds decline."""
    declined = [item for item in judged if item.probability < limit_of(thresholds, item.is_in_scope)]
    answerable = sum(item.is_answerable for item in declined)
    return {"answerable": answerable, "unanswerable": len(declined) - answerable}
