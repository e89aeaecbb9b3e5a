"""Train the pair reader: a MiniLM that reads two claims together and weighs agree, conflict and different.

Data: ``training/pairs-*.jsonl``, ``triplets-*.jsonl``, ``clusters-*.jsonl``, ``partners-*.jsonl`` and ``verdicts-*.jsonl`` (hand-written) and
``candidates-*.jsonl`` (statements of the corpus, judged), none of whose sentences stands in a test split; the dev split of
``evaluation/pairs.jsonl`` is only looked at. Start: the packaged all-MiniLM-L6-v2; its word embeddings stay frozen, so only
the six layers and a head are learned; they are stored as a difference to the packaged weights (``gmedbot.adapter``).

Run: ``python -m training.train_relator`` (about 25 minutes an epoch on 2 cores). ``--write`` stores
``src/gmedbot/data/relator-adapter.npz``. The packaged reader was made in six runs, each kept with ``--adapter FILE`` and
continued with ``--start FILE`` (docs/decisions/0006, 0009, 0013, 0018, 0019): pairs and triplets for two epochs, the same for
two more at ``--rate 4e-5``, with the clusters for one at ``--rate 6e-5 --batch 32``, with the candidates for three at
``--rate 5e-5 --batch 32 --known 0.4 --layers 4``, with the partners for one at the same with ``--known 0.15``, and with the verdicts
and what ``training.teacher`` thinks (``--taught FILE``) for one at ``--rate 6e-5 --batch 32 --known 0.3 --bf16``; then the mean
of the last two (``--average FIFTH SIXTH --share 0.5``, Wortsman et al. 2022) went on for one epoch each
with ``--bf16 --batch 32`` and ``--grammar 24000 --known 0.15 --partners 0.3 --seed 11 --words 1 1``, ``--grammar 45000 --known 0.12
--partners 0.45 --seed 12 --words 2 1`` and ``--grammar 50000 --known 0.12 --partners 0.45 --seed 13 --words 3 1``; the packaged one is
the mean of what they began with and what they ended with (``--share 0.75``). ``--made`` adds the pairs of ``training.synthetic``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import zlib
from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmedbot.adapter import adapter_path, apply_adapter, read_adapter, save_adapter
from gmedbot.encoder import load_network, packaged_model
from training.grammar import made_pairs, read_words

LABELS = ("agree", "conflict", "different")
ROOT = Path(__file__).resolve().parents[1]
CANDIDATES = sorted((ROOT / "training").glob("candidates-*.jsonl"))
SEED = 20261122
MAX_TOKENS = 112
#: Share of the pairs of less weight that an epoch draws.
DRAWN = 0.4
#: What a label leaves to the other relations; the teacher's log-odds are divided by ``SOFTENED``.
UNSURE, SOFTENED = 0.05, 1.0
#: How often an epoch reads a related pair of the corpus' own statements, and the chance that it reads one that is not.
RELATED, UNRELATED = 3, 0.5
#: All layers; the word embeddings stay as they are.
TRAINED_LAYERS = 6


class PairReader(torch.nn.Module):
    """MiniLM over "a [SEP] b", mean-pooled, and a linear head with three outputs."""

    def __init__(self, network: torch.nn.Module, dim: int = 384) -> None:
        super().__init__()
        self.network = network
        self.drop = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(dim, len(LABELS))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        hidden = self.network(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weights).sum(1) / weights.sum(1)
        logits: torch.Tensor = self.head(self.drop(pooled))
        return logits


def load_pairs(paths: list[Path], split: str | None = None) -> list[dict[str, Any]]:
    pairs: list[dict[str, Any]] = []
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            if split is None or row.get("split") == split:
                pairs.append(row)
    return pairs


def load_triplets(is_held_out: bool) -> list[dict[str, Any]]:
    """Five pairs of each triplet: the anchor with what agrees, conflicts and differs, and, at half weight, what agrees
    with what conflicts (a conflict) and with what differs (different). Every tenth triplet is held out: ``fit_relations``
    learns from it how far the reader is to be believed."""
    pairs: list[dict[str, Any]] = []
    for path in sorted((ROOT / "training").glob("triplets-*.jsonl")):
        for place, line in enumerate(path.read_text("utf-8").splitlines()):
            row = json.loads(line)
            if (place % 10 == 0) != is_held_out:
                continue
            for first, second, relation, weight in (
                ("anchor", "agree", "agree", 1.0),
                ("anchor", "conflict", "conflict", 1.0),
                ("anchor", "different", "different", 1.0),
                ("agree", "conflict", "conflict", 0.5),
                ("agree", "different", "different", 0.5),
            ):
                if row[first] and row[second]:
                    pairs.append({"a": row[first], "b": row[second], "relation": relation, "weight": weight})
    return pairs


def load_clusters(is_held_out: bool) -> list[dict[str, Any]]:
    """All pairs of each cluster: statements of a side agree, those of two sides conflict, and those beside differ from
    every side; the last are most and count half. Every tenth cluster is held out, as of the triplets."""
    pairs: list[dict[str, Any]] = []
    for path in sorted((ROOT / "training").glob("clusters-*.jsonl")):
        for place, line in enumerate(path.read_text("utf-8").splitlines()):
            row = json.loads(line)
            if (place % 10 == 0) != is_held_out:
                continue
            sides: list[list[str]] = row["sides"]
            for side in sides:
                pairs += [{"a": a, "b": b, "relation": "agree"} for a, b in combinations(side, 2)]
                pairs += [
                    {"a": a, "b": b, "relation": "different", "weight": 0.5} for a, b in product(side, row["beside"])
                ]
            for one, other in combinations(sides, 2):
                pairs += [{"a": a, "b": b, "relation": "conflict"} for a, b in product(one, other)]
    return pairs


def load_candidates(is_held_out: bool, files: Sequence[Path] = CANDIDATES) -> list[dict[str, Any]]:
    """Pairs of the corpus' own statements that a build compares, each judged by a reader; what could go either way is left
    out. Held out are those with a statement of a twentieth of all, so that nothing of a held-out pair was read in training.
    Those that are related are few and count several times."""
    pairs: list[dict[str, Any]] = []
    for path in files:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            is_held = any(_is_held(row[side]) for side in ("a", "b"))
            if row["sure"] <= 1 or is_held != is_held_out:
                continue
            if row["relation"] == "different":
                pairs.append({**row, "drawn": UNRELATED})
            else:
                pairs += [row] * (1 if is_held_out else RELATED)
    return pairs


def load_partners(is_held_out: bool) -> list[dict[str, Any]]:
    """Pairs of each statement of the corpus with the six that were written to it (two that agree, two that conflict, two that
    are different), and among these at half weight those whose relation follows. Every tenth statement is held out, and every
    one that ``load_candidates`` holds out."""
    pairs: list[dict[str, Any]] = []
    for path in sorted((ROOT / "training").glob("partners-*.jsonl")):
        for place, line in enumerate(path.read_text("utf-8").splitlines()):
            row = json.loads(line)
            if (place % 10 == 0 or _is_held(row["anchor"])) != is_held_out:
                continue
            for relation in LABELS:
                pairs += [{"a": row["anchor"], "b": text, "relation": relation} for text in row[relation]]
            pairs += [{"a": a, "b": b, "relation": "agree", "weight": 0.5} for a, b in combinations(row["agree"], 2)]
            for relation in ("conflict", "different"):
                among = product(row["agree"], row[relation])
                pairs += [{"a": a, "b": b, "relation": relation, "weight": 0.5} for a, b in among]
    return pairs


def load_verdicts(is_held_out: bool) -> list[dict[str, Any]]:
    """Messages of learners beside a statement that says yes to them, says no, or does not decide: agree, conflict, different.
    Held out as partners are."""
    pairs: list[dict[str, Any]] = []
    for path in sorted((ROOT / "training").glob("verdicts-*.jsonl")):
        for place, line in enumerate(path.read_text("utf-8").splitlines()):
            row = json.loads(line)
            if (place % 10 == 0 or _is_held(row["statement"])) != is_held_out:
                continue
            for name, relation in (("yes", "agree"), ("no", "conflict"), ("unclear", "different")):
                pairs += [{"a": text, "b": row["statement"], "relation": relation} for text in row[name]]
    return pairs


def _is_held(text: str) -> bool:
    return zlib.crc32(text.encode()) % 20 == 0


def batches(pairs: list[dict[str, Any]], tokenizer: Any, size: int, rng: random.Random | None) -> Any:
    order = list(range(len(pairs)))
    if rng is not None:
        rng.shuffle(order)
        order.sort(key=lambda i: (len(pairs[i]["a"]) + len(pairs[i]["b"])) // 60 + rng.random())
    chunks = [order[i : i + size] for i in range(0, len(order), size)]
    if rng is not None:
        rng.shuffle(chunks)
    for chunk in chunks:
        rows = [pairs[i] for i in chunk]
        encoded = tokenizer(
            [row["a"] for row in rows], [row["b"] for row in rows], padding=True, truncation=True,
            max_length=MAX_TOKENS, return_tensors="pt",
        )  # fmt: skip
        wanted = torch.tensor(
            np.array([row["taught"] if "taught" in row else _certain(row["relation"]) for row in rows])
        )
        shares = torch.tensor([row.get("weight", 1.0) for row in rows])
        yield encoded["input_ids"], encoded["attention_mask"], encoded["token_type_ids"], wanted, shares


def _certain(relation: str) -> NDArray[np.float32]:
    """The probabilities to be learned from a label, a little less than sure of it."""
    wanted = np.full(len(LABELS), UNSURE / len(LABELS), dtype=np.float32)
    wanted[LABELS.index(relation)] += 1 - UNSURE
    return wanted


def load_taught(path: Path, pairs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pairs that a larger reader was asked about (``training.teacher``), with its probabilities; where there is a label, with
    the mean of both. Labelled pairs that it was not asked about follow."""
    label = {(min(row["a"], row["b"]), max(row["a"], row["b"])): row for row in pairs}
    with np.load(path, allow_pickle=False) as stored:
        texts, rows, odds = stored["texts"], stored["pairs"], stored["logits"].astype(np.float32)
    powers = np.exp((odds - odds.max(1, keepdims=True)) / SOFTENED)
    found = []
    for (a, b), thought in zip(rows.tolist(), powers / powers.sum(1, keepdims=True), strict=True):
        known = label.pop((str(texts[a]), str(texts[b])), None)
        wanted = thought if known is None else (thought + _certain(known["relation"])) / 2
        weight = known.get("weight", 1.0) if known else 1.0
        found.append({"a": str(texts[a]), "b": str(texts[b]), "taught": wanted, "weight": weight})
    return [*found, *label.values()]


