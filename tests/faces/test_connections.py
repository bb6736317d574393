"""Each account is asked with its own token, and all connections spend from one budget."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.connections import AccountPlatforms, connect_meta, rate_budget
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import AuthenticationFailed, PlatformError, SettingsError
from zyenta_ads_pipeline.ingestion.insights import Gathered, gather_accounts
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings, load_settings

ONE, TWO = "EAAGconnectONE0123456789", "EAAGconnectTWO0123456789"
SECRET = "0123456789abcdefSECRET"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """Three accounts: one token sees two of them, another the third."""
    state = tmp_path_factory.mktemp("connections")
    accounts = [f"act_1015873401234560{n}" for n in (1, 2, 3)]
    config = SandboxConfig(
        state=state,
        port=0,
        days=3,
        accounts=3,
        frozen=True,
        app_secret=SECRET,
        tokens={ONE: tuple(accounts[:2]), TWO: (accounts[2],)},
    )
    with run_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def accounts(
    running: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """The accounts, with settings that give each its token."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    ids = tuple(running.account_ids)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("META_GRAPH_URL", running.url)
    monkeypatch.setenv("META_ACCESS_TOKEN", ONE)
    monkeypatch.setenv("META_ACCOUNT_TOKENS", f"act_{ids[2]}={TWO}")
    return ids


def gathered(accounts: tuple[str, ...]) -> tuple[Gathered[AdAccount], int]:
    """Each account's record, and over how many connections they came."""

    async def ask() -> tuple[Gathered[AdAccount], int]:
        used = set()
        async with AccountPlatforms(load_settings()) as platforms:

            async def one(account: str) -> AdAccount:
                platform = await platforms.of(account)
                used.add(id(platform))
                return await platform.account(account)

            return await gather_accounts(accounts, one), len(used)

    return asyncio.run(ask())


def test_each_account_is_asked_with_its_own_token(accounts: tuple[str, ...]) -> None:
    found, connections = gathered(accounts)
    assert set(found.results) == set(accounts)
    assert connections == len(accounts), "each has one of its own: its calls are counted there"


def test_one_dead_token_leaves_the_other_accounts_alone(
    running: SandboxHandle, accounts: tuple[str, ...]
) -> None:
    running.set_token(token=TWO, state="expired")
    try:
        found, _ = gathered(accounts)
    finally:
        running.set_token(token=TWO, state="valid")
    assert set(found.results) == set(accounts[:2])
    assert isinstance(found.failures[accounts[2]], AuthenticationFailed)


def test_an_account_without_any_token_fails_alone(
    accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "is_sandbox", property(lambda _: False))
    monkeypatch.delenv("META_ACCESS_TOKEN")
    found, _ = gathered(accounts)
    assert set(found.results) == {accounts[2]}
    assert all(isinstance(error, SettingsError) for error in found.failures.values())


def test_the_apps_secret_proves_each_call_and_is_never_sent(
    accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("META_APP_SECRET", SECRET)
    assert set(gathered(accounts)[0].results) == set(accounts)
    monkeypatch.setenv("META_APP_SECRET", "another")
    found, _ = gathered(accounts)
    assert not found.results
    for error in found.failures.values():
        assert isinstance(error, AuthenticationFailed)
        assert "104" in error.what
    told = caplog.text + "".join(map(str, found.failures.values()))
    assert not any(secret in told for secret in (ONE, TWO, SECRET))


def test_one_budget_serves_all_connections_of_a_store(
    accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = load_settings()
    assert rate_budget(settings) is rate_budget(load_settings())
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "other"))
    assert rate_budget(load_settings()) is not rate_budget(settings)


def test_a_store_that_cannot_be_used_does_not_stop_reading(
    accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ZYENTA_DATABASE_URL", "postgresql://u:hidden@127.0.0.1:9/none")
    assert set(gathered(accounts)[0].results) == set(accounts)
    assert "does not know of the calls of others" in caplog.text
    assert "hidden" not in caplog.text


def test_a_home_belongs_to_one_server(
    accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_meta(load_settings(), accounts[0])
    monkeypatch.setenv("META_GRAPH_URL", "https://graph.facebook.com")
    with pytest.raises(SettingsError, match="holds the data of"):
        connect_meta(load_settings(), accounts[0])


def test_a_token_does_not_open_anothers_account(
    accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("META_ACCOUNT_TOKENS")
    found, _ = gathered(accounts)
    assert isinstance(found.failures[accounts[2]], PlatformError)
    assert set(found.results) == set(accounts[:2])
