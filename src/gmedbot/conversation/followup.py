"""A question in a conversation → the question it stands for.

"And the roots?", "what about the posterior ones?", "why?", "no, I meant the minimus": the learner leaves out what the
dialogue already holds. The rewriting keeps a focus (the thing spoken of, and what was asked of it) from the earlier
questions and puts it back. It is made of replacements, never of invention: every word of a standalone question comes
from the learner's own questions or is the vocabulary's name for one. A question that stands alone is left untouched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gmedbot.claims.vocabulary import Match, Vocabulary, normal_words
from gmedbot.retrieval.understand import question_attributes

__all__ = [
    "TOPIC_KINDS",
    "Standalone",
    "conversation_text",
    "names_thing",
    "points_back",
    "rewrite",
    "wish_of",
    "with_context",
]

Command = Literal["", "more", "simpler", "shorter", "sources"]


@dataclass(frozen=True)
class Standalone:
    """``text`` is searched; ``command`` asks for the last answer again in another form; ``kind`` says what was done.

    ``context`` is a follow-up with the conversation before it, as typed (``conversation_text``): a second reading for the
    ranking, by an encoder that was trained on such texts, where a replaced pronoun may have been the wrong one. ``typed``: the
    follow-up alone, as typed.
    """

    text: str
    kind: str = "first"
    command: Command = ""
    context: str = ""
    typed: str = ""


#: "Which would you start with?" chooses among what was spoken of.
_OPEN_CHOICE = re.compile(
    r"^(?:so |and |then )*which (?:one )?(?:would|should|do|did|can|could) (?:you|i|we|they)\b", re.IGNORECASE
)
#: "Which of them", "between the two" choose among what the last question named.
_AMONG = re.compile(
    r"\b((?:which|what|who|any|some|one|most|best|either|neither|each) (?:one )?of|between|among|out of)"
    r" (?:(?:the|these|those) (?:two|three)|them|these|those)\b",
    re.IGNORECASE,
)
#: "So which is better?" chooses between what the last question named and what the one before it did.
_CHOOSES = re.compile(
    r"\bwhich\b(?![^?]*\bthan\b)[^?]*\b(?:more|most|less|least|worse|worst|best|\w{2,}(?:er|est))\b", re.IGNORECASE
)
#: Pronouns that a name may take the place of; "there", "both" or "the same one" say more than a name.
_REPLACED = frozenset({"it", "its", "they", "them", "their", "this", "that"})
_REMEMBERED = 3  #: earlier messages that a follow-up is read with

_LEAD_IN = re.compile(
    r"^(?:(?:ok(?:ay)?|so|and|but|then|also|oh|hm+|right|thanks?(?: you)?|great|cool|i see|got it|well|or)\b[\s,.!–—-]*)+",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(
    r"^(?:what|how)(?:'s| is)? about\b\s*|^(?:and|or)\s+(?:for|in|with|during|after|on)\b|^same (?:for|with)\b",
    re.IGNORECASE,
)
#: "Compared with exercise?" puts something beside what was asked about, not in its place.
_BESIDE = re.compile(
    r"^(?:(?:as |when )?compared (?:to|with)|versus|vs\.?|than|rather than|instead of|relative to)\b", re.IGNORECASE
)
_CORRECTION = re.compile(
    r"^(?:no|nope|sorry|actually|wait|oops)\b[\s,.!–—-]*(?:no[\s,]+)?(?:sorry[\s,]+)?(?:actually[\s,]+)?(?:i (?:meant|mean|was asking about)|not that|the)?\b\s*",
    re.IGNORECASE,
)
_IS_CORRECTION = re.compile(
    r"^(?:no|nope|sorry|wait|oops|actually)\b.*\b(?:meant|mean|asking about|rather|not)\b|^i meant\b", re.IGNORECASE
)
#: "This" and "that" stand for something only where no noun follows: "this morning" and "that bursa" are named.
_ALONE = (
    r"(?=\s*(?:$|[?.,!;:)])|\s+(?:is|are|was|were|do|does|did|can|could|will|would|should|may|might|must|has|have|had|be|been"
    r"|mean|means|happen|happens|work|works|cause|causes|help|helps|hurt|hurts|feel|feels|look|looks|make|makes|take|takes|apply"
    r"|applies|change|changes|affect|affects|in|on|at|for|with|to|of|from|by|and|or|but|if|when|while|as|than|too|also|then|so"
    r"|not|really|often|still|even|ones?|safe|bad|good|normal|common|dangerous|true|right|wrong|enough|serious|painful|done|made|given"
    r"|felt|found|seen|\w{3,}ed)\b)"
)
_PRONOUN = re.compile(
    rf"\b(?:it|its|they|them|their|theirs|(?:this|that|these|those){_ALONE}|the (?:former|latter|first|second|other) (?:one|ones)?|(?:the|those|these) (?:two|three)(?= (?:of|is|are|was|were|do|does|has|have|work|works|would|can)\b|\s*[?.,]|$)|the same|such|(?:the )?ones?|he|she|there|then|doing so|either|both)\b",
    re.IGNORECASE,
)
_COMMANDS: tuple[tuple[Command, re.Pattern[str]], ...] = (
    ("more", re.compile(r"^(?:tell me |say |give me |can you (?:tell me|say) )?(?:(?:some|any) )?more(?: details?| info(?:rmation)?)?(?: about (?:it|that|this))?(?:,? please)?[.?!]*$|^(?:go on|continue|elaborate|details?(?:,? please)?|anything else|what else)[.?!]*$", re.IGNORECASE)),
    ("simpler", re.compile(r"^(?:can you |could you |please |in )?(?:explain |say |put )?(?:it |that )?(?:in )?(?:more )?(?:simple|simpl(?:er|y)|plain(?:er)?|easier|layman'?s?)(?: words| terms| english| language)?(?:,? please)?[.?!]*$|^eli5[.?!]*$|^i don'?t (?:understand|get it)[.?!]*$", re.IGNORECASE)),
    ("shorter", re.compile(r"^(?:(?:that(?:'s| is|'s) |it(?:'s| is) )?(?:too|very) long|(?:make it |keep it |a bit |in )?(?:short(?:er)?|brief(?:ly|er)?|tl;?dr|one sentence|summar\w+(?: it| that)?))(?:,? please)?[.?!]*$", re.IGNORECASE)),
    ("sources", re.compile(r"^(?:what (?:are|is) |which |show (?:me )?|give (?:me )?|list |name )?(?:(?:the|your|all) )*(?:sources?|references?|citations?|evidence|who says (?:so|that)|says who|where (?:does|did) (?:that|this|you) (?:come from|get (?:that|this)(?: from)?))(?:,? please| for that)?[.?!]*$", re.IGNORECASE)),
)  # fmt: skip
_FOCUS_KINDS = (
    "exercise", "condition", "treatment", "surgery", "drug", "test", "imaging", "sign", "bursa", "tendon", "nerve", "artery",
    "muscle-part", "symptom", "equipment", "measure", "action", "muscle",
)  # fmt: skip
_QUALIFIERS = ("population", "equipment", "position", "side", "gait-phase", "plane")


def rewrite(question: str, history: Sequence[str], vocabulary: Vocabulary) -> Standalone:
    """The standalone form of ``question`` after the earlier questions ``history``, oldest first."""
    standalones: list[str] = []
    for earlier in history:
        standalones.append(_rewrite_one(earlier, standalones, vocabulary).text)
    found = _rewrite_one(question, standalones, vocabulary)
    if not standalones or found.command:
        return found
    return replace(found, context=conversation_text(question, history), typed=" ".join(question.split()))


def conversation_text(question: str, history: Sequence[str]) -> str:
    """A follow-up behind the last messages before it, as the encoder was trained to read it."""
    return " | ".join(" ".join(text.split()) for text in (*history[-_REMEMBERED:], question))


def wish_of(text: str) -> Command:
    """What a message wants done with the last answer: more, simpler, shorter, its sources; "" if it asks for something else."""
    whole = " ".join(text.split())
    bare = _LEAD_IN.sub("", whole).strip()
    if whole and not bare:
        return "more"
    return next((command for command, pattern in _COMMANDS if pattern.match(bare)), "")


def _rewrite_one(question: str, earlier: Sequence[str], vocabulary: Vocabulary) -> Standalone:
    text = " ".join(question.split())
    if not earlier or not text:
        return Standalone(text)
    last = earlier[-1]
    bare = _LEAD_IN.sub("", text).strip()
    command = wish_of(text)
    if command and bare:
        return Standalone(last, "more", command)
    if _IS_CORRECTION.match(text):
        return _correct(_CORRECTION.sub("", text).strip() or text, last, vocabulary)
    if not bare:
        return Standalone(last, "more", "more")
    if re.fullmatch(
        r"(?:but )?(?:why|how|how come|how so|when|where|who)(?: (?:is|does|do|would) (?:that|this|it)(?: happen\w*| work\w*| so)?)?[?.! ]*",
        bare,
        re.IGNORECASE,
    ):
        return Standalone(f"{bare.rstrip('?.! ').capitalize()}: {last}", "why")
    matches = vocabulary.find(bare)
    what_about = _WHAT_ABOUT.match(text) or _WHAT_ABOUT.match(bare)
    if what_about or _is_fragment(bare, matches, vocabulary):
        return _fill_fragment(bare, matches, earlier, vocabulary, text != bare or bool(what_about))
    if _needs_focus(bare, matches, vocabulary):
        put = _put_focus(bare, matches, earlier, vocabulary)
        return Standalone(with_context(put, earlier, vocabulary), "pronoun")
    if not any(match.term.kind in TOPIC_KINDS for match in matches):
        return Standalone(with_context(bare[0].upper() + bare[1:], earlier, vocabulary), "ellipsis")
    return Standalone(text if not _LEAD_IN.match(text) else bare[0].upper() + bare[1:], "topic-shift")


def _content(matches: Sequence[Match]) -> list[Match]:
    return [match for match in matches if match.term.kind in _FOCUS_KINDS]


def _is_fragment(text: str, matches: Sequence[Match], vocabulary: Vocabulary) -> bool:
    """A few words without a verb of their own: "the posterior fibres?", "roots?", "in women?"."""
    words = normal_words(text)
    has_verb = re.search(
        r"\b(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|may|must|what|which|who|how|why|where|when|tell|explain|describe|list|give|show|name|compare)\b",
        text,
        re.IGNORECASE,
    )
    return len(words) <= 6 and not has_verb


def _needs_focus(text: str, matches: Sequence[Match], vocabulary: Vocabulary) -> bool:
    """True if the question points back (a pronoun) or names nothing of the field to ask about."""
    own = _content(matches)
    if _OPEN_CHOICE.match(text):
        return True
    pronoun = _PRONOUN.search(_without_expletive(text))
    if pronoun:
        named_before = any(match.start < pronoun.start() for match in own if match.term.kind != "action")
        return not named_before
    return not own


def points_back(text: str) -> bool:
    """True if a pronoun of the text stands for something outside it: "where does it insert?"."""
    return bool(_OPEN_CHOICE.match(text) or _PRONOUN.search(_without_expletive(text)))


def names_thing(text: str, vocabulary: Vocabulary) -> bool:
    """True if the text names something that a later question may be about."""
    return bool(_content(vocabulary.find(text)))


def _without_expletive(text: str) -> str:
    """Dummy pronouns that point to nothing ("is it safe to …", "is it true that …", "how long does it take") muted."""
    return re.sub(
        r"\b(?:is|was|would|does|will) it (?:safe|bad|good|ok|okay|true|normal|possible|common|better|worth|take|hurt to|harmful|dangerous|useful|necessary|fair|enough|too late|right|wrong)\b(?= (?:to|that|for|if|when))"
        r"|\b(?:does|do|would|will|did) it (?:really |even )?(?:matter|make (?:a|any) (?:big )?difference)\b|\bdoes (?=that explain|that mean\b)"
        r"|\b(?:is|was) it (?=(?:really|just|only|simply|actually|mainly|mostly)\b)"
        r"|\b(?:had|read|heard|saw|seen|got|found) (?:this|that|it)\b"
        r"|\b(?:is|was) it (?=because\b|due to\b|down to\b|(?:the|a|an|my|our) [^?]*,[^?]*\bor\b)"
        r"|\bthere (?:is|are|was|were|any)\b|\b(?:is|are) there\b",
        lambda match: "·" * len(match.group()),
        text,
        flags=re.IGNORECASE,
    )


def _focus(earlier: Sequence[str], vocabulary: Vocabulary, exclude: Sequence[str] = ()) -> str:
    """The name of the thing spoken of last: the most specific kind in the newest question that names one; "" if the
    last two questions name none."""
    for text in reversed(earlier[-2:]):
        found = _content(vocabulary.find(text))
        for kind in _FOCUS_KINDS:
            names = [match for match in found if match.term.kind == kind and match.term.id not in exclude]
            if names:
                match = names[-1] if kind in ("condition", "treatment") else names[0]
                return match.term.name
    return ""


def _put_focus(text: str, matches: Sequence[Match], earlier: Sequence[str], vocabulary: Vocabulary) -> str:
    """Replace the pronoun by what it stands for, if that is plain; otherwise the words stay as they were typed, and what was
    spoken of is added in brackets: a wrong word in the question is worse than none."""
    if not _focus(earlier, vocabulary):
        return f"{text.rstrip('?. ')} ({earlier[-1].rstrip('?. ')})?"
    if _AMONG.search(text):
        swapped = _AMONG.sub(r"\1 these", text)
        return f"{swapped[0].upper()}{swapped[1:].rstrip('?. ')} ({earlier[-1].rstrip('?. ')})?"
    thing = _only_thing(earlier, vocabulary)
    pronoun = _PRONOUN.search(_without_expletive(text))
    if thing and pronoun and pronoun.group().lower() in _REPLACED:
        name = f"the {thing}" if _takes_article(thing) else thing
        name = f"{name}'s" if pronoun.group().lower() in ("its", "their") else name
        text = f"{text[: pronoun.start()]}{name}{text[pronoun.end() :]}"
    return text[0].upper() + text[1:]


def _only_thing(earlier: Sequence[str], vocabulary: Vocabulary) -> str:
    """The name of the one thing that the newest question with any speaks of; "" if it speaks of several."""
    for question in reversed(earlier[-2:]):
        found = {
            match.term.id: match.term.name for match in vocabulary.find(question) if match.term.kind in TOPIC_KINDS
        }
        if found:
            return next(iter(found.values())) if len(found) == 1 else ""
    return ""


def _takes_article(name: str) -> bool:
    return bool(re.search(r"\b(?:muscle|nerve|artery|bursa|tendon|gluteus|fibres|test|sign)\b", name))


def _correct(text: str, last: str, vocabulary: Vocabulary) -> Standalone:
    """ "No, I meant the minimus": the last question with its own word of that kind replaced."""
    named = [match for match in vocabulary.find(text) if match.term.kind != "other"]
    if named:
        swapped = _swap(last, named, vocabulary)
        if swapped != last:
            return Standalone(swapped, "correction")
    return Standalone(f"{last.rstrip('?. ')}, {text}", "correction")


#: "A corticosteroid injection", but not "a platelet-rich plasma": such names go without.
_ARTICLE, _WITHOUT = re.compile(r"\ban? $", re.IGNORECASE), frozenset({"treatment", "drug", "condition"})
#: "And surgery?" after "does PRP help?" asks whether surgery does.
_CURES = dict.fromkeys(("treatment", "drug", "surgery"), "cure")


def _swap(last: str, named: Sequence[Match], vocabulary: Vocabulary) -> str:
    """``last`` with each named term put in the place of a term of the same kind, or of another cure."""
    for match in named:
        others = [m for m in vocabulary.find(last) if m.term.id != match.term.id]
        rivals = [m for m in others if m.term.kind == match.term.kind]
        if not rivals and match.term.kind in _CURES:  # "and with paracetamol?" goes with an operation
            rivals = [m for m in others if m.term.kind in _CURES and m.term.kind != "surgery"]
        if rivals:
            rival = rivals[0]
            before = _ARTICLE.sub("", last[: rival.start]) if match.term.kind in _WITHOUT else last[: rival.start]
            last = before + match.term.name + last[rival.end :]
    return last


def _fill_fragment(
    text: str, matches: Sequence[Match], earlier: Sequence[str], vocabulary: Vocabulary, points_back: bool
) -> Standalone:
    """Complete an elliptic question from the last one: swap a term of the same kind, or ask the new thing of the focus."""
    last = earlier[-1]
    fragment = _WHAT_ABOUT.sub("", text).strip().rstrip("?.! ") or text
    named = [match for match in matches if match.term.kind != "other"]
    attributes = question_attributes(fragment, vocabulary)
    own = _content(matches)
    if named and _BESIDE.match(fragment):
        return Standalone(f"{last.rstrip('?. ')}, {fragment[0].lower()}{fragment[1:]}?", "ellipsis")
    swapped = _swap(last, named, vocabulary) if named else last
    if swapped != last:
        return Standalone(swapped, "ellipsis")
    qualifies = [match for match in named if match.term.kind in _QUALIFIERS]
    if qualifies and len(qualifies) == len(named):
        return Standalone(f"{last.rstrip('?. ')}, {fragment}?", "ellipsis")
    if own and not points_back and any(m.term.kind in ("muscle", "exercise", "condition", "treatment") for m in own):
        return Standalone(f"{fragment[0].upper()}{fragment[1:]}?", "topic-shift")
    if not attributes and own and not any(match.term.kind in TOPIC_KINDS for match in own):
        return Standalone(f"{fragment[0].upper()}{fragment[1:]}: {last.rstrip('?. ')}?", "ellipsis")
    return Standalone(with_context(f"{fragment[0].upper()}{fragment[1:]}?", earlier, vocabulary), "ellipsis")


#: A question that names one of these can stand alone; others are about the thing spoken of before.
TOPIC_KINDS = frozenset(
    (
        "exercise",
        "condition",
        "treatment",
        "surgery",
        "muscle",
        "muscle-part",
        "nerve",
        "artery",
        "bursa",
        "test",
        "sign",
    )
)
_CONTEXT_TERMS = 3


def _replaced(earlier: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """What the last question put one other thing of its kind in the place of: "and the clamshell?" after the side plank."""
    if len(earlier) < 2:
        return []
    before, last = (_content(vocabulary.find(text)) for text in earlier[-2:])
    stayed = {match.term.id for match in before} & {match.term.id for match in last}
    named = Counter(_CURES.get(match.term.kind, match.term.kind) for match in last if match.term.id not in stayed)
    gone = (match.term for match in before if match.term.id not in stayed)
    return [term.name for term in gone if named[_CURES.get(term.kind, term.kind)] == 1]


def with_context(text: str, earlier: Sequence[str], vocabulary: Vocabulary) -> str:
    """The question with the things last spoken of in brackets, where it does not name them itself."""
    own = {match.term.id for match in vocabulary.find(text)}
    added: dict[str, None] = {}
    for question in reversed(earlier[-2:]):
        found = sorted(_content(vocabulary.find(question)), key=lambda match: _FOCUS_KINDS.index(match.term.kind))
        for match in found:
            covers = any(vocabulary.refines(match.term.id, other) for other in own)
            if not covers and len(added) < _CONTEXT_TERMS:
                added[match.term.name] = None
        if added:
            break
    if _CHOOSES.search(text):
        added.update(dict.fromkeys(_replaced(earlier, vocabulary)))
    if not added and not own and vocabulary.focus:
        added[vocabulary.terms[vocabulary.focus].name] = None
    if not added:
        return text
    return f"{text.rstrip('?.! ')} ({', '.join(added)})?"
