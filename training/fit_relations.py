"""Fit what weighs the frames and the reader: agree, conflict or different.

``frames`` (features alone) learns from all hand-written training pairs, partners and candidates; ``full`` (features and the
reader's log-odds) from pairs that the reader was not trained on: the dev split of ``evaluation/pairs.jsonl`` and
``training/check-pairs.jsonl``, and the triplets, clusters, partners and candidates held out. The test split is never read. ``frames`` is a
multinomial logistic regression, ``full`` boosted trees (docs/decisions/0013).

``second`` learns from the same pairs, with the log-odds of the larger reader too (``training.train_large``); it weighs what ``full`` does
not call different with the probability ``apart``, and is the mean of boosted trees and a logistic regression on ``FEW`` columns.

Run after ``training.train_relator --write`` and ``training.train_large --write``: ``python -m training.fit_relations [--write]``; writes
``relation-weights.json``, ``relation-trees.npz`` and ``second-trees.npz`` in ``src/gmedbot/data``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_recall_fscore_support, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from gmedbot.claims.extract import read_frame
from gmedbot.claims.features import FEATURE_NAMES
from gmedbot.claims.reader import LABELS, PairReader, export_large, export_reader
from gmedbot.claims.relator import LinearModel, Pair, observe
from gmedbot.claims.trees import TreeModel
from gmedbot.claims.vocabulary import load_vocabulary
from gmedbot.encoder import DEFAULT_MODEL, Encoder, OnnxEncoder, SentenceTransformerEncoder, packaged_digest
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from training.synthetic import make
from training.train_relator import CANDIDATES, load_candidates, load_clusters, load_partners, load_triplets

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "gmedbot" / "data" / "relation-weights.json"
TREES, SECOND = OUT.with_name("relation-trees.npz"), OUT.with_name("second-trees.npz")
#: Share of the agreements and conflicts that the frames may lose by calling them plainly different.
LOST = 0.03
#: The same for their cosine; most pairs of a corpus lie below, so that this is what keeps a build quick.
FAR = 0.1
#: Share of the agreements and conflicts that are not read again.
MISSED = 0.005
#: Confidence from which a verdict is taken into the ledger. Among the pairs of a corpus far more are different than among
#: the gold pairs, and most conflicts found at much lower confidence among the corpus' own claims were none when read.
AGREE, CONFLICT = 0.98, 0.95
SEED = 20261122
#: Columns of ``observe`` that hold the verdict by rule.
RULE = slice(len(FEATURE_NAMES), len(FEATURE_NAMES) + len(LABELS))
STRENGTH = 0.01
#: Columns for the regression of a second reading: the cosine, the verdict by rule, and both readers' log-odds.
FEW = [FEATURE_NAMES.index("cosine"), *range(len(FEATURE_NAMES), len(FEATURE_NAMES) + 3 * len(LABELS))]
#: Inverse regularisation of that regression.
LOOSE = 1.0
#: Sets that the reader was not trained on, and the weight of their pairs: dev and check are like what people compare,
#: candidates are what a build compares; the others are many and of one manner.
_READ = {"dev": 5.0, "check": 5.0, "candidates": 2.0, "partners": 1.0, "held": 1.0, "clusters": 1.0, "edited": 1.0}


def rows_of(path: Path, split: str | None = None) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row for row in rows if split is None or row["split"] == split]


def unread(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pairs that no judge of training pairs met by chance: what a reader has learned, it is too sure of."""
    files = [*(ROOT / "training").glob("pairs-*.jsonl"), *(ROOT / "training").glob("candidates-*.jsonl")]
    read = {frozenset((row["a"], row["b"])) for path in files for row in rows_of(path)}
    return [row for row in rows if frozenset((row["a"], row["b"])) not in read]


def held_clusters() -> list[dict[str, Any]]:
    """Pairs of the clusters that the reader was not trained on; a third of those that differ, which are most."""
    rows = load_clusters(True)
    return [row for place, row in enumerate(rows) if row["relation"] != "different" or place % 3 == 0]


