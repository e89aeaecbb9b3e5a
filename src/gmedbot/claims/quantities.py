"""Numbers with their units, spreads, ranges and roles, read exactly from a sentence; spinal roots and their ranges.

A number is only comparable when it is known what it counts. So every quantity gets a unit and a role: the value that
the sentence states, or the sample size, spread, confidence interval, p value, time point, joint angle or load that
only says under which condition the value holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gmedbot.types import Quantity

__all__ = ["NUMBER", "find_quantities", "find_roots", "numbers_in", "quantity_distance", "same_amount", "scaled"]

#: A number as written.
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of a text as written, in order ("L4–S1" gives 4 and 1)."""
    return tuple(NUMBER.findall(text))


_WORD_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "half": 0.5, "twice": 2, "eightfold": 8,
    "double": 2,
}  # fmt: skip
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_UNITS: tuple[tuple[str, str], ...] = (
    (r"%\s?(?:of\s)?(?:MVICs?|MVCs?|EMGmax|max(?:imum|imal)?\s(?:voluntary\s)?(?:isometric\s)?contractions?)|"
     r"per\s?cent\s(?:of\s)?(?:MVICs?|MVCs?|maximum\svoluntary\s(?:isometric\s)?contractions?)|"
     r"%\s?of\s(?:a\s|the\s|its\s|their\s)?(?:maxim(?:um|al)\svoluntary\s(?:isometric\s)?contractions?|MVIC|MVC)", "%MVIC"),
    (r"%\s?(?:of\s)?(?:the\s)?(?:body\s?(?:mass|weight)|BW|BM)\b", "%BW"),
    (r"%|per\s?cent\b|percent\b", "%"),
    (r"°|degrees?\b|deg\b|º", "°"),
    (r"N\s?[·.*]?\s?m\s?/\s?kg\b|Nm\s?per\s?kg\b|newton[\s-]?met(?:re|er)s?\sper\skilo(?:gram)?\b", "Nm/kg"),
    (r"N\s?[·.*]?\s?m\b|newton[\s-]?met(?:re|er)s?\b", "Nm"),
    (r"N\s?/\s?kg\b", "N/kg"),
    (r"mm(?:²|2\b)|square\smillimet(?:re|er)s?\b", "mm²"),
    (r"cm(?:²|2\b)|square\scentimet(?:re|er)s?\b", "cm²"),
    (r"cm(?:³|3\b)|cubic\scentimet(?:re|er)s?\b|ml\b|mL\b|millilit(?:re|er)s?\b", "cm³"),
    (r"mm\b|millimet(?:re|er)s?\b", "mm"),
    (r"cm\b|centimet(?:re|er)s?\b", "cm"),
    (r"kg\b|kilogram(?:me)?s?\b|kilos?\b", "kg"),
    (r"mg\b|milligrams?\b", "mg"),
    (r"g\b|grams?\b", "g"),
    (r"times\s(?:the\s)?body\s?weight\b|(?:×|x)\s?(?:body\s?weight|BW)\b|BW\b|body\s?weights?\b", "×BW"),
    (r"newtons?\b|N\b", "N"),
    (r"in\b(?=[\s.,;)])(?!\s(?:the|a|an|\d|all|both|women|men|people|patients|healthy|adults))|inch(?:es)?\b", "in"),
    (r"seconds?\b|secs?\b|s\b", "s"),
    (r"minutes?\b|mins?\b", "min"),
    (r"hours?\b|hrs?\b", "h"),
    (r"days?\b", "day"),
    (r"weeks?\b|wks?\b", "week"),
    (r"months?\b", "month"),
    (r"years?\b|yrs?\b", "year"),
    (r"reps?\b|repetitions?\b", "rep"),
    (r"sets?\b|series\b", "set"),
    (r"sessions?\b", "session"),
    (r"(?:×|x\b)\s?(?:a|per)\s?(?:day|week)\b|times\s(?:a|per|each)\s(?:day|week)\b", "per-period"),
    (r"-?\s?fold\b|times\b|×", "×"),
)  # fmt: skip
_UNIT = "|".join(f"(?P<u{i}>{pattern})" for i, (pattern, _) in enumerate(_UNITS))
_UNIT_SIMPLE = r"%|°|mm|cm"
_QUANTITY = re.compile(
    rf"(?P<approx>(?:about|around|approximately|roughly|nearly|almost|some|circa|ca\.|~|≈)\s*)?"
    rf"(?P<cmp>(?:<|>|≤|≥|under|below|less\sthan|fewer\sthan|over|above|more\sthan|at\sleast|up\sto|at\smost)\s*)?"
    rf"(?<![\w.,])(?P<low>[-−]?{_NUMBER}|\b(?:{'|'.join(_WORD_NUMBERS)})\b)"
    rf"(?:(?:\s?(?:{_UNIT_SIMPLE})?\s?(?:–|—|-|\bto\b|\band\b(?=\s?{_NUMBER}\s?(?:%|°|mm|cm|weeks|months|degrees)))\s?)"
    rf"(?P<high>{_NUMBER})(?![\d.]*\d))?"
    rf"(?:[\s-]?(?:{_UNIT}))?"
)
_SD = re.compile(
    rf"[\s,;(]*(?:SD\s?[=:]?\s?|±\s?|\+/-\s?|standard\sdeviation\s(?:of\s)?)(?P<sd>{_NUMBER})", re.IGNORECASE
)
_PEOPLE = (
    r"(?:\w+[\s-]+){0,6}?(?:adults?|participants?|people|persons?|patients?|subjects?|women|men|females?|males?|runners?|"
    r"athletes?|players?|cadavers?|hips?|hemipelv\w+|limbs?|specimens?|volunteers?|students?|individuals?|cases?|"
    r"legs?|studies|trials|muscles|nurses|children|dancers|swimmers|cyclists|footballers|officers|recruits|sides|knees)\b"
)
_N_BEFORE = re.compile(
    r"(?:\bn\s?=\s?|\b(?:in|of|among|from|with|across|for)\s(?:all\s|the\s|these\s)?)$", re.IGNORECASE
)
_N_AFTER = re.compile(rf"\s{_PEOPLE}", re.IGNORECASE)
_CI = re.compile(
    r"(?:\bCI|confidence\sinterval|interquartile\srange|\bIQR)\s?(?:of\s|was\s|[=:]\s?|,\s?)?$", re.IGNORECASE
)
_P = re.compile(r"\bp\s?(?:value\s?)?(?:=|<|>|≤|of)?\s?$", re.IGNORECASE)
_TIME = re.compile(
    r"\b(?:at|after|by|within|until|over|for|in\sthe\sfirst|week|month|following|from|post\w*|during|past|last|between)\s"
    r"(?:the\s(?:first|last)\s)?(?:about\s|around\s)?$",
    re.IGNORECASE,
)
_TIME_UNITS = {"s", "min", "h", "day", "week", "month", "year"}
_MEASURES: tuple[tuple[str, str], ...] = (
    (r"sensitiv\w+", "sensitivity"), (r"specificit\w+", "specificity"),
    (r"positive\spredictive\svalue|\bPPV\b", "positive predictive value"),
    (r"negative\spredictive\svalue|\bNPV\b", "negative predictive value"),
    (r"positive\slikelihood\sratio|\bLR\+", "positive likelihood ratio"),
    (r"negative\slikelihood\sratio|\bLR[-−–]", "negative likelihood ratio"),
    (r"hazard\sratio|\bHR\b", "hazard ratio"), (r"odds\sratio|\b(?-i:OR)\b", "odds ratio"),
    (r"(?:relative\srisk|risk\sratio|\bRR\b)", "risk ratio"), (r"prevalence\s(?:rate\s)?ratio|\bPRR\b", "prevalence ratio"),
    (r"risk\sdifference|\bRD\b", "risk difference"), (r"number\sneeded\sto\streat|\bNNT\b", "number needed to treat"),
    (r"physiological\scross[\s-]section\w*(?:\sarea)?|\bPCSA\b", "cross-sectional area"), (r"volume", "volume"),
    (r"thickness|thick\b", "thickness"), (r"\bfootprint\b|\barea\b", "area"), (r"\blength\b|\blong\b", "length"),
    (r"\b(?<!body\s)mass\b|\bweigh(?:s|ed|ing)\b", "mass"), (r"\bwidth\b|\bwide\b", "width"), (r"moment\sarm|lever\w*", "moment arm"),
    (r"prevalen\w+", "prevalence"), (r"inciden\w+", "incidence"), (r"\bkappa\b|κ|reliabilit\w+|\bICC\b", "reliability"),
    (r"accuracy", "accuracy"), (r"fail\w*", "failure"), (r"complication\w*", "complications"),
    (r"success\w*|recover\w*|improve\w*|better", "success"), (r"pain\b", "pain"), (r"\bage[ds]?\b", "age"),
    (r"ratio", "ratio"), (r"effect\ssize|\bSMD\b|Cohen\w*", "effect size"), (r"\bscore\w*", "score"),
)  # fmt: skip
_MEASURE_RES = tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in _MEASURES)
_ROOT = r"[LS][1-5]"
_ROOT_RANGE = re.compile(
    rf"\b(?P<a>{_ROOT})\s?(?:–|—|-|−|to|through|until)\s?(?P<b>{_ROOT}|[1-5](?!\d))\b", re.IGNORECASE
)
_ROOT_ONE = re.compile(rf"\b{_ROOT}\b", re.IGNORECASE)
_LEVELS = ("L1", "L2", "L3", "L4", "L5", "S1", "S2", "S3", "S4", "S5")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_ROOT_WORDS = re.compile(
    rf"\b(?P<list>(?:{'|'.join(_ORDINALS)})(?:(?:,\s|\sand\s|,\sand\s|\sto\s)(?:{'|'.join(_ORDINALS)}))*)\s(?P<part>lumbar|sacral)\b",
    re.IGNORECASE,
)


