"""Campaigns, ad sets, ads and creatives: as they are now, and as they were at any moment.

`ad_objects` is the view of now, deleted ones included. `ad_object_history` keeps each state an
object was seen in, from `valid_from` up to and without `valid_to`; a row without an end is the
present state. A state lasts until another one is *seen*, so its ends are as exact as the reads are
frequent. `updated_time` alone makes no new state: Meta moves it for edits that show nowhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdCreative, AdObject, Level
from zyenta_ads_pipeline.domain.errors import AuthenticationFailed, DeadlinePassed, PlatformError
from zyenta_ads_pipeline.lake.lake import Lake, Scope, Snapshot, WriteResult
from zyenta_ads_pipeline.lake.tables import AD_OBJECT_HISTORY, AD_OBJECTS, RAW_INSIGHTS
from zyenta_ads_pipeline.platforms.base import AdsPlatform

log = logging.getLogger(__name__)

CREATIVE = "creative"
GONE = "GONE"
"""The status of an object that Meta no longer knows at all."""
_DELETED = "DELETED"
_CREATIVES_LISTED = 50_000
"""The edge lists no more; beyond it a creative that is not listed may still be there."""
_ASKED_A_SYNC = 500
"""Vanished objects that one sync asks for by id (ten batches); the rest waits for the next."""

_KEY = ("level", "object_id")
_STATE = (
    "campaign_id",
    "adset_id",
    "creative_id",
    "name",
    "objective",
    "status",
    "effective_status",
    "daily_budget",
    "lifetime_budget",
    "details",
    "is_deleted",
    "created_time",
)
"""What makes two rows of history the same state."""

ObjectKey = tuple[Level, str]
NO_HISTORY = pl.DataFrame(schema=AD_OBJECT_HISTORY.schema)


@dataclass(frozen=True)
class AccountObjects:
    """One reading of an account's objects. `by_id` holds those that the lists no longer name and
    what Meta says of each; `left` counts those that were not asked for yet."""

    account_id: str
    objects: Sequence[AdObject]
    creatives: Sequence[AdCreative]
    by_id: Mapping[ObjectKey, AdObject | None]
    left: int
    observed_at: datetime


async def read_objects(
    platform: AdsPlatform, account_id: str, known: Sequence[ObjectKey]
) -> AccountObjects:
    """All that an account has: four lists, then the vanished ones of `known` by their ids.

    `known` are the objects not known to be deleted, the longest unseen first; campaigns and ad sets
    go before ads, since budgets hang on them. When the ids cannot be asked for, the lists still
    count and the rest is left to the next sync.
    """
    objects = await platform.ad_objects(account_id)
    creatives = await platform.creatives(account_id)
    moments = [thing.observed_at for thing in objects if thing.observed_at]
    moments += [creative.observed_at for creative in creatives]
    observed_at = max(moments) if moments else await platform.server_time()
    listed = {(thing.level, thing.id) for thing in objects}
    vanished = sorted((key for key in known if key not in listed), key=_ads_last)
    asked = vanished[:_ASKED_A_SYNC]
    by_id: dict[ObjectKey, AdObject | None] = {}
    for level in Level:
        ids = [object_id for asked_level, object_id in asked if asked_level is level]
        if not ids:
            continue
        try:
            found = await platform.objects_by_id(account_id, level, ids)
        except AuthenticationFailed:
            raise
        except (PlatformError, DeadlinePassed) as error:
            log.warning(
                "act_%s: %d vanished %ss could not be looked up, the next sync tries again: %s",
                account_id,
                len(ids),
                level.value,
                error,
            )
            continue
        by_id |= {(level, object_id): thing for object_id, thing in found.items()}
    return AccountObjects(
        account_id, objects, creatives, by_id, len(vanished) - len(by_id), observed_at
    )


def _ads_last(key: ObjectKey) -> bool:
    return key[0] is Level.AD


def known_objects(view: pl.DataFrame) -> list[ObjectKey]:
    """The objects of `ad_objects` rows that are not known to be deleted, the longest unseen first.

    This order makes every vanished object's turn come, however many there are.
    """
    alive = view.filter(~pl.col("is_deleted").fill_null(False))
    rows = alive.sort("observed_at", *_KEY).select(_KEY).iter_rows()
    return [(Level(level), object_id) for level, object_id in rows]


def next_history(
    stored: pl.DataFrame,
    seen: Iterable[AdObject],
    creatives: Sequence[AdCreative],
    deleted: Mapping[ObjectKey, AdObject | None],
    *,
    observed_at: datetime,
    run_id: str,
    last_seen: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The rows of `ad_object_history` that a reading of one account adds or alters.

    `stored` are the account's present states (rows without an end). A state that was seen
    otherwise is ended at `observed_at`, and the new one begins there; what is unchanged gives no
    row. `deleted` are vanished objects and what Meta says of each by its id: None for one it does
    not know, whose last state is kept with the status GONE. `last_seen` (rows of `ad_objects`)
    dates the last sight of the states that end. A reading older than what is stored adds nothing.
    """
    now = _states(seen, creatives, deleted, stored, observed_at, run_id)
    before = stored.select(*_KEY, *_STATE, "valid_from").with_columns(known=pl.lit(value=True))
    compared = now.join(before, on=_KEY, how="left", suffix="_before")
    other = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in _STATE)
    not_older = pl.col("valid_from_before") <= observed_at
    changed = compared.filter(pl.col("known").is_null() | (other & not_older))
    # One seen otherwise within the clock's same second is corrected, since nothing lies between.
    ended = changed.filter(pl.col("valid_from_before") < observed_at).select(_KEY)
    ending = _dated(stored.join(ended, on=_KEY, how="semi"), last_seen).with_columns(
        valid_to=pl.lit(observed_at, dtype=AD_OBJECT_HISTORY.schema["valid_to"]),
        run_id=pl.lit(run_id),
    )
    columns = AD_OBJECT_HISTORY.schema.names()
    return pl.concat([ending.select(columns), changed.select(columns)])


