"""`zyenta token`: who may use the API and the console, by tokens, one-time links and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.terminal import By, err, explained, out

if TYPE_CHECKING:
    from zyenta_ads_pipeline.console.desks.people import PeopleDesk

token_app = typer.Typer(
    no_args_is_help=True, help="Tokens for the API and for signing in to the console."
)


@token_app.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="Person or program that will use it.")],
    role: Annotated[
        Role,
        typer.Option(help="viewer: looks. buyer: acts on campaigns and changes. admin: also "
                     "tokens, rules and stores."),
    ] = Role.VIEWER,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days that it is good for. Default: until revoked.")
    ] = None,
    by: By = "cli",
) -> None:  # fmt: skip
    """Makes a token and prints it, once: only its hash is kept, so it cannot be shown again.

    The token alone goes to standard output, so that a script can take it from there.
    """
    with explained(), _desk() as desk:
        issued = desk.issue(_terminal(by), name, role, days)
        until = issued.token.expires_at
        ends = f"until {until:%Y-%m-%d}" if until else "until it is revoked"
        err.print(f"A token for {issued.token.name} ({role.value}), good {ends}. Keep it safe; it")
        err.print(f"is not shown again. `zyenta token revoke {issued.token.prefix}` ends it.")
        typer.echo(issued.secret)


@token_app.command("list")
def list_tokens(by: By = "cli") -> None:
    """Lists the tokens by their beginning, the newest first; they themselves are not kept."""
    with explained(), _desk() as desk:
        found = desk.tokens(_terminal(by))
    if not found:
        out.print(Text("No tokens yet. Make one with `zyenta token issue NAME --role buyer`."))
        return
    now = datetime.now(UTC)
    shown = table("Tokens", ("begins", "name", "role", "made (UTC)", "by", "last used", "state"))
    for token in found:
        if token.revoked_at is not None:
            state = f"revoked by {token.revoked_by}, {token.revoked_at:%Y-%m-%d}"
        elif token.expires_at is not None:
            word = "good until" if token.is_good(now) else "over since"
            state = f"{word} {token.expires_at:%Y-%m-%d}"
        else:
            state = "good"
        add(
            shown,
            token.prefix,
            token.name,
            token.role.value,
            f"{token.created_at:%Y-%m-%d %H:%M}",
            token.created_by,
            f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never",
            state,
            style="" if token.is_good(now) else "dim",
        )
    out.print(shown)


@token_app.command("revoke")
def revoke(
    token: Annotated[str, typer.Argument(help="Its beginning as listed, its name, or its id.")],
    by: By = "cli",
) -> None:
    """Ends a token, and whoever is signed in with it, at once."""
    with explained(), _desk() as desk:
        ended = desk.revoke(_terminal(by), token)
    out.print(Text(f"The token {ended.prefix}… of {ended.name} is revoked."))


@token_app.command("link")
def link(
    name: Annotated[str, typer.Argument(help="Person who will sign in by it.")],
    role: Annotated[Role, typer.Option(help="viewer, buyer or admin.")] = Role.VIEWER,
    url: Annotated[
        str | None,
        typer.Option(help="Address of the console. Default: as the settings have it."),
    ] = None,
    by: By = "cli",
) -> None:
    """Prints a link that signs somebody in to the console, once, within ten minutes.

    The link alone goes to standard output, so that a script can take it from there.
    """
    from zyenta_ads_pipeline.console.desks.people import link_path  # noqa: PLC0415

    with explained(), _desk() as desk:
        settings = load_settings()
        if url is None and settings.console_port == 0:
            raise InputError("The console's port is not known.", "Give its address by --url.")
        secret = desk.link(_terminal(by), name, role)
        err.print(f"It signs {name.strip()} in ({role.value}), once, within ten minutes, for 12")
        err.print(f"hours at most. `zyenta token sign-out {name.strip()}` ends that.")
        typer.echo((url or settings.console_url).rstrip("/") + link_path(secret))


@token_app.command("sessions")
def sessions(by: By = "cli") -> None:
    """Lists who is signed in to the console, the newest first."""
    with explained(), _desk() as desk:
        found = desk.sessions(_terminal(by))
    if not found:
        out.print(Text("Nobody is signed in to the console."))
        return
    shown = table(
        "Sessions", ("name", "role", "by", "since (UTC)", "last used", "ends at the latest")
    )
    for each in found:
        add(
            shown,
            each.name,
            each.role.value,
            f"token {each.token}…" if each.token else "link",
            f"{each.created_at:%Y-%m-%d %H:%M}",
            f"{each.seen_at:%Y-%m-%d %H:%M}",
            f"{each.ends_at:%Y-%m-%d %H:%M}",
        )
    out.print(shown)


@token_app.command("sign-out")
def sign_out(
    name: Annotated[str, typer.Argument(help="Name as `zyenta token sessions` lists it.")],
    by: By = "cli",
) -> None:
    """Ends all sessions of a name at once, also those by a link, and unused links for it and by it;
    its token stays good."""
    with explained(), _desk() as desk:
        done = desk.sign_out_all(_terminal(by), name)
    ended = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((done.sessions, "session"), (done.links, "unused link"))
        if count
    ]
    told = f"{' and '.join(ended)} of {done.name} ended." if ended else f"{done.name} had none."
    if done.alike:
        told += f" Names are told apart by their letters' case: there is {', '.join(done.alike)}."
    out.print(Text(told))


@contextmanager
def _desk() -> Iterator[PeopleDesk]:
    from zyenta_ads_pipeline.console.desks.people import PeopleDesk  # noqa: PLC0415
    from zyenta_ads_pipeline.console.office import Office  # noqa: PLC0415

    office = Office(load_settings())
    try:
        yield PeopleDesk(office)
    finally:
        office.close()


def _terminal(by: str) -> Person:
    """Who has this terminal has the store's file or its address, and so is an admin."""
    return Person(by, Role.ADMIN, "cli")
