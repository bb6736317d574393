"""Our five objectives in Meta's words: what a campaign and its ad sets ask for.

Source: Marketing API, "Ad campaign" and "Ad campaign group", tables of the outcome objectives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.errors import InputError

BILLING_EVENT = "IMPRESSIONS"
"""Fits every goal."""
PURCHASE = "PURCHASE"


@dataclass(frozen=True)
class MetaObjective:
    """One objective at Meta. `destination_type` None: it is left to Meta."""

    objective: str
    optimization_goal: str
    destination_type: str | None = None


OBJECTIVES: dict[CampaignObjective, MetaObjective] = {
    CampaignObjective.AWARENESS: MetaObjective("OUTCOME_AWARENESS", "REACH"),
    CampaignObjective.TRAFFIC: MetaObjective("OUTCOME_TRAFFIC", "LANDING_PAGE_VIEWS", "WEBSITE"),
    CampaignObjective.ENGAGEMENT: MetaObjective("OUTCOME_ENGAGEMENT", "POST_ENGAGEMENT", "ON_POST"),
    CampaignObjective.CONVERSIONS: MetaObjective("OUTCOME_SALES", "OFFSITE_CONVERSIONS", "WEBSITE"),
    CampaignObjective.CATALOG_SALES: MetaObjective("OUTCOME_SALES", "OFFSITE_CONVERSIONS"),
}


def campaign_promotes(
    objective: CampaignObjective, product_catalog_id: str | None
) -> dict[str, Any] | None:
    """A campaign's promoted object: the catalogue that it sells from, else none.

    Raises `InputError` for catalogue sales without a catalogue.
    """
    if objective is not CampaignObjective.CATALOG_SALES:
        return None
    if not product_catalog_id:
        raise InputError(
            "A catalogue campaign needs a product catalogue, and the store's connection has none.",
            "Choose one of the business's catalogues with `zyenta connect`, or another objective.",
        )
    return {"product_catalog_id": product_catalog_id}


def ad_set_promotes(
    objective: CampaignObjective,
    *,
    page_id: str,
    pixel_id: str | None,
    product_set_id: str | None,
) -> dict[str, Any] | None:
    """An ad set's promoted object: what it optimises for is measured on it.

    Raises `InputError` where the objective wants a pixel, a page or a product set that is not
    given.
    """
    if objective is CampaignObjective.AWARENESS:
        if not page_id:
            raise InputError(
                "An awareness campaign needs a page, and the store's connection has none.",
                "Choose one of the account's pages with `zyenta connect`.",
            )
        return {"page_id": page_id}
    if objective is CampaignObjective.CONVERSIONS:
        if not pixel_id:
            raise InputError(
                "A conversions campaign needs a pixel, and the store's connection has none: "
                "without it Meta does not see what is bought.",
                "Choose the account's pixel with `zyenta connect`, or take the objective traffic.",
            )
        return {"pixel_id": pixel_id, "custom_event_type": PURCHASE}
    if objective is CampaignObjective.CATALOG_SALES:
        if not product_set_id:
            raise InputError(
                "A catalogue campaign needs a product set, and the store's connection has none.",
                "Choose a product set of the catalogue with `zyenta connect`.",
            )
        promoted = {"product_set_id": product_set_id, "custom_event_type": PURCHASE}
        return promoted | ({"pixel_id": pixel_id} if pixel_id else {})
    return None
