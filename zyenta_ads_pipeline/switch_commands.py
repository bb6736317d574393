"""`zyenta stop`, `zyenta resume` and `zyenta stops`: the kill switches."""

from __future__ import annotations

from typing import Annotated

import typer

from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.terminal import By, explained, out

Scope = Annotated[
    str | None, typer.Option("--account", help="Only this ad account, act_…. Default: all.")
]


def stop(
    reason: Annotated[str, typer.Option(help="Why, for those who find everything stopped.")],
    account: Scope = None,
    by: By = "cli",
) -> None:
    """Throws the kill switch: from now on nothing is written to Meta, until `zyenta resume`.

    Obeyed by every run before its next write, also by a launch that is under way. Campaigns that
    run on Meta go on running: pause those you want paused first.
    """
    from zyenta_ads_pipeline.switch_desk import throw  # noqa: PLC0415

    with explained():
        out.print(throw(load_settings(), account, reason, by))


def resume(account: Scope = None, by: By = "cli") -> None:
    """Lifts the kill switch that `zyenta stop` has thrown."""
    from zyenta_ads_pipeline.switch_desk import lift  # noqa: PLC0415

    with explained():
        out.print(lift(load_settings(), account, by))


def stops() -> None:
    """Lists the kill switches that are thrown, and who threw and lifted which, when and why."""
    from zyenta_ads_pipeline.switch_desk import list_stops  # noqa: PLC0415

    with explained():
        out.print(list_stops(load_settings()))
