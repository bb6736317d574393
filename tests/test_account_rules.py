"""Accounts' own rules: what the file says over the settings, and what of it is refused where."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from zyenta_ads_pipeline.account_rules import bounds_of, may_write, rules_of
from zyenta_ads_pipeline.campaigns.rules import AccountBounds, CampaignRules
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.optimizer.account import Caution, Goal
from zyenta_ads_pipeline.optimizer.guardrails import CampaignRails
from zyenta_ads_pipeline.settings import Settings

D = Decimal


def settings_with(tmp_path: Path, text: str | None = None, **values: str) -> Settings:
    """Settings of these variables and a file of this text, free of this machine's own."""
    given = dict(values)
    if text is not None:
        (tmp_path / "accounts.toml").write_text(text, encoding="utf-8")
        given["ZYENTA_ACCOUNTS_FILE"] = str(tmp_path / "accounts.toml")
    with pytest.MonkeyPatch.context() as environment:
        for field in Settings.model_fields.values():
            environment.delenv(str(field.validation_alias), raising=False)
        for name, value in given.items():
            environment.setenv(name, value)
        return Settings(_env_file=None)


def test_without_a_file_the_settings_are_every_accounts_rules(tmp_path: Path) -> None:
    settings = settings_with(
        tmp_path,
        ZYENTA_POLICY="equal",
        ZYENTA_DECISION_WINDOW="14",
        ZYENTA_TOTAL_DAILY_BUDGET="500",
        ZYENTA_BUDGET_FLOOR="5",
        ZYENTA_BUDGET_CAP="250",
        ZYENTA_MAX_STEP="0.10",
        ZYENTA_AUTOPILOT="approve",
    )
    rules = rules_of(settings, "1")
    assert rules.policy.name == "equal"
    assert bounds_of(settings, "2") == AccountBounds(
        window_days=14,
        floor=D(5),
        cap=D(250),
        max_step=D("0.10"),
        total=D(500),
        autopilot=Autopilot.APPROVE,
    )


FULL = """
[all]
max_step = 0.15
cap = 80
max_week_growth = "none"

[act_123]
policy = "roas_thresholds"
window_days = 14
total = 500.10
cap = "none"
floor = 5
max_day_change = 0.1
max_week_change = 0.6
week_cap = 3_600
dead_band = 0.05
goal = "profit"
margin = 0.6
autopilot = "auto"
cooldown_days = 2
reversal_days = 5
reversal_confidence = 0.9
pause_days = 7
groups = { prospecting = 300 }

[act_123.campaigns.120210]
locked = true

[act_123.campaigns.120211]
group = "prospecting"
floor = 20
cap = 99.5
autopilot = "watch"
"""


def test_an_accounts_table_comes_before_all_and_all_before_the_settings(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, FULL, ZYENTA_BUDGET_FLOOR="7", ZYENTA_POLICY="equal")
    rules = rules_of(settings, "123")
    assert rules.policy.name == "roas_thresholds"
    assert (rules.max_step, rules.cap, rules.floor) == (D("0.15"), None, D(5))
    assert (rules.total, rules.week_cap, rules.max_week_growth) == (D("500.10"), D(3600), None)
    assert (rules.max_day_change, rules.max_week_change) == (D("0.1"), D("0.6"))
    assert (rules.goal, rules.margin, rules.autopilot) == (Goal.PROFIT, D("0.6"), Autopilot.AUTO)
    assert rules.groups == {"prospecting": D(300)}
    assert rules.campaigns == {
        "120210": CampaignRules(locked=True),
        "120211": CampaignRules(
            floor=D(20), cap=D("99.5"), group="prospecting", autopilot=Autopilot.WATCH
        ),
    }
    assert rules.caution == Caution(
        cooldown_days=2, reversal_days=5, reversal_confidence=0.9, pause_days=7
    )
    other = rules_of(settings, "9")
    assert (other.policy.name, other.cap, other.floor, other.campaigns) == (
        "equal",
        D(80),
        D(7),
        {},
    )


