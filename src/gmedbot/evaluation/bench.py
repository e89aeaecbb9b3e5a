"""The product on the bench: one open bot, its answers asked once each, and the documents behind the index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gmedbot.bot import Bot
from gmedbot.corpus.sources import scan_corpus
from gmedbot.encoder import Encoder, EncoderCard
from gmedbot.evaluation.binding import Binding
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.settings import Settings
from gmedbot.types import Answer, Document, ScoredPassage

__all__ = ["Bench", "RememberingEncoder"]

#: Cosine from which two questions say nearly the same; below, most pairs that were read ask for different things.
_FORESEEN = 0.92
_KEPT = 100  #: depth of every ranking: enough for AP and for reading run files elsewhere


class RememberingEncoder:
    """An encoder that encodes each text once: the areas and the baselines ask for the same questions again."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    @property
    def card(self) -> EncoderCard:
        return self._encoder.card

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        if missing:
            self._known.update(zip(missing, self._encoder.encode(missing), strict=True))
        if progress is not None:
            progress(len(texts))
        if not texts:
            return np.zeros((0, self.card.dim), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])

    def count_tokens(self, text: str) -> int:
        return self._encoder.count_tokens(text)


class Bench:
    """Everything an area needs. Opening it raises the errors of ``Bot.open``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.index = BuiltIndex(Store(settings.index))
        self.bot = Bot.open(settings)
        self.encoder = RememberingEncoder(self.bot.retriever.encoder)
        self.bot.retriever.encoder = self.encoder
        self.binding = Binding(self.index)
        self._answers: dict[tuple[str, tuple[str, ...]], Answer] = {}
        self._rankings: dict[tuple[str, tuple[str, ...]], list[tuple[str, float]]] = {}

    def warm(self, texts: Iterable[str]) -> None:
        """Encode texts together, which uses all cores; each vector is the same as if encoded alone."""
        self.encoder.encode(list(dict.fromkeys(texts)))

    def ask(self, question: str, history: Sequence[str] = ()) -> Answer:
        key = (question, tuple(history))
        if key not in self._answers:
            self._answers[key] = self.bot.ask(question, history)
        return self._answers[key]

    def retrieve(self, question: str, history: Sequence[str] = ()) -> list[tuple[str, float]]:
        """(passage id, score) by the product, best first, scores strictly falling."""
        key = (question, tuple(history))
        if key not in self._rankings:
            self._rankings[key] = ranked(self.bot.retrieve(question, _KEPT, history))
        return self._rankings[key]

    def is_foreseen(self, question: str) -> bool:
        """True if the corpus holds a learner's question that says nearly the same: then finding its answer proves little."""
        return self.index.questions.nearest(self.encoder.encode([question])[0]) >= _FORESEEN

    def search_words(self, text: str) -> list[tuple[str, float]]:
        """BM25 alone, over the text as typed."""
        rows, scores = self.index.words.search(text, _KEPT)
        return self._named(rows, scores)

    def search_dense(self, text: str) -> list[tuple[str, float]]:
        """Vectors alone, over the text as typed."""
        rows, scores = self.index.dense.search(self.encoder.encode([text])[0], _KEPT)
        return self._named(rows, scores)

    def search_rrf(self, text: str) -> list[tuple[str, float]]:
        """Reciprocal rank fusion of the two."""
        from gmedbot.retrieval.hybrid import reciprocal_rank_fusion

        words, _ = self.index.words.search(text, _KEPT)
        dense, _ = self.index.dense.search(self.encoder.encode([text])[0], _KEPT)
        scores = reciprocal_rank_fusion([words, dense], len(self.index.passages))
        rows = np.flatnonzero(scores > 0)
        rows = rows[np.lexsort((rows, -scores[rows]))][:_KEPT]
        return self._named(rows, scores[rows])

    def _named(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> list[tuple[str, float]]:
        passages = self.index.passages
        return strictly_falling((passages[int(row)].passage_id, float(s)) for row, s in zip(rows, scores, strict=True))

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """source_id → its document, read from the corpus: the witness of what a citation says."""
        documents, _ = scan_corpus(self.settings.corpus)
        return {document.source.source_id: document for document in documents}


def ranked(found: Iterable[ScoredPassage]) -> list[tuple[str, float]]:
    return strictly_falling((item.passage.passage_id, item.score) for item in found)


def strictly_falling(pairs: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """The same ranking with scores that differ by 1e-6 at least: trec_eval breaks ties by name, not by rank."""
    out: list[tuple[str, float]] = []
    last = float("inf")
    for name, score in pairs:
        last = min(round(score, 6), last - 1e-6) if out else round(score, 6)
        out.append((name, last))
    return out
