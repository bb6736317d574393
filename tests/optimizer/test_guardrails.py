"""The guardrails: every rule at its boundary, in order, failing closed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.optimizer.guarding import BERLIN, NO_TOTAL, ask, change, rails
from zyenta_ads_pipeline.domain.change import ChangeField
from zyenta_ads_pipeline.domain.errors import SettingsError
from zyenta_ads_pipeline.optimizer.change_limits import Moved
from zyenta_ads_pipeline.optimizer.guardrails import CampaignRails, Rule, VerdictKind

OK, ALREADY, BLOCKED, CONFLICT = (
    VerdictKind.OK,
    VerdictKind.ALREADY,
    VerdictKind.BLOCKED,
    VerdictKind.CONFLICT,
)


@pytest.mark.parametrize(
    ("new", "known", "kind", "rule"),
    [
        ("11000", {}, OK, None),
        ("11000", {"guardrails": None}, BLOCKED, Rule.NOT_CONFIGURED),
        ("11000", {"guardrails": rails(kill_switch=True)}, BLOCKED, Rule.KILL_SWITCH),
        ("11000", {"live_status": "ARCHIVED"}, BLOCKED, Rule.OBJECT_GONE),
        ("11000", {"live_status": "deleted"}, BLOCKED, Rule.OBJECT_GONE),
        ("11000", {"live_status": ""}, BLOCKED, Rule.OBJECT_GONE),
        ("11000", {"live_status": "PAUSED"}, OK, None),
        ("", {}, BLOCKED, Rule.INVALID),
        ("-5", {}, BLOCKED, Rule.INVALID),
        ("110.00", {}, BLOCKED, Rule.INVALID),
        ("11000", {"live_value": "11000"}, ALREADY, Rule.ALREADY),
        ("11000", {"live_value": " 011000 "}, ALREADY, Rule.ALREADY),
        ("11000", {"live_value": "10001"}, CONFLICT, Rule.EDITED),
        ("11000", {"live_value": ""}, CONFLICT, Rule.EDITED),
        ("11000", {"changes_last_hour": 3}, OK, None),
        ("11000", {"changes_last_hour": 4}, BLOCKED, Rule.HOUR),
        ("11000", {"changes_last_hour": 5}, BLOCKED, Rule.HOUR),
        ("11000", {"changes_today": 1}, BLOCKED, Rule.DAY),
        (
            "11000",
            {"changes_today": 1, "guardrails": rails(max_budget_changes_per_day=2)},
            OK,
            None,
        ),
        ("12000", {}, OK, None),
        ("12001", {}, OK, None),  # one minor unit of rounding
        ("12002", {}, BLOCKED, Rule.STEP),
        ("8000", {}, OK, None),
        ("7999", {}, OK, None),
        ("7998", {}, BLOCKED, Rule.STEP),
        ("20000", {"guardrails": rails(max_step=None)}, OK, None),
        ("20001", {"guardrails": rails(max_step=None)}, BLOCKED, Rule.CAP),
        ("20001", {"guardrails": rails(max_step=None, cap_minor=None)}, OK, None),
        ("500", {"guardrails": rails(max_step=None)}, OK, None),
        ("499", {"guardrails": rails(max_step=None)}, BLOCKED, Rule.MINIMUM),
        ("0", {"guardrails": rails(max_step=None)}, BLOCKED, Rule.MINIMUM),
        ("11000", {"committed_total_minor": 99_000}, OK, None),
        ("11000", {"committed_total_minor": 99_001}, BLOCKED, Rule.TOTAL),
        ("11000", {"committed_total_minor": None}, BLOCKED, Rule.TOTAL),
        (
            "11000",
            {"committed_total_minor": None, "guardrails": rails(max_total_minor=None)},
            OK,
            None,
        ),
        # a cut always helps the total
        ("9000", {"committed_total_minor": 500_000}, OK, None),
        ("9000", {"committed_total_minor": None}, OK, None),
        # nothing is committed of a paused object yet: all of its new budget counts
        ("11000", {"committed_total_minor": 89_000, "live_status": "PAUSED"}, OK, None),
        (
            "11000",
            {"committed_total_minor": 89_001, "live_status": "PAUSED"},
            BLOCKED,
            Rule.TOTAL,
        ),
    ],
)
def test_budget_rules(
    new: str, known: dict[str, Any], kind: VerdictKind, rule: Rule | None
) -> None:
    verdict = ask(change(new), **known)
    assert (verdict.kind, verdict.rule) == (kind, rule)
    assert verdict.reason.endswith(".")


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("100", "500", OK),  # from below the minimum to exactly it
        ("100", "501", BLOCKED),
        ("50000", "20000", OK),  # from above the cap to exactly it
        ("50000", "19999", BLOCKED),
        ("500", "20000", BLOCKED),  # to a bound, but not from beyond it
    ],
)
def test_the_step_does_not_lock_a_budget_in_where_it_must_not_be(
    old: str, new: str, kind: VerdictKind
) -> None:
    assert ask(change(new, old)).kind is kind


@pytest.mark.parametrize(
    ("new", "old", "known", "kind", "rule"),
    [
        ("PAUSED", "ACTIVE", {}, OK, None),
        # nothing on budgets stops a stop
        (
            "PAUSED",
            "ACTIVE",
            {"changes_last_hour": 9, "changes_today": 9, "committed_total_minor": None},
            OK,
            None,
        ),
        ("PAUSED", "ACTIVE", {"committed_total_minor": 999_999}, OK, None),
        ("PAUSED", "ACTIVE", {"guardrails": rails(kill_switch=True)}, BLOCKED, Rule.KILL_SWITCH),
        ("PAUSED", "ACTIVE", {"guardrails": None}, BLOCKED, Rule.NOT_CONFIGURED),
        ("PAUSED", "ACTIVE", {"live_status": "DELETED"}, BLOCKED, Rule.OBJECT_GONE),
        ("PAUSED", "ACTIVE", {"live_value": "PAUSED"}, ALREADY, Rule.ALREADY),
        ("PAUSED", "ACTIVE", {"live_value": "IN_REVIEW"}, CONFLICT, Rule.EDITED),
        ("PAUSED", "", {"live_value": "ACTIVE"}, CONFLICT, Rule.EDITED),
        ("ACTIVE", "PAUSED", {}, OK, None),
        ("active", "paused", {}, OK, None),
        ("ACTIVE", "PAUSED", {"changes_today": 9}, OK, None),
        ("ACTIVE", "PAUSED", {"changes_last_hour": 4}, BLOCKED, Rule.HOUR),
        ("ACTIVE", "PAUSED", {"committed_total_minor": 100_000}, OK, None),
        ("ACTIVE", "PAUSED", {"committed_total_minor": 100_001}, BLOCKED, Rule.TOTAL),
        ("ACTIVE", "PAUSED", {"committed_total_minor": None}, BLOCKED, Rule.TOTAL),
        ("DELETED", "PAUSED", {}, BLOCKED, Rule.INVALID),
        ("ARCHIVED", "PAUSED", {}, BLOCKED, Rule.INVALID),
    ],
)
def test_status_rules(
    new: str, old: str, known: dict[str, Any], kind: VerdictKind, rule: Rule | None
) -> None:
    verdict = ask(change(new, old, ChangeField.STATUS), **known)
    assert (verdict.kind, verdict.rule) == (kind, rule)


def test_the_rules_are_asked_in_order() -> None:
    # Everything is wrong at once; mending one thing after the other brings up the next rule.
    known: dict[str, Any] = {
        "moved": Moved(day_minor=99_999, start_minor=1),
        "guardrails": None,
        "live_status": "ARCHIVED",
        "live_value": "9000",
        "changes_last_hour": 4,
        "changes_today": 1,
        "committed_total_minor": 100_000,
    }
    proposed = change("12500")
    own = {"11": CampaignRails(cap_minor=12_400, locked=True, watched=True)}
    watching = rails(minimum_minor=13_000, campaigns=own, max_week_change=Decimal("0.5"))
    strict = dataclasses.replace(watching, kill_switch=True)
    locked = dataclasses.replace(
        watching, campaigns={"11": CampaignRails(cap_minor=12_400, locked=True)}
    )
    capped = dataclasses.replace(locked, campaigns={"11": CampaignRails(cap_minor=12_400)})
    mends: list[tuple[Rule | None, dict[str, Any]]] = [
        (Rule.NOT_CONFIGURED, {"guardrails": strict}),
        (Rule.KILL_SWITCH, {"guardrails": watching}),
        (Rule.WATCHED, {"guardrails": locked}),
        (Rule.OBJECT_GONE, {"live_status": "ACTIVE"}),
        (Rule.EDITED, {"live_value": "10000"}),
        (Rule.LOCKED, {"guardrails": capped}),
        (Rule.HOUR, {"changes_last_hour": 0}),
        (Rule.DAY, {"changes_today": 0}),
        (
            Rule.MINIMUM,
            {"guardrails": dataclasses.replace(capped, minimum_minor=1, cap_minor=12_000)},
        ),
        (Rule.CAP, {"guardrails": dataclasses.replace(capped, minimum_minor=1)}),
        (
            Rule.CAMPAIGN_CAP,
            {"guardrails": rails(max_week_change=Decimal("0.5"))},
        ),
        (
            Rule.STEP,
            {
                "guardrails": rails(
                    max_step=None, max_day_change=Decimal("0.2"), max_week_change=Decimal("0.5")
                )
            },
        ),
        (Rule.DAY_CHANGE, {"moved": Moved(start_minor=1)}),
        (Rule.WEEK_CHANGE, {"moved": Moved()}),
        (Rule.TOTAL, {"committed_total_minor": 50_000}),
        (None, {}),
    ]
    for rule, mend in mends:
        assert ask(proposed, **known).rule is rule
        known |= mend


@pytest.mark.parametrize(
    ("new", "known", "words"),
    [
        (
            "11000",
            {"live_value": "10500"},
            "The budget of Shoes was $100.00 when this was decided and is $105.00 now: "
            "somebody else changed it.",
        ),
        (
            "12500",
            {},
            "From $100.00 to $125.00 is more than the allowed step of 20 %.",
        ),
        (
            "11000",
            {"committed_total_minor": 100_000},
            "With this the account's daily budgets come to $1,010.00, above the total of "
            "$1,000.00.",
        ),
        ("300", {}, "$3.00 a day is below the minimum of $5.00."),
        ("30000", {}, "$300.00 a day is above the cap of $200.00."),
        (
            "11000",
            {"changes_today": 1},
            "The campaign's budget was changed once today and may be changed once a day. "
            "It can be tried again tomorrow.",
        ),
        (
            "11000",
            {"changes_last_hour": 4},
            "Shoes was changed 4 times within the last hour and may be changed 4 times. "
            "It can be tried again in an hour.",
        ),
        (
            "12000",
            {"moved": Moved(day_minor=9_000, day_changes=1)},
            "Today's changes come to $90.00. With this they go beyond 20 % of the account's "
            "budgets. It can be tried again tomorrow.",
        ),
        (
            "12000",
            {"moved": Moved(week_net_minor=20_000), "guardrails": NO_TOTAL},
            "With this the account's daily budgets come to $520.00, more than 50 % above the "
            "$300.00 of a week ago. A total set for the account takes the place of this limit.",
        ),
        (
            "12000",
            {
                "moved": Moved(start_minor=7_000),
                "guardrails": rails(max_week_change=Decimal("0.5")),
            },
            "Shoes had $70.00 a week ago and may move by 50 % within a week, which $120.00 goes "
            "beyond.",
        ),
        (
            "11000",
            {"guardrails": rails(campaigns={"11": CampaignRails(cap_minor=10_000)})},
            "With this the campaign has $110.00 a day, above its own cap of $100.00.",
        ),
    ],
)
def test_the_words(new: str, known: dict[str, Any], words: str) -> None:
    assert ask(change(new), **known).reason == words


def test_words_without_an_old_value_or_a_name() -> None:
    verdict = ask(change("11000", "", name=""), live_value="10000")
    assert verdict.kind is CONFLICT
    assert verdict.reason == (
        "The budget of campaign 11 was unknown when this was decided and is $100.00 now: "
        "somebody else changed it."
    )


def test_retry_after() -> None:
    assert ask(change("11000"), changes_last_hour=4).retry_after == datetime(
        2026, 3, 10, 16, 30, tzinfo=BERLIN
    )
    assert ask(change("11000"), changes_today=1).retry_after == datetime(2026, 3, 11, tzinfo=BERLIN)
    assert ask(change("30000")).retry_after is None


def test_an_hour_is_an_hour_when_the_clocks_change() -> None:
    before = datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN)  # at 2:00 clocks go to 3:00
    later = ask(change("11000"), changes_last_hour=4, now=before).retry_after
    assert later is not None
    assert (later.astimezone(UTC) - before.astimezone(UTC)).total_seconds() == 3600
    assert later.hour == 3


def test_times_without_a_zone_and_negative_counts_are_defects() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ask(change("11000"), now=datetime(2026, 3, 10))  # noqa: DTZ001
    with pytest.raises(ValueError, match="counted"):
        ask(change("11000"), changes_today=-1)
    with pytest.raises(ValueError, match="counted"):
        ask(change("11000"), changes_last_hour=-1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_step": Decimal("-0.1")},
        {"max_step": Decimal("NaN")},
        {"max_changes_per_hour": 5},
        {"max_changes_per_hour": 0},
        {"max_budget_changes_per_day": 0},
        {"minimum_minor": 0},
        {"cap_minor": 499},
        {"max_total_minor": -1},
        {"max_day_change": Decimal("-0.1")},
        {"max_week_growth": Decimal("Infinity")},
        {"max_week_change": Decimal("NaN")},
    ],
)
def test_guardrails_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        rails(**wrong)


@given(
    live=st.integers(0, 40_000),
    new=st.integers(0, 40_000),
    hour=st.integers(0, 6),
    today=st.integers(0, 2),
    committed=st.one_of(st.none(), st.integers(0, 150_000)),
    status=st.sampled_from(["ACTIVE", "PAUSED", "ARCHIVED", ""]),
)
def test_what_passes_is_within_every_limit(
    *, live: int, new: int, hour: int, today: int, committed: int | None, status: str
) -> None:
    verdict = ask(
        change(str(new), str(live)),
        live_status=status,
        changes_last_hour=hour,
        changes_today=today,
        committed_total_minor=committed,
    )
    if verdict.kind is not OK:
        return
    assert new != live
    assert status in ("ACTIVE", "PAUSED")
    assert hour < 4
    assert today < 1
    assert 500 <= new <= 20_000
    assert abs(new - live) <= Decimal("0.2") * live + 1 or new in (500, 20_000)
    if new > live:
        assert committed is not None
        assert committed - live + new <= 100_000
