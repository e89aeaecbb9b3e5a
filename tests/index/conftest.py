"""A corpus that a test may change, with an index folder that already holds the exported encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gmedbot.settings import Settings, load_settings
from tests.support import SMALL_CORPUS

VOCABULARY = Path(__file__).parents[1] / "data" / "deltoid" / "vocabulary"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The small corpus with a vocabulary and safety rules of its own, small enough to read in a moment."""
    folder = Path(shutil.copytree(SMALL_CORPUS, tmp_path / "corpus"))
    shutil.copytree(VOCABULARY, folder / "vocabulary")
    shutil.copy(VOCABULARY.parent / "safety.yaml", folder / "safety.yaml")
    terms = "- {id: gluteus-medius, kind: muscle, name: gluteus medius}\n- {id: sgn, kind: nerve, name: superior gluteal nerve}\n"
    (folder / "vocabulary" / "hip.yaml").write_text(terms, "utf-8")
    return folder


@pytest.fixture
def settings(corpus: Path, tmp_path: Path, encoder_folder: Path) -> Settings:
    from tests.conftest import give_encoder

    give_encoder(encoder_folder, tmp_path / "index")
    return load_settings(corpus=corpus, index=tmp_path / "index")


def fingerprint(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
