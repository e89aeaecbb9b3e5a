"""Fit what decides whether a disagreement bears on the question: the probability behind a card.

Data: ``training/cards.jsonl``: questions of ``training/questions-*.jsonl``, a statement of each side, and a person's
verdict: "apt" (the sides differ on what was asked), "beside" (they differ on something else) or "wrong" (they do not
differ). No gold question is among them.

Run after ``training.fit_answers --write``: ``python -m training.fit_cards [--write]``; writes the part "cards" of
``src/gmedbot/data/answer-weights.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gmedbot.answer.ranking import CARD_FEATURES, CardModel
from gmedbot.bot import Bot
from gmedbot.settings import load_settings
from gmedbot.types import AskOptions

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "gmedbot" / "data" / "answer-weights.json"
STRENGTH = 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the model that the product uses")
    arguments = parser.parse_args()
    bot = Bot.open(load_settings(corpus=ROOT / "corpus", index=ROOT / "index"), is_warm=False)
    verdicts: dict[str, dict[frozenset[str], str]] = {}
    for line in (ROOT / "training" / "cards.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        verdicts.setdefault(row["question"], {})[frozenset((row["first"], row["second"]))] = row["verdict"]
    seen: list[tuple[float, ...]] = []
    is_apt: list[bool] = []
    groups: list[str] = []
    for question, known in verdicts.items():
        query, _ = bot.understand(question)
        evidence, verdict = bot._look(query, AskOptions(), lambda name: None)
        if not verdict.is_answerable:
            continue
        chosen = bot._composer._choose(query, evidence, is_short=False)
        for dispute in bot._composer.disputes(query, chosen, evidence):
            sides = [dispute.item.finding, *dispute.rivals]
            texts = [{bot._index.claims[bot._index.claim_row[name]].text for name in side.supporters} for side in sides]
            found = {label for pair, label in known.items() if is_of(texts, pair)}
            if found:
                seen.append(dispute.seen)
                is_apt.append("apt" in found)
                groups.append(question)
    table, truth = np.array(seen), np.array(is_apt)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))
    guessed = cross_val_predict(pipeline, table, truth, groups=groups, cv=GroupKFold(5), method="predict_proba")[:, 1]
    total = sum(map(len, verdicts.values()))
    sys.stdout.write(
        f"{len(truth)} of {total} judged disagreements found, {truth.mean():.3f} apt; "
        f"cross-validated AUROC {roc_auc_score(truth, guessed):.3f}\n"
    )
    for least in (0.4, 0.5, 0.6, 0.7, 0.8):
        shown = guessed >= least
        sys.stdout.write(f"shown from {least}: precision {truth[shown].mean():.3f}, recall {shown[truth].mean():.3f}\n")
    if arguments.write:
        scaler, model = pipeline.fit(table, truth)
        weights = model.coef_[0] / scaler.scale_
        record = json.loads(OUT.read_text("utf-8"))
        record["cards"] = CardModel(weights, float(model.intercept_[0] - weights @ scaler.mean_)).to_record()
        assert set(record["cards"]) == {*CARD_FEATURES, "bias"}
        OUT.write_text(json.dumps(record) + "\n", "utf-8")


def is_of(texts: list[set[str]], pair: frozenset[str]) -> bool:
    """Whether one statement of a judged pair stands on the first side of a dispute and the other on another side."""
    first, rest = texts[0], set().union(*texts[1:])
    one, other = (*pair, *pair)[:2]
    return (one in first and other in rest) or (other in first and one in rest)


if __name__ == "__main__":
    main()
