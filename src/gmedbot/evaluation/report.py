"""The HTML report of a run: one file, no script, no outside address; opens from disk and prints.

Measures with intervals beside the baselines, plots by kind of question and by topic, and every failure with the
question, the answer and what was missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from gmedbot.evaluation.beside import Against, against
from gmedbot.evaluation.charts import bars, confusion_table, grouped_bars
from gmedbot.evaluation.compare import HEADLINE
from gmedbot.evaluation.failures import badness, describe
from gmedbot.evaluation.gate import GateFinding
from gmedbot.evaluation.items import PRODUCT, AreaResult, Item
from gmedbot.evaluation.measures import Estimate, bootstrap_mean
from gmedbot.evaluation.results import FACETS
from gmedbot.evaluation.run import RunResult
from gmedbot.index.store import storage_errors

__all__ = ["render_report", "write_report"]

_FAILURES = 80  #: failures listed per area
_TOPICS = 25  #: topics plotted per area, the worst first

#: area → measures of the bar plot beside the baselines.
_PLOTTED: Mapping[str, Sequence[str]] = {
    "retrieval": ("R@5(capped)", "RR@10", "nDCG@10"),
    "answers": ("nugget recall (vital)", "nugget precision", "both sides shown"),
    "dialogues": ("R@5(capped)", "nDCG@10"),
    "claims": ("macro-F1", "conflict F1", "merge precision (B³)"),
    "neighbours": ("macro-F1", "conflict F1", "merge precision (B³)"),
    "abstention": ("abstention precision", "abstention recall"),
    "safety": ("red-flag recall", "right rule"),
    "injected": ("harmless",),
}
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--soft:#f2f4f7;--line:#d5dae1;--main:#1f5fa8;--other:#9aa7b8;--bad:#a3261b;--good:#1d6b3a}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--paper:#14181e;--soft:#1e242c;--line:#39424e;--main:#6aa9ee;--other:#66727f;--bad:#ff8a7d;--good:#7fd09a}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;margin:2rem auto;padding:0 1rem}
h1,h2,h3{line-height:1.2}h2{margin-top:3rem;border-bottom:2px solid var(--line)}
table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}.num{text-align:right;font-variant-numeric:tabular-nums}
.wrap{overflow-x:auto}figure{margin:1rem 0;overflow-x:auto}figcaption{font-weight:600}
svg{font:12px system-ui,sans-serif}svg text{fill:var(--ink)}.track{fill:var(--soft)}.bar{fill:var(--main)}.bar.other{fill:var(--other)}.whisker{stroke:var(--ink);fill:none}
.confusion td.num{background:color-mix(in srgb,var(--main) calc(var(--share,0)*60%),transparent)}
.gate{border:2px solid;padding:.5rem 1rem}.red{border-color:var(--bad)}.green{border-color:var(--good)}
details{border:1px solid var(--line);padding:.3rem .8rem;margin:.3rem 0}summary{cursor:pointer}pre{white-space:pre-wrap;font:13px/1.45 ui-monospace,monospace;margin:.3rem 0}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem}nav a{color:var(--main)}small{opacity:.8;white-space:nowrap}
"""


def write_report(result: RunResult, path: Path, findings: Sequence[GateFinding] | None = None) -> Path:
    """Write the page. ``findings``: what the gate found; None if it was not asked."""
    with storage_errors("Writing the report"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_report(result, findings), "utf-8")
    return path


def render_report(result: RunResult, findings: Sequence[GateFinding] | None = None) -> str:
    """The whole page as text."""
    areas = "".join(f'<a href="#{name}">{name}</a>' for name in result.areas)
    body = [
        f"<h1>Evaluation {escape(result.id)}</h1><nav>{areas}</nav>",
        _facts(result),
        _gate(findings),
        _stale(result),
    ]
    body += [_area(name, area, result) for name, area in result.areas.items()]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>gmedbot evaluation {escape(result.id)}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _facts(result: RunResult) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(str(key))}</th><td>{escape(str(value))}</td></tr>'
        for key, value in result.facts.items()
    )
    counts = ", ".join(f"{count} {name}" for name, count in result.gold["counts"].items())
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in result.seconds.items())
    return (
        f"<details><summary>What was measured: {escape(counts)}</summary><table>{rows}"
        f'<tr><th scope="row">time</th><td>{escape(seconds)}</td></tr></table></details>'
        "<p>Values with their 95 % intervals (bootstrap over topics). “–” means not applicable. An answer that was "
        "declined counts as zero where something should have been said.</p>"
    )


def _gate(findings: Sequence[GateFinding] | None) -> str:
    if findings is None:
        return ""
    if not findings:
        return (
            '<section class="gate green"><strong>Gate: green.</strong> No measure fell, no invariant broke.</section>'
        )
    lines = []
    for finding in findings:
        named = "".join(f"<li>{escape(name)}: {escape(text)}</li>" for name, text in finding.questions)
        lines.append(f"<details><summary>{escape(str(finding))}</summary><ul>{named}</ul></details>")
    return f'<section class="gate red"><h2>Gate: red</h2>{"".join(lines)}</section>'


