"""``gmedbot eval``: measure the product, compare two runs, run any BEIR set, and guard against a worse build."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmedbot.cli.common import emit, emit_json, gold_folder, progress_bar, settings_of, table
from gmedbot.errors import UsageError

if TYPE_CHECKING:
    from gmedbot.evaluation.gate import GateFinding
    from gmedbot.evaluation.measures import Estimate
    from gmedbot.evaluation.run import RunResult

__all__ = ["add_commands"]


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("eval", help="measure retrieval, answers, claims, dialogues and safety")
    parts = group.add_subparsers(dest="part", metavar="COMMAND", required=True)
    _add_run(parts, common)
    compare = parts.add_parser("compare", parents=[common], help="what changed between two runs")
    compare.add_argument("a", metavar="A", help="a run: id, folder, latest or previous")
    compare.add_argument("b", metavar="B", help="the run to hold against it")
    compare.add_argument("--split", choices=("dev", "test", "all"), default="all")
    compare.add_argument("--changes", type=int, default=20, metavar="N", help="changed items shown per area (20)")
    _add_gold(compare)
    compare.add_argument("--json", action="store_true", help="one JSON object with everything")
    compare.set_defaults(run=_compare)
    beir = parts.add_parser("beir", parents=[common], help="run the retrieval on any BEIR-format set")
    beir.add_argument("folder", type=Path, metavar="DIR", help="holds corpus.jsonl, queries.jsonl, qrels/test.tsv")
    beir.add_argument("--out", type=Path, default=None, metavar="DIR", help="write TREC run files and qrels there")
    beir.add_argument("--json", action="store_true", help="one JSON object with the measures")
    beir.add_argument("--quiet", action="store_true", help="no progress bar")
    beir.set_defaults(run=_beir)
    export = parts.add_parser("export-beir", parents=[common], help="write the gold questions as a BEIR folder")
    export.add_argument("folder", type=Path, metavar="DIR")
    _add_gold(export)
    export.set_defaults(run=_export)
    docs = parts.add_parser("docs", parents=[common], help="write docs/evaluation.md and the README's table anew")
    docs.add_argument("--check", action="store_true", help="write nothing; exit 1 if they are stale")
    _add_gold(docs)
    docs.set_defaults(run=_docs)


def _add_gold(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gold", type=Path, default=None, metavar="DIR", help="folder of gold data (evaluation/)")


def _add_run(parts: Any, common: argparse.ArgumentParser) -> None:
    run = parts.add_parser("run", parents=[common], help="run the gold data, report, and guard")
    run.add_argument("--only", default="", metavar="AREAS", help="areas, comma-separated (default: all)")
    run.add_argument("--split", choices=("dev", "test", "all"), default="all", help="part of the gold data (all)")
    _add_gold(run)
    run.add_argument("--failures", type=int, default=0, metavar="N", help="list the N worst items of each area")
    run.add_argument("--gate", action="store_true", help="exit 1 if a measure fell or an invariant broke")
    run.add_argument("--update-baseline", action="store_true", help="make this run the gate's baseline")
    run.add_argument("--no-save", action="store_true", help="write no files")
    run.add_argument("--json", action="store_true", help="one JSON object with all measures")
    run.add_argument("--quiet", action="store_true", help="no progress bar")
    run.set_defaults(run=_run)


# --- run ------------------------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.evaluation.bench import Bench
    from gmedbot.evaluation.gate import check_gate, load_baseline, update_baseline
    from gmedbot.evaluation.gold import load_gold
    from gmedbot.evaluation.run import run_evaluation

    folder = gold_folder(arguments.gold, settings.corpus)
    gold = load_gold(folder)
    baseline = load_baseline(folder / "baseline.json") if arguments.gate else None
    only = [name.strip() for name in arguments.only.split(",") if name.strip()]
    with progress_bar(arguments.quiet or arguments.json) as tell:
        result = run_evaluation(Bench(settings), gold, only, arguments.split, tell)
    findings = check_gate(result, baseline) if baseline is not None else ()
    if arguments.update_baseline:
        update_baseline(result, folder / "baseline.json")
    saved = {} if arguments.no_save else _save(result, folder, findings if baseline is not None else None)
    if arguments.json:
        _emit_run(result, findings, baseline is not None)
    else:
        _show(result, arguments.failures)
        for name, path in saved.items():
            emit(f"{name}: {path}")
        if baseline is not None:
            _show_gate(findings)
    return 1 if findings else 0


def _save(result: RunResult, folder: Path, findings: tuple[GateFinding, ...] | None) -> dict[str, Path]:
    """Write the run's folder and report; latest.json too, if the run was a whole one. Returns what is where."""
    from gmedbot.evaluation.report import write_report
    from gmedbot.evaluation.results import runs_folder, save_run, write_latest
    from gmedbot.evaluation.run import AREAS

    own = save_run(result, runs_folder(folder))
    saved = {"run": own, "report": write_report(result, own / "report.html", findings)}
    if "all" in result.splits and set(AREAS) == set(result.areas):
        saved["measures"] = write_latest(result, folder)
    return saved


def _emit_run(result: RunResult, findings: tuple[GateFinding, ...], is_gated: bool) -> None:
    from gmedbot.evaluation.results import latest_json

    content = latest_json(result)
    if is_gated:
        content["gate"] = [
            {**vars(finding), "questions": [{"id": name, "question": text} for name, text in finding.questions]}
            for finding in findings
        ]
    emit_json(content)


