"""Allocation: the campaigns' budgets as a whole, in whole minor units of one currency.

Totals, the account's and those of its groups, are shared by what the next unit of money returns in
each campaign, or by weight where a policy does not tell that, under floors, caps, steps, locks and
holds, and kept to the minor unit. Without a total, each decision passes through under the same
limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Goal
from zyenta_ads_pipeline.optimizer.allocation_cases import (
    CODES,
    GAVE_WAY,
    GRAVEST_FIRST,
    LIMITS,
    AllocationCase,
    Limit,
    RowAction,
)
from zyenta_ads_pipeline.optimizer.allocation_notes import Words, message_of
from zyenta_ads_pipeline.optimizer.bounds import Bounds, bounds_of, check_limits
from zyenta_ads_pipeline.optimizer.distribution import Contest, Shared, contest_of, distribute
from zyenta_ads_pipeline.optimizer.goals import affordable_total, least_log_price
from zyenta_ads_pipeline.optimizer.passing import pass_through
from zyenta_ads_pipeline.optimizer.price import LARGEST, Whole

ALLOCATION: Mapping[str, Any] = MappingProxyType(
    {
        "campaign_id": pl.String,
        "current_minor": pl.Int64,
        "budget_minor": pl.Int64,
        "action": pl.String,
        "limit": pl.String,
        "note": pl.String,
        "group": pl.String,
        "confidence": pl.Float64,
        "probability_up": pl.Float64,
    }
)
"""One row per campaign, in the order of ids. `budget_minor` is what it gets a day, 0 for a pause
and for what takes no part; `action` one of `RowAction`, `limit` one of `Limit`; `note` says in
words what bound it. `group` is the group whose own total it shares, null for the account's.
`confidence` is the probability that the move is right, or the decision's own where nothing moves.
"""


@dataclass(frozen=True)
class Pool:
    """One total and what came of it, in minor units. `group` is None for the account's own;
    `total` None where there is none; `price` is what the last unit of money returns in every
    campaign that no limit holds, None where nothing was priced. `needs_person` is whether something
    that a person set had to give way."""

    group: str | None
    total: int | None
    distributed: int
    case: AllocationCase
    message: str
    price: float | None = None
    needs_person: bool = False


@dataclass(frozen=True)
class Allocation:
    """The whole. `rows` has the columns of `ALLOCATION`.

    `distributed` is the sum of the rows' budgets, never above `total` but where a person locked
    more than that; both in minor units. `total` is None where some campaigns have none. `case`
    is the gravest of all pools; `price` the account's own, or where all are in groups the last's.
    """

    rows: pl.DataFrame
    pools: tuple[Pool, ...]
    total: int | None
    distributed: int
    case: AllocationCase
    message: str
    price: float | None

    @property
    def undistributed(self) -> int:
        """What is left of the total, in minor units; 0 without a total."""
        return 0 if self.total is None else max(self.total - self.distributed, 0)

    @property
    def needs_person(self) -> bool:
        """Whether a limit that somebody set had to give way, so that a person should look
        before anything of it is written, even on autopilot.
        """
        return any(pool.needs_person for pool in self.pools)


def allocate(
    account: AccountHistory,
    decisions: pl.DataFrame,
    *,
    shares_total: bool,
    holds: pl.DataFrame | None = None,
) -> Allocation:
    """Budgets for all campaigns of an account, the same for any order of rows.

    `decisions` are checked ones (`deciding.decided`), one per campaign. With `shares_total` and no
    total set, the sum of today's budgets of those that take part is the total. Without both, each
    decision stands by itself. `holds` (campaign_id, hold) are those whose budget stays as it is for
    now, and why; what they have counts in the total.

    Raises `InputError` for limits that contradict themselves, and decisions or holds on other
    campaigns than the account's.
    """
    check_limits(account.limits)
    table = _table(account, decisions, holds)
    return _Allocating(account, table, shares_total=shares_total).whole()


class _Allocating:
    """One allocation on its way: pool by pool, then all rows together."""

    def __init__(self, account: AccountHistory, table: pl.DataFrame, *, shares_total: bool) -> None:
        self.account = account
        self.table = table
        self.shares_total = shares_total
        self.words = Words(account)
        size = table.height
        self.budgets: Whole = np.zeros(size, dtype=np.int64)
        self.actions = np.full(size, RowAction.LEAVE.value, dtype=object)
        self.limits = np.zeros(size, dtype=np.int8)
        self.notes = np.full(size, "", dtype=object)

    def whole(self) -> Allocation:
        """The allocation."""
        taking_part = self._aside()
        pools = [
            self._pool(group, places, total) for group, places, total in self._pools(taking_part)
        ]
        total = None
        if all(pool.total is not None for pool in pools):
            total = sum(pool.total or 0 for pool in pools)
            if self.account.limits.total_minor is not None:
                total = self.account.limits.total_minor
        gravest = min(pools, key=lambda pool: GRAVEST_FIRST.index(pool.case))
        return Allocation(
            rows=self._rows(),
            pools=tuple(pools),
            total=total,
            distributed=int(self.budgets.sum()),
            case=gravest.case,
            message=" ".join(pool.message for pool in pools),
            price=pools[-1].price,
        )

    def _aside(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Settle those that take no part, and say which do."""
        table = self.table
        active = table["active"].fill_null(value=False).to_numpy()
        pinned = table["pinned"].to_numpy()
        pause = (table["decision"] == BudgetAction.PAUSE.value).to_numpy() & ~pinned
        none_to_set = table["current_minor"].is_null().to_numpy()
        for which, action, limit in (
            (none_to_set, RowAction.LEAVE, Limit.NO_DAILY_BUDGET),
            (pause, RowAction.PAUSE, Limit.PAUSED),
            (~active, RowAction.LEAVE, Limit.NOT_ACTIVE),
        ):
            self.actions[which] = action.value
            self.limits[which] = CODES[limit]
            self.notes[which] = self.words.aside(limit)
        taking_part: np.ndarray[tuple[int], np.dtype[np.bool_]] = active & ~pause & ~none_to_set
        return taking_part

    def _pools(
        self, taking_part: np.ndarray[tuple[int], np.dtype[np.bool_]]
    ) -> Iterator[tuple[str | None, np.ndarray[tuple[int], np.dtype[np.intp]], int | None]]:
        """Each group that has a total and campaigns, then the account's own: which rows, and what
        they share (None: nothing).

        A group's total is part of the account's. One that nobody takes part in keeps nothing.
        """
        limits = self.account.limits
        groups = self.table["group"].to_list()
        own = np.array([group not in limits.group_totals for group in groups], dtype=np.bool_)
        left = limits.total_minor
        grouped = False
        for name in sorted(limits.group_totals):
            mine = np.flatnonzero(
                taking_part & np.array([group == name for group in groups], dtype=np.bool_)
            )
            if not mine.size:
                continue
            total = limits.group_totals[name]
            if left is not None and total > left:
                raise InputError(
                    f"The totals of the groups come to more than the account's total of "
                    f"{self.words.show(limits.total_minor or 0)}.",
                    "Lower the groups' totals or raise the account's.",
                )
            left = None if left is None else left - total
            grouped = True
            yield name, mine, total
        rest = np.flatnonzero(taking_part & own)
        if left is None and self.shares_total:
            left = int(self.table["current_minor"].fill_null(0).to_numpy()[rest].sum())
        if rest.size or not grouped:
            yield None, rest, left

    def _pool(
        self,
        group: str | None,
        places: np.ndarray[tuple[int], np.dtype[np.intp]],
        total: int | None,
    ) -> Pool:
        part = self.table[places]
        if not places.size:
            case = AllocationCase.NO_CAMPAIGNS
            return Pool(group, total, 0, case, self.words.nobody(total))
        if total is None:
            return self._passed_through(part, places)
        ceiling = np.full(places.size, total, dtype=np.int64)
        from_today = group is None and self.account.limits.total_minor is None
        bounds = bounds_of(
            part,
            self.account,
            ceiling,
            part["pinned"].to_numpy(),
            lifts_to_floor=not from_today,
        )
        contest = _contest(part, self.account.offset, bounds.current)
        shared = self._distributed(part, bounds, contest, total)
        self.budgets[places] = shared.amounts
        self.limits[places] = shared.limits
        unfunded = shared.limits == CODES[Limit.UNFUNDED]
        kept = shared.amounts == bounds.current
        self.actions[places] = np.where(
            unfunded,
            RowAction.PAUSE.value,
            np.where(kept, RowAction.KEEP.value, RowAction.SET.value),
        )
        self.notes[places] = self.words.notes(part, bounds, contest, shared)
        price = None if shared.log_price is None else math.exp(shared.log_price)
        message = message_of(
            self.words, group, bounds, contest, shared, total, from_today=from_today
        )
        # Caution gives way to the total by itself. A stop of all changes does not.
        stopped = bool(self.account.limits.no_changes)
        broken = shared.case in GAVE_WAY or (
            stopped and shared.case is AllocationCase.HOLDS_EXCEED_TOTAL
        )
        distributed = int(shared.amounts.sum())
        return Pool(group, total, distributed, shared.case, message, price, broken)

    def _distributed(
        self, part: pl.DataFrame, bounds: Bounds, contest: Contest, total: int
    ) -> Shared:
        """What the account's goal makes of the total."""
        limits = self.account.limits
        band = float(limits.dead_band)
        if limits.max_step is not None:
            # A band as wide as the step would let nobody move at all.
            band = min(band, float(limits.max_step) / 2)
        price_floor = least_log_price(limits) if contest.by_price else None
        spendable = total
        if limits.goal in (Goal.TARGET_ROAS, Goal.TARGET_CPA):
            spendable = affordable_total(
                self.account, part["campaign_id"].to_list(), bounds, contest, total
            )
        shared = distribute(bounds, contest, spendable, price_floor=price_floor, dead_band=band)
        if spendable < total and shared.case is AllocationCase.EXACT:
            shared = shared._replace(
                case=AllocationCase.GOAL_BELOW_TOTAL, beyond=total - int(shared.amounts.sum())
            )
        return shared

    def _passed_through(
        self, part: pl.DataFrame, places: np.ndarray[tuple[int], np.dtype[np.intp]]
    ) -> Pool:
        ceiling = np.full(places.size, LARGEST, dtype=np.int64)
        bounds = bounds_of(part, self.account, ceiling, part["pinned"].to_numpy())
        for place, row, passed in zip(
            places, part.iter_rows(named=True), pass_through(part, bounds, self.words), strict=True
        ):
            self.budgets[place] = passed.amount
            self.limits[place] = CODES[passed.limit]
            self.notes[place] = passed.note
            same = passed.amount == row["current_minor"]
            self.actions[place] = (RowAction.KEEP if same else RowAction.SET).value
        case = AllocationCase.PASS_THROUGH
        distributed = int(self.budgets[places].sum())
        return Pool(None, None, distributed, case, self.words.passed())

    def _rows(self) -> pl.DataFrame:
        """All rows, with the probability that each move is right."""
        moved = pl.col("action").is_in([RowAction.SET.value, RowAction.PAUSE.value])
        rise = pl.col("probability_up")
        raised = pl.col("budget_minor") > pl.col("current_minor")
        known = moved & rise.is_not_null()
        names = np.array([limit.value for limit in LIMITS], dtype=object)
        totals = list(self.account.limits.group_totals)
        return (
            self.table.with_columns(
                budget_minor=pl.Series(self.budgets),
                action=pl.Series(self.actions.tolist(), dtype=pl.String),
                limit=pl.Series(names[self.limits].tolist(), dtype=pl.String),
                note=pl.Series(self.notes.tolist(), dtype=pl.String),
                group=pl.when(pl.col("group").is_in(totals)).then("group"),
            )
            .with_columns(
                confidence=pl.when(known & raised)
                .then(rise)
                .when(known & (pl.col("limit") != Limit.PAUSED.value))
                .then(1 - rise)
                .otherwise("confidence")
            )
            .select(pl.col(name).cast(kind) for name, kind in ALLOCATION.items())
        )


