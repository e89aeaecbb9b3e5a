"""Lists written by hand beside the sources: YAML files whose every entry is read and judged for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from gmedbot.errors import FileFinding

__all__ = ["question_problem", "read_entries", "stale_statements"]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST = 300  #: characters of a question


def read_entries(
    path: Path, shown: str, rule: str, problem_of: Callable[[Any], str], holds: str
) -> tuple[list[dict[str, Any]], list[FileFinding]]:
    """The entries of one file that are as they should be, and what is wrong with the others; never raises.

    Args: shown: the file's name in a finding. rule: the finding's rule. problem_of: an entry → what is wrong with it, ""
        if nothing is. holds: what the file is a list of, to be told.
    """
    try:
        records = yaml.load(path.read_text("utf-8"), Loader=_LOADER) or []
    except (yaml.YAMLError, OSError, ValueError) as error:  # PyYAML lets a date that is none through as ValueError
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        return [], [FileFinding(shown, line, rule, getattr(error, "problem", None) or str(error))]
    if not isinstance(records, list):
        return [], [FileFinding(shown, 1, rule, f"must be a list of {holds}")]
    problems = [problem_of(record) for record in records]
    kept = [record for record, problem in zip(records, problems, strict=True) if not problem]
    wrong = [(place, problem) for place, problem in enumerate(problems, start=1) if problem]
    return kept, [FileFinding(shown, 0, rule, f"entry {place}: {problem}") for place, problem in wrong]


def question_problem(name: str, questions: Any, most: int) -> str:
    """What is wrong with a list of questions that the field ``name`` holds, "" if nothing is."""
    if (
        not isinstance(questions, list)
        or not questions
        or not all(isinstance(text, str) and text.strip() for text in questions)
    ):
        return f"{name} must be a list of questions (quote one that is a number or holds a colon)"
    if len(questions) > most:
        return f"{len(questions)} questions; {most} at most"
    longest = max(len(text) for text in questions)
    return f"a question of {longest} characters; {_LONGEST} at most" if longest > _LONGEST else ""


def stale_statements(
    statements: Sequence[str], shown: str, rule: str, sentences: Sequence[str] | None
) -> Iterator[FileFinding]:
    """Findings on statements that no sentence of their source holds any more; None: there is no such source."""
    if sentences is None:
        yield FileFinding(shown, 0, f"{rule}-source", "there is no source of this name")
        return
    known = set(sentences)
    for statement in statements:
        if statement not in known:
            message = f"the source holds no such sentence any more: {statement[:80]}"
            yield FileFinding(shown, 0, f"{rule}-stale", message, is_error=False)
