"""Several questions in one message → each of them, so that none is lost in the answer to another.

"What does it do, and how do I train it?" holds two questions; "what happens if I sit and stretch?" holds one. A message
is cut only where what stands on both sides of the cut reads as a question of its own.
"""

from __future__ import annotations

import re

__all__ = ["is_order", "is_question", "pieces_of", "split_questions"]

_MOST = 3
_MOST_PIECES = 4
_LEAST_WORDS = 3
_WH = r"what(?:'s)?|which|how|why|where|when|who|whose"
_AUXILIARY = r"is|are|was|were|do|does|did|can|could|should|will|would|has|have|may|must|isn't|aren't|don't|doesn't"
_ASKS = re.compile(
    rf"^(?:(?:and|but|so|also|then|please|ok(?:ay)?|hi|hello)[\s,]+)*(?:{_WH}|{_AUXILIARY})\b", re.IGNORECASE
)
_ORDERS = re.compile(
    r"^(?:(?:and|also|then|please)[\s,]+)*(?:tell|explain|describe|list|name|give|show|compare)\b", re.IGNORECASE
)
#: Where a second question may begin within a sentence. A bare auxiliary after "and" needs its subject to count, because
#: "stretch and do squats" is no question.
_JOINT = re.compile(
    rf"[,;]?\s+(?:and|but|plus|also|,)\s+(?:also\s+|then\s+)?(?=(?:{_WH})\b(?!\s*(?:$|[?.,!]))"
    rf"|(?:{_AUXILIARY})\s+(?:i|you|we|it|they|this|that|these|those|he|she|there|the|my|your|a|an)\b)",
    re.IGNORECASE,
)
_GIVEN = re.compile(r"^(?:and\s+)?(?:since|because|as|if|when|given that)\b[^,?]*,\s*(?:then\s+|so\s+)?", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=\?)[\s\"')]*\s+(?=\S)")


#: Between what may be asked apart: ends of sentences, plus signs, and "and" before what begins a question of its own.
_PIECE = re.compile(
    rf"(?<=[.?!;])\s+|\s*[;+]\s+|,?\s+(?:and|plus|also)\s+(?=(?:{_WH}|{_AUXILIARY}|any|if)\b)|\s+-\s+", re.IGNORECASE
)


def split_questions(text: str) -> tuple[str, ...]:
    """The questions of a message in order, two or three; one, the text itself, if it holds no more or too many.

    What is told before a question ("I run a lot. …") stays with it.
    """
    whole = " ".join(text.split())
    parts: list[str] = []
    for sentence in _SENTENCE.split(whole):
        parts += _clauses(sentence)
    if not 2 <= len(parts) <= _MOST or not all(is_question(part) for part in parts):
        return (whole,)
    return tuple(_tidy(part) for part in parts)


def pieces_of(text: str) -> tuple[str, ...]:
    """The sentences and clauses of a message that could each be asked, however they are put; () if there is but one.

    For a message that found no answer as a whole: "root levels + what its injury looks like. Any reason for another site?"
    """
    pieces = [piece.strip(" ,.?!") for piece in _PIECE.split(" ".join(text.split()))]
    pieces = [piece for piece in pieces if len(piece.split()) >= _LEAST_WORDS]
    return tuple(f"{piece[:1].upper()}{piece[1:]}?" for piece in pieces) if 2 <= len(pieces) <= _MOST_PIECES else ()


def _clauses(sentence: str) -> list[str]:
    """A sentence cut where a second question begins."""
    cuts = [match for match in _JOINT.finditer(sentence) if is_question(sentence[: match.start()])]
    pieces: list[str] = []
    start = 0
    for match in cuts:
        if is_question(sentence[start : match.start()]) and is_question(sentence[match.end() :]):
            pieces.append(sentence[start : match.start()])
            start = match.end()
    return [*pieces, sentence[start:]]


def is_question(text: str) -> bool:
    """Begins as a question does, perhaps after sentences that tell something, and has enough words to ask for a thing."""
    last = _GIVEN.sub("", re.split(r"(?<=[.!])\s+", text.strip())[-1])
    return len(last.split()) >= _LEAST_WORDS and bool(_ASKS.match(last) or _ORDERS.match(last))


def is_order(text: str) -> bool:
    """Told to do something rather than asked: "please explain the reasoning"."""
    return bool(_ORDERS.match(text))


def _tidy(part: str) -> str:
    bare = re.sub(r"^(?:and|but|so|also|then)[\s,]+", "", part.strip().rstrip(",;"), flags=re.IGNORECASE)
    bare = re.sub(r"\bi\b", "I", bare[:1].upper() + bare[1:])
    if bare.endswith(("?", ".", "!")):
        return bare
    return f"{bare}." if _ORDERS.match(bare) else f"{bare}?"
