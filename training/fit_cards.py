"""Fit what decides whether a disagreement bears on the question: the probability behind a card.

Data: ``training/cards.jsonl``: questions of ``training/questions-*.jsonl``, a statement of each side, and a person's
verdict: "apt" (the sides differ on what was asked), "beside" (they differ on something else) or "wrong" (they do not
differ); and ``corpus/disputes.yaml``: questions on a dispute and beside it. No gold question is among them. Two models: one
for disputes with such questions, which sees how near they are, and one for those without.

Run after ``training.fit_answers --write``: ``python -m training.fit_cards [--write]``; writes the parts "cards" and
"disputes" of ``src/gmedbot/data/answer-weights.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gmedbot.answer.compose import Dispute, Found
from gmedbot.answer.conflicts import reason_between
from gmedbot.answer.ranking import CARD_FEATURES, DISPUTE_FEATURES, CardModel
from gmedbot.bot import Bot
from gmedbot.claims.reviews import dispute_reasons
from gmedbot.corpus.disputes import read_disputes
from gmedbot.index.disputes import nearest
from gmedbot.settings import load_settings
from gmedbot.types import AskOptions

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "gmedbot" / "data" / "answer-weights.json"
STRENGTH = 0.3


@dataclass(frozen=True)
class Judged:
    """A disagreement in the light of a question, and whether it bears on it. ``group``: what is never split."""

    seen: tuple[float, ...]
    is_apt: bool
    group: str
    is_card: bool  #: judged by a reader as a card, or taken from ``corpus/disputes.yaml``


def disputes_of(bot: Bot, question: str) -> list[Dispute]:
    """The disagreements that the product weighs for a question."""
    query, _ = bot.understand(question)
    evidence, verdict = bot._look(query, AskOptions(), lambda name: None)
    if not verdict.is_answerable:
        return []
    found = Found(query, bot._vectors(query)[0], evidence, verdict.is_direct)
    return bot._composer.disputes(query, bot._composer.choose(found), evidence, found.vector)


def judged_cards(bot: Bot) -> Iterator[Judged]:
    """Those that readers judged, where the product weighs them too."""
    verdicts: dict[str, dict[frozenset[str], str]] = {}
    for line in (ROOT / "training" / "cards.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        verdicts.setdefault(row["question"], {})[frozenset((row["first"], row["second"]))] = row["verdict"]
    for question, known in verdicts.items():
        for dispute in disputes_of(bot, question):
            sides = [dispute.item.finding, *dispute.rivals]
            texts = [{bot._index.claims[bot._index.claim_row[name]].text for name in side.supporters} for side in sides]
            found = {label for pair, label in known.items() if is_of(texts, pair)}
            if found:
                yield Judged(dispute.seen, "apt" in found, question, True)


def questions_on_disputes(bot: Bot) -> Iterator[Judged]:
    """Those of ``corpus/disputes.yaml``, each as if it did not stand there itself."""
    reasons = dispute_reasons(ROOT / "corpus" / "reviews.yaml")
    for row in read_disputes(ROOT / "corpus"):
        vectors = bot._index.encoder.encode([*row.asked, *row.beside])
        for place, question in enumerate((*row.asked, *row.beside)):
            for dispute in disputes_of(bot, question):
                if dispute_reason(bot, dispute) != reasons.get(row.topic):
                    continue
                cosines = vectors @ vectors[place]
                cosines[place] = -1.0
                near = (*nearest(cosines[: len(row.asked)]), *nearest(cosines[len(row.asked) :]))
                yield Judged((*dispute.seen[: len(CARD_FEATURES)], *near), place < len(row.asked), row.topic, False)
                break


def dispute_reason(bot: Bot, dispute: Dispute) -> str | None:
    return reason_between(bot._index, dispute.item.finding, dispute.rivals[0])


def fitted(rows: Sequence[Judged], names: tuple[str, ...], title: str) -> CardModel:
    """The model of the first ``len(names)`` features; how it does in cross-validation is told."""
    table = np.array([row.seen[: len(names)] for row in rows])
    truth, is_card = (np.array([getattr(row, name) for row in rows]) for name in ("is_apt", "is_card"))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))
    groups = [row.group for row in rows]
    guessed = cross_val_predict(pipeline, table, truth, groups=groups, cv=GroupKFold(5), method="predict_proba")[:, 1]
    for name, own in (("judged cards", is_card), ("questions on disputes", ~is_card)):
        if not own.any():
            continue
        area = roc_auc_score(truth[own], guessed[own])
        sys.stdout.write(
            f"{title}, {own.sum()} {name}: {truth[own].mean():.3f} apt, cross-validated AUROC {area:.3f}\n"
        )
        for least in (0.4, 0.5, 0.6, 0.7, 0.8):
            shown = guessed[own] >= least
            precision, recall = truth[own][shown].mean(), shown[truth[own]].mean()
            sys.stdout.write(f"  shown from {least}: precision {precision:.3f}, recall {recall:.3f}\n")
    scaler, model = pipeline.fit(table, truth)
    weights = model.coef_[0] / scaler.scale_
    return CardModel(names, weights, float(model.intercept_[0] - weights @ scaler.mean_))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the models that the product uses")
    arguments = parser.parse_args()
    bot = Bot.open(load_settings(corpus=ROOT / "corpus", index=ROOT / "index"), is_warm=False)
    cards = list(judged_cards(bot))
    asked = [row for row in cards if len(row.seen) > len(CARD_FEATURES)] + list(questions_on_disputes(bot))
    models = {
        "cards": fitted(cards, CARD_FEATURES, "without questions"),
        "disputes": fitted(asked, (*CARD_FEATURES, *DISPUTE_FEATURES), "with questions"),
    }
    if arguments.write:
        record = json.loads(OUT.read_text("utf-8"))
        record |= {name: model.to_record() for name, model in models.items()}
        OUT.write_text(json.dumps(record) + "\n", "utf-8")


def is_of(texts: list[set[str]], pair: frozenset[str]) -> bool:
    """Whether one statement of a judged pair stands on the first side of a dispute and the other on another side."""
    first, rest = texts[0], set().union(*texts[1:])
    one, other = (*pair, *pair)[:2]
    return (one in first and other in rest) or (other in first and one in rest)


if __name__ == "__main__":
    main()
