"""Parameters as they travel: each a text, in an address, in a form, or in a form beside a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

FORM_TYPE = "application/x-www-form-urlencoded"

_LONG = 10_000
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a form, in the part called `field`."""

    field: str
    name: str
    content: bytes


def encoded(values: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as Graph wants them: lists, objects and booleans each as JSON text."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in values.items()
        if value is not None
    }


def query(values: Mapping[str, str]) -> str:
    """Encoded parameters as they stand in an address."""
    return urlencode(values, quote_via=quote)


def form(values: Mapping[str, str]) -> bytes:
    """Encoded parameters as a form's body, of type `FORM_TYPE`."""
    return "&".join(f"{quote_plus(name)}={_quoted(text)}" for name, text in values.items()).encode()


def _quoted(text: str) -> str:
    """`quote_plus` makes an object of each character, which for an image's base64 are millions."""
    if len(text) > _LONG and _BASE64.fullmatch(text):
        return text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return quote_plus(text)
