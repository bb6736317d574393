"""Who asks, and how far their role reaches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zyenta_ads_pipeline.domain.errors import NotAllowed


class Role(StrEnum):
    """What a person may do; each role may do what those before it may."""

    VIEWER = "viewer"
    """Look at everything but tokens."""
    BUYER = "buyer"
    """Act on campaigns and changes; throw the kill switch."""
    ADMIN = "admin"
    """Tokens, rules, stores; lift the kill switch."""

    def reaches(self, needed: Role) -> bool:
        """Whether this role may do what `needed` is needed for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class Person:
    """Who asks: the name for journals, the role, and by which door (`console`, `api`, `cli`).

    `token_id` is the token behind it; None for one who came by a one-time link or the terminal.
    """

    name: str
    role: Role
    via: str = "console"
    token_id: str | None = None

    def may(self, needed: Role) -> bool:
        """Whether the role reaches that far."""
        return self.role.reaches(needed)

    def require(self, needed: Role, what: str) -> None:
        """Raise `NotAllowed`, naming `what`, unless the role reaches that far."""
        if not self.may(needed):
            raise NotAllowed(
                f"{self.name} has the role {self.role.value}, which is not enough for: {what}.",
                f"It takes the role {needed.value}: ask an admin for such a token.",
            )
