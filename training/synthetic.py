"""Make training pairs from the corpus by editing sentences, so that the edit fixes the label.

A claim and the same claim with a number moved, a direction turned or a "not" put in contradict one another; with
another muscle, angle or population they speak of different things; with synonyms, another order or a reporting
opening they say the same. Two sentences of one digest are different facts by construction. Sentences of the gold
pairs are never used.

Run: ``python -m training.synthetic OUT.jsonl`` (needs a built index for frames).
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.index.reader import BuiltIndex
from gmedbot.index.store import Store
from gmedbot.types import Claim

ROOT = Path(__file__).resolve().parents[1]
SEED = 7

_TURNS: tuple[tuple[str, str], ...] = (
    ("increases", "decreases"), ("increased", "decreased"), ("raises", "lowers"), ("raised", "lowered"),
    ("higher", "lower"), ("greater", "smaller"), ("more", "less"), ("stronger", "weaker"), ("longer", "shorter"),
    ("medial", "lateral"), ("medially", "laterally"), ("internal", "external"), ("anterior", "posterior"),
    ("superior", "inferior"), ("superficial", "deep"), ("above", "below"), ("before", "after"), ("early", "late"),
    ("common", "rare"), ("often", "seldom"), ("usually", "rarely"), ("effective", "ineffective"), ("better", "worse"),
    ("improves", "worsens"), ("improved", "worsened"), ("high", "low"), ("should", "should not"), ("avoided", "encouraged"),
    ("advised", "discouraged"), ("recommended", "advised against"), ("helps", "harms"), ("safe", "unsafe"), ("flexion", "extension"),
    ("abduction", "adduction"), ("stance", "swing"), ("contracts", "relaxes"), ("concentric", "eccentric"), ("thick", "thin"),
    ("always", "never"), ("needed", "unnecessary"), ("allowed", "forbidden"), ("women", "men"),
)  # fmt: skip
_APART: tuple[tuple[str, str], ...] = (
    ("women", "men"), ("men", "women"), ("runners", "sedentary adults"), ("healthy adults", "patients with hip osteoarthritis"),
    ("adults", "adolescents"), ("stance leg", "swing leg"), ("anterior", "middle"), ("posterior", "anterior"), ("middle", "posterior"),
    ("same side", "opposite side"), ("opposite side", "same side"), ("at rest", "during running"), ("peak", "mean"),
    ("3 months", "12 months"), ("12 months", "6 weeks"), ("8 weeks", "1 year"), ("30°", "60°"), ("60°", "90°"), ("walking", "running"),
    ("running", "stair climbing"), ("side-lying", "standing"), ("standing", "supine"), ("strength", "endurance"), ("pain", "strength"),
    ("left", "right"), ("superior gluteal nerve", "inferior gluteal nerve"),
)  # fmt: skip
_MUSCLES = (
    "gluteus medius",
    "gluteus minimus",
    "gluteus maximus",
    "tensor fasciae latae",
    "piriformis",
    "vastus medialis",
)
_VERBS = re.compile(r"\b(is|are|was|were|can|does|may|should|has|have|had)\b")
_THIRD = re.compile(
    r"\b(supplies|inserts|arises|lies|rotates|abducts|reduces|increases|improves|causes|reached|lowered|raised|helps|keeps|shows|stabilises|acts|works|carries|passes)\b"
)
_NUMBER = re.compile(
    r"(?<![\w.–-])(\d+(?:\.\d+)?)(?= ?(?:%|°|mm|cm|weeks?|months?|years?|seconds?|repetitions?|sets|minutes|degrees|N))"
)
_LEAD = re.compile(r"^(In|After|During|For) ([^,]{4,70}), (.+?)\.?$")


def main() -> None:
    out = Path(sys.argv[1])
    index = BuiltIndex(Store(ROOT / "index"))
    gold = [json.loads(line) for line in (ROOT / "evaluation" / "pairs.jsonl").read_text("utf-8").splitlines()]
    held = {row[side] for row in gold for side in ("a", "b")}
    order = [row for row, claim in enumerate(index.claims) if claim.text not in held and len(claim.text) < 260]
    rng = random.Random(SEED)
    rows = list(make(index, order, rng))
    rng.shuffle(rows)
    with out.open("w", encoding="utf-8") as file:
        for a, b, relation, why in rows:
            file.write(json.dumps({"a": a, "b": b, "relation": relation, "reason": why}, ensure_ascii=False) + "\n")
    sys.stderr.write(f"{len(rows)} pairs\n")


Pair = tuple[str, str, str, str]


def make(index: BuiltIndex, order: Sequence[int], rng: random.Random) -> Iterator[Pair]:
    vocabulary = index.vocabulary
    for row in order:
        text = index.claims[row].text
        same = reworded(text, vocabulary, rng)
        options: list[tuple[str, Callable[[str, random.Random], str | None]]] = [
            ("conflict", moved_number), ("conflict", turned), ("conflict", denied), ("different", other_condition), ("different", other_muscle),
        ]  # fmt: skip
        rng.shuffle(options)
        made = 0
        for label, edit in options:
            base = same if rng.random() < 0.6 and same else text
            edited = edit(base, rng)
            if edited is not None and edited != text and made < 2:
                made += 1
                yield text, edited, label, edit.__name__
        if same and same != text and rng.random() < 0.6:
            yield text, same, "agree", "reworded"
    yield from neighbours(index, order, rng)


def neighbours(index: BuiltIndex, order: Sequence[int], rng: random.Random) -> Iterator[Pair]:
    """The nearest other sentence of the same digest: another fact in much the same words."""
    by_source: dict[str, list[int]] = {}
    for row in order:
        by_source.setdefault(index.claims[row].source_id, []).append(row)
    for rows in by_source.values():
        if len(rows) < 2:
            continue
        vectors = np.asarray(index.claim_vectors[rows])
        likeness = vectors @ vectors.T - 2 * np.eye(len(rows), dtype=np.float32)
        for place, row in enumerate(rows):
            other = int(likeness[place].argmax())
            first, second = index.claims[row], index.claims[rows[other]]
            if likeness[place, other] < 0.93 and not _may_repeat(first, second):
                yield first.text, second.text, "different", "same digest"


def _may_repeat(first: Claim, second: Claim) -> bool:
    return first.frame.is_reported != second.frame.is_reported or first.frame.polarity != second.frame.polarity


def reworded(text: str, vocabulary: Vocabulary, rng: random.Random) -> str:
    """The same statement: synonyms of the vocabulary, another order, a reporting opening."""
    out = text
    for match in sorted(vocabulary.find(text), key=lambda m: -m.start):
        names = [name for name in (match.term.name, *match.term.synonyms[:6]) if 3 < len(name) < 40]
        if (
            match.term.kind in ("muscle", "exercise", "condition", "nerve", "action", "bone", "surface", "treatment")
            and rng.random() < 0.5
        ):
            name = rng.choice(names) if names else text[match.start : match.end]
            out = out[: match.start] + name + out[match.end :]
    lead = _LEAD.match(out)
    if lead and rng.random() < 0.7:
        out = f"{lead[3][:1].upper()}{lead[3][1:]}, {lead[1].lower()} {lead[2]}."
    if rng.random() < 0.3:
        opening = rng.choice(
            ("The page states that", "According to one source,", "The authors report that", "It is said that")
        )
        out = f"{opening} {out[:1].lower() if not out[:2].isupper() else out[:1]}{out[1:]}"
    return out[:1].upper() + out[1:]


def moved_number(text: str, rng: random.Random) -> str | None:
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    value = float(match[1])
    moved = value * rng.choice((0.3, 0.5, 0.6, 1.7, 2, 3))
    shown = f"{moved:.0f}" if "." not in match[1] else f"{moved:.1f}"
    return None if shown == match[1] else text[: match.start()] + shown + text[match.end() :]


def turned(text: str, rng: random.Random) -> str | None:
    return _swap(text, [*_TURNS, *((b, a) for a, b in _TURNS)], rng)


def other_condition(text: str, rng: random.Random) -> str | None:
    return _swap(text, list(_APART), rng)


def _swap(text: str, table: Sequence[tuple[str, str]], rng: random.Random) -> str | None:
    fits = [(a, b) for a, b in table if re.search(rf"\b{re.escape(a)}\b", text)]
    if not fits:
        return None
    a, b = rng.choice(fits)
    return re.sub(rf"\b{re.escape(a)}\b", b, text, count=1)


def other_muscle(text: str, rng: random.Random) -> str | None:
    named = [name for name in _MUSCLES if name in text]
    if len(named) != 1:
        return None
    return text.replace(named[0], rng.choice([name for name in _MUSCLES if name != named[0]]))


def denied(text: str, rng: random.Random) -> str | None:
    if re.search(r"\b(?:not|no|never|without|neither)\b", text):
        plain = re.sub(r"\b(?:does not|did not) (\w+)", r"clearly \1s", text, count=1)
        plain = re.sub(r"\b(is|are|was|were|should|can|may) not\b", r"\1", plain, count=1)
        return plain if plain != text else None
    match = _VERBS.search(text)
    if match:
        return f"{text[: match.end()]} not{text[match.end() :]}"
    third = _THIRD.search(text)
    if third is None:
        return None
    verb = third[1]
    base = (
        verb[:-3] + "y"
        if verb.endswith("ies")
        else verb[:-2]
        if verb.endswith(("shes", "sses"))
        else verb[:-1]
        if verb.endswith("s")
        else verb
    )
    auxiliary = "did" if verb.endswith("ed") else "does"
    base = {"reached": "reach", "lowered": "lower", "raised": "raise"}.get(verb, base)
    return f"{text[: third.start()]}{auxiliary} not {base}{text[third.end() :]}"


if __name__ == "__main__":
    main()