def find_roots(text: str) -> frozenset[str]:
    """Spinal roots as levels: "L4–S1" is L4, L5 and S1; "fifth lumbar and first sacral" is L5 and S1."""
    found: set[str] = set()
    for match in _ROOT_RANGE.finditer(text):
        first = match["a"].upper()
        last = match["b"].upper()
        last = first[0] + last if len(last) == 1 else last
        if first in _LEVELS and last in _LEVELS and _LEVELS.index(first) <= _LEVELS.index(last):
            found.update(_LEVELS[_LEVELS.index(first) : _LEVELS.index(last) + 1])
    for match in _ROOT_ONE.finditer(text):
        found.add(match.group().upper())
    for match in _ROOT_WORDS.finditer(text):
        letter = "L" if match["part"].lower() == "lumbar" else "S"
        numbers = [_ORDINALS[word] for word in re.findall(r"[a-z]+", match["list"].lower()) if word in _ORDINALS]
        if " to " in match["list"].lower() and len(numbers) == 2:
            numbers = list(range(numbers[0], numbers[1] + 1))
        found.update(f"{letter}{number}" for number in numbers)
    return frozenset(found)


def find_quantities(text: str) -> tuple[Quantity, ...]:
    """Every number of a sentence with its unit and role, in order. Spinal levels and study years are left out."""
    return tuple(_scan(text))


