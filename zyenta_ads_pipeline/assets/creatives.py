"""From a shop's products to launched campaigns, and how each creative performs."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import CREATIVES, OWNERS, described, preview, written
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.creative import AdCreative
from zyenta_ads_pipeline.lake.creative_tables import AD_CREATIVES
from zyenta_ads_pipeline.lake.lake import Lake, Scope, Snapshot, WriteResult
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import CREATIVE_PERFORMANCE
from zyenta_ads_pipeline.metrics.definitions import SUMS, with_ratios
from zyenta_ads_pipeline.resources import LakeResource, StoreResource
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store

PRODUCT_CATALOGUE = dg.AssetSpec(
    "product_catalogue",
    description="The shops' products with their pictures and videos, as imported into the store: "
    "what creatives are written from.",
    group_name=CREATIVES,
    kinds={"csv"},
    owners=OWNERS,
)
CAMPAIGN_REQUESTS = dg.AssetSpec(
    "campaign_requests",
    deps=[PRODUCT_CATALOGUE],
    description="Campaigns that people asked for. The sensor waiting_requests starts a run of the "
    "job create_campaign for each.",
    group_name=CREATIVES,
    kinds={"sql"},
    owners=OWNERS,
)
LAUNCHED_CAMPAIGNS = dg.AssetSpec(
    "launched_campaigns",
    deps=[AD_CREATIVES.name],
    description="Campaigns made on Meta, paused until a person switches them on. Reported by the "
    "job create_campaign; each step of each launch is in the store's journal.",
    group_name=CREATIVES,
    kinds={"meta"},
    owners=OWNERS,
)


@dg.asset(
    deps=[CAMPAIGN_REQUESTS],
    group_name=CREATIVES,
    kinds={"openai", "deltalake"},
    owners=OWNERS,
    description=AD_CREATIVES.meaning,
    metadata=described(AD_CREATIVES),
)
def ad_creatives(
    context: dg.AssetExecutionContext, lake: LakeResource, store: StoreResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    with store.opened() as opened:
        return dg.MaterializeResult(
            metadata=take_creatives(opened, lake.open(), context.run.run_id)
        )


@dg.asset(
    deps=[
        dg.AssetDep("ad_metrics", partition_mapping=dg.LastPartitionMapping()),
        AD_CREATIVES.name,
    ],
    group_name=CREATIVES,
    kinds={"sql", "duckdb", "deltalake"},
    owners=OWNERS,
    description=CREATIVE_PERFORMANCE.meaning + " Of all days, since a creative may become ours "
    "long after its first.",
    metadata=described(CREATIVE_PERFORMANCE, model(CREATIVE_PERFORMANCE.name)),
)
def creative_performance(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    tables = lake.open()
    snapshot = tables.snapshot()
    frame = snapshot.query(model(CREATIVE_PERFORMANCE.name))
    accounts = {*_accounts(snapshot, AD_CREATIVES), *_accounts(snapshot, CREATIVE_PERFORMANCE)}
    result = _replace(tables, CREATIVE_PERFORMANCE, frame, accounts, context.run.run_id)
    since_start = with_ratios(
        frame.group_by("account_id", "creative_id", "currency").agg(pl.col(SUMS).sum())
    )
    texts = _shown(snapshot.scan(AD_CREATIVES).collect())
    best = texts.join(since_start, on=["account_id", "creative_id"]).sort("spend", descending=True)
    columns = ["name", "headline", "product", "prompt_version", "model", "cost_usd"]
    numbers = ["currency", "spend", "purchases", "purchase_value", "ctr", "roas"]
    shown = best.with_columns(
        pl.col("spend", "purchases", "purchase_value").round(2), pl.col("ctr", "roas").round(4)
    )
    return dg.MaterializeResult(
        metadata=written(result, {"since_start": preview(shown, [*columns, *numbers])})
    )


def take_creatives(
    store: Store, lake: Lake, run_id: str, *, accounts: Iterable[str] | None = None
) -> dict[str, Any]:
    """Bring the lake's table of creatives up to date with the store, for some accounts or for all;
    gives the metadata of an asset's run."""
    campaigns = Campaigns(store).find(creatives=True)
    if accounts is None:
        ours = {campaign.account_id for campaign in campaigns}
        replaced = ours | _accounts(lake.snapshot(), AD_CREATIVES)
    else:
        replaced = set(accounts)
    rows = [
        _row(campaign, creative, datetime.now(UTC), run_id)
        for campaign in campaigns
        if campaign.account_id in replaced
        for creative in campaign.creatives
    ]
    frame = pl.DataFrame(rows, schema=AD_CREATIVES.schema)
    result = _replace(lake, AD_CREATIVES, frame, replaced, run_id)
    return written(result, told_of(frame))


