"""Fit the model that knows red flags from examples (``gmedbot.conversation.alarm``).

Data: ``training/safety-*.jsonl``, hand-written by writers who knew neither the rules nor the gold messages (the fifth file was the
blind set before, and rules were mended after it had been read), and the
dev split of ``evaluation/safety.jsonl``. The test split is never read. Each writer is left out in turn to see what the model
makes of people whom it has not read; the two thresholds are chosen from that.

Run: ``python -m training.fit_alarm [--write]`` after an index was built; writes ``src/gmedbot/data/alarm-weights.npz``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from gmedbot.conversation.alarm import ALARM_LABELS, AlarmModel, ngrams
from gmedbot.conversation.safety import SafetyRules
from gmedbot.encoder import DEFAULT_MODEL
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "gmedbot" / "data" / "alarm-weights.npz"
NONE = "none"
STRENGTH = 10.0
#: Share of the left-out harmless messages that may raise a flag by the model alone. They were written to be mistaken, so
#: that ordinary questions raise far fewer.
ALARMS = 0.03


class Messages(NamedTuple):
    """texts, labels ("none", one of ``ALARM_LABELS``, or "flag" where only the rule is known) and writers, row by row."""

    texts: list[str]
    labels: list[str]
    writers: list[str]


def read_messages() -> Messages:
    found = Messages([], [], [])
    for path in sorted((ROOT / "training").glob("safety-*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            for column, value in zip(found, (row["text"], row["label"], path.stem), strict=True):
                column.append(value)
    for line in (ROOT / "evaluation" / "safety.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["split"] == "dev":
            label = "flag" if row["label"] == "red-flag" else NONE
            for column, value in zip(found, (row["text"], label, "gold"), strict=True):
                column.append(value)
    return found


class Fitted(NamedTuple):
    words: TfidfVectorizer
    model: LogisticRegression

    def odds(self, texts: list[str], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        odds: NDArray[np.float64] = self.model.decision_function(
            hstack([csr_matrix(vectors), self.words.transform(texts)])
        )
        return odds


def fit(texts: list[str], vectors: NDArray[np.float32], is_flag: NDArray[np.bool_]) -> Fitted:
    words = TfidfVectorizer(analyzer=lambda text: list(ngrams(text).elements()), min_df=2, sublinear_tf=True)
    table = hstack([csr_matrix(vectors), words.fit_transform(texts)])
    return Fitted(words, LogisticRegression(C=STRENGTH, max_iter=3000).fit(table, is_flag))


def left_out(messages: Messages, vectors: NDArray[np.float32], is_flag: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log-odds of each message by a model that has not read its writer."""
    odds = np.zeros(len(messages.texts))
    writers = np.array(messages.writers)
    for writer in sorted(set(messages.writers)):
        read, unread = np.flatnonzero(writers != writer), np.flatnonzero(writers == writer)
        fitted = fit([messages.texts[row] for row in read], vectors[read], is_flag[read])
        odds[unread] = fitted.odds([messages.texts[row] for row in unread], vectors[unread])
    return odds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the model that the product uses")
    arguments = parser.parse_args()
    messages = read_messages()
    settings = load_settings(corpus=ROOT / "corpus", index=ROOT / "index")
    vectors = BuiltIndex(Store(settings.index)).encoder.encode(messages.texts)
    rules = SafetyRules.load(ROOT / "corpus" / "safety.yaml")
    is_flag = np.array([label != NONE for label in messages.labels])
    is_ruled = np.array([rules.screen(text) is not None for text in messages.texts])
    odds = left_out(messages, vectors, is_flag)
    raises = float(np.quantile(odds[~is_flag & ~is_ruled], 1 - ALARMS))
    # a rule that is right is never taken back: a step further than where any right one lies
    overrules = float(np.floor(odds[is_flag & is_ruled].min())) - 1
    fires = (is_ruled & (odds > overrules)) | (odds > raises)
    sys.stdout.write(f"raises from {raises:.2f}, overrules below {overrules:.1f}; each writer unread by the model:\n")
    for writer in sorted(set(messages.writers)):
        own = np.array(messages.writers) == writer
        figures = [f"{found[own & kind].mean():.3f}" for found in (is_ruled, fires) for kind in (is_flag, ~is_flag)]
        sys.stdout.write(
            f"{writer}: rules recall {figures[0]}, alarms {figures[1]}; with the model {figures[2]}, {figures[3]}\n"
        )
    if not arguments.write:
        return
    fitted = fit(messages.texts, vectors, is_flag)
    dim = vectors.shape[1]
    weights = fitted.model.coef_[0]
    names, inverse = fitted.words.get_feature_names_out().tolist(), fitted.words.idf_.tolist()
    known = np.flatnonzero([label in ALARM_LABELS for label in messages.labels])
    kinds = LogisticRegression(C=STRENGTH, max_iter=3000).fit(vectors[known], [messages.labels[row] for row in known])
    order = [kinds.classes_.tolist().index(label) for label in ALARM_LABELS]
    AlarmModel(
        fitted_for=DEFAULT_MODEL,
        words={name: (idf, weight) for name, idf, weight in zip(names, inverse, weights[dim:].tolist(), strict=True)},
        vector=weights[:dim].astype(np.float32),
        bias=float(fitted.model.intercept_[0]),
        kinds=np.hstack([kinds.coef_, kinds.intercept_[:, None]])[order].astype(np.float32),
        raises=raises,
        overrules=overrules,
    ).save(OUT)


if __name__ == "__main__":
    main()
