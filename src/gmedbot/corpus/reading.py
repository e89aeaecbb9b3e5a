"""What a reader of one kind of file hands on, and the dates that texts state of themselves."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from gmedbot.corpus.metadata import PageFacts

__all__ = ["Form", "Reading", "stated_year"]

Form = Literal["html", "pdf", "docx", "markdown", "text"]


@dataclass
class Reading:
    """What a reader got: Markdown not yet cleaned, facts, notes on what went, and the front matter if it had one."""

    form: Form
    text: str
    facts: PageFacts
    dropped: Counter[str] = field(default_factory=Counter)
    front_matter: dict[str, Any] = field(default_factory=dict)


def stated_year(text: str) -> int | None:
    """The year in which a text says that it was published, or that of a citation line ("2018;12:201")."""
    cited = re.search(r"\b((?:19|20)\d\d)\s?;\s?\d{1,4}\s?(?:\(|:)", text)
    if cited is not None:
        return int(cited.group(1))
    match = re.search(
        r"(?:updated|published|accepted|received|reviewed|©|copyright|\(c\))[^\n]{0,40}?\b((?:19|20)\d\d)\b",
        text,
        re.IGNORECASE,
    )
    return int(match.group(1)) if match else None
