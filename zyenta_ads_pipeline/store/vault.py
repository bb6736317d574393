"""The vault: secrets encrypted before they are stored, and the key that does it.

Fernet (AES-128-CBC and HMAC-SHA-256) by the `cryptography` package. The key lies apart from the
database: in the settings, or in a file that its owner alone can read.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from zyenta_ads_pipeline.domain.errors import SettingsError, StorageError

_OTHERS = 0o077
_MAKE_ONE = (
    "A key is 32 random bytes in URL-safe base64, 44 characters; make one with: "
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class Vault:
    """Seals and opens texts with one key. Shows neither the key nor a text, in no error either."""

    def __init__(self, key: bytes) -> None:
        """Raises `SettingsError` for bytes that are no key."""
        self._fernet = _fernet(key, "The key of the vault")

    def seal(self, text: str) -> str:
        """`text` encrypted, as ASCII; the same text gives another result each time."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """The text that was sealed. `StorageError` if that was done with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeError):
            raise StorageError(
                "A stored secret cannot be decrypted with this key.",
                "Give the vault the key with which it was stored, or connect the account again.",
            ) from None


def load_key(settings_key: str | None, path: Path) -> bytes:
    """The vault's key: the one in the settings, else the one in the file, which is made if absent.

    The file can be read by its owner alone (0600) and appears whole or not at all; of several
    processes that make it at once, all get the same key. Raises `SettingsError` for what is no
    key, and for a file that others may read; `StorageError` if it cannot be read or made.
    """
    if settings_key is not None and settings_key.strip():
        return _checked(settings_key.strip().encode(), "The key of the vault in the settings")
    try:
        if not path.exists():
            _make(path)
        mode, key = path.stat().st_mode, path.read_bytes().strip()
    except OSError as error:
        raise StorageError(
            f"The file of the vault's key, {path}, cannot be used: {error.strerror}.",
            "Give this user the right to it, or set the key in the settings.",
        ) from error
    if os.name == "posix" and mode & _OTHERS:
        raise SettingsError(
            f"The file of the vault's key, {path}, can be read by other users.",
            f"Close it with: chmod 600 {path}. Or set the key in the settings.",
        )
    return _checked(key, f"The key of the vault in {path}")


def _make(path: Path) -> None:
    """Write a new key beside `path`, then give it that name unless another process has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(folder: Path) -> None:
    """A key that is lost by a power failure would lose every secret that it has sealed."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checked(key: bytes, where: str) -> bytes:
    _fernet(key, where)
    return key


def _fernet(key: bytes, where: str) -> Fernet:
    try:
        return Fernet(key)
    except (ValueError, TypeError):  # the cause would show what was given
        raise SettingsError(f"{where} is not one.", _MAKE_ONE) from None
