"""A store with data in it, made by an older version, is carried over to the present one."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, select, text

from tests.store.campaign_samples import NOW, launched, opened, shop
from tests.store.samples import approved, budget
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.store.access import Access
from zyenta_ads_pipeline.store.audit import Audit
from zyenta_ads_pipeline.store.database import (
    VERSION_TABLE,
    Store,
    alembic_config,
    open_store,
)
from zyenta_ads_pipeline.store.orders import OrderKind, Orders
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.schema import METADATA
from zyenta_ads_pipeline.store.shops import Shops
from zyenta_ads_pipeline.store.switches import KillSwitches

OLDER = ("0003", "0002", "0001")
APPEND_ONLY = {"0003": ("change_journal", "campaign_journal"), "0002": ("change_journal",),
               "0001": ("change_journal",)}  # fmt: skip


def fill(store: Store) -> None:
    """Put something into the tables of each step."""
    own = launched(opened(store)).id
    approved(Outbox(store), budget("1"), budget("2"))
    Outbox(store).propose([budget("3")], actor="policy", now=NOW)
    KillSwitches(store).throw("101", by="eva", reason="prices are wrong", now=NOW)
    Orders(store).ask(
        OrderKind.PAUSE, account_id="101", campaign_id=own, payload={}, by="eva", now=NOW
    )
    Access(store).issue("eva", Role.BUYER, by="root", now=NOW)
    Audit(store).write(
        at=NOW, who="eva", role="buyer", via="console", act="pause", kind="campaign", about=own
    )


def rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All that is in the database, as it is stored, without SQLAlchemy's models."""
    found = MetaData()
    with store.read() as session:
        found.reflect(session.connection())
        return {
            table.name: sorted(
                ({name: str(value) for name, value in row.items()}
                 for row in session.execute(select(table)).mappings()),
                key=repr,
            )
            for table in found.sorted_tables
            if table.name != VERSION_TABLE
        }  # fmt: skip


@pytest.mark.parametrize(
    "older",
    [pytest.param(each, marks=pytest.mark.slow) if each == "0002" else each for each in OLDER],
)
def test_nothing_is_lost_on_the_way_from_an_older_version(
    store: Store, store_url: str, older: str
) -> None:
    fill(store)
    whole = rows(store)
    with store.write() as session:
        command.downgrade(alembic_config(session.connection()), older)
    before = rows(store)
    store.close()
    assert "access_tokens" not in before
    assert before == {name: whole[name] for name in before}
    assert sum(map(len, before.values())) >= 3

    upgraded = open_store(store_url)
    try:
        after = rows(upgraded)
        assert {name: after[name] for name in before} == before
        assert {name for name in after if name not in before and after[name]} == set()
        with upgraded.read() as session:
            context = MigrationContext.configure(
                session.connection(), opts={"version_table": VERSION_TABLE}
            )
            assert compare_metadata(context, METADATA) == []
        for table in APPEND_ONLY[older]:
            with pytest.raises(StorageError, match="append-only"), upgraded.write() as session:
                session.execute(text(f"DELETE FROM {table}"))
        # And it takes what the present version writes.
        Shops(upgraded).add(shop("another"))
        Access(upgraded).issue("mia", Role.VIEWER, by="root", now=NOW)
        assert Outbox(upgraded).propose([budget("4")], actor="policy", now=NOW).inserted
    finally:
        upgraded.close()
