"""Train the larger pair reader (``gmedbot.claims.large``): thin factors beside each weight of all-mpnet-base-v2.

The published weights stay as they are; beside each of the 72 matrices of the twelve layers a product of two factors of rank
``RANK`` is learned (Hu et al. 2021, "LoRA"), with the biases, the norms and a head. They begin as what a teacher learned (``training.teacher
learn``), cut to that rank (a truncated singular value decomposition keeps nearly all that it can do), or at nothing.

Data: as ``training.train_relator``, but no sentence of the dev pairs, and none that was written to one: on dev this reader knows no more
than on a topic that it never met, which is what ``training.fit_relations`` must learn from.

Run: ``python -m training.train_large --start teacher.pt --adapter large.npz`` (50 minutes on 2 cores with bfloat16 matrices, AMX);
``--start large.npz`` goes on from what such a run stored; ``--write`` stores ``src/gmedbot/data/large-adapter.npz``. The packaged adapter
began with the same steps before they were a command, in two runs: 14,000 pairs with the shares below, and from there 33,700 with half of
each, 12,000 made pairs and twice the share of the newest judged pairs (docs/decisions/0025). From there it went on by
``--start large.npz --made 9000 --known 0.12 --partners 0.22 --newest 9 --seed 31``, and after it by ``--start large.npz --made 6000 --known 0.08
--partners 0.15 --newest 11 --seed 33`` (30,700 pairs).
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmedbot.adapter import adapter_path, save_adapter
from gmedbot.claims.large import LEFT, RIGHT, learned_changes, unpack
from training.grammar import made_pairs, read_words
from training.teacher import Teacher, batches, descend, drawn, report
from training.train_relator import (
    CANDIDATES,
    ROOT,
    load_candidates,
    load_clusters,
    load_pairs,
    load_partners,
    load_triplets,
)  # fmt: skip

RANK = 32
#: Learning rates of the factors, of biases and norms, and of the head.
RATES = (1.5e-4, 2e-5, 2e-4)
#: Chance of a pair to be read: of triplets and clusters, of partners, of judged pairs that are different.
KNOWN, PARTNERS, DIFFERENT = 0.25, 0.45, 0.3
#: The same where some of the judged pairs are the newest: of the newest and of the others, those that are related (which
#: ``load_candidates`` gives three times) and those that are not.
NEWEST, KNOWN_BEFORE = (0.67, 0.7), (0.25, 0.15)
#: Share of the steps in which the rate rises.
_WARM = 0.05
SEED = 21


class Factored(torch.nn.Module):
    """A linear layer whose published weight is fixed, and the product that is added to it."""

    def __init__(self, layer: torch.nn.Linear, change: torch.Tensor | None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(layer.weight.detach().to(torch.bfloat16), requires_grad=False)
        self.bias = torch.nn.Parameter(layer.bias.detach().clone())
        if change is None:
            left = torch.zeros(layer.out_features, RANK)
            right = torch.randn(RANK, layer.in_features) / math.sqrt(layer.in_features)
        else:
            one, sizes, other = torch.svd_lowrank(change, q=RANK + 8, niter=4)
            root = sizes[:RANK].sqrt()
            left, right = one[:, :RANK] * root, (other[:, :RANK] * root).T
        self.left = torch.nn.Parameter(left.contiguous())
        self.right = torch.nn.Parameter(right.contiguous())

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        rows, short = rows.to(torch.bfloat16), torch.bfloat16
        added = torch.nn.functional.linear(torch.nn.functional.linear(rows, self.right.to(short)), self.left.to(short))
        return torch.nn.functional.linear(rows, self.weight, self.bias.to(short)) + added


def factored(teacher: Teacher, learned: Mapping[str, torch.Tensor] | None) -> dict[str, torch.Tensor]:
    """Put ``Factored`` in the place of each linear layer, from what a teacher learned if given. Returns the published weights."""
    published = {name: value.clone() for name, value in teacher.state_dict().items()}
    layers = [
        (name, layer)
        for name, layer in teacher.named_modules()
        if ".encoder.layer." in name and isinstance(layer, torch.nn.Linear)
    ]
    matrices = {f"{name}.weight" for name, _ in layers}
    if learned is not None:
        teacher.load_state_dict({n: published[n] if n in matrices else value for n, value in learned.items()})
    for name, layer in layers:
        change = None if learned is None else learned[f"{name}.weight"] - published[f"{name}.weight"]
        home, _, own = name.rpartition(".")
        setattr(teacher.get_submodule(home), own, Factored(layer, change))
    return published


def changes_of(teacher: Teacher, published: Mapping[str, torch.Tensor]) -> dict[str, NDArray[np.float32]]:
    """What ``gmedbot.claims.large`` adds to the published weights: two factors of a matrix, or a difference; the head whole."""
    found: dict[str, NDArray[np.float32]] = {}
    ends = {"left": LEFT, "right": RIGHT}
    for name, value in teacher.state_dict().items():
        home, _, own = name.removeprefix("network.").rpartition(".")
        if name.startswith("head."):
            found[name] = value.float().numpy()
        elif own in ends:
            found[f"{home}.weight{ends[own]}"] = value.float().numpy()
        elif value.dtype == torch.float32 and torch.any(change := value - published[name]):
            found[name.removeprefix("network.")] = change.numpy()
    return found


def pairs_to_read(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All labelled pairs but those held out and those of the dev pairs' sentences; "drawn" is the chance to be read."""
    dev = load_pairs([ROOT / "evaluation" / "pairs.jsonl"], "dev")
    unread = {row[side] for row in dev for side in ("a", "b")}
    for row in load_pairs(sorted((ROOT / "training").glob("partners-*.jsonl"))):
        if row["anchor"] in unread:
            unread |= {*row["agree"], *row["conflict"], *row["different"]}
    rows = load_pairs(sorted((ROOT / "training").glob("pairs-*.jsonl")))
    rows += [{**row, "drawn": arguments.known} for row in load_triplets(False) + load_clusters(False)]
    newest = [path for path in CANDIDATES if arguments.newest and _number(path) >= arguments.newest]
    for path in CANDIDATES:
        shares = (1.0, DIFFERENT) if not newest else NEWEST if path in newest else KNOWN_BEFORE
        rows += [{**row, "drawn": shares[row["relation"] == "different"]} for row in load_candidates(False, [path])]
    rows += [{**row, "drawn": arguments.partners} for row in load_partners(False)]
    rows = [row for row in rows if not unread & {row["a"], row["b"]}]
    return rows + made_pairs(read_words(False), arguments.made, random.Random(arguments.seed))


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def began_with(path: Path, published: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights to begin with: what ``training.teacher`` learned, or an adapter over the published ones."""
    if path.suffix != ".npz":
        learned: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
        return learned
    changes = {
        name if name.startswith("head.") else f"network.{name}": torch.from_numpy(change)
        for name, change in learned_changes(path).items()
    }
    whole = {name: changes[name] for name in changes if name.startswith("head.")}
    return {name: whole.get(name, value + changes.get(name, 0.0)) for name, value in published.items()}


def learn(teacher: Teacher, rows: Sequence[dict[str, Any]], seed: int) -> None:
    """One epoch; tells the loss."""
    rng = random.Random(seed)
    groups: list[dict[str, Any]] = [{"params": [], "lr": rate} for rate in RATES]
    for name, parameter in teacher.named_parameters():
        if parameter.requires_grad:
            is_factor = name.rpartition(".")[2] in ("left", "right")
            groups[0 if is_factor else 2 if name == "head.weight" else 1]["params"].append(parameter)
    descend(teacher, list(batches(drawn(rows, rng), rng)), groups, _WARM, decay=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--start", type=Path, default=None, help="what training.teacher learned (.pt), or an adapter (.npz)"
    )
    parser.add_argument(
        "--known", type=float, default=KNOWN, help="chance of a pair of triplets and clusters to be read"
    )
    parser.add_argument("--partners", type=float, default=PARTNERS, help="chance of a pair of partners to be read")
    parser.add_argument("--newest", type=int, default=0, help="candidates-N.jsonl from this N on are read most")
    parser.add_argument("--made", type=int, default=18_000, help="pairs of training.grammar")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--adapter", type=Path, default=None, help="store the adapter here")
    parser.add_argument("--write", action="store_true", help="store the adapter that the product uses")
    arguments = parser.parse_args()
    out = adapter_path("large") if arguments.write else arguments.adapter
    if out is None:
        parser.error("say where the adapter goes: --adapter FILE or --write")
    torch.manual_seed(arguments.seed)
    with tempfile.TemporaryDirectory() as room:
        teacher = Teacher(unpack(Path(room)))
    learned = began_with(arguments.start, teacher.state_dict()) if arguments.start else None
    published = factored(teacher, learned)
    learn(teacher, pairs_to_read(arguments), arguments.seed)
    save_adapter(out, {}, changes_of(teacher, published))
    dev = load_pairs([ROOT / "evaluation" / "pairs.jsonl"], "dev")
    check = load_pairs([ROOT / "training" / "check-pairs.jsonl"])
    report(teacher, {"dev": dev, "check": check, "candidates": load_candidates(True)})


if __name__ == "__main__":
    main()
