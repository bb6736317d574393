"""The lake's tables: each with its columns, their types, units and meaning.

One declaration serves the writer (frames are cast to it), Dagster's column schema and the docs.
"""

from __future__ import annotations

import polars as pl

from zyenta_ads_pipeline.domain.insights import HOURLY, PRESETS, Preset
from zyenta_ads_pipeline.lake.backtest_tables import BACKTEST_TABLES
from zyenta_ads_pipeline.lake.creative_tables import (
    AD_CREATIVES,
    CREATIVE_FATIGUE,
    CREATIVE_TESTS,
    OUR_IDS,
)
from zyenta_ads_pipeline.lake.decision_tables import DECISION_TABLES
from zyenta_ads_pipeline.lake.schema import MOMENT, MONEY, STAT_ITEMS, Column, Table

_DATE = Column("date", pl.Date, "Day in the ad account's own time zone.")
_ACCOUNT = Column("account_id", pl.String, "Ad account, digits without act_.")
_CAMPAIGN = Column("campaign_id", pl.String, "Campaign.")
_ADSET = Column("adset_id", pl.String, "Ad set.")
_AD = Column("ad_id", pl.String, "Ad.")
_CURRENCY = Column("currency", pl.String, "The account's currency, as Meta names it.")
_OBSERVED = Column("observed_at", MOMENT, "When Meta said so (its own clock, UTC).")
_RUN = Column("run_id", pl.String, "The Dagster run that wrote the row.")

_DETAILS = Column("details", pl.String, "The rest Meta said of it: JSON, keys sorted.")
_IS_DELETED = Column("is_deleted", pl.Boolean, "True once Meta lists it no more or says so.")
_LIFE = (
    Column("created_time", MOMENT, "Created on Meta."),
    Column("updated_time", MOMENT, "Last edited on Meta, by anyone."),
)

_RAW_KEY = (
    _DATE,
    _ACCOUNT,
    Column("level", pl.String, "account, campaign, adset or ad."),
    Column("object_id", pl.String, "The object of that level."),
)
_RAW_IDS = (_CAMPAIGN, _ADSET, _AD, Column("currency", pl.String, "account_currency of the row."))
_RAW_NUMBERS = (
    *(
        Column(name, pl.String, f"Insights field `{name}`, as Meta wrote it; empty where absent.")
        for name in ("impressions", "clicks", "inline_link_clicks", "reach", "spend")
    ),
    Column("actions", STAT_ITEMS, "Actions by type and window, texts as Meta wrote them."),
    Column("action_values", STAT_ITEMS, "Their values, major units, texts as Meta wrote them."),
)
_MISSING = Column(
    "missing", pl.String, "Fields Meta could not serve for this row, comma separated; empty: none."
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
_EXPECTED = tuple(
    Column(f"{name}_{part}", pl.Float64, f"{what} {meaning}")
    for name, what in (
        ("purchases", "Purchases of the day once all are reported:"),
        ("purchase_value", "Value of the day's purchases once all are reported:"),
    )
    for part, meaning in (
        ("expected", "what is expected; equal to the observed at maturity 1."),
        ("low", "lower end of the 80 % interval."),
        ("high", "upper end of the 80 % interval."),
    )
)
_RECENT = (
    Column(
        "maturity",
        pl.Float64,
        "Expected share of the day's purchases that was reported when it was read: 0 to 1, from "
        "conversion_lag by the day's age; below 1 the numbers still grow.",
    ),
    Column("observed_at", MOMENT, "When Meta first said so (its own clock, UTC)."),
)

RAW_INSIGHTS = Table(
    "raw_insights",
    "Insights as Meta served them: one row per day, level and object; texts untouched.",
    ("date", "account_id", "level", "object_id"),
    (
        *_RAW_KEY,
        *_RAW_IDS,
        *_RAW_NUMBERS,
        Column("attribution_setting", pl.String, "The ad set's attribution (of ads and ad sets)."),
        _MISSING,
        Column("content_hash", pl.String, "Changes when anything but the moment changes."),
        Column("observed_at", MOMENT, "When Meta first said exactly this (its own clock, UTC)."),
        _RUN,
    ),
)

INSIGHT_RESTATEMENTS = Table(
    "insight_restatements",
    "What raw_insights said before: each row that Meta restated or took back, append-only.",
    (*RAW_INSIGHTS.key, "observed_at"),
    (
        *RAW_INSIGHTS.columns,
        Column("replaced_at", MOMENT, "When Meta first said otherwise (its own clock, UTC)."),
        Column("removed", pl.Boolean, "True where it then had no such row any more."),
    ),
)


def _breakdown(preset: Preset) -> Table:
    hourly = HOURLY in preset.breakdowns
    parts = tuple(
        Column(name, pl.String, f"Breakdown `{name}`, as Meta wrote it.")
        for name in preset.breakdowns
        if name != HOURLY
    )
    if hourly:
        parts = (
            Column("hour", pl.Int64, "Hour of the account's own day, 0 to 23."),
            Column("fold", pl.Int64, "1 for the second of two equal hours when clocks go back."),
        )
    windows = Column(
        "windows", pl.String, "Attribution windows asked for, comma separated; default among them."
    )
    moments = (
        Column("starts_at", MOMENT, "When the hour begins, UTC."),
        Column("hours", pl.Int64, "1; 2 where Meta merged a repeated hour into one row."),
    )
    return Table(
        f"insights_{preset.name}",
        f"Insights broken down, as Meta served them: {preset.meaning}"
        + ("" if preset.off_meta else " Purchases off Meta are absent from it, not zero."),
        (*RAW_INSIGHTS.key, *(part.name for part in parts), windows.name),
        (
            *_RAW_KEY,
            *parts,
            windows,
            *(moments if hourly else ()),
            *_RAW_IDS,
            *_RAW_NUMBERS,
            _MISSING,
            _OBSERVED,
            _RUN,
        ),
    )


BREAKDOWN_TABLES: dict[str, Table] = {name: _breakdown(preset) for name, preset in PRESETS.items()}
"""The tables of broken down insights, by the preset's name."""

INSIGHT_READS = Table(
    "insight_reads",
    "How each day was last read: when, how completely, and whether it adds up.",
    ("date", "account_id", "stream"),
    (
        _DATE,
        _ACCOUNT,
        Column("stream", pl.String, "insights, or the name of a breakdown."),
        Column("read_at", MOMENT, "When it was read (Meta's clock, UTC)."),
        Column("age_days", pl.Int64, "Account days from `date` to read_at; at most 28."),
        Column("rows", pl.Int64, "Rows of the day, all levels together."),
        Column(
            "whole_at",
            MOMENT,
            "When it was last read down to the ads; earlier than read_at where only the totals "
            "were read since, and had not changed.",
        ),
        Column("proof", pl.String, "equal: ads add up to the total; gap; running: today."),
        Column("gap_spend", MONEY, "Account total minus ads, account currency."),
        Column("gap_impressions", pl.Int64, "Account total minus ads."),
        Column("gap_clicks", pl.Int64, "Account total minus ads."),
        Column("gap_purchases", MONEY, "Account total minus ads, canonical type."),
        Column("told", pl.String, "What explains the gap, in words."),
        _RUN,
    ),
)

INSIGHT_READINGS = Table(
    "insight_readings",
    "At which ages each day was read, whether or not anything had changed; read_at: first at it.",
    ("date", "account_id", "age_days"),
    (
        _DATE,
        _ACCOUNT,
        Column("age_days", pl.Int64, "Account days from `date` to the reading; at most 28."),
        Column("read_at", MOMENT, "When it was first read at this age (Meta's clock, UTC)."),
    ),
)

CONVERSION_LAG = Table(
    "conversion_lag",
    "How much of a day's purchases is reported by the end of each age, learned per account.",
    ("account_id", "age_days"),
    (
        _ACCOUNT,
        Column("age_days", pl.Int64, "Account days after the day itself, 0 to 28."),
        Column("completeness", pl.Float64, "Share of the final purchases reported: 0 to 1."),
        Column("completeness_value", pl.Float64, "Share of their final value reported: 0 to 1."),
        Column("days_seen", pl.Int64, "Days read by this age and after it; 0: only assumed."),
        Column(
            "purchases_seen",
            MONEY,
            "Purchases of those days at this age; estimated where it lies between two readings.",
        ),
        _OBSERVED,
        _RUN,
    ),
    daily=False,
)

EXCHANGE_RATES = Table(
    "exchange_rates",
    "Rates into the reporting currency, as given by whoever runs the pipeline.",
    ("date", "currency", "reporting_currency"),
    (
        Column("date", pl.Date, "First day the rate holds; until the next one."),
        Column("currency", pl.String, "The account's currency."),
        Column("rate", MONEY, "Units of the reporting currency for one unit."),
        Column("reporting_currency", pl.String, "The currency reports are written in."),
    ),
    daily=False,
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
        _DETAILS,
        _IS_DELETED,
        *_LIFE,
        _OBSERVED,
        _RUN,
    ),
    daily=False,
)

