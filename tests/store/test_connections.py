"""Connections and their tokens, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from tests.store.campaign_samples import LATER, NOW, connection, opened, shop
from zyenta_ads_pipeline.domain.errors import InputError, StorageError
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.vault import Vault

TOKEN = "EAABsesame0123456789"
EXPIRES = NOW + timedelta(days=60)


@pytest.fixture
def connections(store: Store) -> Connections:
    opened(store, shop(), shop("other"))
    return Connections(store, Vault(Fernet.generate_key()))


def test_a_connection_is_kept_without_its_token(connections: Connections) -> None:
    saved = connections.save(connection(token_expires_at=EXPIRES), TOKEN, NOW)
    assert saved == connection(token_expires_at=EXPIRES, has_token=True)
    assert connections.get("shop", "meta") == saved
    assert connections.all() == [saved]
    assert connections.token("shop", "meta") == TOKEN
    assert TOKEN not in repr(saved)


def test_the_database_does_not_hold_the_token(connections: Connections, store: Store) -> None:
    connections.save(connection(), TOKEN, NOW)
    with store.read() as session:
        rows = session.execute(text("SELECT * FROM platform_connections")).mappings().all()
    assert len(rows) == 1
    assert rows[0]["sealed_token"]
    assert "sesame" not in repr(rows)


def test_without_a_token_the_stored_one_stays(connections: Connections) -> None:
    connections.save(connection(), TOKEN, NOW)
    later = connection(page_id="901", account_id="act_102", connected_at=LATER)
    saved = connections.save(later, None, LATER)
    assert saved == connection(
        page_id="901", account_id="102", has_token=True, connected_at=NOW, updated_at=LATER
    )
    assert connections.token("shop", "meta") == TOKEN
    connections.save(later, "another", LATER)
    assert connections.token("shop", "meta") == "another"


def test_a_connection_without_any_token(connections: Connections) -> None:
    assert not connections.save(connection(has_token=True), None, NOW).has_token
    assert connections.tokens() == {}
    with pytest.raises(InputError, match="has no token"):
        connections.token("shop", "meta")


def test_platforms_that_are_not_connected(connections: Connections) -> None:
    for call in (connections.get, connections.token):
        with pytest.raises(InputError, match=r"Platform not connected: meta.*run zyenta connect"):
            call("shop", "meta")
    with pytest.raises(InputError, match="Platform not connected: meta"):
        connections.renewed("shop", "meta", TOKEN, None, NOW)
    with pytest.raises(InputError, match="There is no store 'gone'"):
        connections.save(connection("gone"), TOKEN, NOW)
    with pytest.raises(InputError, match="token is empty"):
        connections.save(connection(), " ", NOW)
    assert connections.of_account("101") is None


def test_of_stores_that_share_an_account_the_newest_with_a_token_counts(
    connections: Connections,
) -> None:
    connections.save(connection("other"), "old", NOW)
    mine = connections.save(connection(), TOKEN, LATER)
    connections.save(connection("other", platform="tiktok", account_id="7"), "tok", NOW)
    assert connections.of_account("act_101") == mine
    assert connections.tokens() == {"101": TOKEN, "7": "tok"}
    connections.save(connection("other"), None, LATER + timedelta(hours=1))
    assert connections.tokens() == {"101": "old", "7": "tok"}


def test_a_token_is_renewed(connections: Connections) -> None:
    connections.save(connection(), TOKEN, NOW)
    renewed = connections.renewed("shop", "meta", "renewed", EXPIRES, LATER)
    expected = connection(
        has_token=True, token_expires_at=EXPIRES, token_checked_at=LATER, updated_at=LATER
    )
    assert renewed == expected == connections.get("shop", "meta")
    assert connections.token("shop", "meta") == "renewed"


def test_a_wrong_key_is_told_clearly(connections: Connections, store: Store) -> None:
    connections.save(connection(), TOKEN, NOW)
    wrong = Connections(store, Vault(Fernet.generate_key()))
    assert wrong.get("shop", "meta") == replace(connection(), has_token=True)
    for call in (lambda: wrong.token("shop", "meta"), wrong.tokens):
        with pytest.raises(StorageError, match="cannot be decrypted with this key") as caught:
            call()
        assert "'shop'" in caught.value.what
        assert "zyenta connect" in caught.value.remedy
    wrong.renewed("shop", "meta", "new", None, LATER)
    assert wrong.token("shop", "meta") == "new"
