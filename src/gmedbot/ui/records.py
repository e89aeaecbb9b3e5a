"""An answer as a plain record and back: what the browser keeps of a conversation, and sends again to be shown.

The browser is not trusted: a record is read with the same types as ``Answer``, its size is bounded, and the
views escape every text in it, so a forged record can only show its forger their own words.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gmedbot.types import Answer

__all__ = ["MAX_RECORD_CHARS", "RecordError", "answer_to_record", "record_to_answer"]

#: An answer with its quotes is 5–30 kB; more than this is not an answer of ours.
MAX_RECORD_CHARS = 400_000

_ADAPTER: TypeAdapter[Answer] = TypeAdapter(Answer)


class RecordError(ValueError):
    """The record is not an answer: made by another version, damaged or forged."""


def answer_to_record(answer: Answer) -> dict[str, Any]:
    """Every field of the answer as JSON values, without the timings (they are nobody's to keep)."""
    record = dataclasses.asdict(answer)
    record["timings_ms"] = {}
    loaded: dict[str, Any] = json.loads(json.dumps(record))
    return loaded


def record_to_answer(record: object) -> Answer:
    """The answer in a record. Raises: RecordError if it is none."""
    try:
        text = json.dumps(record)
        if len(text) > MAX_RECORD_CHARS:
            raise RecordError(f"a record of {len(text)} characters; {MAX_RECORD_CHARS} is the most")
        return _ADAPTER.validate_json(text)
    except (ValidationError, TypeError, ValueError) as error:
        raise RecordError(str(error)) from error
