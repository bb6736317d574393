"""Replays of ad days: exact numbers, made-up objects, and files that are refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sandbox.conftest import START, Client
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.facts import Facts, summed
from zyenta_ads_pipeline.sandbox.late_arrivals import arrived
from zyenta_ads_pipeline.sandbox.replay import Replay

HEADER = (
    "date,account_id,currency,timezone,campaign_id,campaign_name,adset_id,ad_id,"
    "impressions,clicks,spend,actions.purchase,action_values.purchase"
)
GOOD = [
    "2026-10-01,act_42,EUR,Europe/Berlin,11,Shoes,21,31,1000,10,1.429999948,1,99.90",
    "2026-10-01,act_42,EUR,Europe/Berlin,11,Shoes,21,32,0,0,0,2,0.10",
    "2026-10-02,act_42,EUR,Europe/Berlin,11,Shoes new,21,31,500,3,1000000000000000000.07,0,",
    "2026-10-02,act_42,EUR,Europe/Berlin,12,Hats,22,33,500,3,3.50,,",
    "2026-10-03,act_42,EUR,Europe/Berlin,12,Hats,22,33,0,0,0,,",
]
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def write(path: Path, lines: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("replay")
    file = write(folder / "days.csv", GOOD)
    config = SandboxConfig(
        state=folder / "state", port=0, replay=file, start=START, frozen=True, behind_days=0
    )
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)


def test_rows_keep_their_digits(replay: Client) -> None:
    rows = replay.every(
        "act_42/insights", level="ad", time_increment="1", date_preset="last_90d",
        fields="ad_id,campaign_name,impressions,spend,ctr,actions,action_values,reach,"
        "account_currency,inline_link_clicks",
    )  # fmt: skip
    assert [(r["ad_id"], r["spend"]) for r in rows] == [
        ("31", "1.429999948"), ("32", "0"), ("31", "1000000000000000000.07"), ("33", "3.50"),
    ]  # fmt: skip
    assert rows[0]["action_values"] == [{"action_type": "purchase", "value": "99.90"}]
    assert rows[1]["actions"] == [{"action_type": "purchase", "value": "2"}]
    assert "ctr" not in rows[1]
    assert rows[2]["actions"] == [{"action_type": "purchase", "value": "0"}]
    assert "actions" not in rows[3]
    assert "reach" not in rows[0]
    assert rows[0]["campaign_name"] == "Shoes new"


def test_sums_are_exact(replay: Client) -> None:
    row = replay.get("act_42/insights", date_preset="last_90d", fields="spend,action_values")
    assert row["data"][0]["spend"] == "1000000000000000004.999999948"
    assert row["data"][0]["action_values"][0]["value"] == "100.00"


def test_objects_are_made_up(replay: Client) -> None:
    account = replay.get("act_42", fields="name,currency,timezone_name,min_daily_budget")
    assert (account["currency"], account["timezone_name"]) == ("EUR", "Europe/Berlin")
    rows = replay.every("act_42/campaigns", fields="name,daily_budget,status")
    assert [(r["id"], r["name"], r["status"]) for r in rows] == [
        ("11", "Shoes new", "ACTIVE"), ("12", "Hats", "ACTIVE"),
    ]  # fmt: skip
    assert rows[1]["daily_budget"] == "400"
    assert [r["id"] for r in replay.every("act_42/ads")] == ["31", "32", "33"]


@pytest.mark.parametrize(
    ("lines", "header", "words"),
    [
        ([*GOOD, GOOD[0]], HEADER, ("line 7", "ad_id", "'31'")),
        (["2026-02-30" + GOOD[0][10:]], HEADER, ("line 2", "date", "2026-02-30")),
        ([GOOD[0].replace("1000,10", "1000.5,10")], HEADER, ("impressions", "1000.5")),
        ([GOOD[0].replace("1.429999948", "-1")], HEADER, ("spend", "'-1'")),
        ([GOOD[0].replace("99.90", "many")], HEADER, ("action_values.purchase", "many")),
        ([GOOD[0].replace("EUR", "XXX")], HEADER, ("currency", "XXX")),
        ([GOOD[0].replace("Europe/Berlin", "Berlin")], HEADER, ("timezone", "Berlin")),
        ([GOOD[0], GOOD[1].replace(",21,32", ",22,31").replace("-01,", "-02,")], HEADER,
         ("adset_id", "line 3")),
        ([GOOD[0], GOOD[1].replace("EUR", "USD")], HEADER, ("currency", "line 3")),
        ([GOOD[0].replace("21,31", "21,11")], HEADER, ("ad_id", "campaign_id")),
        (["2026-11-20" + GOOD[0][10:]], HEADER, ("date", "future")),
        ([GOOD[0].replace(",31,", ",1.2E+17,")], HEADER, ("ad_id", "1.2E+17")),
        ([GOOD[0].replace("Shoes", "")], HEADER, ("campaign_name", "nothing")),
        (GOOD, HEADER.replace("spend", "cost"), ("spend",)),
        ([line + ",1" for line in GOOD], HEADER + ",reach", ("reach", "actions.<type>")),
        ([], HEADER, ("no rows",)),
    ],
)  # fmt: skip
def test_bad_files_are_refused_by_name(
    tmp_path: Path, lines: list[str], header: str, words: tuple[str, ...]
) -> None:
    path = write(tmp_path / "days.csv", lines, header)
    with pytest.raises(InputError) as refused:
        Replay(path, NOW)
    for word in (str(path), *words):
        assert word in refused.value.what + refused.value.remedy
    assert refused.value.remedy


def test_other_forms_give_the_same_rows(tmp_path: Path) -> None:
    table = pl.read_csv(write(tmp_path / "days.csv", GOOD), infer_schema=False).with_columns(
        pl.col("impressions").cast(pl.Int64),
        pl.col("ad_id").cast(pl.Int64),
        pl.col("actions.purchase").cast(pl.Float64),
        pl.col("date").str.to_date(),
    )
    table.write_parquet(tmp_path / "days.parquet")
    table.with_columns(pl.col("date").cast(pl.String)).write_ndjson(tmp_path / "days.jsonl")
    frames = [Replay(tmp_path / f"days.{kind}", NOW).facts(NOW).frame
              for kind in ("csv", "parquet", "jsonl")]  # fmt: skip
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])


def test_floats_keep_their_shortest_spelling(tmp_path: Path) -> None:
    table = pl.read_csv(write(tmp_path / "days.csv", GOOD[:1]), infer_schema=False)
    for number, text in ((0.1, "0.1"), (1e-7, "0.0000001"), (1.429999948, "1.429999948")):
        table.with_columns(pl.lit(number).alias("spend")).write_parquet(tmp_path / "f.parquet")
        assert Replay(tmp_path / "f.parquet", NOW).facts(NOW).frame["spend"].to_list() == [text]


@settings(max_examples=examples(30), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 5), st.integers(1, 9), st.decimals(0, 10**12, allow_nan=False, places=9)
        ),
        min_size=1, max_size=40, unique_by=lambda row: row[:2],
    )
)  # fmt: skip
def test_sums_over_any_rows_are_exact(rows: list[tuple[int, int, Decimal]]) -> None:
    frame = pl.read_csv(io.StringIO(_as_csv(rows)), infer_schema=False).with_columns(
        pl.col("date").str.to_date(), pl.col("impressions", "clicks").cast(pl.Int64)
    )
    facts = Facts(frame, version="x")
    whole = DateRange.parse("2026-10-01", "2026-10-31")
    for level in Level:
        for periods in ([whole], list(whole.split(1))):
            rows_found = summed(facts.frame, level, periods)
            found = sum(map(Decimal, rows_found["spend"].to_list()), Decimal(0))
            assert found == sum((spend for *_, spend in rows), Decimal(0))


def _as_csv(rows: list[tuple[int, int, Decimal]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["date", "account_id", "campaign_id", "adset_id", "ad_id", "impressions", "clicks", "spend"]
    )
    for day, ad, spend in rows:
        writer.writerow([f"2026-10-{day:02}", "1", f"c{ad % 2}", f"s{ad % 4}", f"a{ad}",
                         1, 0, format(spend, "f")])  # fmt: skip
    return text.getvalue()


def test_a_state_stays_with_its_file(tmp_path: Path) -> None:
    file = write(tmp_path / "days.csv", GOOD)
    state = tmp_path / "state"
    with run_sandbox(SandboxConfig(state=state, port=0, replay=file)):
        pass
    with pytest.raises(InputError, match="empty state directory"):
        run_sandbox(SandboxConfig(state=state, port=0)).__enter__()
    write(file, GOOD[:2])
    with pytest.raises(InputError, match="empty state directory"):
        run_sandbox(SandboxConfig(state=state, port=0, replay=file)).__enter__()


LATE = [
    "2026-11-01,act_42,EUR,Europe/Berlin,11,Shoes,21,31,1000,10,5.00,100,9999.90,10,10",
    "2026-11-02,act_42,EUR,Europe/Berlin,11,Shoes,21,31,900,9,4.50,1,20.00,1,9",
    "2026-11-02,act_42,EUR,Europe/Berlin,11,Shoes,21,32,800,8,4.00,0,,,8",
]


def test_a_restating_replay_lets_conversions_arrive_late(tmp_path: Path) -> None:
    header = f"{HEADER},actions.omni_purchase,actions.link_click"
    file = write(tmp_path / "days.csv", LATE, header)
    config = SandboxConfig(state=tmp_path / "state", port=0, replay=file, start=START, frozen=True)
    query = {"time_range": {"since": "2026-11-01", "until": "2026-11-02"},
             "fields": "impressions,spend,actions,action_values"}  # fmt: skip
    with run_sandbox(config) as sandbox:
        client = Client(sandbox)
        final = client.get("act_42/insights", **query)["data"]
        sandbox.plan_reports(restating=True)
        seen: list[tuple[int, Decimal]] = []
        for _ in range(30):
            row = client.get("act_42/insights", **query)["data"][0]
            assert (row["impressions"], row["spend"]) == ("2700", "13.50")
            counts = {item["action_type"]: item["value"] for item in row["actions"]}
            assert counts["link_click"] == "27"
            values = {item["action_type"]: item["value"] for item in row["action_values"]}
            seen.append((int(counts["purchase"]), Decimal(values["purchase"])))
            sandbox.advance(days=1)
        assert seen == sorted(seen)
        assert 50 < seen[0][0] < 80
        assert client.get("act_42/insights", **query)["data"] == final
        sandbox.restart()
        assert sandbox.plan_reports()["restating"] is True


@settings(max_examples=examples(30), deadline=None)
@given(
    count=st.integers(1, 500), cents=st.integers(1, 10**9), ad=st.integers(1, 99),
    hours=st.lists(st.integers(-24, 800), min_size=2, max_size=3),
)  # fmt: skip
def test_what_has_arrived_stays(count: int, cents: int, ad: int, hours: list[int]) -> None:
    value = f"{cents // 100}.{cents % 100:02}"
    frame = pl.DataFrame({
        "date": [date(2026, 10, 1)], "account_id": ["1"], "ad_id": [str(ad)],
        "actions.purchase": [str(count)], "action_values.purchase": [value],
    })  # fmt: skip
    over = datetime(2026, 10, 2, tzinfo=UTC)
    counts, values = [0], [Decimal(0)]
    for hour in sorted(hours):
        late = arrived(frame, {"1": "UTC"}, over + timedelta(hours=hour))
        counts.append(int(late["actions.purchase"][0] or 0))
        values.append(Decimal(late["action_values.purchase"][0] or 0))
    assert counts == sorted(counts)
    assert values == sorted(values)
    assert counts[-1] <= count
    settled = arrived(frame, {"1": "UTC"}, over + timedelta(days=28))
    assert settled.equals(frame)