def edited_pairs() -> list[dict[str, Any]]:
    """Statements beside themselves, and beside themselves with one thing changed (``training.synthetic``): nearly the same
    words are the same unless what was changed matters, which none of the other sets shows."""
    index = BuiltIndex(Store(ROOT / "index"))
    gold = {row[side] for row in rows_of(ROOT / "evaluation" / "pairs.jsonl") for side in ("a", "b")}
    order = [row for row, claim in enumerate(index.claims) if claim.text not in gold and row % 4 == 0]
    made = list(make(index, order, random.Random(SEED)))
    same = [(index.claims[row].text, index.claims[row].text, "agree") for row in order]
    return [{"a": a, "b": b, "relation": label} for a, b, label, *_ in (*same, *made)]


def features_of(rows: Sequence[dict[str, Any]], encoder: Any) -> NDArray[np.float64]:
    vocabulary = load_vocabulary(ROOT / "corpus" / "vocabulary")
    texts = sorted({row[side] for row in rows for side in ("a", "b")})
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    frames = {text: read_frame(text, (), vocabulary) for text in texts}
    pairs = []
    for row in rows:
        a, b = sorted((row["a"], row["b"]))
        pairs.append(Pair(frames[a], frames[b], a, b, float(round(float(vectors[a] @ vectors[b]), 4))))
    return observe(pairs, vocabulary)


def fit(table: NDArray[np.float64], labels: Sequence[str], strength: float) -> LinearModel:
    mean, scale = table.mean(0), table.std(0)
    scale[scale < 1e-3] = 1.0  # never seen to differ
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000)
    model.fit(np.clip((table - mean) / scale, -4, 4), labels)
    order = [list(model.classes_).index(label) for label in LABELS]
    return LinearModel(mean, scale, model.coef_[order], model.intercept_[order])


def trees() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=150,
        learning_rate=0.05,
        max_leaf_nodes=8,
        l2_regularization=5.0,
        class_weight="balanced",
        random_state=SEED,
    )


def fit_trees(table: NDArray[np.float64], labels: Sequence[str], weights: NDArray[np.float64]) -> TreeModel:
    """Boosted trees as arrays; they give what scikit-learn gives."""
    model = trees().fit(table, [LABELS.index(label) for label in labels], sample_weight=weights)
    grown = [tree.nodes for step in model._predictors for tree in step]  # three a step, in the order of LABELS
    shape = len(grown), max(map(len, grown))
    own = np.tile(np.arange(shape[1], dtype=np.int16), (shape[0], 1))  # what is no inner node leads to itself
    left, right, feature = own.copy(), own.copy(), np.zeros(shape, np.int16)
    threshold, value = np.zeros(shape), np.zeros(shape)
    for tree, nodes in enumerate(grown):
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        leaves = np.flatnonzero(nodes["is_leaf"] == 1)
        left[tree, inner], right[tree, inner] = nodes["left"][inner], nodes["right"][inner]
        feature[tree, inner], threshold[tree, inner] = nodes["feature_idx"][inner], nodes["num_threshold"][inner]
        value[tree, leaves] = nodes["value"][leaves]
    depth = np.array([max(int(nodes["depth"].max()) for nodes in grown)])
    found = TreeModel(feature, threshold, left, right, value, model._baseline_prediction[0], depth)
    assert np.allclose(found.probabilities(table), model.predict_proba(table), atol=1e-9)
    return found


def cross_validated(
    table: NDArray[np.float64], labels: Sequence[str], weights: NDArray[np.float64], few: Sequence[int] | None
) -> dict[str, NDArray[np.float64]]:
    """Probabilities of each pair by models that have not seen it: the trees, and beside them a logistic regression, of all
    columns or of ``few``; then also the mean of both."""
    shares = {name: np.zeros((len(labels), len(LABELS))) for name in ("trees", "logistic")}
    chosen, strength = (table, STRENGTH) if few is None else (table[:, list(few)], LOOSE)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=SEED).split(table, labels):
        own = [labels[i] for i in train]
        shares["trees"][test] = fit_trees(table[train], own, weights[train]).probabilities(table[test])
        shares["logistic"][test] = fit(chosen[train], own, strength).probabilities(chosen[test])
    if few is not None:
        shares["mean"] = (shares["trees"] + shares["logistic"]) / 2
    return shares


