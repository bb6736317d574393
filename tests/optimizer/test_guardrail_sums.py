"""The guardrails on many changes together, on single campaigns, and for a person."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from tests.optimizer.guarding import NO_TOTAL, ask, change, rails
from zyenta_ads_pipeline.domain.change import ChangeField
from zyenta_ads_pipeline.optimizer.change_limits import Moved
from zyenta_ads_pipeline.optimizer.guardrails import CampaignRails, Rule, VerdictKind

OK, BLOCKED = VerdictKind.OK, VerdictKind.BLOCKED


@pytest.mark.parametrize(
    ("new", "known", "kind", "rule"),
    [
        # a day's changes: a fifth of the 50,000 that the account has
        ("12000", {"moved": Moved(day_minor=8_000, day_changes=1)}, OK, None),
        ("12000", {"moved": Moved(day_minor=8_003, day_changes=1)}, BLOCKED, Rule.DAY_CHANGE),
        ("8000", {"moved": Moved(day_minor=8_003, day_changes=1)}, BLOCKED, Rule.DAY_CHANGE),
        (
            "12000",
            {"moved": Moved(day_minor=9_000, day_net_minor=-9_000, day_changes=1)},
            OK,
            None,
        ),
        (
            "12000",
            {
                "moved": Moved(day_minor=900, day_changes=1),
                "guardrails": rails(max_day_change=Decimal("0.05")),
            },
            BLOCKED,
            Rule.DAY_CHANGE,
        ),
        ("10500", {"guardrails": rails(max_day_change=Decimal("0.01"))}, OK, None),
        (
            "12000",
            {"moved": Moved(day_minor=99_999), "guardrails": rails(max_step=None)},
            OK,
            None,
        ),
        # what is off spends nothing
        ("12000", {"moved": Moved(day_minor=99_999), "live_status": "PAUSED"}, OK, None),
        # without the account's sum its own budget has to be enough
        (
            "12000",
            {"committed_total_minor": None, "guardrails": NO_TOTAL},
            OK,
            None,
        ),
        (
            "12000",
            {
                "committed_total_minor": None,
                "guardrails": NO_TOTAL,
                "moved": Moved(day_minor=500, day_changes=1),
            },
            BLOCKED,
            Rule.DAY_CHANGE,
        ),
        # a week's growth: half of what there was, where no total says otherwise
        ("12000", {"moved": Moved(week_net_minor=40_000)}, OK, None),
        (
            "12000",
            {"moved": Moved(week_net_minor=15_000, week_changes=3), "guardrails": NO_TOTAL},
            OK,
            None,
        ),
        (
            "12000",
            {"moved": Moved(week_net_minor=16_000, week_changes=3), "guardrails": NO_TOTAL},
            BLOCKED,
            Rule.WEEK_GROWTH,
        ),
        ("8000", {"moved": Moved(week_net_minor=40_000), "guardrails": NO_TOTAL}, OK, None),
        (
            "12000",
            {
                "moved": Moved(week_net_minor=40_000),
                "guardrails": dataclasses.replace(NO_TOTAL, max_week_growth=None),
            },
            OK,
            None,
        ),
        # one budget's week
        (
            "12000",
            {
                "moved": Moved(start_minor=8_000),
                "guardrails": rails(max_week_change=Decimal("0.5")),
            },
            OK,
            None,
        ),
        (
            "12000",
            {
                "moved": Moved(start_minor=7_900),
                "guardrails": rails(max_week_change=Decimal("0.5")),
            },
            BLOCKED,
            Rule.WEEK_CHANGE,
        ),
        # the campaign's own rules
        (
            "11000",
            {"guardrails": rails(campaigns={"11": CampaignRails(cap_minor=11_000)})},
            OK,
            None,
        ),
        (
            "11000",
            {"guardrails": rails(campaigns={"11": CampaignRails(cap_minor=10_999)})},
            BLOCKED,
            Rule.CAMPAIGN_CAP,
        ),
        (
            "11000",
            {
                "campaign_others_minor": 1,
                "guardrails": rails(campaigns={"11": CampaignRails(cap_minor=11_000)}),
            },
            BLOCKED,
            Rule.CAMPAIGN_CAP,
        ),
        (
            "11000",
            {
                "campaign_others_minor": None,
                "guardrails": rails(campaigns={"11": CampaignRails(cap_minor=99_000)}),
            },
            BLOCKED,
            Rule.CAMPAIGN_CAP,
        ),
        (
            "9000",
            {
                "campaign_others_minor": None,
                "guardrails": rails(campaigns={"11": CampaignRails(cap_minor=5_000)}),
            },
            OK,
            None,
        ),
        (
            "9000",
            {"guardrails": rails(campaigns={"11": CampaignRails(locked=True)})},
            BLOCKED,
            Rule.LOCKED,
        ),
        (
            "9000",
            {"guardrails": rails(campaigns={"11": CampaignRails(watched=True)})},
            BLOCKED,
            Rule.WATCHED,
        ),
        ("9000", {"guardrails": rails(campaigns={"12": CampaignRails(locked=True)})}, OK, None),
    ],
)
def test_rules_on_many_changes_and_on_single_campaigns(
    new: str, known: dict[str, Any], kind: VerdictKind, rule: Rule | None
) -> None:
    verdict = ask(change(new), **known)
    assert (verdict.kind, verdict.rule) == (kind, rule)
    assert verdict.reason.endswith(".")


def test_a_budget_may_always_be_mended_whatever_was_moved() -> None:
    much = Moved(day_minor=99_999, week_net_minor=99_999, start_minor=1)
    tight = dataclasses.replace(NO_TOTAL, max_week_change=Decimal("0.01"))
    assert ask(change("20000", "50000"), moved=much, guardrails=tight).kind is OK
    assert ask(change("500", "100"), moved=much, guardrails=tight).kind is OK
    own = dataclasses.replace(tight, campaigns={"11": CampaignRails(cap_minor=3_000)})
    to_its_cap = {"moved": much, "guardrails": own, "campaign_others_minor": 1_000}
    assert ask(change("2000", "9000"), **to_its_cap).kind is OK
    assert ask(change("2001", "9000"), **to_its_cap).rule is Rule.STEP


def test_a_stop_passes_a_lock_and_what_was_moved_but_not_a_watch() -> None:
    stop = change("PAUSED", "ACTIVE", ChangeField.STATUS)
    locked = rails(campaigns={"11": CampaignRails(locked=True, cap_minor=1)})
    assert ask(stop, moved=Moved(day_minor=99_999), guardrails=locked).kind is OK
    watched = rails(campaigns={"11": CampaignRails(watched=True)})
    assert ask(stop, guardrails=watched).rule is Rule.WATCHED


def test_a_person_may_go_further_but_not_beyond_caps_and_total() -> None:
    own = {"11": CampaignRails(locked=True, watched=True, cap_minor=15_000)}
    tight = rails(
        campaigns=own, max_day_change=Decimal("0.01"), max_week_change=Decimal("0.01")
    ).for_a_person()
    much = Moved(day_minor=99_999, week_net_minor=99_999, start_minor=1)
    assert ask(change("15000"), moved=much, guardrails=tight).kind is OK
    assert ask(change("15001"), moved=much, guardrails=tight).rule is Rule.CAMPAIGN_CAP
    assert (
        ask(change("15000"), moved=much, guardrails=tight, committed_total_minor=99_000).rule
        is Rule.TOTAL
    )
