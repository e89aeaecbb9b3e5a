"""A larger pair reader, to teach the small one: all-mpnet-base-v2 learns the same pairs, then says what it thinks of many more.

The shipped reader has six narrow layers and a build asks it about tens of thousands of pairs, so it must stay small; what
it lacks is not examples but a feeling for language (docs/decisions/0019). A larger network that learned from the same pairs
has more of it, and passes it on by its log-odds for pairs that nobody labelled (Hinton et al. 2015). What it learned itself is where ``training.train_large``
begins.

Weights: all-mpnet-base-v2 (Apache-2.0), which ``make setup`` installs; see ``gmedbot.claims.large``.

Run::

    python -m training.teacher learn --model teacher.pt   # 40 minutes on 2 cores with bfloat16 matrices (AMX)
    python -m training.teacher teach --model teacher.pt --out taught.npz
    python -m training.train_relator --taught taught.npz ...
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmedbot.claims.large import unpack
from gmedbot.claims.ledger import build_ledger
from gmedbot.claims.reader import LABELS
from gmedbot.claims.relator import Relator
from gmedbot.claims.vocabulary import load_vocabulary
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from training.fit_relations import packaged_encoder
from training.train_relator import (
    DRAWN,
    MAX_TOKENS,
    ROOT,
    SEED,
    load_candidates,
    load_clusters,
    load_pairs,
    load_partners,
    load_triplets,
    macro_f1,
)  # fmt: skip

DIM = 768
BATCH = 32
#: Unlabelled and labelled pairs of training statements that the teacher is asked about.
CROSSED, LABELLED = 25_000, 6_000
_NEAREST = 24  #: neighbours of a statement of which one is drawn


class Teacher(torch.nn.Module):
    """MPNet over "a </s></s> b", mean-pooled, and a linear head with three outputs."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        super().__init__()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.network: Any = AutoModel.from_pretrained(folder)
        self.drop = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(DIM, len(LABELS))
        for parameter in self.network.embeddings.parameters():
            parameter.requires_grad = False

    def forward(self, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
        """(n_pairs, 3) log-odds in the order of ``LABELS``."""
        first, second = map(list, zip(*pairs, strict=True))
        batch = self.tokenizer(first, second, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.network(**batch).last_hidden_state
            weights = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            logits: torch.Tensor = self.head(self.drop((hidden * weights).sum(1) / weights.sum(1)))
        return logits.float()

    @torch.no_grad()
    def read(self, pairs: Sequence[tuple[str, str]], batch: int = 64) -> NDArray[np.float32]:
        """Log-odds of many pairs, each in the order of its texts, (n_pairs, 3); shows progress."""
        self.eval()
        ordered = [(a, b) if a <= b else (b, a) for a, b in pairs]
        rows = sorted(range(len(ordered)), key=lambda row: len(ordered[row][0]) + len(ordered[row][1]))
        found, began, told = np.zeros((len(ordered), len(LABELS)), dtype=np.float32), time.time(), 0.0
        for start in range(0, len(rows), batch):
            chosen = rows[start : start + batch]
            found[chosen] = self([ordered[row] for row in chosen]).numpy()
            if time.time() - told > 30 and len(rows) > 5000:
                told = time.time()
                sys.stderr.write(f"read {start} of {len(rows)}, {told - began:.0f} s\n")
        return found


def training_pairs(known: float) -> list[dict[str, Any]]:
    """All labelled pairs but those held out; "drawn" is the chance of one to be read in an epoch."""
    pairs = load_pairs(sorted((ROOT / "training").glob("pairs-*.jsonl")))
    pairs += [{**row, "drawn": known} for row in load_triplets(False) + load_clusters(False)]
    return pairs + load_candidates(False) + load_partners(False)


class _Listener:
    """A reader that only remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]:
        self.asked += pairs
        return np.zeros((len(pairs), len(LABELS)))


def corpus_pairs() -> list[tuple[str, str]]:
    """The pairs of statements that a build has read, without those of a statement of the test split."""
    index, listener = BuiltIndex(Store(ROOT / "index")), _Listener()
    vocabulary = load_vocabulary(ROOT / "corpus" / "vocabulary")
    build_ledger(
        index.claims, index.sources, vocabulary, np.asarray(index.claim_vectors), ROOT / "corpus" / "reviews.yaml",
        Relator(vocabulary, listener),
    )  # fmt: skip
    gold = load_pairs([ROOT / "evaluation" / "pairs.jsonl"], "test")
    gold += load_pairs([ROOT / "evaluation" / "neighbours.jsonl"])
    unseen = {row[side] for row in gold for side in ("a", "b")}
    return sorted({_ordered(a, b) for a, b in listener.asked if not unseen & {a, b}})


def crossed_pairs(rows: Sequence[dict[str, Any]], rng: random.Random) -> list[tuple[str, str]]:
    """``CROSSED`` pairs of training statements that nobody labelled: each with one of its nearest of another row."""
    labelled = {_ordered(row["a"], row["b"]) for row in rows}
    texts = sorted({row[side] for row in rows for side in ("a", "b")})
    vectors = packaged_encoder().encode(texts)
    found: set[tuple[str, str]] = set()
    for place in rng.sample(range(len(texts)), min(CROSSED, len(texts))):
        near = np.argpartition(-(vectors @ vectors[place]), _NEAREST)[:_NEAREST].tolist()
        others = [
            pair for other in near if other != place and (pair := _ordered(texts[place], texts[other])) not in labelled
        ]
        found.update(rng.sample(others, min(1, len(others))))
    return sorted(found)


def _ordered(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a <= b else (b, a)


def drawn(pairs: Sequence[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    """One epoch of ``pairs``, each in one of its two orders."""
    chosen = [r for r in pairs if rng.random() < r.get("drawn", 1.0) * (1 if r.get("weight", 1.0) >= 1 else DRAWN)]
    return [row if rng.random() < 0.5 else {**row, "a": row["b"], "b": row["a"]} for row in chosen]


def batches(rows: Sequence[dict[str, Any]], rng: random.Random) -> Iterator[list[dict[str, Any]]]:
    """Rows of like length together, in an order of chance."""
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i]["a"]) + len(rows[i]["b"])) // 40 + rng.random())
    chunks = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    rng.shuffle(chunks)
    return ([rows[i] for i in chunk] for chunk in chunks)


def descend(
    teacher: torch.nn.Module,
    chunks: Sequence[list[dict[str, Any]]],
    groups: list[dict[str, Any]],
    warm: float,
    decay: float = 0.01,
) -> None:
    """Learn from batches of pairs in their order; tells the loss.

    Args: groups: parameters with their highest learning rates, which rise over the share ``warm`` of the steps and then fall.
        decay: weight decay.
    """
    free = [parameter for group in groups for parameter in group["params"]]
    optimiser = torch.optim.AdamW(groups, weight_decay=decay)
    steps = len(chunks)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, step / (warm * steps + 1)) * max(0.02, (steps - step) / steps)
    )
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.05, reduction="none")
    teacher.train()
    began, total = time.time(), 0.0
    for step, batch in enumerate(chunks, 1):
        labels = torch.tensor([LABELS.index(row["relation"]) for row in batch])
        shares = torch.tensor([row.get("weight", 1.0) for row in batch])
        loss = (loss_of(teacher([(row["a"], row["b"]) for row in batch]), labels) * shares).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(free, 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        total += loss.item()
        if step % 100 == 0:
            sys.stderr.write(f"{step} of {steps}: loss {total / 100:.3f}, {time.time() - began:.0f} s\n")
            total = 0.0


def report(teacher: Teacher, sets: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Tell macro-F1 on sets of labelled pairs."""
    for name, rows in sets.items():
        said = [LABELS[i] for i in teacher.read([(row["a"], row["b"]) for row in rows]).argmax(1)]
        sys.stderr.write(f"{name}: macro-F1 {macro_f1([row['relation'] for row in rows], said):.3f}\n")


def learn(teacher: Teacher, rate: float, known: float) -> None:
    """One epoch over the training pairs; tells the loss, and macro-F1 on pairs that were held out at the end."""
    rng = random.Random(SEED)
    chunks = list(batches(drawn(training_pairs(known), rng), rng))
    others = [p for p in teacher.parameters() if p.requires_grad and p is not teacher.head.weight]
    descend(teacher, chunks, [{"params": others, "lr": rate}, {"params": [teacher.head.weight], "lr": rate * 10}], 0.06)
    check = load_pairs([ROOT / "training" / "check-pairs.jsonl"])
    report(teacher, {"check": check, "candidates": load_candidates(True)})


def teach(teacher: Teacher, out: Path, known: float) -> None:
    """Write what the teacher thinks of the pairs of the corpus and of the training pairs that one epoch draws."""
    rng = random.Random(SEED + 1)
    rows = training_pairs(known)
    labelled = rng.sample(drawn(rows, rng), LABELLED)
    pairs = sorted({*corpus_pairs(), *crossed_pairs(rows, rng), *(_ordered(row["a"], row["b"]) for row in labelled)})
    texts = sorted({text for pair in pairs for text in pair})
    place = {text: number for number, text in enumerate(texts)}
    np.savez_compressed(
        out,
        texts=np.array(texts),
        pairs=np.array([(place[a], place[b]) for a, b in pairs], dtype=np.int32),
        logits=teacher.read(pairs).astype(np.float16),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("learn", "teach"))
    parser.add_argument("--model", type=Path, required=True, help="what was learned (a torch file): written, or read")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "gmedbot-teacher")
    parser.add_argument("--rate", type=float, default=3e-5)
    parser.add_argument("--known", type=float, default=0.5, help="share of triplets and clusters that is read")
    parser.add_argument("--out", type=Path, default=None, help="what the teacher thinks (npz)")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    teacher = Teacher(unpack(arguments.cache))
    if arguments.what == "learn":
        learn(teacher, arguments.rate, arguments.known)
        torch.save(teacher.state_dict(), arguments.model)
    elif arguments.out is None:
        parser.error("teach needs --out FILE.npz")
    else:
        teacher.load_state_dict(torch.load(arguments.model, weights_only=True))
        teach(teacher, arguments.out, arguments.known)


if __name__ == "__main__":
    main()
