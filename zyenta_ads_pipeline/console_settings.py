"""The console's own settings: where it listens, under which names, behind what. Part of
`settings.Settings`, which reads them with the others."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("", "*", "0.0.0.0", "::")  # noqa: S104 - named so that they can be refused
LEAST_SECRET = 32
"""Characters."""


class ConsoleSettings(BaseSettings):
    """What `zyenta console` is told; see `docs/configuration.md`."""

    console_host: str = Field(
        "127.0.0.1",
        validation_alias="ZYENTA_CONSOLE_HOST",
        description="Address that the console listens on.",
    )
    console_port: int = Field(
        8003,
        ge=0,
        le=65535,
        validation_alias="ZYENTA_CONSOLE_PORT",
        description="Port that the console listens on; 0 for any free one.",
    )
    console_names: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="ZYENTA_CONSOLE_NAMES",
        description="Host names that the console answers to besides the loopback ones, separated "
        "by commas.",
    )
    console_secret: SecretStr | None = Field(
        None,
        validation_alias="ZYENTA_CONSOLE_SECRET",
        description="Secret of the console, which listening beyond this machine asks for; at least "
        "32 characters.",
    )
    console_certificate: Path | None = Field(
        None,
        validation_alias="ZYENTA_CONSOLE_CERTIFICATE",
        description="PEM file of the console's TLS certificate.",
    )
    console_key: Path | None = Field(
        None,
        validation_alias="ZYENTA_CONSOLE_KEY",
        description="PEM file of the key of that certificate.",
    )
    console_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="ZYENTA_CONSOLE_PROXIES",
        description="Addresses or networks of the proxies in front of the console, which end TLS.",
    )
    dagster_url: str = Field(
        "http://127.0.0.1:3000",
        validation_alias="ZYENTA_DAGSTER_URL",
        description="Address of the Dagster UI, which the console asks for runs and links to.",
    )

    @field_validator("console_names", "console_proxies", mode="before")
    @classmethod
    def _split_console(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(p.strip().lower() for p in value.split(",") if p.strip()))

    @field_validator("console_names")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if set(name) & set("/*@ "):
                raise ValueError(f"{name!r} must be a host's name such as ads.example.com")
        return value

    @field_validator("console_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                found = ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise ValueError(f"{network!r} must be an address such as 10.0.0.7") from None
            if found.prefixlen == 0:
                raise ValueError(f"{network!r} trusts everybody; name the proxies' own addresses")
        return value

    @field_validator("console_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().strip()) < LEAST_SECRET:
            raise ValueError(
                f"must have at least {LEAST_SECRET} characters; "
                'make one with python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        return value

    @field_validator("console_certificate", "console_key")
    @classmethod
    def _console_file(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @field_validator("dagster_url")
    @classmethod
    def _dagster_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address such as http://127.0.0.1:3000")
        if parts.query or parts.username:
            raise ValueError("must not carry a query or a password")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.console_certificate is None) != (self.console_key is None):
            raise ValueError("ZYENTA_CONSOLE_CERTIFICATE and ZYENTA_CONSOLE_KEY go together")
        return self

    @property
    def console_url(self) -> str:
        """Where a browser finds the console, as far as the settings tell: behind proxies its first
        name. Port 0 stands for one that is not known."""
        host = self.console_host
        if self.console_proxies and self.console_names:
            return f"https://{self.console_names[0]}"
        if host in EVERYWHERE:
            host = self.console_names[0] if self.console_names else LOOPBACK[0]
        scheme = "https" if self.console_has_tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.console_port}"

    @property
    def console_has_tls(self) -> bool:
        """True when the console itself speaks TLS."""
        return self.console_certificate is not None
