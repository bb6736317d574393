"""`zyenta`: the command line. Each command reads its arguments, calls, and prints."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import stamina
import typer
from rich.logging import RichHandler

from zyenta_ads_pipeline.backtest_commands import backtest, replay
from zyenta_ads_pipeline.campaign_commands import campaign_app
from zyenta_ads_pipeline.connect_commands import connect, connections
from zyenta_ads_pipeline.console_commands import console
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, ZyentaError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN, Settings, load_settings
from zyenta_ads_pipeline.store_commands import store_app
from zyenta_ads_pipeline.switch_commands import resume, stop, stops
from zyenta_ads_pipeline.terminal import err, explained, out, print_error
from zyenta_ads_pipeline.token_commands import token_app

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # its locals could show a token; it loops on circular causes
    help="""
The autopilot for paid ads on Meta, from the command line.

**Try it, without an account:** `zyenta demo` plays a shop from first insight to pushed budget.

**With your own account:** put META_ACCESS_TOKEN and META_AD_ACCOUNT_IDS into `.env`, then

1. `zyenta doctor` — is everything in place?

2. `zyenta sync --account act_123 --from 2026-10-01 --to 2026-10-31` — read a month.

3. `zyenta sql "select date, spend, roas from account_metrics order by date"` — look at it.

4. `zyenta run` — read the newest days, decide, propose; then `zyenta changes` and
   `zyenta approve`.

**From a catalogue to a campaign:** `zyenta store add`, `zyenta store import`, `zyenta connect`,
`zyenta campaign create`, `zyenta campaign activate`. See docs/campaigns.md.
""",
)
Account = Annotated[
    list[str] | None,
    typer.Option(
        "--account",
        help="Ad account, act_…; may be given several times. Default: those of "
        "META_AD_ACCOUNT_IDS and those connected.",
    ),
]


class Format(StrEnum):
    """How `zyenta sql` prints."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.callback()
def start() -> None:
    # Retries are told in our own words, with their reason; stamina would print them again.
    stamina.instrumentation.set_on_retry_hooks([])


@app.command()
def demo(
    home: Annotated[Path | None, typer.Option(help="Folder of the demo's own data.")] = None,
) -> None:
    """Plays sixty days of an invented shop, from first insight to pushed budget changes.

    Starts a sandbox of Meta's API, syncs it through the real pipeline, decides, allocates, pushes
    and verifies, and shows what that gained over a twin that nobody touched. Needs no account and
    no network; stops what it started.
    """
    from zyenta_ads_pipeline.demo import play  # noqa: PLC0415 - loads all of Dagster

    with explained():
        play(home or _sandbox_home(), out)


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    sandbox_port: Annotated[int, typer.Option(help="Port of the sandbox; 0 for any.")] = 8399,
    console_port: Annotated[int, typer.Option(help="Port of the console.")] = 8003,
    live: Annotated[
        bool, typer.Option("--live", help="Use the account in the settings, not a sandbox.")
    ] = False,
) -> None:
    """Runs the sandbox, the Dagster UI and its daemon, and the console together; one Ctrl-C stops
    all."""
    from zyenta_ads_pipeline.dev import serve  # noqa: PLC0415

    with explained():
        home = None if live else _sandbox_home()
        serve(home, port=port, sandbox_port=sandbox_port, console_port=console_port, out=out)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 for any free one.")] = 8399,
    replay: Annotated[
        Path | None,
        typer.Option(
            help="Play this history: a table of ad days (CSV, Parquet, JSON lines) or "
            "saved insights pages (JSON). See docs/sandbox.md."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps the sandbox's state. Default: $ZYENTA_HOME/sandbox."),
    ] = None,
    token: Annotated[str, typer.Option(help="Token that callers must send.")] = SANDBOX_TOKEN,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the simulated market; 7 for a new one.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="Days of history of the market; 60 for a new one.")
    ] = None,
    accounts: Annotated[
        int | None, typer.Option(help="Ad accounts of the market, 1 to 8; 1 for a new one.")
    ] = None,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Stop the clock; move it by POST /_sandbox/clock.")
    ] = False,
) -> None:
    """Runs a local look-alike of Meta's Graph API, to try everything without an account.

    Plays a simulated shop, or with --replay your own exported history. Point the other commands
    at it with META_GRAPH_URL=http://127.0.0.1:8399.
    """
    from zyenta_ads_pipeline.sandbox.__main__ import announce  # noqa: PLC0415
    from zyenta_ads_pipeline.sandbox.config import SandboxConfig  # noqa: PLC0415
    from zyenta_ads_pipeline.sandbox.server import serve  # noqa: PLC0415

    with explained():
        config = SandboxConfig(
            state=state or load_settings().home / "sandbox",
            port=port,
            token=token,
            replay=replay,
            seed=seed,
            days=days,
            accounts=accounts,
            frozen=frozen,
        )
        serve(config, announce)


