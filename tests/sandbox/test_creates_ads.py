"""Creating ads, Meta's review of them, issues, and the hand of a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.creating import BROAD, Maker, codes


def effective(client: Client, thing: str) -> str:
    return str(client.get(thing, fields="effective_status")["effective_status"])


def pass_review(client: Client) -> None:
    client.sandbox.advance(hours=0.26)


def test_review_takes_its_time(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign, adset, creative, ad = maker.tree()
    seen = fresh.get(ad, fields="campaign_id,adset_id,creative,configured_status,effective_status")
    assert seen == {
        "id": ad, "campaign_id": campaign, "adset_id": adset, "creative": {"id": creative},
        "configured_status": "PAUSED", "effective_status": "IN_PROCESS",
    }  # fmt: skip
    for each in (campaign, adset, ad):
        fresh.post(each, status="ACTIVE")
    fresh.sandbox.advance(hours=0.1)
    assert effective(fresh, ad) == "PENDING_REVIEW"
    pending = [{"field": "effective_status", "operator": "IN", "value": ["PENDING_REVIEW"]}]
    assert fresh.every(f"{fresh.account}/ads", filtering=pending) == [{"id": ad}]
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    assert effective(fresh, ad) == "PENDING_REVIEW"
    fresh.sandbox.advance(hours=0.2)
    assert effective(fresh, ad) == "ACTIVE"
    fresh.post(adset, status="PAUSED")
    assert effective(fresh, ad) == "ADSET_PAUSED"
    fresh.post(campaign, status="PAUSED")
    assert effective(fresh, ad) == "CAMPAIGN_PAUSED"
    fresh.post(ad, status="PAUSED")
    assert effective(fresh, ad) == "PAUSED"


@pytest.mark.parametrize(("message", "policy"), [
    ("A guaranteed cure for cold feet.", "Unrealistic Outcomes"),
    ("Lose 10 kg in a week.", "Unrealistic Outcomes"),
    ("Are you overweight? Walk.", "Personal Attributes"),
    ("BUY THIS SHOE TODAY", "Grammar and Profanity"),
    ("Vapes at half price.", "Prohibited Products"),
])  # fmt: skip
def test_texts_against_policy_are_disapproved(fresh: Client, message: str, policy: str) -> None:
    maker = Maker(fresh)
    adset = maker.adset(maker.campaign())
    ad = maker.ad(adset, maker.creative(object_story_spec=maker.story(message=message)))
    assert "ad_review_feedback" not in fresh.get(ad, fields="ad_review_feedback")
    pass_review(fresh)
    seen = fresh.get(ad, fields="effective_status,ad_review_feedback")
    assert seen["effective_status"] == "DISAPPROVED"
    assert list(seen["ad_review_feedback"]["global"]) == [policy]
    fresh.post(ad, creative={"creative_id": maker.creative()})
    assert effective(fresh, ad) == "IN_PROCESS"
    pass_review(fresh)
    assert effective(fresh, ad) == "PAUSED"


def test_verdicts_by_hand(fresh: Client) -> None:
    maker = Maker(fresh)
    *_, ad = maker.tree()
    feedback = {"Misleading Claims": "Prove it."}
    fresh.sandbox.review(ad_id=ad, verdict="disapproved", feedback=feedback)
    seen = fresh.get(ad, fields="effective_status,ad_review_feedback")
    assert seen["effective_status"] == "DISAPPROVED"
    assert seen["ad_review_feedback"] == {"global": feedback}
    fresh.sandbox.review(ad_id=ad, verdict="approved")
    assert effective(fresh, ad) == "PAUSED"
    fresh.sandbox.review(ad_id=ad, verdict="pending")
    assert effective(fresh, ad) == "IN_PROCESS"
    fresh.sandbox.review(minutes=0)
    *_, ad = maker.tree()
    assert effective(fresh, ad) == "PAUSED"
    states = {row["ad_id"]: row["state"] for row in fresh.sandbox.review()["ads"]}
    assert states[ad] == "APPROVED"


def test_a_new_audience_is_reviewed_anew(fresh: Client) -> None:
    maker = Maker(fresh)
    _, adset, _, ad = maker.tree()
    pass_review(fresh)
    fresh.post(adset, daily_budget=3000)
    assert effective(fresh, ad) == "PAUSED"
    narrower = {**BROAD, "age_max": 65, "locales": [6]}
    fresh.post(adset, targeting=narrower)
    assert effective(fresh, ad) == "IN_PROCESS"
    seen = fresh.get(adset, fields="targeting")["targeting"]
    assert seen == {**narrower, "age_min": 18}
    fresh.post(adset, targeting={"geo_locations": {"countries": ["CA"]}})
    seen = fresh.get(adset, fields="targeting")["targeting"]
    assert seen == {"geo_locations": {"countries": ["CA"]}, "age_min": 18, "age_max": 65}


@pytest.mark.parametrize(("other", "subcode"), [
    ({"name": ""}, None),
    ({"adset_id": ""}, None),
    ({"creative": ""}, None),
    ({"status": ""}, None),
    ({"status": "DELETED"}, None),
    ({"creative": {"creative_id": "99"}}, None),
    ({"creative": "{'creative_id': '99'}"}, None),
    ({"adset_id": "99"}, None),
    ({"bid_amount": 5}, None),
    ({"conversion_domain": "https://shop.example"}, None),
])  # fmt: skip
def test_refused(fresh: Client, other: dict[str, Any], subcode: int | None) -> None:
    maker = Maker(fresh)
    adset, creative = maker.adset(maker.campaign()), maker.creative()
    fields = {"name": "Ad", "adset_id": adset, "status": "PAUSED",
              "creative": {"creative_id": creative}} | other  # fmt: skip
    assert codes(fresh.refused(f"{fresh.account}/ads", "POST", **fields)) == (100, subcode)


def test_ads_that_do_not_fit_their_ad_set(fresh: Client) -> None:
    maker = Maker(fresh)
    text = {"page_id": maker.page, "text_data": {"message": "Light."}}
    adset, creative = maker.adset(maker.campaign()), maker.creative(object_story_spec=text)
    fields = {"name": "Ad", "adset_id": adset, "status": "PAUSED",
              "creative": {"creative_id": creative}}  # fmt: skip
    assert codes(fresh.refused(f"{fresh.account}/ads", "POST", **fields)) == (100, 2446383)
    fresh.http.delete(f"/v26.0/{adset}")
    fields["creative"] = {"creative_id": maker.creative()}
    assert codes(fresh.refused(f"{fresh.account}/ads", "POST", **fields)) == (100, 1487056)


def test_a_creative_made_inline(fresh: Client) -> None:
    maker = Maker(fresh)
    inline = {"name": "Inline", "object_story_spec": maker.story()}
    ad = maker.ad(maker.adset(maker.campaign()), "", creative=inline)
    creative = fresh.get(ad, fields="creative{id,name}")["creative"]
    assert creative["name"] == "Inline"
    assert fresh.get(creative["id"], fields="title")["title"] == "Ridge shoe"


def test_at_most_fifty_ads(fresh: Client) -> None:
    maker = Maker(fresh)
    adset, creative = maker.adset(maker.campaign()), maker.creative()
    made = [maker.ad(adset, creative) for _ in range(50)]
    fields = {"name": "Ad", "adset_id": adset, "status": "PAUSED",
              "creative": {"creative_id": creative}}  # fmt: skip
    assert fresh.refused(f"{fresh.account}/ads", "POST", **fields)["code"] == 100
    fresh.http.delete(f"/v26.0/{made[0]}")
    assert fresh.post(f"{fresh.account}/ads", **fields)["id"]


def test_issues(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign, adset, _, ad = maker.tree()
    for each in (campaign, adset, ad):
        fresh.post(each, status="ACTIVE")
    pass_review(fresh)
    fresh.sandbox.raise_issues(adset, [{"error_summary": "Audience too small"}])
    seen = fresh.get(adset, fields="effective_status,issues_info")
    assert seen["effective_status"] == "WITH_ISSUES"
    assert seen["issues_info"][0]["level"] == "AD_SET"
    assert seen["issues_info"][0]["error_summary"] == "Audience too small"
    assert effective(fresh, ad) == "ACTIVE"
    fresh.sandbox.raise_issues(adset, [])
    assert effective(fresh, adset) == "ACTIVE"


def test_edits_by_a_person_are_not_the_clients(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign, adset, _, ad = maker.tree()
    before = fresh.get(adset, fields="updated_time")["updated_time"]
    writes = fresh.sandbox.writes()
    fresh.sandbox.edit(adset, daily_budget=7000, name="Renamed by hand", bid_amount=5)
    seen = fresh.get(adset, fields="updated_time,daily_budget,name,bid_amount")
    assert (seen["daily_budget"], seen["name"], seen["bid_amount"]) == (
        "7000",
        "Renamed by hand",
        5,
    )
    assert seen["updated_time"] > before
    fresh.sandbox.edit(ad, status="ARCHIVED")
    assert effective(fresh, ad) == "ARCHIVED"
    assert fresh.sandbox.writes() == writes
    assert [w["new"] for w in writes] == ["campaign", "adset", "creative", "ad"]
    url = f"{fresh.sandbox.url}/_sandbox/edit"
    for wrong in ({"id": "9", "fields": {"name": "x"}}, {"id": campaign, "fields": {"legs": 4}}):
        assert fresh.http.post(url, json=wrong).status_code == 400
