"""A short text per row that changes when, and only when, what Meta said changes."""

from __future__ import annotations

import hashlib

import polars as pl

from zyenta_ads_pipeline.lake.schema import STAT_FIELDS, STAT_ITEMS
from zyenta_ads_pipeline.lake.tables import RAW_INSIGHTS

_BETWEEN_FIELDS, _BETWEEN_ITEMS, _BETWEEN_COLUMNS, _NULL = "\x1f", "\x1e", "\x1d", "\x00"
"""Control characters, which no text of Meta's holds; null differs from an empty text."""

_ASIDE = {*RAW_INSIGHTS.key, "content_hash", "observed_at", "run_id"}
HASHED: tuple[str, ...] = tuple(
    sorted(name for name in RAW_INSIGHTS.schema.names() if name not in _ASIDE)
)
"""The columns that are content, in the order in which they are hashed."""


def with_content_hash(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` (all columns of `HASHED`) with its `content_hash`, 32 hexadecimal digits.

    BLAKE2b over the texts in a fixed order, so that it is the same in any process and with any
    version of any library; the order of actions within a list does not count.
    """
    texts = frame.select(
        pl.concat_str(
            [_items(name) if frame.schema[name] == STAT_ITEMS else _text(name) for name in HASHED],
            separator=_BETWEEN_COLUMNS,
        )
    ).to_series()
    digest = hashlib.blake2b
    hashes = [digest(text.encode(), digest_size=16).hexdigest() for text in texts.to_list()]
    return frame.with_columns(pl.Series("content_hash", hashes, dtype=pl.String))


def _text(name: str) -> pl.Expr:
    return pl.col(name).fill_null(_NULL)


def _items(name: str) -> pl.Expr:
    item = pl.element().struct
    texts = [item.field(field).fill_null(_NULL) for field in STAT_FIELDS]
    joined = pl.col(name).list.eval(pl.concat_str(texts, separator=_BETWEEN_FIELDS))
    return joined.list.sort().list.join(_BETWEEN_ITEMS).fill_null(_NULL)
