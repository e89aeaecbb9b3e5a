"""The documents tell the truth: their code runs, their links lead somewhere, their commands exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmedbot.cli.main import build_parser
from tests.support import PROJECT_CORPUS, ROOT

FENCE = re.compile(r"^(?P<mark>```+)(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=mark)[ \t]*$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)[^)]*\)|!\[[^\]\n]*\]\(([^)\s]+)[^)]*\)")
#: Documents of the project; the digests of the corpus are its data.
SKIPPED = {".venv", "corpus", "node_modules", "evaluation", "build", "dist", ".git", "tests", "shots"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not SKIPPED & set(path.relative_to(ROOT).parts[:-1]) or path.name == "README.md"
)
DOCUMENTS = [path for path in DOCUMENTS if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path, *kinds: str) -> Iterator[tuple[int, str]]:
    """(line, text) of the fenced blocks of one of the kinds."""
    text = path.read_text("utf-8")
    for match in FENCE.finditer(text):
        if match["info"].strip() in kinds:
            yield text.count("\n", 0, match.start()) + 2, match["body"]


PYTHON = [(path, line, body) for path in GUIDES for line, body in blocks(path, "python")]
CONSOLE = [
    (path, line + number, row.strip().removeprefix("$ "))
    for path in (*GUIDES, ROOT / "CONTRIBUTING.md")
    for line, body in blocks(path, "", "console", "bash", "sh", "shell", "text")
    for number, row in enumerate(body.splitlines())
    if re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?gmedbot ", row.strip())
]


def named(case: tuple[Path, int, str]) -> str:
    return f"{case[0].relative_to(ROOT).as_posix()}:{case[1]}"


@pytest.mark.integration
@pytest.mark.parametrize("case", PYTHON, ids=named)
def test_python_in_the_documents_runs(
    case: tuple[Path, int, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, line, body = case
    if "gmedbot" in body:
        settings = request.getfixturevalue("project_settings")
        monkeypatch.setenv("GMEDBOT_INDEX", str(settings.index))
        monkeypatch.setenv("GMEDBOT_CORPUS", str(PROJECT_CORPUS))
    code = compile("\n" * (line - 1) + body, str(path), "exec")
    exec(code, {"__name__": "__docs__"})


@pytest.mark.core
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    text = FENCE.sub("", path.read_text("utf-8"))
    dead = []
    for match in LINK.finditer(text):
        target = (match[1] or match[2]).strip("<>")
        if re.match(r"[a-z][a-z0-9+.-]*:|#|//", target):
            continue
        name, _, anchor = target.partition("#")
        found = (ROOT / name.lstrip("/")) if name.startswith("/") else path.parent / name
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            dead.append(target)
    assert dead == []


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE):
        words = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found


@pytest.mark.core
@pytest.mark.parametrize("case", CONSOLE, ids=named)
def test_every_command_in_the_documents_exists(case: tuple[Path, int, str]) -> None:
    words = shlex.split(case[2], comments=True)
    words = words[next(place for place, word in enumerate(words) if word.endswith("gmedbot")) + 1 :]
    for place, word in enumerate(words):
        if word in ("|", ">", ">>", "<", "&&", ";", "2>", "&") or word.startswith((">", "2>")):
            words = words[:place]
            break
    try:
        build_parser().parse_args(words)
    except SystemExit as stop:
        assert stop.code == 0, " ".join(words)


@pytest.mark.core
def test_the_documents_were_found() -> None:
    assert ROOT / "README.md" in DOCUMENTS and ROOT / "docs" / "contracts.md" in DOCUMENTS


@pytest.mark.core
def test_the_snippets_of_the_readme_are_found() -> None:
    text = 'intro\n```python\nx = 1\n```\n\n```console\n$ gmedbot ask "q"\n```\n'
    assert [match["body"] for match in FENCE.finditer(text)] == ["x = 1\n", '$ gmedbot ask "q"\n']
