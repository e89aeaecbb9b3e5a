"""Yes or no? The pair reader holds what was asked or claimed against the statements that answer it.

It learned from messages of learners beside statements ("My slides say …, is that right?", "does it …?"), so that the message
is read as it was typed; the frames of a question say too little (docs/decisions/0019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gmedbot.claims.reader import LABELS, Reader
from gmedbot.types import Claim

__all__ = ["first_word"]

_READ = 3  #: statements that are read: somebody waits
#: Probability from which a statement says yes or no, and above which no other statement may say the opposite: a wrong first
#: word costs more than a missing one (docs/decisions/0019).
_SURE, _DOUBT = 0.85, 0.5


def first_word(question: str, claims: Sequence[Claim], reader: Reader) -> str:
    """ "Yes.", "No.", "It depends." where the statements differ, "" where none decides it.

    Args: claims: what answers the question, best first.
    """
    texts = list(dict.fromkeys(claim.text for claim in claims))[:_READ]
    if not texts:
        return ""
    odds = reader.read([(question, text) for text in texts])
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    shares = dict(zip(LABELS, (powers / powers.sum(axis=1, keepdims=True)).max(axis=0).tolist(), strict=True))
    agree, conflict = shares["agree"], shares["conflict"]
    if max(agree, conflict) < _SURE:
        return ""
    if min(agree, conflict) >= _DOUBT:
        return "It depends." if min(agree, conflict) >= _SURE else ""
    return "Yes." if agree > conflict else "No."
