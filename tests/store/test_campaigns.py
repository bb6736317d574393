"""Campaigns, creatives, numbers and histories, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.store.campaign_samples import (
    LATER,
    NOW,
    campaign,
    draft,
    launched,
    opened,
    optimization,
    rejection,
    shop,
)
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.domain.creative import Angle, CreativeStatus, CreativeType
from zyenta_ads_pipeline.domain.errors import IllegalTransition, InputError
from zyenta_ads_pipeline.domain.money import to_major
from zyenta_ads_pipeline.store.campaign_records import load_campaign
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store

ACTIVE, PAUSED = CampaignStatus.ACTIVE, CampaignStatus.PAUSED
COMPLETED, DRAFT = CampaignStatus.COMPLETED, CampaignStatus.DRAFT
PENDING = CampaignStatus.PENDING_REVIEW


@pytest.fixture
def campaigns(store: Store) -> Campaigns:
    return Campaigns(opened(store))


def events(campaigns: Campaigns, campaign_id: str) -> list[tuple[Any, ...]]:
    return [
        (event.actor, event.what, event.from_value, event.to_value, event.reason)
        for event in campaigns.journal(campaign_id)
    ]


def test_a_campaign_is_kept_as_it_was_given(campaigns: Campaigns) -> None:
    asked = campaign(end_date=None, total_budget_minor=None, account_id="act_101")
    drafts = [draft(), draft("Film", type=CreativeType.VIDEO, angle=Angle.URGENCY, media_ids=[])]
    made = campaigns.add(asked, drafts, actor="eva", now=LATER)
    assert made == campaigns.get(asked.id)
    assert replace(made, creatives=()) == replace(asked, account_id="101", updated_at=LATER)
    assert [each.draft for each in made.creatives] == [drafts[0], replace(drafts[1], media_ids=())]
    for each in made.creatives:
        assert (each.status, each.campaign_id, each.created_at) == ("active", made.id, LATER)
        assert campaigns.creative(each.id) == each
    assert made.creatives[0].id != made.creatives[1].id
    assert campaigns.get(asked.id, creatives=False).creatives == ()
    assert events(campaigns, made.id) == [("eva", "created", None, "draft", "asked for")]


def test_a_campaign_without_an_id_gets_one(campaigns: Campaigns) -> None:
    made = campaigns.add(replace(campaign(), id=""), [], actor="eva", now=NOW)
    assert made.id
    assert campaigns.get(made.id) == made


def test_campaigns_that_cannot_be(campaigns: Campaigns) -> None:
    first = launched_in(campaigns, request_id="r", platform_campaign_id="55", adopted=True)
    for change, told in (
        ({"id": first.id}, f"There is a campaign '{first.id}' already"),
        ({"request_id": "r"}, f"has campaign '{first.id}' already"),
        ({"platform_campaign_id": "55"}, f"is campaign '{first.id}' here already"),
        ({"store_id": "gone"}, "There is no store 'gone'"),
        ({"currency": "XXX"}, "XXX"),
        ({"daily_budget_minor": -1}, "too small"),
        ({"account_id": "x"}, "not an ad account"),
    ):
        with pytest.raises(InputError, match=told):
            campaigns.add(replace(campaign(), **change), [draft()], actor="eva", now=NOW)
    assert campaigns.find() == [replace(first, creatives=())]


def launched_in(campaigns: Campaigns, **more: Any) -> Any:
    return campaigns.add(campaign(**more), [draft()], actor="test", now=NOW)


def test_nothing_is_found_under_an_unknown_id(campaigns: Campaigns) -> None:
    of_campaign: tuple[Callable[[], object], ...] = (
        lambda: campaigns.get("x"),
        lambda: campaigns.move("x", ACTIVE, reason="", actor="a", now=NOW),
        lambda: campaigns.set_budget("x", 1, "a", "", NOW),
        lambda: campaigns.log(optimization("x")),
        lambda: campaigns.add_rejections("x", [rejection()], NOW),
    )
    for call in of_campaign:
        with pytest.raises(InputError, match="There is no campaign 'x'"):
            call()
    of_creative: tuple[Callable[[], object], ...] = (
        lambda: campaigns.creative("x"),
        lambda: campaigns.creative_placed("x", ad_id="1", now=NOW),
        lambda: campaigns.move_creative("x", CreativeStatus.PAUSED, reason="", actor="a", now=NOW),
    )
    for call in of_creative:
        with pytest.raises(InputError, match="There is no creative 'x'"):
            call()


def test_campaigns_are_found_by_every_filter_newest_first(
    campaigns: Campaigns, store: Store
) -> None:
    opened(store, shop("other"))
    made = [
        launched_in(campaigns, created_at=NOW + timedelta(hours=hour), **more)
        for hour, more in enumerate(
            (
                {"request_id": "r1"},
                {"account_id": "102", "status": ACTIVE, "platform_campaign_id": "9"},
                {"store_id": "other", "status": PAUSED},
                {},
            )
        )
    ]
    ids = [each.id for each in made]

    def found(**asked: Any) -> list[int]:
        return [ids.index(each.id) for each in campaigns.find(**asked)]

    assert found() == [3, 2, 1, 0]
    assert found(limit=2, offset=1) == [2, 1]
    assert found(store_id="shop") == [3, 1, 0]
    assert found(account_id="act_102") == [1]
    assert found(statuses=[ACTIVE, PAUSED]) == [2, 1]
    assert found(statuses=[PAUSED], store_id="shop") == []
    assert found(platform_campaign_id="9") == [1]
    assert found(request_id="r1") == [0]
    assert campaigns.find(creatives=True, request_id="r1") == [made[0]]


def test_a_campaign_moves_and_says_why(campaigns: Campaigns, store: Store) -> None:
    made = launched(store)
    moved = campaigns.move(made.id, PENDING, reason="made", actor="run 1", now=LATER)
    assert (moved.status, moved.status_reason, moved.updated_at) == (PENDING, "made", LATER)
    assert moved.creatives == made.creatives
    again = campaigns.move(made.id, PENDING, reason="in review", actor="sync", now=LATER)
    assert again == campaigns.move(made.id, PENDING, reason="in review", actor="sync", now=NOW)
    assert again.status_reason == "in review"
    campaigns.move(made.id, COMPLETED, reason="over", actor="sync", now=LATER)
    assert events(campaigns, made.id)[1:] == [
        ("run 1", "status", "draft", "pending_review", "made"),
        ("sync", "status", "pending_review", "pending_review", "in review"),
        ("sync", "status", "pending_review", "completed", "over"),
    ]
    with pytest.raises(IllegalTransition, match="is completed and cannot become active"):
        campaigns.move(made.id, ACTIVE, reason="", actor="eva", now=LATER)


def test_of_two_who_move_a_campaign_the_second_sees_what_the_first_did(
    campaigns: Campaigns, store: Store
) -> None:
    made = launched(store, status=CampaignStatus.ERROR)
    refused: list[str] = []

    def second() -> None:
        try:
            campaigns.move(made.id, DRAFT, reason="rolled back", actor="b", now=NOW)
        except IllegalTransition as error:
            refused.append(error.what)

    thread = threading.Thread(target=second)
    with store.write() as session:
        row = load_campaign(session, made.id, lock=True)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()  # it waits for the first
        row.status = COMPLETED
    thread.join()
    assert refused == [f"Campaign {made.id} is completed and cannot become draft."]
    assert campaigns.get(made.id).status is COMPLETED


def test_a_launch_leaves_its_places(campaigns: Campaigns, store: Store) -> None:
    made = launched(store)
    first, second = made.creatives
    assert (
        campaigns.placed(made.id, platform_campaign_id="55", now=NOW).platform_campaign_id == "55"
    )
    campaigns.placed(made.id, platform_campaign_id="55", now=LATER)
    campaigns.creative_placed(first.id, ad_set_id="6", now=NOW)
    placed = campaigns.creative_placed(first.id, creative_ref="7", ad_id="8", now=LATER)
    assert (placed.platform_ad_set_id, placed.platform_creative_id, placed.platform_ad_id) == (
        "6",
        "7",
        "8",
    )
    assert campaigns.creative(second.id) == second
    assert [event[1:4] for event in events(campaigns, made.id)[1:]] == [
        ("platform_campaign_id", None, "55"),
        ("platform_ad_set_id", None, "6"),
        ("platform_creative_id", None, "7"),
        ("platform_ad_id", None, "8"),
    ]
    assert [event.creative_id for event in campaigns.journal(made.id)][1:3] == [None, first.id]
    other = launched(store)
    with pytest.raises(InputError, match=f"is campaign '{made.id}' here already"):
        campaigns.placed(other.id, platform_campaign_id="55", now=NOW)
    back = campaigns.unplaced(made.id, now=LATER, actor="eva", reason="rolled back")
    assert back.platform_campaign_id is None
    assert back.creatives[0] == replace(first, updated_at=LATER)
    assert back.creatives[1] == second
    assert len(events(campaigns, made.id)) == 9
    campaigns.placed(other.id, platform_campaign_id="55", now=NOW)


def test_budget_and_targeting_are_changed_with_a_reason(campaigns: Campaigns, store: Store) -> None:
    made = launched(store)
    changed = campaigns.set_budget(made.id, 2**40, "max", "it sells", LATER)
    assert changed.daily_budget_minor == 2**40
    campaigns.set_budget(made.id, 2**40, "max", "again", LATER)
    aimed = campaigns.set_targeting(made.id, {"age_min": 21}, actor="max", reason="law", now=LATER)
    assert aimed.targeting == {"age_min": 21}
    assert events(campaigns, made.id)[1:] == [
        ("max", "daily_budget_minor", "5000", str(2**40), "it sells"),
        (
            "max",
            "targeting",
            '{"age_min": 18, "geo_locations": {"countries": ["DE"]}}',
            '{"age_min": 21}',
            "law",
        ),
    ]
    for minor in (0, -5):
        with pytest.raises(InputError, match="too small"):
            campaigns.set_budget(made.id, minor, "max", "", LATER)


NUMBERS = {"spent_minor": 12_050, "impressions": 4000, "clicks": 80, "conversions": 3}


def test_ratios_are_those_of_the_sums(campaigns: Campaigns, store: Store) -> None:
    made = launched(store)
    seen = campaigns.set_metrics(
        made.id, **NUMBERS, revenue_minor=30_125, currency="EUR", now=LATER
    )
    assert seen == campaigns.get(made.id)
    assert (seen.cpc, seen.cpm) == (Decimal("1.50625"), Decimal("30.125"))
    assert (seen.ctr, seen.roas) == (Decimal("0.02"), Decimal("2.5"))
    assert (seen.spent_minor, seen.conversions, seen.revenue_minor) == (12_050, 3, 30_125)
    assert (seen.synced_at, seen.currency) == (LATER, "EUR")
    with pytest.raises(InputError, match="kept in EUR, the numbers are in JPY"):
        campaigns.set_metrics(made.id, **NUMBERS, revenue_minor=0, currency="JPY", now=LATER)
    assert len(events(campaigns, made.id)) == 1  # numbers are no events


def test_ratios_in_a_currency_without_minor_units(campaigns: Campaigns, store: Store) -> None:
    made = launched(store, currency="JPY")
    seen = campaigns.set_metrics(made.id, **NUMBERS, revenue_minor=0, currency="JPY", now=LATER)
    assert (seen.cpc, seen.roas) == (Decimal("150.625"), Decimal(0))


_count = st.integers(0, 2**40)


def test_a_ratio_is_none_exactly_where_its_denominator_is_empty(
    campaigns: Campaigns, store: Store
) -> None:
    made = launched(store)

    @settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
    @given(_count, _count, _count, _count)
    def check(spent: int, impressions: int, clicks: int, revenue: int) -> None:
        seen = campaigns.set_metrics(
            made.id,
            spent_minor=spent,
            impressions=impressions,
            clicks=clicks,
            conversions=0,
            revenue_minor=revenue,
            currency="EUR",
            now=NOW,
        )
        cost, value = to_major(spent, "EUR"), to_major(revenue, "EUR")
        for ratio, top, bottom in (
            (seen.cpc, cost, clicks),
            (seen.cpm, 1000 * cost, impressions),
            (seen.ctr, clicks, impressions),
            (seen.roas, value, cost),
        ):
            assert (ratio is None) == (bottom == 0)
            if ratio is not None:
                assert abs(ratio * bottom - top) <= Decimal("1e-10") * top

    check()


def test_the_numbers_and_the_review_of_a_creative(campaigns: Campaigns, store: Store) -> None:
    first, second = launched(store).creatives
    seen = campaigns.set_creative_metrics(
        first.id,
        impressions=1,
        clicks=2,
        conversions=3,
        spend_minor=4,
        revenue_minor=2**40,
        now=LATER,
    )
    assert seen == campaigns.creative(first.id)
    assert seen == replace(
        first,
        impressions=1,
        clicks=2,
        conversions=3,
        spend_minor=4,
        revenue_minor=2**40,
        updated_at=LATER,
    )
    told = campaigns.creative_feedback(first.id, {"Shouting": "No capitals."}, LATER)
    assert told.review_feedback == {"Shouting": "No capitals."}
    assert campaigns.creative_feedback(first.id, {}, LATER).review_feedback == {}
    assert campaigns.creative(second.id) == second
    whats = [event.what for event in campaigns.journal(first.campaign_id)]
    assert whats == ["created", "review_feedback", "review_feedback"]


def test_a_test_of_creatives_is_over_and_not_turned_round(
    campaigns: Campaigns, store: Store
) -> None:
    creative = launched(store).creatives[0]
    say: dict[str, Any] = {"reason": "p = 0.98", "actor": "tester", "now": LATER}
    with pytest.raises(IllegalTransition, match="is active and cannot become winner"):
        campaigns.move_creative(creative.id, CreativeStatus.WINNER, **say)
    for to in (CreativeStatus.TESTING, CreativeStatus.WINNER, CreativeStatus.WINNER):
        assert campaigns.move_creative(creative.id, to, **say).status is to
    with pytest.raises(IllegalTransition, match="is winner and cannot become loser"):
        campaigns.move_creative(creative.id, CreativeStatus.LOSER, **say)
    assert events(campaigns, creative.campaign_id)[1:] == [
        ("tester", "status", "active", "testing", "p = 0.98"),
        ("tester", "status", "testing", "winner", "p = 0.98"),
    ]


def test_optimizations_are_logged(campaigns: Campaigns, store: Store) -> None:
    made = launched(store)
    first = optimization(made.id, created_at=LATER)
    second = optimization(made.id, metrics=None, confidence=Decimal(1))
    campaigns.log(first)
    campaigns.log(second)
    read, last = campaigns.logs(made.id)
    assert read == replace(
        first, previous_value={"daily_budget": "50.00"}, metrics={"roas": "2.10", "cpa": None}
    )
    assert str(read.confidence) == "0.8500"
    assert last.metrics is None
    assert campaigns.get(made.id).last_optimized_at == LATER
    for confidence in ("1.01", "-0.1"):
        with pytest.raises(InputError, match="between 0 and 1"):
            campaigns.log(optimization(made.id, confidence=Decimal(confidence)))


def test_rejections_are_kept(campaigns: Campaigns, store: Store) -> None:
    made, other = launched(store), launched(store)
    told = [rejection(), rejection(attempt=2, rule="length")]
    campaigns.add_rejections(made.id, told, NOW)
    campaigns.add_rejections(made.id, told[:1], LATER)
    assert campaigns.rejections(made.id) == [*told, told[0]]
    assert campaigns.rejections(other.id) == []
