"""Fit the small models of an answer: which claims answer a question, whether any does, and whether one does directly.

Ranking: a linear scorer with one small hidden layer over ``ClaimObserver.observe``, trained with the listwise softmax
loss (Cao et al. 2007) on the dev questions and dialogues of ``evaluation/`` and the training questions and dialogues of
``training/`` (of the pooled gold, only what answers no question of the test split); and a second one over the best claims beside one another (``answer.company``), which learns from first scores by models
that had not seen the question's group; and a third for follow-ups, which sees the answers before them (``answer.told``), as these are
found with the packaged models. Answerability: a logistic regression over ``conversation.scope`` on the same questions against unanswerable
ones. Directness: the same, on other questions. Gold questions of the test split are never read; cross-validation is by
topic, for ``graded-*.jsonl`` by writer.

``graded-*.jsonl`` are messages whose writers had seen no source, with the statements that the program found for each,
graded by a strict reader: 3 answers directly, 2 belongs in a good reply, 1 is of the topic, 0 is beside the point.

Every question is seen with the learners' questions of the corpus, every second one without them too, because a corpus
may have none.

Run after an index build: ``python -m training.fit_answers [--write]``; writes ``src/gmedbot/data/answer-weights.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from gmedbot.answer.company import COMPANY
from gmedbot.answer.evidence import EvidenceFinder
from gmedbot.answer.features import FEATURES
from gmedbot.answer.ranking import GateModel, RankingModel, Rankings
from gmedbot.answer.told import TOLD
from gmedbot.bot import Bot
from gmedbot.conversation.scope import GATE_FEATURES, gate_features
from gmedbot.index.questions import QuestionTable, write_questions
from gmedbot.retrieval.understand import Query
from gmedbot.settings import load_settings
from training.asked import GAIN, ROOT, Asked, load_asked, read_lines
from training.fit_joined import fit_joined

OUT = ROOT / "src" / "gmedbot" / "data" / "answer-weights.json"
SEED = 20261122
#: How often those lists are seen: they are what learners write, the others were written to fit the sources.
REPEATED = 2
#: Networks whose mean is the ranking.
DRAWS = 3
#: Weight of a graded message for the gate.
GRADED_WEIGHT = 4.0


@dataclass(frozen=True)
class Observed:
    """One question's candidates: rows (n,), features (n, n_features), grades (n,), which of them its writer judged (n,)."""

    asked: Asked
    rows: NDArray[np.int64]
    features: NDArray[np.float64]
    grades: NDArray[np.int64]
    known: NDArray[np.bool_]
    told: NDArray[np.float64] | None = None  #: (n, len(TOLD)), of a follow-up that has answers before it


def query_of(bot: Bot, asked: Asked) -> Query:
    """The question as the program reads it, or that one of its message which is meant."""
    if not asked.found:
        return bot.understand(asked.question, asked.history)[0]
    read = bot._reader.read(asked.question, asked.history)
    return read[min(asked.place, len(read) - 1)][0]


def observe(bot: Bot, asked: Asked) -> Observed:
    query = query_of(bot, asked)
    before = bot._told(query, asked.history)
    vectors = bot._vectors(query, told=before)
    hits = bot._search(query, 40, vectors[0])
    rows, features = bot._finder.observer.observe(query, vectors, hits)
    claims = [bot._index.claims[row] for row in rows]
    grades = np.array([_grade(claim.text, asked.grades) for claim in claims])
    known = np.array([asked.known is None or claim.text in asked.known for claim in claims])
    told = bot._finder.told_of(query, vectors[-1], rows, before) if before and rows else None
    return Observed(asked, np.array(rows, dtype=np.int64), features, grades, known, told)


def beside(bot: Bot, item: Observed, scores: NDArray[np.float64]) -> Observed:
    """The best candidates again, with what the second look sees of them after first ``scores``."""
    if not len(item.rows):
        return item
    facts = [bot._finder.observer.facts(row) for row in item.rows.tolist()]
    places, table = bot._finder.look_again(item.rows.tolist(), item.features, facts, np.round(scores, 6))
    asked = replace(item.asked, grades={**item.asked.pooled, **item.asked.grades})
    grades = np.array([_grade(facts[place].claim.text, asked.grades) for place in places.tolist()])
    return Observed(asked, item.rows[places], table, grades, item.known[places])


