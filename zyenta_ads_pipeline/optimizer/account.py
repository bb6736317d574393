"""What may be known of one ad account at a moment: its campaigns, their days, its limits.

The one input of every policy, of the response curves, of the holds and of the backtest. Columnar,
so that a hundred thousand campaigns are a few arrays; checked once, here, so that nothing behind
it meets a gap it does not expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.errors import InputError

if TYPE_CHECKING:
    from zyenta_ads_pipeline.optimizer.curves import Curves

AMOUNT = pl.Decimal(38, 12)
"""Money and conversions in the lake: exact, major units."""

CAMPAIGNS: Mapping[str, Any] = MappingProxyType(
    {
        "campaign_id": pl.String,
        "name": pl.String,
        "active": pl.Boolean,
        "current_minor": pl.Int64,
        "floor_minor": pl.Int64,
        "cap_minor": pl.Int64,
        "locked": pl.Boolean,
        "group": pl.String,
        "days_running": pl.Int64,
        "last_change_day": pl.Date,
        "last_change": pl.Float64,
        "committed_week_minor": pl.Int64,
    }
)
"""One row per campaign. `current_minor` is today's daily budget in minor units, null where there is
none to set (a lifetime budget); where the ad sets hold the budgets it is their sum. `floor_minor`
and `cap_minor`, where not null, take the place of the account's own. `locked`: a person pinned it.
`group` names a group with a budget of its own. `days_running` counts days since the first spend,
the last complete day included; 0 for none. `last_change_day` and `last_change` (new / old - 1) tell
the last budget change known, null without one. `committed_week_minor` is what was spent since the
week of Meta's pacing began (Sunday, account's days), minor units."""

DAYS: Mapping[str, Any] = MappingProxyType(
    {
        "campaign_id": pl.String,
        "date": pl.Date,
        "impressions": pl.Int64,
        "clicks": pl.Int64,
        "spend": AMOUNT,
        "conversions": AMOUNT,
        "revenue": AMOUNT,
        "maturity": pl.Float64,
        "budget_minor": pl.Int64,
    }
)
"""One row per campaign and day with delivery, the account's own days, none after the last complete
one. `conversions` and `revenue` are as reported so far; `maturity` (0 to 1] is the expected share
of them that was reported. `budget_minor` is the daily budget that was in force, null if unknown."""


class Goal(StrEnum):
    """What the account's budget is to be spent for."""

    REVENUE = "revenue"
    """Most revenue for the whole total."""
    PROFIT = "profit"
    """Most profit at `margin`: what would return less than it costs is not spent."""
    TARGET_ROAS = "target_roas"
    """Most spend up to the total at which the account's ROAS still reaches `target`."""
    TARGET_CPA = "target_cpa"
    """Most spend up to the total at which the account's cost per conversion stays at `target`."""


