"""What a question takes for granted: "since it inserts on the lesser trochanter, …" → "it inserts on the lesser trochanter".

A question may rest on something that the sources deny. What it presupposes is read from its form here; whether the
sources deny it is for ``answer.premise`` to find out.
"""

from __future__ import annotations

import re

from gmedbot.retrieval.understand import CHECKED

__all__ = ["premise_of"]

_GIVEN = r"since|because|as|if|given(?: that)?|seeing (?:that|as)|considering(?: that)?|knowing(?: that)?|now that"
_AFFIRMED = r"is|are|was|were|do|does|did|has|have|had|can|could|should|will|would|must"
_AUXILIARY = rf"{_AFFIRMED}|isn't|aren't|doesn't|don't|can't|won't"
#: What begins with one of these is asked, not said.
_ASKED = rf"which|what|how|where|when|who|why|{_AUXILIARY}"
#: "my slides say", "a video claims", "someone told me"
_CLAIMED = (
    r"(?:i(?:'ve| have)? (?:read|heard|learned|learnt|thought|was told|saw|been told)"
    r"|(?:my|our|his|her|their|the|this|that|an?|one) [\w' ]{3,30}? (?:says?|said|claim(?:s|ed)?|state[sd]?|write|writes|wrote|teach(?:es)?|taught (?:me|us)|told (?:me|us)|thinks?)"
    r"|(?:they|people|some|everyone|everybody|someone|somebody) (?:say|claim|think|know|said|told (?:me|us))s?) (?:that )?"
)
_FORMS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # "my slides say that X. Is that right?", "X, please confirm", "can you confirm that X?", "is it true that X?"
        rf"^(?:{_CLAIMED})?(?P<said>(?!(?:{_ASKED})\b)[^?]+?)[,.;:]\s+{CHECKED}",
        r"^(?:(?:can|could) you )?(?:please )?confirm (?:that |whether )?(?P<said>[^?]+)\?*$",
        r"^is it (?:true|correct|right|the case)(?: to say)? that (?P<said>[^?]+)\?*$",
        # "since X, does …?"
        rf"^(?:{_GIVEN})\s+(?P<said>[^,?]+),\s*(?:so\s+|then\s+)?(?P<rest>what|which|how|why|where|when|who|{_AUXILIARY})\b",
        # "… because X?"
        r"[,\s](?:since|because|given that|seeing (?:that|as)|considering that)\s+(?P<said>[^?]+)\?*$",
        # "X, right?", "X, isn't it?"
        rf"^(?P<said>(?!(?:{_ASKED})\b).+?),\s*(?:right|correct|yes|no|true|eh|innit|(?:{_AUXILIARY}|aren't|haven't|didn't)\s+(?:it|they|that|he|she|you|we|there))\s*\?+$",
        # "I read that X. Is …?"
        rf"^{_CLAIMED}(?P<said>[^.;?]+)[.;,]\s+(?P<rest>\S)",
        # "why does X …?": the inversion is undone
        rf"^(?:so |but |and )?why (?:{_AFFIRMED})\s+(?P<said>[^?]+)\?*$",
        r"^(?:so |but |and )?how come (?P<said>[^?]+)\?*$",
    )
)
_HEDGE = re.compile(
    r"^(?:it(?:'s| is) (?:settled|known|clear|proven|a fact|true)(?: that)?|(?:everybody|everyone) knows(?: that)?"
    r"|(?:all )?(?:doctors|experts|physios) (?:agree|say)(?: that)?|i (?:think|believe|guess)(?: that)?|so|but|and)\s+",
    re.IGNORECASE,
)
_LEAST_WORDS = 4


def premise_of(question: str) -> tuple[str, str]:
    """The statement that a question rests on, and what it asks beside it; "" where its form tells neither.

    The rest is "" if the premise is what is asked about ("why does X …?", "X, right?").
    """
    text = " ".join(question.split())
    for form in _FORMS:
        match = form.search(text)
        if match is not None:
            said = _HEDGE.sub("", match["said"].strip(" ,."))
            rest = text[match.start("rest") :] if "rest" in form.groupindex else ""
            return (said, rest) if len(said.split()) >= _LEAST_WORDS else ("", "")
    return "", ""
