"""One definition of each ratio: SQL, Polars and plain Python agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import cache

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zyenta_ads_pipeline.lake.schema import MONEY
from zyenta_ads_pipeline.lake.tables import AD_METRICS
from zyenta_ads_pipeline.metrics.definitions import RATIOS, SUMS, with_ratios

Sums = dict[str, int | Decimal | None]
COUNT = st.none() | st.just(0) | st.integers(0, 10**12)
AMOUNT = st.none() | st.just(Decimal(0)) | st.decimals(0, 10**12, places=4)
SCHEMA = pl.Schema({name: AD_METRICS.schema[name] for name in SUMS})


def divided(top: str, bottom: str, scale: int = 1) -> Callable[[Sums], float | None]:
    def ratio(row: Sums) -> float | None:
        over, under = row[top], row[bottom]
        return scale * (float(over) / float(under)) if over is not None and under else None

    return ratio


def cpa(row: Sums) -> float | None:
    return divided("spend", "purchases")(row) if row["spend"] else None


REFERENCE = {
    "ctr": divided("clicks", "impressions"),
    "cpc": divided("spend", "clicks"),
    "cpm": divided("spend", "impressions", 1000),
    "cpa": cpa,
    "roas": divided("purchase_value", "spend"),
}


def by_polars(rows: list[Sums]) -> dict[str, list[float | None]]:
    found = with_ratios(pl.DataFrame(rows, schema=SCHEMA))
    return {name: found[name].to_list() for name in REFERENCE}


@cache
def duck() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for ratio in RATIOS:
        connection.execute(ratio.macro())
    return connection


def by_sql(rows: list[Sums]) -> dict[str, list[float | None]]:
    calls = ", ".join(f"{r.name}({r.numerator}, {r.denominator}) AS {r.name}" for r in RATIOS)
    types = ["DECIMAL(38, 12)" if SCHEMA[name] == MONEY else "BIGINT" for name in SUMS]
    cast = ", ".join(f"CAST(? AS {kind})" for kind in types)
    sums = f"(VALUES {', '.join([f'({cast})'] * len(rows))}) AS sums ({', '.join(SUMS)})"
    values = [None if row[name] is None else str(row[name]) for row in rows for name in SUMS]
    found = duck().execute(f"SELECT {calls} FROM {sums}", values).fetchall()
    return {ratio.name: [row[n] for row in found] for n, ratio in enumerate(RATIOS)}


ROWS = st.lists(
    st.fixed_dictionaries({name: AMOUNT if SCHEMA[name] == MONEY else COUNT for name in SUMS}),
    min_size=1,
    max_size=20,
)


def same(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-12)


@settings(max_examples=examples(60), deadline=None)
@given(ROWS)
def test_sql_polars_and_python_give_the_same_ratios(rows: list[Sums]) -> None:
    sql, polars = by_sql(rows), by_polars(rows)
    for name, reference in REFERENCE.items():
        for row, one, other in zip(rows, sql[name], polars[name], strict=True):
            assert same(one, reference(row)), (name, row)
            assert same(other, reference(row)), (name, row)


BASE: Sums = {
    "impressions": 1000,
    "clicks": 20,
    "link_clicks": 10,
    "spend": Decimal("50"),
    "purchases": Decimal("4"),
    "purchase_value": Decimal("200"),
    "leads": Decimal("1"),
}


@pytest.mark.parametrize("ways", [by_sql, by_polars])
def test_known_numbers_give_known_ratios(
    ways: Callable[[list[Sums]], dict[str, list[float | None]]],
) -> None:
    assert ways([BASE]) == {
        "ctr": [0.02],
        "cpc": [2.5],
        "cpm": [50.0],
        "cpa": [12.5],
        "roas": [4.0],
    }


@pytest.mark.parametrize("nothing", [0, None])
@pytest.mark.parametrize(
    ("column", "empty"),
    [
        ("impressions", {"ctr", "cpm"}),
        ("clicks", {"cpc"}),
        ("spend", {"roas", "cpa"}),
        ("purchases", {"cpa"}),
    ],
)
def test_an_empty_denominator_gives_nothing_and_never_zero_or_999(
    column: str, empty: set[str], nothing: int | None
) -> None:
    row = {**BASE, column: nothing}
    sql, polars = by_sql([row]), by_polars([row])
    for name in empty:
        assert sql[name] == polars[name] == [None]


def test_no_sales_for_money_are_a_return_of_zero() -> None:
    row = {**BASE, "purchase_value": Decimal(0), "purchases": Decimal(0)}
    assert by_sql([row])["roas"] == by_polars([row])["roas"] == [0.0]


def test_every_ratio_is_made_of_sums_and_is_a_column_of_the_lake() -> None:
    for ratio in RATIOS:
        assert ratio.numerator in SUMS
        assert ratio.denominator in SUMS
        assert AD_METRICS.schema[ratio.name] == pl.Float64
        assert ratio.meaning.endswith(".")
    assert {"reach", "frequency"}.isdisjoint(SUMS)
    assert {ratio.name for ratio in RATIOS} == set(REFERENCE)