def with_changes(history: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """A whole `ad_object_history` after the rows of `next_history`."""
    kept = history.join(changes, on=AD_OBJECT_HISTORY.key, how="anti")
    return pl.concat([kept, changes.select(kept.columns)])


def current_objects(view: pl.DataFrame, read: AccountObjects, run_id: str) -> pl.DataFrame:
    """The account's rows of `ad_objects` after a reading; `view` are those until now.

    What was neither listed nor asked for by id stays as it is.
    """
    seen = _frame([*_found(read.by_id), *read.objects], run_id)
    unknown = [key for key, thing in read.by_id.items() if thing is None]
    gone = _gone(view.join(_keys(unknown), on=_KEY, how="semi"), read.observed_at, run_id)
    now = pl.concat([frame.select(AD_OBJECTS.schema.names()) for frame in (gone, seen)])
    kept = view.join(now, on=_KEY, how="anti").with_columns(pl.col("is_deleted").fill_null(False))
    return pl.concat([kept.select(now.columns), now]).sort(AD_OBJECTS.key)


@dataclass(frozen=True)
class StoredObjects:
    """What a store of objects did: the view, the history (None: nothing changed), the counts."""

    view: WriteResult
    history: WriteResult | None
    rows: pl.DataFrame
    begun: int
    ended: int


def store_objects(lake: Lake, reads: Sequence[AccountObjects], run_id: str) -> StoredObjects:
    """Write what was read of some accounts: the history first, then the view.

    After a crash between the two, the next reading finds the history as it is and adds nothing
    twice. The whole history of each account with a change is replaced by one commit.
    """
    snapshot = lake.snapshot()
    accounts = [read.account_id for read in reads]
    inside = pl.col("account_id").is_in(accounts)
    views = snapshot.scan(AD_OBJECTS).filter(inside).collect()
    histories = snapshot.scan(AD_OBJECT_HISTORY).filter(inside).collect()
    changes: dict[str, pl.DataFrame] = {}
    rows = []
    for read in reads:
        own = pl.col("account_id") == read.account_id
        view, history = views.filter(own), histories.filter(own)
        found = next_history(
            history.filter(pl.col("valid_to").is_null()),
            read.objects,
            read.creatives,
            read.by_id,
            observed_at=read.observed_at,
            run_id=run_id,
            last_seen=view,
        )
        if found.height:
            changes[read.account_id] = found
        rows.append(current_objects(view, read, run_id))
    written = None
    moved = pl.concat([NO_HISTORY, *changes.values()])
    if changes:
        history = histories.filter(pl.col("account_id").is_in(list(changes)))
        written = lake.write(
            AD_OBJECT_HISTORY, with_changes(history, moved), Scope(list(changes)), run_id=run_id
        )
    current = pl.concat(rows)
    return StoredObjects(
        view=lake.write(AD_OBJECTS, current, Scope(accounts), run_id=run_id),
        history=written,
        rows=current,
        begun=moved["valid_to"].null_count(),
        ended=moved["valid_to"].count(),
    )


def ad_ids_of(snapshot: Snapshot, account_id: str, adset_id: str | None = None) -> set[str]:
    """The ids of all ads ever seen in an account, or in one ad set of it, deleted ones included."""
    inside = (pl.col("account_id") == account_id) & (pl.col("level") == Level.AD.value)
    if adset_id is not None:
        inside &= pl.col("adset_id") == adset_id
    seen = [
        snapshot.scan(table).filter(inside).select("object_id").unique()
        for table in (AD_OBJECT_HISTORY, AD_OBJECTS, RAW_INSIGHTS)
    ]
    return set(pl.concat(seen).collect()["object_id"])


def _states(
    seen: Iterable[AdObject],
    creatives: Sequence[AdCreative],
    deleted: Mapping[ObjectKey, AdObject | None],
    stored: pl.DataFrame,
    observed_at: datetime,
    run_id: str,
) -> pl.DataFrame:
    """One row an object of which something is known now, as a state that begins at `observed_at`.

    What is listed goes before what was said of an id.
    """
    listed = pl.concat(
        [
            _frame([*_found(deleted), *seen], run_id),
            _creative_frame(creatives, run_id),
        ]
    )
    unknown = [key for key, thing in deleted.items() if thing is None]
    away = stored.join(_keys(unknown), on=_KEY, how="semi")
    if len(creatives) < _CREATIVES_LISTED:
        alive = (pl.col("level") == CREATIVE) & ~pl.col("is_deleted")
        away = pl.concat([away, stored.filter(alive)])
    away = _gone(away.join(listed, on=_KEY, how="anti"), observed_at, run_id)
    moment = pl.lit(observed_at, dtype=AD_OBJECT_HISTORY.schema["valid_from"])
    return pl.concat([away.select(listed.columns), listed]).with_columns(
        valid_from=moment,
        valid_to=pl.lit(None, dtype=AD_OBJECT_HISTORY.schema["valid_to"]),
        last_seen_at=moment,
    )


def _found(by_id: Mapping[ObjectKey, AdObject | None]) -> list[AdObject]:
    return [thing for thing in by_id.values() if thing is not None]


def _keys(keys: Iterable[ObjectKey]) -> pl.DataFrame:
    rows = [(level.value, object_id) for level, object_id in keys]
    return pl.DataFrame(rows, schema=dict.fromkeys(_KEY, pl.String), orient="row")


def _gone(rows: pl.DataFrame, observed_at: datetime, run_id: str) -> pl.DataFrame:
    """The last known states of objects that are no more."""
    return rows.with_columns(
        status=pl.lit(GONE),
        effective_status=pl.lit(GONE),
        is_deleted=pl.lit(value=True),
        observed_at=pl.lit(observed_at, dtype=AD_OBJECT_HISTORY.schema["observed_at"]),
        run_id=pl.lit(run_id),
    )


def _dated(ending: pl.DataFrame, last_seen: pl.DataFrame | None) -> pl.DataFrame:
    """States with the moment they were last seen. All lists are read at one time, so a creative
    was seen whenever the newest of the objects was."""
    if last_seen is None or last_seen.is_empty():
        return ending
    sights = last_seen.select(*_KEY, sight=pl.col("observed_at"))
    newest = pl.when(pl.col("level") == CREATIVE).then(pl.lit(sights["sight"].max()))
    return ending.join(sights, on=_KEY, how="left").with_columns(
        last_seen_at=pl.max_horizontal("last_seen_at", pl.coalesce("sight", newest))
    )


def _frame(objects: Iterable[AdObject], run_id: str) -> pl.DataFrame:
    """Objects as rows of `ad_objects`; of one that is there twice, the later one."""
    rows = {
        (thing.level, thing.id): {
            "account_id": thing.account_id,
            "level": thing.level.value,
            "object_id": thing.id,
            "campaign_id": thing.campaign_id,
            "adset_id": thing.adset_id,
            "creative_id": thing.creative_id,
            "name": thing.name,
            "objective": thing.objective,
            "status": thing.status,
            "effective_status": thing.effective_status,
            "daily_budget": thing.daily_budget,
            "lifetime_budget": thing.lifetime_budget,
            "details": _json(thing.details),
            "is_deleted": _DELETED in (thing.status, thing.effective_status),
            "created_time": thing.created_time,
            "updated_time": thing.updated_time,
            "observed_at": thing.observed_at,
            "run_id": run_id,
        }
        for thing in objects
    }
    return pl.DataFrame(list(rows.values()), schema=AD_OBJECTS.schema)


def _creative_frame(creatives: Iterable[AdCreative], run_id: str) -> pl.DataFrame:
    """Creatives in the columns of `ad_objects`."""
    rows = {
        creative.id: {
            "account_id": creative.account_id,
            "level": CREATIVE,
            "object_id": creative.id,
            "creative_id": creative.id,
            "name": creative.name,
            "status": creative.status,
            "effective_status": creative.status,
            "details": _json(creative.details),
            "is_deleted": creative.status == _DELETED,
            "observed_at": creative.observed_at,
            "run_id": run_id,
        }
        for creative in creatives
    }
    return pl.DataFrame(list(rows.values()), schema=AD_OBJECTS.schema)


def _json(details: Mapping[str, Any]) -> str | None:
    """Details as one text that is the same for the same content; None without any."""
    return json.dumps(details, sort_keys=True, ensure_ascii=False, default=str) if details else None
