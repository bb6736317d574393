"""Pages of campaigns and of changes: what is on them, in which order, and their totals."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from tests.examples import examples
from tests.store.campaign_samples import LATER, NOW, campaign, opened, shop
from tests.store.samples import approved, budget
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import FieldsRefused
from zyenta_ads_pipeline.store.campaign_models import CampaignRow
from zyenta_ads_pipeline.store.campaign_pages import (
    CampaignCounts,
    CampaignPages,
    CampaignQuery,
    CampaignSort,
)
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.change_pages import ChangePages, ChangeQuery, ChangeSort
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.mapping import values_of
from zyenta_ads_pipeline.store.outbox import Outbox

STATUSES = list(CampaignStatus)


def put(store: Store, *campaigns: AdCampaign) -> None:
    """Rows as they are given, numbers and all."""
    rows = [values_of(each, leave_out=("creatives",)) for each in campaigns]
    with store.write() as session:
        session.execute(insert(CampaignRow), rows)


def some(number: int, **more: Any) -> AdCampaign:
    """A campaign whose numbers follow from its own."""
    spent = 1000 * (number % 7)
    revenue = 1700 * (number % 11)
    made = campaign(
        f"c{number:03}",
        name=f"Campaign {number:03}",
        status=STATUSES[number % len(STATUSES)],
        platform_campaign_id=f"90{number}",
        created_at=NOW + timedelta(minutes=number),
        updated_at=NOW + timedelta(minutes=number),
        daily_budget_minor=1000 + number * 13 % 900,
    )
    numbers = {
        "spent_minor": spent,
        "revenue_minor": revenue,
        "impressions": 1000 * (number % 5),
        "clicks": 37 * (number % 3),
        "conversions": number % 4,
        "roas": Decimal(revenue) / spent if spent else None,
        "ctr": Decimal("0.02"),
    }
    return replace(made, **(numbers | more))


@pytest.fixture
def pages(store: Store) -> CampaignPages:
    opened(store, shop(), shop("other", name="Other"))
    return CampaignPages(store)


def test_a_page_has_its_rows_its_totals_and_the_counts_of_all(
    store: Store, pages: CampaignPages
) -> None:
    made = [some(number) for number in range(60)]
    put(store, *made)
    page = pages.page(CampaignQuery(size=25))
    assert [row.id for row in page.rows] == [each.id for each in reversed(made)][:25]
    assert (page.total_rows, page.pages, page.page, page.size) == (60, 3, 1, 25)
    assert page.by_status == {s: sum(each.status is s for each in made) for s in STATUSES}
    totals = page.totals["EUR"]
    active = [each for each in made if each.status is CampaignStatus.ACTIVE]
    assert totals.campaigns == 60
    assert (totals.active, totals.active_budget_minor) == (
        len(active),
        sum(each.daily_budget_minor for each in active),
    )
    assert totals.spent_minor == sum(each.spent_minor for each in made)
    assert totals.roas == Decimal(totals.revenue_minor) / totals.spent_minor
    last = pages.page(CampaignQuery(size=25, page=9))
    assert (last.page, len(last.rows)) == (3, 10)
    first = page.rows[0]
    assert (first.store_name, first.roas, first.status) == ("Lumen", made[-1].roas, made[-1].status)
    assert first.created_at == made[-1].created_at


def test_an_empty_store_has_a_page(pages: CampaignPages) -> None:
    page = pages.page(CampaignQuery())
    assert (list(page.rows), page.total_rows, page.totals, page.pages) == ([], 0, {}, 1)
    assert set(page.by_status) == set(STATUSES)


FILTERS: list[tuple[dict[str, Any], Any]] = [
    ({"text": "paign 00"}, lambda each: "paign 00" in each.name),
    ({"text": "PAIGN 001"}, lambda each: "001" in each.name),
    ({"text": "c007"}, lambda each: each.id == "c007"),
    ({"text": "9011"}, lambda each: each.platform_campaign_id == "9011"),
    ({"text": "%"}, lambda each: "%" in each.name),
    ({"statuses": (CampaignStatus.ACTIVE, CampaignStatus.PAUSED)},
     lambda each: each.status in (CampaignStatus.ACTIVE, CampaignStatus.PAUSED)),
    ({"objectives": (CampaignObjective.TRAFFIC,)},
     lambda each: each.objective is CampaignObjective.TRAFFIC),
    ({"store_id": "other"}, lambda each: each.store_id == "other"),
    ({"account_id": "act_202"}, lambda each: each.account_id == "202"),
    ({"currency": "USD", "store_id": "shop"},
     lambda each: each.currency == "USD" and each.store_id == "shop"),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "fits"), FILTERS, ids=[str(each)[:40] for each, _ in FILTERS])
def test_filters_choose(
    store: Store, pages: CampaignPages, chosen: dict[str, Any], fits: Any
) -> None:
    made = [
        some(
            number,
            store_id="other" if number % 3 == 0 else "shop",
            account_id="202" if number % 4 == 0 else "101",
            currency="USD" if number % 2 else "EUR",
            objective=CampaignObjective.TRAFFIC if number % 5 == 0 else CampaignObjective.AWARENESS,
            name="100 % wool" if number == 30 else f"Campaign {number:03}",
        )
        for number in range(40)
    ]
    put(store, *made)
    wanted = {each.id for each in made if fits(each)}
    assert wanted
    for sort in (CampaignSort.CREATED, CampaignSort.ROAS):
        page = pages.page(CampaignQuery(size=200, sort=sort, **chosen))
        assert {row.id for row in page.rows} == wanted
        assert page.total_rows == len(wanted)
        assert sum(each.campaigns for each in page.totals.values()) == len(wanted)


KEYS: dict[CampaignSort, Any] = {
    CampaignSort.CREATED: lambda each: each.created_at,
    CampaignSort.UPDATED: lambda each: each.updated_at,
    CampaignSort.NAME: lambda each: each.name.lower(),
    CampaignSort.STATUS: lambda each: each.status.value,
    CampaignSort.BUDGET: lambda each: (each.currency, each.daily_budget_minor),
    CampaignSort.SPENT: lambda each: (each.currency, each.spent_minor),
    CampaignSort.REVENUE: lambda each: (each.currency, each.revenue_minor),
    CampaignSort.CONVERSIONS: lambda each: each.conversions,
    CampaignSort.ROAS: lambda each: each.revenue_minor / each.spent_minor,
    CampaignSort.CTR: lambda each: each.clicks / each.impressions,
}
NEEDED = {CampaignSort.ROAS: "spent_minor", CampaignSort.CTR: "impressions"}


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", list(CampaignSort))
def test_sorts_put_in_order_and_what_has_no_value_last(
    store: Store, pages: CampaignPages, sort: CampaignSort, descending: bool
) -> None:
    put(store, *(some(n, currency="USD" if n % 2 else "EUR") for n in range(50)))
    rows = pages.page(CampaignQuery(sort=sort, descending=descending, size=200)).rows
    known = [row for row in rows if sort not in NEEDED or getattr(row, NEEDED[sort])]
    assert list(rows[: len(known)]) == known
    values = [KEYS[sort](row) for row in known]
    assert values == sorted(values, reverse=descending)


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sort=st.sampled_from(CampaignSort), descending=st.booleans(), size=st.integers(1, 40))
def test_pages_together_are_all_campaigns_once(
    store: Store, sort: CampaignSort, descending: bool, size: int
) -> None:
    if not Campaigns(store).find(limit=1):
        opened(store)
        put(store, *(some(number) for number in range(45)))
    pages = CampaignPages(store)
    query = CampaignQuery(sort=sort, descending=descending, size=size)
    count = pages.page(query).pages
    found = [row.id for n in range(count) for row in pages.page(replace(query, page=n + 1)).rows]
    assert len(found) == len(set(found)) == 45


@pytest.mark.parametrize(("page", "size"), [(0, 10), (-1, 10), (1, 0), (1, 201)])
def test_a_page_that_cannot_be_is_refused(pages: CampaignPages, page: int, size: int) -> None:
    with pytest.raises(FieldsRefused) as refused:
        pages.page(CampaignQuery(page=page, size=size))
    assert {problem.field for problem in refused.value.problems} <= {"page", "size"}


def test_what_changes_is_seen_at_once(store: Store, pages: CampaignPages) -> None:
    put(store, some(2, status=CampaignStatus.ACTIVE))
    assert pages.page(CampaignQuery()).by_status[CampaignStatus.ACTIVE] == 1
    Campaigns(store).move(
        "c002", CampaignStatus.PAUSED, reason="r", actor="eva", now=LATER + timedelta(days=1)
    )
    page = pages.page(CampaignQuery())
    assert (page.by_status[CampaignStatus.ACTIVE], page.totals["EUR"].active) == (0, 0)
    # By a clock that is behind:
    Campaigns(store).move("c002", CampaignStatus.ACTIVE, reason="r", actor="eva", now=NOW)
    assert pages.page(CampaignQuery()).by_status[CampaignStatus.ACTIVE] == 1
    put(store, some(3))
    assert pages.page(CampaignQuery()).total_rows == 2


def test_changes_that_wait_are_counted(store: Store, pages: CampaignPages) -> None:
    put(store, some(1, account_id="1"), some(2, account_id="1"))
    outbox = Outbox(store)
    outbox.propose(
        [budget("1", campaign_id="901"), budget("2", campaign_id="901")], actor="p", now=NOW
    )
    approved(outbox, budget("3", campaign_id="902"))
    assert [row.proposed for row in pages.page(CampaignQuery()).rows] == [0, 2]
    counts = CampaignCounts(store).of_accounts(["1", "2"])
    assert counts == {"1": (2, 1, 2), "2": (0, 0, 0)}


def test_ten_thousand_campaigns_are_as_quick_as_ten(store: Store) -> None:
    """Not the benchmark: a bound that a plan without its index would break many times over."""
    opened(store)
    put(store, *(some(number) for number in range(10_000)))
    pages = CampaignPages(store)
    for sort in CampaignSort:
        pages.page(CampaignQuery(sort=sort))
        began = time.process_time()
        for _ in range(3):
            assert len(pages.page(CampaignQuery(sort=sort)).rows) == 50
        assert (time.process_time() - began) / 3 < 0.05


def test_a_page_of_changes(store: Store) -> None:
    opened(store)
    put(store, some(1, account_id="1"))
    outbox = Outbox(store)
    changes = [
        budget(str(n), campaign_id="901" if n % 2 else "902", confidence=Decimal(n) / 20)
        for n in range(1, 13)
    ]
    outbox.propose(changes, actor="p", now=NOW)
    ids = [record.id for record in outbox.find()]
    outbox.approve(ids[:3], actor="eva", now=LATER)
    pages = ChangePages(store)
    assert [pages.count(each) for each in ChangeState] == [
        pages.page(ChangeQuery()).by_state[each] for each in ChangeState
    ]
    page = pages.page(ChangeQuery(size=5))
    assert [line.record.id for line in page.rows] == ids[::-1][:5]
    assert (page.total_rows, page.pages) == (12, 3)
    assert page.by_state[ChangeState.PROPOSED] == 9
    assert page.by_state[ChangeState.APPROVED] == 3
    assert page.by_state[ChangeState.FAILED] == 0
    assert {(line.campaign_id, line.campaign_name) for line in page.rows} == {
        ("c001", "Campaign 001"),
        (None, None),
    }
    waiting = pages.page(ChangeQuery(states=[ChangeState.APPROVED], descending=False))
    assert [line.record.id for line in waiting.rows] == ids[:3]
    assert waiting.total_rows == 3
    assert waiting.by_state[ChangeState.PROPOSED] == 9
    assert pages.page(ChangeQuery(campaign_id="901")).total_rows == 6
    assert pages.page(ChangeQuery(text="set 12")).total_rows == 1
    assert pages.page(ChangeQuery(text="campaign 001")).total_rows == 6
    assert pages.page(ChangeQuery(text=ids[4])).total_rows == 1
    assert pages.page(ChangeQuery(account_id="act_1", policy="nobody")).total_rows == 0
    assert pages.page(ChangeQuery(change_field=ChangeField.STATUS)).total_rows == 0
    surest = pages.page(ChangeQuery(sort=ChangeSort.CONFIDENCE)).rows
    assert surest[0].record.id == ids[-1]
    newest = pages.page(ChangeQuery(sort=ChangeSort.UPDATED)).rows
    assert {line.record.id for line in newest[:3]} == set(ids[:3])
    with pytest.raises(FieldsRefused):
        pages.page(ChangeQuery(size=1000))
