"""The market: deterministic, paced, answering to budgets, restating recent days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from zyenta_ads_pipeline.sandbox.market import Market
from zyenta_ads_pipeline.sandbox.market_delivery import OVERDELIVERY
from zyenta_ads_pipeline.sandbox.objects import Kind
from zyenta_ads_pipeline.sandbox.state import Write

BORN = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)


def market(seed: int = 7, writes: list[Write] | None = None, accounts: int = 1) -> Market:
    return Market(seed=seed, days=60, accounts=accounts, born=BORN, writes=lambda: writes or [])


def spend(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.with_columns(pl.col("spend").cast(pl.Float64))
        .group_by("campaign_id", "date")
        .agg(pl.col("spend").sum())
    )


def test_steps_of_the_clock_do_not_matter() -> None:
    small, large = market(), market()
    for day in range(8):
        by_days = small.facts(BORN + timedelta(days=day))
    assert large.facts(BORN + timedelta(days=7)).frame.equals(by_days.frame)


def test_the_seed_matters() -> None:
    assert not market(seed=1).facts(BORN).frame.equals(market(seed=2).facts(BORN).frame)


def test_spend_follows_the_budget() -> None:
    played = market()
    budgets = {t.id: t.daily_budget for t in played.things() if t.kind is Kind.CAMPAIGN}
    daily = spend(played.facts(BORN).frame).filter(pl.col("date") < BORN.date())
    for campaign_id, budget in budgets.items():
        if budget is None:
            continue
        own = daily.filter(pl.col("campaign_id") == campaign_id)["spend"].to_list()
        assert max(own) * 100 <= OVERDELIVERY * budget
        assert sum(own) / len(own) * 100 == pytest.approx(budget, rel=0.08)
        assert len(own) == 60


def test_returns_are_spread_as_the_shop_says() -> None:
    played = market()
    names = {t.id: t.name for t in played.things()}
    frame = played.facts(BORN + timedelta(days=30)).frame
    rows = frame.group_by("campaign_id").agg(
        pl.col("spend").cast(pl.Float64).sum(),
        pl.col("action_values.omni_purchase").cast(pl.Float64).sum().alias("value"),
    )
    roas = {names[row[0]].split(" ")[0]: row[2] / row[1] for row in rows.iter_rows()}
    assert 3.2 < roas["Trail"] < 4.8
    assert 1.7 < roas["Rain"] < 2.7
    assert 1.0 < roas["Tents"] < 1.6
    assert 0.2 < roas["Climbing"] < 0.6


def test_recent_days_are_restated_and_old_ones_settle() -> None:
    played = market()
    since, until = BORN.date() - timedelta(days=7), BORN.date() - timedelta(days=1)

    def sold(at: datetime) -> int:
        rows = played.facts(at).frame.filter(pl.col("date").is_between(since, until))
        return int(rows["actions.purchase"].cast(pl.Int64).sum())

    seen = [sold(BORN + timedelta(days=n)) for n in range(40)]
    assert seen[0] < seen[8]
    assert seen[30] == seen[39]


def test_invalid_clicks_are_struck_off_within_three_days() -> None:
    played = market()
    names = ("impressions", "clicks", "inline_link_clicks", "spend")
    seen: dict[tuple[date, str], tuple[float, ...]] = {}
    gone: set[tuple[date, str]] = set()
    shrunk = 0
    for number in range(1, 21):
        now = BORN + timedelta(days=number)
        whole_days = played.facts(now).frame.filter(pl.col("date") < now.date())
        numbers = whole_days.select("date", "ad_id", *(pl.col(n).cast(pl.Float64) for n in names))
        rows: dict[tuple[date, str], tuple[float, ...]] = {
            (day, ad): tuple(told) for day, ad, *told in numbers.iter_rows()
        }
        for key, before in seen.items():
            later = rows.get(key)
            if later is None:
                gone.add(key)
            elif later != before:
                assert now.date() - key[0] <= timedelta(days=4)
                assert all(0.95 * b <= a <= b for a, b in zip(later, before, strict=True))
                shrunk += 1
        seen = rows
    assert 40 < shrunk < 200
    assert 1 <= len(gone) < 20
    sold = {(day, ad) for day, ad, n in played.facts(BORN + timedelta(days=40)).frame.select(
        "date", "ad_id", "actions.purchase").iter_rows() if n is not None}  # fmt: skip
    assert not gone & sold


def test_some_ads_are_gone_and_what_they_spent_is_not() -> None:
    played = market()
    ads = {t.id: t for t in played.things() if t.kind is Kind.AD}
    gone = {t.status: t for t in ads.values() if t.status in ("ARCHIVED", "DELETED")}
    assert set(gone) == {"ARCHIVED", "DELETED"}
    frame = played.facts(BORN).frame
    for ad in gone.values():
        own = frame.filter(pl.col("ad_id") == ad.id)
        assert own["spend"].cast(pl.Float64).sum() > 100
        last = own["date"].max()
        assert isinstance(last, date)
        assert last < ad.updated_time.date() + timedelta(days=1)


def test_a_budget_change_and_a_pause_take_hold() -> None:
    played = market()
    campaign = next(t for t in played.things() if t.kind is Kind.CAMPAIGN)
    loser = next(t for t in played.things() if t.name.startswith("Climbing"))
    changes = [
        Write(campaign.id, "daily_budget", "15000", "30000", BORN, accepted=True),
        Write(campaign.id, "daily_budget", "30000", "90000", BORN, accepted=False),
        Write(loser.id, "status", "ACTIVE", "PAUSED", BORN, accepted=True),
    ]
    changed = market(writes=changes)
    later = BORN + timedelta(days=15)
    daily = spend(changed.facts(later).frame).filter(pl.col("date") > BORN.date())
    own = daily.filter(pl.col("campaign_id") == campaign.id).filter(pl.col("date") < later.date())
    assert own["spend"].mean() == pytest.approx(300, rel=0.15)
    assert loser.id not in daily["campaign_id"]
    untouched = market().facts(later).frame
    assert (
        changed.facts(later)
        .frame.filter(pl.col("date") < BORN.date())["spend"]
        .sort()
        .equals(untouched.filter(pl.col("date") < BORN.date())["spend"].sort())
    )


def test_more_spend_sells_less_per_dollar() -> None:
    campaign = next(t for t in market().things() if t.name.startswith("Trail"))
    raised = [Write(campaign.id, "daily_budget", "15000", "120000", BORN, accepted=True)]

    def roas(played: Market) -> float:
        rows = played.facts(BORN + timedelta(days=60)).frame.filter(
            (pl.col("campaign_id") == campaign.id) & (pl.col("date") > BORN.date())
        )
        columns = (rows["action_values.omni_purchase"], rows["spend"])
        value, spent = (float(column.cast(pl.Float64).sum()) for column in columns)
        return value / spent

    assert roas(market(writes=raised)) < 0.75 * roas(market())


def test_amounts_have_the_currencys_decimals() -> None:
    played = market(accounts=3)
    things = {t.id: t.attributes["currency"] for t in played.things() if t.kind is Kind.ACCOUNT}
    assert set(things.values()) == {"USD", "EUR", "JPY"}
    frame = played.facts(BORN).frame
    assert frame["clicks"].sum() >= frame["inline_link_clicks"].sum()
    for account_id, currency in things.items():
        texts = frame.filter(pl.col("account_id") == account_id)["spend"]
        decimals = 0 if currency == "JPY" else 2
        assert {len(text.partition(".")[2]) for text in texts} == {decimals}
