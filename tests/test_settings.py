"""Settings: what is refused, in which words, and that the documentation lists them all."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.domain.insights import PRESETS
from zyenta_ads_pipeline.domain.time import Tier, parse_tiers
from zyenta_ads_pipeline.optimizer.policies import policy_names
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN, Settings, forget_settings, load_settings

TOKEN = "EAAGsettingsSECRET0123456789"
ROOT = Path(__file__).parents[1]
NAMES = {str(field.validation_alias) for field in Settings.model_fields.values()}


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's environment nor a .env of the checkout counts here."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")


def loaded(**values: str) -> Settings:
    """The settings of an environment with these variables and no other."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in values.items():
            environment.setenv(name, value)
        return load_settings()


def test_without_any_setting_the_defaults_are_the_safe_ones() -> None:
    settings = load_settings()
    assert settings.autopilot is Autopilot.WATCH
    assert settings.graph_url == "https://graph.facebook.com"
    assert settings.api_version == "v26.0"
    assert settings.ad_account_ids == ()
    assert settings.total_daily_budget is None
    assert not settings.kill_switch
    assert not settings.is_sandbox


def test_everything_lives_under_the_home_unless_told_otherwise(tmp_path: Path) -> None:
    settings = loaded(ZYENTA_HOME="here")
    assert settings.lake_location == str(tmp_path / "here" / "lake")
    assert settings.store_url == f"sqlite:///{tmp_path}/here/store.db"
    assert settings.dagster_home == tmp_path / "here" / "dagster"
    told = loaded(ZYENTA_LAKE_ROOT="s3://b/lake", ZYENTA_DATABASE_URL="postgresql://u:p@h/d")
    assert told.lake_location == "s3://b/lake"
    assert told.store_url == "postgresql://u:p@h/d"
    assert "u:p" not in repr(told)


def test_the_environment_and_the_file_are_read_and_empty_is_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        f"META_ACCESS_TOKEN={TOKEN}\nMETA_API_VERSION=v25.0\nZYENTA_BUDGET_CAP=\nOTHER=1\n"
    )
    monkeypatch.setenv("META_API_VERSION", "v26.0")
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", " act_1, 2,act_1,, 3 ")
    monkeypatch.setenv("ZYENTA_TOTAL_DAILY_BUDGET", "100.10")
    settings = load_settings()
    assert settings.token() == TOKEN
    assert settings.api_version == "v26.0"  # the environment goes before the file
    assert settings.ad_account_ids == ("1", "2", "3")
    assert settings.budget_cap is None
    assert settings.total_daily_budget == Decimal("100.10")


