"""Every setting of the product, read once from the environment and `.env`.

`docs/configuration.md` lists the same names for people; a test compares the two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from zyenta_ads_pipeline.console_settings import LOOPBACK, ConsoleSettings
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.domain.insights import PRESETS
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.domain.time import Tier, parse_tiers
from zyenta_ads_pipeline.optimizer.policies import policy_names

SANDBOX_TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's public default, no secret
SUPPORTED_VERSIONS = ("v25.0", "v26.0")
_OLDEST_TIER_DAYS = 90
_ONE_WORD = re.compile(r"[!-~]+")
_POLICY_FILE = re.compile(r".+\.py:[A-Za-z_]\w*")
WINDOWS = (1, 3, 7, 14, 28)
"""Days that a decision may look at."""


class Settings(ConsoleSettings):
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
    account_tokens: Annotated[Mapping[str, SecretStr], NoDecode] = Field(
        {},
        validation_alias="META_ACCOUNT_TOKENS",
        description="Tokens of single accounts, separated by commas: act_123=TOKEN,act_456=TOKEN; "
        "the others use META_ACCESS_TOKEN.",
    )
    app_id: str | None = Field(
        None,
        pattern=r"^[0-9]+$",
        validation_alias="META_APP_ID",
        description="Id of the Meta app the tokens belong to; lets doctor look at tokens with it.",
    )
    app_secret: SecretStr | None = Field(
        None,
        validation_alias="META_APP_SECRET",
        description="The app's secret: proves each call, where the app requires appsecret_proof.",
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

    sync_deadline: float = Field(
        2700.0,
        gt=0,
        allow_inf_nan=False,
        validation_alias="ZYENTA_SYNC_DEADLINE",
        description="Seconds a whole sync may take; what is not read by then is left to the next.",
    )
    restatement_tiers: Annotated[tuple[Tier, ...], NoDecode] = Field(
        (Tier(2, 1), Tier(3, 6), Tier(7, 24), Tier(28, 168)),
        validation_alias="ZYENTA_RESTATEMENT_TIERS",
        description="How often the newest days are read again, since Meta restates them: "
        "2d/1h,7d/24h reads two days hourly and seven daily.",
    )
    breakdowns: Annotated[tuple[str, ...], NoDecode] = Field(
        tuple(PRESETS),
        validation_alias="ZYENTA_BREAKDOWNS",
        description="Breakdowns to read: all, none, or names such as by_hour,by_country.",
    )
    raw_days: int = Field(
        90,
        ge=1,
        le=36500,
        validation_alias="ZYENTA_RAW_DAYS",
        description="Days that Meta's raw replies are kept under $ZYENTA_HOME/raw.",
    )
    write_reserve: float = Field(
        10.0,
        ge=0,
        le=50,
        validation_alias="ZYENTA_WRITE_RESERVE",
        description="Percent points of Meta's call quotas that reading leaves to writing.",
    )
    reporting_currency: str | None = Field(
        None,
        validation_alias="ZYENTA_REPORTING_CURRENCY",
        description="Currency that accounts of several currencies are shown in together.",
    )
    rates_file: Path | None = Field(
        None,
        validation_alias="ZYENTA_RATES_FILE",
        description="CSV with the columns date, currency, rate: reporting currency per unit.",
    )
    alert_webhook: SecretStr | None = Field(
        None,
        validation_alias="ZYENTA_ALERT_WEBHOOK",
        description="Address that alerts are posted to as JSON: https://….",
    )

    secret_key: SecretStr | None = Field(
        None,
        validation_alias="ZYENTA_SECRET_KEY",
        description="Key that encrypts the tokens of connections in the store; default: one made "
        "once in $ZYENTA_HOME/secret.key.",
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias="OPENAI_API_KEY",
        description="Key of the language model that writes ad texts; unset: templates write them.",
    )
    openai_base_url: str | None = Field(
        None,
        validation_alias="OPENAI_BASE_URL",
        description="Address of another server that speaks OpenAI's API, up to /v1.",
    )
    openai_model: str | None = Field(
        None,
        validation_alias="ZYENTA_OPENAI_MODEL",
        description="Model that writes ad texts; default: the writer's own choice.",
    )
    private_media: bool = Field(
        False,
        validation_alias="ZYENTA_PRIVATE_MEDIA",
        description="true: pictures and videos may be fetched from private addresses too.",
    )

    accounts_file: Path | None = Field(
        None,
        validation_alias="ZYENTA_ACCOUNTS_FILE",
        description="TOML file of single accounts' own rules: policy, limits, locked campaigns.",
    )
    policy: str = Field(
        "response_curve",
        validation_alias="ZYENTA_POLICY",
        description="Policy that decides on budgets: its name, or path/to/file.py:ClassName.",
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

    @field_validator("access_token", "app_secret", "secret_key", "openai_api_key")
    @classmethod
    def _token(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else _secret_word(value.get_secret_value())

    @field_validator("account_tokens", mode="before")
    @classmethod
    def _tokens_by_account(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        tokens: dict[str, SecretStr] = {}
        for number, part in enumerate((p for p in value.split(",") if p.strip()), start=1):
            account, _, token = part.partition("=")
            try:
                own = account_number(account)
            except InputError:  # its text repeats the part, which may be a token
                raise ValueError(f"entry {number} must be written act_123=TOKEN") from None
            if own in tokens:
                raise ValueError(f"act_{own} is named twice")
            tokens[own] = _secret_word(token)
        return tokens

    @field_validator("alert_webhook")
    @classmethod
    def _webhook(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        address = _secret_word(value.get_secret_value())
        try:
            parts = urlsplit(address.get_secret_value())
            told = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # its text repeats a part of the address
            told = False
        if not told:
            raise ValueError("must be an address such as https://hooks.example.com/…")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("plain http would show alerts to the network; use https")
        return address

    @field_validator("restatement_tiers", mode="before")
    @classmethod
    def _tiers(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            tiers = parse_tiers(value)
        except InputError as error:
            raise ValueError(str(error)) from None
        if tiers[-1].days > _OLDEST_TIER_DAYS:
            raise ValueError(f"no tier may reach further back than {_OLDEST_TIER_DAYS} days")
        return tiers

    @field_validator("breakdowns", mode="before")
    @classmethod
    def _presets(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        named = [name.strip() for name in value.split(",") if name.strip()]
        if named in (["all"], ["none"]):
            return tuple(PRESETS) if named == ["all"] else ()
        if unknown := [name for name in named if name not in PRESETS]:
            raise ValueError(
                f"{', '.join(unknown)} is none of all, none, or of {', '.join(PRESETS)}"
            )
        return tuple(name for name in PRESETS if name in named)

    @field_validator("reporting_currency")
    @classmethod
    def _currency(cls, value: str | None) -> str | None:
        if value is not None and value not in CURRENCY_OFFSETS:
            raise ValueError("must be a currency of ad accounts, such as EUR")
        return value

    @field_validator("rates_file", "accounts_file")
    @classmethod
    def _own_file(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @field_validator("api_version")
    @classmethod
    def _version(cls, value: str) -> str:
        if value not in SUPPORTED_VERSIONS:
            raise ValueError(f"must be one of {', '.join(SUPPORTED_VERSIONS)}")
        return value

    @field_validator("policy")
    @classmethod
    def _policy(cls, value: str) -> str:
        if value not in policy_names() and not _POLICY_FILE.fullmatch(value):
            known = ", ".join(policy_names())
            raise ValueError(f"must be one of {known}, or a file's: path/to/file.py:ClassName")
        return value

    @field_validator("decision_window")
    @classmethod
    def _window(cls, value: int) -> int:
        if value not in WINDOWS:
            raise ValueError("must be 1, 3, 7, 14 or 28")
        return value

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.budget_cap is not None and self.budget_cap < self.budget_floor:
            raise ValueError("ZYENTA_BUDGET_CAP is below ZYENTA_BUDGET_FLOOR")
        if self.restatement_days < self.decision_window:
            raise ValueError(
                "ZYENTA_RESTATEMENT_TIERS do not reach as far back as ZYENTA_DECISION_WINDOW: "
                "decisions would look at days that were never read"
            )
        if self.rates_file is not None and self.reporting_currency is None:
            raise ValueError("ZYENTA_RATES_FILE needs ZYENTA_REPORTING_CURRENCY")
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

    @property
    def restatement_days(self) -> int:
        """Days before today that are read again at all: the reach of the widest tier."""
        return self.restatement_tiers[-1].days

    def token(self, account_id: str | None = None) -> str:
        """The token for an account (digits): its own, or else the one for all.

        On the sandbox its public default stands in. Raises `SettingsError` when there is none.
        """
        chosen = self.account_tokens.get(account_id or "") or self.access_token
        if chosen is not None:
            return chosen.get_secret_value()
        if self.is_sandbox:
            return SANDBOX_TOKEN
        whose = "" if account_id is None else f" nor does META_ACCOUNT_TOKENS name act_{account_id}"
        raise SettingsError(
            f"META_ACCESS_TOKEN is not set{',' if whose else ''}{whose}.",
            "Put the token into .env or the environment, or point META_GRAPH_URL at a sandbox "
            "(`zyenta sandbox`) to try things without one.",
        )

    def alert_address(self) -> str | None:
        """Where alerts are posted to; None where nowhere.

        What happens on a sandbox is not told beyond this machine.
        """
        if self.alert_webhook is None:
            return None
        address = self.alert_webhook.get_secret_value()
        leaves = urlsplit(address).hostname not in LOOPBACK
        return None if self.is_sandbox and leaves else address


def load_settings() -> Settings:
    """The settings of this process; `SettingsError` names each one that cannot be used."""
    named = Settings.model_config.get("env_file")
    dotenv = Path(str(named)) if named else None
    text = dotenv.read_bytes() if dotenv and dotenv.is_file() else b""
    return _loaded(frozenset(os.environ.items()), text)


@lru_cache(maxsize=2)  # a run asks some sixty times, each of which would cost 10 ms
def _loaded(_environment: frozenset[tuple[str, str]], _dotenv: bytes) -> Settings:
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


def _secret_word(text: str) -> SecretStr:
    """A secret as one word; its text never reaches an error."""
    text = text.strip()
    if not _ONE_WORD.fullmatch(text):
        raise ValueError("must be one word of plain letters, digits and signs")
    return SecretStr(text)
