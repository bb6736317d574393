"""What `zyenta stop` and `zyenta resume` do: kill switches thrown, lifted and listed."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.switches import KillSwitches


def throw(settings: Settings, account: str | None, reason: str, by: str) -> RenderableType:
    """Stop all writing to one account, or to all."""
    if not reason.strip():
        raise InputError("A stop without a reason explains nothing.", "Give --reason.")
    with store_of(settings) as store:
        KillSwitches(store).throw(_number(account), by=by, reason=reason, now=datetime.now(UTC))
    again = f" --account {account}" if account else ""
    return Text(
        f"Writing to {_where(_number(account))} is stopped. `zyenta resume{again}` lets it go on."
    )


def lift(settings: Settings, account: str | None, by: str) -> RenderableType:
    """Let one account, or all, go on; says what still holds them."""
    number = _number(account)
    with store_of(settings) as store:
        switches = KillSwitches(store)
        lifted = switches.lift(number, by=by, now=datetime.now(UTC))
        still = switches.all()
    what = f"The stop of {_where(number)} is lifted." if lifted else (
        f"No stop of {_where(number)} was thrown."
    )  # fmt: skip
    said = [what]
    holding = [each for each in still if number is None or each.account_id in (None, number)]
    said += [f"Still stopped: {_where(each.account_id)}, {each.reason}." for each in holding]
    if settings.kill_switch:
        said.append("ZYENTA_KILL_SWITCH is set too: nothing is written until that is false.")
    return Text(" ".join(said))


def list_stops(settings: Settings) -> RenderableType:
    """What is stopped now, and the history of all throws and lifts, the newest first."""
    with store_of(settings) as store:
        switches = KillSwitches(store)
        thrown, history = switches.all(), switches.history()
    said: list[RenderableType] = []
    if settings.kill_switch:
        said.append(Text("ZYENTA_KILL_SWITCH is set: nothing is written to any account."))
    said += [
        Text(f"Stopped: {_where(each.account_id)}, since {each.at:%Y-%m-%d %H:%M} UTC, "
             f"by {each.by}: {each.reason}")
        for each in thrown
    ]  # fmt: skip
    if not said:
        said.append(Text("Nothing is stopped."))
    if history:
        shown = table("History", ("when (UTC)", "what", "account", "who", "reason"))
        for entry in reversed(history):
            add(
                shown,
                f"{entry.at:%Y-%m-%d %H:%M:%S}",
                "stopped" if entry.thrown else "resumed",
                f"act_{entry.account_id}" if entry.account_id else "all",
                entry.by,
                entry.reason,
            )
        said.append(shown)
    return Group(*said)


def _number(account: str | None) -> str | None:
    return None if account is None else account_number(account)


def _where(account: str | None) -> str:
    return f"act_{account}" if account else "every account"
