"""Dialogues: does a follow-up find what its standalone form finds, and is it ever refused?"""

from __future__ import annotations

from collections.abc import Callable

from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item
from gmedbot.evaluation.ranking import score_runs
from gmedbot.evaluation.reply import reply_of

__all__ = ["measure_dialogues"]

_HUMAN, _TYPED = "human standalone", "as typed"


def measure_dialogues(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """Search each turn with its history, as a person rewrote it, and as it was typed without history.

    ``loss`` is what the rewriting costs: the human form's value less the product's, per turn.
    """
    turns = [(dialogue, turn) for dialogue in gold.dialogues for turn in dialogue.turns]
    bench.warm(text for _, turn in turns for text in (turn.question, turn.standalone))
    turns = [(dialogue, turn) for dialogue, turn in turns if bench.binding.grades(turn.quotes)]
    qrels = {turn.id: bench.binding.grades(turn.judged) for _, turn in turns}
    runs: dict[str, dict[str, list[tuple[str, float]]]] = {PRODUCT: {}, _HUMAN: {}, _TYPED: {}}
    for number, (_, turn) in enumerate(turns, start=1):
        runs[PRODUCT][turn.id] = bench.retrieve(turn.question, turn.history)
        runs[_HUMAN][turn.id] = bench.retrieve(turn.standalone)
        runs[_TYPED][turn.id] = bench.retrieve(turn.question)
        tell(number, len(turns))
    scores = {name: score_runs(qrels, run) for name, run in runs.items()}
    by_writers = score_runs({turn.id: bench.binding.grades(turn.quotes) for _, turn in turns}, runs[PRODUCT])
    items: list[Item] = []
    for dialogue, turn in turns:
        values: dict[str, dict[str, float | None]] = {name: dict(scores[name][turn.id]) for name in runs}
        is_follow_up = bool(turn.history)
        answer = bench.ask(turn.question, turn.history)
        for measure in ("R@5(capped)", "nDCG@10"):
            own, human = scores[PRODUCT][turn.id][measure], scores[_HUMAN][turn.id][measure]
            values[PRODUCT][f"loss {measure}"] = human - own if is_follow_up else None
            values[PRODUCT][f"follow-up {measure}"] = own if is_follow_up else None
            first = by_writers.get(turn.id, {}).get(measure)
            values[PRODUCT][f"follow-up {measure}, writers' gold"] = first if is_follow_up else None
        values[PRODUCT]["wrongly refused"] = float(reply_of(answer).is_declined)
        values[PRODUCT]["wrongly refused follow-ups"] = values[PRODUCT]["wrongly refused"] if is_follow_up else None
        items.append(
            Item(
                id=turn.id,
                split=dialogue.split,
                topic=dialogue.topic,
                values=values,
                facets={"turn": turn.kind},
                detail={
                    "question": turn.question,
                    "history": list(turn.history),
                    "human": turn.standalone,
                    "product": answer.standalone_question,
                    "refused": reply_of(answer).is_declined,
                },
            )
        )
    return AreaResult("dialogues", tuple(items), run_files=runs, qrels=qrels)
