"""Ad accounts and how they fare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.connections import stopped
from zyenta_ads_pipeline.console.numbers_shown import AccountSeen
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.budget_limits import BudgetLimits, known_limits
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import NotThere, SettingsError
from zyenta_ads_pipeline.domain.quota import QuotaUse
from zyenta_ads_pipeline.domain.shop import PlatformConnection
from zyenta_ads_pipeline.platforms.meta.usage import scopes_of
from zyenta_ads_pipeline.store.alerts import Alert, Alerts
from zyenta_ads_pipeline.store.campaign_pages import CampaignCounts
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.usage import UsageLedger

_USE_CASES = ("ads_insights", "ads_management")


@dataclass(frozen=True)
class AccountHealth:
    """One account. `account_id` is digits; names and `currency` are empty while it was never read.

    `synced_at` is when Meta was last read for it; `quota_percent` the most used of its quotas as
    last seen (at `quota_at`), `blocked_until` while Meta wants no calls. `stopped` says why nothing
    may be written to it; `token_until` None: its token does not end, or that is not known. `stores`
    are the ids of the stores connected to it, `campaigns` counts ours in it, `active` those that
    run. `has_token` False: nothing can be read.
    """

    account_id: str
    name: str
    currency: str
    timezone: str
    synced_at: datetime | None
    newest_day: str | None
    quota_percent: float | None
    quota_at: datetime | None
    blocked_until: datetime | None
    alerts: Sequence[Alert]
    stopped: str | None
    autopilot: Autopilot
    has_token: bool
    token_until: datetime | None
    stores: Sequence[str]
    campaigns: int
    active: int
    proposed: int
    """Changes that wait for a person."""

    @property
    def budget_limits(self) -> BudgetLimits | None:
        """What the daily budget of a campaign may be; None while its currency is not known."""
        return known_limits(self.currency)

    @property
    def is_well(self) -> bool:
        """Whether nothing is to be mended."""
        return self.has_token and not self.alerts and self.synced_at is not None


class AccountDesk:
    """Accounts, for whoever may look."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._numbers = office.numbers

    def all(self, person: Person) -> list[AccountHealth]:
        """Every account of the settings and of the connections, in that order."""
        connections = self._connections()
        return self._healths(self._ids(connections), connections)

    def _connections(self) -> list[PlatformConnection]:
        return Connections(self._office.store, self._office.vault).all()

    def _ids(self, connections: Sequence[PlatformConnection]) -> list[str]:
        ids = [*self._office.settings.ad_account_ids, *(each.account_id for each in connections)]
        return list(dict.fromkeys(ids))

    def _healths(
        self, account_ids: Sequence[str], connections: Sequence[PlatformConnection]
    ) -> list[AccountHealth]:
        seen = self._numbers.accounts()
        alerts = Alerts(self._office.store).open()
        counts = self._counts(account_ids)
        return [
            self._health(
                account_id,
                [each for each in connections if each.account_id == account_id],
                seen.get(account_id),
                [each for each in alerts if each.account_id == account_id],
                counts[account_id],
            )
            for account_id in account_ids
        ]

    def get(self, person: Person, account_id: str) -> AccountHealth:
        """One account (with or without `act_`); `NotThere` if it is none of ours."""
        number = account_number(account_id)
        connections = self._connections()
        if number in self._ids(connections):
            (found,) = self._healths([number], connections)
            return found
        raise NotThere(
            f"act_{number} is none of the accounts that are configured or connected.",
            "Set META_AD_ACCOUNT_IDS, or connect a store to it: `zyenta connect STORE`.",
        )

    def alerts(self, person: Person) -> list[Alert]:
        """Every open alert, the oldest first, also those of no account."""
        return Alerts(self._office.store).open()

    def _health(
        self,
        account_id: str,
        connections: Sequence[PlatformConnection],
        seen: AccountSeen | None,
        alerts: Sequence[Alert],
        counts: tuple[int, int, int],
    ) -> AccountHealth:
        office = self._office
        known = connections[0] if connections else None
        sync = self._numbers.last_sync(account_id)
        quota = self._quota(account_id)
        now = office.now()
        try:
            autopilot = bounds_of(office.settings, account_id, store=office.store).autopilot
        except SettingsError:  # the rules' own page tells; nothing is written with such
            autopilot = Autopilot.WATCH
        ends = [each.token_expires_at for each in connections if each.token_expires_at]
        campaigns, active, proposed = counts
        return AccountHealth(
            account_id=account_id,
            name=seen.name if seen else known.account_name if known else "",
            currency=seen.currency if seen else known.currency if known else "",
            timezone=seen.timezone if seen else known.timezone if known else "",
            synced_at=sync.read_at,
            newest_day=None if sync.last_day is None else str(sync.last_day),
            quota_percent=None if quota is None else quota.percent_at(now),
            quota_at=None if quota is None else quota.measured_at,
            blocked_until=quota.blocked_until if quota and quota.blocked_for(now) else None,
            alerts=tuple(alerts),
            stopped=stopped(office.settings, office.store, account_id),
            autopilot=autopilot,
            has_token=self._has_token(account_id, connections),
            token_until=min(ends, default=None),
            stores=tuple(each.store_id for each in connections),
            campaigns=campaigns,
            active=active,
            proposed=proposed,
        )

    def _has_token(self, account_id: str, connections: Sequence[PlatformConnection]) -> bool:
        settings = self._office.settings
        given = (
            settings.is_sandbox or settings.access_token or account_id in settings.account_tokens
        )
        return bool(given) or any(each.has_token for each in connections)

    def _quota(self, account_id: str) -> QuotaUse | None:
        """The most used of the account's own quotas as last seen; blocks of any of them count."""
        now = self._office.now()
        ledger = UsageLedger(self._office.store, self._office.settings.graph_url)
        scopes = dict.fromkeys(each for case in _USE_CASES for each in scopes_of(account_id, case))
        own = [scope for scope in scopes if scope.startswith(f"account/{account_id}")]
        uses = sorted(
            ledger.load(own).values(),
            key=lambda use: (use.blocked_for(now), use.percent_at(now)),
        )
        return uses[-1] if uses else None

    def _counts(self, account_ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """Campaigns of ours, those that run, and changes that wait for a person, by account."""
        return CampaignCounts(self._office.store).of_accounts(account_ids)
