"""The console's numbers: what the lake says, kept until it says something else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.campaigns.budget_lake import LAST_DAY, NOW, delivered, rows, small_lake
from tests.optimizer.test_forecast import curves
from zyenta_ads_pipeline.console.numbers import Numbers
from zyenta_ads_pipeline.console.numbers_shown import (
    NO_SPARK,
    SPARK_DAYS,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    CurvePlot,
    Forecast,
    NotKnown,
    Outlooks,
)
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import InputError, StorageError
from zyenta_ads_pipeline.lake.creative_tables import CREATIVE_FATIGUE, CREATIVE_TESTS
from zyenta_ads_pipeline.lake.decision_tables import (
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    CHANGE_SET,
    DECISION_STOPS,
    RESPONSE_CURVES,
)
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    ACCOUNT_METRICS,
    AD_ACCOUNTS,
    CAMPAIGN_METRICS,
    CREATIVE_PERFORMANCE,
    INSIGHT_READS,
)
from zyenta_ads_pipeline.optimizer.curve_rows import to_rows
from zyenta_ads_pipeline.settings import Settings, load_settings

TODAY = LAST_DAY + timedelta(days=1)
"""The account's day at `NOW`."""


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path))
    return load_settings()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return small_lake(tmp_path)


def put(lake: Lake, table: Table, *given: Mapping[str, Any]) -> None:
    """Rows of account 1, days and all."""
    frame = rows(table, *given)
    dates = frame["date"].unique().to_list() if table.daily else None
    lake.write(table, frame, Scope(["1"], dates))


def days_of(first: int, last: int, **more: Any) -> list[dict[str, Any]]:
    """Campaign 10, from `first` to `last` days before the last complete one."""
    return [
        delivered(LAST_DAY - timedelta(days=n), campaign_id="10", **more)
        for n in range(last, first - 1, -1)
    ]


# Nothing there


