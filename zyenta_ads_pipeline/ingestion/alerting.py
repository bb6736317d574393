"""Tells people once of what only they can mend: in the log, in the store, and by a webhook.

Kinds of alerts, each with its account behind it (`token:act_1`): `token`, the account cannot be
read with its token; `access`, a part of it may not be read, or is blocked (`access:act_1:insights`:
a token may read one part and not another, so each is settled by its own readings alone); `gap`, its
ads do not add up to Meta's own totals and nothing explains it, or the parts of a breakdown do not
add up to the ads (`gap:act_1:by_country`); `quiet`, it went quiet though it should not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    PermissionDenied,
    PolicyBlocked,
    SettingsError,
    ZyentaError,
)
from zyenta_ads_pipeline.ingestion.reads import STREAM, gap_days
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.store.alerts import Alert, Alerts

log = logging.getLogger(__name__)

TOKEN = "token"  # noqa: S105 - the name of a kind of alert
ACCESS = "access"
GAP = "gap"
QUIET = "quiet"

_KINDS: dict[type[ZyentaError], str] = {
    AuthenticationFailed: TOKEN,
    SettingsError: TOKEN,
    PermissionDenied: ACCESS,
    PolicyBlocked: ACCESS,
}
_TIMEOUT = 10.0
_TRIES = 3


@dataclass(frozen=True)
class Trouble:
    """What is wrong, and how to mend it."""

    told: str
    remedy: str


class Notifier:
    """The alerts of one store, and the webhook that is told of them, if there is one."""

    def __init__(self, alerts: Alerts, webhook: str | None = None) -> None:
        self.alerts = alerts
        self._webhook = webhook

    def notify(self, key: str, trouble: Trouble, account_id: str | None = None) -> bool:
        """Raise an alert; True when it is new, and then it is logged as an error.

        Delivers nothing yet: see `deliver`.
        """
        new = self.alerts.raise_once(key, trouble.told, trouble.remedy, account_id)
        if new:
            log.error("Alert %s: %s %s", key, trouble.told, trouble.remedy)
        return new

    def resolve(self, keys: Collection[str]) -> None:
        """Close the alerts of these keys that are open."""
        if closed := self.alerts.resolve_all(keys):
            log.info("%d alerts are over", closed)

    def deliver(self) -> int:
        """Post every open alert that the webhook has not taken; returns how many it took now.

        Never raises for a webhook that fails: that is logged, and the alert is posted at the next
        occasion. One that was posted right before a crash is posted again.
        """
        if self._webhook is None:
            return 0
        taken = 0
        for alert in self.alerts.undelivered():
            if (failure := _posted(self._webhook, alert)) is not None:
                # The address is a secret, and httpx repeats it in its errors.
                log.warning("The alert webhook did not take %s: %s.", alert.key, failure)
                break  # it would not take the others either
            self.alerts.mark_delivered(alert.id)
            taken += 1
        return taken


def account_outcomes(
    notifier: Notifier,
    results: Collection[str],
    failures: Mapping[str, ZyentaError],
    part: str,
) -> None:
    """Alerts from one reading of a `part` of accounts, as `insights`: `results` were read,
    `failures` were not, and why.

    A dead or missing token raises an alert, which a success of any part closes. So does a lacking
    permission; that alert is of the part, and only a success of the same one closes it. Passing
    trouble (throttling, an outage) raises none and closes none.
    """
    for account, error in failures.items():
        kind = next((kind for known, kind in _KINDS.items() if isinstance(error, known)), None)
        if kind is not None:
            key = alert_key(kind, account, part if kind == ACCESS else None)
            notifier.notify(key, Trouble(error.what, error.remedy), account)
    over = [alert_key(TOKEN, account) for account in results]
    over += [alert_key(ACCESS, account, part) for account in results]
    notifier.resolve(over)
    notifier.deliver()


def settle(
    notifier: Notifier,
    kind: str,
    troubles: Mapping[str, Trouble],
    looked_at: Collection[str],
    part: str | None = None,
) -> None:
    """Alerts of one kind (and part) after a look at some accounts: raised for those in `troubles`,
    closed for the others that were looked at."""
    for account, trouble in troubles.items():
        notifier.notify(alert_key(kind, account, part), trouble, account)
    notifier.resolve([alert_key(kind, one, part) for one in looked_at if one not in troubles])
    notifier.deliver()


def settle_gaps(
    notifier: Notifier, lake: Lake, accounts: Collection[str], stream: str = STREAM
) -> None:
    """The gap alerts of a stream of `insight_reads`, after `accounts` were read: open as long as
    any of their days is left with a gap, be it of this reading or of an earlier one."""
    left = gap_days(lake.snapshot(), accounts, stream)
    part = None if stream == STREAM else stream
    settle(notifier, GAP, gap_troubles(left, part), accounts, part)


def gap_troubles(
    gaps: Mapping[str, Mapping[date, str]], preset: str | None = None
) -> dict[str, Trouble]:
    """One trouble for each account with unexplained gaps, from its gaps in words by day; of the
    account's ads, or of a preset's rows against them."""
    return {
        account: Trouble(
            f"act_{account}: on {_days(found)} its ads do not add up to Meta's own total, and "
            f"no deleted ad explains it. {found[max(found)]}."
            if preset is None
            else f"act_{account}: on {_days(found)} the rows {preset} do not add up to those of "
            f"the ads. {found[max(found)]}.",
            "Run `zyenta sync` over these days. If it stays, compare them in Ads Manager; the "
            "account is not decided on meanwhile."
            if preset is None
            else "They are read again every night while Meta still restates them; `zyenta sync "
            "--breakdowns` over these days does it at once. Decisions do not look at them.",
        )
        for account, found in gaps.items()
        if found
    }


def unreadable(alerts: Iterable[Alert]) -> set[str]:
    """The accounts whose insights cannot be read until a person mends something, by the open
    alerts."""
    return {
        alert.account_id
        for alert in alerts
        if alert.account_id is not None
        and alert.key
        in (alert_key(TOKEN, alert.account_id), alert_key(ACCESS, alert.account_id, STREAM))
    }


def alert_key(kind: str, account_id: str, part: str | None = None) -> str:
    """The key of an account's alert, as `token:act_1` or `access:act_1:objects`."""
    return f"{kind}:act_{account_id}" + (f":{part}" if part else "")


