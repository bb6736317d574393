"""Rules set in the console: over the file, checked like the file, obeyed by what writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tests.console.desk_home import ADA, EVA, VIC, acts
from tests.store.campaign_samples import launched
from zyenta_ads_pipeline.account_rules import bounds_of, rules_of
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.rule_specs import ACCOUNT_RULES, CAMPAIGN_RULES
from zyenta_ads_pipeline.console.desks.rules import RuleOrigin, RuleScope, RuleSheet
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import FieldsRefused, NotAllowed, NotThere, Stale
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.own_rules import OwnRules

D = Decimal
OWN = RuleScope("act_101")
CAMPAIGN = RuleScope("101", "9001")


def value(sheet: RuleSheet, name: str) -> tuple[Any, RuleOrigin]:
    (found,) = [rule for rule in sheet.rules if rule.name == name]
    return found.value, found.origin


def test_a_sheet_tells_of_the_campaigns_with_rules_of_their_own_alone(
    desks: Desks, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        launched(office.store, platform_campaign_id=f"900{number}")
    read: list[int] = []
    find = Campaigns.find

    def counted(self: Campaigns, **given: Any) -> Any:
        found = find(self, **given)
        read.append(len(found))
        return found

    monkeypatch.setattr(Campaigns, "find", counted)
    assert desks.rules.of_account(VIC, "101").campaigns == {}
    sheet = desks.rules.set(ADA, CAMPAIGN, "locked", "yes")
    assert set(sheet.campaigns) == {"9001"}
    assert sheet.currency == "EUR"
    assert max(read, default=0) <= 1, "ten thousand campaigns cost no more than one"


def test_a_rule_of_the_console_goes_before_file_and_settings(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accounts.toml").write_text(
        "[all]\nmax_step = 0.15\n[act_101]\ntotal = 500\n[act_101.campaigns.9001]\ncap = 70\n"
    )
    monkeypatch.setenv("ZYENTA_ACCOUNTS_FILE", str(tmp_path / "accounts.toml"))
    other = Desks(Office(load_settings()))
    sheet = other.rules.of_account(VIC, "101")
    assert value(sheet, "max_step") == (D("0.15"), RuleOrigin.FILE_ALL)
    assert value(sheet, "total") == (D(500), RuleOrigin.FILE)
    assert value(sheet, "autopilot") == ("approve", RuleOrigin.SETTINGS)
    assert value(sheet, "dead_band") == (D("0.03"), RuleOrigin.DEFAULT)
    sheet = other.rules.set(ADA, OWN, "total", "650.50", sheet.version)
    assert value(sheet, "total") == (D("650.50"), RuleOrigin.CONSOLE)
    other.rules.set(ADA, OWN, "policy", "equal")
    other.rules.set(ADA, OWN, "cap", "none")
    sheet = other.rules.set(ADA, CAMPAIGN, "locked", "yes")
    own = {rule.name: (rule.value, rule.origin) for rule in sheet.campaigns["9001"]}
    assert own["locked"] == (True, RuleOrigin.CONSOLE)
    assert own["cap"] == (D(70), RuleOrigin.FILE)
    settings = load_settings()
    rules = rules_of(settings, "101")
    assert (rules.policy.name, rules.total, rules.max_step) == ("equal", D("650.50"), D("0.15"))
    assert rules.campaigns["9001"].locked
    assert rules.campaigns["9001"].cap == D(70)
    assert bounds_of(settings, "102").total is None
    sheet = other.rules.unset(ADA, OWN, "total")
    assert value(sheet, "total") == (D(500), RuleOrigin.FILE)
    other.rules.unset(ADA, OWN, "total")
    assert bounds_of(settings, "101").total == D(500)
    told = [(each.name, each.set) for each in other.rules.history(VIC, "101")]
    assert told == [
        ("total", False),
        ("locked", True),
        ("cap", True),
        ("policy", True),
        ("total", True),
    ]


def test_the_autopilot_of_one_campaign_is_set(desks: Desks, office: Office) -> None:
    desks.rules.set(ADA, OWN, "autopilot", "auto")
    desks.rules.set(ADA, CAMPAIGN, "autopilot", "watch")
    bounds = bounds_of(office.settings, "101", store=office.store)
    assert bounds.autopilot_of("9001") is Autopilot.WATCH
    assert bounds.autopilot_of("9002") is Autopilot.AUTO
    assert acts(office) == [("ada", "rule.set", False)] * 2


def test_rules_are_for_admins(desks: Desks, office: Office) -> None:
    for person in (VIC, EVA):
        with pytest.raises(NotAllowed):
            desks.rules.set(person, OWN, "cap", "5")
        with pytest.raises(NotAllowed):
            desks.rules.unset(person, OWN, "cap")
        assert desks.rules.of_account(person, "101").currency == "EUR"
    assert all(refused for _, _, refused in acts(office))
    with pytest.raises(NotThere):
        desks.rules.of_account(VIC, "999")
    with pytest.raises(NotThere):
        desks.rules.set(ADA, RuleScope("999"), "cap", "5")


WRONG: list[tuple[RuleScope, str, Any]] = [
    (OWN, "floor", "-1"),
    (OWN, "floor", "none"),
    (OWN, "cap", "5"),  # below the floor of 10
    (OWN, "cap", "much"),
    (OWN, "cap", 12.5),
    (OWN, "max_step", "11"),
    (OWN, "autopilot", "on"),
    (OWN, "policy", "policies/mine.py:Mine"),
    (OWN, "window_days", "2"),
    (OWN, "cooldown_days", "0"),
    (OWN, "cooldown_days", "1.5"),
    (OWN, "goal", "target_roas"),  # without a target
    (OWN, "target", "none"),
    (OWN, "week_cap", "1" * 50),
    (OWN, "groups", "x"),
    (OWN, "locked", "yes"),
    (CAMPAIGN, "policy", "equal"),
    (CAMPAIGN, "cap", "5"),
    (CAMPAIGN, "locked", "perhaps"),
]


@pytest.mark.parametrize(("scope", "name", "given"), WRONG)
def test_a_rule_that_cannot_be_is_refused_by_its_name(
    desks: Desks, scope: RuleScope, name: str, given: Any
) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desks.rules.set(ADA, scope, name, given)
    (problem,) = refused.value.problems
    assert problem.field == name
    assert problem.what
    assert problem.remedy
    assert desks.rules.history(ADA, "101") == []


def test_a_campaign_is_named_by_its_own_id(desks: Desks) -> None:
    with pytest.raises(FieldsRefused, match="digits"):
        desks.rules.set(ADA, RuleScope("101", "../x"), "locked", "yes")


GOOD: list[tuple[RuleScope, str, Any]] = [
    (OWN, "autopilot", "auto"), (OWN, "policy", "roas_thresholds"), (OWN, "goal", "revenue"),
    (OWN, "target", "2.5"), (OWN, "margin", D("0.4")), (OWN, "total", None),
    (OWN, "week_cap", "7000"), (OWN, "floor", "0"), (OWN, "cap", D(40)), (OWN, "max_step", "0.3"),
    (OWN, "max_day_change", "0.5"), (OWN, "max_week_growth", "none"),
    (OWN, "max_week_change", "1"), (OWN, "dead_band", "0"), (OWN, "window_days", 14),
    (OWN, "cooldown_days", 2), (OWN, "reversal_days", "0"), (OWN, "pause_days", "7"),
    (OWN, "test_metric", "revenue_per_impression"), (OWN, "test_days", "14"),
    (CAMPAIGN, "autopilot", "none"), (CAMPAIGN, "locked", False), (CAMPAIGN, "floor", "12"),
    (CAMPAIGN, "cap", "none"),
]  # fmt: skip


def test_every_rule_can_be_set_and_is_shown(desks: Desks, office: Office) -> None:
    for scope, name, given in GOOD:
        sheet = desks.rules.set(ADA, scope, name, given)
        assert sheet.problem == ""
    assert {name for scope, name, _ in GOOD if scope is OWN} == {
        each.name for each in ACCOUNT_RULES
    }
    assert {n for scope, n, _ in GOOD if scope is CAMPAIGN} == {
        each.name for each in CAMPAIGN_RULES
    }
    assert all(rule.origin is RuleOrigin.CONSOLE for rule in sheet.rules)
    assert all(rule.by == "ada" and rule.label and rule.help for rule in sheet.rules)
    rules = rules_of(office.settings, "101", store=office.store)
    assert (rules.caution.cooldown_days, rules.tests.days, rules.window_days) == (2, 14, 14)
    assert rules.max_week_growth is None


def test_a_stale_sheet_sets_nothing(desks: Desks) -> None:
    seen = desks.rules.of_account(VIC, "101").version
    desks.rules.set(ADA, OWN, "cap", "80", seen)
    with pytest.raises(Stale):
        desks.rules.set(ADA, OWN, "cap", "90", seen)
    with pytest.raises(Stale):
        desks.rules.unset(ADA, OWN, "cap", seen)


def test_of_two_who_saw_the_same_sheet_one_sets(desks: Desks) -> None:
    seen = desks.rules.of_account(VIC, "101").version
    both = Barrier(2)

    def ask(amount: str) -> str:
        both.wait()
        try:
            desks.rules.set(ADA, OWN, "cap", amount, seen)
        except Stale:
            return "stale"
        return amount

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(ask, ("100", "5000")))
    assert "stale" in found
    (won,) = set(found) - {"stale"}
    assert value(desks.rules.of_account(VIC, "101"), "cap")[0] == D(won)
    assert len(desks.rules.history(VIC, "101")) == 1


def test_the_sheet_is_held_against_what_stands_when_it_is_set(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = desks.rules.of_account(VIC, "101").version
    put = OwnRules.put

    def late(rules: OwnRules, *asked: Any, **more: Any) -> None:
        monkeypatch.setattr(OwnRules, "put", put)
        desks.rules.set(ADA, OWN, "cap", "100")
        rules.put(*asked, **more)

    monkeypatch.setattr(OwnRules, "put", late)
    with pytest.raises(Stale):
        desks.rules.set(ADA, OWN, "cap", "5000", seen)
    assert value(desks.rules.of_account(VIC, "101"), "cap")[0] == D(100)


def test_a_broken_file_is_told_and_shows_the_settings(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accounts.toml").write_text("[act_101]\nfloor = 'ten'\n")
    monkeypatch.setenv("ZYENTA_ACCOUNTS_FILE", str(tmp_path / "accounts.toml"))
    sheet = Desks(Office(load_settings())).rules.of_account(VIC, "101")
    assert "accounts.toml" in sheet.problem
    assert value(sheet, "floor") == (D(10), RuleOrigin.SETTINGS)
