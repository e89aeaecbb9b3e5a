"""An optional second look: a CrossEncoder reads the question with each of the best passages and puts them in order.

The order of the first ``rerank_depth`` passages becomes the CrossEncoder's; ties stay as they were. Its scores have a
scale of their own, which the models behind an answer were not fitted to, so they decide the order and nothing else:
the fused scores stay with the places, and the best place has the best of them whoever takes it. Length, range and
spread of ``Hits.scores`` are those of the search, and each row keeps its own cosine and BM25.

Nothing is imported for it unless the setting names a model, and then on the first question. A model that cannot be
loaded or used is said once in the log, and the answers go on without it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import EncoderError
from gmedbot.index.reader import BuiltIndex
from gmedbot.passages import embedding_text
from gmedbot.retrieval.hybrid import Hits
from gmedbot.settings import Settings

__all__ = ["CrossEncoderScorer", "PairScorer", "Reranking", "load_cross_encoder", "reranking_of", "scorer_of"]

_log = logging.getLogger(__name__)

Scores = NDArray[np.float32]


#: Name of a model on the Hugging Face hub, which a path with more parts or a leading dot is not.
_NAME = re.compile(r"\w[\w.-]*(/[\w.-]+)?")
#: Texts that tell a whole model from one with missing weights or words.
_PROBES = ("Which nerve supplies the hip?", "The superior gluteal nerve supplies it.", "Boil the pasta.")


class PairScorer(Protocol):
    """Anything that can say how well texts answer a question."""

    def score(self, question: str, texts: Sequence[str]) -> Scores | None:
        """Returns (n_texts,), higher is better, on any scale; None if it cannot be had."""
        ...


class CrossEncoderScorer:
    """The CrossEncoder of a folder or name, loaded when first asked. Threads take turns: its tokenizer is not shared."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._model: Callable[[str, Sequence[str]], Scores] | None = None
        self._is_given_up = False

    def score(self, question: str, texts: Sequence[str]) -> Scores | None:
        """Scores of the pairs; None, after one warning, if the model is not there, is damaged or fails."""
        with self._lock:
            if self._is_given_up:
                return None
            try:
                if self._model is None:
                    self._model = load_cross_encoder(self._name)
                return self._model(question, texts)
            except EncoderError as error:
                self._is_given_up = True
                _log.warning("answers go on without a reranker. %s", " ".join(str(error).split()))
            return None


def load_cross_encoder(name: str) -> Callable[[str, Sequence[str]], Scores]:
    """A CrossEncoder in a folder, or by a name that was downloaded before, as a function: question, texts → scores, (n,).

    Nothing is downloaded. Each pair is read alone, so that its score does not depend on its neighbours. The model is
    loaded twice under two seeds: the library fills weights that a folder does not hold with random ones.
    Raises: EncoderError if it is not there or damaged, and from the function if it does not give one number a pair.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

    def refused(found: Exception | str) -> EncoderError:
        is_name = _NAME.fullmatch(name) and not Path(name).exists()
        fetch = f"hf download {name}, or " if is_name else ""
        return EncoderError(
            f"The reranker {name!r} must be a whole sentence-transformers CrossEncoder that gives one score a pair.",
            found
            if isinstance(found, str)
            else f"{type(found).__name__}: {next(iter(str(found).splitlines()), 'no message')}",
            "pip install sentence-transformers"
            if isinstance(found, ImportError)
            else f"{fetch}set GMEDBOT_RERANKER to the folder of such a model, or remove it",
        )

    def load(seed: int) -> Any:
        import torch
        from sentence_transformers import CrossEncoder

        with torch.random.fork_rng(devices=[]), _quiet():
            torch.manual_seed(seed)
            return CrossEncoder(name, device="cpu", local_files_only=True)

    def scores_of(model: Any, question: str, texts: Sequence[str]) -> Scores:
        pairs = [(question, text) for text in texts]
        found = np.asarray(model.predict(pairs, batch_size=1, show_progress_bar=False), dtype=np.float32)
        if found.shape != (len(pairs),) or not np.isfinite(found).all():
            raise ValueError(f"scores of shape {found.shape}, or not numbers")
        return found

    def score(question: str, texts: Sequence[str]) -> Scores:
        try:
            return scores_of(model, question, texts)
        except Exception as error:  # any of the library's kinds, as in loading
            raise refused(error) from error

    try:
        model, other = load(0), load(1)
        same = np.array_equal(scores_of(model, _PROBES[0], _PROBES), scores_of(other, _PROBES[0], _PROBES))
        pieces = set(model.tokenizer(_PROBES[0], add_special_tokens=False)["input_ids"])
    except Exception as error:  # the library raises many kinds for a model that is not there
        raise refused(error) from error
    if not same or pieces <= {model.tokenizer.unk_token_id}:
        raise refused("weights are missing in its files" if not same else "its tokenizer knows no word")
    return score


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the library writes while it loads (bars, tables of missing weights) is said in our own words."""
    from transformers.utils import logging as transformers_logging

    library: Any = transformers_logging  # its functions have no types
    level, has_bar = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity(logging.CRITICAL)
    library.disable_progress_bar()
    try:
        yield
    finally:
        library.set_verbosity(level)
        if has_bar:
            library.enable_progress_bar()


@lru_cache(maxsize=4)
def scorer_of(name: str) -> CrossEncoderScorer:
    """The scorer of a model, the same for every build that is opened: a rebuild loads and warns no second time."""
    return CrossEncoderScorer(name)


class Reranking:
    """Puts the first ``depth`` passages of a search in a scorer's order (``retrieval.hybrid.SecondStage``)."""

    def __init__(self, scorer: PairScorer, text_of: Callable[[int], str], depth: int) -> None:
        """``text_of``: row → the text of its passage."""
        self.depth = depth
        self._scorer = scorer
        self._text_of = text_of

    def __call__(self, question: str, hits: Hits) -> Hits:
        """The same rows, the first in a new order; as they were if the scorer cannot say."""
        rows = hits.rows[: self.depth]
        if len(rows) < 2:
            return hits
        scores = self._scorer.score(question, [self._text_of(row) for row in rows.tolist()])
        if scores is None:
            return hits
        order = np.r_[np.argsort(-scores, kind="stable"), len(rows) : len(hits.rows)].astype(np.int64)
        return Hits(hits.rows[order], hits.scores, hits.dense[order], hits.words[order])


def reranking_of(settings: Settings, index: BuiltIndex) -> Reranking | None:
    """The second look that the settings ask for, over the passages as they were encoded; None by default."""
    if settings.reranker is None:
        return None

    def text_of(row: int) -> str:
        passage = index.passages[row]
        return embedding_text(passage, index.sources[passage.source_id].title)

    return Reranking(scorer_of(settings.reranker), text_of, settings.rerank_depth)
