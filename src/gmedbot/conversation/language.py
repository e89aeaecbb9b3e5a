"""Is a question in another language than English? Asked of a library, and only when most words are unknown."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

__all__ = ["other_language"]

_WORD = re.compile(r"[^\W\d_]{2,}")
_MIN_WORDS = 3
#: Below this share of known words a question may be in another language; typing errors alone do not get there.
_KNOWN_SHARE = 0.6
_SURE = 0.45  # names and terms of the field pull every language towards others
_NAMES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish", "fi": "Finnish", "fr": "French",
    "hi": "Hindi", "hu": "Hungarian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip


def other_language(question: str, knows: Callable[[str], bool]) -> str | None:
    """The English name of the question's language, or None if it is English or cannot be told.

    Args: knows: whether a word in lower case is one of English or of the vocabulary.
    """
    words = _WORD.findall(question.lower())
    is_other_script = any(ord(letter) > 0x36F for word in words for letter in word)
    if not is_other_script and (len(words) < _MIN_WORDS or sum(map(knows, words)) >= _KNOWN_SHARE * len(words)):
        return None
    code, probability = _identifier().classify(question)
    return _NAMES.get(code) if probability >= _SURE else None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(["en", *_NAMES])
    return identifier
