"""Holds: each ground on both sides of its boundary, and the words it is told in."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.optimizer.some_account import DAY, account, campaign, ran
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Caution
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS
from zyenta_ads_pipeline.optimizer.holds import HOLDS, holds

TODAY = DAY + timedelta(days=1)


def decision(
    action: str, campaign_id: str = "11", confidence: float = 0.75, **more: Any
) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "campaign_id": campaign_id,
        "action": action,
        "new_budget": None if action == "maintain" else Decimal(0 if action == "pause" else 105),
        "reason": "so it is",
        "confidence": confidence,
        "probability_up": None,
        "log_marginal": None,
        "curvature": None,
    }
    return plain | more


def held(history: AccountHistory, *decisions: dict[str, Any]) -> dict[str, str]:
    """The holds by campaign."""
    found = holds(history, pl.DataFrame(list(decisions), schema=dict(DECISIONS)))
    assert dict(found.schema) == dict(HOLDS)
    return dict(found.iter_rows())


def test_nothing_is_held_without_a_ground() -> None:
    history = account([campaign()], ran())
    for action in ("increase", "decrease", "maintain", "pause"):
        assert held(history, decision(action)) == {}
    assert held(account([])) == {}


def test_what_is_off_is_not_held() -> None:
    history = account([campaign(active=False, locked=True)], ran())
    assert held(history, decision("increase")) == {}


def test_a_locked_budget() -> None:
    history = account([campaign(locked=True)], ran())
    assert held(history, decision("maintain")) == {"11": "A person locked its budget"}


@pytest.mark.parametrize(
    ("days_ago", "cooldown", "stays"), [(0, 1, True), (1, 1, False), (1, 2, True), (2, 2, False)]
)
def test_a_changed_budget_stays_for_its_cool_down(
    days_ago: int, cooldown: int, *, stays: bool
) -> None:
    changed = campaign(last_change_day=TODAY - timedelta(days=days_ago), last_change=0.1)
    history = account([changed], ran(), caution=Caution(cooldown_days=cooldown))
    assert bool(held(history, decision("increase"))) is stays
    if stays and cooldown == 2:
        assert held(history, decision("maintain")) == {
            "11": "Its budget was changed on 2026-11-20 and stays for 2 days"
        }


@pytest.mark.parametrize(
    ("change", "action", "days_ago", "confidence", "waits"),
    [
        (0.1, "decrease", 1, 0.79, True),
        (0.1, "decrease", 3, 0.79, True),
        (0.1, "decrease", 4, 0.79, False),
        (0.1, "decrease", 1, 0.80, False),
        (0.1, "pause", 1, 0.5, True),
        (0.1, "increase", 1, 0.5, False),
        (-0.1, "increase", 1, 0.79, True),
        (-0.1, "decrease", 1, 0.5, False),
        (0.1, "maintain", 1, 0.5, False),
        (0.03, "decrease", 1, 0.5, True),
        (0.0299, "decrease", 1, 0.5, False),  # within the dead band: no move to take back
        (None, "decrease", 1, 0.5, False),
    ],
)
def test_a_move_is_not_taken_back_at_once_unless_it_is_sure(
    change: float | None, action: str, days_ago: int, confidence: float, *, waits: bool
) -> None:
    changed = campaign(last_change_day=TODAY - timedelta(days=days_ago), last_change=change)
    found = held(account([changed], ran()), decision(action, confidence=confidence))
    assert bool(found) is waits


def test_the_words_of_a_reversal() -> None:
    raised = campaign(last_change_day=DAY, last_change=0.123)
    assert held(account([raised], ran()), decision("decrease", confidence=0.72)) == {
        "11": "It was raised by 12 % on 2026-11-20, and cutting it within 3 days of that takes a "
        "confidence of 80 %; this has 72 %"
    }


def test_a_campaign_without_numbers_of_the_last_day() -> None:
    gone = ran(until=1)
    assert held(account([campaign()], gone), decision("maintain")) == {
        "11": "It delivered the day before and has no numbers of 2026-11-20"
    }
    # After a second day it is no gap in the data: it does not deliver.
    assert held(account([campaign()], ran(until=2)), decision("maintain")) == {}


def test_nothing_is_taken_from_a_campaign_whose_tracking_was_silent() -> None:
    silent = ran(days=3, conversions="0", revenue="0")
    history = account(
        [campaign("11"), campaign("12")], [*ran(days=20, until=3), *silent, *ran("12", days=23)]
    )
    for action in ("decrease", "pause"):
        (told,) = held(history, decision(action), decision(action, "12")).values()
        assert told.startswith("Since 2026-11-18 it had days with clicks but no conversion")
    assert held(history, decision("increase"), decision("increase", "12")) == {}


def test_a_curve_forgets_a_silence_sooner_than_a_window() -> None:
    silent = ran(days=3, until=3, conversions="0", revenue="0")
    days = [*ran(days=20, until=6), *silent, *ran(days=3), *ran("12", days=26)]
    history = account([campaign("11"), campaign("12")], days)
    assert "11" in held(history, decision("decrease"), decision("maintain", "12"))
    by_curve = decision("decrease", log_marginal=0.1, curvature=0.5)
    assert held(history, by_curve, decision("maintain", "12")) == {}


def test_a_pause_needs_days_with_spend() -> None:
    assert held(account([campaign()], ran(days=3)), decision("pause")) == {}
    assert held(account([campaign()], ran(days=2)), decision("pause")) == {
        "11": "It has spent on 2 days, and a pause needs 3"
    }


def test_of_what_never_spent_nothing_is_known() -> None:
    told = {"11": "It has not spent anything yet, so nothing is known of it"}
    assert held(account([campaign()]), decision("increase")) == told
    assert held(account([campaign()]), decision("maintain")) == {}


def test_what_spends_beyond_its_budget_is_not_raised() -> None:
    within = account([campaign()], ran(spend="220"))
    assert held(within, decision("increase")) == {}
    beyond = account([campaign()], ran(spend="221"))
    assert "more than Meta's pacing allows" in held(beyond, decision("increase"))["11"]
    assert held(beyond, decision("decrease")) == {}
    # The budget was cut on that day: the larger one counts.
    cut = account([campaign()], [*ran(days=1, spend="221"), *ran(until=1, budget_minor=20_000)])
    assert held(cut, decision("increase")) == {}


def test_a_stop_holds_all_or_the_raises() -> None:
    everything = account([campaign("1"), campaign("2")], ran("1"), no_changes="Too old")
    both = (decision("maintain", "1"), decision("decrease", "2"))
    assert held(everything, *both) == {"1": "Too old", "2": "Too old"}
    raises = account([campaign("1"), campaign("2")], [*ran("1"), *ran("2")], no_raises="Week spent")
    assert held(raises, decision("increase", "1"), decision("decrease", "2")) == {"1": "Week spent"}


@given(
    changes=st.lists(
        st.tuples(st.sampled_from([None, -0.2, 0.2]), st.sampled_from(["increase", "decrease"])),
        min_size=1,
        max_size=6,
    ),
    shuffled=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(
    changes: list[tuple[float | None, str]], shuffled: Any
) -> None:
    campaigns = [
        campaign(str(i), last_change=change, last_change_day=None if change is None else DAY)
        for i, (change, _) in enumerate(changes)
    ]
    days = [row for i in range(len(changes)) for row in ran(str(i), days=3)]
    decisions = [decision(action, str(i)) for i, (_, action) in enumerate(changes)]
    one = held(account(campaigns, days), *decisions)
    for rows in (campaigns, days, decisions):
        shuffled.shuffle(rows)
    assert held(account(campaigns, days), *decisions) == one
