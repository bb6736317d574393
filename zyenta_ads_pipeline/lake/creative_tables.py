"""The table of creatives in the lake: what the operational store knows of them, for analysts."""

from __future__ import annotations

import polars as pl

from zyenta_ads_pipeline.lake.schema import MOMENT, Column, Table

_TEXTS = (
    ("creative_id", "The creative, by its id in the store."),
    ("campaign_id", "Its campaign, by its id in the store."),
    ("platform_campaign_id", "Its campaign on Meta; empty until it is made."),
    ("platform_ad_set_id", "Its ad set on Meta; empty until it is made."),
    ("platform_creative_id", "Its creative on Meta; empty until it is made."),
    ("platform_ad_id", "Its ad on Meta, ad_id in ad_metrics; empty until it is made."),
    ("name", "Its name, by its angle; on Meta its token stands beside it."),
    ("type", "image, video or carousel, by the media that were chosen."),
    ("angle", "How it argues, as the writer was asked to; empty where not known."),
    ("headline", "Headline, from the writer."),
    ("description", "Primary text, from the writer."),
    ("call_to_action", "Meta's name of the button, chosen by the writer for the objective."),
    ("link_url", "Where it leads: the product's address, or the shop's."),
    ("writer", "Who wrote the texts: openai, template, or ads_manager where a person did."),
    ("model", "The language model that wrote the texts; empty for the other writers."),
    ("prompt_version", "Version of the prompt or of the templates."),
    ("product_ids", "The store's products that it was written from: a JSON list."),
    ("media_ids", "The store's media that it shows, first the first one: a JSON list."),
    ("status", "Where it stands in its test: active, paused, testing, winner or loser."),
    ("review_feedback", "What Meta's review objects to: a JSON object by policy."),
)

OUR_IDS = ("creative_id", "campaign_id")
"""The columns that name what is ours by its id in the store."""

AD_CREATIVES = Table(
    "ad_creatives",
    "The creatives of our campaigns as they stand in the store: what they say and show, who wrote "
    "that from which products at what cost, and where they are on Meta.",
    ("account_id", "creative_id"),
    (
        Column("account_id", pl.String, "Ad account, digits without act_."),
        *(Column(name, pl.String, meaning) for name, meaning in _TEXTS),
        Column("tokens_in", pl.Int64, "Its share of the tokens that the model read."),
        Column("tokens_out", pl.Int64, "Its share of the tokens that the model wrote."),
        Column("cost_usd_micros", pl.Int64, "Its share of the cost, millionths of a US dollar."),
        Column("created_at", MOMENT, "When it was stored, UTC."),
        Column("observed_at", MOMENT, "When the store was read, UTC."),
        Column("run_id", pl.String, "The Dagster run that wrote the row."),
    ),
    daily=False,
)

CREATIVE_TESTS = Table(
    "creative_tests",
    "Creative tests of our campaigns, a row per creative and day it was looked at: how it stands, "
    "by how much it leads or trails, how sure that is, how long it still takes.",
    ("date", "account_id", "creative_id"),
    (
        Column("date", pl.Date, "The account's last complete day that was looked at."),
        Column("account_id", pl.String, "Ad account, digits without act_."),
        Column("creative_id", pl.String, "The creative, by its id in the store."),
        Column("campaign_id", pl.String, "Its campaign, by its id in the store."),
        Column("platform_campaign_id", pl.String, "Its campaign on Meta."),
        Column("name", pl.String, "Its name, as the reasons say it."),
        Column("started", pl.Date, "The test's first day, account's own."),
        Column("metric", pl.String, "conversion_rate or revenue_per_impression."),
        Column("horizon_days", pl.Int64, "Days declared; the test is over after them."),
        Column("standing", pl.String, "testing, winner, loser or no_difference."),
        Column("reason", pl.String, "Why, in words."),
        Column("impressions", pl.Int64, "Impressions in the test's days."),
        Column("conversions", pl.Float64, "Purchases in them, as reported so far."),
        Column("revenue", pl.Float64, "Their value, account currency."),
        Column("spend", pl.Float64, "Spend in them, account currency."),
        Column("currency", pl.String, "The account's currency, as Meta names it."),
        Column("rate", pl.Float64, "Purchases, or their value, per impression."),
        Column("against", pl.String, "Name of the creative that it is compared with."),
        Column("lift", pl.Float64, "Its rate over that one's, less 1, day by day."),
        Column("lift_low", pl.Float64, "Lower end of the interval; empty: no bound yet."),
        Column("lift_high", pl.Float64, "Upper end: holds at all looks together."),
        Column("probability_better", pl.Float64, "Of this look alone; decides nothing."),
        Column("days_needed", pl.Int64, "More days that decide, should the lead stay."),
        Column("observed_at", MOMENT, "Meta's clock when it was looked at, UTC."),
        Column("run_id", pl.String, "The Dagster run that wrote the row."),
    ),
    daily=False,
)

CREATIVE_FATIGUE = Table(
    "creative_fatigue",
    "Whether each creative of ours has tired: a rate that fell since its first weeks, told so that "
    "one that never tires is called tired with probability 0.05 at most, however often one looks.",
    ("account_id", "creative_id"),
    (
        Column("account_id", pl.String, "Ad account, digits without act_."),
        Column("creative_id", pl.String, "The creative, by its id in the store."),
        Column("tired", pl.Boolean, "True once it is sure."),
        Column("since", pl.Date, "First day of the lower rate, as best told, account's own."),
        Column("fall", pl.Float64, "0.3: 30 % fewer purchases per impression than before it."),
        Column("fall_low", pl.Float64, "Lower end of its 80 % interval."),
        Column("fall_high", pl.Float64, "Upper end of its 80 % interval."),
        Column("reason", pl.String, "Why, in words."),
        Column("observed_at", MOMENT, "Meta's clock when it was looked at, UTC."),
        Column("run_id", pl.String, "The Dagster run that wrote the row."),
    ),
    daily=False,
)
