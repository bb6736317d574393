"""The `fields` parameter in the spellings that clients send.

Comma list `id,name`, JSON list `["id","name"]`, Python list `['id', 'name']`, and nesting
`creative{id,name}` or `adsets.limit(5){id}` inside any of them.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field

from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid

_NAME = re.compile(r"[A-Za-z0-9_]+")
_MODIFIER = re.compile(r"\.([a-z_]+)\(([^()]*)\)")


@dataclass(frozen=True)
class Field:
    """One wanted field; `children` are the fields wanted of the object or list behind it."""

    name: str
    children: tuple[Field, ...] = ()
    modifiers: dict[str, str] = field(default_factory=dict)


def parse_fields(text: str) -> tuple[Field, ...]:
    """The wanted fields, each once, in the order asked for; empty when none are named."""
    text = text.strip()
    if text.startswith("["):
        fields = [found for item in _listed(text) for found in _Reader(item).everything()]
    else:
        fields = _Reader(text).everything()
    return tuple({wanted.name: wanted for wanted in fields}.values())


def _listed(text: str) -> list[str]:
    try:
        items = json.loads(text)
    except ValueError:
        try:
            items = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise invalid(f"Param fields cannot be read: {text[:80]!r}") from None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise invalid("Param fields must be a list of names")
    return items


class _Reader:
    """A cursor over one text of the nested notation."""

    def __init__(self, text: str) -> None:
        self.text = "".join(text.split())
        self.at = 0

    def everything(self) -> list[Field]:
        found = self._fields()
        if self.at != len(self.text):
            raise self._unreadable()
        return found

    def _fields(self) -> list[Field]:
        found: list[Field] = []
        while self.at < len(self.text) and self.text[self.at] != "}":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            found.append(self._field())
        return found

    def _field(self) -> Field:
        name = _NAME.match(self.text, self.at)
        if name is None:
            raise self._unreadable()
        self.at = name.end()
        modifiers: dict[str, str] = {}
        while (modifier := _MODIFIER.match(self.text, self.at)) is not None:
            modifiers[modifier[1]] = modifier[2]
            self.at = modifier.end()
        children: list[Field] = []
        if self.text[self.at : self.at + 1] == "{":
            self.at += 1
            children = self._fields()
            if self.text[self.at : self.at + 1] != "}":
                raise self._unreadable()
            self.at += 1
        if self.at < len(self.text) and self.text[self.at] not in ",}":
            raise self._unreadable()
        return Field(name[0], tuple(children), modifiers)

    def _unreadable(self) -> GraphError:
        rest = self.text[self.at : self.at + 40]
        return GraphError(2500, f"Syntax error in fields at character {self.at}: {rest!r}")
