"""Red flags that no pattern foresees: a small model that knows from examples what a worrying message is like.

The rules of ``safety.yaml`` find what their authors thought of; of messages written by people who had never seen the rules
they found six in ten (docs/decisions/0011). The model weighs the message's vector and its words and pairs of words, and was
fitted to hand-written messages by ``training.fit_alarm``. It can raise a flag that no rule raised, and overrule a rule only
where it is all but sure that nothing is wrong: a miss costs more than a false alarm.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import EncoderError
from gmedbot.types import Safety

if TYPE_CHECKING:
    from gmedbot.conversation.safety import SafetyRules

__all__ = ["ALARM_LABELS", "AlarmModel", "RedFlagScreen", "alarm_model", "ngrams"]

#: The signs that it tells apart; ``learned`` in safety.yaml names them.
ALARM_LABELS = (
    "fracture", "dislocation", "open_injury", "cauda_equina", "nerve_weakness", "blood_clot", "septic_joint",
    "spinal_infection", "post_procedure_infection", "child_hip", "avascular_necrosis", "cancer", "limb_ischaemia",
    "compartment_syndrome", "groin_abdomen", "heart_breathing", "stroke", "allergy", "overdose", "self_harm",
    "tendon_rupture", "not_improving", "stress_fracture",
)  # fmt: skip
_WORD = re.compile(r"[a-z0-9']+")
#: Longer texts than this are not chat messages.
_LONGEST = 4000
#: Words from which the model alone may raise an alarm: it takes "more", "what now?" or "is it serious?" for what it knows of
#: frightened people, while the rules find every sign of the graded messages that is put in so few.
_LEAST_WORDS = 6
_REMEMBERED = 4  #: earlier messages whose red flags still count
_KEPT = 2048  #: messages whose reading is kept


def ngrams(text: str) -> Counter[str]:
    """Words and pairs of neighbouring words of a message, lower case, with how often each occurs."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).lower().replace("\u2019", "'").replace("\u2018", "'")
    words = _WORD.findall(plain)
    return Counter([*words, *(f"{a} {b}" for a, b in pairwise(words))])


@dataclass(frozen=True)
class AlarmModel:
    """Log-odds that a message shows a red flag, and which.

    Attributes:
        fitted_for: the encoder whose vectors it knows.
        words: n-gram → (inverse document frequency, weight).
        vector: (dim,) weights of the message's vector. bias: added to both.
        kinds: (n_labels, dim + 1) weights of ``ALARM_LABELS`` on the vector and a constant.
        raises: log-odds from which it raises a flag alone. overrules: log-odds below which it takes a rule's flag back.
    """

    fitted_for: str
    words: dict[str, tuple[float, float]]
    vector: NDArray[np.float32]
    bias: float
    kinds: NDArray[np.float32]
    raises: float
    overrules: float

    def score(self, text: str, vector: NDArray[np.float32]) -> float:
        """Log-odds of a red flag; ``vector`` is the encoded message, (dim,)."""
        found = [
            ((1 + math.log(count)) * self.words[name][0], self.words[name][1])
            for name, count in ngrams(text).items()
            if name in self.words
        ]
        length = math.sqrt(sum(share * share for share, _ in found)) or 1.0
        return self.bias + float(vector @ self.vector) + sum(share * weight for share, weight in found) / length

    def label(self, vector: NDArray[np.float32]) -> str:
        """The likeliest of ``ALARM_LABELS``, given that something is wrong."""
        return ALARM_LABELS[int(np.argmax(self.kinds[:, :-1] @ vector + self.kinds[:, -1]))]

    def save(self, path: Path) -> None:
        """Write it as one .npz file."""
        names = sorted(self.words)
        np.savez_compressed(
            path,
            fitted_for=np.array(self.fitted_for),
            names=np.frombuffer("\n".join(names).encode(), dtype=np.uint8),
            weights=np.array([self.words[name] for name in names], dtype=np.float32),
            vector=self.vector,
            kinds=self.kinds,
            numbers=np.array([self.bias, self.raises, self.overrules], dtype=np.float64),
        )

    @classmethod
    def load(cls, path: Path) -> AlarmModel:
        """Raises: EncoderError if the file cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays: dict[str, NDArray[Any]] = dict(stored)
            names = arrays["names"].tobytes().decode().split("\n")
            bias, raises, overrules = map(float, arrays["numbers"])
            weights = [(float(idf), float(weight)) for idf, weight in arrays["weights"].tolist()]
            words = dict(zip(names, weights, strict=True))
            return cls(str(arrays["fitted_for"]), words, arrays["vector"], bias, arrays["kinds"], raises, overrules)
        except (OSError, ValueError, KeyError) as error:
            raise EncoderError(
                f"{path.name} must hold the packaged alarm model.", str(error), "pip install --force-reinstall gmedbot"
            ) from error


class RedFlagScreen:
    """Rules and model together: a chat message in, the place to seek care out. Thread-safe."""

    def __init__(
        self,
        rules: SafetyRules | None,
        encoder: str,
        model: AlarmModel | None = None,
        mend: Callable[[str], str] = str,
    ) -> None:
        """``encoder``: the model whose vectors ``screen`` is given. Without ``rules`` there is nothing to say; with another
        encoder than the alarm model knows, the rules decide alone. ``mend``: a message → the same without typing errors,
        which is what the model reads: it is the question that is encoded anyway. The rules read what was typed."""
        self._rules = rules
        self._mend = mend
        self._encoder = encoder
        self._model = model
        self._screened: dict[str, Safety | None] = {}
        self._ruled = lru_cache(maxsize=_KEPT)(rules.screen if rules is not None else lambda text: None)

    def read_of(self, text: str) -> str:
        """What of a message ``screen`` will want encoded, "" if the rules decide alone."""
        model = self._model or alarm_model()
        if self._rules is None or self._encoder != model.fitted_for or not text.strip():
            return ""
        heard = self._mend(text)[:_LONGEST]
        return heard if len(heard.split()) >= _LEAST_WORDS or self._ruled(text) is not None else ""

    def screen(self, text: str, encode: Callable[[str], NDArray[np.float32]]) -> Safety | None:
        """Where to seek care, None if nothing worries. ``encode``: a text → its vector, (dim,)."""
        if self._rules is None or not text.strip():
            return None
        if len(self._screened) >= _KEPT:
            self._screened.clear()
        found = self._screened[text] = self._look(text, encode, self._rules)
        return found

    def remembered(self, history: Sequence[str], encode: Callable[[str], NDArray[np.float32]]) -> Safety | None:
        """What worried in the latest of the last earlier messages, if it cannot wait; what was screened is not screened again."""
        for text in reversed(history[-_REMEMBERED:]):
            try:
                found = self._screened[text]
            except KeyError:  # another thread may have cleared them since
                found = self.screen(text, encode)
            if found is not None and found.urgency != "routine":
                return found
        return None

    def _look(self, text: str, encode: Callable[[str], NDArray[np.float32]], rules: SafetyRules) -> Safety | None:
        ruled = self._ruled(text)
        heard = self.read_of(text)
        if not heard:
            return ruled
        model = self._model or alarm_model()
        vector = encode(heard)
        odds = model.score(heard, vector)
        if ruled is not None:
            return ruled if odds >= model.overrules else None
        return rules.answering(model.label(vector)) if odds >= model.raises else None


@lru_cache(maxsize=1)
def alarm_model() -> AlarmModel:
    """The packaged model."""
    return AlarmModel.load(Path(__file__).parents[1] / "data" / "alarm-weights.npz")
