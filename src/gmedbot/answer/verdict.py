"""Yes or no? A reader of its own holds what was asked or claimed against the statement that answers it.

It learned from learners' questions ("My slides say …, is that right?", "does it …?") beside the statements that are found for
them, so that the message is read as it was typed (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gmedbot.claims.reader import Reader
from gmedbot.types import Claim

__all__ = ["first_word"]

#: Probability from which a statement says yes or no, and above which no other statement may say the opposite: a wrong first
#: word costs more than a missing one (docs/decisions/0023).
_SURE, _DOUBT = 0.8, 0.5


def first_word(question: str, claims: Sequence[Claim], reader: Reader) -> str:
    """ "Yes.", "No.", "It depends." where the next statement says the opposite, "" where the leading one decides nothing.

    Args: claims: what answers the question, best first. The second is read only if the first decides: somebody waits.
    """
    texts = list(dict.fromkeys(claim.text for claim in claims))[:2]
    if not texts:
        return ""
    agree, conflict = _says(question, texts[0], reader)
    if max(agree, conflict) < _SURE:
        return ""
    for text in texts[1:]:
        against = _says(question, text, reader)[int(agree > conflict)]
        if against >= _DOUBT:
            return "It depends." if against >= _SURE else ""
    return "Yes." if agree > conflict else "No."


def _says(question: str, text: str, reader: Reader) -> tuple[float, float]:
    """The probabilities that a statement says yes and that it says no."""
    (odds,) = reader.read([(question, text)])
    powers = np.exp(odds - odds.max())
    agree, conflict, _ = (powers / powers.sum()).tolist()
    return agree, conflict
