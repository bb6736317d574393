"""A catalogue's file as rows: CSV with any usual delimiter, or JSON.

Numbers of JSON are read as Decimal, never as float. Row numbers are those a person sees: in CSV
those of a spreadsheet, the header being row 1 and a quoted text with line breaks one row; in JSON
the first product is 1.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from zyenta_ads_pipeline.creatives.catalogue_columns import (
    COLUMNS,
    NEEDED,
    Entry,
    Refused,
    entry,
    meaning,
    shown,
)
from zyenta_ads_pipeline.domain.errors import InputError

LARGEST_FILE = 50_000_000
"""Bytes."""
_DELIMITERS = ",;\t|"


def rows_of(path: Path) -> Iterator[Entry | Refused]:
    """The rows of a catalogue, in the file's order; empty ones are passed over.

    Raises `InputError` for a file that cannot be read as a whole.
    """
    text = _text(path)
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("[", "{"):
        return _json_rows(text, path)
    return _csv_rows(text, path)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise InputError(f"{path} is not a file.", "Name a CSV or JSON file with products.")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "Look at its rights.") from None
    if len(content) > LARGEST_FILE:
        raise InputError(
            f"{path} is larger than {LARGEST_FILE // 1_000_000} MB.",
            "Leave out columns that are not needed, or cut the catalogue in two.",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} is not UTF-8 text (line {line}).",
            'Save it as "CSV UTF-8", or as JSON.',
        ) from None


def _json_rows(text: str, path: Path) -> Iterator[Entry | Refused]:
    try:
        data = json.loads(text, parse_float=_number, parse_constant=_no_number)
    except RecursionError:
        raise InputError(f"{path} is nested too deeply.", "Give a list of objects.") from None
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.", "Export it anew.") from None
    if isinstance(data, dict):
        data = data.get("products")
    if not isinstance(data, list):
        raise InputError(
            f"{path} holds no list of products.",
            'Give a list of objects, or {"products": [...]}.',
        )
    return _objects(data)


def _objects(data: list[Any]) -> Iterator[Entry | Refused]:
    for row, each in enumerate(data, start=1):
        if isinstance(each, dict):
            yield entry(row, each.items())
        else:
            yield Refused(row, f"{shown(each)} is no object.", 'Write {"id": …, "title": …}.')


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no number")


def _csv_rows(text: str, path: Path) -> Iterator[Entry | Refused]:
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= 5:
        text = rest  # a spreadsheet takes this line as a remark to itself and does not show it
    delimiter = max(_DELIMITERS, key=lambda each: _known(text, each))
    records = _records(text, delimiter, path)
    before, header = next(((row, cells) for row, cells in records if any(cells)), (1, []))
    known = {found[0] for found in map(meaning, header) if found}
    missing = [field for field in NEEDED if field not in known]
    if missing:
        raise InputError(
            f"Row {before} of {path} has no column for {', '.join(missing)}; "
            f"its columns are {', '.join(map(shown, header[:20])) or 'none'}.",
            "Name them, in the first row: "
            + "; ".join(f"{field} (or {', '.join(COLUMNS[field][1:3])})" for field in missing)
            + ".",
        )
    return _lines(records, header)


def _lines(
    records: Iterator[tuple[int, list[str]]], header: list[str]
) -> Iterator[Entry | Refused]:
    for row, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            yield Refused(
                row,
                f"It has {len(cells)} cells, and the header has {len(header)} columns.",
                "Put texts that contain the delimiter into double quotes.",
            )
        else:
            yield entry(row, zip(header, cells, strict=False))


def _records(text: str, delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = line = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # A quote left open swallows what follows: no row after it can be trusted.
            raise InputError(
                f"Row {row + 1} of {path} (line {line + 1}) cannot be read: {error}.",
                'Close its quotes, and write a quote within a text twice: "5"" screen".',
            ) from None
        row, line = row + 1, reader.line_num
        yield row, cells


def _known(text: str, delimiter: str) -> int:
    """How many columns the header has that are known, if it is cut by `delimiter`."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header: list[str] = next(filter(any, reader), [])
    except csv.Error:
        return 0
    return sum(meaning(column) is not None for column in header)
