"""What a sandbox is started with."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from zyenta_ads_pipeline.domain.errors import InputError

MAX_MARKET_ACCOUNTS = 8


@dataclass(frozen=True)
class SandboxConfig:
    """One sandbox: where it keeps its state, where it listens, and what it plays.

    `replay` is a file of ad days or of saved insights pages; without it an invented market is
    played, drawn from `seed`, with `days` days of history and `accounts` ad accounts; None takes
    what the state was made with, and 7, 60 and 1 for a new one.
    On the first start the clock stands at `start` (aware; default: now) or `behind_days` days
    before now; later starts find the clock in the state. `ceiling` is the call score of an ad
    account at which calls are blocked. `tokens` maps each token that is valid to the accounts
    (`act_…`, or `*` for all) that it may see, in place of the one `token` that sees all. With an
    `app_secret` a wrong `appsecret_proof` is refused, and `APP_ID|APP_SECRET` is the app's own
    token. Raises `InputError` for values that cannot be used.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8399
    token: str = "sandbox-token"  # noqa: S105 - a public default, worth nothing elsewhere
    replay: Path | None = None
    seed: int | None = None
    days: int | None = None
    accounts: int | None = None
    behind_days: int = 0
    frozen: bool = False
    start: datetime | None = None
    ceiling: int = 9000
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    app_id: str = "123456789012345"
    app_secret: str | None = None

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise InputError(
                f"The sandbox does not listen on {self.host!r}.",
                "It has no real access control: use 127.0.0.1.",
            )
        if not 0 <= self.port <= 65535:
            raise InputError(f"Port {self.port} does not exist.", "Use 1 to 65535, or 0 for any.")
        if not self.token or "" in self.tokens:
            raise InputError("The sandbox's token is empty.", "Give any text as the token.")
        for accounts in self.tokens.values():
            if not accounts:
                raise InputError("A token of the sandbox sees no account.", "Give it one, or *.")
        if self.days is not None and not 1 <= self.days <= 1000:
            raise InputError(f"{self.days} days of history are not possible.", "Use 1 to 1000.")
        if self.accounts is not None and not 1 <= self.accounts <= MAX_MARKET_ACCOUNTS:
            raise InputError(
                f"The market has no {self.accounts} accounts.", f"Use 1 to {MAX_MARKET_ACCOUNTS}."
            )
        if not 0 <= self.behind_days <= 1000:
            raise InputError(f"behind_days is {self.behind_days}.", "Use 0 to 1000 days.")
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise InputError(f"Seed {self.seed} cannot be used.", "Use a whole number from 0 on.")
        if self.ceiling < 1:
            raise InputError(f"A ceiling of {self.ceiling} blocks every call.", "Use 1 or more.")
        if self.start is not None and self.start.tzinfo is None:
            raise InputError(
                f"The start {self.start} has no time zone.", "Add an offset, such as Z or +01:00."
            )
        if self.start is not None and self.behind_days:
            raise InputError("Both start and behind_days are given.", "Give one of the two.")


def is_loopback(host: str) -> bool:
    """Whether `host` can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
