"""What the tests share: six invented digests, an index of them, a bot, and the program as a subprocess.

The corpus in ``tests/data/corpus`` is our own. Three sources agree on the nerve (one is a copy of another, so two
origins), two disagree on its roots (L4–S1 against L5–S1), and nothing in it answers ``support.UNANSWERABLE``. The vocabulary
and the safety rules are the project's.

The packaged encoder is exported once and kept: that of the checkout's ``index/`` if it is built, else one in pytest's
cache folder under the hash of ``encoder.py``. Nothing here or in the tests needs the network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tests.support import PROJECT_CORPUS, ROOT, SMALL_CORPUS, Outcome, RunCli, project_vocabulary

if TYPE_CHECKING:
    from gmedbot.bot import Bot
    from gmedbot.claims.pairs import PairJudge
    from gmedbot.claims.vocabulary import Vocabulary
    from gmedbot.encoder import OnnxEncoder
    from gmedbot.index.reader import BuiltIndex
    from gmedbot.settings import Settings


os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
for _name in [name for name in os.environ if name.upper().startswith("GMEDBOT_")]:
    if _name not in ("GMEDBOT_CHROMIUM", "GMEDBOT_SHOTS"):
        del os.environ[_name]  # no test reads the settings of whoever runs it

# The same examples in every run, and no deadline: the machines that run this are busy.
settings.register_profile(
    "gmedbot", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gmedbot")


@pytest.fixture(scope="session")
def small_corpus() -> Path:
    """Six digests with one known agreement, one known conflict; read it, do not write to it."""
    return SMALL_CORPUS


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """The project's vocabulary."""
    return project_vocabulary()


@pytest.fixture(scope="session")
def encoder_folder(pytestconfig: pytest.Config, reader_folder: Path) -> Path:
    """A folder with the packaged model, exported: ``encoder.onnx`` and what belongs to it."""
    from gmedbot.encoder import DEFAULT_MODEL, export_encoder

    with contextlib.suppress(Exception):  # no index, an old one, a damaged one: then export
        return _built_encoder()
    made_from = (ROOT / "src" / "gmedbot" / "encoder.py", ROOT / "src" / "gmedbot" / "data" / "encoder-adapter.npz")
    source = hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()[:12]
    shared = _kept(pytestconfig, "gmedbot-encoders")
    folder = shared / source
    with FileLock(shared / ".lock"):
        if not (folder / "encoder.json").is_file():
            for old in [path for path in shared.iterdir() if path.is_dir()]:
                shutil.rmtree(old, ignore_errors=True)
            fresh = shared / f".fresh-{os.getpid()}"
            export_encoder(DEFAULT_MODEL, fresh)
            os.replace(fresh, folder)
    return folder


def encoder_name() -> str:
    """The name under which an index keeps the exported packaged model (see ``index.build``)."""
    from gmedbot.encoder import DEFAULT_MODEL, EXPORT_FORMAT, packaged_digest

    return hashlib.sha256(f"{EXPORT_FORMAT} {DEFAULT_MODEL} {packaged_digest(DEFAULT_MODEL, '')}".encode()).hexdigest()[
        :12
    ]


def _built_encoder() -> Path:
    """The encoder of the checkout's index, if it is of this version of the program. Raises otherwise."""
    from gmedbot.index.store import Store

    manifest = Store(ROOT / "index").manifest()
    folder = ROOT / "index" / "encoders" / manifest.encoder_folder
    if manifest.encoder_folder != encoder_name() or not (folder / "encoder.onnx").is_file():
        raise FileNotFoundError(folder)
    return folder


def _kept(config: pytest.Config, name: str) -> Path:
    """A folder that outlives the run, shared by the workers of pytest-xdist."""
    cache = config.cache
    assert cache is not None
    return cache.mkdir(name)


@pytest.fixture(scope="session")
def encoder(encoder_folder: Path) -> OnnxEncoder:
    """The packaged model as it serves."""
    from gmedbot.encoder import OnnxEncoder

    return OnnxEncoder(encoder_folder)


#: Where this session's pair reader is; ``give_encoder`` is no fixture and cannot ask for one.
_READERS: list[Path] = []


