"""Any BEIR-format set through the product's own retrieval, beside BM25, dense and RRF.

BEIR (Thakur et al. 2021): corpus.jsonl {_id, title, text}, queries.jsonl {_id, text}, qrels/test.tsv (query-id,
corpus-id, score). The product's way: documents are split into passages, passages are encoded and indexed by words,
both are fused, and a document scores as its best passage. Nothing that knows the gluteus medius takes part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from gmedbot.encoder import Encoder, SentenceTransformerEncoder, whole_text
from gmedbot.errors import GmedbotError, UsageError
from gmedbot.evaluation.bench import strictly_falling
from gmedbot.evaluation.binding import Binding
from gmedbot.evaluation.gold import Gold
from gmedbot.evaluation.items import PRODUCT
from gmedbot.evaluation.measures import Estimate, bootstrap_mean
from gmedbot.evaluation.ranking import MEASURES, Qrels, Run, score_runs
from gmedbot.index.cache import VectorCache
from gmedbot.index.dense import DenseIndex
from gmedbot.index.lexical import LexicalIndex
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store, storage_errors
from gmedbot.passages import embedding_text, embedding_text_of, split_document
from gmedbot.retrieval.hybrid import HybridRetriever, reciprocal_rank_fusion
from gmedbot.retrieval.rerank import Reranking, scorer_of
from gmedbot.settings import Settings
from gmedbot.types import Document, Source

__all__ = ["BeirSet", "evaluate_beir", "export_beir", "open_encoder", "read_beir", "write_runs"]

_DEPTH = 100  #: documents kept per query, as BEIR does
_WIDTH = 200  #: passages ranked per query: two a document, so that long documents do not crowd out others

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BeirSet:
    """A test collection. ``documents``: id → (title, text); ``queries``: only those with judgements.

    ``absent``: documents that are judged relevant and not in the corpus. They count as missed, as in BEIR's own scoring.
    """

    name: str
    documents: Mapping[str, tuple[str, str]]
    queries: Mapping[str, str]
    qrels: Qrels
    absent: tuple[str, ...] = ()


def read_beir(folder: Path) -> BeirSet:
    """Read a BEIR folder. Grades of 0 or less are "not relevant" and left out.

    Raises: UsageError naming the file and line that is wrong, or the file that is missing.
    """
    documents = {
        name: (_line(row.get("title")), _body(row.get("text")))
        for name, row in _rows(folder / "corpus.jsonl", ("title", "text")).items()
    }
    asked = _rows(folder / "queries.jsonl", ("text",))
    qrels = _qrels(folder / "qrels" / "test.tsv")
    unknown = sorted(query for query in qrels if asked.get(query, {}).get("text") is None)
    if unknown:
        raise UsageError(
            "Every query of qrels/test.tsv must be in queries.jsonl, with its text.",
            f"{len(unknown)} are not: {', '.join(unknown[:5])}",
        )
    if not documents or not qrels:
        raise UsageError(
            f"{folder} must hold documents and judgements above 0.",
            f"{len(documents)} documents, {len(qrels)} judged queries",
        )
    absent = dict.fromkeys(name for grades in qrels.values() for name in grades if name not in documents)
    queries = {query: _line(asked[query]["text"]) for query in qrels}
    return BeirSet(folder.resolve().name, documents, queries, qrels, tuple(absent))


def _line(value: object) -> str:
    return " ".join(whole_text(str(value or "")).split())


_SEPARATORS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_MARKDOWN = re.compile(r"`{3,}|~{3,}|^[ \t]*#{1,6}(?=\s)", re.MULTILINE)


def _body(value: object) -> str:
    """The text as plain text: one kind of line end, and no signs that the splitter would take for Markdown.

    BEIR texts are not Markdown; a stray code fence would hide what follows it, a "#" would make a line a heading.
    """
    plain = _MARKDOWN.sub(" ", _SEPARATORS.sub("\n", whole_text(str(value or ""))))
    return re.sub(r"[^\S\n]+", " ", plain)


def _rows(path: Path, texts: Sequence[str]) -> dict[str, dict[str, object]]:
    """id → the object of its line; the same line twice is taken once, two lines of one id are refused."""
    found: dict[str, dict[str, object]] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f'{where} must be a JSON object with "_id".', str(error)) from error
        name = row.get("_id") if isinstance(row, dict) else None
        if isinstance(name, bool) or not isinstance(name, (str, int)) or name == "":
            raise UsageError(f'{where} must be a JSON object with "_id".', line.strip()[:80])
        wrong = [key for key in texts if not isinstance(row.get(key), (str, type(None)))]
        if wrong:
            raise UsageError(f'{where}: "{wrong[0]}" must be a string.', repr(row[wrong[0]])[:80])
        if found.setdefault(str(name), row) != row:
            raise UsageError(f"{where} must have an id of its own.", f"{name} is there twice, with other words")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        says = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise UsageError(
            "A BEIR folder must hold corpus.jsonl, queries.jsonl and qrels/test.tsv, in UTF-8.", f"{path}: {says}"
        ) from error


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    """Judgements above 0. Three columns (BEIR) or four (TREC, the second unused), tab-separated; a header is optional."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        row = [cell.strip() for cell in line.split("\t")]
        if not line.strip() or (number == 1 and _grade(row[-1]) is None and len(row) > 2):
            continue  # the header line
        grade = _grade(row[-1])
        if len(row) not in (3, 4) or grade is None:
            raise UsageError(
                f"{path.name}:{number} must be query-id, corpus-id, score (a whole number), tab-separated.",
                repr(line.strip()[:80]),
            )
        if grade > 0:
            qrels.setdefault(row[0], {})[row[-2]] = grade
    return qrels


