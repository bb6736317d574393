"""What the pipeline gained in the demo: the managed market against its twin that nobody touched.

Both are of one seed and start, so that they differ in nothing but what followed from the changes
that were pushed: their days are compared in pairs, and what luck does to both cancels out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import NormalDist

import httpx
import numpy as np

from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.optimizer.sequential import t_of_normal
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN

CERTAINTY = 0.95
_PURCHASE = "omni_purchase"


@dataclass(frozen=True)
class ShopDay:
    """One account's day as Meta tells it; amounts in major units."""

    date: date
    spend: Decimal
    revenue: Decimal
    purchases: int


@dataclass(frozen=True)
class Gain:
    """What a day brought more in revenue, in major units: the mean over `days` days, and the
    interval that holds the mean of endlessly many such days with `CERTAINTY`."""

    days: int
    a_day: float
    low: float
    high: float


def shop_days(url: str, account: str, days: DateRange) -> list[ShopDay]:
    """An account's days as the sandbox at `url` tells them now, one each; days without delivery
    are zeros. Not read through the product's own client, whose work is what is judged."""
    asked = {
        "level": "account",
        "time_increment": "1",
        "time_range": f'{{"since": "{days.since}", "until": "{days.until}"}}',
        "fields": "spend,actions,action_values",
        "limit": "5000",
    }
    headers = {"Authorization": f"Bearer {SANDBOX_TOKEN}"}
    with httpx.Client(base_url=f"{url}/v26.0/", headers=headers, timeout=60) as graph:
        reply = graph.get(f"act_{account}/insights", params=asked)
    if reply.status_code != httpx.codes.OK:
        raise ZyentaError(f"The sandbox did not tell its days: {reply.text}")
    rows = {row["date_start"]: row for row in reply.json()["data"]}
    return [_day(day, rows.get(str(day), {})) for day in days.days()]


def _day(day: date, row: dict[str, object]) -> ShopDay:
    return ShopDay(
        date=day,
        spend=Decimal(str(row.get("spend", "0"))),
        revenue=_purchases(row.get("action_values")),
        purchases=int(_purchases(row.get("actions"))),
    )


def _purchases(items: object) -> Decimal:
    found = items if isinstance(items, list) else []
    values = (Decimal(item["value"]) for item in found if item["action_type"] == _PURCHASE)
    return sum(values, Decimal(0))


def revenue_gain(managed: Sequence[ShopDay], untouched: Sequence[ShopDay]) -> Gain:
    """The gain in revenue a day, with Student's interval of the mean of paired differences.

    The days count as independent of each other: in this market they are, but for a slow change
    while budgets move, which widens the interval. Raises `ZyentaError` for days that do not pair.
    """
    if [day.date for day in managed] != [day.date for day in untouched] or len(managed) < 2:
        raise ZyentaError("The twins of the demo do not tell the same days.")
    pairs = zip(managed, untouched, strict=True)
    more = np.array([float(one.revenue - other.revenue) for one, other in pairs])
    mean, count = float(more.mean()), len(more)
    deviate = np.array(NormalDist().inv_cdf((1 + CERTAINTY) / 2))
    reach = float(t_of_normal(deviate, np.array(count - 1.0)) * more.std(ddof=1) / count**0.5)
    return Gain(days=count, a_day=mean, low=mean - reach, high=mean + reach)
