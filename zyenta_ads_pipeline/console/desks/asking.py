"""What a buyer fills in for a new campaign, and whether it can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.budget_limits import known_limits
from zyenta_ads_pipeline.domain.campaign import LONGEST_DAYS, BudgetLevel, CampaignObjective
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused, InputError
from zyenta_ads_pipeline.platforms.registry import require_supported
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.shops import Shops


@dataclass(frozen=True, kw_only=True)
class NewCampaign:
    """What a buyer asks for, as it was filled in; checked by `CampaignDesk.ask`.

    `daily_budget` in major units of the account's currency. `name` empty: one is made.
    """

    store_id: str
    platform: str = "meta"
    objective: str = "conversions"
    daily_budget: Decimal
    duration_days: int = 7
    name: str = ""
    product_ids: Sequence[str] = ()
    variations: int = 3
    budget_level: BudgetLevel = BudgetLevel.ADSET
    auto_optimize: bool = True


LONGEST_NAME = 200
MOST_VARIATIONS = 10


def checked(office: Office, new: NewCampaign) -> str:
    """The currency of the account that the campaign would be in. Raises `FieldsRefused` naming
    every field that cannot be used."""
    problems: list[FieldProblem] = []
    currency = ""
    try:
        require_supported(new.platform)
    except InputError as error:
        problems.append(FieldProblem("platform", error.what, error.remedy))
    try:
        shop = Shops(office.store).get(new.store_id)
        if not problems:
            known = Connections(office.store, office.vault).get(new.store_id, new.platform)
            currency = known.currency
            if known_limits(currency) is None:
                problems.append(foreign_currency(shop.name, currency))
    except InputError as error:
        problems.append(FieldProblem("store_id", error.what, error.remedy))
    else:
        problems += _products(office, new)
    objectives = [each.value for each in CampaignObjective]
    if new.objective not in objectives:
        problems.append(
            FieldProblem(
                "objective",
                f"There is no objective {new.objective!r}.",
                f"Choose one of {', '.join(objectives)}.",
            )
        )
    problems += _numbers(new, currency)
    if len(new.name.strip()) > LONGEST_NAME or not new.name.isprintable():
        problems.append(
            FieldProblem(
                "name",
                "The name is too long, or has signs that cannot be printed.",
                f"Write at most {LONGEST_NAME} letters in one line, or leave it empty.",
            )
        )
    if problems:
        raise FieldsRefused(problems)
    return currency


def foreign_currency(store: str, currency: str) -> FieldProblem:
    """What is wrong with a store whose ad account is in a currency that Meta does not bill in."""
    return FieldProblem(
        "store_id",
        f"The account of {store} is in {currency}, in which Meta bills nobody, so no campaign can "
        "be made for it.",
        "Choose another store, or connect this one to another account.",
    )


def _products(office: Office, new: NewCampaign) -> list[FieldProblem]:
    try:
        Shops(office.store).products(new.store_id, new.product_ids)
    except InputError as error:
        return [FieldProblem("product_ids", error.what, error.remedy)]
    return []


def _numbers(new: NewCampaign, currency: str) -> list[FieldProblem]:
    problems = _budget(new.daily_budget, currency)
    if not 1 <= new.duration_days <= LONGEST_DAYS:
        problems.append(
            FieldProblem(
                "duration_days",
                f"A campaign cannot last {new.duration_days} days.",
                f"Choose 1 to {LONGEST_DAYS} days.",
            )
        )
    if not 1 <= new.variations <= MOST_VARIATIONS:
        problems.append(
            FieldProblem(
                "variations",
                f"{new.variations} creatives cannot be tested.",
                f"Choose 1 to {MOST_VARIATIONS}.",
            )
        )
    return problems


def _budget(budget: Decimal, currency: str) -> list[FieldProblem]:
    """What is wrong with a daily budget. Without a currency that is known there is no saying; then
    the store or the platform is what has to be mended first."""
    limits = known_limits(currency)
    try:
        if limits is not None:
            limits.minor(budget)
    except InputError as error:
        return [FieldProblem("daily_budget", error.what, error.remedy)]
    return []
