"""The office: settings that follow what is set, and answers that are kept within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.desk_home import ADA, EVA, VIC
from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.numbers_lake import MOST_KEPT, MOST_WEIGHT, Kept, Watch
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.settings import Settings


def test_a_kill_switch_that_is_set_holds_without_a_new_start(
    desks: Desks, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert office.settings.autopilot is Autopilot.APPROVE
    assert desks.switches.stopped(VIC) is None
    monkeypatch.setenv("ZYENTA_KILL_SWITCH", "true")
    assert "ZYENTA_KILL_SWITCH is set" in (desks.switches.stopped(VIC) or "")
    assert "ZYENTA_KILL_SWITCH" in (desks.accounts.get(VIC, "101").stopped or "")
    monkeypatch.delenv("ZYENTA_KILL_SWITCH")
    assert desks.switches.stopped(VIC) is None


def test_the_autopilot_and_limits_of_env_are_followed(
    desks: Desks, office: Office, settings: Settings, tmp_path: Path
) -> None:
    other = f"ZYENTA_BUDGET_CAP=77\nZYENTA_HOME={tmp_path}/other\nZYENTA_CONSOLE_SECRET={'x' * 40}"
    (tmp_path / ".env").write_text(other)
    assert bounds_of(office.settings, "101", store=office.store).cap == 77
    caps = [each.value for each in desks.rules.of_account(VIC, "101").rules if each.name == "cap"]
    assert caps == [77]
    assert office.settings is office.settings
    assert office.settings.home == settings.home, "its place stays"
    assert office.settings.console_secret is None, "nobody's form is from an older page"


def test_settings_that_cannot_be_used_change_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZYENTA_AUTOPILOT", "nonsense")
    assert office.settings.autopilot is Autopilot.APPROVE


def test_pages_and_desks_share_their_numbers(office: Office) -> None:
    assert Site(office).numbers is office.numbers
    assert Desks(office).accounts._numbers is office.numbers


def test_kept_answers_are_bounded_by_their_rows_and_number(office: Office) -> None:
    kept = Kept(Watch(office.lake))
    for number in range(100):
        kept.of(("series", number), (), lambda _: "x" * 731, len)
    assert kept.size == (MOST_WEIGHT // 731, MOST_WEIGHT // 731 * 731)
    assert kept.of(("series", 99), (), lambda _: "anew", len) != "anew", "the newest is kept"
    assert kept.of(("series", 0), (), lambda _: "anew", len) == "anew"
    for number in range(2 * MOST_KEPT):
        kept.of(("small", number), (), lambda _: "")
    assert kept.size == (MOST_KEPT, MOST_KEPT)
    assert len(kept.of("whole", (), lambda _: "x" * (MOST_WEIGHT + 1), len)) > MOST_WEIGHT
    assert kept.size == (MOST_KEPT, MOST_KEPT), "what is too large for all is given and not kept"


def test_one_account_costs_one_account(
    desks: Desks, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", ",".join(str(200 + each) for each in range(20)))
    assert len(desks.accounts.all(ADA)) == 21
    asked: list[str] = []
    monkeypatch.setattr(desks.accounts, "_quota", asked.append)
    assert desks.accounts.get(EVA, "act_203").account_id == "203"
    assert asked == ["203"]
