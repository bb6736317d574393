"""Objects: the view of now, and the history that tells what was seen at any moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.ads import AdCreative, AdObject, Level
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    DeadlinePassed,
    Transient,
    ZyentaError,
)
from zyenta_ads_pipeline.ingestion.objects import (
    CREATIVE,
    GONE,
    NO_HISTORY,
    AccountObjects,
    ad_ids_of,
    current_objects,
    known_objects,
    next_history,
    read_objects,
    store_objects,
    with_changes,
)
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_OBJECT_HISTORY, AD_OBJECTS
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
NO_VIEW = pl.DataFrame(schema=AD_OBJECTS.schema)


def ad(number: int, status: str = "ACTIVE", at: datetime = START, **more: Any) -> AdObject:
    return AdObject(
        level=Level.AD,
        id=str(number),
        account_id="1",
        name=f"ad {number}",
        status=status,
        effective_status=status,
        campaign_id="70",
        adset_id="80",
        creative_id="90",
        observed_at=at,
        **more,
    )


def creative(number: int, name: str = "a", at: datetime = START) -> AdCreative:
    return AdCreative(str(number), "1", name, "ACTIVE", at, {"title": name, "body": "b"})


def step(
    history: pl.DataFrame,
    seen: Sequence[AdObject] = (),
    creatives: Sequence[AdCreative] = (),
    deleted: dict[tuple[Level, str], AdObject | None] | None = None,
    *,
    at: datetime,
    last_seen: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One reading after another, as the asset does it."""
    stored = history.filter(pl.col("valid_to").is_null())
    changes = next_history(
        stored,
        seen,
        creatives,
        deleted or {},
        observed_at=at,
        run_id="run",
        last_seen=last_seen,
    )
    return with_changes(history, changes).sort(AD_OBJECT_HISTORY.key)


def statuses(history: pl.DataFrame, object_id: str) -> list[tuple[str, bool]]:
    rows = history.filter(pl.col("object_id") == object_id).sort("valid_from")
    return list(rows.select("status", "is_deleted").iter_rows())


def hours(number: int) -> datetime:
    return START + timedelta(hours=number)


def test_what_is_unchanged_gives_no_row() -> None:
    history = step(NO_HISTORY, [ad(1), ad(2)], [creative(9)], at=START)
    assert history.height == 3
    assert history["valid_to"].null_count() == 3
    same = [ad(2, at=hours(1), updated_time=hours(1)), ad(1, at=hours(1))]
    current = history.filter(pl.col("valid_to").is_null())
    changes = next_history(
        current, same, [creative(9, at=hours(1))], {}, observed_at=hours(1), run_id="later"
    )
    assert changes.is_empty()
    assert changes.schema == AD_OBJECT_HISTORY.schema


def test_a_change_ends_one_state_and_begins_the_next() -> None:
    history = step(NO_HISTORY, [ad(1, daily_budget=100), ad(2)], at=START)
    view = current_objects(NO_VIEW, reading([ad(1, at=hours(2)), ad(2, at=hours(2))], 2), "r")
    history = step(history, [ad(1, daily_budget=120), ad(2)], at=hours(3), last_seen=view)
    one = history.filter(pl.col("object_id") == "1").sort("valid_from")
    assert one["valid_from"].to_list() == [START, hours(3)]
    assert one["valid_to"].to_list() == [hours(3), None]
    assert one["daily_budget"].to_list() == [100, 120]
    assert one["last_seen_at"].to_list() == [hours(2), hours(3)]
    assert history.filter(pl.col("object_id") == "2").height == 1


def test_what_is_seen_otherwise_within_a_second_is_corrected() -> None:
    history = step(NO_HISTORY, [ad(1, "ACTIVE")], at=START)
    history = step(history, [ad(1, "PAUSED")], at=START)
    assert statuses(history, "1") == [("PAUSED", False)]
    older = step(history, [ad(1, "ARCHIVED")], at=START - timedelta(hours=1))
    assert older.equals(history), "an older reading does not overwrite a newer one"


