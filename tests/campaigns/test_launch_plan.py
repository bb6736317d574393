"""A launch on paper: its steps, its tokens, its budgets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.campaign_samples import NOW, campaign, connection, draft, picture
from zyenta_ads_pipeline.campaigns.launch_plan import (
    budgets,
    check_connection,
    planned_steps,
    token_of,
)
from zyenta_ads_pipeline.domain.campaign import AdCampaign, BudgetLevel, CampaignObjective
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeStatus
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.launch import StepKind
from zyenta_ads_pipeline.domain.shop import MediaKind


def with_creatives(number: int, **more: Any) -> AdCampaign:
    creatives = tuple(
        AdCreative(
            id=f"cr{place}",
            campaign_id="c1",
            draft=draft(f"Idea {place}"),
            status=CreativeStatus.ACTIVE,
            created_at=NOW,
            updated_at=NOW,
        )
        for place in range(number)
    )
    return replace(campaign("c1"), creatives=creatives, **more)


MEDIA = {"m1": picture("m1")}


def test_media_come_first_then_the_campaign_then_each_creatives_own_objects() -> None:
    steps = planned_steps(with_creatives(2), MEDIA)
    assert [step.kind for step in steps] == [
        StepKind.IMAGE,
        StepKind.CAMPAIGN,
        *(StepKind.ADSET, StepKind.CREATIVE, StepKind.AD) * 2,
    ]
    assert len({step.key for step in steps}) == len(steps)


def test_a_picture_that_two_creatives_show_is_uploaded_once() -> None:
    steps = planned_steps(with_creatives(3), MEDIA)
    assert sum(step.kind is StepKind.IMAGE for step in steps) == 1


def test_a_video_is_a_step_of_its_own_kind() -> None:
    media = {"m1": replace(picture("m1"), kind=MediaKind.VIDEO)}
    assert planned_steps(with_creatives(1), media)[0].kind is StepKind.VIDEO


def test_every_name_carries_its_own_token_and_fits() -> None:
    long = with_creatives(3, name="Ä" * 380)
    steps = planned_steps(long, MEDIA)
    assert len({step.token for step in steps}) == len(steps)
    for step in steps:
        assert step.name.endswith(f"[{step.token}]")
        assert len(step.name) <= 100


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_tokens_are_the_same_in_every_attempt_and_differ_between_steps(
    one: str, other: str, key: str
) -> None:
    assert token_of(one, key) == token_of(one, key)
    if one != other:
        assert token_of(one, key) != token_of(other, key)


@given(total=st.integers(100, 10**9), number=st.integers(1, 10))
def test_shares_add_up_to_the_budget_and_differ_by_one_unit_at_most(
    total: int, number: int
) -> None:
    shares = budgets(with_creatives(number, daily_budget_minor=total), 1)
    amounts = [share for share in shares.values() if share is not None]
    assert sum(amounts) == total
    assert max(amounts) - min(amounts) <= 1


def test_a_campaign_that_holds_the_budget_leaves_none_to_its_ad_sets() -> None:
    held = with_creatives(3, budget_level=BudgetLevel.CAMPAIGN)
    assert set(budgets(held, 100).values()) == {None}


def test_a_share_below_the_platforms_least_is_told_with_what_would_do() -> None:
    with pytest.raises(InputError, match=r"at least €?3\.00|EUR 3\.00|3,00") as refused:
        budgets(with_creatives(3, daily_budget_minor=250), 100)
    assert "fewer variations" in refused.value.remedy


@pytest.mark.parametrize(
    ("objective", "lacking", "word"),
    [
        (CampaignObjective.CONVERSIONS, {"pixel_id": None}, "--pixel"),
        (CampaignObjective.CATALOG_SALES, {"product_set_id": None}, "--product-set"),
        (CampaignObjective.TRAFFIC, {"page_id": ""}, "--page"),
    ],
)
def test_what_an_objective_needs_is_asked_for_before_anything_is_made(
    objective: CampaignObjective, lacking: dict[str, Any], word: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_connection(with_creatives(1, objective=objective), replace(connection(), **lacking))
    assert word in refused.value.remedy


def test_a_campaign_in_another_currency_than_the_account_is_refused() -> None:
    with pytest.raises(InputError, match="USD"):
        check_connection(with_creatives(1), connection(currency="USD"))
