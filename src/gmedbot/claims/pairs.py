"""Compare any two statements, outside an index: the engine of ``gmedbot claims compare``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gmedbot.claims.extract import read_frame
from gmedbot.claims.relate import Judgement, compare_frames, judge
from gmedbot.claims.vocabulary import Vocabulary, load_vocabulary
from gmedbot.encoder import Encoder
from gmedbot.settings import Settings

__all__ = ["PairJudge"]


class PairJudge:
    """Reads two statements into frames and relates them exactly as a build does."""

    def __init__(self, vocabulary: Vocabulary, encoder: Encoder) -> None:
        self._vocabulary = vocabulary
        self._encoder = encoder

    @classmethod
    def open(cls, settings: Settings) -> PairJudge:
        """Vocabulary of the corpus, encoder of the index if there is one, else the model itself."""
        from gmedbot.encoder import SentenceTransformerEncoder
        from gmedbot.errors import GmedbotError
        from gmedbot.index.build import vocabulary_folder
        from gmedbot.index.reader import BuiltIndex
        from gmedbot.index.store import Store

        vocabulary = load_vocabulary(vocabulary_folder(settings.corpus))
        encoder: Encoder
        try:
            encoder = BuiltIndex(Store(settings.index)).encoder
        except GmedbotError:
            encoder = SentenceTransformerEncoder(settings.encoder)
        return cls(vocabulary, encoder)

    def compare_many(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Verdicts in the order of ``pairs``; each is symmetric in its two statements."""
        texts = sorted({text for pair in pairs for text in pair})
        vectors = self._encoder.encode(texts)
        row = {text: number for number, text in enumerate(texts)}
        frames = {text: read_frame(text, (), self._vocabulary) for text in texts}
        verdicts: list[Judgement] = []
        for a, b in pairs:
            first, second = sorted((a, b))
            cosine = float(round(float(np.dot(vectors[row[first]], vectors[row[second]])), 4))
            found = compare_frames(frames[first], frames[second], first, second, self._vocabulary, cosine)
            verdicts.append(judge(found))
        return verdicts