def test_an_object_that_vanishes_is_kept_as_deleted() -> None:
    history = step(NO_HISTORY, [ad(1), ad(2), ad(3), ad(4)], at=START)
    asked = {
        (Level.AD, "1"): ad(1, "DELETED"),
        (Level.AD, "2"): None,
        (Level.AD, "3"): ad(3, "ARCHIVED"),
    }
    history = step(history, [], [], asked, at=hours(1))
    assert statuses(history, "1") == [("ACTIVE", False), ("DELETED", True)]
    assert statuses(history, "2") == [("ACTIVE", False), (GONE, True)]
    assert statuses(history, "3") == [("ACTIVE", False), ("ARCHIVED", False)]
    assert statuses(history, "4") == [("ACTIVE", False)], "not asked for yet"
    assert history.filter(pl.col("object_id") == "2")["name"].to_list() == ["ad 2", "ad 2"]
    again = step(history, [ad(2)], [], {(Level.AD, "1"): ad(1, "DELETED")}, at=hours(2))
    assert statuses(again, "2") == [("ACTIVE", False), (GONE, True), ("ACTIVE", False)]
    assert statuses(again, "1") == statuses(history, "1")


def test_a_creative_that_is_no_longer_listed_is_gone_and_can_come_back() -> None:
    history = step(NO_HISTORY, [], [creative(1), creative(2)], at=START)
    history = step(history, [], [creative(2, "new title")], at=hours(1))
    assert statuses(history, "1") == [("ACTIVE", False), (GONE, True)]
    assert statuses(history, "2") == [("ACTIVE", False), ("ACTIVE", False)]
    history = step(history, [], [creative(2, "new title")], at=hours(2))
    assert statuses(history, "1") == [("ACTIVE", False), (GONE, True)]
    history = step(history, [], [creative(1), creative(2, "new title")], at=hours(3))
    assert statuses(history, "1")[-1] == ("ACTIVE", False)
    assert set(history["level"]) == {CREATIVE}


def test_details_count_by_content_not_by_order() -> None:
    history = step(NO_HISTORY, [ad(1, details={"a": 1, "b": [2]})], at=START)
    assert step(history, [ad(1, details={"b": [2], "a": 1})], at=hours(1)).equals(history)
    changed = step(history, [ad(1, details={"a": 1, "b": [3]})], at=hours(1))
    assert changed["details"].to_list() == ['{"a": 1, "b": [2]}', '{"a": 1, "b": [3]}']