def _grade(cell: str) -> int | None:
    """A whole number, also as "1.0"; None for anything else."""
    found = re.fullmatch(r"([+-]?\d{1,9})(?:\.0*)?", cell)
    return int(found[1]) if found else None


def open_encoder(settings: Settings) -> Encoder:
    """The encoder of the built index if there is one, else the model itself."""
    try:
        return BuiltIndex(Store(settings.index)).encoder
    except GmedbotError:
        return SentenceTransformerEncoder(settings.encoder)


@dataclass(frozen=True)
class _Passages:
    """All passages of a set: what is indexed, and the number of the document that each belongs to."""

    texts: Sequence[str]
    owners: NDArray[np.int64]
    ids: Sequence[str]


def evaluate_beir(
    collection: BeirSet, settings: Settings, encoder: Encoder, progress: Progress | None = None
) -> tuple[dict[str, dict[str, Estimate]], dict[str, Run]]:
    """Run all queries through the product's retrieval and the baselines.

    Returns: system → measure → estimate, and system → run (document ids, scores strictly falling).
    """
    tell: Progress = progress or (lambda stage, done, total: None)
    passages = _split(collection, settings, encoder, tell)
    names = list(collection.queries)
    with storage_errors("Caching vectors"), VectorCache(settings.index / "cache", encoder.card.digest) as cache:
        vectors, _ = cache.encode(encoder, passages.texts, lambda done: tell("encode", done, len(passages.texts)))
        asked, _ = cache.encode(encoder, [collection.queries[name] for name in names])
    dense = DenseIndex.build(vectors, settings.dense_index)
    words = LexicalIndex.build(passages.texts)
    second = None
    if settings.reranker is not None:
        second = Reranking(scorer_of(settings.reranker), passages.texts.__getitem__, settings.rerank_depth)
    retriever = HybridRetriever(dense, words, encoder, settings.dense_weight, settings.candidates, second)
    runs: dict[str, dict[str, list[tuple[str, float]]]] = {name: {} for name in (PRODUCT, "BM25", "dense", "RRF")}
    width = min(_WIDTH, len(passages.texts))
    for number, (name, vector) in enumerate(zip(names, asked, strict=True), start=1):
        text = collection.queries[name]
        hits = retriever.search(text, width, query_vector=vector)
        word_rows, word_scores = words.search(text, width)
        dense_rows, dense_scores = dense.search(vector, width)
        rrf = reciprocal_rank_fusion([word_rows, dense_rows], len(passages.texts))
        rrf_rows = np.flatnonzero(rrf > 0)
        for system, rows, scores in (
            (PRODUCT, hits.rows, hits.scores),
            ("BM25", word_rows, word_scores),
            ("dense", dense_rows, dense_scores),
            ("RRF", rrf_rows, rrf[rrf_rows]),
        ):
            runs[system][name] = _by_document(rows, scores, passages)
        tell("search", number, len(names))
    return {system: _estimates(collection.qrels, run) for system, run in runs.items()}, dict(runs)


