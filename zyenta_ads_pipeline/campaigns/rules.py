"""What a person set for one account and its campaigns: policy, limits, the autopilot's reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.money import to_minor
from zyenta_ads_pipeline.optimizer.ab_plan import Metric
from zyenta_ads_pipeline.optimizer.account import Caution, Goal, Limits
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.guardrails import CampaignRails, Guardrails


@dataclass(frozen=True)
class CampaignRules:
    """One campaign's own rules; amounts in major units, None: the account's. `locked` pins its
    budget: nobody but a person changes it. `group` shares a total of its own."""

    locked: bool = False
    floor: Decimal | None = None
    cap: Decimal | None = None
    group: str | None = None
    autopilot: Autopilot | None = None


@dataclass(frozen=True)
class CreativeTestRules:
    """How creative tests of an account are declared: what counts, and for how many days at most."""

    metric: Metric = Metric.CONVERSION_RATE
    days: int = 28


@dataclass(frozen=True, kw_only=True)
class AccountBounds:
    """What bounds one account's budgets, whatever decides on them; amounts in major units of its
    currency, a day.

    `total` None: none set. `groups` are totals of groups of campaigns, `campaigns` own rules by
    campaign id. `total` covers the groups as well. `max_day_change`, `max_week_growth` and
    `max_week_change` are those of `Guardrails`; `week_cap` is what the account may spend in a week
    of Meta's pacing, Sunday to Saturday.
    """

    window_days: int = 7
    floor: Decimal = Decimal(10)
    cap: Decimal | None = None
    max_step: Decimal | None = Decimal("0.20")
    max_day_change: Decimal | None = None
    max_week_growth: Decimal | None = Decimal("0.50")
    max_week_change: Decimal | None = None
    total: Decimal | None = None
    week_cap: Decimal | None = None
    dead_band: Decimal = Decimal("0.03")
    goal: Goal = Goal.REVENUE
    margin: Decimal | None = None
    target: Decimal | None = None
    autopilot: Autopilot = Autopilot.WATCH
    groups: Mapping[str, Decimal] = field(default_factory=dict)
    campaigns: Mapping[str, CampaignRules] = field(default_factory=dict)
    caution: Caution = field(default_factory=Caution)
    tests: CreativeTestRules = field(default_factory=CreativeTestRules)

    def autopilot_of(self, campaign_id: str) -> Autopilot:
        """How far the autopilot goes with one campaign: its own position, or the account's, never
        further than the account's."""
        own = self.campaigns.get(campaign_id, CampaignRules()).autopilot
        if own is None:
            return self.autopilot
        reach = list(Autopilot)
        return min(own, self.autopilot, key=reach.index)

    def limits(self, currency: str, least_minor: int | None) -> Limits:
        """The same for the optimizer, in minor units; `least_minor` is Meta's own minimum."""
        return Limits(
            total_minor=_minor(self.total, currency),
            floor_minor=max(to_minor(self.floor, currency), least_minor or 1),
            cap_minor=_minor(self.cap, currency),
            week_cap_minor=_minor(self.week_cap, currency),
            max_step=self.max_step,
            dead_band=self.dead_band,
            goal=self.goal,
            margin=self.margin,
            target=self.target,
            group_totals={name: to_minor(total, currency) for name, total in self.groups.items()},
            caution=self.caution,
        )

    def guardrails(
        self, currency: str, least_minor: int | None, *, kill_switch: bool
    ) -> Guardrails:
        """What every write to the account has to pass; `least_minor` is Meta's own minimum."""
        least = least_minor or 1
        return Guardrails(
            kill_switch=kill_switch,
            max_step=self.max_step,
            max_day_change=self.max_day_change,
            max_week_growth=self.max_week_growth,
            max_week_change=self.max_week_change,
            minimum_minor=least,
            cap_minor=_minor(self.cap, currency),
            max_total_minor=_minor(self.total, currency),
            campaigns={
                own: CampaignRails(
                    cap_minor=_minor(rules.cap, currency),
                    locked=rules.locked,
                    watched=self.autopilot_of(own) is Autopilot.WATCH
                    and self.autopilot is not Autopilot.WATCH,
                )
                for own, rules in self.campaigns.items()
            },
        )


@dataclass(frozen=True, kw_only=True)
class AccountRules(AccountBounds):
    """One account's rules: who decides on its budgets, and within which bounds."""

    policy: Policy


def _minor(major: Decimal | None, currency: str) -> int | None:
    return None if major is None else to_minor(major, currency)