def _scan(text: str) -> Iterator[Quantity]:
    taken = [match.span() for match in _ROOT_RANGE.finditer(text)] + [m.span() for m in _ROOT_ONE.finditer(text)]
    place = 0
    while (match := _QUANTITY.search(text, place)) is not None:
        place = match.end()
        if any(start < match.end("low") and match.start("low") < end for start, end in taken):
            continue
        unit = next((_UNITS[i][1] for i in range(len(_UNITS)) if match[f"u{i}"]), "")
        low = _value(match["low"])
        high = _value(match["high"]) if match["high"] else low
        if match["low"].isalpha() and not unit:
            continue
        spread = _SD.match(text, match.end())
        sd = _value(spread["sd"]) if spread else None
        if spread:
            place = spread.end()
        if not unit and spread:
            after = re.match(rf"\s?\)?\s?(?:{_UNIT})", text[spread.end() :])
            if after:
                unit = next(_UNITS[i][1] for i in range(len(_UNITS)) if after[f"u{i}"])
                place = spread.end() + after.end()
        comparator = _comparator(match)
        kind = _kind(text, match, unit)
        if high < low:
            low, high = high, low
        yield Quantity(low, high, unit, kind, _measure(text, match.start("low"), place), sd, comparator,
                       match.start("low"), place)  # fmt: skip


def _value(text: str) -> float:
    word = text.lower()
    if word in _WORD_NUMBERS:
        return float(_WORD_NUMBERS[word])
    return float(text.replace(",", "").replace("−", "-"))


def _comparator(match: re.Match[str]) -> str:
    words = (match["cmp"] or "").strip().lower()
    if words in ("<", "≤", "under", "below", "less than", "fewer than", "up to", "at most"):
        return "<"
    if words in (">", "≥", "over", "above", "more than", "at least"):
        return ">"
    return "~" if match["approx"] else ""


