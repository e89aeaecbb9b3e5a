"""Text that stays text: whatever stands in a document is shown and does nothing."""

from __future__ import annotations

import re

__all__ = ["disarm", "without_markup"]

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
