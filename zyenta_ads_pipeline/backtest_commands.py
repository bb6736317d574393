"""`zyenta backtest` and `zyenta replay`: policies and decisions, tried on one's own past."""

from __future__ import annotations

from typing import Annotated

import typer

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.terminal import explained, out, told


def backtest(
    account: Annotated[str, typer.Option("--account", help="Ad account, act_….")],
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            help="A policy's name, or path/to/file.py:ClassName; may be given several times. "
            "Default: all that come with the product, and the account's own.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="First day to decide on, YYYY-MM-DD.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Last day, included. Default: the newest possible.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tries policies on an account's own past, each day as it was known then. Changes nothing.

    Shows what each would have set against what was done: whether forecasts came true, whether
    moves went the right way, and the estimated difference in revenue. What no backtest can know
    is said with it. Default: the newest 28 days.
    """
    from zyenta_ads_pipeline.backtest_desk import as_json, run_backtest, shown  # noqa: PLC0415

    with explained():
        with told("Deciding each day again, as it was known then"):
            result = run_backtest(
                load_settings(), account_number(account), policy or (), since, until
            )
        if json:
            typer.echo(as_json(result))
        else:
            out.print(shown(result))


def replay(
    decision: Annotated[str, typer.Argument(help="A decision_id of budget_decisions.")],
) -> None:
    """Takes a decision of the past again, from the tables and rules of its time, and compares.

    Exits with 1 where anything came out otherwise. Changes nothing.
    """
    from zyenta_ads_pipeline.backtest_desk import replayed, run_replay  # noqa: PLC0415

    with explained():
        result = run_replay(load_settings(), decision)
        out.print(replayed(result))
        if not result.same:
            raise typer.Exit(1)
