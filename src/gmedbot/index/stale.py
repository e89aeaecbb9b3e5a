"""Whether the published index is that of the corpus, the settings and the models of this program, and where these are found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import gmedbot
from gmedbot.claims.reader import reader_name
from gmedbot.claims.relator import relator_digest
from gmedbot.corpus.disputes import dispute_file
from gmedbot.corpus.plain_words import plain_files
from gmedbot.corpus.questions import question_files
from gmedbot.corpus.sources import read_corpus
from gmedbot.encoder import packaged_digest
from gmedbot.errors import GmedbotError
from gmedbot.index.records import source_record
from gmedbot.index.store import Store
from gmedbot.index.thresholds import thresholds_for
from gmedbot.settings import Settings, default_corpus
from gmedbot.types import Document

__all__ = ["corpus_digest", "data_digest", "is_stale", "safety_file", "vocabulary_folder"]


def vocabulary_folder(corpus: Path) -> Path:
    """The vocabulary of a corpus: its own, else the project's (a folder of documents alone is a corpus too)."""
    own = corpus / "vocabulary"
    if own.is_dir():
        return own
    return default_corpus() / "vocabulary"


def safety_file(corpus: Path) -> Path | None:
    """The red-flag rules of a corpus: its own, else the project's; None if neither exists."""
    for path in (corpus / "safety.yaml", default_corpus() / "safety.yaml"):
        if path.is_file():
            return path
    return None


def corpus_digest(documents: Iterable[Document]) -> str:
    """Hash over the front matter and text of every document; independent of file order and file times."""
    digest = hashlib.sha256()
    for document in sorted(documents, key=lambda document: document.source.source_id):
        digest.update(json.dumps(source_record(document.source), sort_keys=True).encode())
        digest.update(b"\0" + document.text.encode() + b"\0")
    return digest.hexdigest()


def is_stale(settings: Settings) -> str:
    """Why the published index is not that of the corpus and settings; "" if it is. Never raises for a bad index."""
    store = Store(settings.index)
    try:
        manifest = store.manifest()
    except GmedbotError as error:
        return error.found or error.wanted
    if manifest.gmedbot != gmedbot.__version__:
        return f"built by gmedbot {manifest.gmedbot}"
    if manifest.settings != settings.fingerprint():
        return "built with other settings"
    if manifest.corpus != corpus_digest(read_corpus(settings.corpus)):
        return "the corpus has changed"
    if manifest.vocabulary != data_digest(settings.corpus):
        return "the vocabulary, the reviews, the questions or the plain wordings have changed"
    if manifest.thresholds != thresholds_for(settings.corpus, manifest.encoder):
        return "the thresholds have changed"
    if manifest.reader_folder != reader_name():
        return "the pair reader has changed, or the larger one was installed or removed"
    if manifest.relator != relator_digest():
        return "what weighs the readings of pairs has changed"
    if manifest.encoder.digest != packaged_digest(settings.encoder, manifest.encoder.digest):
        return "the encoder has changed"
    return ""


def data_digest(corpus: Path) -> str:
    """Hash over the data files beside the sources: vocabulary, reviews, safety rules, questions and plain wordings."""
    digest = hashlib.sha256()
    files = sorted(vocabulary_folder(corpus).glob("*.yaml"))
    files += [path for name in ("reviews.yaml", "safety.yaml") if (path := corpus / name).is_file()]
    files += question_files(corpus)
    disputes = dispute_file(corpus)
    files += [disputes] if disputes is not None else []
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for path in plain_files(corpus):
        digest.update(b"plain/" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