AD_OBJECT_HISTORY = Table(
    "ad_object_history",
    "Campaigns, ad sets, ads and creatives as they were: one row per version of each.",
    ("account_id", "level", "object_id", "valid_from"),
    (
        _ACCOUNT,
        Column("level", pl.String, "campaign, adset, ad or creative."),
        Column("object_id", pl.String, "The object."),
        Column("valid_from", MOMENT, "First seen like this (Meta's clock, UTC)."),
        Column("valid_to", MOMENT, "First seen otherwise; empty: still so."),
        *(
            column
            for column in AD_OBJECTS.columns
            if column.name not in (*AD_OBJECTS.key, "observed_at", "run_id")
        ),
        Column("last_seen_at", MOMENT, "Last seen like this (Meta's clock, UTC)."),
        _OBSERVED,
        _RUN,
    ),
    daily=False,
)


def _metrics(name: str, meaning: str, *ids: Column) -> Table:
    key = ("date", *(column.name for column in ids))
    return Table(name, meaning, key, (_DATE, *ids, _CURRENCY, *_METRICS, *_EXPECTED, *_RECENT))


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

CREATIVE_PERFORMANCE = Table(
    "creative_performance",
    "Daily metrics of each creative of ours: those of its ad.",
    ("date", "account_id", "creative_id"),
    (
        _DATE,
        _ACCOUNT,
        *(column for column in AD_CREATIVES.columns if column.name in OUR_IDS),
        _AD,
        _CURRENCY,
        *(column for column in _METRICS if column.name != "reach"),
        *_RECENT,
    ),
    daily=False,
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        RAW_INSIGHTS,
        INSIGHT_RESTATEMENTS,
        INSIGHT_READS,
        INSIGHT_READINGS,
        *BREAKDOWN_TABLES.values(),
        AD_ACCOUNTS,
        AD_OBJECTS,
        AD_OBJECT_HISTORY,
        CONVERSION_LAG,
        EXCHANGE_RATES,
        AD_METRICS,
        ADSET_METRICS,
        CAMPAIGN_METRICS,
        ACCOUNT_METRICS,
        CAMPAIGN_TRAILING,
        *DECISION_TABLES,
        *BACKTEST_TABLES,
        AD_CREATIVES,
        CREATIVE_PERFORMANCE,
        CREATIVE_TESTS,
        CREATIVE_FATIGUE,
    )
}
