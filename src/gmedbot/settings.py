"""Settings: every choice that a maintainer may change, its default and the reason for it.

Read from keyword arguments, then ``GMEDBOT_*`` environment variables, then ``gmedbot.toml`` in the working
folder. Unknown keys and absurd numbers are refused when the settings are read, not when they first hurt.

The sources are read and the values checked here, with the standard library: importing pydantic and pydantic-settings
for it took a third of the time that ``gmedbot ask`` needs from its start to its answer (docs/decisions/0020).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from gmedbot.errors import UsageError

__all__ = ["Settings", "is_packaged", "load_settings", "refuse_packaged"]

_PACKAGE = Path(__file__).resolve().parent


def default_corpus() -> Path:
    """``corpus/`` of the working folder, of the checkout, or the copy that the wheel carries, in that order."""
    for folder in (Path("corpus"), _PACKAGE.parents[1] / "corpus", _PACKAGE / "_corpus"):
        if (folder / "vocabulary").is_dir():
            return folder
    return Path("corpus")


def default_index() -> Path:
    """``index/`` beside the corpus in a checkout; the user's cache folder for the copy in the wheel."""
    corpus = default_corpus()
    if corpus == _PACKAGE / "_corpus":
        return Path.home() / ".cache" / "gmedbot" / "index"
    return corpus.parent / "index"


def is_packaged(corpus: Path) -> bool:
    """Whether this is the copy inside an installed package: the next update of the package writes over it."""
    inside = (_PACKAGE / "_corpus").resolve()
    return corpus.resolve().is_relative_to(inside)


def refuse_packaged(corpus: Path) -> None:
    """Say that nothing is written into the packaged corpus. Raises: UsageError naming the command that copies it."""
    if is_packaged(corpus):
        raise UsageError(
            "The corpus that came with the package is not written to: an update would undo it.",
            str(corpus),
            "gmedbot corpus copy corpus, then gmedbot index build, and go on in the same folder, where corpus/ is then "
            "used (any other folder DIR: --corpus DIR --index DIR-index)",
        )


_ENV_PREFIX = "GMEDBOT_"
_TOML_FILE = Path("gmedbot.toml")


def Field(
    default: Any = dataclasses.MISSING,
    *,
    default_factory: Callable[[], Any] | None = None,
    description: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
) -> Any:
    """A setting: its default, what it is for, and the bounds of a number (at least, more than, at most)."""
    facts = {"description": description, "ge": ge, "gt": gt, "le": le}
    if default_factory is not None:
        return dataclasses.field(default_factory=default_factory, metadata=facts)
    return dataclasses.field(default=default, metadata=facts)


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings, frozen and checked. ``fingerprint()`` covers those that change what an index holds.

    Raises: ValueError naming every value that is not of its kind or outside its bounds.
    """

    corpus: Path = Field(default_factory=default_corpus, description="folder of source files")  # noqa: RUF009 - is a field()
    index: Path = Field(default_factory=default_index, description="folder of built indexes")  # noqa: RUF009

    encoder: str = Field(
        "all-MiniLM-L6-v2+gluteus",
        description="sentence-transformers model name or folder; the default is the packaged all-MiniLM-L6-v2 as "
        "trained for this field, and all-MiniLM-L6-v2 the same as published; neither is downloaded",
    )
    build_mode: Literal["exact", "fast"] = Field(
        "exact",
        description="how passages are encoded; fast uses eight bits, about 1.5 times as quick, for large corpora",
    )
    passage_tokens: int = Field(
        200,
        ge=32,
        le=8192,
        description="word pieces in a passage, heading included; below the 256 of the default encoder",
    )
    passage_overlap: int = Field(
        0, ge=0, le=128, description="sentences are atomic, so an overlap would only repeat them"
    )
    dense_weight: float = Field(
        0.65,
        ge=0,
        le=1,
        description="share of the vectors in the fused score; more where the words of a question are not matched",
    )
    candidates: int = Field(50, ge=5, le=1000, description="passages taken from each retriever before fusion")
    reranker: str | None = Field(
        None,
        description="a sentence-transformers CrossEncoder that orders the best passages anew: a folder, or a name that was "
        "downloaded before; none by default, as none is packaged, and it costs PyTorch and up to seconds a question",
    )
    rerank_depth: int = Field(
        30, ge=2, le=200, description="passages that the reranker reads for a question; its time grows with them"
    )
    keep_builds: int = Field(3, ge=1, le=100, description="builds kept for rollback")
    dense_index: Literal["auto", "flat", "hnsw", "ivf-sq8", "ivf-pq"] = Field(
        "auto", description="FAISS index type; auto chooses by size from docs/scaling.md"
    )
    backend: Literal["embedded", "postgres"] = Field("embedded", description="where passages are searched")
    database_url: str | None = Field(None, description="PostgreSQL address for backend=postgres")

    host: str = Field("127.0.0.1", description="address of the web app; local only unless changed")
    port: int = Field(7860, ge=1, le=65535)
    feedback_url: str | None = Field(
        None, description="SQLAlchemy URL for votes; default is feedback.sqlite beside the index"
    )
    feedback_days: int = Field(365, ge=1, description="votes and unanswered questions older than this are removed")
    maintainer_password: str | None = Field(
        None, description="password of the maintainers' page; without one the page does not exist"
    )
    max_question_chars: int = Field(
        2000, ge=100, description="longer questions are refused: a question is not a document"
    )

    allow_private_urls: bool = Field(
        False,
        description="let `corpus add` fetch from private and loopback addresses; off, so that an address in a list "
        "cannot reach what only this machine may see",
    )
    max_source_mb: int = Field(25, ge=1, le=1000, description="larger files and pages are not taken into the corpus")
    fetch_seconds: float = Field(20, gt=0, le=600, description="time for one page, redirects and robots.txt included")

    writer_url: str | None = Field(None, description="OpenAI-compatible endpoint that may rewrite answers")
    writer_model: str | None = Field(None)
    writer_key: str | None = Field(None)

    def __post_init__(self) -> None:
        problems = []
        for field in dataclasses.fields(self):
            try:
                object.__setattr__(self, field.name, _checked(field, getattr(self, field.name)))
            except ValueError as error:
                problems.append(f"{field.name}: {error}")
        if problems:
            raise ValueError("; ".join(problems))

    def changed(self, **updates: Any) -> Settings:
        """These settings with some values replaced, checked again."""
        return dataclasses.replace(self, **updates)

    def fingerprint(self) -> str:
        """Short hash of the settings that shape an index; equal settings give an equal hash on any machine."""
        keys = ("encoder", "build_mode", "passage_tokens", "passage_overlap", "dense_index")
        shaped: dict[str, Any] = {key: getattr(self, key) for key in keys}
        return hashlib.sha256(json.dumps(shaped, sort_keys=True).encode()).hexdigest()[:12]


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _checked(field: dataclasses.Field[Any], value: Any) -> Any:
    """The value as the setting's kind; text is read, as the environment has nothing else. Raises: ValueError."""
    kind = str(field.type)
    if value is None and kind.endswith("| None"):
        return None
    kind = kind.removesuffix(" | None")
    if kind.startswith("Literal"):
        choices = re.findall(r"['\"]([^'\"]+)['\"]", kind)
        if value not in choices:
            raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
        return value
    if kind in ("int", "float"):
        return _number(value, int if kind == "int" else float, field.metadata)
    if kind == "bool":
        word = str(value).strip().lower()
        if word not in (*_TRUE, *_FALSE):
            raise ValueError(f"{value!r} is not true or false")
        return word in _TRUE
    if not isinstance(value, str | Path):
        raise ValueError(f"{value!r} is not a text")
    return Path(value) if kind == "Path" else str(value)