def test_the_rules_become_limits_and_guardrails_in_minor_units(tmp_path: Path) -> None:
    bounds = bounds_of(settings_with(tmp_path, FULL), "123")
    limits = bounds.limits("USD", 600)
    assert (limits.total_minor, limits.floor_minor, limits.cap_minor) == (50_010, 600, None)
    assert (limits.week_cap_minor, limits.dead_band) == (360_000, D("0.05"))
    assert limits.group_totals == {"prospecting": 30_000}
    assert limits.caution.cooldown_days == 2
    rails = bounds.guardrails("JPY", None, kill_switch=True)
    assert rails.kill_switch
    assert (rails.minimum_minor, rails.max_total_minor) == (1, 500)
    assert (rails.max_step, rails.day_change, rails.max_week_growth) == (D("0.15"), D("0.1"), None)
    assert rails.campaigns == {
        "120210": CampaignRails(locked=True),
        "120211": CampaignRails(cap_minor=100, watched=True),
    }


def test_a_campaigns_autopilot_never_goes_further_than_the_accounts() -> None:
    own = {"1": CampaignRules(autopilot=Autopilot.AUTO), "2": CampaignRules()}
    bounds = AccountBounds(autopilot=Autopilot.APPROVE, campaigns=own)
    assert bounds.autopilot_of("1") is Autopilot.APPROVE
    assert bounds.autopilot_of("2") is Autopilot.APPROVE
    assert bounds.autopilot_of("3") is Autopilot.APPROVE
    tight = AccountBounds(
        autopilot=Autopilot.AUTO, campaigns={"1": CampaignRules(autopilot=Autopilot.WATCH)}
    )
    assert tight.autopilot_of("1") is Autopilot.WATCH


def test_the_file_is_read_anew_each_time(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, '[act_1]\nautopilot = "auto"\n')
    assert bounds_of(settings, "1").autopilot is Autopilot.AUTO
    (tmp_path / "accounts.toml").write_text('[act_1]\nautopilot = "watch"\n')
    assert bounds_of(settings, "1").autopilot is Autopilot.WATCH


REFUSED = {
    "[act_1]\nmax_step = '0.1'": "act_1.max_step: must be a number, without quotes",
    "[act_1]\nmax_step = true": "act_1.max_step: must be a number, without quotes",
    "[act_1]\nmax_step = 0": "act_1.max_step: Input should be greater than 0",
    "[act_1]\nmax_step = 20": "act_1.max_step: Input should be less than or equal to 10",
    "[act_1]\ntotal = nan": "act_1.total: Input should be a finite number",
    "[act_1]\ntotal = inf": "act_1.total: Input should be a finite number",
    "[act_1]\ntotal = -5": "act_1.total: Input should be greater than 0",
    "[act_1]\ncap = 'all'": "act_1.cap: must be a number, without quotes",
    "[act_1]\nmax_step = 'none'": "act_1.max_step: must be a number, without quotes",
    "[act_1]\nautopilot = 'on'": "act_1.autopilot: Input should be 'watch', 'approve' or 'auto'",
    "[act_1]\ngoal = 'growth'": "act_1.goal: Input should be 'revenue'",
    "[act_1]\nwindow_days = 7.0": "act_1.window_days: must be a whole number",
    "[act_1]\nwindow_days = 8": "act_1: window_days must be one of 1, 3, 7, 14, 28",
    "[act_1]\nmax_stepp = 0.1": "act_1.max_stepp: there is no such rule",
    "[act_1.campaigns.12]\nlock = true": "act_1.campaigns.12.lock: there is no such rule",
    "[act_1.campaigns.12]\nlocked = 'yes'": "act_1.campaigns.12.locked: Input should be a valid",
    "[act_1.campaigns.x]\nlocked = true": "campaigns.x: must be a campaign's id, digits alone",
    "[act_1.campaigns.12]\ngroup = 'a'": "campaigns.12.group: there is no group a with a total",
    "[act_1.campaigns.12]\ncap = 9": "campaigns.12: its cap is below its floor",
    "[act_1]\ngroups = { a = 0 }": "act_1.groups.a: Input should be greater than 0",
    "[act_1]\ntotal = 5\ngroups = { a = 4, b = 2 }": "the groups' totals are more than total",
    "[act_1]\nfloor = 20\ncap = 10": "cap is below floor",
    "[act_1]\ngoal = 'profit'": "goal profit needs margin",
    "[act_1]\ngoal = 'target_cpa'": "goal target_cpa needs target",
    "[act_1]\nmargin = 1.2": "act_1.margin: Input should be less than or equal to 1",
    "[act_1]\ntotal = 100\nweek_cap = 600": "week_cap is below 7 times total",
    "[all]\ngroups = { a = 4 }": "all.groups: there is no such rule",
    "[shop]\ntotal = 5": "shop: must be written act_123, or all",
    "[act_1]\ntotal = 5\n[1]\ntotal = 6": "1: named twice",
    "act_1 = 5": "act_1: Input should be a valid dictionary",
    "[act_1\n": "is no TOML",
    "[act_1]\ntotal = 5\ntotal = 6": "is no TOML",
    "[act_1]\npolicy = 'bold'": "There is no budget policy 'bold'",
}


