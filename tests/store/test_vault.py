"""The vault: what it seals, with which key, and where that key comes from."""

from __future__ import annotations

import os
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import SettingsError, StorageError
from zyenta_ads_pipeline.store.vault import Vault, load_key

KEY = Fernet.generate_key()


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_is_opened_again(text: str) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(text)
    assert sealed.isascii()
    assert vault.open(sealed) == text
    assert sealed != vault.seal(text)


def test_a_sealed_token_does_not_show_it() -> None:
    sealed = Vault(KEY).seal("EAABsesame")
    assert "EAABsesame" not in sealed
    assert "sesame" not in repr(Vault(KEY))


@pytest.mark.parametrize("sealed", ["", "no token", "gAAAAA", "ünreadable"])
def test_what_was_not_sealed_is_refused(sealed: str) -> None:
    with pytest.raises(StorageError, match="cannot be decrypted with this key"):
        Vault(KEY).open(sealed)


def test_another_key_does_not_open_it() -> None:
    sealed = Vault(Fernet.generate_key()).seal("sesame")
    with pytest.raises(StorageError, match="cannot be decrypted with this key") as caught:
        Vault(KEY).open(sealed)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "key",
    [b"", b"sesame", b"sesame" * 8, KEY[:-4]],
    ids=["empty", "short", "words", "cut"],  # the key itself differs from worker to worker
)
def test_what_is_no_key_is_refused_and_not_shown(key: bytes, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="44 characters") as caught:
        Vault(key)
    shown = "".join(traceback.format_exception(caught.value))
    if key:
        assert key.decode() not in shown
        with pytest.raises(SettingsError, match="in the settings"):
            load_key(key.decode(), tmp_path / "key")


def test_the_key_of_the_settings_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    assert load_key(f" {KEY.decode()}\n", path) == KEY
    assert not path.exists()
    made = load_key(None, path)
    assert load_key("", path) == made != KEY
    assert load_key(KEY.decode(), path) == KEY


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "vault.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(None, path), range(16)))
    assert len(keys) == 1
    assert Vault(keys.pop()).seal("x")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["vault.key"]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    load_key(None, path)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_key(None, path)


def test_a_key_file_that_holds_something_else(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    path.write_text("sesame")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match=r"vault\.key is not one") as caught:
        load_key(None, path)
    assert "sesame" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no such places here")
def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be used"):
        load_key(None, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be used"):
        load_key(None, tmp_path / "file" / "vault.key")