REFUSED: dict[str, list[str]] = {
    "META_AD_ACCOUNT_IDS": ["act_x", "1;2", "act_1,act_"],
    "META_GRAPH_URL": [
        "graph.facebook.com", "ftp://graph.facebook.com", "https://", "http://graph.facebook.com",
        "http://10.0.0.1:8399", "http://127.0.0.1.example.com", "http://127.0.0.1@example.com",
        "https://user:secret@example.com", "https://graph.facebook.com/?access_token=x", "https://[",
    ],
    "META_API_VERSION": ["v18.0", "26", "v27.0"],
    "META_ACCESS_TOKEN": ["two words", "EAA“quoted”", "EAAé"],
    "META_REQUEST_TIMEOUT": ["0", "-1", "soon", "nan"],
    "META_MAX_WAIT": ["-1", "long"],
    "META_ACCOUNT_TOKENS": [
        "EAAhidden", "act_1", "act_1=", "act_x=EAAhidden", "act_1=EAA hidden",
        "act_1=EAAhidden,1=EAAhidden2", "act_1=EAAhidden,EAAhidden2",
    ],
    "META_APP_ID": ["app", "12 3", "-1"],
    "META_APP_SECRET": ["hidden word", "hiddené"],
    "ZYENTA_SYNC_DEADLINE": ["0", "-1", "nan", "inf", "an hour"],
    "ZYENTA_RESTATEMENT_TIERS": [
        "28", "2d", "0d/1h", "2d/0h", "2d/1h,", "2d/1h,2d/6h", "7d/1h,3d/6h", "2d/6h,7d/6h",
        "2d/24h,7d/6h", "2d/1h,91d/24h", "2d/1h;28d/24h", "6d/24h", "٢d/1h",
    ],
    "ZYENTA_BREAKDOWNS": ["by_moon", "all,none", "all,by_hour", "by_hour;by_age_gender"],
    "ZYENTA_RAW_DAYS": ["0", "-1", "1.5", "36501", "ever"],
    "ZYENTA_WRITE_RESERVE": ["-1", "51", "nan", "some"],
    "ZYENTA_REPORTING_CURRENCY": ["eur", "XXX", "dollars"],
    "ZYENTA_RATES_FILE": ["rates.csv"],
    "ZYENTA_ALERT_WEBHOOK": [
        "hooks.example.com/hidden", "ftp://hooks.example.com/hidden", "http://example.com/hidden",
        "https://", "https://[hidden", "https://example.com:hidden/", "https://h/two words",
        "http://127.0.0.1.example.com/hidden",
    ],
    "ZYENTA_POLICY": ["bold", "", "mine.py", "mine.py:", "mine.txt:Mine", ".py:Mine", "mine.py:1"],
    "ZYENTA_DECISION_WINDOW": ["2", "0", "30", "x"],
    "ZYENTA_TOTAL_DAILY_BUDGET": ["0", "-5", "much", "NaN", "Infinity"],
    "ZYENTA_BUDGET_FLOOR": ["-1", "x"],
    "ZYENTA_BUDGET_CAP": ["0", "9.99", "x"],
    "ZYENTA_MAX_STEP": ["0", "11", "a fifth"],
    "ZYENTA_AUTOPILOT": ["on", "AUTO!"],
    "ZYENTA_KILL_SWITCH": ["maybe", "2"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, values in REFUSED.items() for v in values if v]
)
def test_a_value_that_cannot_be_used_is_one_paragraph_naming_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("META_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("ZYENTA_DATABASE_URL", "postgresql://user:hidden@host/db")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    told = str(refused.value)
    assert name in told
    assert "\n" not in told
    assert "docs/configuration.md" in told
    assert not any(secret in told + repr(refused.value) for secret in (TOKEN, "hidden", "secret"))
    if name == "META_ACCESS_TOKEN":
        assert value not in told
    assert refused.value.__cause__ is None


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_API_VERSION", "v18.0")
    monkeypatch.setenv("ZYENTA_POLICY", "bold")
    with pytest.raises(SettingsError, match=r"META_API_VERSION.*ZYENTA_POLICY") as refused:
        load_settings()
    assert all(name in str(refused.value) for name in policy_names())


@pytest.mark.parametrize("host", ["127.0.0.1:8399", "localhost:1", "[::1]:8399"])
def test_plain_http_stays_on_this_machine(host: str) -> None:
    settings = loaded(META_GRAPH_URL=f"http://{host}/")
    assert settings.graph_url == f"http://{host}"
    assert settings.is_sandbox
    assert settings.token() == SANDBOX_TOKEN
    told = loaded(META_GRAPH_URL=f"http://{host}", META_ACCESS_TOKEN=TOKEN)
    assert told.token() == TOKEN


def test_metas_own_address_needs_a_token_and_says_how_to_do_without() -> None:
    with pytest.raises(SettingsError, match="META_ACCESS_TOKEN is not set") as refused:
        load_settings().token()
    assert "zyenta sandbox" in refused.value.remedy


def test_blanks_around_a_token_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_ACCESS_TOKEN", f" {TOKEN}\n")
    assert load_settings().token() == TOKEN


def test_the_token_is_not_shown_with_the_settings() -> None:
    settings = loaded(META_ACCESS_TOKEN=TOKEN)
    assert TOKEN not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_policy_of_ones_own_is_named_by_its_file() -> None:
    assert load_settings().policy == "response_curve"
    for named in ("mine.py:Mine", "/etc/policies/mine.py:Mine_2", "../a b/mine.py:_Mine"):
        assert loaded(ZYENTA_POLICY=named).policy == named


def test_the_file_of_accounts_may_be_in_ones_home() -> None:
    assert load_settings().accounts_file is None
    settings = loaded(ZYENTA_ACCOUNTS_FILE="~/accounts.toml")
    assert settings.accounts_file == Path("~/accounts.toml").expanduser()


@pytest.mark.parametrize("policy", policy_names())
def test_each_policy_can_be_chosen(policy: str) -> None:
    assert loaded(ZYENTA_POLICY=policy).policy == policy


def test_forgotten_settings_are_the_defaults_wherever_they_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ZYENTA_AUTOPILOT=auto\n")
    monkeypatch.setenv("ZYENTA_KILL_SWITCH", "true")
    before = load_settings()
    assert (before.autopilot, before.kill_switch) == (Autopilot.AUTO, True)
    forget_settings()
    after = load_settings()
    assert (after.autopilot, after.kill_switch) == (Autopilot.WATCH, False)


def test_an_account_has_its_own_token_or_the_common_one() -> None:
    settings = loaded(
        META_ACCOUNT_TOKENS=f" act_1 = {TOKEN}=1 , 2=EAAtwo,", META_ACCESS_TOKEN="EAA0"
    )
    assert [settings.token(account) for account in ("1", "2", "3", None)] == [
        f"{TOKEN}=1", "EAAtwo", "EAA0", "EAA0",
    ]  # fmt: skip
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert TOKEN not in shown
        assert "EAAtwo" not in shown
    alone = loaded(META_ACCOUNT_TOKENS="act_1=EAAone")
    assert alone.token("1") == "EAAone"
    with pytest.raises(SettingsError, match="META_ACCOUNT_TOKENS name act_2") as refused:
        alone.token("2")
    assert "EAAone" not in str(refused.value)


def test_the_apps_secret_and_the_webhook_are_not_shown() -> None:
    settings = loaded(
        META_APP_SECRET="hiddenA", ZYENTA_ALERT_WEBHOOK="https://h.example.com/hiddenB"
    )
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    assert "hidden" not in shown
    assert settings.alert_address() == "https://h.example.com/hiddenB"


def test_what_happens_on_a_sandbox_is_told_on_this_machine_only() -> None:
    sandbox = {"META_GRAPH_URL": "http://127.0.0.1:8399"}
    assert loaded(ZYENTA_ALERT_WEBHOOK="https://example.com/x", **sandbox).alert_address() is None
    here = "http://localhost:9/x"
    assert loaded(ZYENTA_ALERT_WEBHOOK=here, **sandbox).alert_address() == here
    assert load_settings().alert_address() is None


def test_tiers_are_read_and_the_widest_is_the_reach() -> None:
    assert load_settings().restatement_tiers == parse_tiers("2d/1h,3d/6h,7d/24h,28d/168h")
    assert load_settings().restatement_days == 28
    settings = loaded(ZYENTA_RESTATEMENT_TIERS=" 2d/1h , 14d/24h ")
    assert settings.restatement_tiers == (Tier(2, 1), Tier(14, 24))
    assert ",".join(map(str, settings.restatement_tiers)) == "2d/1h,14d/24h"
    assert settings.restatement_days == 14
    with pytest.raises(InputError, match="7d/24h"):
        parse_tiers("")


def test_breakdowns_are_all_none_or_named() -> None:
    assert load_settings().breakdowns == tuple(PRESETS)
    assert loaded(ZYENTA_BREAKDOWNS="none").breakdowns == ()
    assert loaded(ZYENTA_BREAKDOWNS="all").breakdowns == tuple(PRESETS)
    chosen = loaded(ZYENTA_BREAKDOWNS="by_country, by_hour,by_hour").breakdowns
    assert chosen == ("by_hour", "by_country")


def test_a_file_of_rates_goes_with_its_currency() -> None:
    settings = loaded(ZYENTA_RATES_FILE="~/rates.csv", ZYENTA_REPORTING_CURRENCY="EUR")
    assert settings.rates_file == Path("~/rates.csv").expanduser()
    assert settings.reporting_currency == "EUR"


def test_the_documentation_lists_exactly_the_settings_there_are() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`((?:ZYENTA|META|OPENAI)_[A-Z0-9_]+)`", text)) == NAMES


def test_the_example_names_them_all_and_can_be_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE)) == NAMES
    (tmp_path / ".env").write_text(text)
    assert load_settings() == loaded(**{"ZYENTA_HOME": ".zyenta"})
    (tmp_path / ".env").write_text(re.sub(r"^#(?=[A-Z])", "", text, flags=re.MULTILINE))
    load_settings()


def test_every_setting_is_described_and_named_for_its_room() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert re.fullmatch(r"(ZYENTA|META|OPENAI)_[A-Z_]+", str(field.validation_alias))
