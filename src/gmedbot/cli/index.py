"""``gmedbot index``: build, verify, info, diff, rollback."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from gmedbot.cli.common import emit, emit_json, progress_bar, settings_of, table
from gmedbot.index.store import Store

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
    from gmedbot.index.build import build_index, is_stale

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
    from gmedbot.index.build import is_stale

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
