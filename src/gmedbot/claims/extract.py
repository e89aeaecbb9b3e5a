"""``Document`` → ``Claim``: every sentence and list item of a source, read into a frame.

The frame is what ``relate`` compares. It is read by the vocabulary (what is spoken of), by the attribute's cues and
the heading above (what is said of it), by the numbers, and by the few function words that turn a statement round:
negation, advice for and against, more and less, often and rarely. List items take their heading and the line that
leads in; text that was written as prose and text that was written as a digest go the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from gmedbot.claims.quantities import find_quantities, find_roots
from gmedbot.claims.vocabulary import Match, Vocabulary, normal_words
from gmedbot.corpus.plain import is_statement, without_markup
from gmedbot.passages import split_sentences
from gmedbot.types import Claim, Document, Frame, Passage

__all__ = ["extract_claims", "read_frame", "read_words", "strip_report"]

_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|without|cannot|can't|doesn't|don't|didn't|isn't|aren't|wasn't|weren't|won't|"
    r"hardly|lacks?|lacked|absence of|absent|fail(?:s|ed)? to|unlikely|un(?:changed|affected|related)|"
    r"none|free of|ineffective|equal(?:ly)?|similar(?:ly)?|nobody)\b",
    re.IGNORECASE,
)
_REPORT = re.compile(
    r"^(?:In (?:garbled|spun) wording,\s*)?(?:the (?:page|author|authors|text|site|article|blog|app|leaflet|source|writer|chapter|seed|book)"
    r"\s(?:also\s)?(?:states?|says?|claims?|writes?|tells?|advises?|holds?|reports?|suggests?|recommends?|calls?)\s(?:that\s)?)",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"\b(?:recommend\w*|advis(?:e|es|ed|able)|should(?!\s+(?:not|never|avoid|be avoided))|suggest(?:s|ed)?|is (?:a )?(?:good|great|best|safe|useful|excellent)|"
    r"are (?:good|safe|useful)|helps?|helpful|effective|beneficial|benefits?|works?|encouraged|winner|favou?rs?|indicated|must(?!\s+not)|first[- ]line)\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r"\b(?:avoid\w*|not (?:be )?(?:recommend\w*|advis\w*|helpful|useful|needed|necessary|safe|allowed|effective|done|used|performed|placed|started)|"
    r"should(?:n't| not| never)|must(?:n't| not)|advis\w+ against|harm\w*|stop (?:doing|using)|contraindicat\w*|"
    r"do(?:es)? not (?:help|work|recommend)|don't|^never|worsens?|aggravat\w+|no (?:benefit|better|advantage|effect)|"
    r"ineffective|unsafe|dangerous|waste of time|discouraged|useless|poor choice|bad (?:idea|exercise|choice))\b",
    re.IGNORECASE,
)
_UP = re.compile(
    r"\b(?:increas\w+|rais(?:e|es|ed|ing)|higher|greater|more|larger|stronger|improv\w+|thicker|gain\w*|rose|elevat\w+|"
    r"above|exceed\w*|better|longer|outperform\w*|superior to|beats?|hypertroph\w+|most|highest|largest|best|strongest|top)\b",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"\b(?:decreas\w+|reduc\w+|lower(?:s|ed|ing)?|less|smaller|weaker|fewer|thinner|declin\w+|fell|drop(?:s|ped)?|shrink\w*|"
    r"below|worse|shorter|inferior to|cuts?|los(?:s|es|t)|atroph\w+|least|lowest|smallest|weakest|prevents?|fad\w+)\b",
    re.IGNORECASE,
)
_MUSCLE_KINDS = ("muscle",)
_STOPWORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "and",
        "or",
        "in",
        "on",
        "at",
        "to",
        "for",
        "with",
        "by",
        "from",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "has",
        "have",
        "had",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "than",
        "then",
        "so",
        "such",
        "which",
        "who",
        "whose",
        "when",
        "while",
        "where",
        "if",
        "but",
        "into",
        "over",
        "under",
        "out",
        "up",
        "down",
        "also",
        "can",
        "may",
        "might",
        "could",
        "would",
        "will",
        "do",
        "doe",
        "did",
        "each",
        "both",
        "all",
        "any",
        "some",
        "one",
        "their",
        "there",
        "they",
        "he",
        "she",
        "his",
        "her",
        "you",
        "your",
        "we",
        "our",
        "not",
        "no",
        "only",
        "very",
        "more",
        "most",
        "les",
        "least",
        "about",
        "between",
        "during",
        "through",
        "per",
    ]
)


def strip_report(text: str) -> str:
    """The claim inside "The page states that …"; other text unchanged."""
    stripped = _REPORT.sub("", text, count=1)
    return stripped[:1].upper() + stripped[1:] if stripped != text else text


def extract_claims(document: Document, passages: Sequence[Passage], vocabulary: Vocabulary) -> tuple[Claim, ...]:
    """Every sentence and list item of the passages of one document as a claim, in text order.

    A sentence without any term of the vocabulary and without a number says nothing that can be compared; it stays
    quotable through its passage and becomes a claim with an empty attribute. What is no statement about the subject
    (``is_statement``) becomes none.
    """
    claims: list[Claim] = []
    seen: dict[str, int] = {}  # an id depends on the words and not on where they stand: an edit elsewhere keeps it
    for passage in passages:
        lead_in = ""
        for start, end, is_item in split_sentences(document.text, passage.start, passage.end):
            text = document.text[start:end]
            if not is_item:
                lead_in = text if text.rstrip().endswith(":") else ""
            if not is_statement(text):
                continue
            context = lead_in if is_item else ""
            said = without_markup(text)
            frame = read_frame(said, passage.heading, vocabulary, context)
            place = seen[text] = seen.get(text, -1) + 1
            digest = hashlib.sha256(f"{document.source.source_id}\0{place}\0{text}".encode()).hexdigest()[:10]
            claims.append(
                Claim(
                    claim_id=f"{document.source.source_id}:{digest}",
                    source_id=document.source.source_id,
                    passage_id=passage.passage_id,
                    text=said,
                    start=start,
                    end=end,
                    heading=passage.heading,
                    frame=frame,
                )
            )
    return tuple(claims)


def read_frame(text: str, heading: Sequence[str], vocabulary: Vocabulary, lead_in: str = "") -> Frame:
    """Read one statement. ``heading`` and ``lead_in`` supply what a list item or a table line leaves unsaid."""
    body = strip_report(text)
    matches = vocabulary.find(body)
    context = vocabulary.find(lead_in) if lead_in else ()
    terms = tuple(dict.fromkeys(match.term.id for match in (*matches, *context)))
    roots = find_roots(body)
    attributes = _attributes(body, heading, vocabulary)
    advice = _advice(body)
    negations = len(_NEGATION.findall(body)) if not _AGAINST.search(body) else 0
    return Frame(
        subjects=_subjects(body, matches, context, heading, vocabulary),
        parts=frozenset(t for t in terms if vocabulary.terms[t].kind == "muscle-part"),
        attribute=attributes[0] if attributes else "",
        attributes=attributes,
        terms=terms,
        roots=roots,
        quantities=find_quantities(body),
        polarity=negations % 2 == 0,
        advice=advice,
        level=_level(matches, vocabulary),
        direction=_direction(body),
        is_reported=body != text,
        words=_residual(body, matches),
    )


def read_words(text: str, vocabulary: Vocabulary) -> tuple[tuple[str, ...], frozenset[str]]:
    """``terms`` and ``words`` of the frame that ``read_frame`` reads from a statement alone, without the rest of it."""
    body = strip_report(text)
    matches = vocabulary.find(body)
    return tuple(dict.fromkeys(match.term.id for match in matches)), _residual(body, matches)


def _attributes(body: str, heading: Sequence[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Attributes whose cues the sentence holds, most cues first; the heading's own attribute leads if it is cued."""
    named = vocabulary.heading_attribute(heading)
    scored: list[tuple[int, str]] = []
    found = vocabulary.cue_hits(body)
    for attribute in vocabulary.attributes.values():
        hits = found[attribute.id]
        if attribute.id == named:
            hits += 2
        if hits:
            scored.append((hits, attribute.id))
    scored.sort(key=lambda pair: -pair[0])
    return tuple(name for _, name in scored)