ASKED: Mapping[str, Callable[[Numbers], Any]] = {
    "series": lambda numbers: numbers.series(Level.CAMPAIGN, "9", TODAY, TODAY).days,
    "span": lambda numbers: numbers.span(Level.ACCOUNT, "9"),
    "decisions": lambda numbers: numbers.decisions("9"),
    "stops": lambda numbers: numbers.stops("9"),
    "tests": lambda numbers: numbers.tests("9").creatives,
    "test days": lambda numbers: numbers.test_days("9").rows(),
    "fatigue": lambda numbers: numbers.fatigue(["9"]),
    "read": lambda numbers: numbers.last_sync("9").read_at,
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("there", [False, True], ids=["no lake", "another campaign"])
def test_what_is_not_known_is_empty(
    settings: Settings, tmp_path: Path, name: str, there: bool
) -> None:
    if there:
        small_lake(tmp_path)
    assert not ASKED[name](Numbers(settings))


@pytest.mark.parametrize("there", [False, True], ids=["no lake", "no curve"])
def test_without_a_curve_the_reason_is_said(
    settings: Settings, tmp_path: Path, there: bool
) -> None:
    if there:
        small_lake(tmp_path)
    numbers = Numbers(settings)
    for answer in (numbers.forecast("10", 5000), numbers.outlooks("10"), numbers.curve("10")):
        assert isinstance(answer, NotKnown)
        assert "no response curve of this campaign yet" in answer.reason


def test_without_a_lake_every_spark_is_there_and_empty(settings: Settings) -> None:
    numbers = Numbers(settings)
    assert numbers.sparklines(["1", "2"]) == {"1": NO_SPARK, "2": NO_SPARK}
    assert numbers.accounts() == {}
    assert numbers.freshness().written_at is None


def test_a_broken_lake_is_an_error_that_names_the_table(settings: Settings, lake: Lake) -> None:
    for file in Path(lake.uri("campaign_metrics")).rglob("*.parquet"):
        file.write_bytes(b"not parquet")
    numbers = Numbers(settings)
    with pytest.raises(StorageError, match="campaign_metrics"):
        numbers.sparklines(["10"])
    assert "1" in numbers.accounts(), "the others are read all the same"


# Series


def test_a_series_has_each_day_and_ratios_of_sums(settings: Settings, lake: Lake) -> None:
    put(
        lake,
        CAMPAIGN_METRICS,
        delivered(TODAY, campaign_id="10", spend=Decimal(5), purchase_value=Decimal(0),
                  maturity=0.2, purchases_expected=1.5, purchases_low=1.0, purchases_high=3.0,
                  purchase_value_expected=30.0, purchase_value_low=0.0,
                  purchase_value_high=90.0),
    )  # fmt: skip
    series = Numbers(settings).series(Level.CAMPAIGN, "10", LAST_DAY, TODAY)
    complete, running = series.days
    assert (complete.date, complete.spend) == (LAST_DAY, Decimal(50))
    assert complete.revenue == Decimal(150)
    assert (complete.roas, complete.cpa, complete.ctr) == (3.0, 50.0, 0.05)
    assert (complete.uncertain, running.uncertain, running.running) == (False, True, True)
    assert str(complete.spend) == "50.00"
    assert (complete.roas_expected, complete.roas_low) == (3.0, 3.0), "nothing is to come"
    assert (running.roas_expected, running.roas_low, running.roas_high) == (6.0, 0.0, 18.0)
    total = series.total
    assert total is not None
    assert total.roas == pytest.approx(150 / 55)
    assert total.roas_expected == pytest.approx(180 / 55)
    assert (total.spend, total.purchases) == (Decimal(55), Decimal(2))
    assert total.uncertain
    assert series.frame()["uncertain"].to_list() == [False, True]


def test_without_spend_there_is_no_ratio(settings: Settings, lake: Lake) -> None:
    put(
        lake,
        CAMPAIGN_METRICS,
        *days_of(0, 0, spend=Decimal(0), impressions=0, clicks=0, purchases=Decimal(0)),
    )
    (day,) = Numbers(settings).series(Level.CAMPAIGN, "10", LAST_DAY, LAST_DAY).days
    assert (day.roas, day.cpa, day.ctr, day.roas_expected) == (None,) * 4


def test_an_account_has_a_series_of_its_own(settings: Settings, lake: Lake) -> None:
    put(lake, ACCOUNT_METRICS, delivered(LAST_DAY, spend=Decimal("110.5")))
    numbers = Numbers(settings)
    series = numbers.series(Level.ACCOUNT, "1", LAST_DAY, TODAY)
    assert [each.spend for each in series.days] == [Decimal("110.50")]
    assert series.currency == "USD"
    assert numbers.span(Level.CAMPAIGN, "10") == (LAST_DAY - timedelta(days=3), LAST_DAY)


def test_a_range_that_is_too_long_or_turned_is_refused(settings: Settings) -> None:
    numbers = Numbers(settings)
    with pytest.raises(InputError, match="more than 731 days"):
        numbers.series(Level.CAMPAIGN, "10", date(2024, 1, 1), date(2026, 1, 1))
    with pytest.raises(InputError, match="wrong order"):
        numbers.series(Level.CAMPAIGN, "10", TODAY, LAST_DAY)


# Sparklines


def points(path: str) -> list[tuple[int, int]]:
    """Where a path leads, in the box."""
    found, x, y = [], 0, 0
    for command, rest in re.findall(r"([Mlh])([^Mlh]*)", path):
        told = [int(each) for each in re.findall(r"-?\d+", rest)]
        if command == "h":
            continue
        for dx, dy in zip(told[::2], told[1::2], strict=True):
            x, y = (dx, dy) if command == "M" else (x + dx, y + dy)
            found.append((x, y))
    return found


def test_a_sparkline_draws_the_complete_days(settings: Settings, lake: Lake) -> None:
    put(lake, CAMPAIGN_METRICS, *days_of(0, 13, spend=Decimal(10), purchase_value=Decimal(20)))
    put(lake, CAMPAIGN_METRICS, *days_of(-1, -1, spend=Decimal(999), purchase_value=Decimal(0)))
    spark = Numbers(settings).sparklines(["10"])["10"]
    step = SPARK_WIDTH // (SPARK_DAYS - 1)
    whole = [(n * step, 1) for n in range(SPARK_DAYS)]
    assert points(spark.spend) == whole, "even spend is a level line, without today's"
    assert points(spark.roas) == whole
    assert spark.coming == ""


def test_days_that_still_come_in_are_a_part_of_their_own(settings: Settings, lake: Lake) -> None:
    put(lake, CAMPAIGN_METRICS, *days_of(2, 13, spend=Decimal(10), purchase_value=Decimal(20)))
    put(
        lake,
        CAMPAIGN_METRICS,
        *days_of(0, 1, spend=Decimal(10), purchase_value=Decimal(1), maturity=0.5,
                 purchase_value_expected=20.0),
    )  # fmt: skip
    spark = Numbers(settings).sparklines(["10"])["10"]
    assert len(points(spark.roas)) == 12
    assert points(spark.coming) == [(66, 1), (72, 1), (78, 1)], "joined to the last sure day"


def test_days_without_spend_are_gaps_in_roas_and_zeros_in_spend(
    settings: Settings, lake: Lake
) -> None:
    put(lake, CAMPAIGN_METRICS, *days_of(10, 13, spend=Decimal(8), purchase_value=Decimal(8)))
    put(lake, CAMPAIGN_METRICS, *days_of(7, 7, spend=Decimal(4), purchase_value=Decimal(8)))
    put(lake, CAMPAIGN_METRICS, *days_of(0, 6, spend=Decimal(0)))
    spark = Numbers(settings).sparklines(["10"])["10"]
    low = SPARK_HEIGHT - 1
    assert [y for _, y in points(spark.spend)] == [1] * 4 + [low] * 2 + [10] + [low] * 7
    assert [x for x, _ in points(spark.roas)] == [0, 6, 12, 18, 36]
    assert spark.roas.endswith("M36 1h0"), "a day alone is a dot"


def test_no_delivery_of_late_is_no_spark(settings: Settings, lake: Lake) -> None:
    assert Numbers(settings).sparklines(["40"])["40"] == NO_SPARK


# Kept


def test_nothing_is_read_again_until_the_lake_changes(settings: Settings, lake: Lake) -> None:
    clock = Clock()
    numbers = Numbers(settings, look_every=5, clock=clock)
    before = numbers.series(Level.CAMPAIGN, "10", LAST_DAY, TODAY)
    version = numbers.version()
    clock.now += 6
    assert numbers.series(Level.CAMPAIGN, "10", LAST_DAY, TODAY) is before
    put(lake, CAMPAIGN_METRICS, *days_of(0, 0, spend=Decimal(1), purchase_value=Decimal(1)))
    assert numbers.series(Level.CAMPAIGN, "10", LAST_DAY, TODAY) is before, "looked a moment ago"
    assert numbers.version() == version
    clock.now += 6
    after = numbers.series(Level.CAMPAIGN, "10", LAST_DAY, TODAY)
    assert [each.spend for each in after.days] == [1]
    assert numbers.version() != version


def test_a_lake_that_was_made_anew_is_read_anew(
    settings: Settings, lake: Lake, tmp_path: Path
) -> None:
    clock = Clock()
    numbers = Numbers(settings, clock=clock)
    assert numbers.span(Level.CAMPAIGN, "10") is not None
    shutil.rmtree(tmp_path / "lake")
    clock.now += 6
    assert numbers.span(Level.CAMPAIGN, "20") is None
    put(Lake(lake.root), CAMPAIGN_METRICS, delivered(TODAY, campaign_id="77", spend=Decimal(3)))
    clock.now += 6
    assert numbers.span(Level.CAMPAIGN, "77") == (TODAY, TODAY)


def test_many_threads_get_one_answer(settings: Settings, lake: Lake) -> None:
    numbers = Numbers(settings)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: numbers.sparklines(["10"])["10"], range(64)))
    assert len({id(each) for each in found}) == 1


