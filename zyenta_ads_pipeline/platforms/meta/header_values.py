"""JSON objects and numbers out of what Meta sends on the side: headers, `error_data`.

Nothing of it is promised, so whatever cannot be read is as good as not sent.
"""

from __future__ import annotations

import json
import math
from typing import Any


def json_object(text: str | None) -> dict[str, Any]:
    """The JSON object that a text holds; empty for anything else."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def number(value: Any) -> float | None:
    """A finite number from 0 on, also one written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if 0 <= found < math.inf else None
