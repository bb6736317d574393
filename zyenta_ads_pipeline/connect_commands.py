"""`zyenta connect` and `zyenta connections`: a shop's ad account, page, pixel and token."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.terminal import err, escaped, explained, out


def connect(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Id from `zyenta store list`.")],
    account: Annotated[str | None, typer.Option(help="Ad account, act_….")] = None,
    page: Annotated[str | None, typer.Option(help="Id of the page to advertise as.")] = None,
    pixel: Annotated[str | None, typer.Option(help="Id of the pixel that counts sales.")] = None,
    product_set: Annotated[
        str | None, typer.Option(help="Id of the product set that catalogue campaigns show.")
    ] = None,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the access token from standard input.")
    ] = False,
    token_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the token.")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Only give the token in use sixty more days.")
    ] = False,
) -> None:
    """Connects a shop to Meta: checks the token and finds account, page, pixel and catalogue.

    What there is only one of is taken; where there are several, the choices are asked for or
    listed. A token is never an argument: it is asked for unseen, read from standard input or from
    a variable, and kept encrypted. Connecting again changes what has changed.
    """
    from zyenta_ads_pipeline import connect_desk  # noqa: PLC0415
    from zyenta_ads_pipeline.connect_look import Wanted  # noqa: PLC0415

    with explained():
        settings = load_settings()
        if renew:
            out.print(connect_desk.renew(settings, store))
            return
        known = connect_desk.token_from(settings, store, account)
        connected = connect_desk.connect(
            settings,
            store,
            _token(known, settings.is_sandbox, from_stdin=token_stdin, variable=token_env),
            Wanted(account=account, page=page, pixel=pixel, product_set=product_set),
            choose=_chosen if sys.stdin.isatty() and not token_stdin else None,
        )
        out.print(connected.shown)
        if not connected.stored:
            raise typer.Exit(1)


def connections() -> None:
    """Lists the connections of all shops: account, page, pixel, and until when the token lasts."""
    from zyenta_ads_pipeline.connect_desk import list_connections  # noqa: PLC0415

    with explained():
        out.print(list_connections(load_settings()))


def _token(known: str, sandbox: bool, *, from_stdin: bool, variable: str | None) -> str | None:
    """The token that the user gives; None to use the one that is `known`, stored or of the
    settings."""
    if from_stdin and variable is not None:
        raise InputError("The token is to come from two places.", "Give one of the two options.")
    if from_stdin:
        return _word(sys.stdin.readline(), "Standard input")
    if variable is not None:
        return _word(os.environ.get(variable, ""), f"The variable {variable}")
    if known and (known == "settings" or sandbox or not sys.stdin.isatty()):
        return None
    if not sys.stdin.isatty():
        raise InputError(
            "There is no access token.",
            "Give one with --token-stdin or --token-env NAME, or set META_ACCESS_TOKEN.",
        )
    keep = "; Enter keeps the one in use" if known else ""
    typed = typer.prompt(
        f"Access token with ads_management (it is not shown{keep})",
        hide_input=True,
        default="" if known else None,
        show_default=False,
        err=True,
    )
    return None if known and not typed else _word(str(typed), "What was typed")


def _word(text: str, where: str) -> str:
    """A token as one word; its text is in no error."""
    word = text.strip()
    if not word:
        raise InputError(f"{where} holds no token.", "Put the access token there.")
    if len(word.split()) > 1 or not (word.isascii() and word.isprintable()):
        raise InputError(f"{where} holds no token.", "A token is one word without spaces.")
    return word


def _chosen(what: str, choices: Sequence[tuple[str, str]]) -> str:
    """Ask a person which one; gives its id."""
    for place, (own, name) in enumerate(choices, start=1):
        err.print(escaped(f"  {place}. {name} ({own})"), highlight=False)
    number = int(typer.prompt(f"Which {what}? 1 to {len(choices)}", type=int, err=True))
    if not 1 <= number <= len(choices):
        raise InputError(f"There is no {what} {number}.", f"Answer 1 to {len(choices)}.")
    own, _ = choices[number - 1]
    return own
