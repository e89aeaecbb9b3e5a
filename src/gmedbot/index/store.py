"""The folder of builds: what an index remembers, how one is published, opened, listed and rolled back.

    index/
      CURRENT              name of the build that answers, replaced by one atomic rename
      builds/<id>/         manifest.json, passages.jsonl, claims.jsonl, findings.jsonl, dense.faiss, words/ …
      encoders/<hash>/     the exported query encoder, shared by the builds that use it
      cache/               vectors of texts already encoded; may be deleted at any time

A build's id is the hash of its content, so equal corpora give equal ids and a half-written folder can never carry
the name of a whole one. Opening never writes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gmedbot.encoder import EncoderCard, file_digest
from gmedbot.errors import (
    GmedbotError,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    StorageError,
    UsageError,
)

__all__ = ["FORMAT", "Manifest", "Store", "storage_errors"]

#: Raised by one whenever a reader of the last release could not read what the next one writes.
FORMAT = 9

_ID = re.compile(r"[0-9a-f]{12}")
#: Stands before a build in the history that was rolled back from.
_WITHDRAWN = "-"


@dataclass(frozen=True)
class Manifest:
    """What a build is made of. ``files`` maps each file's name to its sha256 and ``sizes`` to its bytes, so that
    opening can tell a cut file without reading it; the id is a hash over all of it."""

    format: int
    build_id: str
    gmedbot: str
    encoder: EncoderCard
    encoder_folder: str
    reader_folder: str
    relator: str
    settings: str
    passage_tokens: int
    corpus: str
    vocabulary: str
    dense: str
    n_sources: int
    n_passages: int
    n_claims: int
    n_findings: int
    thresholds: Mapping[str, float]
    files: Mapping[str, str]
    sizes: Mapping[str, int]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises: ValueError, KeyError or TypeError if the text is not a manifest of this format."""
        facts = json.loads(text)
        facts["encoder"] = EncoderCard(**facts["encoder"])
        return cls(**facts)

    def derived_id(self) -> str:
        """The id that this content must carry."""
        facts = {key: value for key, value in json.loads(self.to_json()).items() if key != "build_id"}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


@contextlib.contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn an OSError (disk full, read-only, no permission) into a StorageError that says what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what} must be possible.",
            f"{error.strerror or error} ({error.filename or 'no file named'})",
            "free space or permission there, or set --index to another folder; the published index is unchanged",
        ) from error