def _grade(text: str, grades: Mapping[str, int]) -> int:
    if text in grades:
        return grades[text]
    return max((grade for quote, grade in grades.items() if text in quote), default=0)


def ndcg10(item: Observed, model: RankingModel) -> float:
    order = np.argsort(-model.score(item.features), kind="stable")[:10]
    discounts = 1 / np.log2(np.arange(2, 12))
    gains = 2.0 ** item.grades[order] - 1
    ideal = np.sort([2.0**grade - 1 for grade in item.asked.grades.values()])[::-1][:10]
    return float((gains * discounts[: len(gains)]).sum() / (ideal * discounts[: len(ideal)]).sum())


def leads_right(item: Observed, model: RankingModel) -> bool:
    """Whether the first of the graded statements is one that answers directly."""
    known = np.flatnonzero(item.known)
    return bool(item.grades[known][np.argmax(model.score(item.features[known]))] == max(GAIN)) if len(known) else False


def fit_rankings(
    items: Sequence[Observed],
    parts: Sequence[NDArray[np.int64]],
    names: tuple[str, ...],
    hidden: int = 16,
    epochs: int = 6,
    decay: float = 0.01,
    draws: int = DRAWS,
) -> list[RankingModel]:
    """A model for each part of the questions, the mean of ``draws`` networks (one alone varies from draw to draw).

    One pass per epoch over the questions, each a list: its answers share the probability by their grades. All networks
    learn side by side, a list each at every step, from beginnings and in orders of their own.
    """
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # the tables are small: threads would wait for each other
    table = np.vstack([item.features for item in items])
    mean, scale = table.mean(0), table.std(0)
    scale[scale < 1e-3] = 1.0  # never seen to differ
    rows, shares, own = _lists(items, mean, scale)
    n, width = len(parts) * draws, len(names)
    linear = torch.zeros(n, width, 1, requires_grad=True)
    inner = torch.empty(n, width, hidden).uniform_(-(width**-0.5), width**-0.5).requires_grad_()
    bias = torch.empty(n, 1, hidden).uniform_(-(width**-0.5), width**-0.5).requires_grad_()
    outer = (0.1 * torch.empty(n, hidden, 1).uniform_(-(hidden**-0.5), hidden**-0.5)).requires_grad_()
    optimiser = torch.optim.AdamW([linear, inner, bias, outer], lr=3e-3, weight_decay=decay)
    orders: list[NDArray[np.int64]] = []
    for part in parts:
        chosen = np.flatnonzero(np.isin(own, part))
        for _ in range(draws):
            rng = np.random.default_rng([SEED, len(orders)])
            orders.append(np.concatenate([rng.permutation(chosen) for _ in range(epochs)]))
    steps = max(map(len, orders))
    places = torch.tensor(np.stack([np.resize(order, steps) for order in orders]))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step * epochs // steps / epochs)
        at = places[:, step]
        seen, wanted = rows[at], shares[at]
        scores = (seen @ linear + torch.tanh(seen @ inner + bias) @ outer)[:, :, 0].masked_fill(wanted < 0, -1e9)
        loss = -(wanted.clamp(min=0) * torch.log_softmax(scores, 1)).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    def array(value: torch.Tensor) -> NDArray[np.float64]:
        return value.detach().numpy().astype(np.float64)

    models = []
    for start in range(0, n, draws):
        own_draws = slice(start, start + draws)
        models.append(
            RankingModel(
                names, mean, scale, array(linear[own_draws, :, 0]).mean(0),
                np.vstack(list(array(inner[own_draws]).transpose(0, 2, 1))), array(bias[own_draws, 0]).ravel(),
                array(outer[own_draws, :, 0]).ravel() / draws,
            )
        )  # fmt: skip
    return models