def _show(result: RunResult, worst: int) -> None:
    """A compact table: one row a measure, one column a system and split."""
    from gmedbot.evaluation.failures import failures

    facts = result.facts
    emit(f"index {facts['index']}: {facts['sources']} sources, {facts['passages']} passages, {facts['claims']} claims")
    stale = result.gold["stale"]
    if stale:
        emit(f"stale gold quotes: {len(stale)} of {result.gold['quotes']} (left out, not counted as misses)")
        for item in stale[:10]:
            emit(f"  {item['cause']}: {item['source']}: {item['text'][:100]}")
    for area in result.areas:
        _show_area(area, {split: result.measures[split][area] for split in result.splits})
    if worst:
        for line in failures(result, worst):
            emit(line)
    spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
    emit(f"\n{sum(result.seconds.values()):.0f} s ({spent})")


def _show_area(area: str, by_split: Mapping[str, Mapping[str, Mapping[str, Estimate]]]) -> None:
    systems = list(next(iter(by_split.values())))
    names = dict.fromkeys(name for found in by_split.values() for system in found.values() for name in system)
    head = [area] + [f"{system} {split}" if len(by_split) > 1 else system for system in systems for split in by_split]
    rows = [
        [name] + [_cell(by_split[split].get(system, {}).get(name)) for system in systems for split in by_split]
        for name in names
    ]
    emit()
    table(rows, head)


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    digits = 1 if abs(estimate.value) >= 5 else 3
    return f"{estimate.value:.{digits}f}"


def _show_gate(findings: tuple[GateFinding, ...]) -> None:
    if not findings:
        emit("gate: green")
        return
    emit(f"gate: RED, {len(findings)} reason(s)")
    for finding in findings:
        emit(f"- {finding}")
        for name, question in finding.questions[:8]:
            emit(f"    {name}: {question}")
        if len(finding.questions) > 8:
            emit(f"    … and {len(finding.questions) - 8} more (report.html lists all)")


# --- the others -----------------------------------------------------------------------------------------------------


def _compare(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.evaluation.compare import compare_runs
    from gmedbot.evaluation.results import find_run, load_run, runs_folder

    runs = runs_folder(gold_folder(arguments.gold, settings.corpus))
    a, b = (load_run(find_run(name, runs)) for name in (arguments.a, arguments.b))
    found = compare_runs(a, b, arguments.split)
    if arguments.json:
        emit_json(found.to_json())
        return 0
    emit(f"A {found.a}\nB {found.b}")
    for key, (x, y) in found.facts.items():
        emit(f"  {key}: {x} → {y}")
    if found.only_a or found.only_b:
        emit(f"  left out: {found.only_a} items that only A measured, {found.only_b} that only B measured")
    rows = [
        [
            d.area, d.measure, f"{d.a:.4f}", f"{d.b:.4f}", f"{d.paired.difference:+.4f}",
            f"[{d.paired.low:+.4f}, {d.paired.high:+.4f}]", f"{d.paired.p:.3f}", str(d.paired.n), d.verdict,
        ]
        for d in found.differences
        if abs(d.paired.difference) > 1e-9
    ]  # fmt: skip
    table(rows, ["area", "measure", "A", "B", "B − A", "95 % interval", "p", "n", "verdict"])
    if not rows:
        emit("no measure differs")
    shown: dict[str, int] = {}
    for change in found.changes:
        shown[change.area] = shown.get(change.area, 0) + 1
        if shown[change.area] <= arguments.changes:
            values = " → ".join("–" if value is None else f"{value:.3f}" for value in (change.a, change.b))
            emit(f"\n{change.area} {change.id}: {change.measure} {values}: {change.question}")
            emit("  A: " + change.before.replace("\n", " / ")[:300])
            emit("  B: " + change.after.replace("\n", " / ")[:300])
    for area, count in shown.items():
        emit(f"{area}: {count} items changed" + (f", {arguments.changes} shown" if count > arguments.changes else ""))
    return 0


def _beir(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.evaluation.beir import evaluate_beir, open_encoder, read_beir, write_runs

    collection = read_beir(arguments.folder)
    with progress_bar(arguments.quiet or arguments.json) as tell:
        measures, runs = evaluate_beir(collection, settings, open_encoder(settings), tell)
    if arguments.out is not None:
        write_runs(runs, arguments.out, collection.qrels)
    if arguments.json:
        emit_json(
            {
                "set": collection.name,
                "documents": len(collection.documents),
                "queries": len(collection.queries),
                "judged_documents_absent": len(collection.absent),
                "measures": {
                    system: {name: estimate.to_json() for name, estimate in found.items()}
                    for system, found in measures.items()
                },
            }
        )
        return 0
    emit(f"{collection.name}: {len(collection.documents)} documents, {len(collection.queries)} queries")
    if collection.absent:
        some = ", ".join(collection.absent[:5])
        emit(f"{len(collection.absent)} judged documents are not in the corpus and count as missed: {some}")
    _show_area("measure", {"test": measures})
    return 0


def _export(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.evaluation.beir import export_beir
    from gmedbot.evaluation.gold import load_gold
    from gmedbot.index.reader import BuiltIndex
    from gmedbot.index.store import Store

    if arguments.folder.exists() and any(arguments.folder.iterdir()):
        raise UsageError(f"{arguments.folder} must be empty or absent.", "it holds files", "choose another folder")
    gold = load_gold(gold_folder(arguments.gold, settings.corpus))
    counts = export_beir(gold, BuiltIndex(Store(settings.index)), arguments.folder)
    emit(f"{arguments.folder}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return 0


def _docs(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    from gmedbot.evaluation.pages import stale_pages, write_pages

    folder = gold_folder(arguments.gold, settings.corpus)
    if not arguments.check:
        for path in write_pages(folder):
            emit(f"wrote {path}")
        return 0
    stale = stale_pages(folder)
    for path in stale:
        emit(f"stale: {path} (gmedbot eval docs)")
    return 1 if stale else 0