class Store:
    """The folder of builds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.builds = folder / "builds"
        self.pointer = folder / "CURRENT"

    def current_id(self) -> str:
        """The id of the published build. Raises: IndexMissingError if nothing is published."""
        try:
            build_id = self.pointer.read_text("utf-8").strip()
        except OSError:
            build_id = ""
        if not build_id:
            raise IndexMissingError(
                f"An index must be built in {self.folder}.", "there is none", "gmedbot index build (or: make index)"
            )
        if not _ID.fullmatch(build_id):
            raise IndexDamagedError(
                f"{self.pointer} must name a build.",
                repr(build_id[:40]),
                "gmedbot index build, or: gmedbot index rollback ID",
            )
        return build_id

    def published_at(self) -> int:
        """When the pointer was last written, in nanoseconds; 0 if there is none. The same build can come twice."""
        try:
            return self.pointer.stat().st_mtime_ns
        except OSError:
            return 0

    def path(self, build_id: str) -> Path:
        return self.builds / build_id

    def manifest(self, build_id: str | None = None) -> Manifest:
        """The manifest of a build, the published one by default.

        Raises: IndexMissingError, IndexDamagedError, IndexMismatchError (a build of another format).
        """
        build_id = build_id or self.current_id()
        path = self.path(build_id) / "manifest.json"
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise IndexDamagedError(
                f"Build {build_id} must have a manifest.", error.strerror or str(error), "gmedbot index build"
            ) from error
        try:
            found = json.loads(text).get("format")
            if found != FORMAT:
                raise IndexMismatchError(
                    f"Build {build_id} must have index format {FORMAT}.", f"format {found}", "gmedbot index build"
                )
            manifest = Manifest.from_json(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexDamagedError(
                f"The manifest of build {build_id} must be readable.", str(error), "gmedbot index build"
            ) from error
        if manifest.build_id != build_id or manifest.derived_id() != build_id:
            raise IndexDamagedError(
                f"The manifest of build {build_id} must carry its own id.",
                f"content hashes to {manifest.derived_id()}",
                "gmedbot index build, or: gmedbot index rollback",
            )
        return manifest

    def list_builds(self) -> tuple[str, ...]:
        """Ids of the builds on disk, newest published first."""
        if not self.builds.is_dir():
            return ()
        found = [path for path in self.builds.iterdir() if (path / "manifest.json").is_file()]
        history = self.history()
        known = {build_id: place for place, build_id in enumerate(history)}
        return tuple(path.name for path in sorted(found, key=lambda path: (-known.get(path.name, -1), path.name)))

    def history(self) -> tuple[str, ...]:
        """Ids in the order in which they were published, oldest first, each at its last publication.

        The pointer is written before the history; a build that was killed between the two still counts.
        """
        try:
            lines = [line.removeprefix(_WITHDRAWN) for line in self._history_lines()]
        except OSError:
            lines = []
        with contextlib.suppress(IndexMissingError, IndexDamagedError):
            if (current := self.current_id()) not in lines:
                lines.append(current)
        return tuple(dict.fromkeys(reversed(lines)))[::-1]

    def publish(self, staged: Path, build_id: str, keep: int) -> Path:
        """Move a finished folder to its name and point to it; remove builds beyond the last ``keep``.

        The rename of the folder and of the pointer are the only steps that readers can see, and each is atomic. A
        build of this id that is whole is the same build, byte for byte: it stays, so that no reader ever misses it.
        """
        target = self.path(build_id)
        with storage_errors("Publishing the index"):
            self.builds.mkdir(parents=True, exist_ok=True)
            if not self._is_whole(build_id):
                if target.exists():  # damaged: nobody can read it, so it may be away for a moment
                    os.replace(target, self.folder / f".replaced-{os.getpid()}")
                os.replace(staged, target)
                _sync(self.builds)
            self.point_to(build_id)
            self._remove_old(keep)
        return target

    def _is_whole(self, build_id: str) -> bool:
        try:
            self.verify_files(build_id)
        except GmedbotError:
            return False
        return True

    def _history_lines(self) -> list[str]:
        return (self.folder / "history").read_text("utf-8", errors="replace").split()

    def _withdrawn(self) -> set[str]:
        """The builds that were rolled back from and not published since."""
        with contextlib.suppress(OSError):
            return {line.removeprefix(_WITHDRAWN) for line in self._history_lines() if line.startswith(_WITHDRAWN)}
        return set()

    def point_to(
        self, build_id: str, history: Sequence[str] | None = None, withdrawn: Collection[str] | None = None
    ) -> None:
        """Make ``build_id`` the published build.

        Args:
            history: the new order of publications; it comes last by default.
            withdrawn: the builds that were rolled back from; as before by default. What is published is none of them.
        """
        left = set(self._withdrawn() if withdrawn is None else withdrawn) - {build_id}
        if history is None:
            history = (*(name for name in self.history() if name != build_id), build_id)
        with storage_errors("Publishing the index"):
            self._replace(self.pointer, f"{build_id}\n")
            self._replace(
                self.folder / "history", "".join(f"{_WITHDRAWN if name in left else ''}{name}\n" for name in history)
            )
            _sync(self.folder)

    def _replace(self, path: Path, text: str) -> None:
        """Write a small file, whole or not at all."""
        fresh = self.folder / f".{path.name}-{os.getpid()}"
        with fresh.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, path)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Only one program may change the folder. The lock belongs to the process: it falls with it and cannot go stale.

        Raises: IndexLockedError if another holds it; StorageError if the folder refuses.
        """
        from filelock import FileLock, Timeout

        with storage_errors("Writing to the index folder"):
            self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".lock")
        with storage_errors("Locking the index folder"):
            try:
                lock.acquire(timeout=0)
            except Timeout as error:  # is an OSError too, so it must not leave this block as one
                raise IndexLockedError(
                    f"Only one build may run on {self.folder}.",
                    "another build holds the lock",
                    "wait for it to end, then run again",
                ) from error
        try:
            yield
        finally:
            lock.release()

    def rollback(self, build_id: str | None = None) -> str:
        """Publish an earlier build again, the one before the current by default. Returns its id.

        What was published after it goes to the old end of the history and is marked as withdrawn: a second rollback goes
        back one further, none goes round to a withdrawn build unless it is named, and these are the first to be removed.
        Raises: UsageError if there is no such build; IndexDamagedError if it is not whole; IndexLockedError.
        """
        with self.lock():
            builds, history = self.list_builds(), self.history()
            current = self._current_or_none()
            if build_id is None:
                earlier = history[: history.index(current)] if current in history else history
                withdrawn = self._withdrawn()
                choices = [name for name in reversed(earlier) if name in builds and name not in withdrawn]
            else:
                choices = [name for name in builds if name.startswith(build_id)]
            if not choices:
                raise UsageError(
                    f"A build {build_id or f'before {current}'} must exist.",
                    "builds on disk: " + (", ".join(builds) or "none"),
                    "gmedbot index info, and name one: gmedbot index rollback ID",
                )
            chosen = choices[0]
            self.verify_files(chosen)
            place = history.index(chosen) if chosen in history else len(history)
            left = self._withdrawn()
            if chosen not in left:  # else it is brought back by its name, and nothing is given up for it
                left |= {*history[place + 1 :]}
            self.point_to(chosen, (*history[place + 1 :], *history[:place], chosen), left)
            return chosen

    def _current_or_none(self) -> str | None:
        with contextlib.suppress(IndexMissingError, IndexDamagedError):
            return self.current_id()
        return None

    def verify_files(self, build_id: str) -> Manifest:
        """Check every file of a build against the manifest's hashes. Raises: IndexDamagedError naming the files."""
        manifest = self.manifest(build_id)
        folder = self.path(build_id)
        bad = [
            f"{name} is missing" if not (folder / name).is_file() else f"{name} was altered"
            for name, digest in sorted(manifest.files.items())
            if not (folder / name).is_file() or file_digest(folder / name) != digest
        ]
        if bad:
            raise IndexDamagedError(
                f"Every file of build {build_id} must be as it was built.", "; ".join(bad), "gmedbot index build"
            )
        return manifest

    def _remove_old(self, keep: int) -> None:
        keepers = {self.current_id(), *list(self.list_builds())[:keep]}
        for path in self.builds.iterdir():
            if path.name not in keepers:
                shutil.rmtree(path, ignore_errors=True)
        used: set[str] = set()
        for name in keepers:
            with contextlib.suppress(GmedbotError):  # a build of another format cannot answer and keeps nothing
                manifest = self.manifest(name)
                used |= {manifest.encoder_folder, manifest.reader_folder}
        encoders = self.folder / "encoders"
        if encoders.is_dir():
            for path in encoders.iterdir():
                if path.name not in used:
                    shutil.rmtree(path, ignore_errors=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what killed builds left behind. Only for the holder of the lock."""
        for pattern in (".staged-*", ".replaced-*", "encoders/.fresh-*"):
            for path in self.folder.glob(pattern):
                shutil.rmtree(path, ignore_errors=True)
        for pattern in (".CURRENT-*", ".history-*"):
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Ask the disk to keep a rename; not every file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
