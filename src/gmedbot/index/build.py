"""Corpus → published build: read, split, encode, extract, relate, write, check, swap.

A build is made in a staging folder and becomes visible by one atomic rename, so a reader sees the old index or the
new one and never a mixture. Its id is the hash of its content: the same corpus, settings and versions give the same
id, byte for byte. Vectors of texts seen before come from a cache, and a cached vector is the same bits as a fresh
one (see ``encoder``), so an incremental build equals a full one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import gmedbot
from gmedbot.claims.extract import extract_claims
from gmedbot.claims.ledger import Ledger, build_ledger
from gmedbot.claims.reader import PairReader, export_reader, large_reader, reader_name
from gmedbot.claims.relator import Relator, relator_digest
from gmedbot.claims.reviews import dispute_reasons
from gmedbot.claims.vocabulary import (
    Vocabulary,
    normal_words,
    prepared_rows,
    vocabulary_from_rows,
    vocabulary_rows,
)
from gmedbot.conversation.safety import SafetyRules
from gmedbot.corpus.disputes import QuestionsOnDispute, read_disputes
from gmedbot.corpus.duplicates import unexplained_copies
from gmedbot.corpus.plain import without_markup
from gmedbot.corpus.plain_words import PlainWordings, read_plain
from gmedbot.corpus.questions import QuestionsOf, read_questions
from gmedbot.corpus.sources import read_corpus
from gmedbot.encoder import EXPORT_FORMAT, Encoder, OnnxEncoder, export_encoder, file_digest, packaged_digest
from gmedbot.errors import EncoderError, IndexDamagedError, IndexMissingError, UsageError
from gmedbot.index.cache import PairCache, ReadingCache
from gmedbot.index.claim_table import write_claim_table
from gmedbot.index.dense import DenseIndex
from gmedbot.index.disputes import bind_disputes, write_disputes
from gmedbot.index.encoding import Progress, encode_groups, vector_key
from gmedbot.index.lexical import LexicalIndex
from gmedbot.index.questions import bind_questions, write_questions
from gmedbot.index.records import (
    claim_record,
    finding_record,
    passage_record,
    relation_record,
    source_record,
)
from gmedbot.index.rows import write_rows
from gmedbot.index.stale import corpus_digest, data_digest, safety_file, vocabulary_folder
from gmedbot.index.store import FORMAT, Manifest, Store, storage_errors
from gmedbot.index.thresholds import thresholds_for
from gmedbot.passages import embedding_text, split_document
from gmedbot.settings import Settings
from gmedbot.types import Claim, Document, Passage

__all__ = ["BuildReport", "Progress", "build_index"]


_WRITTEN = 7  #: steps of writing a build, as its progress counts them


@dataclass(frozen=True)
class BuildReport:
    """What a build did: counts, seconds, how many texts were encoded, how many sources read
    anew, which pairs of sources are copies that their lineage does not explain, and the thresholds of the gates for this
    encoder, empty if none were calibrated."""

    build_id: str
    sources: int
    passages: int
    claims: int
    findings: int
    encoded: int
    extracted: int
    copies: tuple[tuple[str, str], ...]
    thresholds: Mapping[str, float]
    seconds: float
    changed: bool

    @property
    def passages_per_second(self) -> float:
        return self.passages / self.seconds if self.seconds else 0.0


def _safety_rules(corpus: Path) -> SafetyRules | None:
    """The red-flag rules; a build whose rules cannot be read is refused: one that silently never fires is a danger."""
    path = safety_file(corpus)
    return None if path is None else SafetyRules.load(path)


def _lexicon(documents: Iterable[Document]) -> dict[str, int]:
    """How often each levelled word occurs in the corpus, for mending typing errors."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(word for word, _, _ in normal_words(document.text) if word.isalpha())
    return dict(sorted(counts.items()))


#: Words rarer than this in pyspellchecker's counts are as often errors as words.
_ENGLISH_COUNT = 500


def _english() -> list[str]:
    """Ordinary English words, levelled: words that are no typing errors though the corpus does not use them."""
    from spellchecker import SpellChecker

    counts = SpellChecker(language="en").word_frequency.dictionary
    words = {level for word, count in counts.items() if count >= _ENGLISH_COUNT for level, _, _ in normal_words(word)}
    return sorted(word for word in words if len(word) >= 4 and word.isalpha())


