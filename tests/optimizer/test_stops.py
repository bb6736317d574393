"""Stops: what of a whole account's numbers forbids changes, and what becomes of its limits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.optimizer.some_account import DAY, account, campaign, ran
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.planning import plan
from zyenta_ads_pipeline.optimizer.policies import policy
from zyenta_ads_pipeline.optimizer.stops import Forbids, Stop, StopKind, bounded, stops

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
EVERYTHING, RAISES = Forbids.EVERYTHING, Forbids.RAISES


def found(history: AccountHistory, **at: Any) -> list[Stop]:
    return stops(history, **({"read_at": NOW, "now": NOW} | at))


def kinds(history: AccountHistory, **at: Any) -> list[StopKind]:
    return [stop.kind for stop in found(history, **at)]


def healthy(count: int = 3, **limits: Any) -> AccountHistory:
    ids = [str(i) for i in range(count)]
    days = [row for own in ids for row in ran(own)]
    return account([campaign(own) for own in ids], days, **limits)


def test_a_healthy_account_is_not_stopped() -> None:
    assert found(healthy()) == []
    assert found(healthy(1, total_minor=10_000)) == []
    history = healthy()
    assert bounded(history, []) is history


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ({"read_at": NOW - timedelta(hours=3)}, None),
        ({"read_at": NOW - timedelta(hours=3, seconds=1)}, "last read 3 hours ago"),
        (
            {"now": NOW + timedelta(days=1), "read_at": NOW + timedelta(days=1)},
            "2026-11-21 is over",
        ),
        ({"now": NOW - timedelta(days=1), "read_at": NOW}, "the clocks disagree"),
        ({"read_at": NOW + timedelta(hours=4)}, "the clocks disagree"),
    ],
)
def test_numbers_that_are_too_old_or_too_new(at: dict[str, datetime], words: str | None) -> None:
    told = found(healthy(), **at)
    if words is None:
        assert told == []
        return
    (stop,) = told
    assert (stop.kind, stop.forbids) == (StopKind.STALE, EVERYTHING)
    assert words in stop.reason


def test_moments_without_a_zone_are_defects() -> None:
    with pytest.raises(ValueError, match="time zone"):
        found(healthy(), now=datetime(2026, 11, 21))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        found(healthy(), read_at=datetime(2026, 11, 21))  # noqa: DTZ001


def test_an_account_that_never_delivered() -> None:
    assert kinds(account([campaign()])) == [StopKind.NO_DATA]


def test_campaigns_without_numbers_of_the_last_day() -> None:
    ids = [str(i) for i in range(10)]
    campaigns = [campaign(own) for own in ids]

    def lacking(count: int) -> AccountHistory:
        rows = [row for i, own in enumerate(ids) for row in ran(own, until=1 if i < count else 0)]
        return account(campaigns, rows)

    assert kinds(lacking(3)) == []
    (stop,) = found(lacking(4))
    assert (stop.kind, stop.forbids, stop.since) == (StopKind.INCOMPLETE, EVERYTHING, DAY)
    assert stop.reason == (
        "4 of 10 campaigns that delivered before have no numbers of 2026-11-20; they spent 40 % of "
        "the account's money"
    )


def test_one_large_campaign_without_numbers_is_enough() -> None:
    days = [
        *ran("1", until=1, spend="100"),
        *(row for own in "234" for row in ran(own, spend="20")),
    ]
    some = [campaign(own) for own in "1234"]
    assert StopKind.INCOMPLETE in kinds(account(some, days))
    # One that was switched off is not missed.
    some[0]["active"] = False
    assert kinds(account(some, days)) == []


def test_without_any_conversion_it_is_not_known_whether_they_are_counted() -> None:
    history = account([campaign()], ran(conversions="0", revenue="0"))
    (stop,) = found(history)
    assert (stop.kind, stop.forbids) == (StopKind.NO_CONVERSIONS, EVERYTHING)


def test_clicks_and_no_conversion_in_the_whole_account() -> None:
    days = [
        *(row for own in "123" for row in ran(own, days=20, until=2)),
        *(row for own in "123" for row in ran(own, days=2, conversions="0", revenue="0")),
    ]
    (stop,) = found(account([campaign(own) for own in "123"], days))
    assert (stop.kind, stop.forbids, stop.since) == (
        StopKind.TRACKING, EVERYTHING, DAY - timedelta(days=1),
    )  # fmt: skip
    assert "about 24 were to be expected" in stop.reason


@pytest.mark.parametrize(("spend", "stopped"), [("25", False), ("24.9", True)])
def test_spend_that_collapsed(spend: str, *, stopped: bool) -> None:
    days = [*ran(until=1), *ran(days=1, spend=spend)]
    assert kinds(account([campaign()], days)) == [StopKind.SPEND_COLLAPSED] * stopped
    # With budgets cut as much, it is what was asked for.
    asked = [*ran(until=1), *ran(days=1, spend=spend, budget_minor=2_500)]
    assert kinds(account([campaign()], asked)) == []
    unknown = [row | {"budget_minor": None} for row in days]
    assert kinds(account([campaign()], unknown)) == [StopKind.SPEND_COLLAPSED] * stopped


def test_an_account_that_never_spent_its_budgets_did_not_collapse() -> None:
    days = [*ran(until=1, spend="40"), *ran(days=1, spend="5")]
    assert kinds(account([campaign()], days)) == []


@pytest.mark.parametrize(("spend", "stopped"), [("220.50", False), ("220.51", True)])
def test_spend_beyond_metas_pacing(spend: str, *, stopped: bool) -> None:
    history = account([campaign()], [*ran(until=1), *ran(days=1, spend=spend)])
    told = found(history)
    assert [stop.kind for stop in told] == [StopKind.SPEND_ABOVE] * stopped
    if told:
        assert told[0].forbids is RAISES
        assert "$220.51 was spent on daily budgets of $100.00" in told[0].reason


def test_a_week_in_which_too_much_is_spent_already() -> None:
    # Sunday to Friday are six days; today is Saturday.
    at_the_edge = [*ran(days=6, spend="117.5"), *ran(until=6)]
    assert kinds(account([campaign()], at_the_edge, total_minor=10_000)) == []
    beyond = [*ran(days=6, spend="117.6"), *ran(until=6)]
    (stop,) = found(account([campaign()], beyond, total_minor=10_000))
    assert (stop.kind, stop.forbids) == (StopKind.WEEK_SPENT, RAISES)
    assert stop.since == date(2026, 11, 15)
    assert stop.reason == (
        "$705.60 is spent since Sunday, and 1 day at $100.00 would go beyond 7 times the daily "
        "total, $805.00"
    )
    assert kinds(account([campaign()], beyond)) == []


def test_a_weeks_cap_lowers_the_budgets_by_a_step_at_most() -> None:
    some = [campaign("1"), campaign("2", locked=True)]
    days = [*ran("1"), *ran("2")]
    assert kinds(account(some, days, week_cap_minor=140_000)) == []
    for cap, total, lowered in [
        (139_000, None, 19_000),
        (120_000, None, 18_000),
        (120_000, 17_000, 17_000),
        (120_000, 40_000, 18_000),
    ]:
        history = account(some, days, week_cap_minor=cap, total_minor=total)
        (stop,) = found(history)
        assert bounded(history, [stop]).limits.total_minor == lowered
    grouped = account(some, days, week_cap_minor=120_000, group_totals={"new": 5_000})
    assert bounded(grouped, found(grouped)).limits.total_minor is None
    free = account(some, days, week_cap_minor=120_000, max_step=None)
    assert bounded(free, found(free)).limits.total_minor == 10_000


def test_what_stops_forbid_becomes_limits() -> None:
    history = account(
        [campaign("1", 500), campaign("2", cap_minor=9_000), campaign("3", None)],
        floor_minor=1_000,
        cap_minor=20_000,
    )
    raises = Stop(StopKind.SPEND_ABOVE, "Too much", RAISES)
    limited = bounded(history, [raises])
    assert limited.limits.no_raises == "Too much"
    assert limited.limits.no_changes == ""
    assert limited.campaigns["cap_minor"].to_list() == [500, 9_000, None]
    assert limited.campaigns["floor_minor"].to_list() == [500, 1_000, None]
    stale = Stop(StopKind.STALE, "Too old", EVERYTHING)
    nothing = bounded(history, [stale, raises])
    assert nothing.limits.no_changes == "Too old"
    assert nothing.campaigns.equals(history.campaigns)


def test_the_gravest_comes_first() -> None:
    days = [*ran(until=1), *ran(days=1, spend="300")]
    told = found(account([campaign()], days), read_at=NOW - timedelta(days=1))
    assert [stop.kind for stop in told] == [StopKind.STALE, StopKind.SPEND_ABOVE]


@pytest.mark.parametrize("total", [None, 5_000, 15_000, 90_000])
@pytest.mark.parametrize("name", ["equal", "roas_proportional", "roas_thresholds"])
@pytest.mark.parametrize("forbids", list(Forbids))
def test_under_a_stop_no_budget_moves_that_may_not(
    name: str, total: int | None, forbids: Forbids
) -> None:
    sold = {"1": "20", "2": "250", "3": "900", "4": "90"}
    days = [row for own, revenue in sold.items() for row in ran(own, revenue=revenue)]
    some = [campaign(own, 2_000 * int(own)) for own in sold]
    history = account(some, days, total_minor=total, floor_minor=1_000)
    stopped = bounded(history, [Stop(StopKind.TRACKING, "Broken", forbids)])
    rows = plan(stopped, policy(name)).allocation.rows
    for row in rows.iter_rows(named=True):
        if forbids is EVERYTHING:
            assert row["budget_minor"] == row["current_minor"]
            assert "Broken" in row["note"]
        else:
            assert row["budget_minor"] <= row["current_minor"]
