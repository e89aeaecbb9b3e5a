"""Regular expressions that cost nothing until a text could match them.

A build knows about four thousand patterns (cues of attributes, red flags) and a question meets a few of them. Compiling
all took longer than everything else that ``gmedbot ask`` does, so each pattern is stored with its *needles*: words of
which every match must hold at least one. A text without any of them cannot match, and the pattern is not even compiled.

The needles are read off the parsed expression, so they are right by construction; where none can be found the pattern
is always tried. The idea is the prefilter of RE2 and of Cox, "Regular expression matching with a trigram index" (2012).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

__all__ = ["LazyPattern", "PatternSet", "needles_of"]

Label = TypeVar("Label")

#: Alternatives beyond this cost more to look for than the expression itself.
_MOST_NEEDLES = 64


class LazyPattern:
    """A pattern with the interface of ``re.Pattern`` that is used here, compiled at the first text that could match.

    Args: flags: 0 or re.IGNORECASE. needles: words of which every match holds one, lower-case if the flag is set;
        empty where that is not known.
    """

    __slots__ = ("__dict__", "flags", "needles", "text")

    def __init__(self, text: str, flags: int = 0, needles: Sequence[str] = ()) -> None:
        self.text = text
        self.flags = flags
        self.needles = tuple(needles)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.text, self.flags)

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """As ``re.Pattern.search``. ``start`` skips characters, as there."""
        return self.pattern.search(text, start) if self.could_match(text) else None

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        """As ``re.Pattern.match``."""
        return self.pattern.match(text, start) if self.could_match(text) else None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """As ``re.Pattern.finditer``."""
        return self.pattern.finditer(text) if self.could_match(text) else iter(())

    def sub(self, replacement: Callable[[re.Match[str]], str], text: str) -> str:
        """As ``re.Pattern.sub``."""
        return self.pattern.sub(replacement, text) if self.could_match(text) else text

    def could_match(self, text: str) -> bool:
        """False only if no match is possible. Letters outside ASCII fold in odd ways, so such a text is always tried."""
        if not self.needles or (self.flags and not text.isascii()):
            return True
        text = text.lower() if self.flags else text
        return any(needle in text for needle in self.needles)


class PatternSet(Generic[Label]):
    """Many labelled patterns looked for at once: the text is read for every needle once, not once a pattern."""

    def __init__(self, patterns: Iterable[tuple[LazyPattern, Label]]) -> None:
        self._always: list[tuple[LazyPattern, Label]] = []
        self._by_needle: dict[str, list[tuple[LazyPattern, Label]]] = {}
        for pair in patterns:  # one object a pattern, so that two of its needles do not count it twice
            if not pair[0].needles:
                self._always.append(pair)
            for needle in pair[0].needles:
                self._by_needle.setdefault(needle, []).append(pair)

    def labels(self, text: str) -> list[Label]:
        """The labels of the patterns that match, one for each pattern, in no order."""
        lowered = text.lower()
        wanted = {id(pair): pair for pair in self._always}
        everything = not text.isascii()
        for needle, pairs in self._by_needle.items():
            if everything or needle in lowered:
                wanted.update((id(pair), pair) for pair in pairs)
        return [label for pattern, label in wanted.values() if pattern.pattern.search(text)]


def needles_of(pattern: str, flags: int = 0) -> tuple[str, ...]:
    """Words of which every match of ``pattern`` holds at least one; () if there are none, or too many, or too short.

    Raises: re.error if the pattern is broken.
    """
    parser: Any
    try:
        import re._parser as parser  # type: ignore[import-not-found, no-redef, unused-ignore]  # Python 3.11
    except ModuleNotFoundError:
        import sre_parse as parser  # type: ignore[no-redef, unused-ignore]
    parsed = parser.parse(pattern, flags)
    if parsed.state.flags & ~re.UNICODE != flags:
        return ()  # a flag inside the expression: read nothing from it
    found = _required(parsed)
    if found is None or len(found) > _MOST_NEEDLES or min(map(len, found)) < 2:
        return ()
    words = {needle.lower() for needle in found} if flags else found
    return tuple(sorted(word for word in words if not any(other in word and other != word for other in words)))


def _required(nodes: Iterable[Any]) -> set[str] | None:
    """The best set of literals of a sequence: one of them is in every match. None if the sequence needs none."""
    best: set[str] | None = None
    run = ""
    for node in [*nodes, None]:
        kind = str(node[0]) if node is not None else ""
        if kind == "LITERAL" and node[1] < 128:
            run += chr(node[1])
            continue
        best, run = _better(best, {run} if run else None), ""
        if node is not None:
            best = _better(best, _required_of(kind, node[1]))
    return best


def _required_of(kind: str, value: Any) -> set[str] | None:
    if kind == "SUBPATTERN":
        _, added, removed, inner = value
        return None if added or removed else _required(inner)
    if kind == "BRANCH":
        found: set[str] = set()
        for branch in value[1]:
            own = _required(branch)
            if own is None:
                return None
            found |= own
        return found
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, _, inner = value
        return _required(inner) if least else None
    return _required(value) if kind == "ATOMIC_GROUP" else None


def _better(a: set[str] | None, b: set[str] | None) -> set[str] | None:
    """The set whose shortest word is longer, then the smaller one: it turns away more texts."""
    if a is None or b is None:
        return a or b
    return min(a, b, key=lambda words: (-min(min(map(len, words)), 4), len(words)))
