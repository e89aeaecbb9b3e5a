"""``gmedbot index diff A B``: what the bot will say differently after a rebuild, before anybody asks.

Sources and passages that came, went and changed; findings whose standing changed; conflicts that are new or gone; and
the gold questions whose answers read differently. Findings are matched by their claims' texts, because ids change
with every edit and what matters is whether the same statement stands otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gmedbot.errors import GmedbotError, UsageError
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.settings import Settings
from gmedbot.types import Finding

__all__ = ["diff_builds", "render_diff"]

_SHOWN = 20  #: lines of one kind in the printed report; --json holds all


def diff_builds(settings: Settings, ids: Sequence[str], questions: Sequence[str] | None = None) -> dict[str, Any]:
    """Compare two builds.

    Args: ids: two builds, old first; one (against the published one); none (the last two published). A prefix will do.
    questions: asked of both; the gold questions of the project by default.
    Raises: UsageError if there are not two builds; what opening a build raises.
    """
    store = Store(settings.index)
    old, new = (BuiltIndex(store, name) for name in _chosen(store, ids))
    report: dict[str, Any] = {"old": old.id, "new": new.id}
    report["sources"] = _source_changes(old, new)
    report["passages"] = _passage_changes(old, new)
    report["findings"] = _finding_changes(old, new)
    report["conflicts"] = _conflict_changes(old, new)
    asked = gold_questions(settings) if questions is None else list(questions)
    report["answers"] = _answer_changes(old, new, settings, asked)
    return report


def _chosen(store: Store, ids: Sequence[str]) -> tuple[str, str]:
    if len(ids) > 2:
        raise UsageError("Name at most two builds.", f"{len(ids)} were named", "gmedbot index info")
    builds = store.list_builds()
    if not ids:
        history = [name for name in store.history() if name in builds]
        if len(history) < 2:
            raise UsageError(
                "There must be two builds to compare.",
                f"{len(history)} on disk",
                "change the corpus, then: gmedbot index build",
            )
        current = store.current_id()
        before = [name for name in history if name != current]
        return before[-1], current
    named = [_found(name, builds) for name in ids]
    return (named[0], named[1]) if len(named) == 2 else (named[0], store.current_id())


def _found(name: str, builds: Iterable[str]) -> str:
    matches = [build for build in builds if build.startswith(name)]
    if len(matches) != 1:
        found = f"{len(matches)} begin with it" if matches else "none does"
        raise UsageError(
            f"One build must be called {name}.", f"{found}; builds: {', '.join(builds) or 'none'}", "gmedbot index info"
        )
    return matches[0]


def _source_changes(old: BuiltIndex, new: BuiltIndex) -> dict[str, Any]:
    changed = {
        name: sorted(key for key, value in asdict(new.sources[name]).items() if value != asdict(old.sources[name])[key])
        for name in old.sources.keys() & new.sources.keys()
        if old.sources[name] != new.sources[name]
    }
    return {
        "added": sorted(new.sources.keys() - old.sources.keys()),
        "removed": sorted(old.sources.keys() - new.sources.keys()),
        "changed": dict(sorted(changed.items())),
    }


def _passage_changes(old: BuiltIndex, new: BuiltIndex) -> dict[str, list[dict[str, Any]]]:
    """Passages by source and text: one that only moved is not listed."""

    def texts(index: BuiltIndex) -> dict[tuple[str, tuple[str, ...], str], str]:
        return {(p.source_id, p.heading, p.text): p.passage_id for p in index.passages}

    before, after = texts(old), texts(new)
    gone = [key for key in before if key not in after]
    come = [key for key in after if key not in before]
    places = {key[:2] for key in gone} & {key[:2] for key in come}

    def rows(keys: Iterable[tuple[str, tuple[str, ...], str]], is_changed: bool) -> list[dict[str, Any]]:
        return [
            {"source": source, "heading": list(heading), "text": text}
            for source, heading, text in sorted(keys)
            if ((source, heading) in places) == is_changed
        ]

    return {"added": rows(come, False), "removed": rows(gone, False), "changed": rows(come, True)}


def _standing(index: BuiltIndex) -> dict[tuple[str, str], Finding]:
    """(source, claim text) → its finding."""
    claims = {claim.claim_id: claim for claim in index.claims}
    return {
        (claims[name].source_id, claims[name].text): finding
        for finding in index.findings
        for name in finding.supporters
    }


def _finding_changes(old: BuiltIndex, new: BuiltIndex) -> list[dict[str, Any]]:
    """Statements in both builds whose standing changed, each finding of the new build once."""
    before, after = _standing(old), _standing(new)
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for key in sorted(before.keys() & after.keys()):
        was, now = before[key], after[key]
        if was.status != now.status or len(was.origins) != len(now.origins):
            place = (now.finding_id, was.status, now.status)
            found.setdefault(
                place,
                {"finding": now.finding_id, "attribute": now.attribute, "was": was.status, "now": now.status,
                 "origins_were": len(was.origins), "origins_now": len(now.origins), "source": key[0], "text": key[1]},
            )  # fmt: skip
    return list(found.values())


def _conflict_pairs(index: BuiltIndex) -> dict[tuple[tuple[str, str], tuple[str, str]], dict[str, Any]]:
    claims = {claim.claim_id: claim for claim in index.claims}
    found: dict[tuple[tuple[str, str], tuple[str, str]], dict[str, Any]] = {}
    for (a, b), relation in index.relations.items():
        if relation.label != "conflict":
            continue
        first, second = sorted([(claims[a].source_id, claims[a].text), (claims[b].source_id, claims[b].text)])
        found[first, second] = {
            "type": relation.type, "reason": relation.reason, "confidence": relation.confidence,
            "source_a": first[0], "text_a": first[1], "source_b": second[0], "text_b": second[1],
        }  # fmt: skip
    return found


def _conflict_changes(old: BuiltIndex, new: BuiltIndex) -> dict[str, list[dict[str, Any]]]:
    before, after = _conflict_pairs(old), _conflict_pairs(new)
    return {
        "new": [after[key] for key in sorted(after.keys() - before.keys())],
        "vanished": [before[key] for key in sorted(before.keys() - after.keys())],
    }


def gold_questions(settings: Settings) -> list[str]:
    """The questions of ``evaluation/questions*.jsonl`` in or beside the corpus, each once; none if there are none."""
    found: dict[str, None] = {}
    for folder in (settings.corpus / "evaluation", settings.corpus.parent / "evaluation"):
        for path in sorted(folder.glob("questions*.jsonl")):
            for question in _questions(path):
                found[question] = None
        if found:
            break
    return list(found)


def _questions(path: Path) -> list[str]:
    rows: list[str] = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line) if line.strip() else {}
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("question"), str):
            rows.append(row["question"])
    return rows


def _answer_changes(old: BuiltIndex, new: BuiltIndex, settings: Settings, questions: Sequence[str]) -> dict[str, Any]:
    """Questions whose answer differs in status, statements, cited quotes or conflicts."""
    if not questions:
        return {"asked": 0, "changed": []}
    from gmedbot.bot import Bot

    before, after = Bot(old, settings), Bot(new, settings)
    changed: list[dict[str, Any]] = []
    for question in questions:
        try:
            was, now = (_shape(bot.ask(question).to_json()) for bot in (before, after))
        except GmedbotError as error:
            changed.append({"question": question, "error": str(error)})
            continue
        if was != now:
            changed.append({"question": question, "was": was, "now": now})
    return {"asked": len(questions), "changed": changed}


def _shape(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader would notice of an answer; numbers of citations and offsets may change without a difference."""
    return {
        "status": answer["status"],
        "statements": [{"text": s["text"], "status": s["status"]} for s in answer["statements"]],
        "cites": sorted({(c["source_id"], c["quote"]) for c in answer["citations"]}),
        "conflicts": [
            {"attribute": c["attribute"], "sides": [side["text"] for side in c["sides"]]} for c in answer["conflicts"]
        ],
    }


