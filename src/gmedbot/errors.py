"""Every error that gmedbot raises on purpose, as one tree.

GmedbotError
├── UsageError              the call is wrong: unknown id, bad option, malformed input line          exit 2
├── CorpusError             source files are missing or wrong; carries every finding, not the first  exit 3
├── IndexMissingError       there is no built index                                                  exit 3
├── IndexDamagedError       a file of the index is missing, truncated or altered                     exit 3
├── IndexMismatchError      the index was built by other settings, model or format                   exit 3
├── EncoderError            the encoder's weights are absent or not the ones that were asked for     exit 3
├── IndexLockedError        another build holds the lock                                             exit 3
├── StorageError            the disk refused: full, read-only, no permission                         exit 3
└── AddRefusedError         a document cannot be taken into the corpus                               exit 1

A message has three parts: what was wanted, what was found, what to run. They are attributes, so that
the command line, the API and the page can each show them in their own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AddRefusedError",
    "CorpusError",
    "EncoderError",
    "FileFinding",
    "GmedbotError",
    "IndexDamagedError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "StorageError",
    "UsageError",
]


class GmedbotError(Exception):
    """An error that a person can act on.

    Args:
        wanted: what was needed, in plain words.
        found: what was there instead.
        fix: what to run or change; may be empty where nothing can be done.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, wanted: str, found: str = "", fix: str = "") -> None:
        self.wanted = wanted
        self.found = found
        self.fix = fix
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.wanted]
        if self.found:
            parts.append(f"Found: {self.found}")
        if self.fix:
            parts.append(f"To mend it: {self.fix}")
        return "\n".join(parts)


class UsageError(GmedbotError):
    """The call is wrong; nothing was done."""

    exit_code = 2


@dataclass(frozen=True, order=True)
class FileFinding:
    """One thing wrong in one file: ``path:line: [rule] message``. Lines count from 1; 0 is the whole file."""

    path: str
    line: int
    rule: str
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        level = "" if self.is_error else "warning: "
        return f"{self.path}:{self.line}: {level}[{self.rule}] {self.message}"


class CorpusError(GmedbotError):
    """Source files are wrong. Holds every finding so that a maintainer mends them in one go."""

    def __init__(self, wanted: str, findings: Sequence[FileFinding], fix: str = "gmedbot corpus check") -> None:
        self.findings = tuple(findings)
        shown = "\n".join(f"  {finding}" for finding in self.findings)
        super().__init__(wanted, f"{len(self.findings)} problem(s)\n{shown}", fix)


class IndexMissingError(GmedbotError):
    """There is no built index where one was looked for."""


class IndexDamagedError(GmedbotError):
    """A file of the index is missing, truncated or altered since it was built."""


class IndexMismatchError(GmedbotError):
    """The index belongs to other settings, another model or another format."""


class EncoderError(GmedbotError):
    """The encoder cannot be loaded, or its weights are not the ones asked for."""


class IndexLockedError(GmedbotError):
    """Another build is running on the same index folder."""


class StorageError(GmedbotError):
    """The file system refused a read or a write."""


class AddRefusedError(GmedbotError):
    """A document cannot be taken into the corpus; the reason is in ``found``."""

    exit_code = 1
