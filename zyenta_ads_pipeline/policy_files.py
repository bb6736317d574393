"""A policy of one's own: a class in a Python file, named as `path/to/file.py:ClassName`.

The file runs with all rights of this process, as any Python does: name only files you trust.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError, ZyentaError
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.policies import policy, policy_names

_HOW = "docs/optimizer.md shows a policy of one's own."


@dataclass(frozen=True)
class FilePolicy:
    """A policy from a file. What goes wrong inside it is told with its file and line.

    `digest` is the SHA-256 of the file's text: the same digest, the same policy.
    """

    name: str
    shares_total: bool
    path: Path
    digest: str
    own: Any

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """The file's own answer. Raises `InputError` where it fails or gives no frame."""
        try:
            answer = self.own.decide(account)
        except ZyentaError:
            raise
        except Exception as error:
            raise InputError(
                f"The policy {self.name} failed on act_{account.account_id}"
                f"{_line(error, self.path)}: {type(error).__name__}: {error}.",
                "Mend the file, or choose another policy for this account.",
            ) from error
        if not isinstance(answer, pl.DataFrame):
            raise InputError(
                f"The policy {self.name} in {self.path} answers {type(answer).__name__}, which is "
                "no Polars DataFrame.",
                _HOW,
            )
        return answer


def chosen_policy(named: str, folder: Path) -> Policy:
    """The policy of that name, or from that file; a relative path starts at `folder`.

    Raises `SettingsError` that says what of it cannot be used, and where.
    """
    path, colon, wanted = named.rpartition(":")
    if not colon or not path.endswith(".py"):
        if named in policy_names():
            return policy(named)
        raise SettingsError(
            f"There is no budget policy {named!r}.",
            f"Use one of {', '.join(policy_names())}, or a file's: path/to/file.py:ClassName.",
        )
    return _from_file(folder / Path(path).expanduser(), wanted)


def _from_file(path: Path, wanted: str) -> FilePolicy:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"The policy's file {path} cannot be read: {error.strerror}.",
            "Write its path as in policies/mine.py:MyPolicy.",
        ) from None
    digest = hashlib.sha256(text).hexdigest()
    found = getattr(_run(path, text, digest), wanted, None)
    if not isinstance(found, type):
        raise SettingsError(f"{path} has no class {wanted}.", _HOW)
    try:
        own = found()
    except Exception as error:
        raise SettingsError(
            f"{wanted} of {path} cannot be made{_line(error, path)}: "
            f"{type(error).__name__}: {error}.",
            "It is made without arguments: give its fields defaults.",
        ) from error
    return FilePolicy(*_checked(own, path, wanted), path=path, digest=digest, own=own)


def _run(path: Path, text: bytes, digest: str) -> ModuleType:
    """The file as a module of its own. Its name tells its content, so that what looks itself up by
    its module's name, such as a dataclass, finds the text it came from."""
    name = f"zyenta_policy_{digest[:16]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - what the file is for
    except Exception as error:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise SettingsError(
            f"The policy's file {path} does not run{_line(error, path)}: "
            f"{type(error).__name__}: {error}.",
            "Mend the file, or choose another policy.",
        ) from error
    return module


def _checked(own: object, path: Path, wanted: str) -> tuple[str, bool]:
    """The policy's name and whether it shares a total, if they can be used."""
    name, shares = getattr(own, "name", None), getattr(own, "shares_total", None)
    where = f"{wanted} of {path}"
    if not isinstance(name, str) or not name.strip():
        raise SettingsError(f"{where} has no name: a text under which it is recorded.", _HOW)
    # A change under one of a person's names would be let past the step.
    if name in policy_names() or name in OWN_WISHES:
        raise SettingsError(f"{where} has the name {name!r}, which is taken.", "Choose another.")
    if not isinstance(shares, bool):
        raise SettingsError(f"{where} does not say shares_total: True or False.", _HOW)
    if not callable(getattr(own, "decide", None)):
        raise SettingsError(f"{where} has no method decide(account).", _HOW)
    return name, shares


def _line(error: BaseException, path: Path) -> str:
    """Where in the file it went wrong, as far as known."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f" (line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [each.lineno for each in frames if each.filename == str(path)]
    return f" ({path}, line {lines[-1]})" if lines else f" ({path})"
