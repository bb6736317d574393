"""Tables for the terminal. Names come from Ads Manager and are shown as they are: `[us] sale` is
no markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table as RichTable
from rich.text import Text


def table(
    title: str, headings: Sequence[str], *, right: bool = False, justify: Sequence[str] = ()
) -> RichTable:
    """An empty table; `right` aligns all columns to the right, `justify` each on its own."""
    shown = RichTable(title=Text(title) if title else None)
    for number, heading in enumerate(headings):
        side = justify[number] if justify else ("right" if right else "left")
        shown.add_column(
            Text(heading), overflow="fold", justify="right" if side == "right" else "left"
        )
    return shown


def add(shown: RichTable, *cells: object, style: str = "") -> None:
    """One row of plain texts; None is an empty cell."""
    shown.add_row(*(Text("" if cell is None else str(cell)) for cell in cells), style=style)
