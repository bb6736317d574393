"""What the lake says of campaigns, as plain values that pages and the API show.

Where nothing is known yet the values are empty or None: that is a state to show, no error. Money is
`Decimal` in major units of the account's currency, or whole minor units where the name says so;
ratios and estimates are floats. Days are the account's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl

SETTLED = 0.95
"""Maturity from which a day's purchases are shown as certain."""
SPARK_WIDTH, SPARK_HEIGHT, SPARK_DAYS = 78, 20, 14
"""A sparkline's box in its own units, and the complete days that it shows."""

LEARNING = (
    "A change by more than 20 % makes Meta learn again: sales are lower in the first three days."
)
"""Why a forecast falls at a step where the budget moves far."""


@dataclass(frozen=True, slots=True)
class Spark:
    """One campaign's last complete days as lines in a box of `SPARK_WIDTH` x `SPARK_HEIGHT`.

    Each is the `d` of an SVG path (days without spend leave gaps in ROAS), empty where there is
    nothing to draw. `roas` is as expected once all purchases are reported; `coming` is its last
    part, the days whose purchases still come in, to be drawn lighter or dashed. Both scales begin
    at 0 and end at the campaign's own maximum.
    """

    spend: str = ""
    roas: str = ""
    coming: str = ""


NO_SPARK = Spark()
"""A campaign without a complete day of delivery."""


@dataclass(frozen=True, slots=True)
class DayNumbers:
    """One day of one object. Ratios are None where their denominator is nothing."""

    date: date
    spend: Decimal
    impressions: int
    clicks: int
    purchases: Decimal
    revenue: Decimal
    roas: float | None
    cpa: float | None
    ctr: float | None
    maturity: float
    """Share of the day's purchases that was reported when it was read: 0 to 1."""
    running: bool
    """The account's day is not over."""
    purchases_expected: float
    purchases_low: float
    purchases_high: float
    revenue_expected: float
    revenue_low: float
    revenue_high: float
    """As expected once all purchases are reported; 80 % lie between low and high. Equal to what
    was reported where nothing more is to come or nothing is known of how late they come."""
    roas_expected: float | None
    roas_low: float | None
    roas_high: float | None

    @property
    def uncertain(self) -> bool:
        """Purchases of that day are still coming in."""
        return self.running or self.maturity < SETTLED


@dataclass(frozen=True, slots=True)
class TotalNumbers:
    """Sums over days, and ratios of these sums; `revenue_expected` and `roas_expected` once all
    purchases are reported."""

    spend: Decimal
    impressions: int
    clicks: int
    purchases: Decimal
    revenue: Decimal
    roas: float | None
    cpa: float | None
    ctr: float | None
    revenue_expected: float
    roas_expected: float | None
    uncertain: bool
    """At least one day's purchases are still coming in."""


@dataclass(frozen=True)
class Series:
    """The days that are known of one object, oldest first; a day without a row had no delivery, or
    was not read. `currency` is empty and `total` None where no day is known."""

    days: tuple[DayNumbers, ...] = ()
    total: TotalNumbers | None = None
    currency: str = ""

    def frame(self) -> pl.DataFrame:
        """The days for `charts.series`: date, spend, revenue, revenue_expected, revenue_low,
        revenue_high, roas, roas_expected, roas_low, roas_high, purchases, uncertain, running."""
        return pl.DataFrame(
            [
                (
                    each.date,
                    float(each.spend),
                    float(each.revenue),
                    each.revenue_expected,
                    each.revenue_low,
                    each.revenue_high,
                    each.roas,
                    each.roas_expected,
                    each.roas_low,
                    each.roas_high,
                    float(each.purchases),
                    each.uncertain,
                    each.running,
                )
                for each in self.days
            ],
            schema=_SERIES,
            orient="row",
        )


