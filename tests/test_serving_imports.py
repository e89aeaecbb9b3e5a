"""Answering must not wait for PyTorch: what a fresh process imports on its way from a question to an answer."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gmedbot.settings import Settings

pytestmark = pytest.mark.integration

#: Import names that cost seconds, or that only a build, the page or an evaluation needs.
_HEAVY = (
    "torch transformers sentence_transformers langchain langchain_core langchain_text_splitters sklearn scipy pandas "
    "gradio fastapi pydantic bm25s datasketch onnx trafilatura yaml faiss"
)

_PROGRAM = """
import json, sys
from pathlib import Path
from gmedbot.bot import Bot
from gmedbot.settings import load_settings
corpus, index = map(Path, sys.argv[1:3])
bot = Bot.open(load_settings(corpus=corpus, index=index), is_warm=False)
first = bot.ask("Which nerve supplies the gluteus medius?")
second = bot.ask("And where does it insert?", ["Which nerve supplies the gluteus medius?"])
found = bot.retrieve("glut med orgin", 3)
heavy = sorted({name.split(".")[0] for name in sys.modules} & set(sys.argv[3].split()))
print(json.dumps({"heavy": heavy, "statuses": [first.status, second.status], "passages": len(found)}))
"""


@pytest.fixture(scope="module")
def seen(small_settings: Settings) -> dict[str, object]:
    """What a fresh process that answers two questions reports of itself."""
    arguments = [sys.executable, "-c", _PROGRAM, str(small_settings.corpus), str(small_settings.index), _HEAVY]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_an_answer_imports_neither_a_model_framework_nor_a_build_time_library(seen: dict[str, object]) -> None:
    assert seen["heavy"] == []


def test_the_process_did_answer_and_retrieve(seen: dict[str, object]) -> None:
    assert seen["statuses"] == ["answered", "answered"]
    assert seen["passages"] == 3


def test_the_command_line_prints_its_help_without_numpy() -> None:
    program = "import sys; from gmedbot.cli import ask; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
