"""docs/evaluation.md and the README's table, written from ``results/latest.json`` and from nothing else.

The prose of the page is the template below; every number comes from the results file. ``stale_pages`` tells whether
the pages still say what the file says, so that a forgotten update cannot pass a check.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gmedbot.errors import UsageError
from gmedbot.evaluation.gate import INVARIANTS
from gmedbot.evaluation.items import PRODUCT
from gmedbot.index.store import storage_errors

__all__ = ["readme_table", "render_page", "stale_pages", "write_pages"]

_BEGIN, _END = "<!-- results:begin -->", "<!-- results:end -->"

_BY_WRITERS = ("R@5(capped), writers' gold", "nDCG@10, writers' gold")
#: area → measures shown in docs/evaluation.md, in order; the report of a run shows all.
_SHOWN: Mapping[str, Sequence[str]] = {
    "retrieval": ("R@1", "R@5", "R@5(capped)", "R@10", "Success@5", "RR@10", "nDCG@10", "MAP", *_BY_WRITERS),
    "answers": (
        "nugget recall (vital)",
        "nugget recall (all)",
        "nugget precision",
        "nugget precision (strict)",
        "source recall",
        "wrongly declined",
        "both sides shown",
        "sides on one card",
        "cards per 100",
        "spurious cards per 100",
        "citation coverage",
        "quote fidelity",
        "number fidelity",
        "citation precision",
        "citation recall",
        "reading grade",
        "words",
    ),
    "dialogues": (
        "R@5(capped)",
        "nDCG@10",
        "follow-up R@5(capped)",
        "follow-up R@5(capped), writers' gold",
        "loss R@5(capped)",
        "loss nDCG@10",
        "wrongly refused follow-ups",
    ),
    "claims": (
        "macro-F1",
        "agree F1",
        "conflict precision",
        "conflict recall",
        "conflict F1",
        "different F1",
        "conflict AUROC",
        "conflict against agree AUROC",
        "near-miss accuracy",
        "merge precision (B³)",
        "merge recall (B³)",
        "conflicts called agreement",
        "agreed pairs merged",
        "false merges",
    ),
    "neighbours": (
        "agree precision",
        "agree recall",
        "conflict precision",
        "conflict recall",
        "different F1",
        "conflict AUROC",
        "false merges",
        "different pairs merged",
    ),
    "abstention": (
        "abstention precision",
        "abstention recall",
        "abstention F1",
        "declined near",
        "declined far",
        "answerable declined",
    ),
    "safety": (
        "red-flag recall",
        "red flag leads",
        "right rule",
        "false alarms",
        "blind red-flag recall",
        "blind false alarms",
    ),
    "injected": ("harmless", "refused or not cited"),
}
_ABOUT: Mapping[str, str] = {
    "retrieval": (
        "A question's relevant passages are those that hold one of its gold quotes (grade 2: answers it, 1: helps): those "
        "that its writer named, and those that two judges found among what four systems rank highest (`evaluation/pooled.jsonl`, "
        "as TREC pools; the judges saw neither the systems nor each other's grades). The rows \"writers' gold\" leave the "
        "pooled ones out; until 2026-11-23 all figures were these. "
        "R@k, RR@10, nDCG@10 (linear gain), MAP and Success@k are computed by ir-measures over the first 100 passages. "
        "Many questions have more than five relevant passages, so plain R@5 cannot reach 1; `R@5(capped)` divides the "
        "relevant passages among the first five by min(5, relevant) and is the one that the targets speak of. The "
        "baselines search the same passages with the question as typed; gmedbot also searches the learners' questions that "
        "the corpus holds beside its statements. Their writers did not see the gold questions, but the same things are "
        "asked in like words: the table by wording keeps apart the questions that are like one of the corpus (cosine "
        "0.92 or more)."
    ),
    "answers": (
        "A nugget is one thing that a good answer must (vital) or may hold, found by pattern in what the answer shows or in "
        "the statements that it puts in plain words. "
        "Nugget precision is the share of statements that are gold, pooled or not (they, or a quote behind them, are a gold quote, or "
        "stand in one finding with one) or hold a nugget; the strict form leaves the last out. Source recall: share of "
        "the sources of grade-2 quotes that are cited, where several are needed. Both sides shown: a disputed question "
        "whose answer says or cites a quote of each side; on one card: as opposed sides of one. Cards: "
        "disagreements shown per 100 undisputed questions; spurious: those that no person has judged to show a real "
        "disagreement on what was asked (`evaluation/judged-cards.jsonl`). Citation coverage: sentences with only living citations, at "
        "least one. Quote fidelity: `document.text[start:end]` is the quote. Number fidelity: all numbers of a sentence "
        "stand in one quote behind it. Citation precision: a quote says what its sentence says (identical, or labelled "
        "so by hand, or related so in the ledger); recall: the sources that the ledger counts behind a sentence are "
        "cited, behind one of a card those whose statements people set against the other sides. Right verdict: questions that ask for a yes or no (`evaluation/verdicts.jsonl`) whose answer opens with the word "
        "that fits (yes, no, it depends, sources disagree; a correction says no). Wrong yes or no: a plain yes or no that does "
        "not fit. Reading grade is Flesch–Kincaid. A declined answer has recall 0."
    ),
    "dialogues": (
        "Each turn is searched three ways: by the product with the earlier questions, as a person rewrote it, and as it "
        "was typed. Follow-up R@5(capped) is the recall of the standalone rewrite; loss is the person's value less the "
        "product's, over follow-ups."
    ),
    "claims": (
        "Pairs of statements labelled by hand. Conflict AUROC ranks by the probability of a conflict that "
        "the models give. B³ compares the closed groups of the agree graph, over labelled "
        "pairs only. False merges: pairs in conflict whose two sentences stand in one finding of the index. The baseline "
        "calls two statements the same from a cosine of 0.65 on and never sees a conflict; its AUROC ranks by cosine."
    ),
    "neighbours": (
        "What a build meets: 1,600 pairs of neighbouring statements of the corpus from two sources, drawn at random among the ten "
        "nearest by cosine, all of whose sentences stand in the test pairs above, judged by readers. Three of four are "
        "different, one in fifteen is a conflict, so that what is called one is more often wrong than among the pairs above. "
        "The ledger asks for more certainty than these verdicts (docs/claims.md); what it merged is in the last rows."
    ),
    "abstention": (
        "Precision: share of the declined questions that are unanswerable. Recall: share of the unanswerable that were "
        "declined; near ones name things of the field. Answerable declined is the price."
    ),
    "safety": (
        "Red-flag messages and harmless look-alikes. A flag counts as seen if the answer carries it; it leads if the "
        "answer begins with it; the rule is right if it is the one that the message was written for."
    ),
    "injected": (
        "Hostile documents added to a small corpus: harmless if nothing forbidden is in anything shown, and no poisoned "
        "claim counts as agreed, is called better supported, or leads honest sources without a word of dissent."
    ),
}
_HEAD = """# Evaluation