def creatives_of(campaign: AdCampaign) -> pl.DataFrame:
    """One campaign's creatives as rows of `ad_creatives`."""
    rows = [_row(campaign, each, campaign.updated_at, "") for each in campaign.creatives]
    return pl.DataFrame(rows, schema=AD_CREATIVES.schema)


def told_of(frame: pl.DataFrame) -> dict[str, Any]:
    """Creatives (rows of `ad_creatives`) as metadata: a table to look at, and what they cost."""
    columns = ["name", "headline", "product", "writer", "prompt_version", "model", "cost_usd"]
    shown = _shown(frame).sort("created_at", descending=True)
    return {
        "creatives": preview(shown, [*columns, "status"]),
        "cost_usd": float(Decimal(int(frame["cost_usd_micros"].sum())).scaleb(-6)),
    }


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with product and cost as a person reads them."""
    return frame.with_columns(
        product=pl.col("product_ids").map_elements(_listed, return_dtype=pl.String),
        cost_usd=pl.col("cost_usd_micros").map_elements(_dollars, return_dtype=pl.String),
    )


def _listed(ids: str) -> str:
    return ", ".join(json.loads(ids))


def _dollars(micros: int) -> str:
    return f"{Decimal(micros).scaleb(-6):f}"


def _row(
    campaign: AdCampaign, creative: AdCreative, now: datetime, run_id: str
) -> dict[str, object]:
    draft = creative.draft
    return {
        "account_id": campaign.account_id,
        "creative_id": creative.id,
        "campaign_id": campaign.id,
        "platform_campaign_id": campaign.platform_campaign_id,
        "platform_ad_set_id": creative.platform_ad_set_id,
        "platform_creative_id": creative.platform_creative_id,
        "platform_ad_id": creative.platform_ad_id,
        "name": draft.name,
        "type": draft.type.value,
        "angle": draft.angle,
        "headline": draft.headline,
        "description": draft.description,
        "call_to_action": draft.call_to_action,
        "link_url": draft.link_url,
        "writer": draft.origin.writer,
        "model": draft.origin.model,
        "prompt_version": draft.origin.prompt_version,
        "product_ids": json.dumps(list(draft.origin.product_ids)),
        "media_ids": json.dumps(list(draft.media_ids)),
        "status": creative.status.value,
        "review_feedback": json.dumps(dict(creative.review_feedback), sort_keys=True),
        "tokens_in": draft.origin.tokens_in,
        "tokens_out": draft.origin.tokens_out,
        "cost_usd_micros": draft.origin.cost_usd_micros,
        "created_at": creative.created_at,
        "observed_at": now,
        "run_id": run_id,
    }


def _accounts(snapshot: Snapshot, table: Table) -> set[str]:
    found = snapshot.scan(table).select(pl.col("account_id").unique()).collect()
    return set(found["account_id"])


def _replace(
    lake: Lake, table: Table, frame: pl.DataFrame, accounts: set[str], run_id: str
) -> WriteResult:
    """Put the accounts' rows in the place of those stored; with no account there is nothing."""
    if not accounts:
        return WriteResult(rows=0, version=0, changed=False)
    return lake.write(table, frame, Scope(accounts), run_id=run_id)