def report(name: str, labels: Sequence[str], shares: NDArray[np.float64]) -> None:
    said = [LABELS[i] for i in shares.argmax(1)]
    precision, recall, _, _ = precision_recall_fscore_support(labels, said, labels=list(LABELS), zero_division=0)
    area = roc_auc_score([label == "conflict" for label in labels], shares[:, 1])
    each = ", ".join(f"{label} P {p:.2f} R {r:.2f}" for label, p, r in zip(LABELS, precision, recall, strict=True))
    macro = f1_score(labels, said, average="macro")
    sys.stderr.write(f"{name}: macro-F1 {macro:.3f}, conflict AUROC {area:.3f}; {each}\n")


def report_taken(rule: NDArray[np.float64], shares: NDArray[np.float64], truth: Sequence[str]) -> None:
    """How many verdicts the ledger would take, and how many of them are right."""
    said = np.where(rule.argmax(1) == shares.argmax(1), rule.max(1), 0.0)
    sure = 1 - (1 - shares.max(1)) * (1 - said)
    for label, limit in (("agree", AGREE), ("conflict", CONFLICT)):
        taken = (shares.argmax(1) == LABELS.index(label)) & (sure >= limit)
        right = sum(truth[i] == label for i in np.flatnonzero(taken).tolist())
        sys.stderr.write(f"  {label} from {limit}: {right} of {int(taken.sum())} right, {truth.count(label)} in all\n")


def packaged_encoder() -> Encoder:
    """The encoder as an index exported it, which is quicker, or the model itself."""
    for folder in sorted((ROOT / "index" / "encoders").glob("[0-9a-f]*")):
        if not (folder / "encoder.json").is_file():
            continue
        card = (found := OnnxEncoder(folder)).card
        if card.model == DEFAULT_MODEL and card.digest == packaged_digest(DEFAULT_MODEL, card.digest):
            return found
    return SentenceTransformerEncoder()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the weights that the product uses")
    parser.add_argument(
        "--adapter", type=Path, default=None, help="report on another reader, see train_relator --adapter"
    )
    parser.add_argument(
        "--large", type=Path, default=None, help="the same for the larger one, see train_large --adapter"
    )
    arguments = parser.parse_args()
    encoder = packaged_encoder()
    dev = unread(rows_of(ROOT / "evaluation" / "pairs.jsonl", "dev"))
    check = rows_of(ROOT / "training" / "check-pairs.jsonl")
    held = [row for row in load_triplets(True) if row["weight"] == 1]
    own = {
        "edited": edited_pairs(),
        "held": held,
        "clusters": held_clusters(),
        "partners": load_partners(True),
        "candidates": load_candidates(True),
    }
    train = [row for path in sorted((ROOT / "training").glob("pairs-*.jsonl")) for row in rows_of(path)]
    # the later files hold what a reader thought likely to be related: to frames, nearness would no longer mean anything
    train += [*load_candidates(False, CANDIDATES[:4]), *(row for row in load_partners(False) if "weight" not in row)]
    sets = {"dev": dev, "check": check, **own, "train": train}
    labels = {name: [row["relation"] for row in rows] for name, rows in sets.items()}
    table = {name: features_of(rows, encoder) for name, rows in sets.items()}
    frames = fit(table["train"], labels["train"], 0.03)
    report("frames alone, trained on the training pairs, on dev", labels["dev"], frames.probabilities(table["dev"]))
    told = ("dev", "check", "candidates")
    shares = np.vstack([frames.probabilities(table[name]) for name in told])
    truth = [label for name in told for label in labels[name]]
    related = np.array([label != "different" for label in truth])
    plain = float(np.quantile(shares[related, 2], 1 - LOST))
    cosine = FEATURE_NAMES.index("cosine")
    wrote = len(labels["dev"]) + len(labels["check"])  # candidates were chosen by their cosine
    cosines = np.concatenate([table[name][:, cosine] for name in ("dev", "check")])
    near = float(np.quantile(cosines[related[:wrote]], FAR))
    sys.stderr.write(f"read from a cosine of {near:.3f}\n")
    sys.stderr.write(
        f"plainly different from {plain:.3f}: {(shares[~related, 2] >= plain).mean():.2f} of the different pairs\n"
    )
    first, again = read_all(sets, arguments.adapter, arguments.large)
    truth = [label for name in _READ for label in labels[name]]
    weights = np.concatenate([np.full(len(labels[name]), weight) for name, weight in _READ.items()])
    known = np.vstack([np.hstack([table[name], first[name]]) for name in _READ])
    both = np.hstack([known, np.vstack([again[name] for name in _READ])])
    shares = report_all("read once", known, labels, weights)
    related = np.array([label != "different" for label in truth])
    apart = float(np.quantile(shares[related, 2], 1 - MISSED))
    sys.stderr.write(f"apart from {apart:.3f}: {(shares[~related, 2] >= apart).mean():.2f} of the different pairs\n")
    twice = report_all("read twice", both, labels, weights, FEW)
    doubtful = shares[:, 2] < apart
    report("as a build reads them", truth, np.where(doubtful[:, np.newaxis], twice, shares))
    full, second = fit_trees(known, truth, weights), fit_trees(both, truth, weights)
    if arguments.write and arguments.adapter is None and arguments.large is None:
        names = [*FEATURE_NAMES, *(f"rule {label}" for label in LABELS)]
        names += [f"{which} {label}" for which in ("reader", "larger reader") for label in LABELS]
        record = {
            "features": names, "frames": frames.to_record(), "plain": round(plain, 4), "near": round(near, 4),
            "apart": round(apart, 4), "agree": AGREE, "conflict": CONFLICT,
            "second": fit(both[:, FEW], truth, LOOSE).to_record(), "columns": FEW,
        }  # fmt: skip
        OUT.write_text(json.dumps(record) + "\n", "utf-8")
        full.save(TREES)
        second.save(SECOND)


