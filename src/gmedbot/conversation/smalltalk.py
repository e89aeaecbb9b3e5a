"""Greetings, thanks and questions about the program itself: answered kindly, never searched."""

from __future__ import annotations

import re

__all__ = ["small_talk"]

_END = r"[\s!.,?:)]*$"
_REPLIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"^(?:hi+|hello|hey+|hiya|good (?:morning|afternoon|evening|day)|greetings)(?: there| gmedbot| bot)?" + _END, re.IGNORECASE),
        "Hello! I answer questions about the {subject}, each sentence with its source. Ask away.",
    ),
    (
        re.compile(r"^(?:(?:ok(?:ay)?|great|cool|perfect|nice|super|wow)[\s,!.]*)*(?:thanks?(?: you)?(?: so much| a lot| very much)?|thx|ty|cheers|much appreciated)(?:[\s,!.]*(?:that(?:'s| is| was)? )?(?:helpful|great|very helpful|helps?|helped))?" + _END, re.IGNORECASE),
        "You are welcome. Open any number behind a sentence to read it in its source.",
    ),
    (
        re.compile(r"^(?:bye|goodbye|see you|see ya|good ?night)(?: bye| then| later)?" + _END, re.IGNORECASE),
        "Goodbye, and good luck with the {subject}.",
    ),
    (
        re.compile(r"^(?:who|what) (?:are|r) (?:you|u)(?: (?:and|who|what)\b.*)?" + _END + r"|^what(?:'s| is) (?:this|gmedbot|your name)" + _END
                   + r"|^(?:what (?:can|do) (?:you|i)(?: do| know| ask(?: you)?)?|how (?:do you work|does this work|can you help(?: me)?)|help)(?: about)?" + _END
                   + r"|^are you (?:a |an )?(?:bot|robot|human|person|ai|real|chatgpt|doctor)(?: or\b.*)?" + _END + r"|^who (?:made|built|created|wrote) (?:you|this)" + _END, re.IGNORECASE),
        "I am gmedbot, a program that looks up what published sources say about the {subject}: anatomy, function, "
        "exercises, injury and care. Every sentence I show is a quote with its source; where sources disagree I show "
        "both sides. I am no doctor and I do not guess.",
    ),
)  # fmt: skip


def small_talk(question: str, subject: str) -> str | None:
    """The reply to a message that asks nothing of the sources; None for every other message."""
    text = " ".join(question.split())
    for pattern, reply in _REPLIES:
        if pattern.match(text):
            return reply.format(subject=subject)
    return None