def _table(
    account: AccountHistory, decisions: pl.DataFrame, holds: pl.DataFrame | None
) -> pl.DataFrame:
    """Campaigns with what was decided on them and what holds them, in the order of ids."""
    decided = decisions.sort("campaign_id")
    if not decided["campaign_id"].equals(account.campaigns["campaign_id"]):
        raise InputError(
            f"The decisions are not on the campaigns of act_{account.account_id}.",
            "Decide on each of its campaigns once.",
        )
    held = pl.DataFrame(schema={"campaign_id": pl.String, "hold": pl.String})
    if holds is not None:
        held = holds.select(pl.col("campaign_id", "hold").cast(pl.String))
    if held["campaign_id"].is_duplicated().any():
        raise InputError("A campaign is held twice.", "Give each hold once, with its reason.")
    if not held["campaign_id"].is_in(account.campaigns["campaign_id"].implode()).all():
        raise InputError("A hold is on no campaign of the account.", "Hold its campaigns only.")
    return (
        account.campaigns.with_columns(
            decided["action"].alias("decision"),
            *(decided[name] for name in _DECIDED),
        )
        .join(held, on="campaign_id", how="left", maintain_order="left")
        .with_columns(pinned=pl.col("locked").fill_null(value=False) | pl.col("hold").is_not_null())
    )


_DECIDED = ("new_budget", "confidence", "probability_up", "log_marginal", "curvature")


def _contest(part: pl.DataFrame, offset: int, current: Whole) -> Contest:
    """How the campaigns of a pool compete."""
    wanted = (part["new_budget"].cast(pl.Float64) * offset).to_numpy()
    weight = np.where(np.isnan(wanted), current, wanted)
    log_marginal = part["log_marginal"].fill_null(math.nan).to_numpy()
    curvature = part["curvature"].fill_null(1.0).to_numpy()
    return contest_of(current, weight, log_marginal, curvature)