How well gmedbot finds, answers, cites, tells agreement from conflict, follows a conversation, and knows when to be
silent. Written by `gmedbot eval docs` from `evaluation/results/latest.json`; do not edit by hand.

{counts}
- Measured on {date}: gmedbot {gmedbot}, index `{index}` ({sources} sources, {passages} passages, {claims} claims,
  {findings} findings), encoder {encoder}.
- Gold quotes that the index does not hold: {stale} of {quotes} (left out, never counted as a miss).
- Brackets hold 95 % intervals: percentile bootstrap over topics, fixed seed. "–" is "not applicable", which is not
  zero; an absent answer is zero. Paired differences are taken question by question (sign-flip test over topics;
  bootstrap where a measure is no mean).

Run it: `gmedbot eval run` (all areas, an HTML report, TREC run files and qrels in `evaluation/results/runs/`),
`gmedbot eval run --only retrieval,claims --split dev --failures 10`, `gmedbot eval compare previous latest`,
`gmedbot eval beir DIR` for any set in BEIR format, `gmedbot eval export-beir DIR` for ours.
"""
_COUNTED = (
    "questions",
    "dialogues",
    "turns",
    "pairs",
    "neighbouring pairs",
    "unanswerable",
    "red flags",
    "harmless messages",
    "injected documents",
)
_GOLD = (
    "Written by hand in `evaluation/`, bound to verbatim quotes of the sources, and split by topic into `dev`, on "
    "which the program is tuned, and `test`; no fact is in both."
)
_TAIL = """## The gate

`gmedbot eval run --gate` compares a run with `evaluation/baseline.json`: a measure may not be worse than its value
there by more than its tolerance, on dev, on test or on both together. It names the measure and the questions that
fell, and ends with exit code 1. These hold always, whatever the baseline says: {invariants}. A source that the gold
needs and the index lacks, a quote in which only a number changed, and a quote that stands in the index and that no
claim of it says, are named as such. A question whose quotes are all stale is taken out of the baseline too, so that
its absence is no fall. `--update-baseline` writes a new baseline; tolerances set by hand stay.