def _split(collection: BeirSet, settings: Settings, encoder: Encoder, tell: Progress) -> _Passages:
    """Passages of all documents; one without any text is still there, as its title."""
    window = min(settings.passage_tokens, encoder.card.max_tokens)
    texts: list[str] = []
    owners: list[int] = []
    for number, (name, (title, text)) in enumerate(collection.documents.items()):
        source = Source(name, title, (), None, "", "web-article", "lay")
        try:
            own = split_document(Document(source, text, name), encoder.count_tokens, window)
        except ValueError:  # a text that the Markdown splitter alters (foreign data may hold anything): taken whole
            own = ()
        pieces = [embedding_text(passage, title) for passage in own] or [embedding_text_of(title, (), text) or " "]
        texts.extend(pieces)
        owners.extend([number] * len(pieces))
        tell("split", number + 1, len(collection.documents))
    return _Passages(texts, np.array(owners, dtype=np.int64), list(collection.documents))


def _by_document(rows: NDArray[np.int64], scores: NDArray[np.float32], passages: _Passages) -> list[tuple[str, float]]:
    """Passages → documents: each scores as its best passage, ties by order in the corpus."""
    best: dict[int, float] = {}
    for owner, score in zip(passages.owners[rows].tolist(), scores.tolist(), strict=True):
        best[owner] = max(best.get(owner, -np.inf), float(score))
    order = sorted(best, key=lambda owner: (-best[owner], owner))[:_DEPTH]
    return strictly_falling((passages.ids[owner], best[owner]) for owner in order)


def _estimates(qrels: Qrels, run: Run) -> dict[str, Estimate]:
    scores = score_runs(qrels, run)
    names = list(scores)
    return {measure: bootstrap_mean([scores[name][measure] for name in names], names) for measure in MEASURES}


def write_runs(runs: Mapping[str, Run], folder: Path, qrels: Qrels | None = None) -> None:
    """One TREC run file a system, ``<system>.run``, and the judgements beside them as ``qrels``.

    TREC files are cut at blanks, so blanks in ids are written as %20 and the like, in all of them alike.
    """
    with storage_errors("Writing run files"):
        folder.mkdir(parents=True, exist_ok=True)
        for system, run in runs.items():
            lines = (
                f"{_unbroken(query)} Q0 {_unbroken(name)} {rank} {score:.6f} {system}\n"
                for query, ranking in run.items()
                for rank, (name, score) in enumerate(ranking, start=1)
            )
            (folder / f"{system}.run").write_text("".join(lines), "utf-8")
        judged = (
            f"{_unbroken(query)} 0 {_unbroken(name)} {grade}\n"
            for query, grades in (qrels or {}).items()
            for name, grade in grades.items()
        )
        if qrels:
            (folder / "qrels").write_text("".join(judged), "utf-8")


def _unbroken(name: str) -> str:
    return re.sub(r"\s", lambda blank: quote(blank[0]), name)


def export_beir(gold: Gold, index: BuiltIndex, folder: Path) -> dict[str, int]:
    """Write the questions, the passages they are about and the judgements as a BEIR folder.

    Returns: how many documents, queries and judgements were written.
    """
    binding = Binding(index)
    judged = {question.id: binding.grades(question.judged) for question in gold.questions}
    with storage_errors("Writing the BEIR folder"):
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        _write_lines(
            folder / "corpus.jsonl",
            (
                {
                    "_id": p.passage_id,
                    "title": ". ".join(p.heading),
                    "text": p.text,
                    "metadata": {"source": p.source_id},
                }
                for p in index.passages
            ),
        )
        _write_lines(
            folder / "queries.jsonl",
            (
                {"_id": q.id, "text": q.question, "metadata": {"split": q.split, "style": q.style, "type": q.type}}
                for q in gold.questions
                if judged[q.id]
            ),
        )
        splits = {question.id: question.split for question in gold.questions}
        for name, wanted in (("test", ("dev", "test")), ("dev-only", ("dev",)), ("test-only", ("test",))):
            lines = ["query-id\tcorpus-id\tscore"]
            lines += [f"{q}\t{p}\t{g}" for q, own in judged.items() if splits[q] in wanted for p, g in own.items()]
            (folder / "qrels" / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return {
        "documents": len(index.passages),
        "queries": sum(bool(own) for own in judged.values()),
        "judgements": sum(len(own) for own in judged.values()),
    }


def _write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
