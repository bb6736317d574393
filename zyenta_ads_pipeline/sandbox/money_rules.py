"""Rules of budgets and bids on creates: on which level, how much, and with which bid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.sandbox.asked import Asked, known_keys
from zyenta_ads_pipeline.sandbox.budgets import minimum_budget_row, minimum_daily_budget
from zyenta_ads_pipeline.sandbox.objects import Thing
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

AUTOMATIC = "LOWEST_COST_WITHOUT_CAP"
CAPPED = frozenset({"LOWEST_COST_WITH_BID_CAP", "COST_CAP"})
ROAS = "LOWEST_COST_WITH_MIN_ROAS"
STRATEGIES = ("COST_CAP", "LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", ROAS)
NO_SPEND_CAP = 922337203685478
_LEAST_SPEND_CAP = 100
"""In units of the least daily budget, which is about a dollar."""


@dataclass(frozen=True)
class Budget:
    """A budget in whole minor units; at most one of the two is set."""

    daily: int | None
    lifetime: int | None

    @property
    def held(self) -> bool:
        """Whether there is any."""
        return self.daily is not None or self.lifetime is not None


def read_budget(asked: Asked) -> Budget:
    """The budget of a create. Both kinds at once are refused; an amount of 0 is none."""
    budget = Budget(asked.whole("daily_budget") or None, asked.whole("lifetime_budget") or None)
    if budget.daily is not None and budget.lifetime is not None:
        raise refused(1885621, blame="lifetime_budget", because="Give one kind of budget.")
    return budget


def check_amount(
    budget: Budget, currency: str, billing: str, start: datetime, end: datetime | None
) -> None:
    """Refuse a budget below the minimum of what is billed; a lifetime one counts by its days."""
    row = minimum_budget_row(currency)
    key = {"IMPRESSIONS": "imp", "THRUPLAY": "video_views"}.get(billing, "high_freq")
    least = int(row[f"min_daily_budget_{key}"])
    if budget.daily is not None and budget.daily < least:
        raise _too_low("daily_budget", least, currency)
    if budget.lifetime is not None:
        days = 1 if end is None else max(1, -((start - end) // timedelta(days=1)))
        if budget.lifetime < least * days:
            raise _too_low("lifetime_budget", least * days, currency)


def check_campaign_budget(budget: Budget, currency: str) -> None:
    """Refuse a campaign's budget below the minimum of one day."""
    least = minimum_daily_budget(currency)
    for name, amount in (("daily_budget", budget.daily), ("lifetime_budget", budget.lifetime)):
        if amount is not None and amount < least:
            raise _too_low(name, least, currency)


def read_spend_cap(asked: Asked, currency: str) -> str | None:
    """A campaign's `spend_cap` as it reads back; the largest number takes it away."""
    cap = asked.whole("spend_cap")
    if cap is None or cap == NO_SPEND_CAP:
        return None
    least = _LEAST_SPEND_CAP * minimum_daily_budget(currency)
    if cap < least:
        because = f"It must be at least {show(to_major(least, currency), currency)}."
        raise refused(2446307, blame="spend_cap", because=because)
    return str(cap)


def campaign_strategy(asked: Asked, budget: Budget) -> str | None:
    """The bid strategy of a campaign that holds its budget; None for another."""
    strategy = asked.choice("bid_strategy", STRATEGIES)
    if not budget.held:
        if strategy is not None:
            raise refused(1885737, blame="bid_strategy")
        return None
    return strategy or AUTOMATIC


def check_adset_level(asked: Asked, budget: Budget, campaign: Thing) -> None:
    """Refuse a budget or a bid strategy on another level than the one that holds the budget."""
    if campaign.daily_budget is not None or campaign.lifetime_budget is not None:
        if budget.held:
            name = "daily_budget" if budget.daily is not None else "lifetime_budget"
            raise refused(1885621, blame=name, because="The campaign holds the budget.")
        if "bid_strategy" in asked:
            because = "The campaign holds the budget and its bid strategy."
            raise refused(1885737, blame="bid_strategy", because=because)
    elif not budget.held:
        because = "The campaign holds none, so the ad set must have one."
        raise refused(1885621, blame="daily_budget", because=because)


def read_bid(asked: Asked, campaign: Thing, goal: str) -> dict[str, Any]:
    """The bid of an ad set as it reads back; its strategy only where it holds its budget."""
    above = campaign.attributes.get("bid_strategy")
    held_above = campaign.daily_budget is not None or campaign.lifetime_budget is not None
    own = asked.choice("bid_strategy", STRATEGIES) or AUTOMATIC
    strategy = (above or AUTOMATIC) if held_above else own
    amount = asked.whole("bid_amount", least=1)
    constraints = asked.object("bid_constraints")
    if strategy in CAPPED and amount is None:
        raise refused(1815857 if held_above else 2490487, blame="bid_amount")
    if strategy not in CAPPED and amount is not None:
        raise refused(1885204, blame="bid_amount", because=f"The strategy is {strategy}.")
    if strategy == ROAS:
        _check_roas(constraints, goal)
    elif constraints is not None:
        raise wrong("bid_constraints", f"bid_constraints go with {ROAS} alone")
    found: dict[str, Any] = {} if held_above else {"bid_strategy": strategy}
    if amount is not None:
        found["bid_amount"] = amount
    if constraints is not None:
        found["bid_constraints"] = constraints
    return found


def check_bid_against_budget(
    budget: Budget, bid: dict[str, Any], billing: str, currency: str
) -> None:
    """Refuse a daily budget that is smaller than the bid, or than five where clicks are billed."""
    if budget.daily is None or bid.get("bid_strategy") != "LOWEST_COST_WITH_BID_CAP":
        return
    least = bid["bid_amount"] * (1 if billing == "IMPRESSIONS" else 5)
    if budget.daily < least:
        raise _too_low("daily_budget", least, currency)


def spend_targets(asked: Asked, budget: Budget) -> dict[str, str]:
    """The spend limits of an ad set whose campaign holds the budget, as they read back."""
    names = ("daily_min_spend_target", "daily_spend_cap", "lifetime_min_spend_target",
             "lifetime_spend_cap")  # fmt: skip
    found = {name: str(amount) for name in names if (amount := asked.whole(name)) is not None}
    if found and budget.held:
        name = next(iter(found))
        raise refused(1885621, blame=name, because=f"{name} needs a budget on the campaign.")
    return found


def _check_roas(constraints: dict[str, Any] | None, goal: str) -> None:
    if constraints is None or "roas_average_floor" not in constraints:
        raise refused(2490487, blame="bid_constraints", because="Give roas_average_floor.")
    known_keys(constraints, ("roas_average_floor",), "bid_constraints")
    floor = constraints["roas_average_floor"]
    if isinstance(floor, bool) or not isinstance(floor, int) or floor < 100:
        raise wrong("bid_constraints", "roas_average_floor must be an integer of 100 or more")
    if goal != "VALUE":
        raise refused(2490408, blame="optimization_goal", because=f"{ROAS} needs the goal VALUE.")


def _too_low(name: str, least: int, currency: str) -> Exception:
    words = f"It must be at least {show(to_major(least, currency), currency)}."
    return refused(1885272, blame=name, because=words)