# Decisions


def decided(number: int, **more: Any) -> dict[str, Any]:
    day = LAST_DAY - timedelta(days=number)
    return {
        "date": day, "account_id": "1", "campaign_id": "10", "campaign_name": "Ten",
        "currency": "USD", "decision_id": f"d{number}",
        "decided_at": NOW - timedelta(days=number), "policy": "roas_thresholds",
        "action": "increase", "current_budget": Decimal(50), "reason": "It returns more.",
        "confidence": 0.8, "spend": Decimal("350.00"), "roas": 3.0,
    } | more  # fmt: skip


def test_decisions_come_newest_first_with_what_became_of_them(
    settings: Settings, lake: Lake
) -> None:
    put(lake, BUDGET_DECISIONS, decided(0), decided(1, hold="Changed yesterday."), decided(60))
    put(
        lake,
        BUDGET_ALLOCATION,
        {
            "date": LAST_DAY, "account_id": "1", "campaign_id": "10", "decision_id": "d0",
            "action": "set", "current_budget_minor": 5000, "allocated_minor": 6000,
            "note": "Raised by the step.", "message": "All of it.", "needs_person": False,
            "purchases_change_low": 2.0, "purchases_change_high": 5.0,
            "value_change_low": 20.0, "value_change_high": 50.0,
        },
    )  # fmt: skip
    put(
        lake,
        CHANGE_SET,
        {
            "date": LAST_DAY, "account_id": "1", "campaign_id": "10", "decision_id": "d0",
            "object_id": "10", "field": "daily_budget", "change_id": "c1",
        },
    )  # fmt: skip
    numbers = Numbers(settings)
    newest, held, oldest = numbers.decisions("10")
    assert (newest.decision_id, newest.before_minor, newest.after_minor) == ("d0", 5000, 6000)
    assert (newest.outcome, newest.note, newest.change_ids) == ("set", "Raised by the step.",
                                                                ("c1",))  # fmt: skip
    assert "+2.0 to +5.0 purchases a week" in newest.expected
    assert (held.hold, held.before_minor, held.after_minor) == ("Changed yesterday.", 5000, None)
    assert (oldest.decision_id, oldest.outcome) == ("d60", "")
    assert [each.decision_id for each in numbers.decisions("10", limit=2)] == ["d0", "d1"]


