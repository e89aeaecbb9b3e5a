"""``gmedbot corpus copy DIR``: a corpus of one's own to write into, made from the one that came with the package."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gmedbot.corpus.sources import corpus_files
from gmedbot.errors import StorageError, UsageError

__all__ = ["copy_corpus"]


def copy_corpus(corpus: Path, folder: Path) -> int:
    """Copy all files of a corpus into a new folder, which is there whole or not at all.

    Only what the files hold is copied, not their modes: those of an installed package are often read-only.

    Returns: how many files were copied.
    Raises: UsageError if there is no corpus, or the folder holds anything or lies within the corpus; StorageError if
        it cannot be written.
    """
    if not (corpus / "vocabulary").is_dir() and not corpus_files(corpus):
        raise UsageError(f"{corpus} must be a corpus.", "neither sources nor a vocabulary", "name one with --corpus")
    if folder.resolve().is_relative_to(corpus.resolve()):
        raise UsageError("A copy is made outside of what it copies.", str(folder), "name another folder")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} must be a new or empty folder.", "it holds something", "name another folder")
    fresh = folder.with_name(f".copying-{os.getpid()}-{folder.name}")
    paths = [path.relative_to(corpus) for path in sorted(corpus.rglob("*")) if path.is_file()]
    wanted = [path for path in paths if not any(part.startswith(".") for part in path.parts)]  # no locks
    try:
        for path in wanted:
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(corpus / path, fresh / path)
        if folder.is_dir():
            folder.rmdir()
        os.replace(fresh, folder)
    except OSError as error:
        raise StorageError(
            f"Writing to {folder} must be possible.", error.strerror or str(error), "free space or permission there"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return len(wanted)
