"""``gmedbot index``: build, calibrate, verify, info, diff, rollback."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from gmedbot.cli.common import emit, emit_json, gold_folder, progress_bar, settings_of, table
from gmedbot.errors import UsageError
from gmedbot.index.store import Store
from gmedbot.settings import refuse_packaged

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("index", help="build and look after the index").add_subparsers(
        dest="index_command", metavar="COMMAND", required=True
    )
    build = group.add_parser("build", parents=[common], help="build the index of the corpus and publish it")
    build.add_argument("--full", action="store_true", help="encode every passage again")
    build.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="who encodes: here, or a Ray cluster"
    )
    build.add_argument("--if-stale", action="store_true", help="only if corpus, settings or version changed")
    build.add_argument("--json", action="store_true")
    build.set_defaults(run=_build)
    calibrate = group.add_parser(
        "calibrate", parents=[common], help="choose the gates' thresholds for this encoder on the dev questions"
    )
    calibrate.add_argument("--gold", type=Path, default=None, metavar="DIR", help="folder of gold data (evaluation/)")
    calibrate.add_argument(
        "--declined", type=float, default=0.02, metavar="SHARE", help="of answerable questions, at most declined (0.02)"
    )
    calibrate.add_argument("--out", type=Path, default=None, metavar="FILE", help="CORPUS/thresholds.json by default")
    calibrate.add_argument("--no-save", action="store_true", help="write nothing")
    calibrate.add_argument("--json", action="store_true")
    calibrate.set_defaults(run=_calibrate)
    verify = group.add_parser("verify", parents=[common], help="check every file of the published build")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(run=_verify)
    info = group.add_parser("info", parents=[common], help="what is published, and the builds on disk")
    info.add_argument("--json", action="store_true")
    info.set_defaults(run=_info)
    rollback = group.add_parser("rollback", parents=[common], help="publish the build before, or a named one")
    rollback.add_argument("id", nargs="?", metavar="ID")
    rollback.set_defaults(run=_rollback)
    diff = group.add_parser("diff", parents=[common], help="what the bot says differently between two builds")
    diff.add_argument("ids", nargs="*", metavar="ID", help="two builds; the last two by default")
    diff.add_argument("--json", action="store_true")
    diff.set_defaults(run=_diff)


def _build(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.index.build import build_index
    from gmedbot.index.stale import is_stale

    if arguments.if_stale:
        reason = is_stale(settings)
        if not reason:
            if arguments.json:
                emit_json({"build": Store(settings.index).current_id(), "changed": False})
            return 0
        sys.stderr.write(f"Building the index ({reason}) …\n")
    with progress_bar(arguments.json) as tell:
        report = build_index(settings, tell, full=arguments.full, engine=arguments.engine)
    if arguments.json:
        emit_json(
            {
                "build": report.build_id,
                "changed": report.changed,
                "sources": report.sources,
                "passages": report.passages,
                "claims": report.claims,
                "findings": report.findings,
                "encoded": report.encoded,
                "extracted": report.extracted,
                "copies": [list(pair) for pair in report.copies],
                "thresholds": dict(report.thresholds),
                "seconds": round(report.seconds, 2),
                "passages_per_second": round(report.passages_per_second, 1),
            }
        )
        return 0
    emit(
        f"Build {report.build_id}: {report.sources} sources, {report.passages} passages, {report.claims} claims, "
        f"{report.findings} findings in {report.seconds:.1f} s ({report.passages_per_second:.0f} passages/s; "
        f"{report.encoded} texts encoded, {report.extracted} sources read anew)"
    )
    for copy, other in report.copies:
        emit(f"{copy} and {other} share most of their text and no lineage: gmedbot corpus check says how much")
    if not report.thresholds:
        emit(f"No thresholds are calibrated for {settings.encoder}: gmedbot index calibrate, then build again")
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.evaluation.bench import Bench
    from gmedbot.evaluation.calibrate import calibrate
    from gmedbot.evaluation.gold import load_gold
    from gmedbot.index.store import storage_errors
    from gmedbot.index.thresholds import FILE, keep_thresholds

    if not 0 <= arguments.declined < 1:
        raise UsageError("--declined must be a share from 0 to below 1.", str(arguments.declined))
    if arguments.out is None and not arguments.no_save:
        refuse_packaged(settings.corpus)
    gold = load_gold(gold_folder(arguments.gold, settings.corpus))
    bench = Bench(settings)
    with progress_bar(arguments.json) as tell:
        found = calibrate(bench, gold, arguments.declined, lambda done, total: tell("ask", done, total))
    encoder = bench.index.manifest.encoder
    path = None if arguments.no_save else arguments.out or settings.corpus / FILE
    if path is not None:
        measured = {"asked": dict(found.asked), "declined": dict(found.declined), "share": arguments.declined}
        with storage_errors("Writing the thresholds"):
            keep_thresholds(path, encoder, found.thresholds, measured)
    if arguments.json:
        emit_json({"encoder": encoder.model, **found.to_json(), "file": None if path is None else str(path)})
        return 0
    asked = found.asked
    emit(f"{encoder.model}: {asked['answerable']} answerable and {asked['unanswerable']} unanswerable dev questions")
    both = (("in force", found.in_force, found.declined_in_force), ("calibrated", found.thresholds, found.declined))
    rows = [
        [name, f"{limits['answerable']:.4f}", f"{limits['scope']:.4f}"]
        + [f"{declined[kind]} ({declined[kind] / asked[kind]:.1%})" for kind in ("answerable", "unanswerable")]
        for name, limits, declined in both
    ]
    table(rows, ["thresholds", "answerable", "scope", "answerable declined", "unanswerable declined"])
    if path is not None:
        emit(f"Wrote {path}; gmedbot index build puts it into the index")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.index.verify import verify_index

    report = verify_index(settings)
    if arguments.json:
        emit_json(report)
    else:
        emit(
            f"Build {report['build']} is whole: "
            + ", ".join(f"{key} {value}" for key, value in report["checked"].items())
        )
    return 0


def _info(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    store = Store(settings.index)
    current = store.manifest()
    from gmedbot.index.stale import is_stale

    stale = is_stale(settings)
    if arguments.json:
        emit_json({"current": current.build_id, "stale": stale or None, "builds": list(store.list_builds()),
                   "encoder": current.encoder.model, "sources": current.n_sources, "passages": current.n_passages,
                   "claims": current.n_claims, "findings": current.n_findings, "dense": current.dense})  # fmt: skip
        return 0
    emit(
        f"Published: {current.build_id} ({current.encoder.model}, {current.dense})"
        + (f"; stale: {stale}" if stale else "")
    )
    rows = []
    for build_id in store.list_builds():
        manifest = store.manifest(build_id)
        rows.append(
            [
                ("* " if build_id == current.build_id else "  ") + build_id,
                str(manifest.n_sources),
                str(manifest.n_passages),
                str(manifest.n_claims),
                str(manifest.n_findings),
                manifest.gmedbot,
            ]
        )
    table(rows, ["build", "sources", "passages", "claims", "findings", "version"])
    return 0


def _rollback(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    emit(f"Published: {Store(settings.index).rollback(arguments.id)}")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.index.diff import diff_builds, render_diff

    report = diff_builds(settings, arguments.ids)
    if arguments.json:
        emit_json(report)
    else:
        emit(render_diff(report))
    return 0
