"""Every setting of the product, read once from the environment and `.env`.

`docs/configuration.md` lists the same names for people; a test compares the two.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.optimizer.policies import policy_names

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SANDBOX_TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's public default, no secret
SUPPORTED_VERSIONS = ("v25.0", "v26.0")


class Settings(BaseSettings):
    """The product's settings; see `docs/configuration.md`."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(
        Path(".zyenta"),
        validation_alias="ZYENTA_HOME",
        description="Folder of everything the product keeps: lake, store, Dagster's own storage.",
    )
    lake_root: str | None = Field(
        None,
        validation_alias="ZYENTA_LAKE_ROOT",
        description="Where the analytical tables live: a folder or s3://…; default "
        "$ZYENTA_HOME/lake.",
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias="ZYENTA_DATABASE_URL",
        description="Operational database and Dagster's storage: postgresql://…; default SQLite "
        "under $ZYENTA_HOME.",
    )

    graph_url: str = Field(
        "https://graph.facebook.com",
        validation_alias="META_GRAPH_URL",
        description="Base address of the Graph API; the sandbox's address to try things out.",
    )
    api_version: str = Field(
        "v26.0",
        validation_alias="META_API_VERSION",
        description="Marketing API version to speak: v25.0 or v26.0.",
    )
    access_token: SecretStr | None = Field(
        None,
        validation_alias="META_ACCESS_TOKEN",
        description="Meta access token with ads_read (and ads_management to push changes).",
    )
    ad_account_ids: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="META_AD_ACCOUNT_IDS",
        description="Ad accounts to work on, separated by commas: act_123,act_456.",
    )
    purchase_type: str | None = Field(
        None,
        validation_alias="META_PURCHASE_TYPE",
        description="Action type counted as a purchase; default: per account the first in use of "
        "omni_purchase, purchase, offsite_conversion.fb_pixel_purchase.",
    )
    request_timeout: float = Field(
        60.0,
        gt=0,
        validation_alias="META_REQUEST_TIMEOUT",
        description="Seconds to wait for one reply of the Graph API.",
    )
    max_wait: float = Field(
        300.0,
        ge=0,
        validation_alias="META_MAX_WAIT",
        description="Longest wait, in seconds, that one read sits out when Meta throttles it.",
    )

    restatement_days: int = Field(
        28,
        ge=1,
        le=90,
        validation_alias="ZYENTA_RESTATEMENT_DAYS",
        description="Days before today that each hourly run reads again, since Meta restates them.",
    )

    policy: str = Field(
        "roas_thresholds",
        validation_alias="ZYENTA_POLICY",
        description="Policy that decides on budgets.",
    )
    decision_window: int = Field(
        7,
        validation_alias="ZYENTA_DECISION_WINDOW",
        description="Complete days a decision looks at: 1, 3, 7, 14 or 28.",
    )
    total_daily_budget: Decimal | None = Field(
        None,
        gt=0,
        validation_alias="ZYENTA_TOTAL_DAILY_BUDGET",
        description="Daily total per account, in its currency, to distribute over its campaigns; "
        "unset: decisions pass through.",
    )
    budget_floor: Decimal = Field(
        Decimal(10),
        ge=0,
        validation_alias="ZYENTA_BUDGET_FLOOR",
        description="Least daily budget of an active campaign, in account currency.",
    )
    budget_cap: Decimal | None = Field(
        None,
        gt=0,
        validation_alias="ZYENTA_BUDGET_CAP",
        description="Most daily budget of one campaign, in account currency; unset: none.",
    )
    max_step: Decimal = Field(
        Decimal("0.20"),
        gt=0,
        le=10,
        validation_alias="ZYENTA_MAX_STEP",
        description="Largest change of a budget in one go, as a fraction of the current one.",
    )
    autopilot: Autopilot = Field(
        Autopilot.WATCH,
        validation_alias="ZYENTA_AUTOPILOT",
        description="watch (propose only), approve (a person confirms), auto (within guardrails).",
    )
    kill_switch: bool = Field(
        False,
        validation_alias="ZYENTA_KILL_SWITCH",
        description="true: nothing is written to Meta, by any run.",
    )

    @field_validator("home")
    @classmethod
    def _usable_home(cls, value: Path) -> Path:
        if set(str(value)) & set("%?"):
            raise ValueError("must not contain % or ?, which the databases cannot open")
        return value.expanduser()

    @field_validator("ad_account_ids", mode="before")
    @classmethod
    def _split_accounts(cls, value: Any) -> Any:
        return tuple(p for p in value.split(",") if p.strip()) if isinstance(value, str) else value

    @field_validator("ad_account_ids")
    @classmethod
    def _account_numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(dict.fromkeys(account_number(account) for account in value))
        except InputError as error:
            raise ValueError(str(error)) from None

    @field_validator("graph_url")
    @classmethod
    def _graph_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address such as https://graph.facebook.com")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("plain http would show the token to the network; use https")
        if parts.query or parts.username:
            raise ValueError("must not carry a query or a password")
        return value.rstrip("/")

    @field_validator("access_token")
    @classmethod
    def _token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value().strip()
        if not re.fullmatch(r"[!-~]+", text):
            raise ValueError("must be one word of plain letters, digits and signs")
        return SecretStr(text)

    @field_validator("api_version")
    @classmethod
    def _version(cls, value: str) -> str:
        if value not in SUPPORTED_VERSIONS:
            raise ValueError(f"must be one of {', '.join(SUPPORTED_VERSIONS)}")
        return value

    @field_validator("policy")
    @classmethod
    def _policy(cls, value: str) -> str:
        if value not in policy_names():
            raise ValueError(f"must be one of {', '.join(policy_names())}")
        return value

    @field_validator("decision_window")
    @classmethod
    def _window(cls, value: int) -> int:
        if value not in (1, 3, 7, 14, 28):
            raise ValueError("must be 1, 3, 7, 14 or 28")
        return value

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.budget_cap is not None and self.budget_cap < self.budget_floor:
            raise ValueError("ZYENTA_BUDGET_CAP is below ZYENTA_BUDGET_FLOOR")
        if self.restatement_days < self.decision_window:
            raise ValueError(
                "ZYENTA_RESTATEMENT_DAYS is below ZYENTA_DECISION_WINDOW: decisions would look at "
                "days that were never read"
            )
        return self

    @property
    def lake_location(self) -> str:
        """Where the lake's tables live."""
        return self.lake_root or str((self.home / "lake").absolute())

    @property
    def store_url(self) -> str:
        """The operational database's SQLAlchemy address."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'store.db').absolute()}"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own folder."""
        return (self.home / "dagster").absolute()

    @property
    def is_sandbox(self) -> bool:
        """True when the Graph API asked is on this machine."""
        return urlsplit(self.graph_url).hostname in LOOPBACK

    def token(self) -> str:
        """The access token; on the sandbox its public default. `SettingsError` when missing."""
        if self.access_token is not None:
            return self.access_token.get_secret_value()
        if self.is_sandbox:
            return SANDBOX_TOKEN
        raise SettingsError(
            "META_ACCESS_TOKEN is not set.",
            "Put the token into .env or the environment, or point META_GRAPH_URL at a sandbox "
            "(`zyenta sandbox`) to try things without one.",
        )


def load_settings() -> Settings:
    """The settings of this process; `SettingsError` names each one that cannot be used."""
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{_env_name(problem['loc'])}: "
            + problem["msg"].removeprefix("Value error, ").rstrip(".")
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(
            f"The settings cannot be used: {problems}.",
            "Mend them in the environment or in .env; docs/configuration.md lists them all.",
        ) from None

    except UnicodeDecodeError:
        raise SettingsError("The file .env is not UTF-8 text.", "Save it as UTF-8.") from None
    return settings


def forget_settings() -> None:
    """Put every setting of this process back to its default: environment and `.env` alike.

    For the demo, which must play the same wherever it is started.
    """
    for field in Settings.model_fields.values():
        os.environ.pop(str(field.validation_alias), None)
    Settings.model_config["env_file"] = None


def _env_name(location: tuple[int | str, ...]) -> str:
    """The environment variable behind a pydantic error's location."""
    if not location:
        return "settings"
    name = str(location[0])
    field = Settings.model_fields.get(name)
    return str(field.validation_alias) if field is not None else name
