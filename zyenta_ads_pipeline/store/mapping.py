"""From a row to a frozen dataclass with the same names, and back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row
from sqlalchemy.orm import DeclarativeBase

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    R = TypeVar("R", bound=DataclassInstance)
else:
    R = TypeVar("R")


def record(kind: type[R], row: DeclarativeBase | Row[Any], /, **more: Any) -> R:
    """A `kind` with the row's values; lists come as tuples, and `more` takes their place."""
    names = (each.name for each in fields(kind) if each.name not in more)
    values = {name: getattr(row, name) for name in names}
    frozen = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return kind(**frozen, **more)


def values_of(made: DataclassInstance, *, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """The dataclass's fields by name, not deep; sequences that are not texts come as tuples."""
    found = {
        each.name: getattr(made, each.name) for each in fields(made) if each.name not in leave_out
    }
    return {
        name: tuple(value) if isinstance(value, list | tuple) else value
        for name, value in found.items()
    }
