"""Reading a replay file of ad days: CSV, Parquet or JSON lines, all columns as texts."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError

REQUIRED = (
    "date", "account_id", "currency", "timezone", "campaign_id", "campaign_name", "adset_id",
    "ad_id", "impressions", "clicks", "spend",
)  # fmt: skip
_IDS = ("account_id", "campaign_id", "adset_id", "ad_id")
_WHOLE = ("impressions", "clicks")
ALLOWED = f"{', '.join(REQUIRED)}, and any actions.<type> and action_values.<type>"


def content_hash(path: Path) -> str:
    """The SHA-256 of a file, in hex. `InputError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"The replay {path} cannot be read: {error.strerror}.", "Check the path."
        ) from None


def read_table(path: Path) -> pl.DataFrame:
    """The file's rows with every column as text and empty cells as null.

    Raises `InputError` for a form that cannot be read and for missing or unknown columns.
    """
    try:
        raw = _read(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise InputError(
            f"The replay {path} cannot be read: {first_line}.",
            "Give UTF-8 CSV with a header, Parquet, or one JSON object per line.",
        ) from None
    names = [name.strip().lstrip("\ufeff") for name in raw.columns]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"The replay {path} has two columns {doubled!r}.", "Keep one of them.")
    raw.columns = names
    missing = [name for name in REQUIRED if name not in raw.columns]
    if missing:
        raise InputError(
            f"The replay {path} has no column {missing[0]}.", f"Its columns must be: {ALLOWED}."
        )
    unknown = [name for name in raw.columns if name not in REQUIRED and not _is_stat(name)]
    if unknown:
        raise InputError(
            f"The replay {path} has a column {unknown[0]!r} that means nothing here.",
            f"Remove it; the columns are: {ALLOWED}.",
        )
    if raw.is_empty():
        raise InputError(f"The replay {path} has no rows.", "Give at least one ad day.")
    return raw.select(_as_text(path, raw[name]) for name in raw.columns)


def line_of(path: Path, row: int) -> str:
    """How to name a row (counted from 0) of a file to a person."""
    kind = path.suffix.lower()
    if kind == ".csv":
        return f"line {row + 2}"
    return f"row {row + 1}" if kind == ".parquet" else f"line {row + 1}"


def _read(path: Path) -> pl.DataFrame:
    kind = path.suffix.lower()
    if kind == ".csv":
        return pl.read_csv(path, infer_schema=False)
    if kind == ".parquet":
        return pl.read_parquet(path)
    if kind in (".json", ".jsonl", ".ndjson"):
        return pl.read_ndjson(path, infer_schema_length=None)
    raise InputError(
        f"The replay {path} is of an unknown kind.",
        "Its name must end in .csv, .parquet, .jsonl, .ndjson or .json.",
    )


def _is_stat(name: str) -> bool:
    kind, dot, action = name.partition(".")
    return bool(dot and action and "|" not in action) and kind in ("actions", "action_values")


def _as_text(path: Path, column: pl.Series) -> pl.Series:
    name, kind = column.name, column.dtype
    if kind == pl.String:
        text = column.str.strip_chars()
    elif kind.is_integer() or kind.is_decimal() or kind in (pl.Null, pl.Date):
        text = column.cast(pl.String)
    elif isinstance(kind, pl.Datetime) and name == "date":
        text = column.dt.to_string("%Y-%m-%d %H:%M:%S").str.strip_suffix(" 00:00:00")
    elif kind.is_float() and name not in _IDS:
        text = _float_text(column)
        if name in _WHOLE or name.startswith("actions."):
            # A table tool that has seen an empty cell writes the whole number 3 as 3.0.
            text = text.str.strip_suffix(".0")
    elif isinstance(kind, pl.Categorical | pl.Enum):
        text = column.cast(pl.String)
    else:
        raise InputError(
            f"The replay {path} has column {name} as {kind}.",
            "Write ids as texts or whole numbers, dates as YYYY-MM-DD, and amounts as numbers.",
        )
    return text.replace("", None).alias(name)


def _float_text(column: pl.Series) -> pl.Series:
    """Floats by their shortest spelling, never with an exponent."""

    def plain(value: float) -> str:
        text = repr(value)
        return format(Decimal(text), "f") if "e" in text else text

    return column.map_elements(plain, return_dtype=pl.String, skip_nulls=True)
