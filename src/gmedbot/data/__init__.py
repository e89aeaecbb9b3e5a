"""Files that were fitted or trained by the programs in ``training/``."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

__all__ = ["packaged_record"]


def packaged_record(name: str) -> dict[str, Any]:
    """The JSON object in the packaged file ``name``."""
    record: dict[str, Any] = json.loads(resources.files(__name__).joinpath(name).read_text("utf-8"))
    return record
