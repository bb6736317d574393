"""Drawn charts kept in the process: the same numbers are not drawn twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache, wraps
from typing import ParamSpec

import polars as pl

MOST_KEPT = 256
"""Pictures that are kept, those asked for last: some 10 kB each."""

Given = ParamSpec("Given")


@dataclass(frozen=True)
class _Call:
    """A drawing to be made: equal to another where its function and what it draws are."""

    key: Hashable
    draw: Callable[[], str] = field(compare=False)


@lru_cache(maxsize=MOST_KEPT)
def _drawn(call: _Call) -> str:
    return call.draw()


def kept(draw: Callable[Given, str]) -> Callable[Given, str]:
    """`draw`, which gives the same text for the same arguments, asked once for each."""

    @wraps(draw)
    def once(*args: Given.args, **kwargs: Given.kwargs) -> str:
        key = (draw.__module__, draw.__qualname__, content(args), content(kwargs))
        return _drawn(_Call(key, lambda: draw(*args, **kwargs)))

    return once


def content(value: object) -> Hashable:
    """What `value` says, as a key: frames by a hash of each row."""
    if isinstance(value, pl.DataFrame):
        schema = tuple((name, str(kind)) for name, kind in value.schema.items())
        return schema, tuple(value.hash_rows().to_list())
    if isinstance(value, dict):
        return tuple((name, content(each)) for name, each in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(content(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(content(getattr(value, each.name)) for each in fields(value))
    return value if isinstance(value, Hashable) else repr(value)
