"""How the pages say things: amounts, ratios, moments, states. English, plain, no jargon."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from zyenta_ads_pipeline.domain.campaign import CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeState
from zyenta_ads_pipeline.domain.creative import CreativeStatus
from zyenta_ads_pipeline.domain.errors import FieldsRefused, InputError
from zyenta_ads_pipeline.domain.money import offset, show, to_major
from zyenta_ads_pipeline.store.orders import OrderKind, OrderState

NOTHING = "\N{EN DASH}"

STATUSES: dict[CampaignStatus, tuple[str, str]] = {
    CampaignStatus.DRAFT: ("", "Draft"),
    CampaignStatus.PENDING_REVIEW: ("warn", "In review"),
    CampaignStatus.ACTIVE: ("good", "Active"),
    CampaignStatus.PAUSED: ("info", "Paused"),
    CampaignStatus.COMPLETED: ("", "Completed"),
    CampaignStatus.REJECTED: ("bad", "Rejected"),
    CampaignStatus.ERROR: ("bad", "Error"),
}
"""Look and words of each status."""

OBJECTIVES: dict[CampaignObjective, tuple[str, str]] = {
    CampaignObjective.AWARENESS: ("Brand awareness", "Reach the maximum number of people"),
    CampaignObjective.TRAFFIC: ("Website traffic", "Drive visitors to your store"),
    CampaignObjective.ENGAGEMENT: ("Engagement", "Maximize likes, comments, and shares"),
    CampaignObjective.CONVERSIONS: (
        "Conversions (sales)",
        "Optimized for purchases and revenue; needs a pixel",
    ),
    CampaignObjective.CATALOG_SALES: (
        "Catalog sales",
        "Show each person the products of your Meta catalog that fit them; needs a product set",
    ),
}
"""Name and help line of each objective."""

CHANGES: dict[ChangeState, tuple[str, str]] = {
    ChangeState.PROPOSED: ("warn", "Proposed"),
    ChangeState.APPROVED: ("info", "Approved"),
    ChangeState.SENDING: ("info", "Sending"),
    ChangeState.APPLIED: ("good", "Applied"),
    ChangeState.REJECTED: ("", "Rejected"),
    ChangeState.SUPERSEDED: ("", "Superseded"),
    ChangeState.CONFLICT: ("bad", "Conflict"),
    ChangeState.FAILED: ("bad", "Failed"),
}

CREATIVES: dict[CreativeStatus, tuple[str, str]] = {
    CreativeStatus.ACTIVE: ("good", "Active"),
    CreativeStatus.PAUSED: ("info", "Paused"),
    CreativeStatus.TESTING: ("warn", "Testing"),
    CreativeStatus.WINNER: ("good", "Winner"),
    CreativeStatus.LOSER: ("bad", "Loser"),
}

AUTOPILOT: dict[Autopilot, tuple[str, str]] = {
    Autopilot.WATCH: ("Watch", "Proposes only; nothing is written"),
    Autopilot.APPROVE: ("Approve", "A person confirms each change"),
    Autopilot.AUTO: ("Auto", "Acts by itself, within the limits"),
}

ORDERS: dict[OrderKind, str] = {
    OrderKind.ACTIVATE: "Activate the campaign",
    OrderKind.PAUSE: "Pause the campaign",
    OrderKind.BUDGET: "Set the daily budget",
    OrderKind.PAUSE_CREATIVE: "Pause a creative",
    OrderKind.SCALE_CREATIVE: "Scale a creative",
    OrderKind.OPTIMIZE: "Optimize now",
    OrderKind.TAKE_OVER: "Take over the budget set in Ads Manager",
    OrderKind.LAUNCH: "Go on with the launch",
    OrderKind.ROLL_BACK: "Roll the launch back",
    OrderKind.UNDO: "Undo a change",
    OrderKind.RETRY: "Write a change again",
    OrderKind.REVIEW: "Look at the review on Meta",
}

ORDER_STATES: dict[OrderState, tuple[str, str]] = {
    OrderState.WAITING: ("", "Waiting"),
    OrderState.WORKING: ("info", "Under way"),
    OrderState.DONE: ("good", "Done"),
    OrderState.FAILED: ("bad", "Failed"),
    OrderState.WITHDRAWN: ("", "Withdrawn"),
}


def words(value: object) -> str:
    """An enum's value or a name without its underscores, beginning with a capital."""
    text = str(value).replace("_", " ")
    return text[:1].upper() + text[1:]


def money(minor: int | None, currency: str) -> str:
    """Whole minor units as an amount, as `domain.money.show` has it; a dash for None.

    A list shows hundreds, and a Decimal for each is what takes longest there.
    """
    if minor is None:
        return NOTHING
    if minor < 0 or offset(currency) != 100:
        return show(to_major(minor, currency), currency)
    text = f"{minor // 100:,}.{minor % 100:02}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"


def major(amount: Decimal | float | None, currency: str) -> str:
    """Major units as an amount; a dash for None."""
    if amount is None:
        return NOTHING
    return show(amount if isinstance(amount, Decimal) else Decimal(str(amount)), currency)


def ratio(value: Decimal | float | None) -> str:
    """`3.42x`; a dash where there is no denominator."""
    return NOTHING if value is None else f"{value:.2f}x"


def percent(value: Decimal | float | None, digits: int = 0) -> str:
    """A fraction in percent; a dash for None."""
    return NOTHING if value is None else f"{value * 100:.{digits}f}%"


def sure(value: Decimal | float | None) -> str:
    """A probability in percent; nothing is wholly sure."""
    if value is None:
        return NOTHING
    return "over 99%" if value > 0.99 else percent(value)


def whole(value: int | float | Decimal | None) -> str:
    """`12,345`; a dash for None."""
    return NOTHING if value is None else f"{value:,.0f}"


def moment(at: datetime | None) -> str:
    """`29 Nov 2026, 07:31 UTC`."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def day(on: date | None) -> str:
    """`29 Nov 2026`."""
    return NOTHING if on is None else f"{on:%-d %b %Y}"


def ago(at: datetime | None, now: datetime) -> str:
    """`3 minutes ago`, `yesterday`; far things as their day."""
    if at is None:
        return "never"
    gone = now - at
    if gone < timedelta(minutes=1):
        return "just now"
    steps = (("minute", 60, 60), ("hour", 3600, 24), ("day", 86400, 14))
    for name, seconds, most in steps:
        count = int(gone.total_seconds() // seconds)
        if count < most:
            return f"{count} {name}{'s' * (count != 1)} ago"
    return day(at.date())


def refusal(error: InputError) -> str:
    """Why something was not done, with the remedy; of several fields all, in one line."""
    if isinstance(error, FieldsRefused):
        return " ".join(map(str, error.problems))
    return str(error)


def many(count: int, one: str, more: str = "") -> str:
    """`1 campaign`, `2 campaigns`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
