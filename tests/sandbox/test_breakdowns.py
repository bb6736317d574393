"""Breakdowns, windows and action breakdowns: parts add up to the row that they are parts of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sandbox.conftest import Client
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.breakdowns import grid_of
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.market import Market
from zyenta_ads_pipeline.sandbox.shares import parts_of, table_of_parts
from zyenta_ads_pipeline.sandbox.splitting import by_grid

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
GRIDS = ("age", "gender", "age,gender", "country", "publisher_platform",
         "publisher_platform,platform_position", "publisher_platform,impression_device",
         "publisher_platform,platform_position,impression_device")  # fmt: skip
ON_META_ONLY = ("region", HOURLY)
DAYS = {"since": "2026-10-30", "until": "2026-11-02"}
FIELDS = "campaign_id,impressions,clicks,inline_link_clicks,spend,actions,action_values,reach"
COUNTED = ("impressions", "clicks", "inline_link_clicks", "spend")
WINDOWS = ["1d_click", "7d_click", "28d_click", "1d_view", "7d_view"]
Key = tuple[str, ...]


def numbers(rows: list[dict[str, Any]]) -> dict[Key, dict[str, Decimal]]:
    """Every number of the rows, summed by campaign and day; statistics by type and key."""
    found: dict[Key, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        total = found[(row["campaign_id"], row["date_start"])]
        for name in COUNTED:
            if name in row:
                total[name] += Decimal(row[name])
        for name in ("actions", "action_values"):
            for item in row.get(name, []):
                for key in item.keys() & {"value", *WINDOWS}:
                    total[f"{name}.{item['action_type']}.{key}"] += Decimal(item[key])
    return {key: {k: v for k, v in total.items() if v} for key, total in found.items()}


def read(client: Client, account: str, **params: Any) -> list[dict[str, Any]]:
    query: dict[str, Any] = {"level": "campaign", "time_increment": "1", "time_range": DAYS,
                             "fields": FIELDS, "limit": "5000",
                             "action_attribution_windows": WINDOWS}  # fmt: skip
    return client.every(f"{account}/insights", **(query | params))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Recorded days with odd numbers, over the end of summer time in Berlin."""
    folder = tmp_path_factory.mktemp("recorded")
    header = ("date,account_id,currency,timezone,campaign_id,campaign_name,adset_id,ad_id,"
              "impressions,clicks,spend,actions.purchase,action_values.purchase,"
              "actions.link_click,actions.signup")  # fmt: skip
    line = "{},act_42,EUR,Europe/Berlin,11,Shoes,21,{},{},{},{},{},{},{},{}"
    rows = [
        line.format("2026-03-29", "31", 1000, 10, "1.429999948", 3, "99.9", 7, 2),
        line.format("2026-10-25", "31", 480, 9, "12.5", "", "", 4, ""),
        line.format("2026-10-30", "31", 7, 3, "1000000000000000000.07", 2, "0.10", 1, 1),
        line.format("2026-10-30", "32", 0, 0, "3.5", 2, "12.345", "", ""),
        line.format("2026-10-31", "32", 1, 1, "0", "", "", 1, ""),
    ]
    file = folder / "days.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    config = SandboxConfig(state=folder / "state", port=0, replay=file, frozen=True,
                           start=datetime(2026, 11, 3, 17, 30, tzinfo=UTC))  # fmt: skip
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)


@pytest.mark.parametrize(
    "breakdowns",
    [pytest.param(each, marks=pytest.mark.slow) if each in ("age", "gender") else each
     for each in GRIDS],
)  # fmt: skip
def test_parts_add_up(market: Client, recorded: Client, breakdowns: str) -> None:
    keys = breakdowns.split(",")
    for client, account in ((market, market.account), (recorded, "act_42")):
        whole = numbers(read(client, account))
        for level in ("campaign", "ad"):
            rows = read(client, account, level=level, breakdowns=keys)
            assert numbers(rows) == whole
            assert all(isinstance(row[key], str) for row in rows for key in keys)
    rows = read(market, market.account, breakdowns=keys)
    unique = {(row["campaign_id"], row["date_start"], *(row[key] for key in keys)) for row in rows}
    assert len(unique) == len(rows)
    assert all(int(row["clicks"]) <= int(row["impressions"]) for row in rows)


@pytest.mark.parametrize("breakdown", ON_META_ONLY)
def test_rows_without_off_meta_actions(market: Client, recorded: Client, breakdown: str) -> None:
    for client, account in ((market, market.account), (recorded, "act_42")):
        rows = read(client, account, breakdowns=[breakdown])
        found, whole = numbers(rows), numbers(read(client, account))
        assert found.keys() == whole.keys()
        for key, totals in found.items():
            on_meta = {k: v for k, v in whole[key].items()
                       if k in COUNTED or "link_click" in k or "landing_page" in k}  # fmt: skip
            assert totals == on_meta
    assert not any("action_values" in row for row in rows)


def test_a_coarse_breakdown_is_the_sum_of_the_finer_one(market: Client) -> None:
    fine = read(market, market.account, breakdowns=["age", "gender"])
    coarse = read(market, market.account, breakdowns=["gender"])

    def by_gender(rows: list[dict[str, Any]]) -> dict[str, Decimal]:
        found: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            found[row["gender"]] += Decimal(row["spend"])
        return dict(found)

    assert by_gender(fine) == by_gender(coarse)
    assert set(by_gender(coarse)) == {"female", "male", "unknown"}