def _number(value: Any, kind: type[int] | type[float], bounds: Mapping[str, Any]) -> int | float:
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool) or number != float(value):
        raise ValueError(f"{value!r} is not {'a whole number' if kind is int else 'a number'}")
    if bounds["ge"] is not None and number < bounds["ge"]:
        raise ValueError(f"{number} is less than {bounds['ge']}")
    if bounds["gt"] is not None and number <= bounds["gt"]:
        raise ValueError(f"{number} is not more than {bounds['gt']}")
    if bounds["le"] is not None and number > bounds["le"]:
        raise ValueError(f"{number} is more than {bounds['le']}")
    return number


def _from_environment() -> dict[str, str]:
    """``GMEDBOT_PORT=8000`` → ``{"port": "8000"}``; other variables with the prefix are none of ours and left alone."""
    names = {f"{_ENV_PREFIX}{name}".upper(): name for name in _names()}
    return {names[key.upper()]: value for key, value in os.environ.items() if key.upper() in names}


def _from_file() -> dict[str, Any]:
    """The keys of ``gmedbot.toml`` in the working folder; nothing if there is no such file."""
    if not _TOML_FILE.is_file():
        return {}
    try:
        import tomllib as toml  # Python 3.11
    except ModuleNotFoundError:
        import tomli as toml  # type: ignore[no-redef, import-not-found, unused-ignore]
    try:
        return dict(toml.loads(_TOML_FILE.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise UsageError(f"{_TOML_FILE} must be a readable TOML file.", str(error), "docs/settings.md") from error


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; keyword arguments win over the environment, which wins over ``gmedbot.toml``.

    Raises: UsageError naming each wrong key and what it may be.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    values = {**_from_file(), **_from_environment(), **given}
    unknown = sorted(set(values) - set(_names()))
    try:
        if unknown:
            raise ValueError(f"there is no setting {', '.join(unknown)}; there are {', '.join(_names())}")
        return Settings(**values)
    except ValueError as error:
        raise UsageError(
            "The settings are not valid.",
            str(error),
            "correct the GMEDBOT_* variable or gmedbot.toml (docs/settings.md)",
        ) from error


def _names() -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(Settings))
