"""Exchange rates: the whole file or nothing, every refused line with its reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.ingestion.rates import read_rates, store_rates
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.lake.tables import EXCHANGE_RATES


def read(tmp_path: Path, text: str) -> pl.DataFrame:
    path = tmp_path / "rates.csv"
    path.write_bytes(text.encode())
    return read_rates(path, "EUR")


def test_rates_are_read_exactly(tmp_path: Path) -> None:
    lines = [
        "\ufeffDate, currency,rate",
        "2026-11-20,USD,0.9231",
        "",
        "2026-11-20, JPY ,0.006120000001",
    ]
    rates = read(tmp_path, "\r\n".join(lines))
    assert rates.rows() == [
        (date(2026, 11, 20), "USD", Decimal("0.9231"), "EUR"),
        (date(2026, 11, 20), "JPY", Decimal("0.006120000001"), "EUR"),
    ]
    assert rates.schema == EXCHANGE_RATES.schema


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    rates = read(tmp_path, "rate,date,currency\n2,2026-11-20,USD\n1,2026-11-20,EUR\n")
    assert rates["rate"].to_list() == [2, 1]


def test_every_line_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    wrong = [
        "20.11.2026,USD,0.9", "2026-11-20,usd,0.9", "2026-11-20,XXX,0.9", '2026-11-20,USD,"0,9"',
        "2026-11-20,USD,0", "2026-11-20,USD,-1", "2026-11-20,USD,1e3", "2026-11-20,USD,",
        "2026-11-20,USD", "2026-11-20,USD,1,2", "2026-11-20,EUR,1.1", "2026-11-20,GBP,2",
        "2026-11-20,USD,.5", "2026-11-20,USD,1.0000000000001", "2026-11-20,USD,nan",
        "2026-11-20,USD,٢", "2026-11-20,USD,9999999999999",
    ]  # fmt: skip
    lines = ["date,currency,rate", "2026-11-20,GBP,1.1", *wrong]
    with pytest.raises(InputError) as refused:
        read(tmp_path, "\n".join(lines))
    told = refused.value.what
    assert [f"line {number}:" in told for number in range(1, len(lines) + 1)] == [
        False, False, *[True] * len(wrong)
    ]  # fmt: skip
    assert "GBP has a rate for 2026-11-20 already" in told
    assert "2026-11-20 as" not in told


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-20,USD,0.9\n", "date,currency\n", "date,currency,rate,note\n", "a,b,c\n"],
    ids=["empty", "no header", "a column lacks", "one too many", "other names"],
)
def test_a_file_without_its_header_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="header"):
        read(tmp_path, text)


def test_what_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_rates(tmp_path / "bytes.csv", "EUR")
    with pytest.raises(InputError, match="No such file"):
        read_rates(tmp_path / "none.csv", "EUR")
    with pytest.raises(InputError, match="CSV"):
        read(tmp_path, 'date,currency,rate\n2026-11-20,"USD,1\n')


def test_the_file_replaces_what_was_stored_of_its_currency(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    first = read(tmp_path, "date,currency,rate\n2026-11-20,USD,0.9\n2026-11-21,USD,0.8\n")
    assert store_rates(lake, first, "EUR", "run").changed
    assert not store_rates(lake, first, "EUR", "again").changed
    second = read(tmp_path, "date,currency,rate\n2026-11-20,USD,0.91\n")
    store_rates(lake, second, "EUR", "run")
    stored = lake.snapshot().scan(EXCHANGE_RATES).collect()
    assert stored["rate"].to_list() == [Decimal("0.91")]
