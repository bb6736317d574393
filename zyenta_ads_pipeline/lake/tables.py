"""The lake's tables: each with its columns, their types, units and meaning.

One declaration serves the writer (frames are cast to it), Dagster's column schema and the docs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

PolarsType: TypeAlias = pl.DataType | type[pl.DataType]

MONEY = pl.Decimal(38, 12)
"""Twelve decimals hold every amount Meta or an export writes; see
`docs/decisions/0002-money-in-the-lake.md`."""

MOMENT = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Column:
    """One column: its type, and what it means in words (unit, origin, when it is empty)."""

    name: str
    type: PolarsType
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table. `key` names the columns that make a row unique; `daily` tables are partitioned
    by `date`, the account's own day."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    daily: bool = True

    @property
    def schema(self) -> pl.Schema:
        """The declared schema, in the declared order."""
        return pl.Schema({column.name: column.type for column in self.columns})


_DATE = Column("date", pl.Date, "Day in the ad account's own time zone.")
_ACCOUNT = Column("account_id", pl.String, "Ad account, digits without act_.")
_CAMPAIGN = Column("campaign_id", pl.String, "Campaign.")
_ADSET = Column("adset_id", pl.String, "Ad set.")
_AD = Column("ad_id", pl.String, "Ad.")
_CURRENCY = Column("currency", pl.String, "The account's currency, as Meta names it.")
_OBSERVED = Column("observed_at", MOMENT, "When Meta said so (its own clock, UTC).")
_RUN = Column("run_id", pl.String, "The Dagster run that wrote the row.")

_RAW_NUMBERS = tuple(
    Column(name, pl.String, f"Insights field `{name}`, as Meta wrote it; empty where absent.")
    for name in ("impressions", "clicks", "inline_link_clicks", "reach", "spend")
)

_METRICS = (
    Column("impressions", pl.Int64, "Times an ad was shown."),
    Column("clicks", pl.Int64, "All clicks, as Meta counts them (likes and 'see more' included)."),
    Column("link_clicks", pl.Int64, "Clicks on links (Meta's inline_link_clicks)."),
    Column("reach", pl.Int64, "People reached that day, from Meta at this level; not additive."),
    Column("spend", MONEY, "Amount spent, account currency."),
    Column("purchases", MONEY, "Purchases by the account's one canonical action type; 0 if none."),
    Column("purchase_value", MONEY, "Value of those purchases, account currency; 0 if none."),
    Column("leads", MONEY, "Leads by the first lead type reported; 0 if none."),
    Column("ctr", pl.Float64, "clicks / impressions, a fraction; empty without impressions."),
    Column("cpc", pl.Float64, "spend / clicks; empty without clicks."),
    Column("cpm", pl.Float64, "1000 x spend / impressions; empty without impressions."),
    Column("cpa", pl.Float64, "spend / purchases; empty without spend or purchases."),
    Column("roas", pl.Float64, "purchase_value / spend; empty without spend."),
)
_RECENT = (
    Column(
        "maturity",
        pl.Float64,
        "Share of Meta's 28 days of restatement that had passed when it was seen: 0 to 1; below 1 "
        "the numbers may still move.",
    ),
    _OBSERVED,
)

RAW_INSIGHTS = Table(
    "raw_insights",
    "Insights as Meta served them: one row per day, level and object; texts untouched.",
    ("date", "account_id", "level", "object_id"),
    (
        _DATE,
        _ACCOUNT,
        Column("level", pl.String, "account, campaign, adset or ad."),
        Column("object_id", pl.String, "The object of that level."),
        _CAMPAIGN,
        _ADSET,
        _AD,
        Column("currency", pl.String, "account_currency of the row."),
        *_RAW_NUMBERS,
        Column("actions", pl.String, "JSON list of actions, as Meta wrote it."),
        Column("action_values", pl.String, "JSON list of action values, as Meta wrote it."),
        Column(
            "age_days",
            pl.Int64,
            "Account days from `date` to observed_at; capped at 28, when Meta stops restating.",
        ),
        _OBSERVED,
        _RUN,
    ),
)

AD_ACCOUNTS = Table(
    "ad_accounts",
    "The ad accounts as last seen: currency, time zone, canonical purchase type.",
    ("account_id",),
    (
        _ACCOUNT,
        Column("name", pl.String, "Name in Ads Manager."),
        _CURRENCY,
        Column("timezone", pl.String, "IANA time zone; days are counted in it."),
        Column("account_status", pl.Int64, "Meta's code; 1 is active."),
        Column("min_daily_budget", pl.Int64, "Meta's least daily budget, minor units."),
        Column(
            "purchase_type",
            pl.String,
            "The one action type counted as a purchase; empty until one is seen.",
        ),
        Column(
            "lead_type",
            pl.String,
            "The one action type counted as a lead; empty until one is seen.",
        ),
        _OBSERVED,
        _RUN,
    ),
    daily=False,
)

AD_OBJECTS = Table(
    "ad_objects",
    "Campaigns, ad sets and ads as last seen, archived ones included.",
    ("account_id", "level", "object_id"),
    (
        _ACCOUNT,
        Column("level", pl.String, "campaign, adset or ad."),
        Column("object_id", pl.String, "The object."),
        _CAMPAIGN,
        Column("adset_id", pl.String, "Ad set (of ad sets and ads)."),
        Column("creative_id", pl.String, "Creative (of ads)."),
        Column("name", pl.String, "Name in Ads Manager."),
        Column("objective", pl.String, "Objective (of campaigns)."),
        Column("status", pl.String, "What was set: ACTIVE, PAUSED, ARCHIVED, DELETED."),
        Column("effective_status", pl.String, "What results with parents and review."),
        Column(
            "daily_budget",
            pl.Int64,
            "Daily budget in minor units; empty if the budget is on another level.",
        ),
        Column("lifetime_budget", pl.Int64, "Lifetime budget in minor units."),
        Column("created_time", MOMENT, "Created on Meta."),
        Column("updated_time", MOMENT, "Last edited on Meta, by anyone."),
        _OBSERVED,
        _RUN,
    ),
    daily=False,
)


def _metrics(name: str, meaning: str, *ids: Column) -> Table:
    key = ("date", *(column.name for column in ids))
    return Table(name, meaning, key, (_DATE, *ids, _CURRENCY, *_METRICS, *_RECENT))


AD_METRICS = _metrics("ad_metrics", "Daily metrics of each ad.", _ACCOUNT, _CAMPAIGN, _ADSET, _AD)
ADSET_METRICS = _metrics(
    "adset_metrics", "Daily metrics of each ad set: sums of its ads.", _ACCOUNT, _CAMPAIGN, _ADSET
)
CAMPAIGN_METRICS = _metrics(
    "campaign_metrics", "Daily metrics of each campaign: sums of its ads.", _ACCOUNT, _CAMPAIGN
)
ACCOUNT_METRICS = _metrics(
    "account_metrics", "Daily metrics of each account: sums of its ads.", _ACCOUNT
)

CAMPAIGN_TRAILING = Table(
    "campaign_trailing",
    "Sums over the last days up to and including `date`, per campaign and window.",
    ("date", "account_id", "campaign_id", "window_days"),
    (
        Column("date", pl.Date, "Last day of the window, account's own."),
        _ACCOUNT,
        _CAMPAIGN,
        Column("window_days", pl.Int64, "Length of the window in days: 1, 3, 7, 14, 28."),
        _CURRENCY,
        Column("days_with_delivery", pl.Int64, "Days of the window with a row from Meta."),
        *(column for column in _METRICS if column.name != "reach"),
        *_RECENT,
    ),
)

_DECISION_KEY = (
    Column("decision_id", pl.String, "One id per decided run and account."),
    Column("decided_at", MOMENT, "When it was decided (Meta's clock, UTC)."),
)

BUDGET_DECISIONS = Table(
    "budget_decisions",
    "What the policy says each campaign deserves on its own, and why. Append-only.",
    ("decision_id", "campaign_id"),
    (
        Column("date", pl.Date, "The account's last complete day the decision looks at."),
        _ACCOUNT,
        _CAMPAIGN,
        Column("campaign_name", pl.String, "Name at that time."),
        _CURRENCY,
        *_DECISION_KEY,
        Column("policy", pl.String, "Name of the policy."),
        Column("window_days", pl.Int64, "Days it looked at."),
        Column("action", pl.String, "increase, decrease, maintain or pause."),
        Column("current_budget", MONEY, "Daily budget when decided, account currency."),
        Column("new_budget", MONEY, "Budget it asks for, exact; empty: leave it."),
        Column("reason", pl.String, "Why, in words."),
        Column("confidence", pl.Float64, "0 to 1; fixed by rule in roas_thresholds."),
        Column("spend", MONEY, "Spend in the window."),
        Column("purchases", MONEY, "Purchases in the window."),
        Column("purchase_value", MONEY, "Their value."),
        Column("roas", pl.Float64, "purchase_value / spend."),
        Column("days_running", pl.Int64, "Days since the first delivery known."),
        Column("table_versions", pl.String, "JSON: versions of the tables read, to replay it."),
        _RUN,
    ),
)

BUDGET_ALLOCATION = Table(
    "budget_allocation",
    "The budgets that fit together: under floors, caps, steps and the account's total. "
    "Append-only.",
    ("decision_id", "campaign_id"),
    (
        Column("date", pl.Date, "As in budget_decisions."),
        _ACCOUNT,
        _CAMPAIGN,
        _CURRENCY,
        *_DECISION_KEY,
        Column("action", pl.String, "set, keep, pause or leave (not part of the allocation)."),
        Column("current_budget_minor", pl.Int64, "Daily budget now, minor units."),
        Column(
            "allocated_minor", pl.Int64, "Daily budget allocated, minor units; empty: left alone."
        ),
        Column("note", pl.String, "What bound or rule applied to this campaign."),
        Column("case", pl.String, "How the total was met, as one word."),
        Column("message", pl.String, "The same in a sentence, with amounts."),
        Column("needs_person", pl.Boolean, "True where a limit had to give way: a person decides."),
        Column("total_minor", pl.Int64, "Total asked for; empty without one."),
        Column("distributed_minor", pl.Int64, "Sum actually allocated."),
        _RUN,
    ),
)

CHANGE_SET = Table(
    "change_set",
    "The changes proposed to Meta: absolute values per object. Append-only; their later fate is "
    "in the store's journal.",
    ("decision_id", "object_id", "field"),
    (
        Column("date", pl.Date, "As in budget_decisions."),
        _ACCOUNT,
        _CAMPAIGN,
        *_DECISION_KEY,
        Column("change_id", pl.String, "Id in the outbox; empty if it was not taken up."),
        Column("level", pl.String, "campaign or adset."),
        Column("object_id", pl.String, "The object whose value changes."),
        Column("object_name", pl.String, "Its name."),
        Column("field", pl.String, "daily_budget or status."),
        Column("old_value", pl.String, "Value seen: minor units or status."),
        Column("new_value", pl.String, "Value to set."),
        _CURRENCY,
        Column("reason", pl.String, "Why, in words."),
        Column("confidence", pl.Float64, "0 to 1."),
        Column("outcome", pl.String, "proposed, approved, or why it was not taken up."),
        _RUN,
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        RAW_INSIGHTS,
        AD_ACCOUNTS,
        AD_OBJECTS,
        AD_METRICS,
        ADSET_METRICS,
        CAMPAIGN_METRICS,
        ACCOUNT_METRICS,
        CAMPAIGN_TRAILING,
        BUDGET_DECISIONS,
        BUDGET_ALLOCATION,
        CHANGE_SET,
    )
}