@pytest.fixture(scope="session")
def reader_folder(pytestconfig: pytest.Config) -> Path:
    """A folder with the pair reader, exported."""
    from gmedbot.claims.reader import export_reader, reader_name

    folder = ROOT / "index" / "encoders" / reader_name()
    if not (folder / "reader.onnx").is_file():
        shared = _kept(pytestconfig, "gmedbot-readers")
        folder = shared / reader_name()
        with FileLock(shared / ".lock"):
            if not (folder / "reader.onnx").is_file():
                export_reader(folder)
    _READERS.append(folder)
    return folder


@pytest.fixture(scope="session")
def pair_judge(vocabulary: Vocabulary, encoder: OnnxEncoder, reader_folder: Path) -> PairJudge:
    """What ``gmedbot claims compare`` asks."""
    from gmedbot.claims.pairs import PairJudge
    from gmedbot.claims.reader import PairReader, large_reader
    from gmedbot.claims.relator import Relator

    relator = Relator(vocabulary, PairReader(reader_folder), second=large_reader(reader_folder))
    return PairJudge(vocabulary, encoder, relator)


def give_encoder(encoder_folder: Path, index: Path) -> None:
    """Put the exported encoder and pair reader where a build in ``index`` looks, so that it need not export again."""
    from gmedbot.claims.reader import reader_name

    for folder, name in ((encoder_folder, encoder_name()), (_READERS[-1], reader_name())):
        target = index / "encoders" / name
        if not target.exists():
            shutil.copytree(folder, target, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


@pytest.fixture(scope="session")
def small_index(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path, small_corpus: Path) -> Path:
    """The published index of ``small_corpus``; read it, do not write to it."""
    from gmedbot.index.build import build_index
    from gmedbot.settings import load_settings

    folder = tmp_path_factory.mktemp("index")
    give_encoder(encoder_folder, folder)
    build_index(load_settings(corpus=small_corpus, index=folder))
    return folder


@pytest.fixture
def own_index(small_index: Path, tmp_path: Path) -> Path:
    """A copy of ``small_index`` that a test may damage or publish to."""
    folder = tmp_path / "index"
    shutil.copytree(small_index, folder, ignore=shutil.ignore_patterns("encoders"))
    shutil.copytree(small_index / "encoders", folder / "encoders", copy_function=_link_or_copy)
    return folder


@pytest.fixture(scope="session")
def small_settings(small_index: Path, small_corpus: Path) -> Settings:
    """Settings that point at the small corpus and its index."""
    from gmedbot.settings import load_settings

    return load_settings(corpus=small_corpus, index=small_index)


@pytest.fixture(scope="session")
def built(small_index: Path) -> BuiltIndex:
    """The small index, opened."""
    from gmedbot.index.reader import BuiltIndex
    from gmedbot.index.store import Store

    return BuiltIndex(Store(small_index))


@pytest.fixture(scope="session")
def bot(small_settings: Settings) -> Bot:
    """A bot over the small index."""
    from gmedbot.bot import Bot

    return Bot.open(small_settings)


@pytest.fixture(scope="session")
def project_settings(pytestconfig: pytest.Config, encoder_folder: Path) -> Settings:
    """The project's corpus with an index of it: the checkout's if it is fresh, else one built in pytest's cache."""
    from gmedbot.index.build import build_index
    from gmedbot.index.stale import is_stale
    from gmedbot.settings import load_settings

    own = load_settings(corpus=PROJECT_CORPUS, index=ROOT / "index")
    if not is_stale(own):
        return own
    folder = _kept(pytestconfig, "gmedbot-project-index")
    kept = load_settings(corpus=PROJECT_CORPUS, index=folder)
    with FileLock(folder.with_suffix(".lock")):
        if is_stale(kept):
            give_encoder(encoder_folder, folder)
            build_index(kept)
    return kept


@pytest.fixture(scope="session")
def project_bot(project_settings: Settings) -> Bot:
    """A bot over the project's own corpus."""
    from gmedbot.bot import Bot

    return Bot.open(project_settings)


@pytest.fixture
def run_cli(tmp_path: Path) -> Iterator[RunCli]:
    """The program as others start it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GMEDBOT_")}
    environment |= {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}

    def run(*arguments: str | Path, stdin: str = "", cwd: Path | None = None) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "gmedbot", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=cwd or tmp_path,
            env=environment,
            timeout=180,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    yield run
