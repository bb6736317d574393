"""A campaign's budget over its ad sets: by price where that is known, and not at all where it may
not be."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.campaigns.budget_lake import rules
from zyenta_ads_pipeline.campaigns.ad_set_shares import shared
from zyenta_ads_pipeline.optimizer.account import DAYS
from zyenta_ads_pipeline.optimizer.curves import Curves
from zyenta_ads_pipeline.optimizer.fitting import fit_curves

LAST = date(2026, 11, 18)
CURRENT = {"1": 5000, "2": 5000}
BOUNDS = rules(max_step=Decimal("0.20"))
PRICED = {"log_marginal": 0.3}
KEPT = {"currency": "USD", "action": "keep", "hold": None, "limit": "none"}


def _days(own: str, level: float) -> pl.DataFrame:
    """Fifty days at a spend around 50."""
    rng = np.random.default_rng(int(own))
    spend = rng.uniform(35, 65, 50).round(2)
    sold = rng.poisson(level * (spend / 50) ** 0.6)
    return pl.DataFrame(
        {
            "campaign_id": [own] * 50,
            "date": [LAST - timedelta(days=n) for n in range(50)],
            "impressions": [1000] * 50,
            "clicks": [40] * 50,
            "spend": spend,
            "conversions": sold,
            "revenue": sold * 40.0,
            "maturity": [1.0] * 50,
            "budget_minor": [5000] * 50,
        },
        schema_overrides={name: kind for name, kind in DAYS.items() if name != "spend"},
    ).cast(pl.Schema(DAYS))


@pytest.fixture(scope="module")
def curves() -> Curves:
    """Ad set 1 sells five times as much as ad set 2."""
    return fit_curves(pl.concat([_days("1", 10), _days("2", 2)]), LAST)


def _minor(
    curves: Curves | None,
    *,
    target: int = 10000,
    share: dict[str, Any] | None = None,
    decision: dict[str, Any] | None = None,
) -> dict[str, int]:
    found = shared(
        target,
        CURRENT,
        100,
        curves,
        decision=PRICED | (decision or {}),
        share=KEPT | (share or {}),
        bounds=BOUNDS,
    )
    return dict(found.minor)


def test_the_better_ad_set_gets_more_of_a_budget_that_stays(curves: Curves) -> None:
    assert _minor(curves) == {"1": 6000, "2": 4000}, "a step each, the sum kept"
    found = shared(10000, CURRENT, 100, curves, decision=PRICED, share=KEPT, bounds=BOUNDS)
    assert found.confidence is not None
    assert found.confidence > 0.95
    assert found.marginal["1"] > 2 * found.marginal["2"]


def test_a_raise_goes_where_it_returns_more(curves: Curves) -> None:
    assert _minor(curves, target=10500, share={"action": "set"}) == {"1": 6000, "2": 4500}


@pytest.mark.parametrize(
    "share", [{"hold": "locked"}, {"limit": "locked"}, {"limit": "held"}, {"action": "pause"}]
)
def test_what_has_to_stay_stays_in_its_parts(curves: Curves, share: dict[str, Any]) -> None:
    assert _minor(curves, share=share) == CURRENT


@pytest.mark.parametrize("decision", [{"log_marginal": None}])
def test_a_policy_of_another_kind_keeps_todays_shares(
    curves: Curves, decision: dict[str, Any]
) -> None:
    assert _minor(curves, decision=decision) == CURRENT
    raised = _minor(curves, target=12000, share={"action": "set"}, decision=decision)
    assert raised == {"1": 6000, "2": 6000}


def test_without_curves_todays_shares_are_kept() -> None:
    assert _minor(None, target=12000, share={"action": "set"}) == {"1": 6000, "2": 6000}


def test_equal_ad_sets_are_not_moved_by_chance() -> None:
    alike = fit_curves(pl.concat([_days("1", 2), _days("2", 2)]), LAST)
    assert _minor(alike) == CURRENT
