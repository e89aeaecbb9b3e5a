"""The index in PostgreSQL: pgvector for vectors, full-text search for words. The only file that knows psycopg.

A build is copied from the embedded index (``PostgresIndex.publish``) into a schema of its own and becomes visible by
one update of a pointer, in one transaction. Rows carry the numbers of the embedded build, so that both give the same
rows and the claims of the build fit either.

Words are matched by PostgreSQL (a GIN index over our own stems, so that both sides cut words alike) and scored by BM25
like the embedded index: the database ranks candidates by ``ts_rank``, and the best are scored exactly from the stems
that it returns. Several statements of one search run in one connection, a pool of which serves the threads.
"""

from __future__ import annotations

import contextlib
import json
import math
import queue
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gmedbot.errors import IndexMissingError, StorageError, UsageError
from gmedbot.index.lexical import full_match, tokenize
from gmedbot.index.protocol import Rows, Scores
from gmedbot.index.reader import BuiltIndex

__all__ = ["PostgresIndex"]

_K1, _B = 1.5, 0.75  #: as ``lexical`` builds BM25
#: Candidates that the database ranks, per wanted row; exact BM25 then decides.
_WORD_CANDIDATES = 20
#: Up to so many rows a search looks at all of them; only above is the graph made and used.
_EXACT_LIMIT = 20_000
_POOL = 8


class PostgresIndex:
    """A published build in a database. Close it, or use it as a context manager.

    Args: url: any libpq address, for instance ``postgresql://user@host/name``.
    Raises: IndexMissingError if nothing is published there; StorageError if the server cannot be reached.
    """

    def __init__(self, url: str, build_id: str | None = None) -> None:
        self._url = url
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        with self._connection() as connection:
            self.id = build_id or _published(connection)
            self._schema = _schema(self.id)
            facts = connection.execute(f"SELECT facts FROM {self._schema}.build").fetchone()
        self._facts: dict[str, Any] = facts[0]
        self._stems: dict[str, int] = {}

    @classmethod
    def publish(cls, url: str, built: BuiltIndex) -> PostgresIndex:
        """Copy a build into the database and point to it; builds that were there before are removed."""
        with _connect(url) as connection, connection.transaction():
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            connection.execute("CREATE TABLE IF NOT EXISTS gmedbot_current (only_row bool PRIMARY KEY, build text)")
            schema = _schema(built.id)
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            connection.execute(f"CREATE SCHEMA {schema}")
            _copy(connection, schema, built)
            connection.execute(
                "INSERT INTO gmedbot_current VALUES (true, %s) ON CONFLICT (only_row) DO UPDATE SET build = EXCLUDED.build",
                (built.id,),
            )
            for (other,) in connection.execute(
                r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 'gmedbot\_%%' AND nspname <> %s", (schema,)
            ).fetchall():
                connection.execute(f"DROP SCHEMA {other} CASCADE")
        return cls(url)

    def __enter__(self) -> PostgresIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the idle connections back."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Any]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = _connect(self._url)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if connection.closed or self._idle.qsize() >= _POOL:
            connection.close()
        else:
            self._idle.put(connection)

    @property
    def size(self) -> int:
        return int(self._facts["size"])

    def search_vectors(self, query: Scores, k: int, sources: Sequence[str] = ()) -> tuple[Rows, Scores]:
        where, values = _where(sources)
        with self._connection() as connection, connection.transaction():
            # a filter must not starve the graph: it is walked on until there are k rows of the sources
            connection.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            connection.execute(f"SET LOCAL hnsw.ef_search = {min(1000, max(128, 2 * k))}")
            found = connection.execute(
                f"SELECT row, -(embedding <#> %s) FROM {self._schema}.passages {where} ORDER BY embedding <#> %s LIMIT %s",
                (query, *values, query, k),
            ).fetchall()
        return _ordered(found)

    def search_words(self, text: str, k: int, sources: Sequence[str] = ()) -> tuple[Rows, Scores]:
        stems = self._known(text)
        if not stems:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        wanted = " | ".join(_quoted(stem) for stem in stems)
        where, values = _where(sources, "words @@ %s::tsquery")
        with self._connection() as connection:
            found = connection.execute(
                f"SELECT row, stems FROM {self._schema}.passages {where} "
                "ORDER BY ts_rank(words, %s::tsquery, 1) DESC, row LIMIT %s",
                (wanted, *values, wanted, k * _WORD_CANDIDATES),
            ).fetchall()
        rows, scores = _ordered([(row, self._bm25(stems, own)) for row, own in found])
        return rows[:k], scores[:k]

    def cosines(self, query: Scores, rows: Rows) -> Scores:
        return self._by_row(
            f"SELECT row, -(embedding <#> %s) FROM {self._schema}.passages WHERE row = ANY(%s)",
            (query, rows.tolist()),
            rows,
        )

    def word_scores(self, text: str, rows: Rows) -> Scores:
        stems = self._known(text)
        with self._connection() as connection:
            found = connection.execute(
                f"SELECT row, stems FROM {self._schema}.passages WHERE row = ANY(%s)", (rows.tolist(),)
            ).fetchall()
        scores = {row: self._bm25(stems, own) for row, own in found}
        return np.array([scores[row] for row in rows.tolist()], dtype=np.float32)

    def full_match(self, text: str) -> float:
        counts = self._known(text)
        return full_match([counts.get(stem, 0) for stem in dict.fromkeys(tokenize(text))], self.size)

    def _by_row(self, statement: str, values: tuple[Any, ...], rows: Rows) -> Scores:
        with self._connection() as connection:
            found = dict(connection.execute(statement, values).fetchall())
        return np.array([found[row] for row in rows.tolist()], dtype=np.float32)

    def _known(self, text: str) -> dict[str, int]:
        """Distinct stems of a question that the corpus holds, with the number of passages that hold each."""
        stems = list(dict.fromkeys(tokenize(text)))
        unknown = [stem for stem in stems if stem not in self._stems]
        if unknown:
            with self._connection() as connection:
                found = connection.execute(
                    f"SELECT stem, passages FROM {self._schema}.stems WHERE stem = ANY(%s)", (unknown,)
                ).fetchall()
            self._stems.update(dict.fromkeys(unknown, 0) | dict(found))
        return {stem: self._stems[stem] for stem in stems if self._stems[stem]}

    def _bm25(self, wanted: dict[str, int], own: Sequence[str]) -> float:
        counts, size = Counter(own), self.size
        norm = _K1 * (1 - _B + _B * len(own) / float(self._facts["mean_stems"]))
        return sum(
            math.log(1 + (size - passages + 0.5) / (passages + 0.5)) * counts[stem] / (counts[stem] + norm)
            for stem, passages in wanted.items()
            if stem in counts
        )


