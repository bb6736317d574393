"""Everything Dagster loads, as a table of contents: from Meta on the left to Meta on the right."""

from __future__ import annotations

import dagster as dg

from zyenta_ads_pipeline.assets.backtest import BACKTEST_DAYS_SPEC, backtest_scores
from zyenta_ads_pipeline.assets.breakdowns import BREAKDOWN_ASSETS
from zyenta_ads_pipeline.assets.creative_tests import creative_fatigue, creative_tests
from zyenta_ads_pipeline.assets.creatives import (
    CAMPAIGN_REQUESTS,
    LAUNCHED_CAMPAIGNS,
    PRODUCT_CATALOGUE,
    ad_creatives,
    creative_performance,
)
from zyenta_ads_pipeline.assets.curves import response_curves
from zyenta_ads_pipeline.assets.decisions import (
    DECISION_STOPS_SPEC,
    budget_allocation,
    budget_decisions,
    change_set,
)
from zyenta_ads_pipeline.assets.delivery import LIVE_ON_META
from zyenta_ads_pipeline.assets.ingestion import (
    AD_ACCOUNTS_SPEC,
    META,
    READINGS_SPEC,
    READS_SPEC,
    RESTATEMENTS_SPEC,
    raw_insights,
)
from zyenta_ads_pipeline.assets.maturity import conversion_lag
from zyenta_ads_pipeline.assets.metrics import (
    account_metrics,
    ad_metrics,
    adset_metrics,
    campaign_metrics,
    campaign_trailing,
    lake_views,
)
from zyenta_ads_pipeline.assets.objects import (
    AD_OBJECT_HISTORY_SPEC,
    ad_objects,
    exchange_rates,
)
from zyenta_ads_pipeline.checks import CHECKS
from zyenta_ads_pipeline.jobs import (
    IN_MEMORY,
    breakdowns,
    campaign_reviews,
    create_campaign,
    hourly,
    push,
    sync,
    upkeep,
)
from zyenta_ads_pipeline.order_jobs import carry_out_order, waiting_orders
from zyenta_ads_pipeline.resources import LakeResource, MetaResource, StoreResource
from zyenta_ads_pipeline.schedules import (
    every_hour,
    every_night,
    reviews_every_hour,
    upkeep_every_night,
)
from zyenta_ads_pipeline.sensors import approved_changes, waiting_requests

defs = dg.Definitions(
    assets=[
        META,
        raw_insights,
        RESTATEMENTS_SPEC,
        READS_SPEC,
        READINGS_SPEC,
        *BREAKDOWN_ASSETS,
        AD_ACCOUNTS_SPEC,
        ad_objects,
        AD_OBJECT_HISTORY_SPEC,
        exchange_rates,
        conversion_lag,
        ad_metrics,
        adset_metrics,
        campaign_metrics,
        account_metrics,
        campaign_trailing,
        response_curves,
        budget_decisions,
        DECISION_STOPS_SPEC,
        budget_allocation,
        change_set,
        LIVE_ON_META,
        PRODUCT_CATALOGUE,
        CAMPAIGN_REQUESTS,
        ad_creatives,
        creative_performance,
        creative_tests,
        creative_fatigue,
        LAUNCHED_CAMPAIGNS,
        backtest_scores,
        BACKTEST_DAYS_SPEC,
        lake_views,
    ],
    asset_checks=CHECKS,
    jobs=[
        sync,
        hourly,
        breakdowns,
        push,
        carry_out_order,
        create_campaign,
        campaign_reviews,
        upkeep,
    ],
    schedules=[every_hour, reviews_every_hour, every_night, upkeep_every_night],
    sensors=[approved_changes, waiting_requests, waiting_orders],
    resources={
        "meta": MetaResource(),
        "lake": LakeResource(),
        "store": StoreResource(),
        IN_MEMORY: dg.mem_io_manager,
    },
    executor=dg.in_process_executor,
)
