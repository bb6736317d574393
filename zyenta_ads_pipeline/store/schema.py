"""All tables of the operational database together, as the migrations must make them."""

from __future__ import annotations

from zyenta_ads_pipeline.store import (  # noqa: F401 - a table is known once its module is imported
    campaign_models,
    console_models,
    launch_models,
    models,
    shop_models,
)

METADATA = models.Base.metadata
