"""ETag and If-Match: nobody's edit is lost."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.api.home import API, Home, proposal, proposed
from tests.api.test_problems import checked
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.orders import Orders
from zyenta_ads_pipeline.store.outbox import Outbox


def test_a_campaigns_budget_is_set_on_what_was_seen(home: Home) -> None:
    own = home.campaigns[1]
    address = f"{API}/campaigns/{own.id}"
    with home.client() as client:
        seen = client.get(address)
        tag = seen.headers["etag"]
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
        body = {"daily_budget": 60.5}
        told = checked(client.patch(address, json=body), 428)
        assert told["errors"][0]["field"] == "If-Match"
        checked(client.patch(address, json=body, headers={"If-Match": '"0123"'}), 412)
        Campaigns(home.store).set_budget(own.id, 7000, "eva", "meanwhile", datetime.now(UTC))
        checked(client.patch(address, json=body, headers={"If-Match": tag}), 412)
        newer = client.get(address).headers["etag"]
        assert newer != tag
        done = client.patch(address, json=body, headers={"If-Match": newer})
        assert done.status_code == 200, done.text
    (order,) = Orders(home.store).find(campaign_id=own.id)
    assert order.payload == {"daily_budget_minor": 6050}


def test_a_proposal_is_edited_on_what_was_seen(home: Home) -> None:
    own = home.campaigns[1]
    assert own.platform_campaign_id is not None
    (change,) = proposed(home.store, proposal(own.platform_campaign_id))
    address = f"{API}/changes/{change}"
    with home.client() as client:
        seen = client.get(address)
        tag = seen.headers["etag"]
        assert tag == f'"{seen.json()["version"]}"'
        assert seen.json()["newBudget"] == 55.0
        body = {"daily_budget": 53}
        checked(client.patch(address, json=body), 428)
        checked(client.patch(address, json=body, headers={"If-Match": '"0123"'}), 412)
        done = client.patch(address, json=body, headers={"If-Match": tag})
        assert done.status_code == 200, done.text
        assert done.json()["newBudget"] == 53.0
        assert done.json()["state"] == "approved"
        gone = client.patch(address, json=body, headers={"If-Match": "*"})
        checked(gone, 409)
    assert Outbox(home.store).get(change).state.value == "superseded"


def test_two_buyers_approve_one_change(home: Home) -> None:
    own = home.campaigns[1]
    assert own.platform_campaign_id is not None
    (change,) = proposed(home.store, proposal(own.platform_campaign_id))
    with home.client() as one, home.client(Role.ADMIN) as other:
        first = one.post(f"{API}/changes/{change}/approve")
        assert first.status_code == 200, first.text
        assert [each["id"] for each in first.json()["changes"]] == [change]
        second = other.post(f"{API}/changes/approve", json={"ids": [change]})
        assert second.status_code == 200, second.text
        (already,) = second.json()["already"]
        assert already["by"] == "the buyer"
        assert second.json()["changes"] == []
        journal = other.get(f"{API}/changes/{change}/journal").json()["journal"]
        assert journal[-1]["toState"] == "approved"


def test_of_two_with_one_etag_one_sets_the_budget(home: Home) -> None:
    address = f"{API}/campaigns/{home.campaigns[1].id}"
    with home.client() as one, home.client(Role.ADMIN) as other:
        tag = {"If-Match": one.get(address).headers["etag"]}
        assert one.patch(address, json={"daily_budget": 60}, headers=tag).status_code == 200
        checked(other.patch(address, json={"daily_budget": 70}, headers=tag), 412)
        again = one.patch(address, json={"daily_budget": 60}, headers=tag)
        assert again.status_code == 200, "a repeated call is the same order"
        (order,) = other.get(f"{address}/orders").json()["orders"]
        assert order["payload"] == {"daily_budget_minor": 6000}
        newer = {"If-Match": other.get(address).headers["etag"]}
        assert other.patch(address, json={"daily_budget": 70}, headers=newer).status_code == 200


def test_of_several_changes_each_is_told_for_itself(home: Home) -> None:
    first, second = proposed(home.store, proposal("1"), proposal("2", decision_id="d2"))
    with home.client() as client:
        checked(client.post(f"{API}/changes/reject", json={"ids": ["none"]}), 404)
        sent = {"ids": [first, second, "none"], "versions": {second: "0123"}}
        told = client.post(f"{API}/changes/approve", json=sent)
        assert told.status_code == 200, told.text
        found = told.json()
        assert (found["success"], [each["id"] for each in found["changes"]]) == (False, [first])
        assert {each["id"]: each["status"] for each in found["refused"]} == {
            second: 412,
            "none": 404,
        }
        assert all(each["detail"] and each["remedy"] for each in found["refused"])
        assert {each["id"] for each in found["refused"] if each["change"] is None} == {"none"}
        done = client.post(f"{API}/changes/reject", json={"ids": [first, second]}).json()
        assert (done["success"], len(done["changes"]), done["refused"]) == (True, 2, [])


def test_a_rejection_may_give_its_reason_and_a_decided_change_stays(home: Home) -> None:
    own = home.campaigns[1]
    assert own.platform_campaign_id is not None
    (change,) = proposed(home.store, proposal(own.platform_campaign_id))
    with home.client() as client:
        long = {"reason": "x" * 501}
        checked(client.post(f"{API}/changes/{change}/reject", json=long), 422)
        stale = {"ids": [change], "reason": "no", "versions": {change: "0123"}}
        checked(client.post(f"{API}/changes/reject", json=stale), 412)
        done = client.post(f"{API}/changes/{change}/reject", json={"reason": "Too much."})
        assert done.status_code == 200, done.text
        checked(client.post(f"{API}/changes/{change}/approve"), 409)
        listed = client.get(f"{API}/changes", params={"state": "rejected"}).json()
    assert [each["id"] for each in listed["changes"]] == [change]
    assert listed["byState"]["rejected"] == 1


def test_a_rejection_with_the_etag_of_the_proposal_leaves_what_was_approved(home: Home) -> None:
    own = home.campaigns[1]
    assert own.platform_campaign_id is not None
    (change,) = proposed(home.store, proposal(own.platform_campaign_id))
    address = f"{API}/changes/{change}"
    with home.client() as one, home.client(Role.ADMIN) as other:
        seen = {"If-Match": one.get(address).headers["etag"]}
        other.post(f"{address}/approve")
        told = checked(one.post(f"{address}/reject", headers=seen), 412)
        assert "approved by the admin" in told["detail"]
        assert one.get(address).json()["state"] == "approved"
        newer = {"If-Match": one.get(address).headers["etag"]}
        assert one.post(f"{address}/reject", headers=newer).status_code == 200


def test_a_rule_is_set_on_what_was_seen(home: Home) -> None:
    address = f"{API}/accounts/act_101/rules"
    with home.client(Role.ADMIN) as client:
        seen = client.get(address)
        assert seen.status_code == 200, seen.text
        tag = seen.headers["etag"]
        checked(client.put(f"{address}/max_step", json={"value": "0.15"}), 428)
        done = client.put(f"{address}/max_step", json={"value": 0.15}, headers={"If-Match": tag})
        assert done.status_code == 200, done.text
        rules = {each["name"]: each for each in done.json()["rules"]}
        assert (rules["max_step"]["value"], rules["max_step"]["origin"]) == (0.15, "console")
        late = client.put(f"{address}/max_step", json={"value": "0.1"}, headers={"If-Match": tag})
        checked(late, 412)
        wrong = client.put(f"{address}/max_step", json={"value": "much"}, headers={"If-Match": "*"})
        assert checked(wrong, 422)["errors"][0]["field"] == "max_step"
        back = client.delete(
            f"{address}/max_step", headers={"If-Match": client.get(address).headers["etag"]}
        )
        assert back.status_code == 200, back.text
        history = client.get(f"{address}-history").json()["history"]
    assert [each["set"] for each in history] == [False, True]
