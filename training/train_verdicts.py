"""Train the reader that says yes or no: a learner's question beside a statement that was found for it.

The pair reader compares two statements. Beside the statements that are really found for a question it was right in little
more than half of the first words that it was sure of (docs/decisions/0023). Data: ``training/decisions-*.jsonl``, yes/no
questions and claims to be checked with the statements that the program found for them, each read by a person: Y, N, D (it depends)
or U (undecided). No statement of a gold answer or pair of the test split is among them. One question in five is held out.

Three steps: the larger network of ``training.teacher`` learns the labels, says what it thinks of many more questions beside
what is found for them, and the packaged pair reader learns both in its upper layers::

    python -m training.train_verdicts learn --teacher teacher.pt --model asked.pt
    python -m training.train_verdicts teach --model asked.pt --out asked.npz
    python -m training.train_verdicts train --taught asked.npz --adapter verdict.npz   # --write: what the product uses
    python -m training.train_verdicts report --adapter verdict.npz
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmedbot.adapter import adapter_path, save_adapter
from gmedbot.bot import Bot
from gmedbot.claims.large import unpack
from gmedbot.claims.reader import LABELS
from gmedbot.corpus.questions import read_questions
from gmedbot.encoder import load_network, packaged_model
from gmedbot.retrieval.understand import shape_of
from gmedbot.settings import load_settings
from gmedbot.types import AskOptions
from training.teacher import Teacher, batches, descend, drawn
from training.train_relator import ROOT, SEED, load_pairs, load_verdicts, logits_of, train

RELATIONS = {"Y": "agree", "N": "conflict", "U": "different"}
HELD = 5  #: one question of so many is held out
FOUND = 3  #: statements that are read beside an unlabelled question
LAYERS = 4  #: upper layers that the small reader learns
LIMITS = (0.5, 0.6, 0.7, 0.8, 0.9)
#: Statements written by hand become claims to be checked in these forms; ``{low}``: in lower case, without the full stop.
FORMS = (
    "Is it true that {low}?", "{whole}. Is that right?", "I read that {low}. Correct?", "{whole}, right?", "please confirm: {whole}",
    "My slides say that {low}. Is that right?", "Someone told me {low}. True?", "{whole}. True or false?",
)  # fmt: skip

Shares = NDArray[np.float64]


def decisions(is_held_out: bool) -> list[dict[str, Any]]:
    """Pairs of a question as it was read ("a") and a statement ("b"), with the "letter" and whether it "leads". What depends is
    not learned from."""
    pairs: list[dict[str, Any]] = []
    for path in sorted((ROOT / "training").glob("decisions-*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            if (zlib.crc32(row["question"].encode()) % HELD == 0) != is_held_out:
                continue
            for place, (text, letter) in enumerate(zip(row["statements"], row["letters"], strict=True)):
                if is_held_out or letter in RELATIONS:
                    relation = RELATIONS.get(letter, "different")
                    own = {"a": row["read_as"], "b": text, "relation": relation, "letter": letter, "leads": not place}
                    pairs.append(own)
    return pairs


def messages_beside() -> list[dict[str, Any]]:
    """``load_verdicts``, without the messages of a held-out decision."""
    held = {row["a"] for row in decisions(True)}
    return [row for row in load_verdicts(False) if row["a"] not in held]


def report(read: Any) -> None:
    """Print how the held-out decisions are read. ``read``: pairs → log-odds, (n, 3)."""
    from sklearn.metrics import roc_auc_score

    rows = decisions(True)
    odds = np.asarray(read([(row["a"], row["b"]) for row in rows]), dtype=np.float64)
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    shares: Shares = powers / powers.sum(axis=1, keepdims=True)
    letters = np.array([row["letter"] for row in rows])
    for name, chosen in (("all", np.ones(len(rows), dtype=bool)), ("leading", np.array([r["leads"] for r in rows]))):
        own, said = shares[chosen, :2], letters[chosen]
        decides = np.isin(said, ("Y", "N"))
        gap = own[:, 1] - own[:, 0]
        sys.stdout.write(
            f"{name}: {len(said)} pairs, {int(decides.sum())} decide; AUROC decides {roc_auc_score(decides, own.max(1)):.3f}, "
            f"yes against no {roc_auc_score(said[decides] == 'N', gap[decides]):.3f}\n"
        )
        for limit in LIMITS:
            is_sure = own.max(1) >= limit
            right = int((np.where(gap > 0, "N", "Y") == said)[is_sure].sum())
            wrong = int(decides[is_sure].sum()) - right
            sys.stdout.write(f"  from {limit}: {int(is_sure.sum())} said, {right} right, {wrong} the opposite\n")


def learn(teacher: Teacher, rate: float, epochs: int) -> None:
    """Teach the teacher the labels, with half of the messages that were written beside statements."""
    rng = random.Random(SEED)
    pairs = decisions(False) + [{**row, "drawn": 0.6} for row in messages_beside()]
    every = [batch for _ in range(epochs) for batch in batches(drawn(pairs, rng), rng)]
    descend(teacher, every, [{"params": [p for p in teacher.parameters() if p.requires_grad], "lr": rate}], 0.1)


def test_statements() -> set[str]:
    """Statements of the corpus that the test split asks for or compares."""
    folder = ROOT / "evaluation"
    quotes: list[str] = []
    for path in (*folder.glob("questions-*.jsonl"), *folder.glob("dialogues-*.jsonl")):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            if row["split"] == "test":
                quotes += [gold["quote"] for turn in row.get("turns", [row]) for gold in turn["gold"]]
    pairs = load_pairs([folder / "pairs.jsonl", folder / "neighbours.jsonl"], "test")
    compared = {row[side] for row in pairs for side in ("a", "b")}
    bot_claims = _bot().claims()
    return {c.text for c in bot_claims if c.text in compared or any(c.text in q or q in c.text for q in quotes)}


def unlabelled(most: int) -> list[tuple[str, str]]:
    """Questions that nobody judged, each beside the statements that are found for it."""
    rng = random.Random(SEED)
    bot, hidden = _bot(), test_statements()
    pairs: set[tuple[str, str]] = set()
    began = time.time()
    for number, message in enumerate(_messages(rng)):
        query, _ = bot.understand(message)
        evidence, _ = bot._look(query, AskOptions(), lambda name: None)
        found = list(dict.fromkeys(item.best.claim.text for item in evidence[: 2 * FOUND]))
        pairs.update((query.text, text) for text in [text for text in found if text not in hidden][:FOUND])
        if number % 1000 == 0:
            sys.stderr.write(f"{len(pairs)} pairs, {time.time() - began:.0f} s\n")
        if len(pairs) >= most:
            break
    return sorted(pairs)


def _messages(rng: random.Random) -> Iterator[str]:
    """Yes/no questions of the corpus, messages written beside statements, and claims made of written statements; no gold
    question of the evaluation."""
    gold = {
        json.loads(line)["question"].lower()
        for path in (ROOT / "evaluation").glob("questions-*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    }
    asked = [text for item in read_questions(ROOT / "corpus") for text in item.asked if shape_of(text) == "yes-no"]
    beside = [row["a"] for row in load_verdicts(False)]
    claims = []
    for path in sorted((ROOT / "training").glob("partners-*.jsonl")):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            for whole in (text.rstrip(".") for relation in LABELS for text in row[relation]):
                low = whole if whole[:2].isupper() else whole[0].lower() + whole[1:]
                claims.append(rng.choice(FORMS).format(whole=whole, low=low))
    rng.shuffle(claims)
    for text in dict.fromkeys([*asked, *beside, *claims]):
        if text.lower() not in gold:
            yield text


def _bot() -> Bot:
    return Bot.open(load_settings(corpus=ROOT / "corpus", index=ROOT / "index"), is_warm=False)


def taught_pairs(path: Path) -> list[dict[str, Any]]:
    """What the teacher thinks, as soft labels."""
    with np.load(path, allow_pickle=False) as stored:
        asked, texts, odds = stored["asked"].tolist(), stored["texts"].tolist(), stored["logits"].astype(np.float32)
    powers = np.exp(odds - odds.max(1, keepdims=True))
    shares = powers / powers.sum(1, keepdims=True)
    rows = zip(asked, texts, shares, strict=True)
    return [{"a": a, "b": b, "taught": share} for a, b, share in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("learn", "teach", "train", "report"))
    parser.add_argument("--teacher", type=Path, default=None, help="what training.teacher learned, to go on from")
    parser.add_argument("--model", type=Path, default=None, help="the teacher that knows questions (a torch file)")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "gmedbot-teacher")
    parser.add_argument("--out", type=Path, default=None, help="what it thinks (npz)")
    parser.add_argument("--most", type=int, default=30_000, help="pairs that it is asked about")
    parser.add_argument("--taught", type=Path, default=None)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=None)
    parser.add_argument("--adapter", type=Path, default=None)
    parser.add_argument("--write", action="store_true", help="write the adapter that the product uses")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    if arguments.what in ("learn", "teach"):
        teacher = Teacher(unpack(arguments.cache))
        teacher.load_state_dict(torch.load(arguments.teacher or arguments.model, weights_only=True))
        if arguments.what == "learn":
            learn(teacher, arguments.rate or 2.5e-5, arguments.epochs)
            torch.save(teacher.state_dict(), arguments.model)
            report(teacher.read)
            return
        pairs = unlabelled(arguments.most)
        np.savez_compressed(
            arguments.out,
            asked=np.array([a for a, _ in pairs]),
            texts=np.array([b for _, b in pairs]),
            logits=teacher.read(pairs).astype(np.float16),
        )
    elif arguments.what == "train":
        _train(arguments)
    else:
        _report(arguments.adapter)


def _train(arguments: argparse.Namespace) -> None:
    pairs = [*decisions(False), *messages_beside(), *(taught_pairs(arguments.taught) if arguments.taught else ())]
    start, rate = adapter_path("relator"), arguments.rate or 1e-4
    model, tokenizer = train(pairs, [], arguments.epochs, rate, SEED, start, batch=32, layers=LAYERS, is_short=True)
    out = adapter_path("verdict") if arguments.write else arguments.adapter
    if out is not None:
        save_adapter(out, _started(start), {k: v.numpy() for k, v in _named(model).items()})

    def read(wanted: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = logits_of(
            model, tokenizer, [{"a": a, "b": b, "relation": "agree"} for a, b in wanted]
        )
        return found

    report(read)


def _named(model: Any) -> dict[str, Any]:
    """The weights of a pair reader by the names of an adapter."""
    return {**model.network.state_dict(), **{f"head.{name}": v for name, v in model.head.state_dict().items()}}


def _started(path: Path) -> dict[str, NDArray[Any]]:
    """The weights of the reader that an adapter makes of the packaged model."""
    from gmedbot.adapter import read_adapter

    base = {name: value.numpy() for name, value in load_network(packaged_model())[0].state_dict().items()}
    learned = read_adapter(path)
    return {**base, **{name: base.get(name, np.zeros_like(change)) + change for name, change in learned.items()}}


def _report(adapter: Path | None) -> None:
    from gmedbot.claims.reader import PairReader, export_reader

    with tempfile.TemporaryDirectory() as folder:
        export_reader(Path(folder), verdict=adapter)
        report(PairReader(Path(folder), mode="verdict").read)


if __name__ == "__main__":
    main()
