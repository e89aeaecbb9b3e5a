"""Two statements read together by a small transformer: agree, conflict or different, as log-odds.

Frames say in what two statements differ where the vocabulary knows the words; free wording ("works chiefly in
stance" against "is mainly a swing-phase muscle") needs a reader. It is the packaged MiniLM trained on hand-written
pairs (``training.train_relator``), shipped as an adapter and exported to ONNX when an index is built. What it leaves in doubt, a
larger network reads again, where that is installed (``claims.large``).

Only this file, ``gmedbot.encoder`` and ``gmedbot.quantise`` know onnxruntime, tokenizers and torch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gmedbot.adapter import adapter_path, read_adapter
from gmedbot.claims import large
from gmedbot.encoder import EXPORT_FORMAT, file_digest, load_network, packaged_model
from gmedbot.errors import EncoderError
from gmedbot.quantise import quantise

__all__ = [
    "LABELS",
    "MAX_TOKENS",
    "PairReader",
    "Reader",
    "export_large",
    "export_reader",
    "large_reader",
    "reader_name",
]

LABELS = ("agree", "conflict", "different")
MAX_TOKENS = 160  #: word pieces of a pair; a longer one is cut from the longer statement
_HEAD = ("head.weight", "head.bias")
_FILES = {"pair": "reader.onnx", "verdict": "verdict.onnx", "large": "large.onnx"}
_TOKENIZER, _LARGE_TOKENIZER = "tokenizer.json", "large-tokenizer.json"
#: The adapters that make the small networks of a folder, in the order in which they are added to the packaged model.
_ADAPTERS = ("relator", "verdict")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")

Mode = Literal["pair", "verdict", "large"]


class Reader(Protocol):
    """Anything that weighs pairs: (n, 3) float64 log-odds in the order of ``LABELS``, symmetric in a and b."""

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]: ...


def reader_name() -> str:
    """Folder of the export: by what it is made from."""
    adapters = (*_ADAPTERS, "large") if large.is_installed() else _ADAPTERS
    digests = " ".join(file_digest(adapter_path(name)) for name in adapters)
    made_from = f"{EXPORT_FORMAT} readers in eight bits, evened out, {digests}"
    return hashlib.sha256(made_from.encode()).hexdigest()[:12]


class PairReader:
    """An exported reader of a folder: ``reader.onnx``, ``verdict.onnx``, perhaps ``large.onnx``, and their tokenizers. Eight
    bits a weight: a third of the time, and what weighs the log-odds learned from these. Thread-safe.

    One pair at a time, so that a verdict is the same in any company, and in the order of the texts, so that it is the same
    in any order; reading both orders cost twice the time and was no better (docs/decisions/0006).

    Args: mode: "pair" for two claims; "verdict" for the network that learned what a statement found for a question says to it
        (agree: yes, conflict: no; docs/decisions/0023); or "large" for the larger network, for what a build reads twice.
    """

    def __init__(self, folder: Path, threads: int | None = None, mode: Mode = "pair") -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        # a verdict is read alone while somebody waits, pairs of a build beside one another; the bits are the same
        options.intra_op_num_threads = min(2, os.cpu_count() or 1) if mode == "verdict" else 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / _FILES[mode]), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / (_LARGE_TOKENIZER if mode == "large" else _TOKENIZER)))
        except Exception as error:  # both libraries raise kinds of their own
            raise EncoderError(
                f"The pair reader in {folder} must be readable.",
                str(error).splitlines()[0],
                "gmedbot index build --full",
            ) from error
        self._inputs = tuple(one.name for one in self._session.get_inputs())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
        self._threads = threads or max(1, os.cpu_count() or 1)

    def read(
        self, pairs: Sequence[tuple[str, str]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float64]:
        found = np.zeros((len(pairs), len(LABELS)))
        rows = map(self._read_one, pairs) if len(pairs) == 1 else self._pool.map(self._read_one, pairs)
        for place, row in enumerate(rows):
            found[place] = row
            if progress is not None:
                progress(1)
        return found

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """Threads that stay: a question with a premise has one or two pairs read while somebody waits."""
        return ThreadPoolExecutor(self._threads, thread_name_prefix="reader")

    def _read_one(self, pair: tuple[str, str]) -> NDArray[np.float64]:
        first, second = sorted(pair)
        (logits,) = self._session.run(None, _feeds(self._tokenizer.encode(first, second), self._inputs))
        return np.asarray(np.round(logits[0], 3), dtype=np.float64)


def _feeds(encoded: Any, names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    rows = dict(zip(_INPUTS, (encoded.ids, encoded.attention_mask, encoded.type_ids), strict=True))
    return {name: np.asarray([rows[name]], dtype=np.int64) for name in names}


def _samples(tokenizer: Any, names: Sequence[str]) -> list[dict[str, NDArray[np.int64]]]:
    """Each packaged sentence beside the next one, as a reader is fed with them."""
    texts = resources.files("gmedbot.data").joinpath("calibration.txt").read_text("utf-8").splitlines()
    tokenizer.no_padding()
    return [_feeds(tokenizer.encode(*sorted(pair)), names) for pair in pairwise(texts)]


def export_reader(folder: Path, adapter: Path | None = None, verdict: Path | None = None) -> PairReader:
    """Write the packaged readers as ONNX into ``folder``, and open the one of pairs. Needs PyTorch, as every export does.

    Args: adapter, verdict: take these adapters instead of the packaged ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"fresh-{os.getpid()}.onnx"
    learned = read_adapter(adapter or adapter_path("relator"))
    tokenizer = _export(fresh, packaged_model(), learned, _INPUTS)
    tokenizer.backend_tokenizer.save(str(folder / _TOKENIZER))
    samples = _samples(tokenizer.backend_tokenizer, _INPUTS)
    quantise(fresh, folder / _FILES["pair"], samples)
    more = read_adapter(verdict or adapter_path("verdict"))
    both = {name: change + more.get(name, np.float32(0)) for name, change in learned.items()}
    _export(fresh, packaged_model(), both, _INPUTS)
    quantise(fresh, folder / _FILES["verdict"], samples)
    fresh.unlink()
    if large.is_installed():
        export_large(folder)
    return PairReader(folder)


