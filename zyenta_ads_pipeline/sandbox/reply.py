"""A reply before it is sent: status, headers, body, and how it is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zyenta_ads_pipeline.sandbox.wire import body_text


@dataclass(frozen=True)
class Delivery:
    """How the bytes travel. Seconds are real ones.

    `wait` passes before the first byte and `spread` while the body goes out. `drop` closes the
    connection without a byte; `cut` sends half of the body that was announced, then closes it.
    """

    wait: float = 0.0
    spread: float = 0.0
    drop: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Reply:
    """One reply. `body` is what becomes JSON, or bytes that go out as they are."""

    status: int
    headers: Mapping[str, str]
    body: Any
    media_type: str = "application/json"
    delivery: Delivery = field(default=Delivery())

    @property
    def lost(self) -> bool:
        """Whether the client never gets it whole."""
        return self.delivery.drop or self.delivery.cut

    @property
    def is_page(self) -> bool:
        """Whether it is a good reply that holds a list."""
        return (
            self.status == 200
            and isinstance(self.body, dict)
            and hasattr(self.body.get("data"), "__len__")
            and not isinstance(self.body["data"], Mapping)
        )

    def content(self) -> bytes:
        """The body as it travels."""
        return self.body if isinstance(self.body, bytes) else body_text(self.body).encode()