def _subjects(
    body: str, matches: Sequence[Match], context: Sequence[Match], heading: Sequence[str], vocabulary: Vocabulary
) -> frozenset[str]:
    """The muscles that the statement is about: those named before a comparison, else the corpus' own muscle.

    "X is weaker than Y" is about X; "the nerve supplies X, Y and Z" is about all three.
    """
    cut = _comparison_start(body)
    named = _muscles((match for match in matches if match.start < cut), vocabulary)
    return named or _muscles(matches, vocabulary) or _muscles(context, vocabulary)


def _muscles(matches: Iterable[Match], vocabulary: Vocabulary) -> frozenset[str]:
    """Muscles named, or meant by the name of their part ("posterior gluteus minimus", "gluteus medius tendon")."""
    found: set[str] = set()
    for match in matches:
        if match.term.kind in _MUSCLE_KINDS:
            found.add(match.term.id)
        elif match.term.kind in ("muscle-part", "tendon"):
            wholes = match.term.part_of
            found.update(w for w in wholes if w in vocabulary.terms and vocabulary.terms[w].kind in _MUSCLE_KINDS)
    return frozenset(found)


def _comparison_start(body: str) -> int:
    match = re.search(r"\b(?:than|compared (?:with|to)|versus|vs\.?|rather than|unlike|whereas|instead of)\b", body)
    return match.start() if match else len(body)


def _advice(body: str) -> int:
    if _AGAINST.search(body):
        return -1
    return 1 if _FOR.search(body) else 0


def _direction(body: str) -> int:
    up, down = len(_UP.findall(body)), len(_DOWN.findall(body))
    return (up > down) - (down > up)


def _level(matches: Iterable[Match], vocabulary: Vocabulary) -> tuple[str, int] | None:
    for kind in ("frequency", "degree"):
        for match in matches:
            if match.term.kind == kind and match.term.rank is not None:
                return kind, int(match.term.rank)
    return None


def _residual(body: str, matches: Sequence[Match]) -> frozenset[str]:
    """Levelled content words outside all terms and numbers."""
    covered = [(match.start, match.end) for match in matches]
    return frozenset(
        word
        for word, start, end in normal_words(body)
        if word not in _STOPWORDS
        and not word[0].isdigit()
        and word not in "%°²³"
        and not any(a <= start and end <= b for a, b in covered)
    )
