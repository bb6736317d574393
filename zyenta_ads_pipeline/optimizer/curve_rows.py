"""Response curves as rows of a table and back, exactly: what the lake keeps of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.curves import Curves, Model

_LISTS = ("weight", "alpha", "u", "paa", "pau", "puu")
_NUMBERS = ("ref", "log_order", "var_log_order", "largest_spend", "conversions")
_MODEL = ("family", "drift", "prior_elasticity")

CURVE_ROWS: Mapping[str, Any] = MappingProxyType(
    {
        "object_id": pl.String,
        "day": pl.Date,
        "family": pl.List(pl.String),
        "drift": pl.List(pl.Float64),
        "prior_elasticity": pl.List(pl.Float64),
        **dict.fromkeys(_LISTS, pl.List(pl.Float64)),
        **dict.fromkeys(_NUMBERS, pl.Float64),
        "days_seen": pl.Int64,
        "weekday": pl.List(pl.Float64),
    }
)
"""One row per object; names as in `Curves`. Lists have one entry per model of the bank, `weekday`
seven. `family`, `drift` and `prior_elasticity` are the bank's, repeated in each row."""


def to_rows(curves: Curves) -> pl.DataFrame:
    """One row per object, in the order of the ids, with the columns of `CURVE_ROWS`."""
    count = len(curves.ids)
    bank = list(zip(*curves.models, strict=True)) or [(), (), ()]
    columns: dict[str, pl.Series | list[Any]] = {
        "object_id": list(curves.ids),
        "day": [curves.day] * count,
        **{name: [list(each)] * count for name, each in zip(_MODEL, bank, strict=True)},
        **{name: getattr(curves, name).T.tolist() for name in _LISTS},
        **{name: getattr(curves, name).tolist() for name in _NUMBERS},
        "days_seen": curves.days_seen.tolist(),
        "weekday": [curves.weekday.tolist()] * count,
    }
    return pl.DataFrame(
        [pl.Series(name, columns[name], dtype=kind) for name, kind in CURVE_ROWS.items()]
    )


def from_rows(frame: pl.DataFrame) -> Curves:
    """The curves that `to_rows` wrote, in the order of their ids, whatever the order of the rows.

    Raises `InputError` where the rows are not of one fit: none at all, several days or banks, an
    object given twice.
    """
    rows = frame.select(pl.col(name).cast(kind) for name, kind in CURVE_ROWS.items())
    rows = rows.sort("object_id")
    shared = ("day", *_MODEL, "weekday")
    for name in shared:
        if rows[name].n_unique() != 1:
            raise _not_one_fit(f"they have {rows[name].n_unique()} different values of {name}")
    if rows["object_id"].n_unique() != rows.height:
        raise _not_one_fit("an object is there twice")
    models = tuple(
        Model(*each) for each in zip(*(rows[name][0].to_list() for name in _MODEL), strict=True)
    )
    return Curves(
        day=rows["day"][0],
        ids=tuple(rows["object_id"]),
        models=models,
        **{name: _matrix(rows[name], len(models)) for name in _LISTS},
        **{name: rows[name].to_numpy() for name in _NUMBERS},
        days_seen=rows["days_seen"].to_numpy(),
        weekday=_matrix(rows["weekday"], 7)[:, 0].copy(),
    )


def _matrix(column: pl.Series, length: int) -> Any:
    """Lists of `length` numbers as an array with one column per row of the frame."""
    if not (column.list.len() == length).all():
        raise _not_one_fit(f"{column.name} does not have {length} entries everywhere")
    flat = column.explode(empty_as_null=False).to_numpy() if column.len() else np.zeros(0)
    return np.ascontiguousarray(flat.reshape(column.len(), length).T)


def _not_one_fit(why: str) -> InputError:
    return InputError(
        f"These rows are not the response curves of one fit: {why}.",
        "Take the rows of one account, level and day.",
    )
