"""What the assets that decide share: accounts one by one, so that one that cannot be done leaves
the others alone, and a check that says why."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import written
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.lake.lake import Lake, Scope, WriteResult
from zyenta_ads_pipeline.lake.schema import Table

_EVERY_ACCOUNT = "every_account"


def every_account_check(asset: str) -> list[dg.AssetCheckSpec]:
    """The check that `Done.result` answers."""
    return [
        dg.AssetCheckSpec(
            _EVERY_ACCOUNT,
            asset=asset,
            description="It was done for every account of the run; one that could not be leaves "
            "the others alone, and this check says why.",
        )
    ]


def of_decision(account: str, frame: pl.DataFrame) -> Scope | None:
    """Rows that belong to one decision of an account; None without any."""
    return Scope([account], key=("decision_id", frame["decision_id"][0])) if frame.height else None


def of_account(account: str, _frame: pl.DataFrame) -> Scope:
    """All rows of an account."""
    return Scope([account])


class Done:
    """What came of the accounts: their rows, written; and the errors of those without."""

    def __init__(
        self,
        accounts: Sequence[str],
        rows: pl.DataFrame,
        writes: Sequence[WriteResult],
        failures: dict[str, ZyentaError],
    ) -> None:
        self.accounts = [account for account in accounts if account not in failures]
        self.rows = rows
        self._writes = writes
        self._failures = failures

    def result(self, metadata: dict[str, Any]) -> dg.MaterializeResult:  # type: ignore[type-arg]
        """The run's result, with the check on every account."""
        whole = WriteResult(
            rows=self.rows.height,
            version=max((write.version for write in self._writes), default=0),
            changed=any(write.changed for write in self._writes),
        )
        check = dg.AssetCheckResult(
            check_name=_EVERY_ACCOUNT,
            passed=not self._failures,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={f"act_{account}": str(error) for account, error in self._failures.items()},
        )
        return dg.MaterializeResult(metadata=written(whole, metadata), check_results=[check])


def each_account(
    lake: Lake,
    table: Table,
    accounts: Sequence[str],
    make: Callable[[str], pl.DataFrame],
    *,
    run_id: str,
    scope: Callable[[str, pl.DataFrame], Scope | None] = of_decision,
) -> Done:
    """Make and write each account's rows in place of those of their `scope` before."""
    frames = [pl.DataFrame(schema=table.schema)]
    writes: list[WriteResult] = []
    failures: dict[str, ZyentaError] = {}
    for account in accounts:
        try:
            frame = make(account)
            replaced = scope(account, frame)
            if replaced is not None:
                writes.append(lake.write(table, frame, replaced, run_id=run_id))
                frames.append(frame.select(table.schema.names()))
        except ZyentaError as error:
            failures[account] = error
    return Done(accounts, pl.concat(frames), writes, failures)
