"""``gmedbot index verify``: is the published build what it says it is, and does it answer from it?

Four looks, from bytes to behaviour: every file has the hash of the manifest; counts, references and vectors fit one
another; every passage and claim stands in the corpus at its offsets (if the corpus is the one that was built); and
the search index returns what comparing with every vector returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmedbot.errors import CorpusError, IndexDamagedError, IndexMismatchError
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.settings import Settings
from gmedbot.types import Document

__all__ = ["verify_build", "verify_index"]

_FIX = "gmedbot index build, or: gmedbot index rollback"
_SAMPLE = 64
_K = 10
#: Share of the true ten nearest that an approximate index must find. Exact types must find all.
_LOWEST_RECALL = {"flat": 1.0, "hnsw": 0.9, "ivf-sq8": 0.8, "ivf-pq": 0.9}


def verify_index(settings: Settings, build_id: str | None = None) -> dict[str, Any]:
    """Check the published build, or a named one.

    Returns: {"build", "checked": {what: how many}}; "offsets" is missing if the corpus has changed since.
    Raises: IndexMissingError, IndexDamagedError naming what is wrong, IndexMismatchError.
    """
    store = Store(settings.index)
    build_id = build_id or store.current_id()
    manifest = store.verify_files(build_id)
    index = BuiltIndex(store, build_id)
    if build_id == store.current_id():
        index.check_settings(settings.fingerprint(), settings.encoder)
    checked = {"files": len(manifest.files)} | verify_build(index)
    _check_encoder(index)
    documents = _same_corpus(settings.corpus, manifest.corpus)
    if documents is not None:
        checked["offsets"] = _check_offsets(index, documents)
    return {"build": build_id, "checked": checked}


def verify_build(index: BuiltIndex) -> dict[str, int]:
    """Counts, references and vectors of one opened build. Raises: IndexDamagedError."""
    manifest = index.manifest
    counts = {
        "sources": (len(index.sources), manifest.n_sources),
        "passages": (len(index.passages), manifest.n_passages),
        "claims": (len(index.claims), manifest.n_claims),
        "findings": (len(index.findings), manifest.n_findings),
        "vectors": (index.dense.size, manifest.n_passages),
        "claim vectors": (len(index.claim_vectors), manifest.n_claims),
    }
    for name, (found, wanted) in counts.items():
        _require(found == wanted, f"Build {index.id} must hold {wanted} {name}.", str(found))
    _check_references(index)
    queries = _check_search(index)
    _ = index.vocabulary, index.lexicon, index.words, index.safety, index.questions
    return {name: found for name, (found, _) in counts.items()} | {
        "relations": len(index.relations),
        "searches": queries,
    }


def _require(is_true: bool, wanted: str, found: str) -> None:
    if not is_true:
        raise IndexDamagedError(wanted, found, _FIX)


def _check_references(index: BuiltIndex) -> None:
    """Every id that a record names exists: nothing of a removed source is left behind."""
    passages = {passage.passage_id: passage for passage in index.passages}
    claims = {claim.claim_id for claim in index.claims}
    findings = {finding.finding_id for finding in index.findings}
    _none("passages of unknown sources", (p.passage_id for p in index.passages if p.source_id not in index.sources))
    _none("claims of unknown passages", (c.claim_id for c in index.claims if c.passage_id not in passages))
    _none(
        "claims outside their passages",
        (
            c.claim_id
            for c in index.claims
            if not _inside(c.start, c.end, passages[c.passage_id].start, passages[c.passage_id].end)
        ),
    )
    _none("findings of unknown claims", (f.finding_id for f in index.findings if not set(f.supporters) <= claims))
    _none(
        "findings that dispute unknown findings",
        (f.finding_id for f in index.findings if not set(f.dissents) <= findings),
    )
    _none("relations of unknown claims", (f"{a} {b}" for a, b in index.relations if a not in claims or b not in claims))
    supported = [claim for finding in index.findings for claim in finding.supporters]
    _require(
        len(supported) == len(set(supported)) == len(claims),
        "Every claim must belong to one finding.",
        f"{len(supported)} places for {len(claims)} claims",
    )


def _inside(start: int, end: int, low: int, high: int) -> bool:
    return low <= start <= end <= high


def _none(what: str, found: Iterable[str]) -> None:
    names = list(found)
    _require(not names, f"There must be no {what}.", ", ".join(names[:3]))


def _check_search(index: BuiltIndex) -> int:
    """Search for a sample of the stored vectors, and compare with every vector in numpy."""
    n = index.dense.size
    if n == 0:
        return 0
    claim_vectors = np.asarray(index.claim_vectors)
    norms = np.linalg.norm(claim_vectors, axis=1)
    _require(
        bool(np.allclose(norms, 1, atol=1e-3)),
        "Every claim vector must have length 1.",
        f"{norms.min():.3f}–{norms.max():.3f}",
    )
    rows = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.int64))
    queries = index.dense.vectors(rows)
    k = min(_K, n)
    hits = 0
    for query, true in zip(queries, _brute_force(index, queries, k), strict=True):
        found, scores = index.dense.search(query, k)
        close = scores >= true[-1] - 1e-4  # equal scores may come in any order
        hits += int(close.sum())
        if index.manifest.dense == "flat":
            same = np.allclose(np.sort(scores)[::-1], true, atol=1e-4)
            _require(
                bool(same),
                "Search must return the nearest passages.",
                f"row {int(found[0])}: other scores than brute force",
            )
    recall = hits / (len(queries) * k)
    lowest = _LOWEST_RECALL.get(index.manifest.dense, 0.8)
    _require(recall >= lowest, f"Search must find {lowest:.0%} of the nearest passages.", f"{recall:.1%}")
    return len(queries)


def _brute_force(index: BuiltIndex, queries: NDArray[np.float32], k: int) -> list[NDArray[np.float32]]:
    """The ``k`` best scores of each query over every stored vector, best first; in blocks, so that memory stays small."""
    best = np.full((len(queries), k), -np.inf, np.float32)
    for start in range(0, index.dense.size, 8192):
        rows = np.arange(start, min(start + 8192, index.dense.size))
        scores = queries @ index.dense.vectors(rows).T
        best = -np.sort(-np.concatenate([best, scores], axis=1), axis=1)[:, :k]
    return list(best)


def _same_corpus(folder: Path, digest: str) -> tuple[Document, ...] | None:
    """The documents if the folder is the corpus that was built, None if it has moved on."""
    from gmedbot.corpus.sources import read_corpus
    from gmedbot.index.stale import corpus_digest

    try:
        documents = read_corpus(folder)
    except CorpusError:
        return None
    return documents if corpus_digest(documents) == digest else None


def _check_offsets(index: BuiltIndex, documents: Iterable[Document]) -> int:
    """Every passage and claim is verbatim in its source at its offsets: what every citation rests on."""
    texts = {document.source.source_id: document.text for document in documents}
    wrong = [p.passage_id for p in index.passages if texts.get(p.source_id, "")[p.start : p.end] != p.text]
    wrong += [c.claim_id for c in index.claims if texts.get(c.source_id, "")[c.start : c.end] != c.text]
    _require(not wrong, "Every passage and claim must stand in its source.", ", ".join(wrong[:3]))
    return len(index.passages) + len(index.claims)


def _check_encoder(index: BuiltIndex) -> None:
    """The exported encoder gives the stored vectors again. Raises: IndexMismatchError if it does not."""
    if not index.claims:
        return
    rows = np.unique(np.linspace(0, len(index.claims) - 1, 3).astype(int))
    fresh = index.encoder.encode([index.claims[int(row)].text for row in rows])
    cosine = (fresh * np.asarray(index.claim_vectors)[rows]).sum(axis=1)
    if float(cosine.min()) < 0.999:
        raise IndexMismatchError(
            "The encoder must give the vectors of the index.",
            f"cosine {float(cosine.min()):.3f}",
            "gmedbot index build --full",
        )
