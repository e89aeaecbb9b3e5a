"""``gmedbot corpus``: add, check, copy, list, show."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gmedbot.cli.common import emit, emit_json, settings_of, table
from gmedbot.corpus.sources import EVIDENCE, KINDS, TOPICS, find_document, scan_corpus
from gmedbot.errors import AddRefusedError, GmedbotError, UsageError
from gmedbot.settings import default_corpus, refuse_packaged
from gmedbot.types import Document, Source

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("corpus", help="the source files: add, check, copy, list, show").add_subparsers(
        dest="corpus_command", metavar="COMMAND", required=True
    )
    _add_parser(group, common)
    check = group.add_parser("check", parents=[common], help="find mistakes in the source files and their data")
    check.add_argument("--json", action="store_true")
    check.add_argument("--errors", action="store_true", help="leave the warnings out")
    check.set_defaults(run=_check)
    copy = group.add_parser("copy", parents=[common], help="copy the corpus into a folder that you may write to")
    copy.add_argument("dir", type=Path, metavar="DIR", help="a new or empty folder")
    copy.set_defaults(run=_copy)
    listing = group.add_parser("list", parents=[common], help="all sources")
    listing.add_argument("--kind", choices=tuple(KINDS), metavar="KIND")
    listing.add_argument("--evidence", choices=EVIDENCE)
    listing.add_argument("--topic", choices=TOPICS, metavar="TOPIC")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    listing.set_defaults(run=_list)
    show = group.add_parser("show", parents=[common], help="one source")
    show.add_argument("id", metavar="ID")
    form = show.add_mutually_exclusive_group()
    form.add_argument("--text", action="store_true", help="the text after the front matter, exactly")
    form.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)
    readme = group.add_parser("readme", parents=[common], help="write README.md of the corpus anew")
    readme.set_defaults(run=_readme)


def _add_parser(group: Any, common: argparse.ArgumentParser) -> None:
    add = group.add_parser("add", parents=[common], help="take pages, PDF, DOCX, Markdown or text into the corpus")
    add.add_argument("origins", nargs="+", metavar="PATH_OR_URL")
    add.add_argument("--yes", action="store_true", help="write without asking")
    add.add_argument("--kind", choices=tuple(KINDS), metavar="KIND", help="what the source is (web-article)")
    add.add_argument("--evidence", choices=EVIDENCE, help="its evidence level (the lowest that its kind may have)")
    add.add_argument("--topics", metavar="A,B", help="topics, if those found in the text are wrong")
    add.add_argument("--id", metavar="ID", help="id and file name; made of author and year by default")
    add.add_argument("--title", help="title, if the one found is wrong")
    add.add_argument("--author", action="append", metavar="NAME", help="author; may be repeated")
    add.add_argument("--year", type=int, help="year of publication")
    add.add_argument("--lineage", metavar="ID", help='source that this one copies; "none" if it is no copy')
    add.add_argument("--json", action="store_true", help="one JSON object per source; writes only with --yes")
    add.set_defaults(run=_add)


def _add(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    if arguments.yes or not arguments.json:  # a mere preview writes nothing
        refuse_packaged(settings.corpus)
    from gmedbot.corpus.add import AddOptions, prepare_source, render_preview, write_source

    if arguments.id and len(arguments.origins) > 1:
        raise UsageError("--id names one source.", f"{len(arguments.origins)} were given", "add them one by one")
    options = AddOptions(
        source_id=arguments.id,
        title=arguments.title,
        authors=tuple(arguments.author or ()),
        year=arguments.year,
        kind=arguments.kind,
        evidence=arguments.evidence,
        topics=tuple(part.strip() for part in (arguments.topics or "").split(",") if part.strip()),
        lineage=arguments.lineage,
    )
    code = 0
    for origin in arguments.origins:
        try:
            candidate = prepare_source(origin, settings, options)
            if not arguments.json:
                emit(render_preview(candidate))
            is_new = not Path(settings.corpus).is_dir()
            wanted = arguments.yes or (not arguments.json and _confirmed(candidate.source.source_id))
            path = write_source(candidate, settings.corpus) if wanted else None
            if path is not None and is_new:
                sys.stderr.write(
                    f"gmedbot: {settings.corpus} did not exist: a new corpus was begun with this source.\n"
                )
        except AddRefusedError as error:
            code = 1
            if arguments.json:
                emit_json({"origin": origin, "written": None, "refused": _parts(error)})
            else:
                sys.stderr.write(f"gmedbot: {error}\n")
            continue
        if arguments.json:
            emit_json({"origin": origin, "written": str(path) if path else None, "refused": None} | candidate.to_json())
        elif path is not None:
            emit(f"Written: {path}\nNext: gmedbot corpus check, then gmedbot index build")
        else:
            emit("Nothing was written.")
            code = 1
    return code


def _confirmed(source_id: str) -> bool:
    sys.stdout.write(f"Write {source_id}.md? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _parts(error: GmedbotError) -> dict[str, str]:
    return {"wanted": error.wanted, "found": error.found, "fix": error.fix}


def _check(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.corpus.check import check_corpus, render_check

    report = check_corpus(settings.corpus)
    if arguments.json:
        emit_json(report.to_json(with_warnings=not arguments.errors))
    else:
        emit(render_check(report, with_warnings=not arguments.errors))
    return 1 if report.errors else 0


def _copy(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.corpus.copying import copy_corpus

    folder: Path = arguments.dir
    emit(f"Copied: {copy_corpus(settings.corpus, folder)} files to {folder}")
    is_found = default_corpus().resolve() == folder.resolve()
    options = "" if is_found else f" --corpus {folder} --index {folder}-index"
    emit(f"Next: gmedbot index build{options}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    documents = _readable(settings_of(arguments).corpus)
    rows = [
        document.source
        for document in documents
        if (arguments.kind in (None, document.source.kind))
        and (arguments.evidence in (None, document.source.evidence))
        and (arguments.topic is None or arguments.topic in document.source.topics)
    ]
    if arguments.json:
        for source in rows:
            emit_json(asdict(source))
        return 0
    head = ["id", "year", "kind", "evidence", "topics", "title"]
    table([[s.source_id, str(s.year or ""), s.kind, s.evidence, ", ".join(s.topics), s.title] for s in rows], head)
    return 0


def _readable(corpus: Path) -> tuple[Document, ...]:
    """What can be read; a note on standard error if something cannot, so that a list is never silently short."""
    documents, findings = scan_corpus(corpus)
    broken = sum(finding.is_error for finding in findings)
    if broken:
        sys.stderr.write(f"gmedbot: {broken} error(s) in {corpus}; see: gmedbot corpus check\n")
    return documents


def _show(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    document = find_document(settings.corpus, arguments.id)
    if arguments.text:
        sys.stdout.write(document.text)
        return 0
    if arguments.json:
        emit_json(asdict(document.source) | {"path": document.path, "text": document.text})
        return 0
    emit(_card(document.source))
    emit()
    emit(document.text.rstrip("\n"))
    return 0


def _card(source: Source) -> str:
    rows = [
        ("title", source.title),
        ("authors", ", ".join(source.authors)),
        ("year", source.year),
        ("in", source.container),
        ("kind", f"{source.kind} ({source.evidence})"),
        ("address", source.url),
        ("topics", ", ".join(source.topics)),
        ("sample", ", ".join(str(x) for x in (source.n and f"n = {source.n}", source.population) if x)),
        ("method", source.method),
        ("copies", source.lineage),
        ("reviewed", source.reviewed),
    ]
    return "\n".join(f"{name:>9}  {value}" for name, value in rows if value)


def _readme(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    refuse_packaged(settings.corpus)
    from gmedbot.corpus.readme import write_readme

    emit(f"Written: {write_readme(settings.corpus)}")
    return 0