def _kind(text: str, match: re.Match[str], unit: str) -> str:
    before, after = text[: match.start("low")], text[match.end() :]
    lead = before[: match.start("cmp") - match.start("low") or None] if match["cmp"] else before
    if _P.search(before) or (match["cmp"] and _P.search(text[: match.start("cmp")])):
        return "p"
    if _CI.search(lead) or _CI.search(before):
        return "ci"
    if not unit and re.search(r"\bn\s?=\s?$", before):
        return "n"
    if not unit and _N_AFTER.match(after):
        return "n"
    if not unit and match["low"].isdigit() and 1900 <= int(match["low"]) <= 2100:
        return "year"
    if unit == "°":
        return "angle"
    if unit == "%" and re.match(r"\s?(?:CI\b|confidence)", after):
        return "ci"
    if not unit and re.search(r"\b(?:weeks?|months?|days?|years?|phase|level|stage|grade)\s$", before, re.IGNORECASE):
        return "time"
    if unit in ("s", "min") and re.search(r"\b(?:for|of|hold\w*)\s(?:about\s)?$", before):
        return "value"
    if unit in _TIME_UNITS and _TIME.search(before):
        return "time"
    if unit in ("week", "month", "year") and re.match(
        r"\s?(?:follow|later|after|post|of\sfollow|programme|program|old|of\sage)", after
    ):
        return "time"
    if unit in ("%BW", "kg") and re.search(
        r"(?:load|weight|with|cuff|ankle|at|of|holding)\s(?:of\s)?(?:a\s)?$", before
    ):
        return "load"
    if not unit and re.match(r"-?\s?RM\b", after):
        return "load"
    return "value"


def _measure(text: str, start: int, end: int) -> str:
    """The nearest word within the clause that says what the number measures; before it is nearer than after."""
    left = max(text.rfind(mark, 0, start) for mark in (";", ". ", ":"))
    best, distance = "", 1000
    for pattern, name in _MEASURE_RES:
        for match in pattern.finditer(text):
            if match.end() <= start and match.start() > left:
                gap = start - match.end()
            elif match.start() >= end:
                gap = (match.start() - end) + 12
            else:
                continue
            if gap < distance and gap < 70:
                best, distance = name, gap
    return best


_IN_WEEKS = {"day": 1 / 7, "week": 1.0, "month": 52 / 12, "year": 52.0}
_IN_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_IN_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4}


def scaled(quantity: Quantity) -> tuple[float, float, str]:
    for table, name in ((_IN_WEEKS, "week"), (_IN_SECONDS, "s"), (_IN_MM, "mm")):
        if quantity.unit in table:
            factor = table[quantity.unit]
            return quantity.low * factor, quantity.high * factor, name
    if quantity.unit == "cm²":
        return quantity.low * 100, quantity.high * 100, "mm²"
    return quantity.low, quantity.high, quantity.unit


def same_amount(p: Quantity, q: Quantity, tolerance: float = 0.05) -> bool:
    """Equal after rounding, or overlapping ranges. 82 and 83 % are the same; 81 and 39 are not."""
    low_p, high_p, unit_p = scaled(p)
    low_q, high_q, unit_q = scaled(q)
    if unit_p != unit_q:
        return False
    if "<" in (p.comparator, q.comparator) or ">" in (p.comparator, q.comparator):
        return _bounded(p, q)
    slack = tolerance * max(abs(high_p), abs(high_q))
    if "~" in (p.comparator, q.comparator):
        slack *= 3
    if unit_p in ("%", "%MVIC", "°"):
        slack = max(slack, 1.0)
    return low_p <= high_q + slack and low_q <= high_p + slack


def _bounded(p: Quantity, q: Quantity) -> bool:
    if p.comparator in "<>" and p.comparator == q.comparator:
        return abs(scaled(p)[0] - scaled(q)[0]) <= 0.05 * max(abs(scaled(p)[0]), abs(scaled(q)[0]))
    bound, other = (p, q) if p.comparator in ("<", ">") else (q, p)
    limit = scaled(bound)[0]
    low, high, _ = scaled(other)
    if other.comparator in ("<", ">"):
        return True
    return low <= limit * 1.02 if bound.comparator == "<" else high >= limit * 0.98


def quantity_distance(p: Quantity, q: Quantity) -> float | None:
    """How far two amounts lie apart: 0 to 1 is the same within rounding, more is more; None if not comparable."""
    low_p, high_p, unit_p = scaled(p)
    low_q, high_q, unit_q = scaled(q)
    if unit_p != unit_q and "" not in (unit_p, unit_q):
        return None
    if p.measure and q.measure and p.measure != q.measure:
        return None
    if unit_p == unit_q and same_amount(p, q):
        return 0.0
    gap = max(low_p - high_q, low_q - high_p, 0.0)
    size = max(abs(high_p), abs(high_q), 1e-9)
    slack = max(0.05 * size, 1.0 if unit_p in ("%", "%MVIC", "°") else 0.0)
    distance = gap / max(slack, 1e-9)
    return distance if distance > 1.0 else (0.0 if unit_p == unit_q or not gap else 1.0)
