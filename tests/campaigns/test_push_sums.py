"""A push through the rules on many changes together, and on single campaigns."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.campaigns.fake_platform import FakePlatform
from tests.campaigns.pushing import Clock, push, rails
from tests.store.samples import approved, budget, status
from zyenta_ads_pipeline.campaigns.undo import BUYER_POLICY, undo
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import Transient, UnknownOutcome
from zyenta_ads_pipeline.optimizer.guardrails import CampaignRails
from zyenta_ads_pipeline.store.outbox import Outbox

A, APPLIED, FAILED = ChangeState.APPROVED, ChangeState.APPLIED, ChangeState.FAILED
TENTH = rails(max_day_change=Decimal("0.10"))


def test_a_days_changes_stop_at_their_share_of_the_account(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    # Four ad sets of 100.00 each: a tenth is 40.00 a day, up or down.
    down, up, over = approved(
        outbox, budget("11", new=8_000), budget("12", new=11_990), budget("13", new=10_500)
    )
    report = push(platform, outbox, clock, guardrails=TENTH)
    assert (report.state_of(down), report.state_of(up)) == (APPLIED, APPLIED)
    assert report.state_of(over) is A
    record = outbox.get(over)
    assert "beyond 10 % of the account's budgets" in record.last_note
    assert record.retry_after is not None
    # It waits for the account's midnight, in Berlin.
    assert record.retry_after == clock().replace(hour=23)
    clock.move(hours=11)
    assert push(platform, outbox, clock, guardrails=TENTH).state_of(over) is APPLIED


def test_the_accounts_sum_is_read_only_where_one_budget_is_not_enough(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    approved(outbox, budget("11", new=10_900))
    push(platform, outbox, clock, guardrails=TENTH)
    assert ("ad_objects", "1") not in platform.asked
    approved(outbox, budget("12", new=10_900))
    push(platform, outbox, clock, guardrails=TENTH)
    assert platform.asked.count(("ad_objects", "1")) == 1


def test_what_a_person_asks_for_is_not_summed_nor_held_back(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    by_hand, after = approved(
        outbox, budget("11", new=30_000, policy=BUYER_POLICY), budget("12", new=10_900)
    )
    report = push(platform, outbox, clock, guardrails=TENTH)
    assert (report.state_of(by_hand), report.state_of(after)) == (APPLIED, APPLIED)
    back = undo(outbox, by_hand, actor="Ada", now=clock(), approve=True)
    assert push(platform, outbox, clock, guardrails=TENTH).state_of(back.id) is APPLIED
    assert platform.budget("11") == 10_000


def test_what_a_person_took_back_is_free_again(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [first] = approved(outbox, budget("11", new=13_900))
    push(platform, outbox, clock, guardrails=TENTH)
    undo(outbox, first, actor="Ada", now=clock(), approve=True)
    push(platform, outbox, clock, guardrails=TENTH)
    [other] = approved(outbox, budget("12", new=13_900))
    assert push(platform, outbox, clock, guardrails=TENTH).state_of(other) is APPLIED


def test_a_weeks_growth_stops_where_no_total_bounds_it(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    slow = rails(max_week_growth=Decimal("0.10"))
    now = dict.fromkeys(("11", "12", "13", "14"), 10000)
    grown = []
    for day in range(12):
        for own, old in now.items():
            change = budget(own, old=old, new=old + old // 20, decided_at=clock())
            [change_id] = approved(outbox, change, now=clock())
            if push(platform, outbox, clock, guardrails=slow).state_of(change_id) is APPLIED:
                now[own] = old + old // 20
            else:
                outbox.reject([change_id], actor="test", reason="over", now=clock())
        grown.append(sum(now.values()))
        week_ago = grown[day - 7] if day >= 7 else 40_000
        assert grown[day] <= week_ago * 1.1 + 40
        clock.move(days=1)
    assert grown[1] > 43_500, "until then it may"
    assert grown[-1] > grown[6], "and later it may again"


def test_a_total_takes_the_place_of_the_weeks_growth(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    none, total = (
        rails(max_week_growth=Decimal("0.01")),
        rails(max_week_growth=Decimal("0.01"), max_total_minor=50_000),
    )
    [change_id] = approved(outbox, budget("11", new=12_000))
    assert push(platform, outbox, clock, guardrails=none).state_of(change_id) is A
    assert "A total set for the account" in outbox.get(change_id).last_note
    clock.move(minutes=1)
    assert push(platform, outbox, clock, guardrails=total).state_of(change_id) is APPLIED


def test_one_budgets_week_ends_at_its_share_and_begins_anew(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    week = rails(max_week_change=Decimal("0.25"), max_week_growth=None)
    [one] = approved(outbox, budget("11", new=12_000))
    assert push(platform, outbox, clock, guardrails=week).state_of(one) is APPLIED
    clock.move(days=1)
    [two] = approved(outbox, budget("11", old=12_000, new=13_000, decided_at=clock()), now=clock())
    assert push(platform, outbox, clock, guardrails=week).state_of(two) is A
    assert "had 100.00 EUR a week ago" in outbox.get(two).last_note
    outbox.reject([two], actor="test", reason="over", now=clock())
    clock.move(days=6)
    [three] = approved(
        outbox, budget("11", old=12_000, new=13_000, decided_at=clock()), now=clock()
    )
    assert push(platform, outbox, clock, guardrails=week).state_of(three) is APPLIED


def test_a_campaigns_cap_counts_all_its_ad_sets(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    # All four ad sets are of campaign 9: 400.00 together.
    capped = rails(campaigns={"9": CampaignRails(cap_minor=41_000)})
    fits, over = approved(
        outbox,
        budget("11", new=11_000, campaign_id="9"),
        budget("12", new=10_001, campaign_id="9"),
    )
    report = push(platform, outbox, clock, guardrails=capped)
    assert report.state_of(fits) is APPLIED
    assert report.state_of(over) is FAILED
    assert "410.01 EUR a day, above its own cap of 410.00 EUR" in outbox.get(over).last_note


def test_without_the_other_ad_sets_a_capped_campaign_is_not_raised(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    capped = rails(campaigns={"9": CampaignRails(cap_minor=99_000)})
    up, down = approved(
        outbox,
        budget("11", new=11_000, campaign_id="9"),
        budget("12", new=9_000, campaign_id="9"),
    )
    platform.fail("ad_objects", "1", Transient("Service temporarily down."))
    report = push(platform, outbox, clock, guardrails=capped)
    assert (report.state_of(down), report.state_of(up)) == (APPLIED, A)
    assert "Service temporarily down" in outbox.get(up).last_note


def test_a_locked_or_watched_campaign_is_left_to_its_person(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    own = {"911": CampaignRails(locked=True), "912": CampaignRails(watched=True)}
    locked, watched, stop, by_hand = approved(
        outbox,
        budget("11"),
        budget("12"),
        status("13", campaign_id="911"),
        budget("14", campaign_id="911", policy=BUYER_POLICY),
    )
    report = push(platform, outbox, clock, guardrails=rails(campaigns=own))
    assert report.state_of(locked) is FAILED
    assert report.state_of(watched) is A
    assert (report.state_of(stop), report.state_of(by_hand)) == (APPLIED, APPLIED)


def test_a_raise_with_an_unknown_outcome_counts(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    unknown, over = approved(outbox, budget("11", new=12_000), budget("12", new=12_010))
    platform.fail("set_daily_budget", "11", UnknownOutcome("Timed out."))
    report = push(platform, outbox, clock, guardrails=TENTH)
    assert report.state_of(unknown) is ChangeState.SENDING
    assert report.state_of(over) is A
    assert [record.id for record in outbox.written_budgets("1", since=clock())] == [unknown]
    later = clock() + timedelta(days=7)
    assert len(outbox.written_budgets("1", since=later)) == 1, "until it is settled"
    assert outbox.written_budgets("2", since=later) == []