_SERIES = pl.Schema(
    {
        "date": pl.Date,
        "spend": pl.Float64,
        "revenue": pl.Float64,
        "revenue_expected": pl.Float64,
        "revenue_low": pl.Float64,
        "revenue_high": pl.Float64,
        "roas": pl.Float64,
        "roas_expected": pl.Float64,
        "roas_low": pl.Float64,
        "roas_high": pl.Float64,
        "purchases": pl.Float64,
        "uncertain": pl.Boolean,
        "running": pl.Boolean,
    }
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one campaign at one moment.

    `action` and `reason` are the policy's own (increase, decrease, maintain, pause); `outcome` is
    what the whole allocation made of it (set, keep, pause, leave; empty: not allocated), `note` why
    where a limit or rule applied, `hold` why the budget stays for now whatever was decided.
    """

    decision_id: str
    decided_at: datetime
    day: date
    """The last complete day it looked at."""
    policy: str
    action: str
    reason: str
    confidence: float | None
    """Probability that the move is right."""
    probability_up: float | None
    currency: str
    before_minor: int | None
    after_minor: int | None
    """Daily budget when decided, and as allocated: minor units, None where there is none."""
    outcome: str
    note: str
    hold: str
    expected: str
    """What the move is expected to bring, in words; empty where nothing moves or is known."""
    needs_person: bool
    message: str
    """How the total was met, in a sentence."""
    spend: Decimal
    roas: float | None
    """Of the days that were looked at."""
    change_ids: tuple[str, ...] = ()
    """The changes in the outbox that followed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What kept an account as a whole from being acted on when it was decided last."""

    decision_id: str
    decided_at: datetime
    kind: str
    forbids: str
    """everything, raises or cuts."""
    reason: str


@dataclass(frozen=True, slots=True)
class Fatigue:
    """Whether a creative has tired: it sells `fall` less than before, 0.3 for 30 %."""

    tired: bool
    since: date | None
    fall: float | None
    fall_low: float | None
    fall_high: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class TestedCreative:
    """How one creative stands in its test, at the newest look.

    `rate` is purchases, or their value, per impression; `lift` is over the creative `against`;
    `lift_low` and `lift_high` hold at all looks together. `probability_better` is of this look
    alone and decides nothing. `days_needed` more days decide, should the lead stay as it is.
    """

    creative_id: str
    name: str
    standing: str
    """testing, winner, loser or no_difference."""
    reason: str
    impressions: int
    conversions: float
    revenue: float
    spend: float
    rate: float | None
    against: str | None
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    probability_better: float | None
    days_needed: int | None
    fatigue: Fatigue | None = None


@dataclass(frozen=True)
class TestState:
    """A campaign's creative test at its newest look; no `creatives`: none was tested yet."""

    __test__ = False

    creatives: tuple[TestedCreative, ...] = ()
    day: date | None = None
    """The last complete day that was looked at."""
    started: date | None = None
    metric: str = ""
    """conversion_rate or revenue_per_impression."""
    horizon_days: int | None = None
    currency: str = ""

    @property
    def last_day(self) -> date | None:
        """The last day of the test as declared."""
        if self.started is None or self.horizon_days is None:
            return None
        return self.started + timedelta(days=self.horizon_days - 1)

    @property
    def running(self) -> bool:
        """At least one creative is not decided yet."""
        return any(each.standing == "testing" for each in self.creatives)

    def of(self, creative_id: str) -> TestedCreative | None:
        """One creative's state; None where it is not in the test."""
        return next((each for each in self.creatives if each.creative_id == creative_id), None)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one daily budget sells in all of the days ahead; 80 % lie between low and high.
    `value` is revenue, major units. All are mature."""

    budget_minor: int
    spend: float
    purchases: float
    purchases_low: float
    purchases_high: float
    value: float
    value_low: float
    value_high: float
    extrapolated: bool
    """The budget is beyond twice the largest daily spend ever seen: guesswork."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What moving the budget changes in all of the days; 80 % lie between low and high."""

    spend: float
    purchases: float
    purchases_low: float
    purchases_high: float
    value: float
    value_low: float
    value_high: float


@dataclass(frozen=True)
class Forecast:
    """A campaign at another daily budget, beside how it would go on at today's.

    `stay` and `difference` are None where no budget of today is known. `words` says the
    difference in a sentence, empty where nothing moves.
    """

    currency: str
    days: int
    since: date
    """The first day ahead."""
    fitted_to: date
    """The last day the curve learned from."""
    asked: Outlook
    stay: Outlook | None
    difference: Difference | None
    words: str


@dataclass(frozen=True)
class Outlooks:
    """Forecasts over a range of budgets, for `charts.forecast`: the rows of `points` are budget
    (major units a day), purchases, purchases_low, purchases_high, value, value_low, value_high,
    all of `days` days together."""

    currency: str
    days: int
    since: date
    points: pl.DataFrame
    today: float | None
    """Today's daily budget, major units."""


@dataclass(frozen=True)
class CurvePlot:
    """A campaign's response curve for `charts.response`: frames as in its `Panel`."""

    currency: str
    fitted_to: date
    points: pl.DataFrame
    curve: pl.DataFrame
    today: float | None
    days_seen: int
    marginal: float | None
    """Value that the next unit of budget returns at today's."""
    marginal_low: float | None
    marginal_high: float | None


@dataclass(frozen=True, slots=True)
class NotKnown:
    """There is nothing to show yet; `reason` says why, and what will change it."""

    reason: str


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """An ad account as the lake last saw it. `observed_at` is Meta's clock, UTC."""

    account_id: str
    name: str
    currency: str
    timezone: str
    status: int | None
    """Meta's code; 1 is active."""
    observed_at: datetime
    today: date
    """The account's day when it was seen: not over yet."""


@dataclass(frozen=True, slots=True)
class Sync:
    """How an account's insights were last read. Moments are Meta's clock, UTC."""

    account_id: str
    read_at: datetime | None = None
    """Newest reading; None: never read."""
    last_day: date | None = None
    """Newest day that was read."""
    complete_day: date | None = None
    """Newest day that was over when it was read."""
    days: int = 0
    gap_days: tuple[date, ...] = ()
    """Days whose ads do not add up to the account's total, newest first, at most 10."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh the numbers are that pages show: the newest commit to the insights, by this
    machine's clock, and the accounts' newest readings. None: nothing was ever synced."""

    written_at: datetime | None = None
    read_at: datetime | None = None
    accounts: int = 0
