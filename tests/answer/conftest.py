"""A bot over the small corpus with learners' questions beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gmedbot.bot import Bot
from gmedbot.index.build import build_index
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.settings import load_settings
from tests.support import SMALL_CORPUS

ORIGIN = (
    "The gluteus medius arises from the outer surface of the ilium between its anterior and posterior gluteal lines."
)
LONG = "what exactly is it that the side hip muscle is there for when I do anything at all?"
QUESTIONS = {
    "test-atlas-2010": (
        f"- statement: {ORIGIN}\n  asked: [where does the side hip muscle start?]\n"
        "- statement: The gluteus medius is supplied by the superior gluteal nerve.\n"
        "  asked: [which nerve runs the side hip muscle?]\n"
        f"- statement: The gluteus medius abducts the hip.\n  asked: [glute med job, {LONG}, what does qzxwv do?]\n"
    ),
    "test-gait-2014": (
        "- statement: A weak gluteus medius causes a positive Trendelenburg sign.\n"
        "  asked: [why does my hip dip to one side?]\n"
    ),
}


@pytest.fixture(scope="session")
def asked_bot(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Bot:
    """A bot whose corpus has questions for four statements."""
    from tests.conftest import give_encoder

    folder = tmp_path_factory.mktemp("asked")
    corpus = Path(shutil.copytree(SMALL_CORPUS, folder / "corpus"))
    (corpus / "questions").mkdir()
    for name, text in QUESTIONS.items():
        (corpus / "questions" / f"{name}.yaml").write_text(text, "utf-8")
    give_encoder(encoder_folder, folder / "index")
    settings = load_settings(corpus=corpus, index=folder / "index")
    build_index(settings)
    return Bot.open(settings, is_warm=False)


@pytest.fixture(scope="session")
def asked_index(asked_bot: Bot, tmp_path_factory: pytest.TempPathFactory) -> BuiltIndex:
    """The index of ``asked_bot``, opened once more."""
    return BuiltIndex(Store(next(tmp_path_factory.getbasetemp().glob("asked*")) / "index"), asked_bot.index_id)
