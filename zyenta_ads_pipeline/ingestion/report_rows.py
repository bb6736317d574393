"""Reports as checked rows: pages that contradict each other are forgotten and asked anew, once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.ingestion.normalising import normalised
from zyenta_ads_pipeline.ingestion.report_jobs import FRESH_FOR
from zyenta_ads_pipeline.ingestion.reports import ReadReport, ReportReader

log = logging.getLogger(__name__)


async def read_rows(
    reader: ReportReader,
    reports: Sequence[Report],
    account: AdAccount,
    run_id: str,
    *,
    take_up: timedelta = FRESH_FOR,
) -> tuple[list[ReadReport], pl.DataFrame]:
    """Several reports at the same time, as one frame of normalised rows.

    Jobs younger than `take_up` are taken up. Raises `IncompleteData` for pages that do not hold
    together the second time either, and what the reader raises.
    """
    try:
        return await _once(reader, reports, account, run_id, take_up)
    except IncompleteData as error:
        log.warning("%s Asked anew.", error.what)
        return await _once(reader, reports, account, run_id, take_up)


def let_go(read: Iterable[ReadReport]) -> None:
    """Close the files of reports that are not stored; their pages stay for the next attempt."""
    for one in read:
        for file in one.files:
            file.close()


async def _once(
    reader: ReportReader,
    reports: Sequence[Report],
    account: AdAccount,
    run_id: str,
    take_up: timedelta,
) -> tuple[list[ReadReport], pl.DataFrame]:
    read = await reader.read_all(reports, take_up=take_up)
    try:
        frames = [
            normalised(one.rows, report, account, run_id)
            for one, report in zip(read, reports, strict=True)
        ]
    except IncompleteData:
        for one in read:
            reader.discard(one)
        raise
    return read, pl.concat(frames)