@torch.no_grad()
def logits_of(model: PairReader, tokenizer: Any, pairs: list[dict[str, Any]]) -> np.ndarray:
    """Logits of both orders averaged, (n_pairs, 3)."""
    model.eval()
    out = []
    for rows in (pairs, [{**row, "a": row["b"], "b": row["a"]} for row in pairs]):
        out.append(np.vstack([model(i, m, t).numpy() for i, m, t, *_ in batches(rows, tokenizer, 32, None)]))
    mean: np.ndarray = (out[0] + out[1]) / 2
    return mean


def macro_f1(truth: list[str], said: list[str]) -> float:
    scores = []
    for label in LABELS:
        hit = sum(t == s == label for t, s in zip(truth, said, strict=True))
        scores.append(2 * hit / max(1, truth.count(label) + said.count(label)))
    return float(np.mean(scores))


def train(
    pairs: list[dict[str, Any]],
    check: list[dict[str, Any]],
    epochs: int,
    rate: float,
    seed: int,
    start: Path | None = None,
    batch: int = 16,
    layers: int = TRAINED_LAYERS,
    is_short: bool = False,
) -> tuple[PairReader, Any]:
    """Train the upper ``layers`` on ``pairs``, from the packaged encoder or, with ``start``, from a reader that an earlier run
    stored; ``is_short`` multiplies in 16 bits. An epoch draws a pair with the probability "drawn", one of less weight with ``DRAWN`` of it."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    network, tokenizer = load_network(packaged_model())
    model = PairReader(network)
    if start is None:
        apply_adapter(network, adapter_path("encoder"))  # it knows the field's words already
    else:
        base = {f"network.{name}": value for name, value in network.state_dict().items()}
        for name, change in read_adapter(start).items():
            place = name if name.startswith("head.") else f"network.{name}"
            base[place] = base.get(place, torch.zeros(change.shape)) + torch.from_numpy(change)
        model.load_state_dict(base)
    for parameter in network.embeddings.parameters():
        parameter.requires_grad = False
    for layer in network.encoder.layer[: len(network.encoder.layer) - layers]:
        for parameter in layer.parameters():
            parameter.requires_grad = False
    free = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in free if p is not model.head.weight], "lr": rate},
            {"params": [model.head.weight], "lr": rate * 10},
        ],
        weight_decay=0.01,
    )
    chances = [row.get("drawn", 1.0) * (1.0 if row.get("weight", 1.0) >= 1 else DRAWN) for row in pairs]
    steps = epochs * int((sum(chances) + batch - 1) // batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, step / (0.1 * steps + 1)) * max(0.0, (steps - step) / steps)
    )
    started = time.time()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        drawn = [row for row, chance in zip(pairs, chances, strict=True) if rng.random() < chance]
        data = [row if rng.random() < 0.5 else {**row, "a": row["b"], "b": row["a"]} for row in drawn]
        for step, (ids, mask, types, wanted, shares) in enumerate(batches(data, tokenizer, batch, rng), 1):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_short):
                logits = model(ids, mask, types)
            loss = (-(wanted * torch.log_softmax(logits.float(), 1)).sum(1) * shares).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(free, 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            total += loss.item() * len(shares)
            if step % 500 == 0:
                sys.stderr.write(f"  {step * batch} of {len(data)} pairs, {time.time() - started:.0f} s\n")
        said = [LABELS[i] for i in logits_of(model, tokenizer, check).argmax(1)] if check else []
        score = macro_f1([row["relation"] for row in check], said) if check else float("nan")
        sys.stderr.write(
            f"epoch {epoch + 1}: loss {total / len(data):.3f}, macro-F1 {score:.3f}, {time.time() - started:.0f} s\n"
        )
    return model, tokenizer


def write_average(first: Path, second: Path, share: float, out: Path) -> None:
    """Store the mean of two adapters, ``share`` of the second."""
    base = {name: value.numpy() for name, value in load_network(packaged_model())[0].state_dict().items()}
    one, two = read_adapter(first), read_adapter(second)
    mean = {name: (1 - share) * one[name] + share * two[name] for name in one}
    learned = {name: base.get(name, np.zeros_like(change)) + change for name, change in mean.items()}
    save_adapter(out, base, {**base, **learned})


def chosen_pairs(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All pairs that a run draws from, with their chances."""
    pairs = load_pairs(arguments.data)
    known = [] if arguments.no_triplets else load_triplets(False)
    known += [] if arguments.no_clusters else load_clusters(False)
    pairs += [{**row, "drawn": arguments.known} for row in known]
    pairs += [] if arguments.no_candidates else load_candidates(False)
    partners = [] if arguments.no_partners else load_partners(False)
    pairs += [{**row, "drawn": arguments.partners} for row in partners]
    verdicts = [] if arguments.no_verdicts else load_verdicts(False)
    pairs += [{**row, "drawn": arguments.known} for row in verdicts]
    words = read_words(False, tuple(arguments.words) if arguments.words else None)
    pairs += made_pairs(words, arguments.grammar, random.Random(arguments.seed))
    made = [{**row, "weight": 0.5} for row in load_pairs([arguments.made])] if arguments.made else []
    pairs += made
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--batch", type=int, default=16, help="pairs a step; 32 is a fifth quicker")
    parser.add_argument("--write", action="store_true", help="write the adapter that the product uses")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--data", type=Path, nargs="*", default=sorted((ROOT / "training").glob("pairs-*.jsonl")))
    parser.add_argument("--made", type=Path, default=None, help="pairs of training.synthetic, at half weight")
    parser.add_argument("--dev", action="store_true", help="train on the dev pairs too (final run)")
    parser.add_argument("--no-triplets", action="store_true", help="leave out training/triplets-*.jsonl")
    parser.add_argument("--no-clusters", action="store_true", help="leave out training/clusters-*.jsonl")
    parser.add_argument("--no-candidates", action="store_true", help="leave out training/candidates-*.jsonl")
    parser.add_argument("--no-partners", action="store_true", help="leave out training/partners-*.jsonl")
    parser.add_argument("--no-verdicts", action="store_true", help="leave out training/verdicts-*.jsonl")
    parser.add_argument(
        "--known", type=float, default=1.0, help="share of triplets, clusters and verdicts that an epoch draws"
    )
    parser.add_argument("--partners", type=float, default=1.0, help="share of partners that an epoch draws")
    parser.add_argument("--grammar", type=int, default=0, help="add so many pairs of training.grammar")
    parser.add_argument(
        "--words", type=int, nargs=2, default=None, help="files of templates and terms to take; all by default"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--taught", type=Path, default=None, help="pairs that training.teacher was asked about (npz)")
    parser.add_argument(
        "--bf16", action="store_true", help="multiply in 16 bits: four times as quick where there is AMX"
    )
    parser.add_argument("--layers", type=int, default=TRAINED_LAYERS, help="upper layers that are learned")
    parser.add_argument("--start", type=Path, default=None, help="go on from this stored adapter")
    parser.add_argument("--adapter", type=Path, default=None, help="store the adapter here")
    parser.add_argument(
        "--average", type=Path, nargs=2, default=None, help="two stored adapters to average, no training"
    )
    parser.add_argument("--share", type=float, default=0.65, help="of the second adapter in the average")
    arguments = parser.parse_args()
    if arguments.average:
        first, second = arguments.average
        write_average(first, second, arguments.share, adapter_path("relator") if arguments.write else arguments.adapter)
        return
    gold = ROOT / "evaluation" / "pairs.jsonl"
    pairs, dev = chosen_pairs(arguments), load_pairs([gold], "dev")
    if arguments.taught:
        pairs = load_taught(arguments.taught, pairs)
    model, tokenizer = train(
        pairs + (dev if arguments.dev else []),
        dev,
        arguments.epochs,
        arguments.rate,
        arguments.seed,
        arguments.start,
        arguments.batch,
        arguments.layers,
        arguments.bf16,
    )
    if arguments.write or arguments.adapter:
        base = load_network(packaged_model())[0].state_dict()
        learned = {name: value.numpy() for name, value in model.network.state_dict().items()}
        head = {f"head.{name}": value.numpy() for name, value in model.head.state_dict().items()}
        out = arguments.adapter or adapter_path("relator")
        save_adapter(out, {name: value.numpy() for name, value in base.items()}, {**learned, **head})
    if arguments.out is not None:
        torch.save(model.state_dict(), arguments.out)
        np.save(arguments.out.with_suffix(".dev.npy"), logits_of(model, tokenizer, dev))
        np.save(arguments.out.with_suffix(".test.npy"), logits_of(model, tokenizer, load_pairs([gold], "test")))
        check = load_pairs([ROOT / "training" / "check-pairs.jsonl"])
        np.save(arguments.out.with_suffix(".check.npy"), logits_of(model, tokenizer, check))


if __name__ == "__main__":
    main()