def test_stops_are_those_of_the_newest_decision(settings: Settings, lake: Lake) -> None:
    stop = {
        "date": LAST_DAY, "account_id": "1", "decision_id": "d1", "decided_at": NOW,
        "kind": "outage", "forbids": "cuts", "reason": "Tracking looks broken.",
    }  # fmt: skip
    put(lake, DECISION_STOPS, stop)
    put(lake, BUDGET_DECISIONS, decided(1))
    clock = Clock()
    numbers = Numbers(settings, clock=clock)
    (found,) = numbers.stops("1")
    assert (found.kind, found.forbids, found.reason) == ("outage", "cuts", stop["reason"])
    put(lake, BUDGET_DECISIONS, decided(0, decided_at=NOW + timedelta(hours=1)))
    clock.now += 6
    assert numbers.stops("1") == ()


# Creative tests


def look(name: str, standing: str, day: date, **more: Any) -> dict[str, Any]:
    return {
        "date": day, "account_id": "1", "creative_id": f"id-{name}", "campaign_id": "ours",
        "platform_campaign_id": "10", "name": name, "started": LAST_DAY - timedelta(days=3),
        "metric": "conversion_rate", "horizon_days": 28, "standing": standing,
        "reason": f"{name} because.", "impressions": 1000, "conversions": 4.0, "currency": "USD",
        "observed_at": NOW,
    } | more  # fmt: skip


@pytest.fixture
def tested(lake: Lake) -> Lake:
    put(
        lake,
        CREATIVE_TESTS,
        look("Warm", "testing", LAST_DAY - timedelta(days=1)),
        look("Warm", "testing", LAST_DAY, probability_better=0.9, days_needed=5, against="Dry"),
        look("Dry", "testing", LAST_DAY),
    )
    tired = {"account_id": "1", "creative_id": "id-Warm", "tired": True, "fall": 0.3,
             "reason": "It sold less.", "observed_at": NOW}  # fmt: skip
    put(lake, CREATIVE_FATIGUE, tired)
    daily = [
        delivered(LAST_DAY - timedelta(days=n), creative_id=f"id-{name}", campaign_id="ours",
                  purchases=Decimal(count), purchase_value=Decimal(9), spend=Decimal(5))
        for n in range(3)
        for name, count in (("Warm", 3), ("Dry", 1))
    ]  # fmt: skip
    put(lake, CREATIVE_PERFORMANCE, *daily)
    return lake


def test_a_test_is_shown_as_at_its_newest_look(settings: Settings, tested: Lake) -> None:
    numbers = Numbers(settings)
    state = numbers.tests("10")
    assert [each.name for each in state.creatives] == ["Dry", "Warm"]
    assert (state.day, state.running) == (LAST_DAY, True)
    assert state.last_day == LAST_DAY + timedelta(days=24)
    warm = state.of("id-Warm")
    assert warm is not None
    assert (warm.probability_better, warm.days_needed, warm.against) == (0.9, 5, "Dry")
    assert warm.fatigue is not None
    assert (warm.fatigue.tired, warm.fatigue.fall) == (True, 0.3)
    assert state.of("id-Dry") == replace(state.creatives[0], fatigue=None)
    assert numbers.fatigue(["id-Warm", "id-Dry"]).keys() == {"id-Warm"}


def test_a_tests_days_are_rates_up_to_each_day(settings: Settings, tested: Lake) -> None:
    days = Numbers(settings).test_days("10")
    assert days.columns == ["date", "arm", "rate", "low", "high"]
    last = days.filter(pl.col("date") == LAST_DAY).sort("arm")
    assert last["arm"].to_list() == ["Dry", "Warm"]
    assert last["rate"].to_list() == pytest.approx([0.001, 0.003])