def build_index(
    settings: Settings, progress: Progress | None = None, full: bool = False, engine: Literal["local", "ray"] = "local"
) -> BuildReport:
    """Build the index of ``settings.corpus`` and publish it in ``settings.index``.

    Args: full: split, extract and encode everything again instead of taking what the caches know.
        engine: "ray" encodes as a Ray Data job (see ``ray_build``); the build is the same.
    Raises: CorpusError, EncoderError, IndexLockedError, StorageError; the published index stays as it was.
    """
    tell: Progress = progress or (lambda stage, done, total: None)
    started = time.perf_counter()
    documents = read_corpus(settings.corpus, lambda done, total: tell("read", done, total))
    vocabulary = prepared_rows(vocabulary_rows(vocabulary_folder(settings.corpus)))
    safety = _safety_rules(settings.corpus)
    by_hand = _read_by_hand(settings.corpus)
    store = Store(settings.index)
    with store.lock(), storage_errors("Writing the index"):
        store.sweep()
        staged = settings.index / f".staged-{os.getpid()}"
        staged.mkdir(parents=True)
        try:
            report = _build(settings, store, staged, documents, vocabulary, safety, by_hand, tell, full, engine)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return BuildReport(**{**report, "seconds": time.perf_counter() - started})


@dataclass(frozen=True)
class _ByHand:
    """What people wrote beside the sources to be found and shown with them."""

    questions: tuple[QuestionsOf, ...]
    disputes: tuple[QuestionsOnDispute, ...]
    plain: PlainWordings


def _read_by_hand(corpus: Path) -> _ByHand:
    """Raises: CorpusError."""
    return _ByHand(read_questions(corpus), read_disputes(corpus), read_plain(corpus))


def _build(
    settings: Settings,
    store: Store,
    staged: Path,
    documents: Sequence[Document],
    rows: dict[str, Any],
    safety: SafetyRules | None,
    by_hand: _ByHand,
    tell: Progress,
    full: bool,
    engine: Literal["local", "ray"],
) -> dict[str, Any]:
    vocabulary = vocabulary_from_rows(rows)
    tell("model", 0, 1)
    encoder, encoder_folder = _encoder(settings)
    tell("model", 1, 1)
    if settings.build_mode == "fast" and encoder.card.engine == "onnx":
        encoder = OnnxEncoder(settings.index / "encoders" / encoder_folder, mode="fast")
    passages, claims, read = _read_out(settings, documents, vocabulary, encoder, tell, full)
    claims = [replace(claim, plain=by_hand.plain.get((claim.source_id, claim.text), "")) for claim in claims]
    titles = {document.source.source_id: document.source.title for document in documents}
    texts = [embedding_text(passage, titles[passage.source_id]) for passage in passages]
    questions = bind_questions(by_hand.questions, claims)
    disputes = bind_disputes(by_hand.disputes, dispute_reasons(settings.corpus / "reviews.yaml"))
    on_disputes = [text for row in disputes for text in (*row.asked, *row.beside)]
    groups = texts, [claim.text for claim in claims], [text for text, _ in questions], on_disputes
    found, encoded = encode_groups(settings, encoder, groups, engine, tell, full)
    vectors, claim_vectors, question_vectors, dispute_vectors = found
    ledger, reader_folder = _relate(settings, documents, claims, claim_vectors, vocabulary, tell, full)
    copies = unexplained_copies(documents, lambda done, total: tell("copies", done, total))
    tell("write", 0, _WRITTEN)
    dense = DenseIndex.build(vectors, settings.dense_index)
    dense.save(staged / "dense.faiss")
    tell("write", 1, _WRITTEN)
    LexicalIndex.build(texts).save(staged / "words")
    tell("write", 2, _WRITTEN)
    np.save(staged / "claim_vectors.npy", claim_vectors)
    _write_words(staged, rows, documents, safety)
    tell("write", 3, _WRITTEN)
    _write_rows(staged, documents, passages, claims, ledger)
    tell("write", 4, _WRITTEN)
    write_questions(staged, questions, question_vectors, vocabulary, len(claims))
    write_disputes(staged, disputes, dispute_vectors)
    write_claim_table(staged, claims, passages, list(titles), ledger.findings, vocabulary)
    tell("write", 5, _WRITTEN)
    manifest = _manifest(
        settings, staged, documents, encoder, encoder_folder, dense.type, passages, claims, ledger, reader_folder
    )
    _check(documents, passages, claims, vectors)
    tell("write", 6, _WRITTEN)
    (staged / "manifest.json").write_text(manifest.to_json(), "utf-8")
    changed = manifest.build_id not in store.list_builds() or manifest.build_id != _published(store)
    store.publish(staged, manifest.build_id, settings.keep_builds)
    if settings.backend == "postgres":
        _copy_to_database(settings, store, manifest.build_id)
    tell("write", _WRITTEN, _WRITTEN)
    return {
        "build_id": manifest.build_id,
        "sources": len(documents),
        "passages": len(passages),
        "claims": len(claims),
        "findings": len(ledger.findings),
        "encoded": encoded,
        "extracted": read,
        "copies": tuple((overlap.a, overlap.b) for overlap in copies),
        "thresholds": manifest.thresholds,
        "changed": changed,
    }