@dataclass(frozen=True, kw_only=True)
class Caution:
    """When a decision has to wait before it changes a campaign's budget.

    `cooldown_days`: a budget stays that many days as it was set; 1: one change a day. A move
    against the last one waits `reversal_days`, unless its confidence is `reversal_confidence` or
    more. A pause needs `pause_days` days with spend.
    """

    cooldown_days: int = 1
    reversal_days: int = 3
    reversal_confidence: float = 0.8
    pause_days: int = 3


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What bounds one account's daily budgets. Amounts in minor units of its currency.

    `total_minor` None: the sum of today's active budgets for policies that share a total, and no
    total at all for those that do not. `max_step` is a share of today's budget, either way; None:
    free. `dead_band`: a move smaller than this share of today's budget is not worth a change.
    `group_totals` are the groups' own totals; a group that is named nowhere shares the account's.
    `margin` (for PROFIT) is profit per revenue before ads; `target` is the ROAS, or the cost per
    conversion in major units. `week_cap_minor` is what may be spent in a week of Meta's pacing.
    `no_changes` and `no_raises`, where not empty, say why for now nothing may be changed or raised.
    """

    total_minor: int | None
    floor_minor: int
    cap_minor: int | None = None
    max_step: Decimal | None = Decimal("0.20")
    dead_band: Decimal = Decimal("0.03")
    goal: Goal = Goal.REVENUE
    margin: Decimal | None = None
    target: Decimal | None = None
    group_totals: Mapping[str, int] = field(default_factory=dict)
    week_cap_minor: int | None = None
    caution: Caution = field(default_factory=Caution)
    no_changes: str = ""
    no_raises: str = ""


@dataclass(frozen=True, kw_only=True)
class AccountHistory:
    """One account as it was known at a moment; `day` is its last complete day.

    `campaigns` has the columns of `CAMPAIGNS` and `days` those of `DAYS`, in any row order.
    `window_days` is how many days, up to `day`, policies on a window's ROAS look at. `curves` are
    the response curves fitted to this very history, where somebody did so already; None: a policy
    that needs them fits them itself.

    Raises `InputError` for a campaign or day given twice, a day of no known campaign, a number
    that is not finite, negative spend or budgets, or a maturity outside (0, 1]. Revenue and
    conversions may be negative on a day: corrections come late.
    """

    account_id: str
    currency: str
    day: date
    campaigns: pl.DataFrame
    days: pl.DataFrame
    limits: Limits
    window_days: int = 7
    curves: Curves | None = None

    def __post_init__(self) -> None:
        money.offset(self.currency)
        object.__setattr__(self, "campaigns", _aligned(self.campaigns, CAMPAIGNS, "campaign_id"))
        object.__setattr__(self, "days", _aligned(self.days, DAYS, "campaign_id", "date"))
        _check_campaigns(self.account_id, self.campaigns)
        _check_days(self.account_id, self.days, self.campaigns, self.day)

    @property
    def offset(self) -> int:
        """Minor units in one major unit of the currency."""
        return money.offset(self.currency)


def _aligned(frame: pl.DataFrame, schema: Mapping[str, Any], *key: str) -> pl.DataFrame:
    """The declared columns in their types, in the order of the key."""
    if missing := [name for name in schema if name not in frame.columns]:
        raise InputError(
            f"A history lacks the columns {', '.join(missing)}.",
            "Give every column of the schema; null stands for unknown.",
        )
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items()).sort(*key)


def _check_campaigns(account_id: str, campaigns: pl.DataFrame) -> None:
    _refuse(campaigns, pl.col("campaign_id").is_null(), account_id, "has a campaign without an id")
    _refuse(
        campaigns, pl.col("campaign_id").is_duplicated(), account_id, "has a campaign given twice"
    )
    for name in ("current_minor", "floor_minor", "cap_minor", "committed_week_minor"):
        _refuse(campaigns, pl.col(name) < 0, account_id, f"has a campaign with a negative {name}")
    _refuse(
        campaigns, ~pl.col("last_change").is_finite(), account_id, "has a last_change that is none"
    )


def _check_days(account_id: str, days: pl.DataFrame, campaigns: pl.DataFrame, last: date) -> None:
    key = pl.struct("campaign_id", "date")
    _refuse(days, key.is_duplicated(), account_id, "has a day of a campaign given twice")
    known = campaigns["campaign_id"].implode()
    _refuse(days, ~pl.col("campaign_id").is_in(known), account_id, "has days of no known campaign")
    _refuse(days, pl.col("date") > last, account_id, f"has days after {last}")
    for name in ("spend", "impressions", "clicks", "budget_minor"):
        _refuse(days, pl.col(name) < 0, account_id, f"has a day with a negative {name}")
    for name in ("spend", "conversions", "revenue"):
        _refuse(days, pl.col(name).is_null(), account_id, f"has a day without {name}")
    maturity = pl.col("maturity")
    outside = maturity.is_null() | maturity.is_nan() | (maturity <= 0) | (maturity > 1)
    _refuse(days, outside, account_id, "has a day whose maturity is not above 0 and at most 1")


def _refuse(frame: pl.DataFrame, wrong: pl.Expr, account_id: str, what: str) -> None:
    found = frame.filter(wrong.fill_null(value=False))
    if found.height:
        where = ", ".join(str(value) for value in found.row(0)[:2])
        raise InputError(
            f"act_{account_id} {what}: {where}"
            + (f" and {found.height - 1} more." if found.height > 1 else "."),
            "Sync the account again; if it persists, `zyenta sql` shows the rows.",
        )
