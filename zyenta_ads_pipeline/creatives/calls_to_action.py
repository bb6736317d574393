"""The buttons that an ad may carry: which of Meta's fit an objective, and how words name them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.errors import NotSupported

_META = (
    "LEARN_MORE SHOP_NOW SIGN_UP SUBSCRIBE DOWNLOAD BOOK_NOW BOOK_TRAVEL CONTACT_US GET_OFFER "
    "GET_QUOTE GET_SHOWTIMES GET_DIRECTIONS GET_STARTED APPLY_NOW ORDER_NOW BUY_NOW BUY_TICKETS "
    "SEE_MORE VIEW_PRODUCT WATCH_MORE WATCH_VIDEO LISTEN_NOW DONATE_NOW CALL_NOW MESSAGE_PAGE "
    "WHATSAPP_MESSAGE INSTALL_MOBILE_APP USE_APP PLAY_GAME OPEN_LINK LIKE_PAGE EVENT_RSVP "
    "REQUEST_TIME NO_BUTTON"
)
META = frozenset(_META.split())
"""Meta's buttons for the web (fact sheet 5.5)."""

# Meta does not publish which button fits which objective; these lead to a shop's page and
# promise nothing that the page does not hold. The first is used where nobody chooses.
_FITTING: dict[CampaignObjective, tuple[str, ...]] = {
    CampaignObjective.AWARENESS: ("LEARN_MORE", "SHOP_NOW", "SEE_MORE", "SIGN_UP", "CONTACT_US"),
    CampaignObjective.TRAFFIC: (
        "LEARN_MORE", "SHOP_NOW", "SEE_MORE", "SIGN_UP", "SUBSCRIBE", "DOWNLOAD", "GET_OFFER",
        "CONTACT_US", "BOOK_NOW", "APPLY_NOW",
    ),
    CampaignObjective.ENGAGEMENT: (
        "LEARN_MORE", "SHOP_NOW", "SEE_MORE", "SIGN_UP", "SUBSCRIBE", "CONTACT_US", "GET_OFFER",
    ),
    CampaignObjective.CONVERSIONS: (
        "SHOP_NOW", "LEARN_MORE", "BUY_NOW", "ORDER_NOW", "SIGN_UP", "SUBSCRIBE", "DOWNLOAD",
        "GET_OFFER", "CONTACT_US", "BOOK_NOW", "APPLY_NOW",
    ),
    CampaignObjective.CATALOG_SALES: (
        "SHOP_NOW", "LEARN_MORE", "BUY_NOW", "ORDER_NOW", "SEE_MORE", "GET_OFFER",
    ),
}  # fmt: skip

_CONTAINED = ("shop now", "learn more", "sign up", "download", "get offer", "book now")
"""Found anywhere in a writer's words; the others have to be named exactly."""


def fitting(platform: str, objective: CampaignObjective) -> Sequence[str]:
    """The buttons that fit `objective`, the usual one first.

    Raises `NotSupported` for a platform whose buttons are not known here.
    """
    if platform != "meta":
        raise NotSupported(
            f"Ads for {platform!r} cannot be written yet: its buttons are not known.",
            "Use the platform meta.",
        )
    return _FITTING[objective]


def named(text: str) -> str | None:
    """The button of Meta's that `text` names: `SHOP_NOW`, `Shop now!`, `Shop now and see`.

    None where it names none, or two.
    """
    words = " ".join(re.findall(r"[a-z0-9]+", text.casefold()))
    exact = words.replace(" ", "_").upper()
    if exact in META:
        return exact
    found = {each for each in _CONTAINED if f" {each} " in f" {words} "}
    return found.pop().replace(" ", "_").upper() if len(found) == 1 else None
