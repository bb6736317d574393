"""Requests for campaigns: asked once, worked on by one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.campaign_samples import LATER, LEASE, NOW, launched, opened, request
from zyenta_ads_pipeline.domain.errors import IllegalTransition, InputError
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.requests import CampaignRequests, RequestLost


@pytest.fixture
def requests(store: Store) -> CampaignRequests:
    return CampaignRequests(opened(store))


def test_a_request_is_kept_as_it_was_asked(requests: CampaignRequests) -> None:
    asked = request(name="Winter", product_ids=["p2", "p1"])
    taken, is_new = requests.add(asked, key=None)
    assert is_new
    assert taken == requests.get(asked.id) == replace(asked, product_ids=("p2", "p1"))
    state = requests.state(asked.id)
    assert (state.state, state.attempt, state.campaign_id, state.error) == (
        "waiting",
        0,
        None,
        None,
    )


def test_the_same_key_and_body_give_the_first_back(requests: CampaignRequests) -> None:
    first, _ = requests.add(request(), key="k1")
    again = replace(first, id="other", requested_at=LATER, requested_by="max")
    assert requests.add(again, key="k1") == (first, False)
    assert requests.add(replace(again, id="third"), key="k2")[1]
    assert [each.id for each in requests.waiting()] == [first.id, "third"]


def test_the_same_key_with_another_body_is_refused(requests: CampaignRequests) -> None:
    first, _ = requests.add(request(), key="k1")
    for change in ({"daily_budget_minor": 1}, {"product_ids": ()}, {"variations": 2}):
        with pytest.raises(InputError, match=f"{first.id}.*asks for something else"):
            requests.add(replace(first, id="other", **change), key="k1")


def test_requests_that_cannot_be(requests: CampaignRequests) -> None:
    first, _ = requests.add(request(), key=None)
    with pytest.raises(InputError, match="There is a request"):
        requests.add(first, key=None)
    with pytest.raises(InputError, match="There is no store 'gone'"):
        requests.add(request(store_id="gone"), key=None)
    with pytest.raises(InputError, match="key is empty"):
        requests.add(request(), key=" ")
    with pytest.raises(InputError, match="XXX"):
        requests.add(request(currency="XXX"), key=None)
    for call in (
        lambda: requests.get("x"),
        lambda: requests.state("x"),
        lambda: requests.claim("x", "w", LEASE, NOW),
        lambda: requests.finish("x", error="e", now=NOW),
        lambda: requests.note("x", "hm", NOW),
        lambda: requests.retry("x", NOW),
    ):
        with pytest.raises(InputError, match="There is no request 'x'"):
            call()


def test_a_request_is_claimed_once_until_its_lease_is_over(requests: CampaignRequests) -> None:
    asked, _ = requests.add(request(), key=None)
    assert requests.claim(asked.id, "a", LEASE, NOW)
    assert not requests.claim(asked.id, "b", LEASE, NOW)
    assert not requests.claim(asked.id, "a", LEASE, NOW)
    assert requests.waiting() == requests.waiting(now=NOW) == []
    over = NOW + LEASE
    assert requests.renew(asked.id, "a", LEASE, NOW + timedelta(minutes=4))
    assert not requests.claim(asked.id, "b", LEASE, over)
    over += LEASE
    assert requests.waiting() == []
    assert requests.waiting(now=over) == [asked]
    assert requests.claim(asked.id, "b", LEASE, over)
    assert not requests.renew(asked.id, "a", LEASE, over)
    state = requests.state(asked.id)
    assert (state.state, state.owner, state.attempt) == ("working", "b", 2)
    with pytest.raises(RequestLost, match="held by b and no longer by a"):
        requests.finish(asked.id, error="too late", now=over, owner="a")


def test_the_oldest_is_taken_first(requests: CampaignRequests) -> None:
    asked = [request(requested_at=NOW - timedelta(minutes=number)) for number in range(4)]
    for each in asked:
        requests.add(each, key=None)
    assert [each.id for each in requests.waiting(2)] == [asked[3].id, asked[2].id]


def test_a_request_ends_in_a_campaign(requests: CampaignRequests, store: Store) -> None:
    asked, _ = requests.add(request(), key=None)
    requests.claim(asked.id, "a", LEASE, NOW)
    requests.note(asked.id, "writing texts, 1 of 3", NOW)
    assert requests.state(asked.id).note == "writing texts, 1 of 3"
    with pytest.raises(InputError, match="There is no campaign 'gone'"):
        requests.finish(asked.id, campaign_id="gone", now=LATER)
    made = launched(store, request_id=asked.id)
    done = requests.finish(asked.id, campaign_id=made.id, now=LATER, owner="a")
    assert (done.state, done.campaign_id, done.owner) == ("done", made.id, None)
    assert requests.finish(asked.id, campaign_id=made.id, now=LATER) == done
    assert not requests.claim(asked.id, "b", LEASE, LATER + LEASE)
    with pytest.raises(IllegalTransition, match="is done and cannot become failed"):
        requests.finish(asked.id, error="no", now=LATER)
    with pytest.raises(IllegalTransition, match="is done and cannot become waiting"):
        requests.retry(asked.id, LATER)


def test_a_request_that_failed_can_be_tried_again(requests: CampaignRequests, store: Store) -> None:
    asked, _ = requests.add(request(), key=None)
    with pytest.raises(IllegalTransition, match="is waiting and cannot become failed"):
        requests.finish(asked.id, error="no", now=NOW)
    requests.claim(asked.id, "a", LEASE, NOW)
    with pytest.raises(InputError, match="without a campaign or an error"):
        requests.finish(asked.id, now=NOW)
    made = launched(store)
    failed = requests.finish(asked.id, campaign_id=made.id, error="No page.", now=NOW)
    assert (failed.state, failed.error, failed.campaign_id) == ("failed", "No page.", made.id)
    assert not requests.claim(asked.id, "a", LEASE, NOW)
    again = requests.retry(asked.id, LATER)
    assert (again.state, again.error, again.campaign_id) == ("waiting", None, made.id)
    assert requests.claim(asked.id, "b", LEASE, LATER)
    assert requests.state(asked.id).attempt == 2