def render_diff(report: Mapping[str, Any]) -> str:
    """The report for people: what matters most first, long lists cut with a count."""
    sources, passages, conflicts = report["sources"], report["passages"], report["conflicts"]
    lines = [f"{report['old']} → {report['new']}"]
    lines += _list("Sources added", sources["added"])
    lines += _list("Sources removed", sources["removed"])
    lines += _list("Sources changed", [f"{name}: {', '.join(keys)}" for name, keys in sources["changed"].items()])
    lines.append(
        f"Passages: {len(passages['added'])} added, {len(passages['removed'])} removed, {len(passages['changed'])} changed"
    )
    lines += _list("New conflicts", [_pair(row) for row in conflicts["new"]])
    lines += _list("Conflicts gone", [_pair(row) for row in conflicts["vanished"]])
    lines += _list(
        "Findings that stand otherwise",
        [
            f"{_status(row['was'], row['origins_were'])} → {_status(row['now'], row['origins_now'])}: {row['text']}"
            for row in report["findings"]
        ],
    )
    answers = report["answers"]
    lines.append(f"Gold questions: {len(answers['changed'])} of {answers['asked']} answered differently")
    lines += _list("", [_answer(row) for row in answers["changed"]])
    return "\n".join(lines)


def _status(status: str, origins: int) -> str:
    return f"{status} ({origins})"


def _list(title: str, rows: Sequence[str]) -> list[str]:
    if not rows:
        return []
    more = [f"  … and {len(rows) - _SHOWN} more (--json lists all)"] if len(rows) > _SHOWN else []
    head = [f"{title}: {len(rows)}"] if title else []
    return [*head, *(f"  {row}" for row in rows[:_SHOWN]), *more]


def _pair(row: Mapping[str, Any]) -> str:
    return f"[{row['type']}] {row['source_a']}: {row['text_a']}\n      {row['source_b']}: {row['text_b']}\n      {row['reason']}"


def _answer(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"{row['question']}: {row['error']}"
    if row["was"]["status"] != row["now"]["status"]:
        return f"{row['question']}: {row['was']['status']} → {row['now']['status']}"
    before, after = ({s["text"] for s in row[key]["statements"]} for key in ("was", "now"))
    parts = [f"+ {text}" for text in sorted(after - before)[:2]] + [f"- {text}" for text in sorted(before - after)[:2]]
    return f"{row['question']}\n      " + ("\n      ".join(parts) or "other sources, standing or conflicts")
