"""What makes a sentence of a digest fit to be quoted alone: rules over one sentence, no files.

The bot quotes single sentences. One that begins with "They" or leaves its number without a unit reads well in its
paragraph and misleads in an answer, so the rules look at each sentence as a learner will meet it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gmedbot.claims.quantities import find_quantities
from gmedbot.claims.vocabulary import Vocabulary

__all__ = ["MAX_WORDS", "check_sentence"]

#: Above this a learner reads twice and a quote fills the screen; the digests' own rule asks for 30.
MAX_WORDS = 45
_PRONOUN = re.compile(
    r"(?:it|its|they|them|their|theirs|he|she|his|her|we|our|you|your|i|this|that|these|those|such|both|here|"
    r"the (?:latter|former|same|above)|as above|likewise|also|moreover|furthermore|however|therefore)\b(?!-)",
    re.IGNORECASE,
)
#: "This muscle …" points back just as "It …" does; "Both legs …" and "Such people …" name their noun.
_NAMED_AFTER = re.compile(r"(?:both|such|her|his|your|our)\s+[a-z-]{3,}", re.IGNORECASE)
_BACK = re.compile(
    r"\b(?:the same (?:study|authors?|page|trial|paper|sample|cohort)|as (?:described|stated|noted|mentioned) (?:above|earlier)|"
    r"see above|the (?:former|latter))\b",
    re.IGNORECASE,
)
_VERB_FIRST = re.compile(
    r"(?:Is|Are|Was|Were|Has|Have|Had|Does|Did|Can|May|Might|Will|Would|Should|Must|Abducts|Adducts|Flexes|Extends|"
    r"Rotates|Stabilises|Stabilizes|Originates|Arises|Inserts|Attaches|Lies|Runs|Supplies|Receives|Causes|Helps|Shows|"
    r"Showed|Reaches|Increases|Reduces|Improves|Activates|Occurs|Affects|Contains|Acts|Prevents|Pulls|Covers|Works|"
    r"Allows|Gives|Gave|Keeps|Begins|Ends|Passes|Needs|"
    r"(?:Supplied|Innervated|Performed|Located|Covered|Reached|Found|Measured|Done|Used|Caused) (?:by|in|at|with|from|to|on))\b"
)
_SPECIFIC = frozenset(
    [
        "muscle",
        "muscle-part",
        "bone",
        "surface",
        "joint",
        "nerve",
        "root",
        "artery",
        "vein",
        "bursa",
        "tendon",
        "fascia",
        "ligament",
        "action",
        "condition",
        "symptom",
        "sign",
        "test",
        "imaging",
        "treatment",
        "drug",
        "surgery",
        "exercise",
        "gait-phase",
        "population",
        "sport",
    ]
)
#: Words that say what a bare number is: a score has no unit, a ratio neither.
_MEASURE = re.compile(
    r"\b(?:scores?|scales?|points?|ratios?|index|indices|indexes|coefficients?|correlat\w+|kappa|ICCs?|AUC|area under|CV|effect|SMD|"
    r"difference|grades?|stages?|types?|levels?|ages?d?|kg/m|times|rank\w*|numbers?|counts?|VAS|NRS|VISA|HOOS|Harris|Oswestry|"
    r"questionnaire|rating|factor|likelihood|odds|relative risk|hazard|BMI|body mass|year|repetitions?|reps|sets?|signals?|"
    r"density|densities|power|codes?|TA2|TA98|FMA|pages?|chapters?|p\s?[=<>]|r\s?=|of \d+|out of|to 1\b|in \d+|from \d)\b",
    re.IGNORECASE,
)
_HANGING = re.compile(
    r"\s*(?:$|[.;,)](?!\d)|(?:in|at|after|before|and|by|with|for|on|than|when|during|against|versus|vs)\b)"
)
_STATED = re.compile(
    r"\b(?:reach(?:es|ed)?|was|were|is|are|averaged?|averages|measured?|measures|to|of|about|gave|gives|had|at)\s+(?:about\s+|only\s+|a mean of\s+)?$"
)


def check_sentence(text: str, vocabulary: Vocabulary | None) -> Iterator[tuple[str, str, bool]]:
    """What is wrong with one sentence of a digest, as (rule, message, is_error).

    Args: vocabulary: None skips the rule that needs to know the words of the field.
    """
    words = text.split()
    shown = text if len(words) <= 12 else " ".join(words[:12]) + " …"
    if len(words) > MAX_WORDS:
        yield "long-sentence", f"{len(words)} words (at most {MAX_WORDS}): {shown}", False
    start = _PRONOUN.match(text)
    if start is not None and not _NAMED_AFTER.match(text):
        yield "not-self-contained", f'begins with "{start.group()}", which points back: {shown}', True
    back = _BACK.search(text)
    if back is not None and start is None:
        yield "not-self-contained", f'"{back.group()}" points back: {shown}', True
    if start is None:
        yield from _subject(text, shown, vocabulary)
    if text[-1:] not in ".!?:" and text[-2:] not in (".)", '."', ".”"):
        yield "no-full-stop", f"does not end with a full stop: {shown}", False
    for number in _bare_numbers(text):
        yield "no-unit", f"{number} has no unit and nothing that says what it counts: {shown}", False


def _subject(text: str, shown: str, vocabulary: Vocabulary | None) -> Iterator[tuple[str, str, bool]]:
    verb = _VERB_FIRST.match(text)
    if verb is not None and not text.endswith("?"):
        yield "no-subject", f'begins with the verb "{verb.group()}": {shown}', True
    elif text[:1].islower() and not re.match(r"[a-z]-|p\s?[=<]|[a-z]+[A-Z]", text):
        yield "no-subject", f"begins in the middle of a sentence: {shown}", False
    elif vocabulary is not None and not any(match.term.kind in _SPECIFIC for match in vocabulary.find(text)):
        yield "no-subject", f"names nothing that the vocabulary knows: {shown}", False


def _bare_numbers(text: str) -> Iterator[str]:
    """Numbers stated as a result with neither a unit nor a word that says what they are."""
    if _MEASURE.search(text):
        return
    for quantity in find_quantities(text):
        if quantity.unit or quantity.kind != "value" or quantity.measure:
            continue
        if re.match(r"\s*(?:and|or|to|,|–)\s*\d", text[quantity.end :]):
            continue  # "1 and 5 km/h": the unit stands after the last
        if _HANGING.match(text, quantity.end) and _STATED.search(text[: quantity.start]):
            yield text[quantity.start : quantity.end]
