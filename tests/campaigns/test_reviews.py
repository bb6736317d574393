"""What a review amounts to, in the seeds' words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.campaign_samples import NOW
from zyenta_ads_pipeline.campaigns.reviews import status_from
from zyenta_ads_pipeline.domain.campaign import CAMPAIGN_TRANSITIONS, CampaignStatus
from zyenta_ads_pipeline.domain.launch import AdReview, CampaignReview

END = NOW + timedelta(days=7)


def ad(effective: str, **more: Any) -> AdReview:
    given: dict[str, Any] = {
        "ad_id": "1",
        "ad_set_id": "2",
        "name": "Warm",
        "configured_status": "PAUSED",
        "effective_status": effective,
    }
    return AdReview(**(given | more))


def review(*ads: AdReview, configured: str = "PAUSED", **more: Any) -> CampaignReview:
    given: dict[str, Any] = {
        "campaign_id": "9",
        "configured_status": configured,
        "effective_status": configured,
        "issues": (),
        "ads": ads,
        "observed_at": NOW,
    }
    return CampaignReview(**(given | more))


REJECTED = ad("DISAPPROVED", feedback={"Personal attributes": "The text speaks of the reader."})


@pytest.mark.parametrize(
    ("seen", "status", "words"),
    [
        (review(ad("IN_PROCESS")), CampaignStatus.PENDING_REVIEW, "1 of 1 ads are in review"),
        (review(ad("PENDING_REVIEW"), ad("PAUSED")), CampaignStatus.PENDING_REVIEW, "1 of 2"),
        (review(ad("CAMPAIGN_PAUSED")), CampaignStatus.PAUSED, "paused"),
        (review(ad("ACTIVE"), configured="ACTIVE"), CampaignStatus.ACTIVE, "switched on"),
        (review(REJECTED), CampaignStatus.REJECTED, "speaks of the reader"),
        (review(REJECTED, ad("PAUSED")), CampaignStatus.PAUSED, "1 of 2 ads disapproved"),
        (review(ad("PENDING_BILLING_INFO")), CampaignStatus.ERROR, "billing"),
        (review(ad("WITH_ISSUES", issues=("The link is dead.",))), CampaignStatus.ERROR, "dead"),
        (review(effective_status="WITH_ISSUES"), CampaignStatus.ERROR, "Ads Manager"),
        (review(effective_status="DELETED"), CampaignStatus.COMPLETED, "deleted"),
        (review(ad("DELETED"), configured="ACTIVE"), CampaignStatus.ACTIVE, ""),
    ],
)
def test_each_state_has_its_word_and_its_reason(
    seen: CampaignReview, status: CampaignStatus, words: str
) -> None:
    found, reason = status_from(seen, END, NOW)
    assert found is status
    assert words in reason
    assert reason


def test_a_campaign_past_its_end_is_completed_whatever_its_ads_are() -> None:
    over = review(REJECTED, configured="ACTIVE")
    assert status_from(over, NOW, NOW)[0] is CampaignStatus.COMPLETED
    assert status_from(over, None, NOW)[0] is CampaignStatus.REJECTED


_words = st.sampled_from(
    [
        *("ACTIVE", "PAUSED", "IN_PROCESS", "PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED"),
        *("CAMPAIGN_PAUSED", "ADSET_PAUSED", "WITH_ISSUES", "PENDING_BILLING_INFO", "DELETED"),
    ]
)


@given(st.lists(_words, max_size=6), st.sampled_from(["ACTIVE", "PAUSED"]), st.booleans())
def test_a_review_never_leads_where_a_launched_campaign_may_not_go(
    ads: list[str], configured: str, ended: bool
) -> None:
    seen = review(*map(ad, ads), configured=configured)
    status, reason = status_from(seen, NOW if ended else END, NOW)
    assert reason
    assert status is not CampaignStatus.DRAFT
    assert status in CAMPAIGN_TRANSITIONS[CampaignStatus.PENDING_REVIEW] | {
        CampaignStatus.PENDING_REVIEW
    }