@app.command()
def sync(
    since: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    until: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD, included.")],
    account: Account = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Read every day down to its ads, moved or not.")
    ] = False,
    breakdowns: Annotated[
        bool, typer.Option("--breakdowns", help="Read the breakdowns of ZYENTA_BREAKDOWNS too.")
    ] = False,
) -> None:
    """Reads insights of a range of days and computes the metrics. Decides nothing.

    Days are the ad account's own. Reading the same range again replaces it: nothing doubles, and
    days whose totals are unchanged cost no further calls.
    """
    from zyenta_ads_pipeline.operations import sync_days  # noqa: PLC0415

    with explained(), _progress():
        settings = load_settings()
        accounts = _accounts(settings, account)
        days = DateRange.parse(since, until)
        out.print(sync_days(settings, accounts, days, whole=whole, breakdowns=breakdowns))
        _numbers(settings, accounts)


@app.command()
def run(account: Account = None) -> None:
    """Does once what the hourly schedule does: read, compute, decide, allocate, propose."""
    from zyenta_ads_pipeline.operations import run_hour  # noqa: PLC0415

    with explained(), _progress():
        settings = load_settings()
        accounts = _accounts(settings, account)
        out.print(run_hour(settings, accounts))
        _numbers(settings, accounts)


@app.command()
def changes(
    account: Account = None,
    state: Annotated[list[ChangeState] | None, typer.Option(help="Only these states.")] = None,
) -> None:
    """Lists the changes proposed to Meta, newest first, with their reasons."""
    from zyenta_ads_pipeline.change_desk import list_changes  # noqa: PLC0415

    with explained():
        chosen = [account_number(one) for one in account or ()]
        out.print(list_changes(load_settings(), chosen, state or ()))


@app.command()
def approve(
    ids: Annotated[list[str], typer.Argument(help="Ids from `zyenta changes`.")],
    by: Annotated[str, typer.Option(help="Who approves, for the journal.")] = "cli",
) -> None:
    """Approves changes. The push sensor, or `zyenta push`, then writes them to Meta."""
    from zyenta_ads_pipeline.change_desk import approve_changes  # noqa: PLC0415

    with explained():
        out.print(approve_changes(load_settings(), ids, by))


@app.command()
def reject(
    ids: Annotated[list[str], typer.Argument(help="Ids from `zyenta changes`.")],
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    by: Annotated[str, typer.Option(help="Who rejects, for the journal.")] = "cli",
) -> None:
    """Rejects changes: they are not written."""
    from zyenta_ads_pipeline.change_desk import reject_changes  # noqa: PLC0415

    with explained():
        out.print(reject_changes(load_settings(), ids, by, reason))


@app.command()
def journal(change: Annotated[str, typer.Argument(help="Id from `zyenta changes`.")]) -> None:
    """Shows every step of one change: who, when, why, and what Meta answered."""
    from zyenta_ads_pipeline.change_desk import show_journal  # noqa: PLC0415

    with explained():
        out.print(show_journal(load_settings(), change))


