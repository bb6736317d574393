"""The parameters of a write, each read as the type that it must have."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from zyenta_ads_pipeline.domain.time import zone
from zyenta_ads_pipeline.sandbox.write_errors import missing, wrong

LONGEST_NAME = 400
_LARGEST = 2**63 - 1
_WORDS = {"true": True, "1": True, "false": False, "0": False}


class Asked:
    """Parameters as texts, `timezone` being the zone of times without an offset.

    Every reader gives None for a parameter that was not sent or is empty, and raises `GraphError`
    100, naming it, for one that has another form.
    """

    def __init__(self, params: Mapping[str, str], timezone: str) -> None:
        self.params = params
        self._timezone = timezone

    def __contains__(self, name: str) -> bool:
        return self.params.get(name, "") != ""

    def need(self, *names: str) -> None:
        """Refuse the call unless all of these were sent."""
        for name in names:
            if name not in self:
                raise missing(name)

    def text(self, name: str, longest: int = LONGEST_NAME) -> str | None:
        """A text that is not blank."""
        if name not in self:
            return None
        text = self.params[name]
        if not text.strip() or len(text) > longest:
            raise wrong(name, f"Param {name} must have 1 to {longest} characters")
        return text

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """One word out of a list."""
        if name not in self:
            return None
        if self.params[name] not in allowed:
            raise wrong(name, f"Param {name} must be one of {{{', '.join(allowed)}}}")
        return self.params[name]

    def whole(self, name: str, least: int = 0) -> int | None:
        """A whole number from `least` on."""
        if name not in self:
            return None
        text = self.params[name]
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= _LARGEST:
            raise wrong(name, f"Param {name} must be an integer of {least} or more")
        return int(text)

    def flag(self, name: str) -> bool | None:
        """True or false."""
        if name not in self:
            return None
        found = _WORDS.get(self.params[name].lower())
        if found is None:
            raise wrong(name, f"Param {name} must be a boolean")
        return found

    def object(self, name: str) -> dict[str, Any] | None:
        """A JSON object."""
        value = self.json(name)
        if value is None or isinstance(value, dict):
            return value
        raise wrong(name, f"Param {name} must be a JSON object")

    def array(self, name: str) -> list[Any] | None:
        """A JSON array."""
        value = self.json(name)
        if value is None or isinstance(value, list):
            return value
        raise wrong(name, f"Param {name} must be a JSON array")

    def texts(self, name: str, allowed: Collection[str] | None = None) -> list[str] | None:
        """A JSON array of texts, or one bare word; all of them in `allowed`."""
        if name not in self:
            return None
        text = self.params[name]
        items = [text] if text.replace("_", "").isalnum() else self.array(name)
        if items is None or not all(isinstance(item, str) for item in items):
            raise wrong(name, f"Param {name} must be an array of strings")
        for number, item in enumerate(items):
            if allowed is not None and item not in allowed:
                listed = ", ".join(allowed)
                raise wrong(name, f"Param {name}[{number}] must be one of {{{listed}}}")
        return items

    def json(self, name: str) -> Any:
        """A JSON value; a Python spelling such as `{'a': 1}` is none."""
        if name not in self:
            return None
        text = self.params[name]
        try:
            return json.loads(text)
        except ValueError:
            raise wrong(name, f"Param {name} must be valid JSON, not {text[:80]!r}") from None

    def moment(self, name: str) -> datetime | None:
        """A time, UTC, from ISO 8601 or unix seconds; a bare 0 is none."""
        if name not in self or self.params[name] == "0":
            return None
        text = self.params[name]
        try:
            if text.isascii() and text.isdigit():
                return datetime.fromtimestamp(int(text), UTC)
            found = datetime.fromisoformat(text)
        except (ValueError, OverflowError, OSError):
            raise wrong(name, f"Param {name} must be a time, not {text[:40]!r}") from None
        return (found if found.tzinfo else found.replace(tzinfo=zone(self._timezone))).astimezone(
            UTC
        )


def id_of(value: Any, name: str) -> str:
    """An object id, as digits, from a JSON text or number; `name` is to blame for another."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit()):
        raise wrong(name, f"Param {name} must be the id of an object, not {str(value)[:40]!r}")
    return text


def known_keys(value: Mapping[str, Any], allowed: Collection[str], name: str) -> None:
    """Refuse an object that has another key than these."""
    for key in value:
        if key not in allowed:
            raise wrong(name, f'Invalid keys "{key}" were found in param "{name}".')


def objects_in(value: Any, name: str) -> Sequence[dict[str, Any]]:
    """A JSON array whose items are objects."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise wrong(name, f"Param {name} must be an array of objects")
    return value


def words_in(value: Any, allowed: Collection[str], name: str) -> list[str]:
    """A JSON array whose items are words out of `allowed`."""
    if not isinstance(value, list):
        raise wrong(name, f"Param {name} must be an array of strings")
    for item in value:
        if not isinstance(item, str) or item not in allowed:
            raise wrong(name, f"Param {name} has an unknown entry {item!r}")
    return value
