"""A published build, opened for reading: passages, sources, claims, findings, vectors and words.

Opening checks the manifest, the sizes and the encoder; ``gmedbot index verify`` checks every byte. Nothing here
imports PyTorch or langchain: this is the serving path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.reader import PairReader, large_reader
from gmedbot.claims.vocabulary import Vocabulary, vocabulary_from_rows
from gmedbot.conversation.safety import SafetyRules
from gmedbot.encoder import Encoder, OnnxEncoder, SentenceTransformerEncoder
from gmedbot.errors import IndexDamagedError, IndexMismatchError
from gmedbot.index.claim_table import ClaimTable
from gmedbot.index.dense import DenseIndex
from gmedbot.index.disputes import DisputeTable
from gmedbot.index.lexical import LexicalIndex
from gmedbot.index.protocol import EmbeddedIndex
from gmedbot.index.questions import QuestionTable
from gmedbot.index.records import (
    claim_from_record,
    finding_from_record,
    passage_from_record,
    relation_from_record,
    source_from_record,
)
from gmedbot.index.rows import IdMap, RowFile, RowMap, load_array
from gmedbot.index.store import Manifest, Store
from gmedbot.types import Claim, Finding, Passage, Relation, Source

__all__ = ["BuiltIndex"]

T = TypeVar("T")


class RelationMap(Mapping[tuple[str, str], Relation]):
    """(smaller claim id, larger claim id) → their relation, parsed when it is asked for."""

    def __init__(self, ids: IdMap, rows: Sequence[Relation]) -> None:
        self._by_id = RowMap(ids, rows)

    def __getitem__(self, pair: tuple[str, str]) -> Relation:
        return self._by_id[f"{pair[0]} {pair[1]}"]

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and f"{pair[0]} {pair[1]}" in self._by_id

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for name in self._by_id:
            a, b = name.split(" ")
            yield a, b

    def __len__(self) -> int:
        return len(self._by_id)


class BuiltIndex:
    """One build, read-only. Rows of the dense and the word index are places in ``passages``."""

    def __init__(self, store: Store, build_id: str | None = None) -> None:
        self.store = store
        self.manifest: Manifest = store.manifest(build_id)
        self.id = self.manifest.build_id
        self.folder: Path = store.path(self.id)
        self._check_files()

    def _check_files(self) -> None:
        missing = [name for name in self.manifest.files if not (self.folder / name).is_file()]
        if missing:
            raise IndexDamagedError(
                f"Build {self.id} must be whole.", "missing: " + ", ".join(sorted(missing)), "gmedbot index build"
            )
        cut = [name for name, size in self.manifest.sizes.items() if (self.folder / name).stat().st_size != size]
        if cut:
            raise IndexDamagedError(
                f"Build {self.id} must be whole.", "of another size: " + ", ".join(sorted(cut)), "gmedbot index build"
            )

    def check_settings(self, fingerprint: str, encoder: str) -> None:
        """Refuse an index that other settings built. Raises: IndexMismatchError with wanted and found."""
        found = self.manifest
        if found.encoder.model != encoder:
            raise IndexMismatchError(
                f"The index must be built with the encoder {encoder}.",
                f"built with {found.encoder.model} ({found.encoder.dim} dimensions)",
                "gmedbot index build, or set GMEDBOT_ENCODER back",
            )
        if found.settings != fingerprint:
            raise IndexMismatchError(
                f"The index must be built with these settings (fingerprint {fingerprint}).",
                f"built with fingerprint {found.settings}",
                "gmedbot index build",
            )

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder that built the vectors: the exported one, or sentence-transformers where there is no export."""
        folder = self.store.folder / "encoders" / self.manifest.encoder_folder
        encoder: Encoder
        if self.manifest.encoder.engine == "onnx":
            encoder = OnnxEncoder(folder)
        else:
            encoder = SentenceTransformerEncoder(self.manifest.encoder.model)
        if encoder.card.digest != self.manifest.encoder.digest:
            raise IndexMismatchError(
                f"The encoder must have weights {self.manifest.encoder.digest[:12]}.",
                f"weights {encoder.card.digest[:12]}",
                "gmedbot index build",
            )
        return encoder

    @cached_property
    def pair_reader(self) -> PairReader:
        """The reader that judged pairs of claims when this was built."""
        return PairReader(self.store.folder / "encoders" / self.manifest.reader_folder)

    @cached_property
    def large_reader(self) -> PairReader | None:
        """The larger reader of what that left in doubt, None if the build had none."""
        return large_reader(self.store.folder / "encoders" / self.manifest.reader_folder)

    @cached_property
    def verdict_reader(self) -> PairReader:
        """The reader of a question beside a statement that was found for it."""
        return PairReader(self.store.folder / "encoders" / self.manifest.reader_folder, mode="verdict")

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary that the claims were read with."""
        return vocabulary_from_rows(self._json("vocabulary.json"))

    @cached_property
    def lexicon(self) -> Mapping[str, int]:
        """Levelled word → how often the corpus uses it."""
        lexicon: dict[str, int] = self._json("lexicon.json")
        return lexicon

    @cached_property
    def english(self) -> frozenset[str]:
        """Ordinary English words, levelled."""
        try:
            return frozenset((self.folder / "english.txt").read_text("utf-8").split())
        except OSError as error:
            raise IndexDamagedError("english.txt must be readable.", str(error), "gmedbot index build") from error

    @cached_property
    def safety(self) -> SafetyRules | None:
        """The red-flag rules that were in force when the index was built."""
        return SafetyRules.from_record(self._json("safety.json")) if "safety.json" in self.manifest.files else None

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """source_id → source."""
        return RowMap(self._ids("sources"), RowFile(self.folder / "sources.jsonl", source_from_record))

    @cached_property
    def passages(self) -> Sequence[Passage]:
        """All passages by row, each parsed when it is asked for."""
        return self._rows("passages", passage_from_record, self.manifest.n_passages)

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """passage_id → row."""
        return self._ids("passages")

    @cached_property
    def claims(self) -> Sequence[Claim]:
        """All claims by row, each parsed when it is asked for."""
        return self._rows("claims", claim_from_record, self.manifest.n_claims)

    @cached_property
    def claim_row(self) -> Mapping[str, int]:
        """claim_id → row."""
        return self._ids("claims")

    @cached_property
    def claim_table(self) -> ClaimTable:
        """What is asked of all claims at once, as columns."""
        return ClaimTable(self.folder)

    @cached_property
    def claims_of_passage(self) -> Mapping[str, tuple[int, ...]]:
        """passage_id → rows of its claims, in text order."""
        return RowMap(self._ids("passages"), self.claim_table.by_passage)

    @cached_property
    def claim_vectors(self) -> NDArray[np.float32]:
        """(n_claims, dim) float32 unit rows, memory-mapped."""
        return load_array(self.folder / "claim_vectors.npy")

    @cached_property
    def questions(self) -> QuestionTable:
        """What learners ask, beside the claims that answer it."""
        return QuestionTable(self.folder, self.manifest.n_claims)

    @cached_property
    def disputes(self) -> DisputeTable:
        """What learners ask about disputes, and near them."""
        return DisputeTable(self.folder)

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """All findings, each parsed when it is asked for."""
        return self._rows("findings", finding_from_record, self.manifest.n_findings)

    @cached_property
    def finding_of(self) -> Mapping[str, Finding]:
        """finding_id → finding."""
        return RowMap(self._ids("findings"), self.findings)

    @cached_property
    def finding_of_claim(self) -> Mapping[str, Finding]:
        """claim_id → the finding that it supports."""
        return RowMap(self._ids("claims"), self.findings, self.claim_table.finding)

    @cached_property
    def relations(self) -> Mapping[tuple[str, str], Relation]:
        """The agreeing and conflicting pairs of claims, by (smaller id, larger id)."""
        return RelationMap(self._ids("relations"), RowFile(self.folder / "relations.jsonl", relation_from_record))

    @cached_property
    def dense(self) -> DenseIndex:
        index = DenseIndex.load(self.folder / "dense.faiss", self.manifest.dense)  # type: ignore[arg-type]
        if index.size != self.manifest.n_passages:
            raise IndexDamagedError(
                f"dense.faiss must hold {self.manifest.n_passages} vectors.", str(index.size), "gmedbot index build"
            )
        return index

    @cached_property
    def words(self) -> LexicalIndex:
        return LexicalIndex.load(self.folder / "words")

    def _rows(self, name: str, parse: Callable[[Any], T], wanted: int) -> RowFile[T]:
        rows = RowFile(self.folder / f"{name}.jsonl", parse)
        if len(rows) != wanted:
            raise IndexDamagedError(
                f"Build {self.id} must hold {wanted} {name}.", str(len(rows)), "gmedbot index build"
            )
        return rows

    def _ids(self, name: str) -> IdMap:
        return self._id_maps.setdefault(name, IdMap(load_array(self.folder / f"{name}.ids.npy")))

    @cached_property
    def _id_maps(self) -> dict[str, IdMap]:
        return {}

    @cached_property
    def index(self) -> EmbeddedIndex:
        """Search by vector and by words, narrowed to sources if asked (see ``protocol``)."""
        return EmbeddedIndex(self.dense, self.words, self._rows_of_sources)

    def _rows_of_sources(self, sources: Sequence[str]) -> NDArray[np.int64]:
        wanted = set(sources)
        return np.array(
            [row for row, passage in enumerate(self.passages) if passage.source_id in wanted], dtype=np.int64
        )

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise IndexDamagedError(f"{name} must be readable.", str(error), "gmedbot index build") from error
