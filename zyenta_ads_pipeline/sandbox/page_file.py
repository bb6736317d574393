"""Reading a file of saved insights pages: an array of pages, one page, or one page per line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.page_chain import Page

_JSON = (".json", ".jsonl", ".ndjson")
_PAGE_KEY = re.compile(r'"data"\s*:')
_AD_DAY_KEY = re.compile(r'"date"\s*:')


def holds_pages(path: Path) -> bool:
    """Whether a file looks like saved pages rather than ad days. Reads its beginning only."""
    if path.suffix.lower() not in _JSON:
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            start = file.read(65536).lstrip()
    except (OSError, UnicodeDecodeError):
        return False
    if _PAGE_KEY.search(start):
        return True
    # An array of anything but ad days is read as pages, so that the error names what is wrong.
    return start[:1] == "[" and not _AD_DAY_KEY.search(start)


def read_pages(path: Path) -> list[Page]:
    """The pages in the file's order. Raises `InputError` naming the page that is malformed."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The saved pages {path} cannot be read: {error}.", "Give a JSON file in UTF-8."
        ) from None
    pages = [_page(path, number, body) for number, body in enumerate(_bodies(path, text), 1)]
    if not any(page.rows for page in pages):
        raise InputError(f"The saved pages {path} hold no rows.", "Give pages with data.")
    return pages


def _bodies(path: Path, text: str) -> Iterator[Any]:
    try:
        whole = json.loads(text)
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise _not_json(path, "", error) from None
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as line_error:
                raise _not_json(path, f", line {number}", line_error) from None
        return
    yield from whole if isinstance(whole, list) else [whole]


def _page(path: Path, number: int, body: Any) -> Page:
    problem = None
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        problem = 'is no object with a "data" list'
    elif not all(isinstance(row, dict) for row in body["data"]):
        problem = "has a row that is no object"
    elif not isinstance(body.get("paging", {}), dict):
        problem = 'has a "paging" that is no object'
    elif not isinstance(body.get("paging", {}).get("cursors", {}), dict):
        problem = 'has "cursors" that are no object'
    elif not all(
        isinstance(body.get("paging", {}).get(link, ""), str) for link in ("next", "previous")
    ):
        problem = "has a link that is no text"
    if problem is not None:
        raise InputError(
            f"The saved pages {path}: page {number} {problem}.",
            'Give pages as the Graph API sends them: {"data": […], "paging": {…}}.',
        )
    return Page(body)


def _not_json(path: Path, where: str, error: ValueError) -> InputError:
    return InputError(
        f"The saved pages {path}{where} are not JSON: {error}.",
        "Give an array of pages, one page, or one page per line.",
    )
