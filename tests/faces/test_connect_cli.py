"""`zyenta connect`: what a token reaches is found and told, and the token shown nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faces.buyer import Buyer, settle
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.connections import connect_meta, store_of, vault_of
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.connections import Connections

FIRST, SECOND = "10158734012345601", "10158734012345602"
ONE, ALL = "EAAGconnectONE0123456789", "EAAGconnectALL0123456789"
APP, SECRET = "123456789012345", "0f3a5b7c9d1e3f5a7b9c1d3e5f7a9b1c"
START = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("connect"),
        port=0,
        days=3,
        accounts=2,
        start=START,
        frozen=True,
        app_id=APP,
        app_secret=SECRET,
        tokens={ONE: (f"act_{FIRST}",), ALL: (f"act_{FIRST}", f"act_{SECOND}")},
    )
    with run_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def buyer(
    running: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Buyer]:
    buyer = settle(running, tmp_path, monkeypatch)
    buyer.has_a_store()
    yield buyer
    running.clear_faults()
    for token in (ONE, ALL):
        running.set_token(
            token=token, state="valid", scopes=["ads_read", "ads_management"], expires_at=0
        )


def test_secret_token_is_nowhere_in_clear_and_what_there_is_one_of_is_taken(
    buyer: Buyer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = buyer.does("connect", "trail", "--token-stdin", stdin=f"{ONE}\n")
    for words in (f"act_{FIRST}", "page", "the only one", "pixel", "product set", "does not expire",
                  "kept encrypted", "zyenta campaign create trail"):  # fmt: skip
        assert words in told
    listed = buyer.does("connections")
    assert f"act_{FIRST}" in listed
    assert "its own, does not expire" in listed
    buyer.does("doctor")
    buyer.does("store", "show", "trail")
    buyer.does("campaign", "create", "trail", "--objective", "traffic", "--budget", "30")
    assert ONE not in "".join(buyer.said)
    assert ONE not in caplog.text
    for file in (buyer.folder / "home").rglob("*"):
        assert not file.is_file() or ONE.encode() not in file.read_bytes(), file
    settings = load_settings()
    with store_of(settings) as store:
        assert Connections(store, vault_of(settings)).token("trail", "meta") == ONE
        connection = Connections(store, vault_of(settings)).get("trail", "meta")
    assert ONE not in repr(connection)
    assert ONE not in repr(connect_meta(settings, FIRST))


def test_several_accounts_are_listed_with_the_option_to_give(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", ALL)
    told = buyer.fails("connect", "trail", "--token-env", "MY_TOKEN")
    assert "2 to choose from" in told
    assert f"--account act_{FIRST}" in told
    assert f"act_{SECOND}" in told
    assert "Not connected" in told
    assert "No connections yet" in buyer.does("connections")
    buyer.does("connect", "trail", "--token-env", "MY_TOKEN", "--account", f"act_{SECOND}")
    assert f"act_{SECOND}" in buyer.does("connections")
    # Connecting again needs neither the token nor the account.
    assert f"act_{SECOND}" in buyer.does("connect", "trail")


def test_what_does_not_exist_is_told_beside_what_does(buyer: Buyer) -> None:
    usual = ("connect", "trail", "--token-stdin")
    assert "77 is none of" in buyer.fails(*usual, "--page", "77", stdin=ONE)
    assert "Not connected" in buyer.fails(*usual, "--pixel", "78", stdin=ONE)
    assert "act_ followed by digits" in buyer.fails(*usual, "--account", "shop", stdin=ONE)
    assert "act_999" in buyer.fails(*usual, "--account", "act_999", stdin=ONE)
    assert "No connections yet" in buyer.does("connections")


def test_an_account_in_a_currency_of_nobodys_is_told_and_not_stored(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = MetaAds.account

    async def in_dinars(self: MetaAds, account_id: str) -> AdAccount:
        return replace(await asked(self, account_id), currency="KWD", min_daily_budget=None)

    monkeypatch.setattr(MetaAds, "account", in_dinars)
    told = buyer.fails("connect", "trail", "--token-stdin", stdin=f"{ONE}\n")
    assert "in KWD, in which Meta bills nobody" in told
    assert "Not connected" in told
    assert "No connections yet" in buyer.does("connections")


def test_a_bad_token_is_told_without_being_shown(buyer: Buyer, running: SandboxHandle) -> None:
    told = buyer.fails("connect", "trail", "--token-stdin", stdin="EAAGnobodys0123456789")
    assert "not valid" in told
    assert "EAAGnobodys" not in told
    running.set_token(token=ONE, scopes=["ads_read"])
    told = buyer.fails("connect", "trail", "--token-stdin", stdin=ONE)
    assert "lacks ads_management" in told
    assert "holds no token" in buyer.fails("connect", "trail", "--token-stdin", stdin="\n")
    assert "NOT_THERE" in buyer.fails("connect", "trail", "--token-env", "NOT_THERE")
    spaced = buyer.fails("connect", "trail", "--token-stdin", stdin=f"Bearer {ONE}")
    assert "one word" in spaced
    assert ONE not in spaced
    buyer.fails("connect", "trail", "--token-stdin", "--token-env", "X", stdin=ONE)
    assert "no store 'nobody'" in buyer.fails("connect", "nobody", "--token-stdin", stdin=ONE)


def test_a_token_that_ends_is_renewed_with_the_app(
    buyer: Buyer, running: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = int((START + timedelta(days=3)).timestamp())
    running.set_token(token=ONE, expires_at=ends)
    told = buyer.does("connect", "trail", "--token-stdin", stdin=ONE)
    assert "expires 2026-11-06" in told
    assert "META_APP_SECRET" in told
    assert "expires 2026-11-06" in buyer.does("connections")
    assert "META_APP_ID" in buyer.fails("connect", "trail", "--renew")
    monkeypatch.setenv("META_APP_ID", APP)
    monkeypatch.setenv("META_APP_SECRET", SECRET)
    assert "good until 2027-01-02" in buyer.does("connect", "trail", "--renew")
    assert "expires 2027-01-02" in buyer.does("connections")
    running.set_token(token=ONE, expires_at=ends)
    assert "good until 2027-01-02" in buyer.does("connect", "trail")
    assert SECRET not in "".join(buyer.said)


def test_doctor_tells_of_connections_key_switches_and_writer(
    buyer: Buyer, running: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_ACCESS_TOKEN", ALL)
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{FIRST}")
    monkeypatch.setenv("ZYENTA_BREAKDOWNS", "none")
    assert "zyenta store add" in buyer.does("doctor")
    buyer.does("connect", "trail", "--token-stdin", stdin=ONE)
    buyer.does("stop", "--account", f"act_{FIRST}", "--reason", "stock is out")
    found = buyer.does("doctor")
    for words in ("store trail", "opens 1 stored tokens", "stock is out", "zyenta resume --account",
                  "written by templates"):  # fmt: skip
        assert words in found
    running.set_token(token=ONE, expires_at=int((START + timedelta(days=3)).timestamp()))
    assert "zyenta connect --renew trail" in buyer.does("doctor")
    running.set_token(token=ONE, state="expired")
    found = buyer.fails("doctor")
    assert "zyenta connect trail" in found
    (buyer.folder / "home" / "secret.key").unlink()
    assert "cannot be decrypted" in buyer.fails("doctor")
