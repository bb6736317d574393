"""The names of the assets, by the job that makes them. Free of Dagster, so that who only starts a
job need not load it."""

from __future__ import annotations

from zyenta_ads_pipeline.domain.insights import PRESETS

SYNCED = (
    "raw_insights",
    "ad_objects",
    "insights_by_hour",
    "conversion_lag",
    "ad_metrics",
    "adset_metrics",
    "campaign_metrics",
    "account_metrics",
    "campaign_trailing",
)
DECIDED = (
    "response_curves",
    "budget_decisions",
    "budget_allocation",
    "creative_tests",
    "change_set",
)
TIRED = ("creative_fatigue",)

BROKEN_DOWN = tuple(f"insights_{name}" for name in PRESETS)

READ_FROM_META = ("raw_insights", *BROKEN_DOWN)
"""The assets that take a `SyncConfig`."""

ASSETS_OF = {"sync": SYNCED, "hourly": SYNCED + DECIDED + TIRED, "breakdowns": BROKEN_DOWN}
"""The assets of each asset job that take accounts, by the job's name."""
