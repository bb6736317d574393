"""What every command of the command line shares: where it prints, how it fails, what it tells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console

from zyenta_ads_pipeline.domain.errors import InputError, ZyentaError
from zyenta_ads_pipeline.domain.money import typed_amount

_PIPED_WIDTH = 240  # a file or pipe has no width of its own, and numbers must not be cut
out = Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)
err = Console(stderr=True, width=None if sys.stderr.isatty() else _PIPED_WIDTH)

By = Annotated[str, typer.Option("--by", help="Who asks for it, for the journal.")]
"""Every command that changes something takes it."""


@contextmanager
def explained() -> Iterator[None]:
    """Print an error a user can act on as one paragraph, and exit with 1."""
    try:
        yield
    except ZyentaError as error:
        print_error(error)
        raise typer.Exit(1) from None


def print_error(error: ZyentaError) -> None:
    """What went wrong and the remedy, on stderr."""
    err.print(f"[bold red]Error:[/] {escaped(str(error))}", soft_wrap=True, highlight=False)


@contextmanager
def told(first: str) -> Iterator[Callable[[str], None]]:
    """Longer work, told on stderr as it goes: a line a step, and on a terminal what is under way.

    Gives the function that takes the sentences.
    """
    with err.status(escaped(first)) as status:

        def tell(words: str) -> None:
            err.print(escaped(words), soft_wrap=True, highlight=False, style="dim")
            status.update(escaped(words))

        yield tell


def amount(text: str) -> Decimal:
    """An amount of money above nothing that a person typed, as `typed_amount` reads it."""
    try:
        found = typed_amount(text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None
    if not found:
        raise typer.BadParameter("it must be more than nothing.")
    return found


def escaped(text: str) -> str:
    """`text` with nothing in it that rich would take for markup."""
    return text.replace("[", r"\[")