def fit_looks(both: Sequence[tuple[Observed, Bot]], full: Bot) -> Rankings:
    """The three rankings; prints how each does in cross-validation. ``full``: the bot with the learners' questions."""
    items = [item for item, _ in both]
    folds = list(GroupKFold(5).split(np.zeros(len(items)), groups=[item.asked.group for item in items]))
    parts = [*(train for train, _ in folds), np.arange(len(items))]
    *models, first = fit_rankings(items, parts, FEATURES)
    scores: dict[int, NDArray[np.float64]] = {}
    for model, (_, rest) in zip(models, folds, strict=True):
        scores.update({place: model.score(items[place].features) for place in rest.tolist()})
    again = [beside(bot, item, scores[place]) for place, (item, bot) in enumerate(both)]
    *others, second = fit_rankings(again, parts, FEATURES + COMPANY)
    is_full = [bot is full for _, bot in both]
    _report("first look", items, models, folds, is_full)
    _report("both looks", again, others, folds, is_full)
    return Rankings(first, second, fit_follow_up(both, full))


def fit_follow_up(both: Sequence[tuple[Observed, Bot]], full: Bot) -> RankingModel:
    """The ranking of follow-ups behind an answer; prints how it does in cross-validation."""
    told = [(item, item.told, bot) for item, bot in both if item.told is not None]
    items = [replace(item, features=np.hstack([item.features, seen])) for item, seen, _ in told]
    folds = list(GroupKFold(5).split(np.zeros(len(items)), groups=[item.asked.group for item in items]))
    parts = [*(train for train, _ in folds), np.arange(len(items))]
    *models, follow_up = fit_rankings(items, parts, FEATURES + TOLD, draws=3 * DRAWS)
    _report("behind an answer", items, models, folds, [bot is full for *_, bot in told])
    return follow_up


def _report(
    look: str,
    items: Sequence[Observed],
    models: Sequence[RankingModel],
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    is_full: Sequence[bool],
) -> None:
    found: dict[str, list[float]] = {}
    for model, (_, rest) in zip(models, folds, strict=True):
        for place in rest.tolist():
            item, bare = items[place], "" if is_full[place] else "bare "
            if item.asked.is_gold:
                kind = "follow-up" if item.asked.history else "single"
                found.setdefault(f"{bare}{kind} nDCG@10", []).append(ndcg10(item, model))
            elif item.asked.history and not item.asked.found:
                found.setdefault(f"{bare}training follow-up nDCG@10", []).append(ndcg10(item, model))
            elif item.asked.found == "direct":
                found.setdefault(f"{bare}direct lead", []).append(float(leads_right(item, model)))
    for name, values in sorted(found.items()):
        sys.stderr.write(f"{look}, cross-validated: {name} {np.mean(values):.3f} ({len(values)})\n")


def _lists(
    items: Sequence[Observed], mean: NDArray[np.float64], scale: NDArray[np.float64]
) -> tuple[torch.Tensor, torch.Tensor, NDArray[np.int64]]:
    """The lists of all questions in one table: rows (n, longest, n_features), shares (n, longest) with -1 where a list has
    ended, and the question of each list (n,)."""
    found = [(place, one) for place, item in enumerate(items) if (one := _as_list(item, mean, scale)) is not None]
    found = [pair for pair in found for _ in range(REPEATED if items[pair[0]].asked.found else 1)]
    longest = max(len(shares) for _, (_, shares) in found)
    rows = torch.zeros(len(found), longest, len(mean))
    shares = torch.full((len(found), longest), -1.0)
    for place, (_, (own_rows, own_shares)) in enumerate(found):
        rows[place, : len(own_rows)], shares[place, : len(own_shares)] = own_rows, own_shares
    return rows, shares, np.array([place for place, _ in found])