def test_asking_for_less_changes_nothing(market: Client) -> None:
    whole = read(market, market.account, breakdowns=["country"])
    part = read(market, market.account, breakdowns=["country"],
                fields="campaign_id,action_values")  # fmt: skip
    assert [r.get("action_values") for r in part] == [r.get("action_values") for r in whole]


def test_reach_does_not_add_up_and_hours_have_none(market: Client) -> None:
    whole = sum(int(row["reach"]) for row in read(market, market.account))
    parts = read(market, market.account, breakdowns=["gender"])
    assert sum(int(row["reach"]) for row in parts) > whole
    hourly = read(market, market.account, breakdowns=HOURLY, fields=f"{FIELDS},frequency,cpp")
    assert not any({"reach", "frequency", "cpp"} & row.keys() for row in hourly)
    assert len(hourly) > 300


def test_hours_of_short_and_long_days(recorded: Client) -> None:
    def hours(day: str) -> list[str]:
        days = {"since": day, "until": day}
        rows = read(recorded, "act_42", time_range=days, breakdowns=[HOURLY])
        assert all(row[HOURLY] for row in rows)
        return [row[HOURLY][:2] for row in rows]

    spring, autumn = hours("2026-03-29"), hours("2026-10-25")
    assert "02" not in spring
    assert len(spring) == 23
    assert len(autumn) == len(set(autumn)) == 24
    label = read(recorded, "act_42", breakdowns=HOURLY)[0][HOURLY]
    assert label[2:] == f":00:00 - {label[:2]}:59:59"


def test_hours_of_the_market_are_those_it_delivered(fresh: Client) -> None:
    today = {"since": "2026-11-03", "until": "2026-11-03"}
    first = read(fresh, fresh.account, time_range=today, breakdowns=HOURLY, level="ad",
                 fields="campaign_id,ad_id,spend,impressions")  # fmt: skip
    assert {row[HOURLY][:2] for row in first} == {f"{hour:02}" for hour in range(12)}
    fresh.sandbox.advance(hours=2)
    later = read(fresh, fresh.account, time_range=today, breakdowns=HOURLY, level="ad",
                 fields="campaign_id,ad_id,spend,impressions")  # fmt: skip
    assert [row for row in later if int(row[HOURLY][:2]) < 12] == first
    assert len(later) > len(first)


@pytest.mark.parametrize(
    ("breakdowns", "error"),
    [
        (["age", "country"], (2, 1504041)),
        (["country", "publisher_platform"], (2, 1504041)),
        (["impression_device"], (2, 1504041)),
        (["platform_position"], (2, 1504041)),
        ([HOURLY, "age"], (2, 1504041)),
        (["product_id"], (100, None)),
        (["dma"], (100, None)),
        (["weather"], (100, None)),
    ],
)
def test_refused_breakdowns(
    market: Client, breakdowns: list[str], error: tuple[int, int | None]
) -> None:
    found = market.refused(f"{market.account}/insights", breakdowns=breakdowns)
    assert (found["code"], found.get("error_subcode")) == error
    if error[1] is None:
        assert breakdowns[0] in found["message"]


@pytest.mark.parametrize(
    "asked",
    [["action_type", "action_target_id", "action_destination"], ["action_device"],
     ["action_type", "action_device", "action_destination"]],
)  # fmt: skip
def test_action_breakdowns_split_items(market: Client, asked: list[str]) -> None:
    whole = read(market, market.account)
    rows = read(market, market.account, action_breakdowns=asked)
    assert numbers(rows) == numbers(whole)
    item = rows[0]["actions"][0]
    assert {"action_type", *asked} <= item.keys()
    assert market.refused(f"{market.account}/insights", action_breakdowns=["action_reaction"])


def test_the_attribution_setting_is_told(market: Client) -> None:
    for level in ("adset", "ad"):
        row = market.get(f"{market.account}/insights", level=level, fields="attribution_setting",
                         use_unified_attribution_setting="true",
                         action_report_time="mixed")["data"][0]  # fmt: skip
        assert row["attribution_setting"] == "7d_click_1d_view"


@settings(max_examples=examples(200), deadline=None)
@given(
    values=st.lists(st.integers(0, 2**60), min_size=1, max_size=5),
    weights=st.lists(st.floats(0, 1e6).map(lambda w: 0.0 if w < 1e-3 else w), min_size=1,
                     max_size=9),
)  # fmt: skip
def test_parts_of_any_numbers(values: list[int], weights: list[float]) -> None:
    table = table_of_parts(np.array(values), np.tile(weights, (len(values), 1)))
    assert table.sum(axis=1).tolist() == values
    assert (table >= 0).all()
    for value in values:
        parts = parts_of(value * 2**40, weights)
        assert sum(parts) == value * 2**40
        assert min(parts) >= 0
    if any(weights):
        assert all(not table[:, n].any() for n, weight in enumerate(weights) if not weight)


def test_the_same_seed_gives_the_same_parts() -> None:
    born = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)
    facts = Market(seed=7, days=3, accounts=1, born=born, writes=lambda: []).facts(born)
    grid = grid_of(("age",), "USD")

    def cut(seed: str, rows: pl.DataFrame) -> pl.DataFrame:
        return by_grid(rows, grid, ("age",), ["spend"], replace(facts, seed=seed))

    whole = cut("7", facts.frame)
    assert whole.equals(cut("7", facts.frame))
    assert not whole.equals(cut("8", facts.frame))
    # A row's parts are its own: they do not depend on the rows beside it.
    ad = facts.frame["ad_id"][3]
    one = pl.col("ad_id") == ad
    assert whole.filter(one).equals(cut("7", facts.frame.filter(one)))
