"""Compare any two statements, outside an index: the engine of ``gmedbot claims compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gmedbot.claims.extract import read_frame
from gmedbot.claims.reader import export_reader, large_reader
from gmedbot.claims.relate import Judgement
from gmedbot.claims.relator import Pair, Relator
from gmedbot.claims.vocabulary import Vocabulary, load_vocabulary
from gmedbot.encoder import Encoder, whole_text
from gmedbot.settings import Settings

__all__ = ["PairJudge"]

_EMPTY = Judgement("different", None, "one of them states nothing", 1.0)


class PairJudge:
    """Reads two statements into frames and relates them as a build does, but reads every pair twice."""

    def __init__(self, vocabulary: Vocabulary, encoder: Encoder, relator: Relator) -> None:
        self._vocabulary = vocabulary
        self._encoder = encoder
        self._relator = relator

    @classmethod
    def open(cls, settings: Settings) -> PairJudge:
        """Vocabulary of the corpus, encoder of the index if there is one, else the model itself."""
        from gmedbot.encoder import SentenceTransformerEncoder
        from gmedbot.errors import GmedbotError
        from gmedbot.index.reader import BuiltIndex
        from gmedbot.index.stale import vocabulary_folder
        from gmedbot.index.store import Store

        vocabulary = load_vocabulary(vocabulary_folder(settings.corpus))
        encoder: Encoder
        try:
            index = BuiltIndex(Store(settings.index))
            encoder, reader, second = index.encoder, index.pair_reader, index.large_reader
        except GmedbotError:
            with TemporaryDirectory() as folder:
                encoder, reader = SentenceTransformerEncoder(settings.encoder), export_reader(Path(folder))
                second = large_reader(Path(folder))
        return cls(vocabulary, encoder, Relator(vocabulary, reader, second=second))

    def compare_many(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Verdicts in the order of ``pairs``; each is symmetric in its two statements."""
        pairs = [(whole_text(a), whole_text(b)) for a, b in pairs]
        texts = sorted({text for pair in pairs for text in pair})
        vectors = self._encoder.encode(texts)
        row = {text: number for number, text in enumerate(texts)}
        frames = {text: read_frame(text, (), self._vocabulary) for text in texts}
        compared: list[Pair] = []
        for a, b in pairs:
            first, second = sorted((a, b))
            cosine = float(round(float(np.dot(vectors[row[first]], vectors[row[second]])), 4))
            compared.append(Pair(frames[first], frames[second], first, second, cosine))
        verdicts = [verdict for verdict in self._relator.judge(compared) if verdict is not None]
        return [
            _EMPTY if _is_empty(a) or _is_empty(b) else found for (a, b), found in zip(pairs, verdicts, strict=True)
        ]


def _is_empty(text: str) -> bool:
    return not any(sign.isalnum() for sign in text)