@app.command()
def undo(
    change: Annotated[str, typer.Argument(help="Id of an applied change.")],
    by: Annotated[str, typer.Option(help="Who undoes it, for the journal.")] = "cli",
) -> None:
    """Proposes a new change that restores the value from before an applied one."""
    from zyenta_ads_pipeline.change_desk import undo_change  # noqa: PLC0415

    with explained():
        out.print(undo_change(load_settings(), change, by))


@app.command()
def push(account: Account = None) -> None:
    """Writes approved changes to Meta through the guardrails, and reads them back."""
    from zyenta_ads_pipeline.operations import push_approved  # noqa: PLC0415

    failed = False
    with explained():
        settings = load_settings()
        for one in _accounts(settings, account):
            try:
                out.print(push_approved(settings, one))
            except ZyentaError as error:
                failed = True
                print_error(error)
    if failed:
        raise typer.Exit(1)


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="A SELECT over the tables.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
    tables: Annotated[bool, typer.Option("--tables", help="List tables and columns.")] = False,
) -> None:
    """Queries the tables with DuckDB SQL, on one consistent snapshot, also while a sync runs.

    `zyenta sql --tables` lists what there is. The metrics are functions too:
    `select roas(sum(purchase_value), sum(spend)) from campaign_metrics`.
    """
    from zyenta_ads_pipeline.query import print_rows, print_tables  # noqa: PLC0415

    with explained():
        if tables:
            print_tables(out)
        elif query:
            print_rows(load_settings(), query, format_.value, out)
        else:
            raise InputError("There is no query.", 'Write zyenta sql "select …", or --tables.')


@app.command()
def alerts() -> None:
    """Lists what only a person can mend: dead tokens, unexplained gaps; with the remedies."""
    from zyenta_ads_pipeline.alert_desk import list_alerts  # noqa: PLC0415

    with explained():
        out.print(list_alerts(load_settings()))


@app.command()
def doctor() -> None:
    """Checks settings, storage, token and accounts, and names the remedy for what is wrong."""
    from zyenta_ads_pipeline.doctor import examine  # noqa: PLC0415

    with explained():
        if not examine(load_settings(), out):
            raise typer.Exit(1)


app.command("backtest")(backtest)
app.command("replay")(replay)
app.command("console")(console)
app.add_typer(token_app, name="token")

# In the order in which a buyer needs them.
_BUYERS = "Campaigns and creatives"
app.add_typer(store_app, name="store", rich_help_panel=_BUYERS)
app.command("connect", rich_help_panel=_BUYERS)(connect)
app.command("connections", rich_help_panel=_BUYERS)(connections)
app.add_typer(campaign_app, name="campaign", rich_help_panel=_BUYERS)
app.command("stop", rich_help_panel=_BUYERS)(stop)
app.command("resume", rich_help_panel=_BUYERS)(resume)
app.command("stops", rich_help_panel=_BUYERS)(stops)


def _sandbox_home() -> Path:
    """Where demo and dev keep their data: apart from a real account's."""
    settings = load_settings()
    return settings.home if "home" in settings.model_fields_set else settings.home / "demo"


def _numbers(settings: Settings, accounts: Sequence[str]) -> None:
    """Let the campaigns of ours know the numbers that were just read."""
    from zyenta_ads_pipeline.campaign_list import refresh_numbers  # noqa: PLC0415

    if found := refresh_numbers(settings, accounts):
        out.print(f"{found} campaigns of yours have new numbers: zyenta campaign list.")


def _accounts(settings: Settings, chosen: list[str] | None) -> list[str]:
    """The accounts named, else those of the settings and those connected."""
    from zyenta_ads_pipeline.connections import accounts_of  # noqa: PLC0415

    accounts = [account_number(one) for one in chosen] if chosen else accounts_of(settings)
    if not accounts:
        raise InputError(
            "There is no ad account to work on.",
            "Give --account act_…, set META_AD_ACCOUNT_IDS, or connect a store.",
        )
    return list(dict.fromkeys(accounts))


@contextmanager
def _progress() -> Iterator[None]:
    """Show what the pipeline logs while it works, on stderr."""
    handler = RichHandler(console=err, show_path=False, show_time=False, show_level=False)
    logger = logging.getLogger("zyenta_ads_pipeline")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
