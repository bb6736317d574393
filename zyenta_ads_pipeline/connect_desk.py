"""What `zyenta connect` does: a token looked at, and what it reaches found, chosen and stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.connect_look import Choose, Found, Wanted, bounded_platform, look
from zyenta_ads_pipeline.connections import store_of, vault_of
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.budget_limits import known_limits, limits_of
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.domain.money import plain
from zyenta_ads_pipeline.domain.shop import PlatformConnection, ShopStore
from zyenta_ads_pipeline.ingestion.canary import State
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.shops import Shops

META = "meta"
STYLES = {State.OK: "", State.WARN: "yellow", State.NO: "red"}


@dataclass(frozen=True)
class Connected:
    """What a connecting came to."""

    shown: RenderableType
    stored: bool


def token_from(settings: Settings, store_id: str, account: str | None) -> str:
    """Where a token for this store is known from: `stored`, `settings`, or nowhere: empty.

    Raises `InputError` unless there is such a store.
    """
    with store_of(settings) as store:
        Shops(store).get(store_id)
        known = _known(settings, store, store_id)
    if known is not None and known.has_token:
        return "stored"
    return "settings" if _of_settings(settings, account) is not None else ""


def connect(
    settings: Settings, store_id: str, given: str | None, wanted: Wanted, *, choose: Choose | None
) -> Connected:
    """Check the token, find what it reaches, and store the connection if nothing is wrong.

    `given` None: the stored token is used, else that of the settings, which is then not stored a
    second time. Raises `InputError` without a token or for a store that is not there.
    """
    with store_of(settings) as store:
        shop = Shops(store).get(store_id)
        connections = Connections(store, vault_of(settings))
        known = _known(settings, store, store_id)
        stored = connections.token(store_id, META) if known and known.has_token else None
        token = given or stored or _of_settings(settings, wanted.account)
        if token is None:
            raise InputError(
                "There is no access token.", "Give one with --token-stdin or --token-env NAME."
            )
        found = Found(token=given)
        asyncio.run(look(settings, shop, token, _as_before(wanted, known), choose, found))
        _tell_of_currency(found)
        if found.usable:
            now = datetime.now(UTC)
            connections.save(_connection(shop, found, now), found.token, now)
    return _told(settings, shop, found, own=bool(found.token or stored))


def renew(settings: Settings, store_id: str) -> RenderableType:
    """Give the token of a store sixty more days, and store it. Raises what the platform raises."""
    with store_of(settings) as store:
        connections = Connections(store, vault_of(settings))
        known = connections.get(store_id, META)
        stored = connections.token(store_id, META) if known.has_token else None
        token = stored or _of_settings(settings, known.account_id)

        async def ask() -> tuple[str, datetime | None]:
            async with bounded_platform(settings, known.account_id, token) as platform:
                renewed = await platform.renewed_token()
                return renewed.token, renewed.expires_at

        token, expires_at = asyncio.run(ask())
        connections.renewed(store_id, META, token, expires_at, datetime.now(UTC))
    until = f"until {expires_at:%Y-%m-%d}" if expires_at else "without an end"
    return Text(f"The token of store {store_id} was renewed: it is good {until}.")


def list_connections(settings: Settings) -> RenderableType:
    """Every connection as a table; of tokens only whose they are, and their end."""
    with store_of(settings) as store:
        found = Connections(store, vault_of(settings)).all()
    if not found:
        return Text("No connections yet. Make one with `zyenta connect STORE`.")
    headings = ("store", "platform", "account", "currency", "time zone", "page", "pixel",
                "product set", "token", "checked (UTC)")  # fmt: skip
    shown = table("Connections", headings)
    for each in found:
        add(
            shown,
            each.store_id,
            each.platform,
            f"act_{each.account_id} {each.account_name}",
            each.currency,
            each.timezone,
            f"{each.page_name} {each.page_id}".strip() or "none",
            each.pixel_id or "none",
            each.product_set_id or "none",
            token_words(each),
            f"{each.token_checked_at:%Y-%m-%d %H:%M}" if each.token_checked_at else "",
        )
    return shown


def token_words(connection: PlatformConnection) -> str:
    """Whose token a connection uses and when it ends, without the token."""
    ends = connection.token_expires_at
    until = f", expires {ends:%Y-%m-%d}" if ends else ", does not expire"
    return f"{'its own' if connection.has_token else 'of the settings'}{until}"


def _connection(shop: ShopStore, found: Found, now: datetime) -> PlatformConnection:
    account = found.account
    assert account is not None  # noqa: S101 - nothing is stored without one
    page, page_name = found.page or ("", "")
    catalogue, product_set = found.product_set or (None, None)
    return PlatformConnection(
        store_id=shop.id,
        platform=META,
        account_id=account.id,
        account_name=account.name,
        currency=account.currency,
        timezone=account.timezone,
        page_id=page,
        page_name=page_name,
        pixel_id=found.pixel,
        instagram_user_id=None,
        product_catalog_id=catalogue,
        product_set_id=product_set,
        has_token=found.token is not None,
        token_expires_at=found.expires_at,
        token_checked_at=found.checked_at,
        connected_at=now,
        updated_at=now,
    )


def _tell_of_currency(found: Found) -> None:
    """An account whose budgets cannot be told in Meta's units is not stored: nothing could be made
    or changed in it."""
    if found.account is not None and known_limits(found.account.currency) is None:
        found.tell(
            "budgets",
            State.NO,
            f"in {found.account.currency}, in which Meta bills nobody",
            "Connect an ad account in another currency: --account.",
        )


def _told(settings: Settings, shop: ShopStore, found: Found, *, own: bool) -> Connected:
    where = "the sandbox" if settings.is_sandbox else "Meta"
    shown = table(f"{shop.name} and {where}", ("", "what", "found", "remedy"))
    for finding in found.findings:
        style = STYLES[finding.state]
        add(shown, finding.state.value, finding.what, finding.found, finding.remedy, style=style)
    if not found.usable or found.account is None:
        return Connected(Group(shown, Text("Not connected: see the remedies above.")), False)
    kept = "Its token is kept encrypted." if own else "It uses the token of the settings."
    last = f"Store {shop.id} is connected to act_{found.account.id}. {kept} Next:"
    budget = plain(limits_of(found.account.currency).usual)
    following = f"`zyenta campaign create {shop.id} --objective conversions --budget {budget}`."
    return Connected(Group(shown, Text(f"{last} {following}")), True)


def _known(settings: Settings, store: Store, store_id: str) -> PlatformConnection | None:
    found = Connections(store, vault_of(settings)).all()
    return next((e for e in found if (e.store_id, e.platform) == (store_id, META)), None)


def _of_settings(settings: Settings, account: str | None) -> str | None:
    """The settings' token for an account; on a sandbox its public one stands in."""
    try:
        return settings.token(account_number(account) if account else None)
    except SettingsError:
        return None


def _as_before(wanted: Wanted, known: PlatformConnection | None) -> Wanted:
    """What is not named stays as it was connected before, as long as the account does."""
    if known is None or (wanted.account and account_number(wanted.account) != known.account_id):
        return wanted
    return Wanted(
        account=wanted.account or known.account_id,
        page=wanted.page or known.page_id or None,
        pixel=wanted.pixel or known.pixel_id,
        product_set=wanted.product_set or known.product_set_id,
    )
