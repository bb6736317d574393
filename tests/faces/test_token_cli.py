"""`zyenta token`: printed once, listed by its beginning, ended at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faces.buyer import Buyer
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.access import Access
from zyenta_ads_pipeline.store.audit import Audit


@pytest.fixture
def buyer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Buyer:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    return Buyer(tmp_path)


def test_a_token_is_printed_once_and_alone(buyer: Buyer) -> None:
    assert "No tokens yet" in buyer.does("token", "list")
    secret = buyer.does("token", "issue", "eva", "--role", "buyer", "--days", "30").strip()
    assert len(secret.split()) == 1
    listed = buyer.does("token", "list")
    assert secret[:10] in listed
    assert secret not in listed
    assert "buyer" in listed
    with store_of(load_settings()) as store:
        access = Access(store)
        (token,) = access.tokens()
        assert (token.role, token.created_by) == (Role.BUYER, "cli")
        assert access.person_of(secret, token.created_at) is not None
    assert "There is a token" in buyer.fails("token", "issue", "eva")
    assert "is revoked" in buyer.does("token", "revoke", secret[:10], "--by", "ada")
    assert "revoked by ada" in buyer.does("token", "list")
    with store_of(load_settings()) as store:
        assert Access(store).person_of(secret, token.created_at) is None
        acts = [(each.act, each.who, each.via) for each in Audit(store).entries()]
    assert acts == [("token.revoke", "ada", "cli"), ("token.issue", "cli", "cli")]


def test_a_link_signs_in_and_its_session_is_listed_and_ended(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nobody is signed in" in buyer.does("token", "sessions")
    link = buyer.does("token", "link", "eva", "--role", "admin").strip()
    start = "http://127.0.0.1:8003/sign-in/link?code="
    assert link.startswith(start)
    with store_of(load_settings()) as store:
        opened = Access(store).follow_link(link.removeprefix(start), datetime.now(UTC))
    assert opened is not None
    assert opened[1].person == Person("eva", Role.ADMIN)
    listed = buyer.does("token", "sessions")
    assert "eva" in listed
    assert "link" in listed
    assert "1 session of eva ended." in buyer.does("token", "sign-out", "eva")
    assert "eva had none." in buyer.does("token", "sign-out", "eva")
    buyer.does("token", "link", "eva")
    told = " ".join(buyer.does("token", "sign-out", "Eva").split())
    assert "Eva had none. Names are told apart by their letters' case: there is eva." in told
    assert "1 unused link of eva ended." in buyer.does("token", "sign-out", "eva")
    assert "Nobody is signed in" in buyer.does("token", "sessions")
    given = buyer.does("token", "link", "max", "--url", "https://ads.example.com/")
    assert given.startswith("https://ads.example.com/sign-in/link?code=")
    monkeypatch.setenv("ZYENTA_CONSOLE_PORT", "0")
    assert "--url" in buyer.fails("token", "link", "max")


def test_what_cannot_be_is_told(buyer: Buyer) -> None:
    assert "no token" in buyer.fails("token", "revoke", "zyt_nothing")
    assert "name" in buyer.fails("token", "issue", " ")
    buyer.misuses("token", "issue", "eva", "--role", "king")