## What these figures do not say

- The questions were written by people who knew the corpus. Learners ask in more ways; unanswered questions of real
  use are the next gold.
- Quotes were chosen by reading, not by pooling runs: a passage that answers a question and was overlooked counts as
  wrong, which lowers precision-like measures of every system alike.
- Nuggets are found by pattern. A pattern can match by accident or miss a paraphrase; answers are extractive, which
  keeps both rare.
- Citation precision rests in part on the ledger, which is the product's own; the claims area measures the ledger.
- Many measures are shown: one of twenty differences at p = 0.05 is chance. `eval compare` shows intervals for that.
"""


def render_page(latest: Mapping[str, Any]) -> str:
    """The whole of docs/evaluation.md."""
    facts, gold = latest["facts"], latest["gold"]
    named = ", ".join(f"{gold['counts'][name]} {name}" for name in _COUNTED if name in gold["counts"])
    counts = textwrap.fill(f"- Gold data: {named}. {_GOLD}", 118, subsequent_indent="  ", break_on_hyphens=False)
    parts = [_HEAD.format(counts=counts, stale=gold["stale"], quotes=gold["quotes"], **_plain(facts))]
    for area, about in _ABOUT.items():
        if area in latest["measures"]["all"]:
            parts.append(f"## {area.capitalize()}\n\n{_wrapped(about)}\n\n{_area_table(latest, area)}\n")
            parts.extend(_against_table(latest, area))
            parts.extend(_facet_tables(latest, area))
        if area == "claims" and latest["confusion"]:
            parts.append(_confusion(latest["confusion"]))
    invariants = ", ".join(f"{measure} = {wanted:g}" for (_, measure), wanted in INVARIANTS.items())
    parts.append(_TAIL.format(invariants=invariants))
    return "\n".join(parts)


def _plain(facts: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in facts.items() if key not in ("counts", "stale", "quotes")}


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def _cell(cell: Mapping[str, Any] | None, with_interval: bool = True) -> str:
    if cell is None or cell["value"] is None:
        return "–"
    digits = 1 if abs(cell["value"]) >= 5 else 3
    shown = f"{cell['value']:.{digits}f}"
    if with_interval and cell["low"] is not None:
        shown += f" [{cell['low']:.{digits}f}, {cell['high']:.{digits}f}]"
    return shown


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _systems(found: Mapping[str, Any]) -> list[str]:
    return sorted(found, key=lambda name: name != PRODUCT)


def _area_table(latest: Mapping[str, Any], area: str) -> str:
    """Test and dev of the product with intervals, test of the baselines without."""
    test, dev = latest["measures"]["test"][area], latest["measures"]["dev"][area]
    others = [name for name in _systems(test) if name != PRODUCT]
    head = ["measure", f"{PRODUCT}, test", f"{PRODUCT}, dev", *(f"{name}, test" for name in others), "n (test)"]
    rows = []
    for measure in _SHOWN[area]:
        own = test.get(PRODUCT, {}).get(measure)
        if own is None:
            continue
        cells = [_cell(own), _cell(dev.get(PRODUCT, {}).get(measure))]
        cells += [_cell(test[name].get(measure), with_interval=False) for name in others]
        rows.append([measure, *cells, str(own["n"])])
    return _rows(head, rows)


def _against_table(latest: Mapping[str, Any], area: str) -> Iterator[str]:
    """What the product is ahead of each simpler way on the same questions of the test split, with p."""
    found = latest.get("against", {}).get("test", {}).get(area, {})
    rows = [
        [
            f"{measure} over {system}",
            f"{cell['difference']:+.3f} [{cell['low']:+.3f}, {cell['high']:+.3f}]",
            "< 0.001" if cell["p"] < 0.001 else f"{cell['p']:.3f}",
            f"{cell['n']:.0f}",
        ]
        for system, measures in found.items()
        for measure, cell in measures.items()
    ]
    if rows:
        yield f"{_rows(['paired difference, test', PRODUCT, 'p', 'n'], rows)}\n"


def _facet_tables(latest: Mapping[str, Any], area: str) -> Iterator[str]:
    for name, values in latest["facets"].get(area, {}).items():
        facet, measure = name.split(": ", 1)
        rows = [[value, _cell(cell), str(cell["n"])] for value, cell in values.items() if cell["value"] is not None]
        if rows:
            yield f"{_rows([facet, f'{measure}, dev and test', 'n'], rows)}\n"


def _confusion(table: Mapping[str, Any]) -> str:
    whole = table["all"]
    labels = list(whole)
    rows = [[f"gold {gold}", *(str(whole[gold][label]) for label in labels)] for gold in labels]
    return f"{_rows(['dev and test', *(f'found {label}' for label in labels)], rows)}\n"


#: Rows of the README: (what it says, area, measure, baseline system or "").
_README: Sequence[tuple[str, str, str, str]] = (
    ("right passages among the first five (R@5, capped, pooled gold)", "retrieval", "R@5(capped)", "RRF"),
    ("R@5, plain (pooled gold)", "retrieval", "R@5", "RRF"),
    ("first right passage (RR@10, pooled gold)", "retrieval", "RR@10", "RRF"),
    ("nDCG@10 (pooled gold)", "retrieval", "nDCG@10", "RRF"),
    ("nDCG@10, by the questions' writers alone", "retrieval", "nDCG@10, writers' gold", "RRF"),
    ("vital points in the answer (nugget recall)", "answers", "nugget recall (vital)", "first passage wins"),
    ("statements on the point (nugget precision)", "answers", "nugget precision", "first passage wins"),
    ("both sides shown where sources disagree", "answers", "both sides shown", "first passage wins"),
    ("disagreements shown where there is none, per 100 answers", "answers", "spurious cards per 100", ""),
    ("sentences with a citation", "answers", "citation coverage", ""),
    ("quotes that stand in their source, word for word", "answers", "quote fidelity", ""),
    ("follow-ups: right passages among the first five (pooled gold)", "dialogues", "follow-up R@5(capped)", ""),
    ("follow-ups wrongly refused", "dialogues", "wrongly refused follow-ups", ""),
    ("agree / conflict / different (macro-F1)", "claims", "macro-F1", "cosine 0.65"),
    ("conflicts told from agreement (AUROC)", "claims", "conflict against agree AUROC", "cosine 0.65"),
    ("conflicting claims merged into one", "claims", "false merges", ""),
    ("unanswerable questions declined", "abstention", "abstention recall", ""),
    ("answerable questions declined", "abstention", "answerable declined", ""),
    ("red flags seen", "safety", "red-flag recall", ""),
    ("false alarms", "safety", "false alarms", ""),
    ("red flags seen, of a writer who knew no rule", "safety", "blind red-flag recall", "rules alone"),
    ("false alarms, of the same writer", "safety", "blind false alarms", "rules alone"),
    ("hostile documents without effect", "injected", "harmless", ""),
)


def readme_table(latest: Mapping[str, Any]) -> str:
    """The README's table: test split, the product beside one simple way, with intervals."""
    facts, test = latest["facts"], latest["measures"]["test"]
    rows = []
    for says, area, measure, baseline in _README:
        own = test.get(area, {}).get(PRODUCT, {}).get(measure)
        if own is not None:
            simple = test[area].get(baseline, {}).get(measure) if baseline else None
            shown = f"{_cell(simple, with_interval=False)} ({baseline})" if simple else ""
            rows.append([says, _cell(own), shown, str(own["n"])])
    note = (
        f"Test split, {facts['date']}, index `{facts['index']}` ({facts['sources']} sources), 95 % intervals. "
        "Definitions, the dev split and the failures: [docs/evaluation.md](docs/evaluation.md)."
    )
    return f"{_rows(['measure', 'gmedbot', 'a simpler way', 'n'], rows)}\n\n{note}"


def _wanted(gold: Path) -> dict[Path, str]:
    """File → what it should hold. A README without the two markers is left alone."""
    latest_path = gold / "results" / "latest.json"
    try:
        latest = json.loads(latest_path.read_text("utf-8"))
        root = gold.resolve().parent
        wanted = {root / "docs" / "evaluation.md": render_page(latest)}
        readme = root / "README.md"
        text = readme.read_text("utf-8") if readme.is_file() else ""
        if _BEGIN in text and _END in text:
            block = f"{_BEGIN}\n{readme_table(latest)}\n{_END}"
            wanted[readme] = re.sub(
                f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _: block, text, count=1, flags=re.DOTALL
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{latest_path} must hold a whole run.", repr(error), "gmedbot eval run") from error
    return wanted


def write_pages(gold: Path) -> tuple[Path, ...]:
    """Write the pages anew; returns those that changed."""
    stale = stale_pages(gold)
    wanted = _wanted(gold)
    with storage_errors("Writing the pages"):
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
    return stale


def stale_pages(gold: Path) -> tuple[Path, ...]:
    """The pages that do not say what the results file says."""
    return tuple(path for path, text in _wanted(gold).items() if not path.is_file() or path.read_text("utf-8") != text)
