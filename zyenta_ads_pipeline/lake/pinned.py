"""The lake as a decision saw it: its tables at the versions that were recorded."""

from __future__ import annotations

from collections.abc import Mapping

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.lake import KEPT_DAYS, Lake, Snapshot
from zyenta_ads_pipeline.lake.tables import TABLES


def snapshot_at(lake: Lake, versions: Mapping[str, int]) -> Snapshot:
    """Each table at its version of `versions`, as `Snapshot.versions` gave them; one that is not
    named had no row yet. Raises `StorageError` where a version cannot be opened any more."""
    return Snapshot({name: _at(lake, name, versions.get(name)) for name in TABLES})


def _at(lake: Lake, name: str, version: int | None) -> DeltaTable | None:
    if version is None:
        return None
    try:
        return DeltaTable(lake.uri(name), version=version)
    except (DeltaError, OSError) as error:
        raise StorageError(
            f"Version {version} of the table {name} cannot be opened: {error}",
            f"Versions are kept for {KEPT_DAYS} days; decide again from what is known now.",
        ) from error
