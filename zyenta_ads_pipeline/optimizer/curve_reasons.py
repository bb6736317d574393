"""What `response_curve` says of a decision: its numbers, in a sentence a buyer can check."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Why(StrEnum):
    """What led to a decision."""

    MORE = "more"
    LESS = "less"
    PAUSE = "pause"
    NEAR = "near its best"
    UNSURE = "not enough evidence"
    BOUND = "bound"
    OUTAGE = "outage"
    INACTIVE = "inactive"
    NO_BUDGET = "no budget"
    NO_CURVES = "no curves"


class Facts(NamedTuple):
    """One campaign's numbers. `marginal`, `price`, `average` and `least` are returns per unit of
    money; `costs` says that they are conversions, shown as the cost of one."""

    marginal: float
    spread: float
    """Relative standard deviation of `marginal`."""
    price: float
    probability: float
    """That more budget is right."""
    elasticity: float
    elasticity_spread: float
    days: int
    """The window of the following three."""
    spend_told: float
    """Spend times the share that is reported: what the reported sales are to be divided by."""
    spend: float
    conversions: float
    earned: float
    least: float
    """What a unit of money must return; 0 where nothing was set."""
    costs: bool


_PLAIN: Mapping[Why, str] = MappingProxyType(
    {
        Why.INACTIVE: "Campaign is not active - leaving its budget alone",
        Why.NO_BUDGET: "Campaign has no daily budget to change - leaving it alone",
        Why.NO_CURVES: "The account has not delivered yet: nothing is known of its returns",
    }
)


def plain_reason(why: Why) -> str:
    """The reason of a decision that needs no numbers; `KeyError` for one that does."""
    return _PLAIN[why]


def reason(why: Why, facts: Facts) -> str:
    """The reason of a decision on a campaign with a curve: two sentences."""
    return f"{_verdict(why, facts)}. {_basis(facts)}."


def _verdict(why: Why, facts: Facts) -> str:
    if why is Why.OUTAGE:
        return "Clicks but no conversions of late: tracking looks broken, so nothing is taken away"
    if why is Why.PAUSE:
        needed = "costs more than" if facts.costs else "returns less than"
        return (
            f"Even on its smallest budget it {needed} the {_amount(facts, facts.least)} asked for"
        )
    costs = facts.costs
    following = "conversion costs" if costs else "unit of budget returns"
    price = f"the account's {_amount(facts, facts.price)}"
    if why is Why.MORE:
        against = f"{'below' if costs else 'above'} {price}: {_sure('more', facts.probability)}"
    elif why is Why.LESS:
        against = f"{'above' if costs else 'below'} {price}: {_sure('less', 1 - facts.probability)}"
    else:
        against = price + _STAYS[why]
    return (
        f"The next {following} {_amount(facts, facts.marginal)} (± {facts.spread:.0%}), {against}"
    )


_STAYS: Mapping[Why, str] = MappingProxyType(
    {
        Why.NEAR: ": its budget is near its best",
        Why.UNSURE: ": not enough evidence to move it",
        Why.BOUND: ", but its bounds leave no room to move that way",
    }
)


def _sure(what: str, probability: float) -> str:
    return f"{what} is right with a probability of {min(probability, 0.99):.0%}"


def _amount(facts: Facts, returns: float) -> str:
    if not facts.costs:
        return f"{returns:.2f}"
    return f"{1 / returns:,.2f}" if returns > 0 else "no end"


def _basis(facts: Facts) -> str:
    """What the numbers rest on."""
    curve = f"elasticity {facts.elasticity:.2f} ± {facts.elasticity_spread:.2f}"
    if facts.spend_told <= 0:
        return f"It spent nothing in the last {facts.days} days; {curve}"
    average = _amount(facts, facts.earned / facts.spend_told)
    did = f"a conversion cost {average}" if facts.costs else f"a unit returned {average}"
    return (
        f"In the last {facts.days} days {did} on average ({facts.conversions:,.0f} conversions, "
        f"{facts.spend_told / facts.spend:.0%} of them reported yet, allowed for); {curve}"
    )
