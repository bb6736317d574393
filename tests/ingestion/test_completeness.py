"""Ads against totals: what lacks is measured, looked for by id, and named where it stays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.ads import AdAccount, Level
from zyenta_ads_pipeline.domain.errors import NotFound
from zyenta_ads_pipeline.domain.insights import ATTRIBUTION_WINDOWS, FIELDS, STATS, Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.completeness import Gap, gaps_between
from zyenta_ads_pipeline.ingestion.missing_ads import Around, with_missing_ads
from zyenta_ads_pipeline.ingestion.normalising import normalised

DAY = date(2026, 11, 1)
DAYS = DateRange(DAY, DAY)
SEEN = datetime(2026, 11, 3, tzinfo=UTC)
ACCOUNT = AdAccount("1", "Shop", "USD", "UTC", 1, 100, SEEN)
ITEM = pl.Struct(dict.fromkeys(("action_type", "value", *ATTRIBUTION_WINDOWS), pl.String))
Numbers = tuple[int, int, Decimal, int]


def rows(level: Level, *things: tuple[str, Numbers]) -> pl.DataFrame:
    """Normalised rows; ad `cs1` lies in ad set `cs` of campaign `c`."""
    asked = Report("1", level, DAYS)
    names = [*asked.id_fields, "date_start", "date_stop", *FIELDS]
    schema = {name: pl.List(ITEM) if name in STATS else pl.String for name in names}
    told = []
    for name, (impressions, clicks, spend, purchases) in things:
        ids = {"campaign_id": name[:1], "adset_id": name[:2], "ad_id": name}
        told.append(
            {
                "account_id": "1",
                **{key: value for key, value in ids.items() if key in names},
                "date_start": str(DAY),
                "date_stop": str(DAY),
                "impressions": str(impressions),
                "clicks": str(clicks),
                "spend": str(spend),
                "actions": [{"action_type": "purchase", "value": str(purchases)}]
                if purchases
                else None,
            }
        )
    frame = pl.DataFrame(told, schema=schema).with_columns(
        pl.lit(SEEN).alias("observed_at"), pl.lit(None, pl.String).alias("missing")
    )
    return normalised(frame, asked, ACCOUNT, "run")


def gap(ads: pl.DataFrame, account: pl.DataFrame) -> Gap | None:
    return gaps_between(ads, account, "purchase", "USD").get(DAY)


def numbers(
    impressions: int = 100, clicks: int = 5, spend: str = "10.00", purchases: int = 2
) -> Numbers:
    return impressions, clicks, Decimal(spend), purchases


amounts = st.tuples(
    st.integers(0, 10**6),
    st.integers(0, 10**5),
    st.decimals(0, 10**6, places=2),
    st.integers(0, 50),
)


@given(st.lists(amounts, min_size=1, max_size=8))
def test_ads_that_add_up_have_no_gap_and_one_left_out_is_found_to_the_cent(
    ads: list[Numbers],
) -> None:
    total = tuple(sum(column) for column in zip(*ads, strict=True))
    account = rows(Level.ACCOUNT, ("1", total))
    named = [(f"cs{n}", one) for n, one in enumerate(ads)]
    assert gap(rows(Level.AD, *named), account) is None
    impressions, clicks, spend, purchases = ads[0]
    found = gap(rows(Level.AD, *named[1:]), account)
    if impressions or clicks or purchases or spend > Decimal("0.005") * max(len(ads) - 1, 1):
        assert found == Gap(DAY, impressions, clicks, spend, Decimal(purchases))
    else:
        assert found is None


@pytest.mark.parametrize(("difference", "is_gap"), [("0.01", False), ("0.02", True)])
def test_each_ad_row_may_add_half_a_minor_unit(difference: str, is_gap: bool) -> None:
    ads = rows(Level.AD, ("cs1", numbers()), ("cs2", numbers()))
    account = rows(Level.ACCOUNT, ("1", (200, 10, Decimal("20.00") + Decimal(difference), 4)))
    assert (gap(ads, account) is not None) is is_gap


def test_purchases_that_meta_leaves_out_of_the_total_are_no_gap() -> None:
    ads = rows(Level.AD, ("cs1", numbers(purchases=3)))
    assert gap(ads, rows(Level.ACCOUNT, ("1", numbers(purchases=0)))) is None


def test_ads_without_a_total_and_a_total_without_ads_are_gaps() -> None:
    ads, account = rows(Level.AD, ("cs1", numbers())), rows(Level.ACCOUNT, ("1", numbers()))
    assert gap(ads, rows(Level.ACCOUNT)) == Gap(DAY, -100, -5, Decimal(-10), Decimal(-2))
    assert gap(rows(Level.AD), account) == Gap(DAY, 100, 5, Decimal(10), Decimal(2))


async def logged_ids(ids: list[str]) -> list[str]:
    return ids


def search(
    listed: list[str],
    hidden: list[str],
    known: list[str],
    logged: list[str] | None = None,
    *,
    by_ids: bool = True,
) -> tuple[pl.DataFrame, Mapping[date, Gap], list[Report]]:
    """Play the search on an account of ads of equal numbers; `by_ids`: lists answer for ids."""
    every = [*listed, *hidden]
    per = {name: numbers() for name in every}
    around = {
        level: rows(
            level,
            *(
                (parent, (100 * n, 5 * n, Decimal(10) * n, 2 * n))
                for parent in sorted({name[:width] for name in every})
                if (n := sum(name.startswith(parent) for name in every))
            ),
        )
        for level, width in ((Level.CAMPAIGN, 1), (Level.ADSET, 2))
    }
    n = len(every)
    account = rows(Level.ACCOUNT, ("1", (100 * n, 5 * n, Decimal(10) * n, 2 * n)))
    asked: list[Report] = []

    async def read(report: Report) -> pl.DataFrame:
        asked.append(report)
        if report.ids is not None:
            found = [name for name in report.ids if name in per and by_ids]
        else:
            found = [name for name in per if name.startswith(report.node or "?")]
            if report.node not in {"a", "b"} and not found:
                raise NotFound("no such object")
        return rows(Level.AD, *((name, per[name]) for name in found))

    ads, left = asyncio.run(
        with_missing_ads(
            Report("1", Level.AD, DAYS),
            rows(Level.AD, *((name, per[name]) for name in listed)),
            known,
            lambda: logged_ids(logged or []),
            Around(around[Level.CAMPAIGN], around[Level.ADSET]),
            read,
            lambda ads: gaps_between(ads, account, "purchase", "USD"),
        )
    )
    return ads, left, asked


def test_known_ads_that_the_list_leaves_out_are_found_with_one_call() -> None:
    ads, left, asked = search(["as1", "as2"], ["as3", "bs1"], ["as1", "as3", "bs1", "zz9"])
    assert (set(ads["ad_id"]), left) == ({"as1", "as2", "as3", "bs1"}, {})
    assert [report.ids for report in asked] == [("as3", "bs1", "zz9")]


def test_ads_never_seen_are_found_by_the_accounts_log_of_activities() -> None:
    ads, left, asked = search(["as1"], ["bs1"], ["zz9"], ["as1", "a", "bs1", "zz9"])
    assert (set(ads["ad_id"]), left) == ({"as1", "bs1"}, {})
    assert [report.ids for report in asked] == [("zz9",), ("a", "bs1")]


def test_where_a_list_does_not_answer_for_ids_each_ad_is_asked() -> None:
    ads, left, asked = search(["as1"], ["as3"], ["zz9", "as3"], by_ids=False)
    assert (set(ads["ad_id"]), left) == ({"as1", "as3"}, {})
    assert [report.node for report in asked] == [None, "zz9", "as3"]


def test_ads_never_seen_are_looked_for_in_the_campaigns_that_are_ahead_of_them() -> None:
    ads, left, asked = search(["as1", "bs1"], ["bs2"], [])
    assert (set(ads["ad_id"]), left) == ({"as1", "bs1", "bs2"}, {})
    assert [report.node for report in asked] == ["b"]


def test_what_stays_missing_is_named_with_its_place() -> None:
    async def nothing(report: Report) -> pl.DataFrame:
        return rows(Level.AD)

    ads = rows(Level.AD, ("as1", numbers()))
    double = (200, 10, Decimal(20), 4)
    _, left = asyncio.run(
        with_missing_ads(
            Report("1", Level.AD, DAYS),
            ads,
            [f"x{n}" for n in range(500)],
            lambda: logged_ids([]),
            Around(rows(Level.CAMPAIGN, ("a", double)), rows(Level.ADSET, ("as", double))),
            nothing,
            lambda found: gaps_between(
                found, rows(Level.ACCOUNT, ("1", double)), "purchase", "USD"
            ),
        )
    )
    assert str(left[DAY]) == (
        "2026-11-01: the account's total is ahead of its ads by impressions 100, clicks 5, "
        "spend 10, purchases 2 in campaign a, ad set as"
    )


def test_the_search_ends_after_a_bounded_number_of_calls() -> None:
    _, left, asked = search(["as1"], ["zs1"], [f"x{n}" for n in range(5000)], by_ids=False)
    assert left == {}
    assert len(asked) <= 20 + 25 + 10