def _stale(result: RunResult) -> str:
    stale = result.gold["stale"]
    if not stale:
        return f"<p>All {result.gold['quotes']} gold quotes stand in the index.</p>"
    rows = "".join(
        f"<tr><td>{escape(item['cause'])}</td><td>{escape(item['source'])}</td><td>{escape(item['text'])}</td>"
        f"<td>{escape(item['nearest'])}</td></tr>"
        for item in stale
    )
    return (
        f"<details><summary>{len(stale)} of {result.gold['quotes']} gold quotes are stale: left out, not missed</summary>"
        f"<table><tr><th>cause</th><th>source</th><th>gold quote</th><th>nearest now</th></tr>{rows}</table></details>"
    )


def _area(name: str, area: AreaResult, result: RunResult) -> str:
    by_split = {split: result.measures[split][name] for split in result.splits}
    whole = by_split["all"] if "all" in by_split else next(iter(by_split.values()))
    parts = [f'<h2 id="{name}">{name.capitalize()}</h2>', _table(name, by_split)]
    if len(whole) > 1:
        parts.append(grouped_bars("Beside the baselines", whole, _PLOTTED[name]))
        parts.append(_against(against(name, area, result.splits[-1])))
    for facet, measure in FACETS.get(name, ()):
        parts.append(bars(f"{measure} by {facet}", area.by_facet(facet, measure)))
    parts.append(_topics(name, area))
    for split, table in area.extra.get("confusion", {}).items():
        if split == "all" or len(result.splits) == 1:
            parts.append(confusion_table("Which label was given", table))
    parts.append(_failures(name, area))
    return "".join(parts)


def _table(name: str, by_split: Mapping[str, Mapping[str, Mapping[str, Estimate]]]) -> str:
    splits = list(by_split)
    systems = list(next(iter(by_split.values())))
    measures = dict.fromkeys(m for found in by_split.values() for system in found.values() for m in system)
    head = "".join(
        f'<th scope="col">{escape(system)}<br><small>{split}</small></th>' for system in systems for split in splits
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(measure)}</th>'
        + "".join(_cell(by_split[split].get(system, {}).get(measure)) for system in systems for split in splits)
        + "</tr>"
        for measure in measures
    )
    return f'<div class="wrap"><table><caption>{escape(name)}: all measures</caption><tr><td></td>{head}</tr>{rows}</table></div>'


def _against(found: Against) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(measure)} over {escape(system)}</th><td class="num">{paired.difference:+.3f}<br>'
        f'<small>{paired.low:+.3f} to {paired.high:+.3f}</small></td><td class="num">{_p(paired.p)}</td>'
        f'<td class="num">{paired.n}</td></tr>'
        for system, measures in found.items()
        for measure, paired in measures.items()
    )
    head = (
        "<tr><td></td>"
        + "".join(f'<th scope="col">{name}</th>' for name in ("gmedbot is ahead by", "p", "n"))
        + "</tr>"
    )
    caption = "Paired differences on the same questions, with 95 % intervals"
    return f'<div class="wrap"><table><caption>{caption}</caption>{head}{rows}</table></div>' if rows else ""


def _p(value: float) -> str:
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return '<td class="num">–</td>'
    digits = 1 if abs(estimate.value) >= 5 else 3
    interval = ""
    if estimate.low is not None and estimate.high is not None:
        interval = f"<br><small>{estimate.low:.{digits}f}–{estimate.high:.{digits}f}</small>"
    return f'<td class="num" title="n {estimate.n}">{estimate.value:.{digits}f}{interval}</td>'


def _topics(name: str, area: AreaResult) -> str:
    """The topics with the lowest headline value; topics of one item are left to the failures."""
    measure = HEADLINE[name]
    groups: dict[str, list[Item]] = {}
    for item in area.items:
        groups.setdefault(item.topic, []).append(item)
    values = {
        topic: bootstrap_mean([item.values.get(PRODUCT, {}).get(measure) for item in own], range(len(own)))
        for topic, own in groups.items()
        if len(own) > 1
    }
    low = sorted((e.value, topic) for topic, e in values.items() if e.value is not None and e.value < 1)[:_TOPICS]
    return bars(f"{measure} by topic, the lowest {len(low)}", {topic: values[topic] for _, topic in low})


def _failures(name: str, area: AreaResult) -> str:
    bad = sorted((item for item in area.items if badness(name, item) > 0.05), key=lambda i: (-badness(name, i), i.id))
    if not bad:
        return "<p>No item falls short.</p>"
    shown = f", the worst {_FAILURES} in full" if len(bad) > _FAILURES else ""
    return f"<h3>Falling short: {len(bad)} of {len(area.items)}{shown}</h3>" + "".join(
        _failure(name, item) for item in bad[:_FAILURES]
    )


def _failure(name: str, item: Item) -> str:
    first, *rest = describe(name, item)
    return f"<details><summary>{escape(first.removeprefix('- '))}</summary><pre>{escape(_joined(rest))}</pre></details>"


def _joined(lines: Sequence[str] | Iterator[str]) -> str:
    return "\n".join(line.strip() for line in lines)