def _as_list(
    item: Observed, mean: NDArray[np.float64], scale: NDArray[np.float64], hard: int = 40
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Answers and the likeliest wrong claims of a question, (n, n_features), and the share of each, (n,)."""
    right = np.flatnonzero(item.grades > 0)
    wrong = np.flatnonzero((item.grades == 0) & item.known)
    if not len(right) or not len(wrong):
        return None
    likeness = item.features[wrong, FEATURES.index("cosine")] + 0.3 * item.features[wrong, FEATURES.index("coverage")]
    rows = np.r_[right, wrong[np.argsort(-likeness)][:hard]]
    shares = item.grades[rows] / item.grades[rows].sum()
    return (
        torch.tensor((item.features[rows] - mean) / scale, dtype=torch.float32),
        torch.tensor(shares, dtype=torch.float32),
    )


def without_questions() -> Bot:
    """A bot over the same index as if its corpus had no learners' questions."""
    bot = Bot.open(load_settings(), is_warm=False)
    index = bot._index
    with tempfile.TemporaryDirectory() as folder:
        write_questions(
            Path(folder),
            [],
            np.zeros((0, index.manifest.encoder.dim), dtype=np.float32),
            bot.vocabulary,
            len(index.claims),
        )
        index.__dict__["questions"] = QuestionTable(Path(folder), index.manifest.n_claims)
    return bot


@dataclass(frozen=True)
class Seen:
    """What the gate sees of questions, (n, n_features), and what is true of each. ``kind``: "" of the training questions,
    "dev", "graded", or "bare" if seen without the learners' questions of the corpus."""

    table: NDArray[np.float64]
    is_answered: NDArray[np.bool_]
    is_direct: NDArray[np.bool_]
    kind: NDArray[np.str_]
    group: Sequence[str]


def see(bots: Sequence[Bot], asked: Sequence[Asked], ranking: Rankings) -> Seen:
    """All questions and the unanswerable ones, then every second one as if the corpus had no learners' questions."""
    questions = list(asked)
    for path, keep in (
        (ROOT / "evaluation" / "unanswerable.jsonl", "dev"),
        (ROOT / "training" / "unanswerable.jsonl", None),
    ):
        for row in read_lines(path):
            if keep is None or row["split"] == keep:
                group = row.get("topic_key") or row["question"]
                questions.append(Asked(row["question"], (), {}, group, None, keep == "dev", found="no"))
    finders = [EvidenceFinder(bot._index, bot.vocabulary, ranking) for bot in bots]
    both = [(item, 0) for item in questions] + [(item, 1) for item in questions[::2]]
    kinds = [
        "bare" if bot else "dev" if item.is_gold else "graded" if item.grades and item.found else ""
        for item, bot in both
    ]
    return Seen(
        np.array([gate_row(bots[bot], finders[bot], item) for item, bot in both]),
        np.array([item.is_answered for item, _ in both]),
        np.array([item.is_direct for item, _ in both]),
        np.array(kinds),
        [item.group for item, _ in both],
    )


def fit_gate(seen: Seen) -> GateModel:
    """The gate; prints how it does in cross-validation."""
    guessed = _guesses(seen, lambda rows: _gate_model(seen.table[rows], seen.is_answered[rows], _weights(seen, rows)))
    for name in ("", "dev", "graded", "bare"):
        chosen = seen.kind == name
        declined = (guessed < 0.5) & chosen
        right, missing = int((declined & ~seen.is_answered).sum()), int((~seen.is_answered & chosen).sum())
        wrong, held = int((declined & seen.is_answered).sum()), int((seen.is_answered & chosen).sum())
        found = f"{name or 'training'}: precision {right / max(1, declined.sum()):.3f}, recall {right / missing:.3f}, "
        sys.stderr.write(f"gate, cross-validated: {found}wrongly declined {wrong} of {held}\n")
    every = np.arange(len(seen.table))
    return _gate_model(seen.table, seen.is_answered, _weights(seen, every))


def _weights(seen: Seen, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(seen.kind[rows] == "graded", GRADED_WEIGHT, 1.0)


def fit_direct(seen: Seen) -> GateModel:
    """Whether a question is answered directly, from the messages that were graded, the dev questions and the unanswerable
    ones; prints how it does in cross-validation."""
    chosen = np.flatnonzero(np.isin(seen.kind, ("graded", "dev")))
    part = Seen(
        seen.table[chosen], seen.is_answered[chosen], seen.is_direct[chosen], seen.kind[chosen],
        [seen.group[row] for row in chosen.tolist()],
    )  # fmt: skip
    guessed = _guesses(part, lambda rows: _direct_model(part.table[rows], part.is_direct[rows]))
    for name in ("dev", "graded"):
        own = part.kind == name
        area = roc_auc_score(part.is_direct[own], guessed[own])
        near = (guessed < 0.5) & own & part.is_answered
        right = int((near & ~part.is_direct).sum())
        sys.stderr.write(
            f"directness, cross-validated: {name}: AUROC {area:.3f}; of those answered, called near {int(near.sum())}, "
            f"{right} of them rightly; {int((own & part.is_answered & ~part.is_direct).sum())} are near\n"
        )
    return _direct_model(part.table, part.is_direct)


def _guesses(seen: Seen, fit: Callable[[NDArray[np.int64]], GateModel]) -> NDArray[np.float64]:
    """The probability of each question by a model that did not see its group."""
    guessed = np.zeros(len(seen.table))
    for train, test in GroupKFold(5).split(seen.table, groups=seen.group):
        model = fit(train)
        guessed[test] = [model.probability(dict(zip(GATE_FEATURES, row, strict=True))) for row in seen.table[test]]
    return guessed


def _gate_model(table: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> GateModel:
    x, mean, scale = _standardised(table)
    model = LogisticRegression(C=0.02, class_weight={True: 1.0, False: 2.0}, max_iter=3000).fit(x, truth, weights)
    # the questions of a deployment hold fewer unanswerable ones than hard training does, but a wrong answer costs more
    bias = float(model.intercept_[0]) + np.log(0.46 / 0.54)
    return GateModel(GATE_FEATURES, mean, scale, model.coef_[0], bias)


def _direct_model(table: NDArray[np.float64], truth: NDArray[np.bool_]) -> GateModel:
    x, mean, scale = _standardised(table)
    model = LogisticRegression(C=0.03, max_iter=3000).fit(x, truth)
    return GateModel(GATE_FEATURES, mean, scale, model.coef_[0], float(model.intercept_[0]))


def _standardised(
    table: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    mean, scale = table.mean(0), table.std(0)
    scale[scale < 1e-3] = 1.0  # never seen to differ
    return (table - mean) / scale, mean, scale


def gate_row(bot: Bot, finder: EvidenceFinder, asked: Asked) -> list[float]:
    query = query_of(bot, asked)
    told = bot._told(query, asked.history)
    vectors = bot._vectors(query, told=told)
    hits = bot._search(query, 40, vectors[0])
    evidence = finder.find(query, vectors, hits, told)
    found = gate_features(
        query, evidence, bot.vocabulary, finder.gaps(query, evidence), bot._passage_score(evidence, hits)
    )
    return [found[name] for name in GATE_FEATURES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the models that the product uses")
    parser.add_argument("--gold-only", action="store_true", help="fit on the dev split alone, to compare")
    arguments = parser.parse_args()
    bots = [Bot.open(load_settings(), is_warm=False), without_questions()]
    asked = [item for item in load_asked() if item.is_gold or not arguments.gold_only]
    join = fit_joined(bots[0])
    for bot in bots:
        bot._join = join
    both = [(observe(bots[0], item), bots[0]) for item in asked]
    both += [(observe(bots[1], item), bots[1]) for item in asked[::2]]
    ranking = fit_looks(both, bots[0])
    found = see(bots, asked, ranking)
    gate, direct = fit_gate(found), fit_direct(found)
    if arguments.write:
        facts = {
            "fitted_for": bots[0]._index.manifest.encoder.model,
            "ranking": ranking.first.to_record(),
            "second": ranking.second.to_record(),
            "joined": join.weights,
            "follow_up": ranking.follow_up.to_record(),
            "gate": gate.to_record(),
            "direct": direct.to_record(),
            # of training.fit_cards, to be fitted anew after this
            **{name: json.loads(OUT.read_text("utf-8"))[name] for name in ("cards", "disputes")},
        }
        OUT.write_text(json.dumps(facts) + "\n", "utf-8")


if __name__ == "__main__":
    main()