Logits = dict[str, NDArray[np.float64]]


def read_all(
    sets: Mapping[str, Sequence[dict[str, Any]]], adapter: Path | None, large: Path | None
) -> tuple[Logits, Logits]:
    """Log-odds of the pairs of each set by the reader and by the larger one; tells how each does alone."""
    found: tuple[Logits, Logits] = ({}, {})
    with tempfile.TemporaryDirectory() as folder:
        small: PairReader = export_reader(Path(folder), adapter)
        export_large(Path(folder), large)
        readers = ("reader", small), ("larger reader", PairReader(Path(folder), mode="large"))
        for (kind, reader), logits in zip(readers, found, strict=True):
            for name in _READ:
                rows = sets[name]
                logits[name] = reader.read([(row["a"], row["b"]) for row in rows])
                odds = np.exp(logits[name] - logits[name].max(1, keepdims=True))
                truth = [row["relation"] for row in rows]
                report(f"{kind} alone on {name}", truth, odds / odds.sum(1, keepdims=True))
    return found


def report_all(
    what: str,
    table: NDArray[np.float64],
    labels: Mapping[str, Sequence[str]],
    weights: NDArray[np.float64],
    few: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """Tell how trees, or with ``few`` columns their mean with a regression, do on pairs that they have not seen, all and by
    set; returns these probabilities."""
    truth = [label for name in _READ for label in labels[name]]
    ends = np.cumsum([len(labels[name]) for name in _READ]).tolist()
    found = cross_validated(table, truth, weights, few)
    for kind, shares in found.items():
        report(f"{what}, {kind}, cross-validated, all", truth, shares)
        for name, start, end in zip(_READ, [0, *ends], ends, strict=False):
            report(f"{what}, {kind}, of these {name}", truth[start:end], shares[start:end])
            report_taken(table[start:end, RULE], shares[start:end], truth[start:end])
    return found["mean" if few else "trees"]


if __name__ == "__main__":
    main()