def _relate(
    settings: Settings,
    documents: Sequence[Document],
    claims: Sequence[Claim],
    vectors: NDArray[np.float32],
    vocabulary: Vocabulary,
    tell: Progress,
    full: bool,
) -> tuple[Ledger, str]:
    """The ledger of the claims, and the folder of the reader that judged them."""
    folder, reader, larger = _readers(settings)
    with contextlib.ExitStack() as opened:
        cache = opened.enter_context(PairCache(settings.index / "cache", reader, folder))
        second = None
        if larger is not None:
            second = opened.enter_context(PairCache(settings.index / "cache", larger, f"{folder}-large"))
        if full:
            cache.clear()
            if second is not None:
                second.clear()
        ledger = build_ledger(
            claims,
            {document.source.source_id: document.source for document in documents},
            vocabulary,
            vectors,
            settings.corpus / "reviews.yaml",
            Relator(vocabulary, cache, second=second),
            tell,
        )
    return ledger, folder


def _copy_to_database(settings: Settings, store: Store, build_id: str) -> None:
    from gmedbot.index.postgres import PostgresIndex
    from gmedbot.index.reader import BuiltIndex

    if not settings.database_url:
        raise UsageError("backend=postgres needs a database.", "none is set", "set GMEDBOT_DATABASE_URL")
    PostgresIndex.publish(settings.database_url, BuiltIndex(store, build_id)).close()


def _published(store: Store) -> str | None:
    with contextlib.suppress(IndexMissingError, IndexDamagedError):
        return store.current_id()
    return None


def _encoder(settings: Settings) -> tuple[Encoder, str]:
    """The exported encoder of an earlier build if it is the wanted model, else a fresh export. Returns its folder name."""
    encoders = settings.index / "encoders"
    if not Path(settings.encoder).exists():
        for folder in sorted(encoders.glob("[0-9a-f]*")):
            with contextlib.suppress(EncoderError):
                found = OnnxEncoder(folder)
                is_wanted = found.card.model == settings.encoder and folder.name == _encoder_name(found)
                if is_wanted and found.card.digest == packaged_digest(settings.encoder, found.card.digest):
                    return found, folder.name
    fresh = encoders / f".fresh-{os.getpid()}"
    encoder = export_encoder(settings.encoder, fresh)
    name = _encoder_name(encoder)
    if encoder.card.engine != "onnx":
        shutil.rmtree(fresh, ignore_errors=True)
        return encoder, name
    folder = encoders / name
    with contextlib.suppress(EncoderError):
        return OnnxEncoder(folder), name  # these very weights are there: the builds that use them never miss them
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(fresh, folder)
    return OnnxEncoder(folder), name


