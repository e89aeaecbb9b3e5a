"""Adapt the packaged encoder to this field: questions of learners are drawn to the sentences that answer them.

Data: ``training/questions-*.jsonl``, hand-written questions with the sentences that answer them, and the learners'
questions of ``corpus/questions``; no sentence that is a gold answer of a test question, nor one that says the same, is used. Loss: in-batch negatives with the hard negatives that the writers named (multiple
negatives ranking loss, Henderson et al. 2017). Only the upper layers learn; what they learn is stored as a difference
to the packaged weights, 8 bits a value (``gmedbot.adapter``).

Run: ``python -m training.adapt_encoder`` (about 10 minutes on 2 cores). Prints nDCG@10 of plain cosine over claims on
the dev questions after every epoch; writes ``src/gmedbot/data/encoder-adapter.npz`` with ``--write``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from gmedbot.adapter import adapter_path, save_adapter
from gmedbot.conversation.followup import conversation_text
from gmedbot.corpus.questions import read_questions
from gmedbot.encoder import packaged_model
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261122
BATCH = 24
SCALE = 20.0
#: Examples of one group that an epoch draws: the learners' questions are many and must not drown the judged ones.
DRAWN = 3000


@dataclass(frozen=True)
class Example:
    """A question, the sentences that answer it, those that help, and look-alikes that do not."""

    question: str
    best: tuple[str, ...]
    good: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def load_examples() -> list[list[Example]]:
    """Examples by the file they stand in: sentences of another file were not judged by the same writer, so that only
    examples of one file are put into one batch."""
    groups: list[list[Example]] = []
    for path in sorted((ROOT / "training").glob("questions-*.jsonl")):
        rows = _lines(path)
        groups.append(
            [Example(r["question"], tuple(r["best"]), tuple(r.get("good", ())), tuple(r.get("not", ()))) for r in rows]
        )
    # not dialogues-3: the ranking is fitted on conversations that the encoder has not learned
    paths = (ROOT / "training" / name for name in ("dialogues.jsonl", "dialogues-2.jsonl"))
    dialogues = [row["turns"] for path in paths for row in _lines(path)]
    turns = [turn for row in dialogues for turn in row if turn["best"]]
    groups.append([Example(turn["standalone"], tuple(turn["best"])) for turn in turns])
    groups.append([example for row in dialogues for example in _follow_ups(row)])
    groups.append(learners_questions())
    return [group for group in groups if group]


def _follow_ups(turns: Sequence[Mapping[str, Any]]) -> Iterator[Example]:
    """Follow-ups behind their conversation, as the product encodes them: drawn to what answers them and to the question as
    a careful person would have put it (Yu et al. 2021, ConvDR)."""
    for place, turn in enumerate(turns):
        if place and turn["best"]:
            asked = conversation_text(turn["question"], [earlier["question"] for earlier in turns[:place]])
            yield Example(asked, (*turn["best"] * 2, turn["standalone"]))


def learners_questions() -> list[Example]:
    """Each question beside a statement: it is drawn to the statement and, less often, to the other questions of it."""
    same = same_statements()
    held_out = {text for _, grades in gold_questions("test") for quote in grades for text in same.get(quote, {quote})}
    examples: list[Example] = []
    for item in read_questions(ROOT / "corpus"):
        if item.statement in held_out:
            continue
        others = tuple(sorted(same.get(item.statement, set()) - {item.statement}))
        for text in item.asked:
            siblings = tuple(other for other in item.asked if other != text)
            examples.append(Example(text, (item.statement,) * 3 + siblings[:1], (*others, *siblings)))
    return examples


def same_statements() -> dict[str, set[str]]:
    """statement → the statements of its finding in the built index."""
    index = BuiltIndex(Store(ROOT / "index"))
    same: dict[str, set[str]] = {}
    for finding in index.findings:
        texts = {index.claims[index.claim_row[name]].text for name in finding.supporters}
        for text in texts:
            same.setdefault(text, set()).update(texts)
    return same


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def gold_questions(split: str) -> list[tuple[str, dict[str, int]]]:
    """(question, quote → grade) of one split of the gold questions."""
    rows = [
        json.loads(line)
        for path in sorted((ROOT / "evaluation").glob("questions-*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return [(r["question"], {g["quote"]: g["grade"] for g in r["gold"]}) for r in rows if r["split"] == split]


def gold_follow_ups(split: str) -> list[tuple[str, dict[str, int]]]:
    """(follow-up behind its conversation, quote → grade) of one split of the gold dialogues."""
    found = []
    for path in sorted((ROOT / "evaluation").glob("dialogues-*.jsonl")):
        for row in _lines(path):
            asked = [turn["question"] for turn in row["turns"]]
            for place, turn in enumerate(row["turns"]):
                if row["split"] == split and place and turn["gold"]:
                    grades = {gold["quote"]: gold["grade"] for gold in turn["gold"]}
                    found.append((conversation_text(asked[place], asked[:place]), grades))
    return found


def corpus_claims() -> list[str]:
    return sorted({claim.text for claim in BuiltIndex(Store(ROOT / "index")).claims})


class Network:
    """The transformer with mean pooling, as the packaged model is used."""

    def __init__(self, trained_layers: int) -> None:
        base = SentenceTransformer(str(packaged_model()), device="cpu")
        transformer: Any = base[0]
        self.model = getattr(transformer, "model", None) or transformer.auto_model
        self.tokenizer = base.tokenizer
        frozen = len(self.model.encoder.layer) - trained_layers
        for parameter in self.model.embeddings.parameters():
            parameter.requires_grad = False
        for layer in self.model.encoder.layer[:frozen]:
            for parameter in layer.parameters():
                parameter.requires_grad = False
        self.trained = [p for p in self.model.parameters() if p.requires_grad]

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """(n, dim) unit rows, with gradients where they are on."""
        batch = self.tokenizer(list(texts), padding=True, truncation=True, max_length=96, return_tensors="pt")
        hidden = self.model(**batch).last_hidden_state
        weights = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        return torch.nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)

    @torch.no_grad()
    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.model.eval()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = np.zeros((len(texts), 384), dtype=np.float32)
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            out[rows] = self.encode([texts[i] for i in rows]).numpy()
        return out


def ndcg10(network: Network, claims: Sequence[str], questions: Sequence[tuple[str, dict[str, int]]]) -> float:
    matrix = network.vectors(claims)
    asked = network.vectors([question for question, _ in questions])
    scores = asked @ matrix.T
    discounts = 1 / np.log2(np.arange(2, 12))
    values = []
    for row, (_, grades) in enumerate(questions):
        top = np.argsort(-scores[row])[:10]
        gains = np.array([2.0 ** grades.get(claims[i], 0) - 1 for i in top])
        ideal = np.sort([2.0**grade - 1 for grade in grades.values()])[::-1][:10]
        values.append(float((gains * discounts).sum() / (ideal * discounts[: len(ideal)]).sum()))
    return float(np.mean(values))


def train(
    network: Network, groups: Sequence[Sequence[Example]], epochs: int, rate: float, anchor: float, check: Any
) -> None:
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    optimiser = torch.optim.AdamW(network.trained, lr=rate, weight_decay=0.01)
    steps = epochs * sum(min(DRAWN, len(group)) // BATCH + 1 for group in groups)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (0.1 * steps)) * max(0.0, (steps - step) / steps)
    )
    start = {id(p): p.detach().clone() for p in network.trained}
    began = time.time()
    for epoch in range(epochs):
        network.model.train()
        batches: list[list[Example]] = []
        for group in groups:
            order = rng.sample(list(group), min(DRAWN, len(group)))
            batches += [order[place : place + BATCH] for place in range(0, len(order), BATCH)]
        rng.shuffle(batches)
        total = 0.0
        for batch in batches:
            if len(batch) < 4:
                continue
            loss = batch_loss(network, batch, rng)
            if anchor:
                loss = loss + anchor * sum(((p - start[id(p)]) ** 2).sum() for p in network.trained)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.trained, 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            total += loss.item()
        sys.stderr.write(
            f"epoch {epoch + 1}: loss {total / len(batches):.3f}, {time.time() - began:.0f} s, {check()}\n"
        )


def batch_loss(network: Network, batch: Sequence[Example], rng: random.Random) -> torch.Tensor:
    """Each question against one of its answers, all other answers of the batch and its own look-alikes."""
    positives = [rng.choice(example.best) for example in batch]
    wrong = [rng.choice(example.wrong) for example in batch if example.wrong]
    texts = [*positives, *wrong]
    scores = SCALE * network.encode([example.question for example in batch]) @ network.encode(texts).T
    mask = torch.zeros_like(scores, dtype=torch.bool)
    for row, example in enumerate(batch):
        known = {*example.best, *example.good}
        for column, text in enumerate(texts):
            mask[row, column] = column != row and text in known
    scores = scores.masked_fill(mask, -1e4)
    target = torch.arange(len(batch))
    forward = torch.nn.functional.cross_entropy(scores, target)
    backward = torch.nn.functional.cross_entropy(scores[:, : len(batch)].T, target)
    return forward + 0.3 * backward


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rate", type=float, default=4e-5)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--anchor", type=float, default=0.0)
    parser.add_argument("--write", action="store_true", help="write the adapter that the product uses")
    parser.add_argument("--out", type=Path, default=None, help="save all weights (a torch file)")
    parser.add_argument("--test", action="store_true", help="print the test split too, once, at the end")
    arguments = parser.parse_args()
    claims = corpus_claims()
    dev, later = gold_questions("dev"), gold_follow_ups("dev")
    network = Network(arguments.layers)
    sys.stderr.write(
        f"{sum(map(len, load_examples()))} questions; before: dev nDCG@10 {ndcg10(network, claims, dev):.3f}\n"
    )
    if arguments.test:
        sys.stderr.write(f"before: test {ndcg10(network, claims, gold_questions('test')):.3f}\n")
    train(
        network, load_examples(), arguments.epochs, arguments.rate, arguments.anchor,
        lambda: f"dev nDCG@10 {ndcg10(network, claims, dev):.3f}, follow-ups {ndcg10(network, claims, later):.3f}",
    )  # fmt: skip
    if arguments.test:
        sys.stderr.write(f"after: test {ndcg10(network, claims, gold_questions('test')):.3f}\n")
    if arguments.write:
        before = {name: value.numpy() for name, value in Network(0).model.state_dict().items()}
        after = {name: value.numpy() for name, value in network.model.state_dict().items()}
        save_adapter(adapter_path("encoder"), before, after)
    if arguments.out:
        torch.save(network.model.state_dict(), arguments.out)


if __name__ == "__main__":
    main()