def _connect(url: str) -> Any:
    try:
        import psycopg
        from pgvector.psycopg import register_vector
    except ModuleNotFoundError as error:
        raise UsageError(
            "backend=postgres needs psycopg and pgvector.", f"{error.name} is absent", "pip install 'gmedbot[postgres]'"
        ) from error
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.Error as error:
        raise StorageError(
            "The database must be reachable and have pgvector.",
            str(error).strip().splitlines()[0],
            "check GMEDBOT_DATABASE_URL",
        ) from error
    register_vector(connection)
    return connection


def _published(connection: Any) -> str:
    there = connection.execute("SELECT to_regclass('gmedbot_current')").fetchone()[0]
    row = connection.execute("SELECT build FROM gmedbot_current").fetchone() if there else None
    if row is None:
        raise IndexMissingError(
            "A build must be published in the database.", "there is none", "gmedbot index build with backend=postgres"
        )
    return str(row[0])


def _schema(build_id: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{1,32}", build_id):
        raise UsageError("A build id holds hexadecimal digits.", build_id, "gmedbot index info")
    return f"gmedbot_{build_id}"


def _copy(connection: Any, schema: str, built: BuiltIndex) -> None:
    """Write passages, vectors and stems, then the indexes over them: filling an indexed table takes much longer."""
    from gmedbot.passages import embedding_text

    dim = built.manifest.encoder.dim
    connection.execute(
        f"CREATE TABLE {schema}.passages (row int PRIMARY KEY, id text UNIQUE NOT NULL, source text NOT NULL, "
        f"stems text[] NOT NULL, words tsvector NOT NULL, embedding vector({dim}) NOT NULL)"
    )
    counts: Counter[str] = Counter()
    total = 0
    with connection.cursor().copy(f"COPY {schema}.passages FROM STDIN") as copy:
        for row, passage in enumerate(built.passages):
            stems = tokenize(embedding_text(passage, built.sources[passage.source_id].title))
            counts.update(set(stems))
            total += len(stems)
            vector = built.dense.vectors(np.array([row]))[0]
            shown = "[" + ",".join(map(repr, vector.tolist())) + "]"
            copy.write_row((row, passage.passage_id, passage.source_id, stems, _vector_of_words(stems), shown))
    connection.execute(f"CREATE TABLE {schema}.stems (stem text PRIMARY KEY, passages int NOT NULL)")
    with connection.cursor().copy(f"COPY {schema}.stems FROM STDIN") as copy:
        for item in sorted(counts.items()):
            copy.write_row(item)
    connection.execute(f"CREATE INDEX ON {schema}.passages USING gin (words)")
    connection.execute(f"CREATE INDEX ON {schema}.passages (source)")
    if len(built.passages) > _EXACT_LIMIT:
        connection.execute(
            f"CREATE INDEX ON {schema}.passages USING hnsw (embedding vector_ip_ops) WITH (m = 16, ef_construction = 80)"
        )
    connection.execute(f"ANALYZE {schema}.passages")
    facts = {"size": len(built.passages), "mean_stems": total / max(1, len(built.passages))}
    connection.execute(f"CREATE TABLE {schema}.build (facts jsonb)")
    connection.execute(f"INSERT INTO {schema}.build VALUES (%s)", (json.dumps(facts),))


def _vector_of_words(stems: Sequence[str]) -> str:
    """A tsvector with positions, written as text; PostgreSQL keeps at most 256 positions of a word, up to 16383."""
    places: dict[str, list[int]] = {}
    for place, stem in enumerate(stems[:16_383], start=1):
        places.setdefault(stem, []).append(place)
    return " ".join(f"{_quoted(stem)}:{','.join(map(str, own[:256]))}" for stem, own in places.items())


def _quoted(stem: str) -> str:
    return "'" + stem.replace("\\", "\\\\").replace("'", "''") + "'"


def _where(sources: Sequence[str], *conditions: str) -> tuple[str, tuple[Any, ...]]:
    """A WHERE clause and the value of its filter; each condition brings its own value before it."""
    parts = [*conditions, *(["source = ANY(%s)"] if sources else [])]
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), ((list(sources),) if sources else ())


def _ordered(found: Sequence[tuple[int, float]]) -> tuple[Rows, Scores]:
    rows = np.array([row for row, _ in found], dtype=np.int64)
    scores = np.array([score for _, score in found], dtype=np.float32)
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]
