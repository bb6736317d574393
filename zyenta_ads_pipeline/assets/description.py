"""How a lake table is shown in the Dagster UI: schema, description, SQL, row counts."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.lake.lake import WriteResult
from zyenta_ads_pipeline.lake.schema import Table

OWNERS = ["team:ads-data"]

INGESTION = "ingestion"
BREAKDOWNS = "breakdowns"
RECORDS = "records"
"""What was read and known when: beside the line from Meta to Meta, so that it stays one line."""
METRICS = "metrics"
OPTIMIZER = "optimizer"
ALLOCATION = "allocation"
DELIVERY = "delivery"
CREATIVES = "creatives"
"""From products to launched campaigns: beside the line from Meta to Meta."""


def described(table: Table, sql: str | None = None) -> dict[str, Any]:
    """Definition metadata of one table: its columns with their meaning, key, and SQL model."""
    columns = [
        dg.TableColumn(
            name=column.name,
            type=str(column.type),
            description=column.meaning,
            constraints=dg.TableColumnConstraints(nullable=column.name not in table.key),
        )
        for column in table.columns
    ]
    metadata: dict[str, Any] = {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": table.name,
        "key": ", ".join(table.key),
    }
    if sql is not None:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{sql}\n```")
    return metadata


def written(result: WriteResult, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Run metadata of one write."""
    return {
        "dagster/row_count": result.rows,
        "table_version": result.version,
        "changed": result.changed,
        **(more or {}),
    }


def show_daily(context: dg.AssetExecutionContext, frame: pl.DataFrame, days: DateRange) -> None:
    """Attach each day's rows, spend and ROAS to its partition, so that the UI plots them."""
    counted = [pl.len().alias("rows")]
    # Overlapping windows and several currencies have no sum.
    adds_up = "roas" in frame.columns and "window_days" not in frame.columns
    if adds_up and frame["currency"].n_unique() == 1:
        counted += [pl.col("spend").sum(), pl.col("purchase_value").sum()]
    if "maturity" in frame.columns:
        counted.append(pl.col("maturity").min())
    by_day = {row["date"]: row for row in frame.group_by("date").agg(counted).to_dicts()}
    for day in days.days():
        numbers = by_day.get(day, {})
        shown: dict[str, Any] = {"dagster/partition_row_count": numbers.get("rows", 0)}
        if "spend" in numbers:
            shown["spend"] = float(numbers["spend"])
            if numbers["spend"]:
                shown["roas"] = float(numbers["purchase_value"] / numbers["spend"])
        if numbers.get("maturity") is not None:
            shown["maturity"] = numbers["maturity"]
        context.add_asset_metadata(shown, partition_key=str(day))


def preview(frame: pl.DataFrame, columns: list[str], rows: int = 20) -> dg.MarkdownMetadataValue:
    """The first rows as a Markdown table."""
    shown = frame.select(columns).head(rows)
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in shown.iter_rows()]
    if frame.height > rows:
        lines.append(f"\n… and {frame.height - rows} more")
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|")