def _readers(settings: Settings) -> tuple[str, PairReader, PairReader | None]:
    """The exported pair readers beside the encoders, made if they are not there. Returns the name of their folder, the reader,
    and the larger one where its weights are installed."""
    name = reader_name()
    folder = settings.index / "encoders" / name
    with contextlib.suppress(EncoderError):
        PairReader(folder, mode="verdict")
        return name, PairReader(folder), large_reader(folder)
    fresh = settings.index / "encoders" / f".fresh-reader-{os.getpid()}"
    export_reader(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(fresh, folder)
    return name, PairReader(folder), large_reader(folder)


def _encoder_name(encoder: Encoder) -> str:
    """Folder of an export: by what it is made from, so that another model or other weights never take its place."""
    card = encoder.card
    return hashlib.sha256(f"{EXPORT_FORMAT} {card.model} {card.digest}".encode()).hexdigest()[:12]


def _read_out(
    settings: Settings,
    documents: Sequence[Document],
    vocabulary: Vocabulary,
    encoder: Encoder,
    tell: Progress,
    full: bool,
) -> tuple[list[Passage], list[Claim], int]:
    """Passages and claims of all documents, in document order, and how many documents had to be read anew."""
    window = min(settings.passage_tokens, encoder.card.max_tokens)
    passages: list[Passage] = []
    claims: list[Claim] = []
    with ReadingCache(settings.index / "cache", f"{window} {vector_key(encoder)} {vocabulary.digest}") as cache:
        if full:
            cache.clear()
        for number, document in enumerate(documents, start=1):
            reading = cache.find(document)
            if reading is None:
                own = split_document(document, encoder.count_tokens, window)
                reading = (own, extract_claims(document, own, vocabulary))
                cache.keep(document, *reading)
            passages.extend(reading[0])
            claims.extend(reading[1])
            tell("split", number, len(documents))
        return passages, claims, cache.missed


def _manifest(
    settings: Settings,
    staged: Path,
    documents: Sequence[Document],
    encoder: Encoder,
    encoder_folder: str,
    dense_type: str,
    passages: Sequence[Passage],
    claims: Sequence[Claim],
    ledger: Any,
    reader_folder: str,
) -> Manifest:
    files = {
        path.relative_to(staged).as_posix(): file_digest(path) for path in sorted(staged.rglob("*")) if path.is_file()
    }
    draft = Manifest(
        format=FORMAT,
        build_id="",
        gmedbot=gmedbot.__version__,
        encoder=encoder.card,
        encoder_folder=encoder_folder,
        reader_folder=reader_folder,
        relator=relator_digest(),
        settings=settings.fingerprint(),
        passage_tokens=settings.passage_tokens,
        corpus=corpus_digest(documents),
        vocabulary=data_digest(settings.corpus),
        dense=dense_type,
        n_sources=len(documents),
        n_passages=len(passages),
        n_claims=len(claims),
        n_findings=len(ledger.findings),
        thresholds=thresholds_for(settings.corpus, encoder.card),
        files=files,
        sizes={name: (staged / name).stat().st_size for name in files},
    )
    return Manifest(**{**draft.__dict__, "build_id": draft.derived_id()})


def _check(
    documents: Sequence[Document],
    passages: Sequence[Passage],
    claims: Sequence[Claim],
    vectors: NDArray[np.float32],
) -> None:
    """The promises that every citation rests on, checked before anyone can read the build."""
    texts = {document.source.source_id: document.text for document in documents}
    for passage in passages:
        if texts[passage.source_id][passage.start : passage.end] != passage.text:
            raise IndexDamagedError("Every passage must stand in its document.", passage.passage_id, "report this")
    for claim in claims:
        if without_markup(texts[claim.source_id][claim.start : claim.end]) != claim.text:
            raise IndexDamagedError("Every claim must stand in its document.", claim.claim_id, "report this")
    if len({passage.passage_id for passage in passages}) != len(passages):
        raise IndexDamagedError("Passage ids must be unique.", "two passages share an id", "report this")
    if len(vectors) and not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4):
        raise IndexDamagedError("Every vector must have length 1.", "one has not", "report this")


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=0) + "\n", "utf-8")


def _write_words(staged: Path, rows: dict[str, Any], documents: Sequence[Document], safety: SafetyRules | None) -> None:
    """The words that questions are read with: vocabulary, lexicon of the corpus, ordinary English, red flags."""
    _write_json(staged / "vocabulary.json", rows)
    _write_json(staged / "lexicon.json", _lexicon(documents))
    (staged / "english.txt").write_text("\n".join(_english()) + "\n", "utf-8")
    if safety is not None:
        _write_json(staged / "safety.json", safety.to_record())


def _write_rows(
    staged: Path, documents: Sequence[Document], passages: Sequence[Passage], claims: Sequence[Claim], ledger: Ledger
) -> None:
    sources = (source_record(document.source) for document in documents)
    write_rows(staged / "sources.jsonl", sources, lambda row: row["source_id"])
    write_rows(staged / "passages.jsonl", map(passage_record, passages), lambda row: row["id"])
    write_rows(staged / "claims.jsonl", map(claim_record, claims), lambda row: row["id"])
    write_rows(staged / "findings.jsonl", map(finding_record, ledger.findings), lambda row: row["finding_id"])
    relations = map(relation_record, ledger.relations)
    write_rows(staged / "relations.jsonl", relations, lambda row: f"{row['a']} {row['b']}")
