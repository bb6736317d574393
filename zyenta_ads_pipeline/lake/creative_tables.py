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
