"""``gmedbot claims``: compare two statements, list and show claims, conflicts, review."""

from __future__ import annotations

import argparse
from typing import Any

from gmedbot.cli.common import emit, emit_json, read_lines, settings_of, table
from gmedbot.errors import UsageError

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("claims", help="what the sources state, and how statements relate").add_subparsers(
        dest="claims_command", metavar="COMMAND", required=True
    )
    compare = group.add_parser("compare", parents=[common], help="agree, conflict or different, and why")
    compare.add_argument("a", nargs="?")
    compare.add_argument("b", nargs="?")
    compare.add_argument("--file", metavar="PAIRS.jsonl", help='lines {"id", "a", "b"}; "-" for stdin')
    compare.add_argument("--json", action="store_true")
    compare.set_defaults(run=_compare)
    listing = group.add_parser("list", parents=[common], help="claims by attribute, subject or source")
    _filters(listing)
    listing.set_defaults(run=_list)
    show = group.add_parser("show", parents=[common], help="one claim with its frame, finding and relations")
    show.add_argument("id")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)
    conflicts = group.add_parser("conflicts", parents=[common], help="where sources disagree")
    _filters(conflicts)
    conflicts.add_argument("--type", help="value, polarity, frequency, anatomy, recommendation, outdated")
    conflicts.set_defaults(run=_conflicts)
    review = group.add_parser("review", parents=[common], help="accept, reject or explain unsure relations")
    review.add_argument("--below", type=float, default=0.75, help="relations of lower confidence (0.75)")
    only = review.add_mutually_exclusive_group()
    only.add_argument("--stale", action="store_true", help="only list reviews whose texts have changed")
    only.add_argument("--withdraw", nargs=2, metavar="ID", help="take back what was judged of these two claims")
    review.set_defaults(run=_review)


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--attribute")
    parser.add_argument("--source")
    parser.add_argument("--json", action="store_true")


def _compare(arguments: argparse.Namespace) -> int:
    by_file = arguments.file is not None
    if by_file == (arguments.a is not None and arguments.b is not None):
        raise UsageError("Give two statements, or --file.", "", "gmedbot claims compare --help")
    settings = settings_of(arguments)
    from gmedbot.claims.pairs import PairJudge

    judge = PairJudge.open(settings)
    rows = (
        list(read_lines(arguments.file, ("id", "a", "b"), ("a", "b")))
        if by_file
        else [{"id": None, "a": arguments.a, "b": arguments.b}]
    )
    for row, verdict in zip(rows, judge.compare_many([(row["a"], row["b"]) for row in rows]), strict=True):
        if arguments.json or by_file:
            emit_json(
                {
                    "id": row["id"],
                    "relation": verdict.label,
                    "reason": verdict.reason,
                    "type": verdict.type,
                    "confidence": round(verdict.confidence, 3),
                }
            )
        else:
            kind = f" ({verdict.type})" if verdict.type else ""
            emit(f"{verdict.label}{kind}: {verdict.reason} [confidence {verdict.confidence:.2f}]")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from gmedbot.claims.browse import list_claims

    rows = list_claims(settings_of(arguments), arguments.attribute, arguments.source)
    if arguments.json:
        for row in rows:
            emit_json(row)
    else:
        table(
            [[row["id"], row["attribute"], row["status"], row["text"]] for row in rows],
            ["id", "attribute", "status", "claim"],
        )
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from gmedbot.claims.browse import render_claim, show_claim

    report = show_claim(settings_of(arguments), arguments.id)
    emit_json(report) if arguments.json else emit(render_claim(report))
    return 0


def _conflicts(arguments: argparse.Namespace) -> int:
    from gmedbot.claims.browse import list_conflicts

    rows = list_conflicts(settings_of(arguments), arguments.attribute, arguments.type, arguments.source)
    if arguments.json:
        for row in rows:
            emit_json(row)
    else:
        table(
            [
                [
                    row["attribute"],
                    row["type"],
                    row["source_a"],
                    row["text_a"],
                    row["source_b"],
                    row["text_b"],
                    row["reason"],
                ]
                for row in rows
            ],
            ["attribute", "type", "source", "says", "source", "says", "how they differ"],
        )
    return 0


def _review(arguments: argparse.Namespace) -> int:
    from gmedbot.claims.browse import review_relations, withdraw_judgement

    if arguments.withdraw:
        emit(withdraw_judgement(settings_of(arguments), *arguments.withdraw))
        return 0
    return review_relations(settings_of(arguments), arguments.below, arguments.stale)
