"""Which goal goes with which objective and destination, and what must be promoted with it.

From Meta's tables of outcome-driven objectives ("ODAX") in the references of campaigns and ad sets.
"""

from __future__ import annotations

from dataclasses import dataclass

from zyenta_ads_pipeline.sandbox.words import words

OBJECTIVES = (
    "OUTCOME_APP_PROMOTION", "OUTCOME_AWARENESS", "OUTCOME_ENGAGEMENT", "OUTCOME_LEADS",
    "OUTCOME_SALES", "OUTCOME_TRAFFIC",
)  # fmt: skip
GOALS = words("""
    AD_RECALL_LIFT ADVERTISER_SILOED_VALUE APP_INSTALLS APP_INSTALLS_AND_OFFSITE_CONVERSIONS
    AUTOMATIC_OBJECTIVE CONVERSATIONS DERIVED_EVENTS ENGAGED_PAGE_VIEWS ENGAGED_USERS
    EVENT_RESPONSES IMPRESSIONS IN_APP_VALUE LANDING_PAGE_VIEWS LEAD_GENERATION LINK_CLICKS
    MEANINGFUL_CALL_ATTEMPT MESSAGING_APPOINTMENT_CONVERSION
    MESSAGING_DEEP_CONVERSATION_AND_FOLLOW MESSAGING_PURCHASE_CONVERSION NONE
    OFFSITE_CONVERSIONS PAGE_LIKES POST_ENGAGEMENT PROFILE_AND_PAGE_ENGAGEMENT PROFILE_VISIT
    QUALITY_CALL QUALITY_LEAD REACH REMINDERS_SET SUBSCRIBERS THRUPLAY VALUE
    VISIT_INSTAGRAM_PROFILE
""")
DESTINATIONS = words("""
    APP APPLINKS_AUTOMATIC FACEBOOK FACEBOOK_LIVE FACEBOOK_PAGE IMAGINE INSTAGRAM_DIRECT
    INSTAGRAM_LIVE INSTAGRAM_PROFILE INSTAGRAM_PROFILE_AND_FACEBOOK_PAGE
    MESSAGING_INSTAGRAM_DIRECT_MESSENGER MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP
    MESSAGING_INSTAGRAM_DIRECT_WHATSAPP MESSAGING_MESSENGER_WHATSAPP MESSENGER ON_AD ON_EVENT
    ON_PAGE ON_POST ON_VIDEO SHOP_AUTOMATIC WEBSITE WHATSAPP PHONE_CALL LEAD_FROM_MESSENGER
    LEAD_FROM_IG_DIRECT UNDEFINED
""")
BILLING_EVENTS = (
    "APP_INSTALLS", "CLICKS", "IMPRESSIONS", "LINK_CLICKS", "LISTING_INTERACTION", "NONE",
    "OFFER_CLAIMS", "PAGE_LIKES", "POST_ENGAGEMENT", "PURCHASE", "THRUPLAY",
)  # fmt: skip
BILLED_FOR_ITSELF = frozenset({"LINK_CLICKS", "PAGE_LIKES", "POST_ENGAGEMENT", "THRUPLAY"})
"""Billing events besides IMPRESSIONS, which each fit the goal of the same name alone."""
EVENTS = words("""
    ACHIEVEMENT_UNLOCKED ADD_PAYMENT_INFO ADD_TO_CART ADD_TO_WISHLIST AD_IMPRESSION
    COMPLETE_REGISTRATION CONTACT CONTENT_VIEW CUSTOMIZE_PRODUCT D2_RETENTION D7_RETENTION
    DONATE FIND_LOCATION INITIATED_CHECKOUT LEAD LEVEL_ACHIEVED LISTING_INTERACTION
    MESSAGING_CONVERSATION_STARTED_7D OTHER PURCHASE RATE SCHEDULE SEARCH
    SERVICE_BOOKING_REQUEST SPENT_CREDITS START_TRIAL SUBMIT_APPLICATION SUBSCRIBE
    TUTORIAL_COMPLETION
""")
EVENTS_REFUSED = {"OUTCOME_SALES": frozenset({"LEAD"})}
"""Conversion events that an objective does not take."""
CONVERSION_GOALS = frozenset({"OFFSITE_CONVERSIONS", "VALUE"})
"""Goals that need a conversion event, and that may look back further than a day."""
CATALOG_GOALS = frozenset({"OFFSITE_CONVERSIONS", "VALUE", "LINK_CLICKS"})
FREQUENCY_GOALS = frozenset({"REACH", "THRUPLAY"})
CLICK_OBJECTIVES = frozenset({"OUTCOME_TRAFFIC", "OUTCOME_SALES"})
"""Objectives whose ads must lead to a website, unless they lead into a chat."""
NONE, PAGE, EVENT = "none", "page_id", "pixel_id"


@dataclass(frozen=True)
class GoalRow:
    """One row of Meta's table: `destinations` "" means that none is sent.

    `promotes` is what must be promoted: nothing, a page, or a pixel with its event; the last is
    needed by `CONVERSION_GOALS` alone.
    """

    objective: str
    destinations: frozenset[str]
    goals: frozenset[str]
    promotes: str


def _row(objective: str, destinations: str, goals: str, promotes: str) -> GoalRow:
    words = frozenset("" if word == "-" else word for word in destinations.split())
    return GoalRow(f"OUTCOME_{objective}", words, frozenset(goals.split()), promotes)


_CHATS = "MESSENGER WHATSAPP INSTAGRAM_DIRECT"
_WEB = "OFFSITE_CONVERSIONS LANDING_PAGE_VIEWS LINK_CLICKS REACH IMPRESSIONS"
ROWS = (
    _row("AWARENESS", "-", "REACH IMPRESSIONS AD_RECALL_LIFT THRUPLAY", PAGE),
    _row("TRAFFIC", "WEBSITE -", "LANDING_PAGE_VIEWS LINK_CLICKS REACH IMPRESSIONS", NONE),
    _row("TRAFFIC", "MESSENGER", "LINK_CLICKS REACH IMPRESSIONS", NONE),
    _row("TRAFFIC", "WHATSAPP", "LINK_CLICKS REACH IMPRESSIONS", PAGE),
    _row("ENGAGEMENT", "ON_POST", "POST_ENGAGEMENT REACH", NONE),
    _row("ENGAGEMENT", "ON_VIDEO", "THRUPLAY", NONE),
    _row("ENGAGEMENT", "ON_PAGE", "PAGE_LIKES", PAGE),
    _row("ENGAGEMENT", "ON_EVENT", "EVENT_RESPONSES POST_ENGAGEMENT REACH IMPRESSIONS", NONE),
    _row("ENGAGEMENT", _CHATS, "CONVERSATIONS LINK_CLICKS", PAGE),
    _row("ENGAGEMENT", "WEBSITE -", _WEB, EVENT),
    _row("SALES", "WEBSITE -", f"VALUE {_WEB}", EVENT),
    _row("LEADS", "WEBSITE -", "OFFSITE_CONVERSIONS", EVENT),
    _row("LEADS", "ON_AD", "LEAD_GENERATION QUALITY_LEAD", PAGE),
)


def rows_of(objective: str) -> list[GoalRow]:
    """The rows of an objective; none for one whose ad sets the sandbox does not play."""
    return [row for row in ROWS if row.objective == objective]
