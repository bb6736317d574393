"""Takes a decision of the past again, from what it had read, and compares the answers.

A decision keeps the version of every table it read and the rules of its time, so that the same
code gives the same rows, to the byte. Where it does not, the code or the policy was changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from zyenta_ads_pipeline.campaigns.budgets import allocate_budgets, decide, recorded_versions
from zyenta_ads_pipeline.campaigns.rules_json import policy_name, rules_from_json
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.lake.decision_tables import (
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    DECISION_STOPS,
)
from zyenta_ads_pipeline.lake.lake import Lake, Snapshot
from zyenta_ads_pipeline.lake.pinned import snapshot_at
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.optimizer.deciding import Policy

DIFFERENCES = pl.Schema({
    "table": pl.String, "row": pl.String, "column": pl.String,
    "recorded": pl.String, "replayed": pl.String,
})  # fmt: skip
"""One row per value that is not the same; `column` is empty where a whole row is only on one
side."""


@dataclass(frozen=True)
class Replayed:
    """A decision taken again. `decisions` are the rows as they came out now."""

    decision_id: str
    policy: str
    decisions: pl.DataFrame
    differences: pl.DataFrame
    """Columns of `DIFFERENCES`; empty: the same to the byte."""
    allocated: bool
    """Whether an allocation belongs to the decision, which then was replayed as well."""

    @property
    def same(self) -> bool:
        """Whether all came out as it was recorded."""
        return self.differences.is_empty()


def replay(lake: Lake, decision_id: str, policy_of: Callable[[str, str], Policy]) -> Replayed:
    """Takes the decision again. `policy_of` gives an account's policy of that name.

    Writes nothing. Raises `InputError` for an unknown decision, and `StorageError` where the
    versions it read are no longer kept.
    """
    now = lake.snapshot()
    recorded = _rows(now, BUDGET_DECISIONS, decision_id)
    if recorded.is_empty():
        raise InputError(
            f"There is no decision {decision_id!r}.",
            'zyenta sql "select distinct decision_id, decided_at from budget_decisions" lists '
            "them.",
        )
    first = recorded.row(0, named=True)
    account_id = first["account_id"]
    if first["rules"] is None:
        raise InputError(
            f"The decision {decision_id} was taken before decisions kept the rules of their time.",
            "Replay a later one.",
        )
    rules = rules_from_json(first["rules"], policy_of(account_id, policy_name(first["rules"])))
    then = snapshot_at(lake, recorded_versions(recorded))
    again = decide(then, account_id, rules, run_id=first["run_id"], now=first["decided_at"])
    compared = [
        _differences(BUDGET_DECISIONS, recorded, again.decisions),
        _differences(DECISION_STOPS, _rows(now, DECISION_STOPS, decision_id), again.stops),
    ]
    allocation = _rows(now, BUDGET_ALLOCATION, decision_id)
    if allocation.height:
        fitted = allocate_budgets(again, then, allocation["run_id"][0])
        compared.append(_differences(BUDGET_ALLOCATION, allocation, fitted))
    return Replayed(
        decision_id, first["policy"], again.decisions, pl.concat(compared), bool(allocation.height)
    )


def _rows(snapshot: Snapshot, table: Table, decision_id: str) -> pl.DataFrame:
    mine = snapshot.scan(table).filter(pl.col("decision_id") == decision_id)
    return mine.sort(table.key).collect()


def _differences(table: Table, recorded: pl.DataFrame, replayed: pl.DataFrame) -> pl.DataFrame:
    """What is not the same of two frames of one table, as rows of `DIFFERENCES`."""
    key = [name for name in table.key if name != "decision_id"]
    found = [pl.DataFrame(schema=DIFFERENCES)]
    for frame, other, side in ((recorded, replayed, "recorded"), (replayed, recorded, "replayed")):
        alone = frame.join(other, on=key, how="anti")
        found.append(
            alone.select(
                table=pl.lit(table.name),
                row=pl.concat_str(key, separator=" "),
                column=pl.lit(""),
                recorded=pl.lit("there" if side == "recorded" else None, pl.String),
                replayed=pl.lit("there" if side == "replayed" else None, pl.String),
            )
        )
    both = recorded.join(replayed, on=key, suffix="_again").sort(key)
    for name in recorded.columns:
        if name in key:
            continue
        other_value = pl.col(f"{name}_again")
        found.append(
            both.filter(pl.col(name).ne_missing(other_value)).select(
                table=pl.lit(table.name),
                row=pl.concat_str(key, separator=" "),
                column=pl.lit(name),
                recorded=pl.col(name).cast(pl.String),
                replayed=other_value.cast(pl.String),
            )
        )
    return pl.concat(frame.cast(DIFFERENCES) for frame in found)
