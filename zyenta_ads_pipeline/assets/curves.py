"""Response curves: what each campaign and ad set would sell at another budget."""

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.account_rules import rules_of
from zyenta_ads_pipeline.assets.by_account import each_account, every_account_check, of_account
from zyenta_ads_pipeline.assets.description import OPTIMIZER, OWNERS, described, preview
from zyenta_ads_pipeline.assets.pictures import MOST_ACCOUNTS, MOST_CURVES, curves_picture
from zyenta_ads_pipeline.campaigns.budgets import last_allocated
from zyenta_ads_pipeline.campaigns.curve_views import curve_views
from zyenta_ads_pipeline.campaigns.curves import fit_account
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.lake.decision_tables import RESPONSE_CURVES
from zyenta_ads_pipeline.resources import Accounts, LakeResource
from zyenta_ads_pipeline.settings import load_settings

_LAST_DAY = dg.LastPartitionMapping()


@dg.asset(
    deps=[
        dg.AssetDep("campaign_trailing", partition_mapping=_LAST_DAY),
        dg.AssetDep("campaign_metrics", partition_mapping=_LAST_DAY),
        dg.AssetDep("adset_metrics", partition_mapping=_LAST_DAY),
        "ad_objects",
        "ad_object_history",
    ],
    group_name=OPTIMIZER,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=RESPONSE_CURVES.meaning,
    metadata=described(RESPONSE_CURVES),
    check_specs=every_account_check("response_curves"),
)
def response_curves(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    run_id = context.run.run_id

    def one(account: str) -> pl.DataFrame:
        return fit_account(snapshot, account, rules_of(settings, account), run_id=run_id)

    done = each_account(
        tables,
        RESPONSE_CURVES,
        config.chosen(settings),
        one,
        run_id=run_id,
        scope=of_account,
    )
    now = tables.snapshot()
    pictures = {}
    for account in done.accounts[:MOST_ACCOUNTS]:
        proposed = last_allocated(now, account)
        rules = rules_of(settings, account)
        views, currency = curve_views(now, account, rules, proposed, most=MOST_CURVES)
        if views:
            pictures[f"curves of act_{account}"] = curves_picture(views, currency)
    campaigns = done.rows.filter(pl.col("level") == Level.CAMPAIGN.value)
    shown = campaigns.sort("purchases", descending=True, nulls_last=True).with_columns(
        pl.col("budget", "purchases", "marginal", "marginal_low", "marginal_high").round(2)
    )
    columns = [
        "object_id", "currency", "budget", "purchases", "marginal", "marginal_low",
        "marginal_high", "days_seen",
    ]  # fmt: skip
    return done.result({"curves": preview(shown, columns), **pictures})