# Ahead


@pytest.fixture
def fitted(lake: Lake) -> Lake:
    one = replace(curves(1), ids=("10",), day=LAST_DAY)
    told = to_rows(one).with_columns(
        account_id=pl.lit("1"), level=pl.lit("campaign"), campaign_id=pl.lit("10"),
        currency=pl.lit("USD"), budget=pl.lit(50.0), marginal=pl.lit(1.4),
        observed_at=pl.lit(NOW), run_id=pl.lit("run"),
    )  # fmt: skip
    put(lake, RESPONSE_CURVES, *told.to_dicts())
    return lake


def test_a_forecast_is_beside_staying(settings: Settings, fitted: Lake) -> None:
    found = Numbers(settings).forecast("10", 7500)
    assert isinstance(found, Forecast)
    assert found.stay is not None
    assert found.difference is not None
    assert (found.since, found.fitted_to, found.days) == (TODAY, LAST_DAY, 7)
    assert (found.stay.budget_minor, found.asked.budget_minor) == (5000, 7500)
    assert found.asked.purchases_low < found.asked.purchases < found.asked.purchases_high
    assert found.difference.spend == pytest.approx(7 * 25)
    assert found.difference.purchases_low > 0
    assert "purchases in 7 days, worth +$" in found.words
    assert not found.asked.extrapolated


def test_todays_budget_may_be_said(settings: Settings, fitted: Lake) -> None:
    numbers = Numbers(settings)
    found = numbers.forecast("10", 7500, current_minor=7500, days=30)
    assert isinstance(found, Forecast)
    assert found.stay == found.asked
    assert found.words == ""
    with pytest.raises(InputError, match="366 days"):
        numbers.forecast("10", 7500, days=0)
    with pytest.raises(InputError, match="negative"):
        numbers.forecast("10", -1)
    far = numbers.forecast("10", 500_000)
    assert isinstance(far, Forecast)
    assert far.asked.extrapolated


def test_outlooks_pass_through_the_forecasts(settings: Settings, fitted: Lake) -> None:
    numbers = Numbers(settings)
    found = numbers.outlooks("10", asked_minor=7500)
    at = numbers.forecast("10", 7500)
    assert isinstance(found, Outlooks)
    assert isinstance(at, Forecast)
    row = found.points.filter(pl.col("budget") == 75.0).row(0, named=True)
    assert row["value"] == pytest.approx(at.asked.value)
    assert found.points["budget"].is_sorted()
    assert found.today == 50.0


def test_a_curve_has_the_days_it_learned_from(settings: Settings, fitted: Lake) -> None:
    found = Numbers(settings).curve("10")
    assert isinstance(found, CurvePlot)
    assert found.points["spend"].to_list() == [50.0] * 4
    assert found.points["conversions"].to_list() == [1.0] * 4
    assert (found.today, found.marginal, found.days_seen) == (50.0, 1.4, 60)
    assert found.curve["conversions"].is_sorted()


# Readings


def test_the_last_sync_is_told_with_its_gaps(settings: Settings, lake: Lake) -> None:
    read = {"account_id": "1", "stream": "insights", "read_at": NOW, "age_days": 0}
    put(
        lake,
        INSIGHT_READS,
        read | {"date": TODAY, "proof": "running"},
        read | {"date": LAST_DAY, "proof": "gap"},
        read | {"date": LAST_DAY - timedelta(days=1), "proof": "equal"},
    )
    numbers = Numbers(settings)
    sync = numbers.last_sync("1")
    assert (sync.read_at, sync.last_day, sync.complete_day) == (NOW, TODAY, LAST_DAY)
    assert (sync.days, sync.gap_days) == (3, (LAST_DAY,))
    fresh = numbers.freshness()
    assert fresh.read_at == NOW
    assert fresh.written_at is not None
    assert abs(datetime.now(UTC) - fresh.written_at) < timedelta(minutes=5)
    account = numbers.accounts()["1"]
    assert (account.currency, account.today) == ("USD", TODAY)


def test_accounts_live_on_their_own_days(settings: Settings, lake: Lake) -> None:
    row = {
        "account_id": "1", "currency": "JPY", "timezone": "Asia/Tokyo", "observed_at": NOW,
        "run_id": "run",
    }  # fmt: skip
    put(lake, AD_ACCOUNTS, row)
    assert Numbers(settings).accounts()["1"].today == TODAY + timedelta(days=1)
