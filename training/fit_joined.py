"""Fit ``gmedbot.answer.joined``: the weights with which the parts of a follow-up come nearest to what it asks.

Loss: softmax of the cosines with the questions that the writers of the training conversations put in the place of the follow-ups of
one batch (times ``SCALE``), its own being right. Statements are not looked at, so that none is preferred. Conversations with an answer to
a question of the test split are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gmedbot.answer.joined import PARTS, JoinModel
from gmedbot.bot import Bot
from gmedbot.evaluation.gold import load_gold
from training.asked import ROOT, answers_of_test, read_lines

SEED = 20261123
EPOCHS, BATCH, RATE = 8, 256, 2e-2
SCALE = 20.0
PATHS = tuple(
    ROOT / "training" / name
    for name in ("dialogues.jsonl", "dialogues-2.jsonl", "dialogues-3.jsonl", "dialogues-4.jsonl")
)


@dataclass(frozen=True)
class FollowUps:
    """The parts of each (n, n_parts, dim), what it asks (n, dim), and rows of the claims that answer it."""

    parts: NDArray[np.float32]
    asks: NDArray[np.float32]
    answers: Sequence[Sequence[int]]


def load_follow_ups(bot: Bot) -> FollowUps:
    rows = {claim.text: row for row, claim in enumerate(bot._index.claims)}
    unread = answers_of_test(load_gold(ROOT / "evaluation"))
    parts: list[NDArray[np.float32]] = []
    standalone: list[str] = []
    answers: list[list[int]] = []
    for row in (row for path in PATHS for row in read_lines(path)):
        history: list[str] = []
        for turn in row["turns"]:
            best = [rows[text] for text in turn["best"] if text in rows]
            if history and best and unread.isdisjoint(turn["best"]):
                query = bot.understand(turn["question"], history)[0]
                told = bot._told(query, history)
                if told:
                    parts.append(bot._parts(query, told))
                    standalone.append(turn["standalone"])
                    answers.append(best)
            history.append(turn["question"])
    return FollowUps(np.stack(parts), bot.retriever.encoder.encode(standalone), answers)


def fit_joined(bot: Bot) -> JoinModel:
    """The weights; prints how the vectors rank the answers, before and after."""
    seen = load_follow_ups(bot)
    torch.manual_seed(SEED)
    weights = torch.full((len(PARTS),), 0.1)
    weights[0] = 1.0
    weights.requires_grad_()
    optimiser = torch.optim.Adam([weights], lr=RATE)
    parts, asks = torch.from_numpy(seen.parts), torch.from_numpy(seen.asks)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(parts)).split(BATCH):
            joined = torch.nn.functional.normalize(torch.einsum("p,bpd->bd", weights, parts[batch]), dim=1)
            odds = SCALE * joined @ asks[batch].T
            loss = torch.nn.functional.cross_entropy(odds, torch.arange(len(batch)))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    found = weights.detach().numpy()
    model = JoinModel(tuple(np.round(found / np.abs(found).max(), 3).tolist()))
    for name, vectors in (
        ("of the conversation", seen.parts[:, 0]),
        ("joined", np.stack([model.join(own) for own in seen.parts])),
        ("of the whole question", seen.asks),
    ):
        sys.stderr.write(
            f"vectors {name}: reciprocal rank of the first answer {_ranks(bot, vectors, seen.answers):.3f}\n"
        )
    sys.stderr.write(f"{len(parts)} follow-ups; weights {dict(zip(PARTS, model.weights, strict=True))}\n")
    return model


def _ranks(bot: Bot, vectors: NDArray[np.float32], answers: Sequence[Sequence[int]]) -> float:
    claims = np.asarray(bot._index.claim_vectors)
    ranks = []
    for vector, rows in zip(vectors, answers, strict=True):
        cosines = claims @ vector
        ranks.append(1 / (1 + int((cosines > cosines[list(rows)].max()).sum())))
    return float(np.mean(ranks))
