"""Rankings against qrels, by ir-measures. The only file that knows it.

Names and definitions are the field's: R@k, RR@10, nDCG@10 (linear gain, as trec_eval), MAP, Success@k; the value of one
query under "MAP" is its average precision, of which MAP is the mean. Two more are
ours by necessity: a question may have more relevant passages than k, and then R@k cannot reach 1; ``R@k(capped)``
divides by min(k, relevant) instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["MEASURES", "Qrels", "Run", "score_runs"]

Qrels = Mapping[str, Mapping[str, int]]  #: query id → passage id → grade ≥ 1
Run = Mapping[str, Sequence[tuple[str, float]]]  #: query id → (passage id, score), scores strictly falling

MEASURES = (
    "R@1",
    "R@5",
    "R@5(capped)",
    "R@10",
    "R@10(capped)",
    "Success@1",
    "Success@5",
    "Success@10",
    "RR@10",
    "nDCG@10",
    "MAP",
)


def score_runs(qrels: Qrels, run: Run) -> dict[str, dict[str, float]]:
    """query id → measure → value, for every query that has a relevant passage. A query without a result scores 0."""
    import ir_measures
    from ir_measures import AP, RR, R, Success, nDCG

    judged = {query: grades for query, grades in qrels.items() if grades}
    if not judged:
        return {}
    wanted = [R @ 1, R @ 5, R @ 10, Success @ 1, Success @ 5, Success @ 10, RR @ 10, nDCG @ 10, AP]
    found: dict[str, dict[str, float]] = {query: dict.fromkeys(MEASURES, 0.0) for query in judged}
    runs = {query: dict(run.get(query, ())) for query in judged}
    for metric in ir_measures.iter_calc(wanted, {q: dict(g) for q, g in judged.items()}, runs):
        name = "MAP" if metric.measure == AP else str(metric.measure)
        found[metric.query_id][name] = float(metric.value)
    for query, values in found.items():
        relevant = len(judged[query])
        for k in (5, 10):
            values[f"R@{k}(capped)"] = values[f"R@{k}"] * relevant / min(k, relevant)
    return found