def large_reader(folder: Path) -> PairReader | None:
    """The larger reader of a folder, None where it was exported without. Raises: EncoderError if it cannot be read."""
    return PairReader(folder, mode="large") if (folder / _FILES["large"]).is_file() else None


def export_large(folder: Path, adapter: Path | None = None) -> None:
    """Write the larger reader in eight bits into ``folder``. ``adapter``: another one than the packaged.

    Raises: EncoderError if the published weights are not whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as room:  # 440 MB twice, beside what is kept
        fresh = Path(room) / "fresh.onnx"
        tokenizer = _export(fresh, large.unpack(Path(room)), large.learned_changes(adapter), _INPUTS[:2])
        tokenizer.backend_tokenizer.save(str(folder / _LARGE_TOKENIZER))
        quantise(fresh, folder / _FILES["large"], _samples(tokenizer.backend_tokenizer, _INPUTS[:2]))


def _export(path: Path, model: Path, learned: Mapping[str, NDArray[np.float32]], names: Sequence[str]) -> Any:
    """Write a published model with what was learned, and its head, as ONNX. Returns the tokenizer.

    Args: names: the inputs that the network takes, the word pieces and their mask first.
    """
    import warnings

    import torch

    network, tokenizer = load_network(model)
    weights = network.state_dict()
    with torch.no_grad():
        for name, change in learned.items():
            if name not in _HEAD:
                weights[name].add_(torch.from_numpy(change))

    class Reading(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.weight = torch.nn.Parameter(torch.from_numpy(learned[_HEAD[0]]))
            self.bias = torch.nn.Parameter(torch.from_numpy(learned[_HEAD[1]]))

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            hidden = self.network(**dict(zip(names, tensors, strict=True))).last_hidden_state
            share = tensors[1].unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * share).sum(1) / share.sum(1)
            logits: torch.Tensor = pooled @ self.weight.T + self.bias
            return logits

    ids = torch.ones(1, 16, dtype=torch.long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Reading().eval(), (ids, ids, torch.zeros_like(ids))[: len(names)], str(path), input_names=list(names),
            output_names=["logits"], dynamic_axes={name: {0: "batch", 1: "length"} for name in names},
            opset_version=17, dynamo=False,
        )  # fmt: skip
    return tokenizer
