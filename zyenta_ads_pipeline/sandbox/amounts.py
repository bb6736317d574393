"""Decimal texts as whole numbers and back, whole columns at a time, and exact sums of them.

A column of plain texts (`12.34`) becomes whole numbers at one scale (1234 at scale 2), which
add up exactly. What is not plain, or too long for 64 bits, goes by Python's `Decimal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

import numpy as np
import numpy.typing as npt
import polars as pl

_PLAIN = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$"
_MOST_DIGITS = 18
_LARGEST_SUM = 2**62
_EXACT = Context(prec=400)


def exact_sum(texts: Iterable[str]) -> Decimal:
    """The sum of decimal texts, exact whatever their number of digits."""
    with localcontext(_EXACT):
        return sum(map(Decimal, texts), Decimal(0))


def sum_text(texts: Sequence[str]) -> str:
    """The sum as a text; a single text comes back untouched."""
    return texts[0] if len(texts) == 1 else format(exact_sum(texts), "f")


def whole(text: str) -> tuple[int, int]:
    """A decimal text as a whole number and its number of decimals."""
    with localcontext(_EXACT):
        value = Decimal(text)
        exponent = value.as_tuple().exponent
        decimals = max(0, -exponent) if isinstance(exponent, int) else 0
        return int(value.scaleb(decimals)), decimals


def decimal_text(value: int, decimals: int) -> str:
    """The inverse of `whole`."""
    digits = str(value).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


@dataclass(frozen=True)
class Scaled:
    """A column of plain texts: `values` is the text times ten to the `scale`, null where it is.

    `decimals` are each text's own, or one number where all have the same.
    """

    values: pl.Series
    decimals: pl.Series | int
    scale: int

    def own(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Each text without its point, and its own decimals; 0 where nothing happened."""
        values = self.values.fill_null(0).to_numpy()
        if isinstance(self.decimals, int):
            return values, np.full(len(values), self.decimals, dtype=np.int64)
        decimals = self.decimals.fill_null(0).to_numpy().astype(np.int64)
        return values // 10 ** (self.scale - decimals), decimals


def scaled(texts: pl.Series) -> Scaled | None:
    """The texts as whole numbers; None when they are not all plain, or too long to be summed."""
    plain = texts.str.contains(_PLAIN).all()
    if not plain:
        return None
    length, point = texts.str.len_bytes().cast(pl.Int64), texts.str.find(".", literal=True)
    decimals = (length - 1 - point.cast(pl.Int64)).fill_null(0)
    decimals = pl.select(pl.when(texts.is_not_null()).then(decimals)).to_series()
    scale = decimals.max()
    if scale is None:
        return Scaled(texts.cast(pl.Int64), 0, 0)
    assert isinstance(scale, int)  # noqa: S101 - the largest of a column of integers
    uniform = decimals.min() == scale
    longest = point.cast(pl.Int64).fill_null(length).max()
    if not isinstance(longest, int) or longest + scale > _MOST_DIGITS:
        return None
    values = texts.str.replace(".", "", literal=True).cast(pl.Int64)
    if not uniform:
        values = pl.select(values * pl.lit(10, pl.Int64).pow(scale - decimals)).to_series()
    largest = values.max()
    if isinstance(largest, int) and largest * max(1, len(values)) > _LARGEST_SUM:
        return None
    return Scaled(values, scale if uniform else decimals, scale)


def texts_of(values: pl.Series, decimals: pl.Series | int, scale: int) -> pl.Series:
    """Whole numbers at a scale as texts with these decimals."""
    if isinstance(decimals, int):
        return pl.select(_text(values // 10 ** (scale - decimals), decimals)).to_series()
    chain = pl.lit(None, pl.String)
    for each in decimals.unique().drop_nulls().to_list():
        shown = _text(values // 10 ** (scale - each), each)
        chain = pl.when(decimals == each).then(shown).otherwise(chain)
    found = pl.select(chain).to_series()
    return found if len(found) == len(values) else found.new_from_index(0, len(values))


def _text(values: pl.Series, decimals: int) -> pl.Expr:
    if not decimals:
        return pl.lit(values).cast(pl.String)
    unit = 10**decimals
    fraction = pl.lit(values % unit).cast(pl.String).str.zfill(decimals)
    return pl.lit(values // unit).cast(pl.String) + "." + fraction


def grouped_sums(frame: pl.DataFrame, keys: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """Per group of `keys`, in order of first appearance, the exact sums of the amounts `names`.

    A sum has the most decimals of its texts; where nothing happened it is null.
    """
    columns: list[pl.Series] = []
    ways: dict[str, Scaled | None] = {}
    for number, name in enumerate(names):
        way = ways[name] = scaled(frame[name])
        if way is None:
            columns.append(frame[name].alias(f"t{number}"))
            continue
        columns.append(way.values.alias(f"v{number}"))
        if not isinstance(way.decimals, int):
            columns.append(way.decimals.alias(f"d{number}"))
    sums: list[pl.Expr] = []
    for number, (_, way) in enumerate(ways.items()):
        if way is None:
            sums.append(pl.col(f"t{number}").drop_nulls())
            continue
        value = pl.col(f"v{number}")
        sums.append(pl.when(value.count() > 0).then(value.sum()))
        if not isinstance(way.decimals, int):
            sums.append(pl.col(f"d{number}").max())
    found = (
        frame.select(*keys)
        .with_columns(columns)
        .group_by(list(keys), maintain_order=True)
        .agg(sums)
    )
    texts: list[pl.Series] = []
    for number, (name, way) in enumerate(ways.items()):
        if way is None:
            lists = found[f"t{number}"].to_list()
            summed = [sum_text(each) if each else None for each in lists]
            texts.append(pl.Series(name, summed, pl.String))
            continue
        decimals = way.decimals if isinstance(way.decimals, int) else found[f"d{number}"]
        texts.append(texts_of(found[f"v{number}"], decimals, way.scale).alias(name))
    return found.select(*keys).with_columns(texts)
