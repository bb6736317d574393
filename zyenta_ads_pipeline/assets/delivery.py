"""What is live on Meta: the right end of the lineage."""

import dagster as dg

from zyenta_ads_pipeline.assets.description import DELIVERY, OWNERS

LIVE_ON_META = dg.AssetSpec(
    "live_on_meta",
    deps=["change_set"],
    description="Changes written to Meta and read back. Reported by the push job; each step of "
    "each change is in the journal.",
    group_name=DELIVERY,
    kinds={"meta"},
    owners=OWNERS,
)
