"""Pairs of sentences whose relation follows from what they were made of: templates, terms and values.

Hand-written pairs show a network many meanings, each in few words; what it keeps getting wrong is how a sentence is built:
which of two exercises gave more, which side drops, whether "about a third" is 31 % (docs/decisions/0024). Here the meaning is
known, so that any number of pairs can be labelled: a kind of statement ("x gave more m than y"), terms of the field with
their lay names, and a value are drawn, and two of many templates say the same, the reverse, or the same of something else.

Data: ``training/templates-*.jsonl`` ({"kind", "sign", "text"}) and ``training/terms-*.jsonl`` ({"type", "names"}), written by hand.
What the made sentences claim is often untrue; they are never shown and never enter the corpus.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_AGREE, _CONFLICT, _DIFFERENT = "agree", "conflict", "different"
#: Values at most this far apart are the same; those at least ``_FAR`` apart conflict; between them nobody would be sure.
_NEAR, _FAR = 1.06, 1.4
#: Chance of "In 24 runners, …" before both sentences or one, and of a p value after one that compares.
_PREFIXED, _TESTED = 0.35, 0.15
#: Chance of a time in what may be said of one, and of other terms beside the one that counts.
_DATED, _LISTED = 0.3, 0.3
_TIMES = ("2 weeks", "4 weeks", "8 weeks", "3 months", "6 months", "1 year", "2 years")


@dataclass(frozen=True)
class Kind:
    """A kind of statement: the type of term in each slot ("a|b": either), and how its meanings stand to one another.

    ``mirrored``: the two slots that can change places, and the sign that this turns into another. ``unique``: the slot that has
    one right filling, by sign, so that another one conflicts. ``apart``: signs about different things, which never conflict.
    ``unsure``: pairs of signs that readers would judge differently. ``unit``: the values of slot v, t or n. ``is_timed``: it may be
    said of a time ("at 12 weeks"); ``listed``: the slot that may hold other terms beside its own.
    """

    slots: Mapping[str, str]
    signs: tuple[str, ...]
    mirrored: tuple[str, str] | None = None
    turned: Mapping[str, str] | None = None
    unique: Mapping[str, str] | None = None
    are_apart: bool = False
    alike: tuple[frozenset[str], ...] = ()
    unsure: tuple[frozenset[str], ...] = ()
    unit: str = ""
    is_tested: bool = False
    is_timed: bool = False
    listed: str = ""


_MORE = {"more": "less", "less": "more", "same": "same"}
_XY = ("x", "y")
KINDS: dict[str, Kind] = {
    "compare": Kind(
        {"x": "exercise", "y": "exercise", "m": "measure"}, ("more", "same"), _XY, _MORE, is_tested=True
    ),
    "treat": Kind(
        {"x": "treatment", "y": "treatment", "c": "condition", "o": "outcome"}, ("better", "same"), _XY,
        {"better": "worse", "worse": "better", "same": "same"}, is_tested=True, is_timed=True,
    ),
    "effect": Kind({"x": "treatment|exercise", "m": "measure"}, ("up", "down", "none"), is_tested=True, is_timed=True),
    "link": Kind({"f": "factor", "d": "condition"}, ("risk", "safe", "none"), is_tested=True, listed="f"),
    "value": Kind({"x": "exercise", "m": "measure"}, ("is",), unit="amount"),
    "freq": Kind({"d": "condition", "p": "people"}, ("common", "rare")),
    "share": Kind({"d": "condition", "p": "people"}, ("is",), unit="share"),
    "advise": Kind({"a": "action", "p": "people"}, ("do", "avoid"), listed="a"),
    "timing": Kind(
        {"a": "step", "e": "event"}, ("from", "until", "lasts"), unit="time",
        alike=(frozenset({"from", "until"}),), unsure=(frozenset({"from", "lasts"}), frozenset({"until", "lasts"})),
    ),
    "nerve": Kind({"x": "muscle", "y": "nerve"}, ("nerve",), unique={"nerve": "y"}),
    "artery": Kind({"x": "muscle", "y": "artery"}, ("artery",), unique={"artery": "y"}),
    "attachment": Kind(
        {"x": "muscle", "y": "bone"}, ("origin", "insertion"), are_apart=True, unique={"origin": "y", "insertion": "y"}
    ),
    "layer": Kind(
        {"x": "muscle", "y": "muscle"}, ("over", "beside"), _XY, {"over": "under", "under": "over", "beside": "beside"}
    ),
    "side": Kind({"c": "sign", "m": "happening"}, ("same", "opposite")),
    "accuracy": Kind({"x": "test", "d": "condition"}, ("sens", "spec", "ppv"), are_apart=True, unit="share"),
    "choice": Kind(
        {"x": "test|treatment", "d": "condition"}, ("first", "last", "useless"), unique={"first": "x"},
        unsure=(frozenset({"last", "useless"}),),
    ),
    "preference": Kind({"x": "test|treatment", "y": "test|treatment", "d": "condition"}, ("rather",), _XY, {"rather": "other"}),
    "group": Kind({"x": "people", "y": "people", "d": "condition"}, ("more", "same"), _XY, _MORE, is_tested=True),
    "phase": Kind({"x": "muscle", "t": "phase"}, ("active", "silent")),
    "course": Kind({"c": "condition", "o": "outcome"}, ("takes", "never"), unit="time"),
    "role": Kind(
        {"x": "muscle", "a": "doing"}, ("main", "helps", "none", "against"), unique={"main": "x"},
        unsure=(frozenset({"main", "helps"}), frozenset({"none", "against"})),
    ),
    "cause": Kind({"x": "factor", "y": "condition"}, ("causes", "follows-not")),
    "sample": Kind({"s": "study", "p": "people"}, ("had",), unit="count"),
    "change": Kind({"m": "measure", "x": "exercise|treatment"}, ("up", "down"), unit="share"),
    "dose": Kind({"x": "exercise"}, ("hold", "reps", "often"), are_apart=True, unit="dose"),
    "position": Kind({"x": "exercise", "y": "detail"}, ("with", "without")),
    "plan": Kind({"x": "exercise", "y": "stage"}, ("in", "not")),
    "deficit": Kind({"c": "condition", "m": "measure"}, ("lower", "normal", "higher"), is_tested=True),
    "helps": Kind({"x": "treatment", "c": "condition"}, ("helps", "nothing", "harms"), is_tested=True, is_timed=True),
    "prevents": Kind({"x": "treatment|action", "c": "condition"}, ("prevents", "does-not"), listed="c"),
    "most": Kind(
        {"x": "exercise", "m": "measure"}, ("top", "bottom"), unique={"top": "x", "bottom": "x"}
    ),
    "class": Kind({"x": "exercise", "m": "measure"}, ("high", "moderate", "low")),
    "correlation": Kind(
        {"m": "measure", "o": "measure"}, ("with", "against", "none"), ("m", "o"),
        {"with": "with", "against": "against", "none": "none"}, is_tested=True,
    ),
    "parts": Kind({"x": "muscle"}, ("has",), unit="few"),
    "ranges": Kind({"x": "exercise", "m": "measure"}, ("spans",), unit="span"),
    "side-effect": Kind({"x": "treatment", "d": "condition"}, ("caused", "free")),
}  # fmt: skip
_VALUE_SLOTS = {"v", "t", "n"}


@dataclass(frozen=True)
class Meaning:
    """What a sentence says: its kind and sign, the term in each slot (by its first name), and its value."""

    kind: str
    sign: str
    terms: tuple[tuple[str, str], ...]
    value: float = 0.0
    unit: str = ""
    when: str = ""

    @property
    def slots(self) -> dict[str, str]:
        return dict(self.terms)


def relation(a: Meaning, b: Meaning) -> str | None:
    """How two meanings stand to one another; None where readers would not be of one mind. Symmetric."""
    if a.kind != b.kind:
        return _DIFFERENT
    kind, b = KINDS[a.kind], _turned_to(a, b)
    differing = {slot for slot, term in a.terms if b.slots[slot] != term}
    if a.when and b.when and a.when != b.when:
        return _DIFFERENT
    if kind.are_apart and a.sign != b.sign:
        return _DIFFERENT
    if differing:
        is_rival = a.sign == b.sign and differing == {(kind.unique or {}).get(a.sign)}
        return _CONFLICT if is_rival else _DIFFERENT
    signs = frozenset({a.sign, b.sign})
    if signs in kind.unsure:
        return None
    if len(signs) > 1 and signs not in kind.alike:
        return _CONFLICT
    if a.unit != b.unit:
        return None
    if not a.unit:
        return _AGREE
    far = max(a.value, b.value) / min(a.value, b.value)
    return _AGREE if far <= _NEAR else _CONFLICT if far >= _FAR else None


def _turned_to(a: Meaning, b: Meaning) -> Meaning:
    """``b`` seen from the other end, where that fits the terms of ``a``."""
    kind = KINDS[b.kind]
    if kind.mirrored is None or kind.turned is None:
        return b
    x, y = kind.mirrored
    if (a.slots[x], a.slots[y]) != (b.slots[y], b.slots[x]):
        return b
    terms = {**b.slots, x: b.slots[y], y: b.slots[x]}
    return replace(b, sign=kind.turned[b.sign], terms=tuple(sorted(terms.items())))


@dataclass(frozen=True)
class Words:
    """The templates by kind and sign, and the terms by type."""

    templates: Mapping[tuple[str, str], Sequence[str]]
    terms: Mapping[str, Mapping[str, Sequence[str]]]

    def of(self, type_: str) -> list[str]:
        """The terms of a type, or of all types of an alternative, by their first names."""
        return [name for one in type_.split("|") for name in self.terms.get(one, {})]

    def names(self, type_: str, term: str) -> Sequence[str]:
        return next(self.terms[one][term] for one in type_.split("|") if term in self.terms[one])


def read_words(is_held_out: bool, sets: tuple[int, int] | None = None) -> Words:
    """Every eighth template and term is held out, to see whether what was learned is more than these words.

    Args: sets: read so many files of templates and of terms; all by default.
    """
    most = sets or (99, 99)

    def rows(name: str, count: int) -> Iterator[dict[str, Any]]:
        for number in range(1, count + 1):
            path = ROOT / "training" / f"{name}-{number}.jsonl"
            if not path.is_file():
                return
            for line in path.read_text("utf-8").splitlines():
                row = json.loads(line)
                known = row["text"] if "text" in row else row["names"][0]
                if (zlib.crc32(known.encode()) % 8 == 0) == is_held_out:
                    yield row

    templates: dict[tuple[str, str], list[str]] = {}
    for row in rows("templates", most[0]):
        templates.setdefault((row["kind"], row["sign"]), []).append(row["text"])
    terms: dict[str, dict[str, list[str]]] = {}
    for row in rows("terms", most[1]):
        terms.setdefault(row["type"], {})[row["names"][0]] = row["names"]
    return Words(templates, terms)


def made_pairs(words: Words, count: int, rng: random.Random) -> list[dict[str, Any]]:
    """``count`` pairs {"a", "b", "relation"}, a third of each relation."""
    wanted = (_AGREE, _CONFLICT, _DIFFERENT)
    kinds = [name for name, kind in KINDS.items() if _can_be_said(name, kind, words)]
    found: list[dict[str, Any]] = []
    while len(found) < count:
        first = _drawn(rng.choice(kinds), words, rng)
        second = _changed(first, wanted[len(found) % 3], words, rng)
        if second is None:
            continue
        a, b = _together(first, second, words, rng)
        if a != b:
            found.append({"a": a, "b": b, "relation": wanted[len(found) % 3], "kind": first.kind})
    return found


def _can_be_said(name: str, kind: Kind, words: Words) -> bool:
    has_terms = all(len(words.of(type_)) > 2 for type_ in kind.slots.values())
    return has_terms and all((name, sign) in words.templates for sign in kind.signs)


def _drawn(name: str, words: Words, rng: random.Random) -> Meaning:
    kind = KINDS[name]
    terms: dict[str, str] = {}
    for slot, type_ in kind.slots.items():
        terms[slot] = rng.choice([term for term in words.of(type_) if term not in terms.values()])
    sign = rng.choice([sign for sign in kind.signs if (name, sign) in words.templates])
    value, unit = _drawn_value("times" if sign == "often" else kind.unit, rng)
    when = rng.choice(_TIMES) if kind.is_timed and rng.random() < _DATED else ""
    return Meaning(name, sign, tuple(sorted(terms.items())), value, unit, when)


def _changed(a: Meaning, wanted: str, words: Words, rng: random.Random) -> Meaning | None:
    """Another meaning that stands in the wanted relation to ``a``; None if the draw gave none."""
    kind = KINDS[a.kind]
    b = a
    if wanted == _AGREE:
        b = replace(b, value=a.value * rng.uniform(1 / _NEAR, _NEAR) if kind.unit in ("amount", "count") else a.value)
        if rng.random() < 0.5:
            b = replace(b, sign=rng.choice(kind.signs))
    elif wanted == _CONFLICT:
        way = rng.random()
        if way < 0.6:
            b = replace(b, sign=rng.choice(kind.signs))
        if kind.unit and (b.sign == a.sign or way < 0.2):
            far = a.value * rng.choice((rng.uniform(_FAR, 4), 1 / rng.uniform(_FAR, 4)))
            b = replace(b, value=float(round(far)) if a.unit in _WHOLE else far)
        slot = (kind.unique or {}).get(a.sign)
        if slot and b.sign == a.sign:
            b = _with_other(b, slot, words, rng)
    elif a.when and rng.random() < 0.4:
        b = replace(b, sign=rng.choice(kind.signs), when=rng.choice(_TIMES))
    else:
        for slot in rng.sample(sorted(kind.slots), rng.choice((1, 1, 1, min(2, len(kind.slots))))):
            b = _with_other(b, slot, words, rng)
        if rng.random() < 0.5:
            b = replace(b, sign=rng.choice(kind.signs))
        if kind.unit and rng.random() < 0.5:
            b = replace(b, value=_drawn_value(a.unit, rng)[0])
    if kind.mirrored and kind.turned and rng.random() < 0.5:
        x, y = kind.mirrored
        terms = {**b.slots, x: b.slots[y], y: b.slots[x]}
        sign = kind.turned.get(b.sign, "") if wanted == _AGREE else b.sign
        b = replace(b, terms=tuple(sorted(terms.items())), sign=sign)
    if not _is_sayable(b) or relation(a, b) != wanted:
        return None
    return b


def _is_sayable(meaning: Meaning) -> bool:
    """Whether there are words for a meaning: no share above all, no eight times a week, no dose of nothing."""
    least, most = (1, 7) if meaning.unit == "times" else (1, 10_000) if meaning.unit in _WHOLE else (0, 10_000)
    is_counted = not meaning.unit or least <= meaning.value <= (0.97 if meaning.unit == "share" else most)
    return is_counted and meaning.sign in KINDS[meaning.kind].signs


def _with_other(meaning: Meaning, slot: str, words: Words, rng: random.Random) -> Meaning:
    taken = set(meaning.slots.values())
    other = rng.choice([term for term in words.of(KINDS[meaning.kind].slots[slot]) if term not in taken])
    return replace(meaning, terms=tuple(sorted({**meaning.slots, slot: other}.items())))


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────
_FRACTIONS = {
    0.1: "a tenth", 0.2: "a fifth", 0.25: "a quarter", 1 / 3: "a third", 0.4: "two fifths", 0.5: "half", 0.6: "three fifths",
    2 / 3: "two thirds", 0.75: "three quarters", 0.8: "four fifths", 0.9: "nine tenths",
}  # fmt: skip
#: Values that are said as whole numbers.
_WHOLE = ("count", "dose", "few", "times")
_UNITS = ("%MVIC", "degrees", "N", "kg", "cm", "points", "Nm")
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _drawn_value(unit: str, rng: random.Random) -> tuple[float, str]:
    """A value, and what it counts: "share", "time" (days), "count", "dose …", or a unit of measure."""
    if unit == "share":
        return rng.uniform(0.05, 0.95), unit
    if unit == "time":
        return float(rng.choice((7, 14, 21, 28, 42, 56, 70, 84, 112, 140, 180, 270, 365))), unit
    if unit == "count":
        return float(rng.randint(8, 900)), unit
    if unit == "dose":
        return float(rng.choice((2, 3, 5, 6, 8, 10, 12, 15, 20, 30, 45, 60))), unit
    if unit == "few":
        return float(rng.randint(2, 6)), unit
    if unit == "times":
        return float(rng.randint(1, 7)), unit
    if unit == "span":
        return rng.uniform(4, 90), f"span {rng.choice(_UNITS)}"
    if unit.startswith("span "):
        return rng.uniform(4, 90), unit
    if unit == "amount":
        return rng.uniform(4, 120), rng.choice(_UNITS)
    if unit in _UNITS:
        return rng.uniform(4, 120), unit
    return 0.0, ""


def _said_value(meaning: Meaning, rng: random.Random) -> str:
    value, unit = meaning.value, meaning.unit
    if unit == "share":
        return _said_share(value, rng)
    if unit == "time":
        return _said_time(value, rng)
    if unit == "count":
        return _said_count(value, rng)
    if unit in ("dose", "times"):
        return _said_dose(meaning.sign, round(value), rng)
    if unit == "few":
        return _in_words(value)
    if unit.startswith("span "):
        return f"{value * 0.9:.0f}–{value * 1.1:.0f} {unit[5:]}"
    number = f"{value:.1f}" if rng.random() < 0.3 else f"{value:.0f}"
    about = rng.choice(("", "", "", "about ", "around ", "some "))
    return f"{about}{number} {unit if unit != 'degrees' else rng.choice(('degrees', '°'))}".replace(" °", "°")


def _said_share(value: float, rng: random.Random) -> str:
    near = min(_FRACTIONS, key=lambda share: abs(share - value))
    if abs(near - value) <= 0.03 * max(near, 0.3) and rng.random() < 0.5:
        about = "" if abs(near - value) < 0.004 else rng.choice(("about ", "roughly ", "around "))
        return about + _FRACTIONS[near]
    percent = 100 * value
    return rng.choice((f"{percent:.0f} %", f"{percent:.0f}%", f"{percent:.1f} %", f"{percent:.0f} per cent"))


def _said_time(days: float, rng: random.Random) -> str:
    weeks, months = days / 7, days / 30.4
    is_whole = abs(weeks - round(weeks)) < 0.06 * weeks
    forms = [f"{weeks:.0f} weeks", f"{_in_words(weeks)} weeks"] if is_whole else []
    if days <= 28 or not is_whole:
        forms.append(f"{days:.0f} days")
    if abs(months - round(months)) < 0.12 and months > 0.9:
        forms += [f"{months:.0f} months", f"about {_in_words(months)} months"]
    if abs(days - 365) < 10:
        forms = ["a year", "12 months", "about one year"]
    said = rng.choice(forms)
    for plural in ("weeks", "months"):
        for one in ("1", "one"):
            said = f"{one} {plural[:-1]}" if said == f"{one} {plural}" else said
    return said.replace("about one months", "about a month")


def _in_words(number: float) -> str:
    whole = round(number)
    return _NUMBERS[whole] if whole < len(_NUMBERS) else str(whole)


def _said_count(value: float, rng: random.Random) -> str:
    whole = round(value)
    if whole > 60 and rng.random() < 0.3:
        return f"about {round(whole, -1)}"
    return _NUMBERS[whole] if whole < len(_NUMBERS) and rng.random() < 0.5 else str(whole)


def _said_dose(sign: str, value: int, rng: random.Random) -> str:
    if sign == "hold":
        return rng.choice((f"{value} s", f"{value} seconds", f"{_in_words(value)} seconds"))
    if sign == "often":
        return {1: "once a week", 2: "twice a week", 7: "daily"}.get(value, f"{_in_words(value)} times a week")
    return rng.choice((f"{value} repetitions", f"{value} reps", f"{_in_words(value)} repetitions"))


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _together(a: Meaning, b: Meaning, words: Words, rng: random.Random) -> tuple[str, str]:
    """Both meanings as sentences; a group of people may stand before one or both, the same one."""
    taken = {*a.slots.values(), *b.slots.values()}
    said = []
    for meaning in (a, b):
        beside = _beside(meaning, taken, words, rng)
        taken |= set(beside)
        said.append(_said(meaning, beside, words, rng))
    if "p" not in KINDS[a.kind].slots and "people" not in KINDS[a.kind].slots.values() and rng.random() < _PREFIXED:
        names = words.terms["people"][rng.choice(words.of("people"))]
        before = [rng.random() < 0.75, rng.random() < 0.6]
        said = [_prefixed(text, names, rng) if is_told else text for text, is_told in zip(said, before, strict=True)]
    one, other = said
    return (one, other) if rng.random() < 0.5 else (other, one)


def _prefixed(text: str, names: Sequence[str], rng: random.Random) -> str:
    number = f"{rng.randint(8, 240)} " if rng.random() < 0.6 else ""
    is_name = text[1:2].isupper() or not text[:1].isalpha()
    body = text if is_name else text[:1].lower() + text[1:]
    return f"In {number}{rng.choice(names)}, {body}"


def _name(names: Sequence[str], rng: random.Random) -> str:
    """One of the names of a term, half the time the first, which is the professional one."""
    return names[0] if rng.random() < 0.5 else rng.choice(names)


def _beside(meaning: Meaning, taken: set[str], words: Words, rng: random.Random) -> list[str]:
    """Terms that stand in a list with the one that counts; neither sentence of a pair is about them."""
    kind = KINDS[meaning.kind]
    if not kind.listed or rng.random() > _LISTED:
        return []
    free = [term for term in words.of(kind.slots[kind.listed]) if term not in taken]
    return rng.sample(free, min(len(free), rng.choice((1, 1, 2))))


def _listed(names: list[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def _said(meaning: Meaning, beside: Sequence[str], words: Words, rng: random.Random) -> str:
    kind = KINDS[meaning.kind]
    text = rng.choice(words.templates[meaning.kind, meaning.sign])
    filled = {slot: _name(words.names(kind.slots[slot], term), rng) for slot, term in meaning.terms}
    if beside:
        type_ = kind.slots[kind.listed]
        names = [filled[kind.listed], *(_name(words.names(type_, term), rng) for term in beside)]
        rng.shuffle(names)
        filled[kind.listed] = _listed(names, "or" if meaning.sign in ("none", "does-not") else "and")
    if meaning.unit:
        filled |= dict.fromkeys(_VALUE_SLOTS - set(kind.slots), _said_value(meaning, rng))
    for slot, term in filled.items():
        text = text.replace(f"{{{slot}}}", term)
    if kind.is_tested and text.endswith(".") and rng.random() < _TESTED:
        is_null = meaning.sign in ("same", "none")
        text = f"{text[:-1]} ({'p > 0.05' if is_null else rng.choice(('p < 0.05', 'p = 0.01', 'p < .001'))})."
    if meaning.when and text.endswith(".") and rng.random() < 0.8:
        text = f"{text[:-1]} {rng.choice(('at', 'after'))} {meaning.when}."
    elif meaning.when:
        text = f"At {meaning.when}: {text}"
    return text[:1].upper() + text[1:]
