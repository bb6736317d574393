"""Silent tracking: found where it is, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.optimizer.some_account import DAY, ran
from zyenta_ads_pipeline.optimizer.account import DAYS
from zyenta_ads_pipeline.optimizer.outages import account_outage, outage_days


def frame(*rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([day for some in rows for day in some], schema=dict(DAYS))


def silent(campaign_id: str, days: int, until: int = 0, **more: Any) -> list[dict[str, Any]]:
    return ran(campaign_id, days=days, until=until, conversions="0", revenue="0", **more)


def test_a_campaign_that_falls_silent_is_masked_for_those_days() -> None:
    days = frame(
        ran("1", days=20, until=6), silent("1", 3, until=3), ran("1", days=3), ran("2", days=26)
    )
    found = outage_days(days, DAY)
    assert found["campaign_id"].to_list() == ["1"] * 3
    assert found["date"].to_list() == [DAY - timedelta(days=back) for back in (5, 4, 3)]
    assert found["expected"].to_list() == pytest.approx([4.0] * 3)
    assert account_outage(days, DAY) is None


@pytest.mark.parametrize(
    ("why", "rows"),
    [
        ("fewer than seven were to be expected", silent("1", 1)),
        ("longer than an outage of one campaign lasts", silent("1", 6)),
        ("nobody clicked", silent("1", 3, clicks=0)),
        ("nothing was spent", silent("1", 3, spend="0")),
        ("little of it is reported yet", silent("1", 3, maturity=0.3)),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_no_outage(why: str, rows: list[dict[str, Any]]) -> None:
    until = len(rows)
    days = frame(ran("1", days=20, until=until), rows, ran("2", days=20 + until))
    assert outage_days(days, DAY).is_empty(), why


def test_an_account_that_falls_silent_is_an_outage_however_long() -> None:
    days = frame(
        *(ran(each, days=20, until=9) for each in "12"), *(silent(each, 9) for each in "12")
    )
    outage = account_outage(days, DAY)
    assert outage is not None
    assert (outage.since, outage.until) == (DAY - timedelta(days=8), DAY)
    assert outage.expected == pytest.approx(72.0)
    assert outage.clicked_days == 18
    assert outage_days(days, DAY).height == 18


def test_an_outage_of_the_account_that_ended_is_masked_and_no_longer_told() -> None:
    days = frame(
        *(
            [*ran(each, days=20, until=10), *silent(each, 8, until=2), *ran(each, days=2)]
            for each in "12"
        )
    )
    assert account_outage(days, DAY) is None
    assert outage_days(days, DAY).height == 16


def test_an_account_that_never_sold_has_no_outage() -> None:
    days = frame(silent("1", 30), silent("2", 30))
    assert account_outage(days, DAY) is None
    assert outage_days(days, DAY).is_empty()
    assert account_outage(days.clear(), DAY) is None


def test_small_campaigns_are_hardly_ever_taken_for_silent() -> None:
    """A campaign that sells once or twice a day has empty runs by chance: fewer than one masked
    day in a thousand."""
    chance = np.random.default_rng(5)
    rates = np.linspace(0.2, 3.0, 40)
    rows = [
        {**ran(f"{place}", days=1, until=back)[0], "conversions": int(chance.poisson(rate))}
        for place, rate in enumerate(rates)
        for back in range(90)
    ]
    assert outage_days(pl.DataFrame(rows, schema=dict(DAYS)), DAY).height <= 4


def test_the_order_of_rows_does_not_matter() -> None:
    days = frame(ran("1", days=20, until=3), silent("1", 3), ran("2", days=23))
    assert outage_days(days.reverse(), DAY).equals(outage_days(days, DAY))


@pytest.mark.parametrize("all_of_them", [False, True], ids=["one-campaign", "the-account"])
@pytest.mark.parametrize("back", [0, 2, 3, 8])
def test_only_what_reaches_a_day_can_be_asked_for(back: int, all_of_them: bool) -> None:
    once = [*ran("1", days=12), *silent("1", 3, until=12), *ran("1", days=30, until=15)]
    lately = [*ran("2", days=2), *silent("2", 4, until=2), *ran("2", days=30, until=6)]
    days = frame(once, lately, *([] if all_of_them else [ran("3", days=50)]))
    since = DAY - timedelta(days=back)
    expected = outage_days(days, DAY).filter(
        pl.col("campaign_id") == "2" if back >= 2 else pl.lit(value=False)
    )
    found = outage_days(days, DAY, since=since)
    assert found.select("campaign_id", "date").equals(expected.select("campaign_id", "date"))
    assert found["expected"].to_list() == pytest.approx(expected["expected"].to_list())
