"""What the package shows, what it loads, and who may know which library."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gmedbot
from gmedbot import errors
from tests.support import ROOT

pytestmark = pytest.mark.core

PACKAGE = ROOT / "src" / "gmedbot"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Third-party engines and the one file of the package that knows each (STYLE: one home file per engine).
HOMES = {
    "faiss": {"index/dense.py"},
    "bm25s": {"index/lexical.py"},
    "Stemmer": {"index/lexical.py"},
    "sentence_transformers": {"encoder.py", "retrieval/rerank.py"},  # its encoders, its cross-encoders
    "torch": {"adapter.py", "claims/reader.py", "encoder.py", "retrieval/rerank.py"},
    "onnxruntime": {"claims/reader.py", "encoder.py", "quantise.py"},
    "tokenizers": {"claims/reader.py", "encoder.py"},
    "langchain_text_splitters": {"passages.py"},
    "ir_measures": {"evaluation/ranking.py"},
    "trafilatura": {"corpus/pages.py"},
    "datasketch": {"corpus/duplicates.py"},
}
HEAVY = ("torch", "sentence_transformers", "transformers", "gradio", "faiss", "onnxruntime", "bm25s", "scipy", "pandas",
         "langchain_text_splitters", "trafilatura", "sqlalchemy", "numpy", "pydantic", "yaml")  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Which of the heavy libraries are loaded after ``code`` has run in a fresh interpreter."""
    script = f"import sys\n{code}\nprint(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT / "src", check=True)
    return set(done.stdout.split("\n")[-2].split())


def test_every_public_name_can_be_imported() -> None:
    assert gmedbot.__all__ == sorted(gmedbot.__all__)
    for name in gmedbot.__all__:
        assert getattr(gmedbot, name) is not None
    with pytest.raises(AttributeError):
        gmedbot.no_such_name  # noqa: B018


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_what_a_module_says_it_exports_it_has(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "a module says what it is for"
    exported: list[str] = []
    defined: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            defined.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            defined.update(names)
            if names == ["__all__"]:
                exported = ast.literal_eval(node.value) if node.value is not None else []
    assert set(exported) <= defined
    assert len(set(exported)) == len(exported)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import gmedbot") == set()


def test_the_command_line_starts_without_the_engines() -> None:
    found = loaded_after("from gmedbot.cli.main import build_parser\nbuild_parser()")
    assert found <= {"pydantic", "yaml", "numpy"}


def test_importing_has_no_effect_on_the_environment() -> None:
    code = "import os\nbefore = dict(os.environ)\nimport gmedbot, gmedbot.encoder, gmedbot.bot\nassert dict(os.environ) == before"
    loaded_after(code)


@pytest.mark.integration
def test_an_answer_waits_for_no_training_library(small_index: Path, small_corpus: Path) -> None:
    code = (
        "from gmedbot.bot import Bot\nfrom gmedbot.settings import load_settings\n"
        f"bot = Bot.open(load_settings(corpus={str(small_corpus)!r}, index={str(small_index)!r}), is_warm=False)\n"
        "assert bot.ask('Which nerve supplies the gluteus medius?').status == 'answered'"
    )
    assert not loaded_after(code) & {"torch", "sentence_transformers", "transformers", "gradio", "langchain_text_splitters",
                                     "bm25s", "scipy", "pandas", "trafilatura", "sqlalchemy"}  # fmt: skip


def test_each_engine_is_known_to_one_file() -> None:
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                if name.split(".")[0] in HOMES:
                    found.setdefault(name.split(".")[0], set()).add(path.relative_to(PACKAGE).as_posix())
    assert {engine: files - HOMES[engine] for engine, files in found.items() if files - HOMES[engine]} == {}


def test_the_tree_of_errors_lists_every_error_with_its_exit_code() -> None:
    listed = dict(re.findall(r"[├└]── (\w+Error) .*exit (\d)", errors.__doc__ or ""))
    classes: dict[str, type[errors.GmedbotError]] = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.GmedbotError)
    }
    leaves = {name for name, kind in classes.items() if kind is not errors.GmedbotError}
    assert set(listed) == leaves
    assert {name: classes[name].exit_code for name in leaves} == {name: int(code) for name, code in listed.items()}
    assert (errors.__doc__ or "").count("GmedbotError\n") == 1


def test_an_error_says_what_was_wanted_what_was_found_and_what_to_run() -> None:
    error = errors.UsageError("Give one question.", "two", "gmedbot ask --help")
    assert str(error) == "Give one question.\nFound: two\nTo mend it: gmedbot ask --help"
    assert str(errors.UsageError("Give one question.")) == "Give one question."


def test_no_module_prints() -> None:
    for path in MODULES:
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"], path
