"""The words of the field as data: terms, synonyms, parents, parts and opposites, and the attributes of claims.

Everything the program knows of anatomy stands in ``corpus/vocabulary/*.yaml``; this module only reads it and finds
its terms in text. Another muscle is another folder.

Matching: text and terms are cut into words, lower-cased, plurals and British or American endings levelled, and the
longest run of words that is a term wins. Abbreviations in capitals of one or two letters match only in capitals.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from gmedbot.errors import CorpusError, FileFinding
from gmedbot.patterns import LazyPattern, PatternSet, needles_of

__all__ = [
    "AttributeDef",
    "Match",
    "Term",
    "Vocabulary",
    "load_vocabulary",
    "normal_words",
    "prepared_rows",
    "vocabulary_from_rows",
    "vocabulary_rows",
]


@dataclass(frozen=True)
class Term:
    """One concept. ``kind`` comes from a closed list (docs/vocabulary.md); ``rank`` orders the words of a scale."""

    id: str
    kind: str
    name: str
    synonyms: tuple[str, ...] = ()
    lay: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    opposite: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()
    is_superseded: bool = False
    rank: int | None = None
    gloss: str = ""
    maps_to: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict, hash=False)
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.synonyms, *self.lay)


@dataclass(frozen=True)
class AttributeDef:
    """What kind of thing a claim states. ``values`` are the vocabulary kinds that carry the answer."""

    id: str
    name: str
    headings: tuple[str, ...]
    cues: tuple[LazyPattern, ...]
    question_cues: tuple[LazyPattern, ...]
    is_exclusive: bool
    values: tuple[str, ...]
    question: str
    overview: int = 0  #: place among the things to say when asked for everything; 0 is not one of them


@dataclass(frozen=True)
class Match:
    """A term found in a text at ``text[start:end]``."""

    term: Term
    start: int
    end: int


_WORD = re.compile(r"[A-Za-zÀ-ÿ0-9]+(?:['’][A-Za-z]+)?|[%°²³]")
_ENDINGS = (
    (re.compile(r"fiber"), "fibre"),
    (re.compile(r"isation"), "ization"),
    (re.compile(r"is(e|ed|es|ing|er)$"), r"iz\1"),
    (re.compile(r"ys(e|ed|es|ing)$"), r"yz\1"),
    (re.compile(r"our$"), "or"),
    (re.compile(r"ae"), "e"),
    (re.compile(r"oe(?=d)"), "e"),
    (re.compile(r"centre$"), "center"),
    (re.compile(r"metre$"), "meter"),
    (re.compile(r"litre$"), "liter"),
)
_KEEP_S = ("ss", "us", "is", "as", "os")
_PLURALS = frozenset({"areas"})


@lru_cache(maxsize=65_536)
def _level(word: str) -> str:
    """A word without case, possessive, plural or regional spelling."""
    is_acronym = word.isupper() and len(word) > 1
    word = word.lower().replace("’", "'").removesuffix("'s").removesuffix("'")
    if len(word) > 3 and not is_acronym and (not word.endswith(_KEEP_S) or word in _PLURALS):
        if word.endswith("ies") and len(word) > 4:
            word = word[:-3] + "y"
        elif word.endswith(("sses", "shes", "ches", "xes")):
            word = word[:-2]
        elif word.endswith("s"):
            word = word[:-1]
    if len(word) > 4:
        for pattern, replacement in _ENDINGS:
            word = pattern.sub(replacement, word)
    return word


def normal_words(text: str) -> list[tuple[str, int, int]]:
    """The levelled words of ``text`` with their offsets."""
    return [(_level(match.group()), match.start(), match.end()) for match in _WORD.finditer(text)]


class Vocabulary:
    """All terms and attributes of one folder. Immutable after loading; safe to share between threads."""

    def __init__(
        self,
        terms: Iterable[Term],
        attributes: Iterable[AttributeDef],
        digest: str = "",
        trie: dict[str, Any] | None = None,
        words: Iterable[str] | None = None,
    ) -> None:
        """``trie`` and ``words`` are those of an earlier vocabulary of the same terms (see ``prepared_rows``)."""
        self.terms: Mapping[str, Term] = {term.id: term for term in terms}
        self.attributes: Mapping[str, AttributeDef] = {attribute.id: attribute for attribute in attributes}
        self.digest = digest
        #: levelled word → … → "" → [(term id, exact spelling or None)]
        self.trie: dict[str, Any] = trie if trie is not None else {}
        if trie is None:
            for term in self.terms.values():
                target = self.terms.get(term.maps_to, term) if term.maps_to else term
                for name in term.names:
                    self._add(name, target)
        if words is not None:
            self.words = frozenset(words)
        self._headings = {
            heading.casefold(): attribute.id
            for attribute in reversed(list(self.attributes.values()))
            for heading in attribute.headings
        }

    def _add(self, name: str, term: Term) -> None:
        words = [word for word, _, _ in normal_words(name)]
        if not words:
            return
        node = self.trie
        for word in words:
            node = node.setdefault(word, {})
        entries = node.setdefault("", [])
        needs_case = name.isupper() and len(name) <= 2
        if not any(found == term.id for found, _ in entries):
            entries.append((term.id, name if needs_case else None))

    def find(self, text: str) -> tuple[Match, ...]:
        """Terms of ``text`` in order, longest first at each place, never overlapping."""
        words = normal_words(text)
        found: list[Match] = []
        place = 0
        while place < len(words):
            node: Any = self.trie
            best: tuple[int, Term] | None = None
            step = place
            while step < len(words) and words[step][0] in node and _adjacent(text, words, place, step):
                node = node[words[step][0]]
                step += 1
                for name, exact in node.get("", ()):
                    if exact is None or text[words[place][1] : words[step - 1][2]] == exact:
                        best = (step, self.terms[name])
                        break
            if best is None:
                place += 1
                continue
            found.append(Match(best[1], words[place][1], words[best[0] - 1][2]))
            place = best[0]
        return tuple(found)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every levelled word of every name."""
        found: set[str] = set()
        stack = [self.trie]
        while stack:
            node = stack.pop()
            for word, below in node.items():
                if word:
                    found.add(word)
                    stack.append(below)
        return frozenset(found)

    def ancestors(self, term_id: str) -> frozenset[str]:
        """The term, its parents upward, and what it is the same as."""
        cached = self._ancestors.get(term_id)
        if cached is None:
            seen: set[str] = set()
            stack = [term_id]
            while stack:
                current = stack.pop()
                if current in seen:
                    continue
                seen.add(current)
                term = self.terms.get(current)
                if term is not None:
                    stack.extend((*term.parents, *term.same_as))
            cached = frozenset(seen)
            self._ancestors[term_id] = cached
        return cached

    @cached_property
    def _ancestors(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _wholes(self) -> dict[str, frozenset[str]]:
        return {}

    def wholes(self, term_id: str) -> frozenset[str]:
        """The term, its ancestors, and everything these are part of."""
        cached = self._wholes.get(term_id)
        if cached is None:
            seen: set[str] = set()
            stack = [term_id]
            while stack:
                current = stack.pop()
                if current in seen:
                    continue
                seen.add(current)
                term = self.terms.get(current)
                if term is not None:
                    stack.extend((*term.parents, *term.same_as, *term.part_of))
            cached = frozenset(seen)
            self._wholes[term_id] = cached
        return cached

    def same(self, a: str, b: str) -> bool:
        """Equal, or two names of one thing."""
        if a == b:
            return True
        first, second = self.terms.get(a), self.terms.get(b)
        return bool((first and b in first.same_as) or (second and a in second.same_as))

    def refines(self, a: str, b: str) -> bool:
        """True if one is a kind or a part of the other (a more or less specific word for the same place)."""
        return b in self.wholes(a) or a in self.wholes(b)

    def opposed(self, a: str, b: str) -> bool:
        """True if the two are opposites (abduction and adduction, weak and strong), directly or by a parent."""
        pair = (a, b)
        cached = self._are_opposed.get(pair)
        if cached is None:
            cached = a != b and (  # a mixed nerve has both a motor and a sensory parent
                not self._opposites(a).isdisjoint(self.ancestors(b))
                or not self._opposites(b).isdisjoint(self.ancestors(a))
            )
            self._are_opposed[pair] = cached
        return cached

    @cached_property
    def _are_opposed(self) -> dict[tuple[str, str], bool]:
        return {}

    def _opposites(self, term_id: str) -> frozenset[str]:
        """The opposites of a term and of its ancestors."""
        cached = self._opposites_of.get(term_id)
        if cached is None:
            above = (self.terms[name] for name in self.ancestors(term_id) if name in self.terms)
            cached = self._opposites_of[term_id] = frozenset(other for term in above for other in term.opposite)
        return cached

    @cached_property
    def _opposites_of(self) -> dict[str, frozenset[str]]:
        return {}

    def by_kind(self, terms: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
        """The terms of a statement by their kind; a kind that is not among them is missing."""
        cached = self._by_kind.get(terms)
        if cached is None:
            found: dict[str, set[str]] = {}
            for name in terms:
                if name in self.terms:
                    found.setdefault(self.terms[name].kind, set()).add(name)
            cached = self._by_kind[terms] = {kind: frozenset(names) for kind, names in found.items()}
        return cached

    @cached_property
    def _by_kind(self) -> dict[tuple[str, ...], Mapping[str, frozenset[str]]]:
        return {}

    def heading_attribute(self, heading: Sequence[str]) -> str | None:
        """The attribute that the innermost known heading names."""
        for name in reversed(heading):
            attribute = self._headings.get(name.strip().casefold())
            if attribute is not None:
                return attribute
        return None

    @cached_property
    def focus(self) -> str:
        """The muscle that the corpus is about: the term marked ``focus: true``, else the first muscle."""
        muscles = list(self.of_kind("muscle"))
        marked = [term.id for term in muscles if term.facts.get("focus")]
        return (marked or [term.id for term in muscles] or [""])[0]

    def cue_hits(self, text: str) -> Counter[str]:
        """attribute → how many of its cues the statement holds."""
        return Counter(self._cues.labels(text))

    def question_cue_hits(self, text: str) -> Counter[str]:
        """attribute → how many of its question cues the question holds."""
        return Counter(self._question_cues.labels(text))

    @cached_property
    def _cues(self) -> PatternSet[str]:
        return PatternSet((cue, item.id) for item in self.attributes.values() for cue in item.cues)

    @cached_property
    def _question_cues(self) -> PatternSet[str]:
        return PatternSet((cue, item.id) for item in self.attributes.values() for cue in item.question_cues)

    def of_kind(self, kind: str) -> Iterator[Term]:
        return (term for term in self.terms.values() if term.kind == kind)


def _adjacent(text: str, words: Sequence[tuple[str, int, int]], first: int, step: int) -> bool:
    """A term does not run over a comma, a bracket or a sentence end; hyphens, slashes and spaces are inside."""
    if step == first:
        return True
    gap = text[words[step - 1][2] : words[step][1]]
    return not gap or set(gap) <= set(" -–‑/\n\t") or gap in (". ", "' ", "’ ", "&", " & ")


def load_vocabulary(folder: Path) -> Vocabulary:
    """Read ``folder/*.yaml``. Raises: CorpusError with every finding of every file."""
    return vocabulary_from_rows(vocabulary_rows(folder))


def vocabulary_from_rows(rows: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary stored in an index: checked when it was built, so read without checking."""
    needles = rows.get("needles", {})
    return Vocabulary(
        [_term(row) for row in rows["terms"]],
        [_attribute(row, needles) for row in rows["attributes"]],
        rows["digest"],
        rows.get("trie"),
        rows.get("words"),
    )


def prepared_rows(rows: Mapping[str, Any]) -> dict[str, Any]:
    """``rows`` with what can be worked out once: the trie of names, and the needles of every cue (see ``patterns``)."""
    vocabulary = vocabulary_from_rows(rows)
    cues = [cue for item in vocabulary.attributes.values() for cue in (*item.cues, *item.question_cues)]
    needles = {cue.text: needles_of(cue.text, cue.flags) for cue in cues}
    return {**rows, "trie": vocabulary.trie, "words": sorted(vocabulary.words), "needles": needles}


def vocabulary_rows(folder: Path) -> dict[str, Any]:
    """All entries of ``folder/*.yaml`` as plain rows, checked. Raises: CorpusError with every finding of every file."""
    import yaml

    findings: list[FileFinding] = []
    terms: dict[str, Term] = {}
    term_rows: list[Any] = []
    attribute_rows: list[Any] = []
    digest = hashlib.sha256()
    files = sorted(folder.glob("*.yaml"))
    if not files:
        findings.append(FileFinding(str(folder), 0, "empty", "no vocabulary files (*.yaml)"))
    for path in files:
        raw = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + raw)
        try:
            rows = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or []
        except yaml.YAMLError as error:
            findings.append(FileFinding(path.name, 0, "yaml", str(error).splitlines()[0]))
            continue
        for number, row in enumerate(rows if isinstance(rows, list) else [rows]):
            try:
                if path.name == "attributes.yaml":
                    _check_patterns(_attribute(row))
                    attribute_rows.append(row)
                else:
                    term = _term(row)
                    if term.id in terms:
                        findings.append(FileFinding(path.name, 0, "duplicate-term", f"{term.id} is defined twice"))
                    terms[term.id] = term
                    term_rows.append(row)
            except (KeyError, TypeError, ValueError, re.error) as error:
                findings.append(FileFinding(path.name, 0, "term", f"entry {number + 1}: {error!r}"))
    for term in terms.values():
        for other in (*term.parents, *term.part_of, *term.opposite, *term.same_as, *filter(None, [term.maps_to])):
            if other not in terms:
                findings.append(FileFinding("vocabulary", 0, "dead-term", f"{term.id} points to unknown {other}"))
    if findings:
        raise CorpusError(f"The vocabulary in {folder} must be whole.", findings)
    return {"terms": term_rows, "attributes": attribute_rows, "digest": digest.hexdigest()}


def _check_patterns(attribute: AttributeDef) -> None:
    """Compile every cue once. Raises: re.error."""
    for cue in (*attribute.cues, *attribute.question_cues):
        cue.pattern.search("")


_TERM_KEYS = {"id", "kind", "name", "synonyms", "lay", "parents", "part_of", "opposite", "same_as", "superseded"}
_TERM_KEYS |= {"rank", "gloss", "maps_to", "ids"}


def _term(row: Any) -> Term:
    def names(key: str) -> tuple[str, ...]:
        value = row.get(key) or ()
        return tuple(str(item) for item in ([value] if isinstance(value, str) else value))

    return Term(
        id=str(row["id"]),
        kind=str(row["kind"]),
        name=str(row["name"]),
        synonyms=names("synonyms"),
        lay=names("lay"),
        parents=names("parents"),
        part_of=names("part_of"),
        opposite=names("opposite"),
        same_as=names("same_as"),
        is_superseded=bool(row.get("superseded", False)),
        rank=row.get("rank"),
        gloss=str(row.get("gloss") or ""),
        maps_to=row.get("maps_to"),
        ids={str(key): str(value) for key, value in (row.get("ids") or {}).items()},
        facts={key: value for key, value in row.items() if key not in _TERM_KEYS},
    )


def _attribute(row: Any, needles: Mapping[str, Sequence[str]] | None = None) -> AttributeDef:
    known = needles or {}

    def patterns(key: str) -> tuple[LazyPattern, ...]:
        texts = map(str, row.get(key) or ())
        return tuple(LazyPattern(text, re.IGNORECASE, known.get(text, ())) for text in texts)

    return AttributeDef(
        id=str(row["id"]),
        name=str(row["name"]),
        headings=tuple(row.get("headings") or ()),
        cues=patterns("cues"),
        question_cues=patterns("question_cues"),
        is_exclusive=bool(row.get("exclusive", False)),
        values=tuple(row.get("values") or ()),
        question=str(row.get("question") or ""),
        overview=int(row.get("overview") or 0),
    )
