"""Everything Dagster loads, as a table of contents: from Meta on the left to Meta on the right."""

from __future__ import annotations

import dagster as dg

from zyenta_ads_pipeline.assets.decisions import budget_allocation, budget_decisions, change_set
from zyenta_ads_pipeline.assets.delivery import LIVE_ON_META
from zyenta_ads_pipeline.assets.ingestion import AD_ACCOUNTS_SPEC, META, ad_objects, raw_insights
from zyenta_ads_pipeline.assets.metrics import (
    account_metrics,
    ad_metrics,
    adset_metrics,
    campaign_metrics,
    campaign_trailing,
    lake_views,
)
from zyenta_ads_pipeline.checks import CHECKS
from zyenta_ads_pipeline.jobs import hourly, push, sync
from zyenta_ads_pipeline.resources import LakeResource, MetaResource, StoreResource
from zyenta_ads_pipeline.schedules import every_hour
from zyenta_ads_pipeline.sensors import approved_changes

defs = dg.Definitions(
    assets=[
        META,
        raw_insights,
        AD_ACCOUNTS_SPEC,
        ad_objects,
        ad_metrics,
        adset_metrics,
        campaign_metrics,
        account_metrics,
        campaign_trailing,
        budget_decisions,
        budget_allocation,
        change_set,
        LIVE_ON_META,
        lake_views,
    ],
    asset_checks=CHECKS,
    jobs=[sync, hourly, push],
    schedules=[every_hour],
    sensors=[approved_changes],
    resources={"meta": MetaResource(), "lake": LakeResource(), "store": StoreResource()},
    executor=dg.in_process_executor,
)
