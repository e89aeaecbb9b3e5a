"""Retrieval: are the passages that answer a question near the top, and nearer than by simpler means?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.gold import Gold
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item
from gmedbot.evaluation.ranking import score_runs

__all__ = ["measure_retrieval"]


def measure_retrieval(bench: Bench, gold: Gold, tell: Callable[[int, int], None]) -> AreaResult:
    """Rank every question by the product and three baselines. A question whose quotes are all stale is left out."""
    bench.warm(question.question for question in gold.questions)
    systems: dict[str, Callable[[str], list[tuple[str, float]]]] = {
        PRODUCT: bench.retrieve,
        "BM25": bench.search_words,
        "dense": bench.search_dense,
        "RRF": bench.search_rrf,
    }
    questions = [question for question in gold.questions if bench.binding.grades(question.quotes)]
    qrels = {question.id: bench.binding.grades(question.judged) for question in questions}
    runs: dict[str, dict[str, list[tuple[str, float]]]] = {name: {} for name in systems}
    for number, question in enumerate(questions, start=1):
        for name, search in systems.items():
            runs[name][question.id] = search(question.question)
        tell(number, len(questions))
    scores = {name: score_runs(qrels, run) for name, run in runs.items()}
    first = {question.id: bench.binding.grades(question.quotes) for question in questions}
    by_writers = {name: score_runs(first, run) for name, run in runs.items()}
    items: list[Item] = []
    for question in questions:
        top = [passage_id for passage_id, _ in runs[PRODUCT][question.id]]
        missing = [passage_id for passage_id in qrels[question.id] if passage_id not in top[:5]]
        items.append(
            Item(
                id=question.id,
                split=question.split,
                topic=question.topic,
                values={
                    name: scores[name][question.id] | _of_writers(by_writers[name].get(question.id, {}))
                    for name in systems
                },
                facets={
                    "style": question.style,
                    "type": question.type,
                    "several": "several sources" if question.needs_several else "one source",
                    "wording": f"{question.split}, {'like' if bench.is_foreseen(question.question) else 'unlike'} those of the corpus",
                },
                detail={
                    "question": question.question,
                    "found": top[:5],
                    "missing": [
                        {
                            "passage": passage_id,
                            "grade": qrels[question.id][passage_id],
                            "rank": top.index(passage_id) + 1 if passage_id in top else None,
                            "text": bench.index.passages[bench.index.row_of[passage_id]].text,
                        }
                        for passage_id in missing
                    ],
                },
            )
        )
    return AreaResult("retrieval", tuple(items), run_files=runs, qrels=qrels)


def _of_writers(values: Mapping[str, float]) -> dict[str, float | None]:
    """The two measures that targets speak of, by the quotes that the questions' writers named alone."""
    return {f"{measure}, writers' gold": values.get(measure) for measure in ("R@5(capped)", "nDCG@10")}