def _days(found: Mapping[date, str]) -> str:
    return f"{len(found)} day{'s' if len(found) > 1 else ''}"


def _posted(webhook: str, alert: Alert) -> str | None:
    """Post one alert, in a few tries; why it failed, or None."""
    failure: str | None = "it was not tried"
    with _unlogged(), httpx.Client(timeout=_TIMEOUT) as client:
        for _ in range(_TRIES):
            failure = _post(client, webhook, alert)
            if failure is None:
                break
    return failure


def _post(client: httpx.Client, webhook: str, alert: Alert) -> str | None:
    try:
        response = client.post(webhook, json=_message(alert))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    return None if response.is_success else f"HTTP {response.status_code}"


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep httpx from logging this thread's requests, whose address is a secret."""
    own = threading.get_ident()
    logger = logging.getLogger("httpx")

    def by_others(record: logging.LogRecord) -> bool:
        return record.thread != own

    logger.addFilter(by_others)
    try:
        yield
    finally:
        logger.removeFilter(by_others)


def _message(alert: Alert) -> dict[str, Any]:
    """What is posted: `text` for chats, the rest for programs."""
    account = None if alert.account_id is None else f"act_{alert.account_id}"
    return {
        "text": f"Zyenta: {alert.told} {alert.remedy}".strip(),
        "id": alert.id,
        "key": alert.key,
        "account": account,
        "told": alert.told,
        "remedy": alert.remedy,
        "raised_at": alert.raised_at.isoformat(),
    }
