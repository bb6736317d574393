"""`raw_insights` with its history: what Meta restated or took back is kept beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from zyenta_ads_pipeline.lake.content import with_content_hash
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.rows import aligned, check_inside, check_keys
from zyenta_ads_pipeline.lake.schema import MOMENT
from zyenta_ads_pipeline.lake.tables import INSIGHT_RESTATEMENTS, RAW_INSIGHTS

_KEY = list(RAW_INSIGHTS.key)
_TOLD = ["content_hash", "observed_at", "run_id"]


@dataclass(frozen=True)
class Restated:
    """How the rows of a reading compare with those stored before: how many of each kind.

    `older` are left as they are stored, or gone, because that was seen later than the reading.
    """

    new: int
    changed: int
    removed: int
    unchanged: int
    older: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything was written."""
        return bool(self.new or self.changed or self.removed)


def store_versions(
    lake: Lake, frame: pl.DataFrame, scope: Scope, *, run_id: str, observed_at: datetime
) -> Restated:
    """Replace `raw_insights` in `scope` by `frame` and keep what it said before.

    `frame` has the columns of `raw_insights`; `content_hash` may be left out. `observed_at`
    (aware) is when Meta was seen not to have the rows any more that vanished; that of the newest
    row holds where there is one. Rows that say the same as before keep their `observed_at` and
    `run_id`; only days with a difference are written, and nothing at all without one. A row that
    was seen later than this reading stays, and stays away where it was seen to be gone later.

    What is replaced goes to `insight_restatements` first. A crash between the two commits loses
    nothing, and the next call repeats nothing, since a version is kept once. Of two processes
    that store the same account at once the second compares with what the first has stored.
    Raises `StorageError` as `Lake.write` does.
    """
    hashed = frame if "content_hash" in frame.columns else with_content_hash(frame)
    rows = aligned(hashed, RAW_INSIGHTS)
    check_keys(RAW_INSIGHTS, rows)
    check_inside(RAW_INSIGHTS, rows, scope.expression())
    newest = rows.select(pl.col("observed_at").max()).item()
    reading = _Reading(lake, rows, scope, run_id, newest or observed_at)
    lake.revise(RAW_INSIGHTS, scope, reading.compare, run_id=run_id)
    return reading.result


@dataclass
class _Reading:
    """One reading on its way into the lake; `compare` may be called more than once."""

    lake: Lake
    rows: pl.DataFrame
    scope: Scope
    run_id: str
    read_at: datetime
    result: Restated = field(init=False)

    def compare(self, stored: pl.LazyFrame) -> tuple[pl.DataFrame, Scope] | None:
        """What the days with a difference are to hold from now on; None without one."""
        before = stored.select(*_KEY, *_TOLD).collect()
        compared = self.rows.select(*_KEY, *_TOLD).join(
            before, on=_KEY, how="left", suffix="_before", maintain_order="left"
        )
        known = pl.col("content_hash_before").is_not_null()
        same = (known & (pl.col("content_hash") == pl.col("content_hash_before"))).fill_null(False)
        newer = (pl.col("observed_at_before") > pl.col("observed_at")).fill_null(False)
        changed = compared.filter(known & ~same & ~newer)
        outdated = compared.filter(known & ~same & newer).select(_KEY)
        unseen = compared.filter(~known).select(*_KEY, "observed_at")
        taken_back = self._gone_since(unseen)
        vanished = before.join(self.rows, on=_KEY, how="anti")
        seen_later = pl.col("observed_at") > self.read_at
        gone, staying = vanished.filter(~seen_later), vanished.filter(seen_later).select(_KEY)
        self.result = Restated(
            new=unseen.height - taken_back.height,
            changed=changed.height,
            removed=gone.height,
            unchanged=compared.select(same.sum()).item(),
            older=outdated.height + taken_back.height + staying.height,
        )
        if not self.result.differs:
            return None
        replaced = pl.concat(
            [
                changed.select(*_KEY, pl.col("observed_at").alias("replaced_at"), removed=False),
                gone.select(*_KEY, replaced_at=pl.lit(self.read_at, MOMENT), removed=True),
            ]
        )
        self._keep(stored, replaced)
        told = self.rows.with_columns(
            compared.select(
                pl.when(same).then(f"{name}_before").otherwise(name).alias(name)
                for name in ("observed_at", "run_id")
            )
        )
        if self.result.older:  # as a rule none: spare the copies
            told = told.join(pl.concat([outdated, taken_back]), on=_KEY, how="anti")
            kept = stored.collect().join(pl.concat([outdated, staying]), on=_KEY, how="semi")
            told = pl.concat([told, kept])
        new = unseen.join(taken_back, on=_KEY, how="anti")
        days = {*new["date"], *changed["date"], *gone["date"]}
        if not days.issuperset(told["date"].unique()):
            told = told.filter(pl.col("date").is_in(list(days)))
        return told, Scope(self.scope.accounts, days, self.scope.key)

    def _gone_since(self, unseen: pl.DataFrame) -> pl.DataFrame:
        """The keys of rows that a later reading found to be gone."""
        if unseen.is_empty():
            return unseen.select(_KEY)
        near = Scope(self.scope.accounts, unseen["date"].unique().to_list(), self.scope.key)
        ended = self.lake.stored(
            INSIGHT_RESTATEMENTS,
            near.predicate(),
            near.expression() & pl.col("removed"),
            [*_KEY, "replaced_at"],
        )
        last = ended.group_by(_KEY).agg(pl.col("replaced_at").max())
        return (
            unseen.join(last, on=_KEY)
            .filter(pl.col("replaced_at") > pl.col("observed_at"))
            .select(_KEY)
        )

    def _keep(self, stored: pl.LazyFrame, replaced: pl.DataFrame) -> None:
        """Append the stored versions of the rows in `replaced` to the history."""
        if replaced.is_empty():
            return
        near = stored.filter(pl.col("date").is_in(replaced["date"].unique().to_list())).collect()
        history = near.join(replaced, on=_KEY, how="inner")
        self.lake.append(INSIGHT_RESTATEMENTS, history, run_id=self.run_id)
