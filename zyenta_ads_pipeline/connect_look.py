"""What a token reaches on Meta: account, page, pixel and product set, found and chosen.

Each thing is a line of what was found, with the remedy where something lacks.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from zyenta_ads_pipeline.connections import connect_meta, rate_budget
from zyenta_ads_pipeline.domain.ads import AdAccount, account_number
from zyenta_ads_pipeline.domain.errors import RateLimited, Transient, Unreachable, ZyentaError
from zyenta_ads_pipeline.domain.shop import ShopStore
from zyenta_ads_pipeline.ingestion.canary import (
    Finding,
    State,
    account_finding,
    failed,
    token_finding,
)
from zyenta_ads_pipeline.platforms.base import Catalogue
from zyenta_ads_pipeline.platforms.meta.client import MetaClient, Purpose
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import Settings

T = TypeVar("T")

_PATIENCE = 60.0
"""Seconds that a quota is sat out."""
_PER_PAGE = 100
_MOST_CHOICES = 12

Choose = Callable[[str, Sequence[tuple[str, str]]], str]
"""Asks a person: what it is about, the ids with their names; gives an id."""


@dataclass(frozen=True)
class Wanted:
    """What the user named; the rest is looked for."""

    account: str | None = None
    page: str | None = None
    pixel: str | None = None
    product_set: str | None = None


@dataclass
class Found:
    """What was found so far, and a line about each thing."""

    token: str | None = None
    expires_at: datetime | None = None
    account: AdAccount | None = None
    page: tuple[str, str] | None = None
    pixel: str | None = None
    product_set: tuple[str, str] | None = None
    """Catalogue and set."""
    checked_at: datetime | None = None
    findings: list[Finding] = field(default_factory=list)

    def tell(self, what: str, state: State, found: str, remedy: str = "") -> None:
        self.findings.append(Finding(what, state, found, remedy))

    @property
    def usable(self) -> bool:
        """Whether nothing is wrong that has to be mended before it can be stored."""
        return all(finding.state is not State.NO for finding in self.findings)


async def look(
    settings: Settings,
    shop: ShopStore,
    token: str,
    wanted: Wanted,
    choose: Choose | None,
    found: Found,
) -> None:
    """Ask Meta one thing after another; what cannot go on without an answer ends the looking."""
    async with bounded_platform(settings, None, token) as platform:
        if not await _look_at_token(settings, platform, token, found):
            return
        account = await _account(settings, platform, token, wanted.account, choose, found)
        if account is None:
            return
        found.account = account
        if account.currency != shop.currency:
            found.tell(
                "currency",
                State.OK,
                f"budgets are in {account.currency}, prices stay in {shop.currency}",
            )
        await _page(platform, account.id, wanted.page, choose, found)
        await _pixel(platform, account.id, wanted.pixel, choose, found)
        await _product_set(platform, account.id, wanted.product_set, choose, found)


async def _look_at_token(settings: Settings, platform: MetaAds, token: str, found: Found) -> bool:
    """Is the token good? One that ends is given sixty more days where the app lets us."""
    try:
        status = await platform.token_status()
        now = await platform.server_time() if status.valid else datetime.now(UTC)
    except ZyentaError as error:
        found.findings.append(failed("token", error))
        return False
    line = token_finding("token", status, now=now, app_id=settings.app_id, writes=True)
    found.findings.append(line)
    if line.state is State.NO:
        return False
    found.expires_at, found.checked_at = status.expires_at, datetime.now(UTC)
    if status.expires_at is None:
        return True
    if settings.app_id is None or settings.app_secret is None:
        remedy = "Set META_APP_ID and META_APP_SECRET to renew it, or use a system user's token."
        found.tell("renewal", State.WARN, "not possible without the app", remedy)
        return True
    try:
        renewed = await platform.renewed_token()
    except ZyentaError as error:
        found.findings.append(failed("renewal", error, State.WARN))
        return True
    found.token, found.expires_at = renewed.token, renewed.expires_at
    until = f"until {renewed.expires_at:%Y-%m-%d}" if renewed.expires_at else "without an end"
    found.tell("renewal", State.OK, f"good {until}")
    return True


async def _account(
    settings: Settings,
    platform: MetaAds,
    token: str,
    wanted: str | None,
    choose: Choose | None,
    found: Found,
) -> AdAccount | None:
    what = "ad account"
    try:
        if wanted is None:
            choices = await _reachable(settings, token)
            if not choices:
                remedy = "Give the token's user an ad account in Business settings, or --account."
                found.tell(what, State.NO, "the token reaches none", remedy)
                return None
            wanted = _one_of(what, "--account", choices, choose, found)
            if wanted is None:
                return None
        account = await platform.account(account_number(wanted))
    except ZyentaError as error:
        found.findings.append(failed(what, error))
        return None
    line = account_finding(account, token="", used="")
    found.findings.append(Finding(what, line.state, f"{line.what}: {line.found}", line.remedy))
    return account if line.state is State.OK else None


async def _reachable(settings: Settings, token: str) -> list[tuple[str, str]]:
    """The ad accounts that the token reaches, each with its name and currency."""
    client = MetaClient(
        base_url=settings.graph_url,
        version=settings.api_version,
        token=token,
        app_id=settings.app_id,
        app_secret=settings.app_secret.get_secret_value() if settings.app_secret else None,
        deadline=time.monotonic() + _PATIENCE,
        budget=rate_budget(settings),
    )
    params = {"fields": "id,name,currency,account_status"}
    async with client:
        pages = client.pages("me/adaccounts", params, limit=_PER_PAGE, purpose=Purpose("account"))
        return [
            (str(row["id"]), f"{row.get('name', '')}, {row.get('currency', '')}")
            async for reply in pages
            for row in reply.body["data"]
        ]


async def _page(
    platform: MetaAds, account: str, wanted: str | None, choose: Choose | None, found: Found
) -> None:
    pages = await _asked("page", platform.pages(account), found)
    if pages is None:
        return
    choices = [(page.id, page.name) for page in pages]
    if not choices:
        remedy = "Give the token's user a page in Business settings: every ad needs one."
        found.tell("page", State.WARN, "none: existing campaigns can be managed, not new ones "
                   "launched", remedy)  # fmt: skip
        return
    chosen = _picked("page", "--page", choices, wanted, choose, found)
    if chosen is not None:
        found.page = (chosen, dict(choices)[chosen])


async def _pixel(
    platform: MetaAds, account: str, wanted: str | None, choose: Choose | None, found: Found
) -> None:
    pixels = await _asked("pixel", platform.pixels(account), found)
    if pixels is None:
        return
    choices = [
        (each.id, f"{each.name}, last fired {each.last_fired_at:%Y-%m-%d}"
         if each.last_fired_at else f"{each.name}, never fired")
        for each in pixels
    ]  # fmt: skip
    if not choices:
        remedy = "Share a pixel with the account in Events Manager: it counts the purchases."
        found.tell("pixel", State.WARN, "none: campaigns for conversions need one", remedy)
        return
    found.pixel = _picked("pixel", "--pixel", choices, wanted, choose, found)


async def _product_set(
    platform: MetaAds, account: str, wanted: str | None, choose: Choose | None, found: Found
) -> None:
    """The set of products that catalogue campaigns show; without one all else still works."""
    what = "product set"
    catalogues = await _asked(what, platform.catalogues(account), found)
    if catalogues is None:
        return
    choices, catalogue_of = _sets(catalogues)
    if not choices:
        remedy = "Make a catalogue in Commerce Manager, if you want to sell from one."
        found.tell(what, State.OK, "none: catalogue campaigns need one, the others do not", remedy)
        return
    if wanted is None and len(choices) > 1 and choose is None:
        told = f"not chosen of {_listed(choices)}"
        found.tell(what, State.OK, told, "Catalogue campaigns need one: --product-set ID.")
        return
    chosen = _picked(what, "--product-set", choices, wanted, choose, found)
    if chosen is not None:
        found.product_set = (catalogue_of[chosen], chosen)


def _sets(catalogues: Sequence[Catalogue]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """The sets of all catalogues with their names, and the catalogue of each."""
    choices = [
        (own, f"{name} of {each.name}") for each in catalogues for own, name in each.product_sets
    ]
    return choices, {own: each.id for each in catalogues for own, _ in each.product_sets}


async def _asked(what: str, question: Awaitable[Sequence[T]], found: Found) -> Sequence[T] | None:
    """The answer; None, with a line about it, where there is none."""
    try:
        return await question
    except (Transient, RateLimited, Unreachable) as error:
        # It passes; what is known of the store is not replaced by nothing meanwhile.
        found.findings.append(failed(what, error, State.NO))
        return None
    except ZyentaError as error:
        found.findings.append(failed(what, error, State.WARN))
        return None


def _picked(
    what: str,
    option: str,
    choices: Sequence[tuple[str, str]],
    wanted: str | None,
    choose: Choose | None,
    found: Found,
) -> str | None:
    """The one that was named or that there is; a line says which, or what there is to choose."""
    if wanted is not None and wanted not in dict(choices):
        found.tell(what, State.NO, f"{wanted} is none of {_listed(choices)}", f"Give {option} ID.")
        return None
    chosen = wanted or _one_of(what, option, choices, choose, found)
    if chosen is not None:
        only = "" if wanted or len(choices) > 1 else ", the only one"
        found.tell(what, State.OK, f"{dict(choices)[chosen]} ({chosen}){only}")
    return chosen


def _one_of(
    what: str,
    option: str,
    choices: Sequence[tuple[str, str]],
    choose: Choose | None,
    found: Found,
) -> str | None:
    if len(choices) == 1:
        return choices[0][0]
    if choose is not None:
        return choose(what, choices)
    remedy = f"Choose one: {option} {choices[0][0]}"
    found.tell(what, State.NO, f"{len(choices)} to choose from: {_listed(choices)}", remedy)
    return None


def _listed(choices: Sequence[tuple[str, str]]) -> str:
    shown = "; ".join(f"{own} ({name})" for own, name in choices[:_MOST_CHOICES])
    more = len(choices) - _MOST_CHOICES
    return f"{shown}; and {more} more" if more > 0 else shown


def bounded_platform(settings: Settings, account: str | None, token: str | None) -> MetaAds:
    """Meta with this token, not waiting for ever."""
    deadline = time.monotonic() + _PATIENCE
    return connect_meta(settings, account, deadline=deadline, token=token)
