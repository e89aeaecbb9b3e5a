"""Text that stays text: whatever stands in a document is shown and does nothing.

And which sentences are statements about the subject: what is said to a program, of all other sources, or in markup
that a page might run is none. It may stand in a file; nothing quotes it.
"""

from __future__ import annotations

import re

__all__ = ["disarm", "is_statement", "is_to_machine", "without_markup"]

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_DEAD_TAGS = re.compile(
    r"<(script|style)\b[^>]*>.*?(?:</\1\s*>|(?=\n\s*\n)|\Z)|<(iframe|object|embed|form|svg|template|noscript)\b[^>]*>.*?</\2\s*>",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][\w:-]*(?:\s[^<>]*)?/?>")
_IMAGE = re.compile(r"!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_LINK = re.compile(r"\[([^\]\n]+)\](?:\([^)\n]*\)|\[[^\]\n]*[^\]\d\n,–-][^\]\n]*\])")
_LINK_TARGET = re.compile(r"(?m)^[ \t]{0,3}\[[^\]\n]+\]:\s*\S+.*$")
_AUTOLINK = re.compile(r"<((?:https?|mailto|ftp)[^<>\s]*)>", re.IGNORECASE)
_MACHINE_TOKEN = re.compile(
    r"<\|[^|<>\n]{0,40}\|>|\[/?INST\]|<</?SYS>>|\{[%{].*?[%}]\}|^(?:###\s*)?(?:system|assistant|human|user)\s*:\s*",
    re.IGNORECASE | re.MULTILINE,
)
_MARKUP = re.compile(r"<[a-zA-Z/!?]|\]\(|!\[|`")

#: Sentences that speak to a program and not to a reader. They are no claims of the source about its subject.
_TO_MACHINE = re.compile(
    r"\b(?:(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instructions?|prompts?|sources?|rules|corpus|above|guidelines|context)|"
    r"(?:instructions?|notes?|messages?|commands?|orders?)\s+(?:for|to)\s+(?:the\s+|any\s+|all\s+)?(?:chat\s?bots?|AIs?|assistants?|language models?|LLMs?|models?|bots?|crawlers?)|"
    r"(?:dear|hey|attention)\s+(?:AI|chat\s?bots?|assistants?|LLMs?|language models?)\b|"
    r"as an? (?:AI|language model)\b|you are (?:now )?(?:a|an|the)\s+(?:AI|assistant|chat\s?bot|language model|DAN)\b|"
    r"(?:system|developer)\s+(?:prompt|message|override)|(?:new|updated)\s+system\s+instructions?|jailbreak|"
    r"(?:the\s+)?(?:AI|chat\s?bots?|assistants?|LLMs?|language models?)\s+(?:must|should|shall|has to|have to|will now)\b|"
    r"end every answer with|answer only (?:in|with)|reveal (?:your|the) (?:prompt|instructions)|operator override|"
    r"say that (?:the|this) (?:answer|site)|(?:assistant|AI|chat\s?bot|prompt)\s*:\s|decode and obey|run the tool call)",
    re.IGNORECASE,
)
#: Sentences that judge all other sources, or claim to be the only one: they say nothing that could be compared.
_OF_OTHERS = re.compile(
    r"\b(?:(?:all|every|any|most|many|the) (?:of the )?(?:other|another) (?:sources?|books?|textbooks?|pages?|web ?sites?|sites?|articles?|stud(?:y|ies)|papers?|"
    r"authors?|experts?|doctors?|physio\w*|guidelines?|texts?)\b[^.;]{0,40}\b(?:wrong|false|mistaken|incorrect|lies?|lying|lied|outdated|fakes?|untrue|rubbish|nonsense)\b|"
    r"(?:only|just) (?:this|our|my) (?:sources?|book|page|web ?site|site|article|text|study|paper)\b|"
    r"(?:this|our|my) (?:sources?|book|page|web ?site|site|article|text|study|paper) is (?:the )?(?:only|one true|sole)\b|"
    r"(?:do not|don't|never) (?:trust|believe|read|cite|quote|use) (?:any |all |the )?other (?:sources?|books?|pages?|web ?sites?|sites?|articles?|stud(?:y|ies)|papers?))",
    re.IGNORECASE,
)
#: Markup that a page might run or load. A bare tag for a raised or a bold letter is none.
_LIVE = re.compile(
    r"<[a-zA-Z][\w:-]*\s[^<>]*=|<(?:script|style|iframe|object|embed|form|svg|template|link|meta|base)\b|!\[[^\]\n]*\]\(",
    re.IGNORECASE,
)


def disarm(text: str) -> str:
    """Text that stays text in any Markdown reader or page: tags, images and link targets gone, "<" set apart."""
    text = _DEAD_TAGS.sub(" ", _COMMENT.sub(" ", text))
    text = _LINK_TARGET.sub("", _IMAGE.sub("", text))
    text = _AUTOLINK.sub(r"\1", _LINK.sub(r"\1", text))
    text = _TAG.sub("", text)
    text = _MACHINE_TOKEN.sub("", text)
    text = re.sub(r"<(?=[a-zA-Z/!?])", "< ", text)
    text = re.sub(r"\b(?:javascript|vbscript|data):(?=\S)", "", text, flags=re.IGNORECASE)
    text = re.sub(r"\](?=\()", "] ", text)
    return text.replace("`", "'")


def without_markup(text: str) -> str:
    """A sentence, title or heading as a reader sees it: no HTML, link, image or code mark; plain text is unchanged."""
    return " ".join(disarm(text).split()) if _MARKUP.search(text) else text


def is_to_machine(text: str) -> bool:
    """Whether a text holds words to a program instead of its reader ("ignore your instructions")."""
    return _TO_MACHINE.search(text) is not None


def is_statement(sentence: str) -> bool:
    """Whether a sentence may be quoted as a statement about the subject; its text stays in its passage if not."""
    return not (is_to_machine(sentence) or _OF_OTHERS.search(sentence) or _LIVE.search(sentence))
