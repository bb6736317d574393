"""Bodies of replies as bytes. Pages of insights hold rows that are JSON texts already."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RowTexts:
    """The rows of a page, each a JSON object as a text; stands where a list of rows would."""

    texts: list[str]

    def __len__(self) -> int:
        return len(self.texts)


def body_text(body: Any) -> str:
    """A reply's body as JSON. Only the value of `data` may be `RowTexts`."""
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), RowTexts):
        return _json(body)
    rest = _json({key: value for key, value in body.items() if key != "data"})
    rows = f'{{"data":[{",".join(body["data"].texts)}]'
    return rows + "}" if rest == "{}" else f"{rows},{rest[1:]}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