Seen = dict[int, str]
READINGS = st.lists(
    st.tuples(
        st.integers(0, 3),  # hours since the last reading; 0: within the same second
        st.dictionaries(st.integers(1, 3), st.sampled_from(["ACTIVE", "PAUSED"])),
        st.sets(st.integers(1, 3)),  # vanished ones that are asked for by id
        st.sampled_from(["DELETED", None]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=examples(60), deadline=None)
@given(READINGS)
def test_the_history_tells_at_any_moment_what_was_seen_then(
    readings: list[tuple[int, Seen, set[int], str | None]],
) -> None:
    history, known, truth = NO_HISTORY, dict[int, str](), dict[datetime, Seen]()
    moment = START
    for pause, seen, asked, said in readings:
        moment += timedelta(hours=pause)
        vanished = [n for n in known if n not in seen and n in asked and known[n] != "DELETED"]
        deleted = {
            (Level.AD, str(n)): ad(n, said) if said else None for n in vanished if known[n] != GONE
        }
        history = step(history, [ad(n, s) for n, s in seen.items()], [], deleted, at=moment)
        known |= seen | {int(key[1]): said or GONE for key in deleted}
        truth[moment] = dict(known)
    for object_id, rows in history.sort("valid_from").group_by("object_id"):
        starts, ends = rows["valid_from"].to_list(), rows["valid_to"].to_list()
        assert ends[-1] is None, object_id
        assert ends[:-1] == starts[1:], "no holes, no overlaps, one present state"
        assert all(start < end for start, end in zip(starts, ends[:-1], strict=False))
    for then, expected in truth.items():
        ended = pl.col("valid_to").is_null() | (pl.col("valid_to") > then)
        rows = history.filter((pl.col("valid_from") <= then) & ended)
        assert dict(rows.select(pl.col("object_id").cast(int), "status").iter_rows()) == expected


@dataclass
class Account:
    """An account that answers from memory; `fails` is raised when ids are asked for."""

    listed: list[AdObject]
    by_id: dict[str, AdObject] = field(default_factory=dict)
    fails: ZyentaError | None = None
    asked: list[str] = field(default_factory=list)

    async def ad_objects(self, _account_id: str) -> list[AdObject]:
        return self.listed

    async def creatives(self, _account_id: str) -> list[AdCreative]:
        return []

    async def server_time(self) -> datetime:
        return hours(5)

    async def objects_by_id(
        self, _account_id: str, _level: Level, ids: Sequence[str]
    ) -> dict[str, AdObject | None]:
        if self.fails:
            raise self.fails
        self.asked += ids
        return {one: self.by_id.get(one) for one in ids}


def reading(objects: Sequence[AdObject], hour: int) -> AccountObjects:
    return AccountObjects("1", objects, [], {}, 0, hours(hour))


def read(account: Account, known: Sequence[tuple[Level, str]]) -> AccountObjects:
    return asyncio.run(read_objects(account, "1", known))  # type: ignore[arg-type]


def test_every_vanished_object_gets_its_turn_however_many_there_are() -> None:
    everything = [ad(n) for n in range(1, 1301)]
    view = current_objects(NO_VIEW, reading(everything, 0), "run")
    account = Account([ad(1, at=hours(1))], {str(n): ad(n, "PAUSED") for n in range(2, 400)})
    asked: list[int] = []
    left = 0
    for hour in range(1, 4):
        account.by_id = {k: replace(v, observed_at=hours(hour)) for k, v in account.by_id.items()}
        account.listed = [ad(1, at=hours(hour))]
        account.asked.clear()
        found = read(account, known_objects(view))
        view = current_objects(view, found, "run")
        asked.append(len(account.asked))
        left = found.left if hour == 1 else left
    assert asked[:2] == [500, 500]
    assert left == 799
    assert view.height == 1300
    assert view.filter("is_deleted").height == 901
    assert view.filter(pl.col("status") == "PAUSED").height == 398


def test_lists_count_though_the_ids_could_not_be_asked_for() -> None:
    account = Account([ad(1)])
    for passing in (Transient("An outage."), DeadlinePassed("The time is over.")):
        account.fails = passing
        found = read(account, [(Level.AD, "2")])
        assert (len(found.objects), found.by_id, found.left) == (1, {}, 1)
    account.fails = AuthenticationFailed("The token is dead.")
    with pytest.raises(AuthenticationFailed):
        read(account, [(Level.AD, "2")])


def test_an_account_without_any_object_is_dated_by_the_platforms_clock() -> None:
    assert read(Account([]), []).observed_at == hours(5)


def test_the_view_keeps_what_it_knows_and_old_lakes_rows_count_as_alive() -> None:
    old = current_objects(NO_VIEW, reading([ad(1), ad(2), ad(3)], 0), "run").with_columns(
        is_deleted=pl.lit(None, dtype=pl.Boolean)
    )
    assert [object_id for _, object_id in known_objects(old)] == ["1", "2", "3"]
    found = AccountObjects(
        "1", [ad(1, "PAUSED", hours(1))], [], {(Level.AD, "2"): None}, 1, hours(1)
    )
    view = current_objects(old, found, "later").sort("object_id")
    assert view.select("object_id", "status", "is_deleted", "run_id").rows() == [
        ("1", "PAUSED", False, "later"),
        ("2", GONE, True, "later"),
        ("3", "ACTIVE", False, "run"),
    ]
    assert view["observed_at"].to_list() == [hours(1), hours(1), START]
    assert [object_id for _, object_id in known_objects(view)] == ["3", "1"]


def test_every_ad_ever_seen_is_known_by_ad_set(tmp_path: Any) -> None:
    lake = Lake(str(tmp_path / "lake"))
    others = [
        ad(3),
        replace(ad(4), adset_id="81"),
        replace(ad(5), account_id="2"),
    ]
    history = step(NO_HISTORY, [ad(1), ad(2), *others], [creative(9)], at=START)
    history = step(history, [ad(1), *others], [], {(Level.AD, "2"): None}, at=hours(1))
    lake.write(AD_OBJECT_HISTORY, history, Scope(["1", "2"]))
    snapshot = lake.snapshot()
    assert ad_ids_of(snapshot, "1") == {"1", "2", "3", "4"}
    assert ad_ids_of(snapshot, "1", "80") == {"1", "2", "3"}
    assert ad_ids_of(snapshot, "7") == set()


def test_reading_the_same_again_writes_no_history(tmp_path: Any) -> None:
    lake = Lake(str(tmp_path / "lake"))
    first = store_objects(lake, [reading([ad(1), ad(2)], 0)], "run")
    assert (first.begun, first.ended, first.view.rows) == (2, 0, 2)
    again = store_objects(lake, [reading([ad(1, at=hours(1)), ad(2, at=hours(1))], 1)], "later")
    assert again.history is None
    assert again.view.changed, "the view tells when each was last seen"
    third = store_objects(lake, [reading([ad(1, "PAUSED"), ad(2)], 2)], "last")
    assert (third.begun, third.ended) == (1, 1)


def test_a_crash_between_history_and_view_repeats_nothing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    store_objects(lake, [reading([ad(1)], 0)], "run")
    write = Lake.write

    def dying(self: Lake, table: Any, *arguments: Any, **named: Any) -> Any:
        if table is AD_OBJECTS:
            raise KeyboardInterrupt
        return write(self, table, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            store_objects(lake, [reading([ad(1, "PAUSED", hours(1))], 1)], "run")
    assert store_objects(lake, [reading([ad(1, "PAUSED", hours(2))], 2)], "run").begun == 0
    history = lake.snapshot().scan(AD_OBJECT_HISTORY).collect()
    assert statuses(history, "1") == [("ACTIVE", False), ("PAUSED", False)]
    view = lake.snapshot().scan(AD_OBJECTS).collect()
    assert view["status"].to_list() == ["PAUSED"]


def test_accounts_do_not_touch_each_others_history(tmp_path: Any) -> None:
    lake = Lake(str(tmp_path / "lake"))
    other = replace(reading([replace(ad(1), account_id="2")], 0), account_id="2")
    store_objects(lake, [reading([ad(1)], 0), other], "run")
    store_objects(lake, [reading([ad(1, "PAUSED")], 1)], "run")
    history = lake.snapshot().scan(AD_OBJECT_HISTORY).collect()
    assert statuses(history.filter(pl.col("account_id") == "2"), "1") == [("ACTIVE", False)]
    assert history.height == 3


def test_an_ad_deleted_on_the_sandbox_is_remembered(tmp_path: Any) -> None:
    config = SandboxConfig(state=tmp_path / "state", port=0, days=5, start=START, frozen=True)
    lake = Lake(str(tmp_path / "lake"))

    async def sync(sandbox: SandboxHandle, account: str) -> tuple[AccountObjects, Counter[str]]:
        view = lake.snapshot().scan(AD_OBJECTS).collect()
        async with MetaAds(
            MetaClient(base_url=sandbox.url, version="v26.0", token="sandbox-token")
        ) as platform:
            found = await read_objects(platform, account, known_objects(view))
            return found, platform.calls_by_kind

    with run_sandbox(config) as sandbox:
        account = sandbox.account_ids[0]
        first, calls = asyncio.run(sync(sandbox, account))
        store_objects(lake, [first], "first")
        assert calls == {"objects": 4}
        deleted = next(thing.id for thing in first.objects if thing.level is Level.AD)
        httpx.delete(
            f"{sandbox.url}/v26.0/{deleted}", headers={"Authorization": "Bearer sandbox-token"}
        ).raise_for_status()
        sandbox.advance(hours=1)
        second, calls = asyncio.run(sync(sandbox, account))
        assert calls == {"objects": 4, "batch": 1}
        stored = store_objects(lake, [second], "second")
        sandbox.advance(hours=1)
        third, calls = asyncio.run(sync(sandbox, account))
        assert calls == {"objects": 4}, "a deleted one is not asked for again"
        assert store_objects(lake, [third], "third").history is None
    assert (stored.begun, stored.ended) == (1, 1)
    snapshot = lake.snapshot()
    states = statuses(snapshot.scan(AD_OBJECT_HISTORY).collect(), deleted)
    assert states == [("ACTIVE", False), ("DELETED", True)]
    assert deleted in ad_ids_of(snapshot, account)
    view = snapshot.scan(AD_OBJECTS).filter("is_deleted").collect()
    assert view["object_id"].to_list() == [deleted]
    assert view["run_id"].to_list() == ["second"], "and stays in the view as it was last seen"


def test_campaigns_are_looked_up_before_ads() -> None:
    campaign = (Level.CAMPAIGN, "70")
    found = read(Account([]), [*((Level.AD, str(n)) for n in range(600)), campaign])
    assert campaign in found.by_id
    assert found.left == 101