@pytest.mark.parametrize("text", REFUSED, ids=map(str, range(len(REFUSED))))
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        rules_of(settings_with(tmp_path, text), "1")
    assert REFUSED[text] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    text = "[act_1]\nmax_step = 'a lot'\n[act_2]\ntotal = 0\n"
    with pytest.raises(SettingsError, match=r"act_1\.max_step.*act_2\.total") as refused:
        rules_of(settings_with(tmp_path, text), "3")
    assert str(tmp_path / "accounts.toml") in str(refused.value)


def test_a_window_beyond_what_is_read_again_is_refused(tmp_path: Path) -> None:
    settings = settings_with(
        tmp_path, "[act_1]\nwindow_days = 14\n", ZYENTA_RESTATEMENT_TIERS="7d/24h"
    )
    assert rules_of(settings, "2").window_days == 7
    with pytest.raises(SettingsError, match="ZYENTA_RESTATEMENT_TIERS"):
        rules_of(settings, "1")


def test_a_file_that_is_not_there_is_no_empty_file(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, ZYENTA_ACCOUNTS_FILE=str(tmp_path / "gone.toml"))
    with pytest.raises(SettingsError, match="ZYENTA_ACCOUNTS_FILE"):
        bounds_of(settings, "1")
    (tmp_path / "accounts.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="UTF-8"):
        bounds_of(
            settings_with(tmp_path, ZYENTA_ACCOUNTS_FILE=str(tmp_path / "accounts.toml")), "1"
        )


POLICY = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Mine:
    name = "mine"
    shares_total = False

    def decide(self, account):
        raise RuntimeError("not today")
"""


def test_a_policys_file_is_found_beside_the_file_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(POLICY)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = settings_with(tmp_path, "[act_1]\npolicy = 'mine.py:Mine'\n")
    assert rules_of(settings, "1").policy.name == "mine"
    (tmp_path / "elsewhere" / "own.py").write_text(POLICY)
    by_setting = settings_with(tmp_path, ZYENTA_POLICY="own.py:Mine")
    assert rules_of(by_setting, "1").policy.name == "mine"


def test_a_policy_that_cannot_be_used_holds_up_no_write(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, "[act_1]\npolicy = 'gone.py:Mine'\n")
    assert bounds_of(settings, "1").max_step == D("0.20")
    with pytest.raises(SettingsError, match=r"gone\.py cannot be read"):
        rules_of(settings, "1")


@pytest.mark.parametrize(
    ("account", "campaign", "told"),
    [("watch", "auto", "act_1"), ("approve", "watch", "campaign 120"), ("auto", "watch", "120")],
)
def test_nothing_is_written_where_the_autopilot_only_watches(
    tmp_path: Path, account: str, campaign: str, told: str
) -> None:
    text = f'[act_1]\nautopilot = "{account}"\n[act_1.campaigns.120]\nautopilot = "{campaign}"\n'
    settings = settings_with(tmp_path, text, ZYENTA_HOME=str(tmp_path / "home"))
    with pytest.raises(InputError, match=told):
        may_write(settings, "1", "120")
    if account != "watch":
        may_write(settings, "1")
        may_write(settings, "1", "121")
