"""Checks of the vocabulary that need its lines: dead references, doubled names, unknown kinds.

``claims.vocabulary`` refuses a vocabulary that is not whole; this module says where in which file, and also reports
what is lawful and probably wrong, such as one synonym under two terms.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gmedbot.claims.vocabulary import Term, Vocabulary, load_vocabulary, normal_words
from gmedbot.errors import CorpusError, FileFinding

__all__ = ["TERM_KINDS", "check_vocabulary"]

TERM_KINDS = frozenset(
    [
        "muscle",
        "muscle-part",
        "bone",
        "surface",
        "joint",
        "nerve",
        "root",
        "artery",
        "vein",
        "bursa",
        "tendon",
        "fascia",
        "ligament",
        "action",
        "plane",
        "position",
        "gait-phase",
        "condition",
        "symptom",
        "sign",
        "test",
        "imaging",
        "treatment",
        "drug",
        "surgery",
        "exercise",
        "equipment",
        "cue",
        "population",
        "sport",
        "measure",
        "unit",
        "direction",
        "side",
        "frequency",
        "degree",
        "certainty",
        "advice",
        "other",
    ]
)
_ENTRY = re.compile(r"(?m)^\s*-?\s*\{?\s*id:\s*[\"']?([\w-]+)")


def check_vocabulary(folder: Path) -> tuple[Vocabulary | None, tuple[FileFinding, ...]]:
    """The vocabulary of ``folder/*.yaml``, None if it cannot be used, and the findings.

    Those that stop a build are errors, doubtful entries are warnings.
    """
    lines = _lines(folder)
    try:
        vocabulary = load_vocabulary(folder)
    except CorpusError as error:
        return None, tuple(sorted(_placed(finding, lines) for finding in error.findings))
    return vocabulary, tuple(sorted(_doubts(vocabulary.terms, lines)))


def _lines(folder: Path) -> Mapping[str, tuple[str, int]]:
    """Term id → (file, line)."""
    found: dict[str, tuple[str, int]] = {}
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_bytes().decode("utf-8", "replace")
        for match in _ENTRY.finditer(text):
            place = (f"vocabulary/{path.name}", text.count("\n", 0, match.start(1)) + 1)
            found.setdefault(match.group(1), place)
            if found[match.group(1)] != place:
                found[f"{match.group(1)} again"] = place
    return found


def _placed(finding: FileFinding, lines: Mapping[str, tuple[str, int]]) -> FileFinding:
    """A finding of the loader with the file and line of the term that it names first."""
    name = finding.message.split()[0] if finding.message else ""
    key = f"{name} again" if finding.rule == "duplicate-term" and f"{name} again" in lines else name
    path, line = lines.get(key, (finding.path, finding.line))
    if not path.startswith("vocabulary") and path.endswith(".yaml"):
        path = f"vocabulary/{path}"
    if finding.rule == "yaml" and (mark := re.search(r"line (\d+)", finding.message)):
        line = int(mark.group(1))
    return replace(finding, path=path, line=line)


def _doubts(terms: Mapping[str, Term], lines: Mapping[str, tuple[str, int]]) -> Iterator[FileFinding]:
    owners: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for term in terms.values():
        path, line = lines.get(term.id, ("vocabulary", 0))
        if term.kind not in TERM_KINDS:
            yield FileFinding(path, line, "term-kind", f"kind {term.kind} of {term.id} is not in the closed list")
        if term.is_superseded and not term.same_as:
            yield FileFinding(path, line, "superseded", f"{term.id} is superseded by nothing (same_as)", False)
        if term.maps_to is None:
            for key in {tuple(word for word, _, _ in normal_words(name)) for name in term.names}:
                owners[key].append(term.id)
    for key, names in sorted(owners.items()):
        if len(names) > 1:
            path, line = lines.get(names[-1], ("vocabulary", 0))
            others = ", ".join(names[:-1])
            yield FileFinding(path, line, "doubled-name", f'"{" ".join(key)}" names {names[-1]} and {others}', False)
