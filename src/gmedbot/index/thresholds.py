"""The thresholds of the two gates for one encoder: measured on dev questions, kept in a file, copied into a build.

``gmedbot index calibrate`` writes ``thresholds.json`` beside the sources; the package carries one for its own encoder.
An entry belongs to the weights of an encoder and to the fitted models whose probability it is held against
(``answer.ranking``): after a change of either it is another measure, and no longer used. Then, as for an encoder that
was never measured, a build holds no thresholds, and ``conversation.scope`` takes its defaults.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from gmedbot.data import packaged_record
from gmedbot.encoder import EncoderCard
from gmedbot.errors import UsageError

__all__ = ["FILE", "GATES", "fitted_digest", "keep_thresholds", "thresholds_for"]

FILE = "thresholds.json"
#: "answerable": the probability that any question needs. "scope": that of one that names nothing of the field.
GATES = ("answerable", "scope")
_FIX = "gmedbot index calibrate, or remove the file"


def thresholds_for(corpus: Path, encoder: EncoderCard) -> dict[str, float]:
    """What was measured for the encoder: on this corpus, else as packaged; empty if nothing was.

    Raises: UsageError if the corpus' file cannot be read or holds no probabilities.
    """
    path = corpus / FILE
    for record in (_read(path), packaged_record(FILE)):
        entry = record.get(encoder.digest)
        if entry is not None and entry.get("fitted") == fitted_digest():
            return {name: float(entry["thresholds"][name]) for name in GATES}
    return {}


@lru_cache(maxsize=1)
def fitted_digest() -> str:
    """Short hash of the packaged models that give the probability."""
    record = packaged_record("answer-weights.json")
    models = json.dumps([record[name] for name in ("ranking", "second", "follow_up", "joined", "gate")], sort_keys=True)
    return hashlib.sha256(models.encode()).hexdigest()[:12]


def keep_thresholds(
    path: Path, encoder: EncoderCard, thresholds: Mapping[str, float], measured: Mapping[str, Any]
) -> None:
    """Put the thresholds of an encoder into the file, whole or not at all; those of other encoders stay.

    Args: measured: how they came about, for people.
    """
    entry = {
        "model": encoder.model,
        "fitted": fitted_digest(),
        "thresholds": dict(thresholds),
        "measured": dict(measured),
    }
    record = {**_read(path), encoder.digest: entry}
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    fresh.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    os.replace(fresh, path)


def _read(path: Path) -> dict[str, Any]:
    """encoder digest → entry; nothing if there is no such file."""
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text("utf-8"))
        for entry in record.values():
            wrong = [name for name in GATES if not 0 <= float(entry["thresholds"][name]) <= 1]
            if wrong:
                raise ValueError(f"{wrong[0]} of {entry['model']} is no probability")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{path} must hold thresholds as gmedbot index calibrate writes them.", found, _FIX) from error
    return dict(record)
