"""Kill switches: what they stop, and that every throw and lift is remembered."""

from __future__ import annotations

import pytest

from tests.store.campaign_samples import LATER, NOW
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.switches import KillSwitches, Switch


@pytest.fixture
def switches(store: Store) -> KillSwitches:
    return KillSwitches(store)


def test_one_account_is_stopped(switches: KillSwitches) -> None:
    assert switches.stopped("101") is None
    switches.throw("act_101", by="eva", reason="wrong prices", now=NOW)
    told = "Account 101 was stopped by eva at 2026-11-20 12:00 UTC: wrong prices"
    assert switches.stopped("101") == switches.stopped("act_101") == told
    assert switches.stopped("102") is None
    assert switches.stopped(None) is None
    assert switches.all() == [Switch("101", "eva", "wrong prices", NOW)]
    assert switches.lift("101", by="max", now=LATER, reason="mended")
    assert switches.stopped("101") is None
    assert switches.all() == []


def test_all_accounts_are_stopped_until_all_are_lifted(switches: KillSwitches) -> None:
    switches.throw("101", by="eva", reason="a", now=NOW)
    switches.throw(None, by="eva", reason="fire", now=LATER)
    for account in ("101", "102", None):
        assert "Every account" in (switches.stopped(account) or "")
    assert [each.account_id for each in switches.all()] == [None, "101"]
    assert not switches.lift("102", by="max", now=LATER)
    assert switches.stopped("102")
    assert switches.lift(None, by="max", now=LATER)
    assert switches.stopped("102") is None
    assert "Account 101" in (switches.stopped("101") or "")


def test_every_throw_and_lift_is_remembered(switches: KillSwitches) -> None:
    switches.throw("101", by="eva", reason="a", now=NOW)
    switches.throw("101", by="max", reason="b", now=LATER)
    assert switches.all() == [Switch("101", "max", "b", LATER)]
    switches.lift("101", by="eva", now=LATER)
    assert not switches.lift("101", by="eva", now=LATER)
    told = [(each.account_id, each.thrown, each.by, each.reason) for each in switches.history()]
    assert told == [
        ("101", True, "eva", "a"),
        ("101", True, "max", "b"),
        ("101", False, "eva", ""),
    ]


@pytest.mark.parametrize("account", ["", "*", "act_", "all"])
def test_what_is_no_account_is_refused(switches: KillSwitches, account: str) -> None:
    with pytest.raises(InputError, match="not an ad account"):
        switches.throw(account, by="eva", reason="", now=NOW)
