"""The canary: small questions that tell before a sync does whether Meta still answers as we ask.

Each question is one finding: fine, worth a look, or wrong, with the remedy beside it. One that
cannot be answered never keeps the others from being asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from zyenta_ads_pipeline.domain.ads import AdAccount, Level
from zyenta_ads_pipeline.domain.errors import (
    DeadlinePassed,
    RateLimited,
    Transient,
    Unreachable,
    ValidationRefused,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.insights import PLAIN, PRESETS, Preset, Report
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.platforms.base import AdsPlatform, Pixel, PlatformPage, TokenStatus

READ_SCOPE = "ads_read"
WRITE_SCOPE = "ads_management"
"""Lets a token write; whoever may write may read too."""
_SOON = timedelta(days=7)
_ACTIVE_ACCOUNT = 1
_RENEW = "Make a new token in the app's settings, or a system user's, which does not expire."
_NOT_SERVED = "Try the other META_API_VERSION, or a newer version of this product."


class State(StrEnum):
    """How a finding turned out; `NO` alone makes doctor fail."""

    OK = "ok"
    WARN = "warn"
    NO = "no"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: how it is, what was found, and how to mend it."""

    what: str
    state: State
    found: str
    remedy: str = ""


class AssetLister(Protocol):
    """A platform that tells of an account's pages and pixels."""

    async def pages(self, account_id: str) -> list[PlatformPage]:
        """The pages that the account may advertise."""
        ...

    async def pixels(self, account_id: str) -> list[Pixel]:
        """The account's pixels."""
        ...


def failed(what: str, error: ZyentaError, state: State = State.NO) -> Finding:
    """The finding of a question that ended in an error."""
    return Finding(what, state, error.what, error.remedy)


def token_finding(
    what: str, token: TokenStatus, *, now: datetime, app_id: str | None, writes: bool
) -> Finding:
    """Is the token valid, for what, and for how long? `writes`: it is to push changes too."""
    if not token.valid:
        told = f": {token.problem}" if token.problem else ""
        return Finding(what, State.NO, f"not valid{told}", _RENEW)
    may_write = WRITE_SCOPE in token.scopes
    missing = [] if may_write or READ_SCOPE in token.scopes else [READ_SCOPE]
    missing += [WRITE_SCOPE] if writes and not may_write else []
    ends = {"expires": token.expires_at, "its access to data ends": token.data_expires_at}
    told_ends = [f"{words} {end:%Y-%m-%d}" for words, end in ends.items() if end is not None]
    found = [
        f"valid, app {token.app_id}",
        *([f"type {token.kind}"] if token.kind else []),
        f"scopes {', '.join(token.scopes) or 'none'}",
        *(told_ends or ["does not expire"]),
    ]
    if missing:
        found.insert(0, f"lacks {' and '.join(missing)}")
        remedy = f"Grant {' and '.join(missing)} to the token's user and make the token anew."
        return Finding(what, State.NO, ", ".join(found), remedy)
    if not may_write:
        found.append(f"reads only: pushing would need {WRITE_SCOPE}")
    if any(end is not None and end - now < _SOON for end in ends.values()):
        return Finding(what, State.WARN, ", ".join(found), _RENEW)
    if app_id is not None and token.app_id != app_id:
        remedy = "Set META_APP_ID and META_APP_SECRET to the app that made the token."
        return Finding(what, State.WARN, f"of another app than {app_id}: {found[0]}", remedy)
    return Finding(what, State.OK, ", ".join(found))


def account_finding(account: AdAccount, *, token: str, used: str) -> Finding:
    """The account's status, money and days; `token` and `used` are words about its own."""
    least = account.min_daily_budget
    told = [
        account.name,
        account.currency,
        account.timezone,
        f"today {account_day(account.observed_at, account.timezone)}",
        f"least budget {show(to_major(least, account.currency), account.currency)}"
        if least
        else "",
        token,
        used,
    ]
    fine = account.account_status == _ACTIVE_ACCOUNT
    return Finding(
        f"act_{account.id}",
        State.OK if fine else State.NO,
        ", ".join(part for part in told if part),
        "" if fine else f"account_status is {account.account_status}: see Ads Manager.",
    )


async def page_and_pixel(platform: AssetLister, account_id: str) -> list[Finding]:
    """Has the account a page and a pixel? Reading needs neither, selling does. Two calls."""
    return [
        await _present(
            f"act_{account_id} page",
            platform.pages(account_id),
            "none",
            "Ads need a page: give the token's user one in Business settings.",
        ),
        await _present(
            f"act_{account_id} pixel",
            platform.pixels(account_id),
            "none: website purchases are not seen",
            "Share a pixel with the account in Events Manager.",
        ),
    ]


async def accepted_queries(
    platform: AdsPlatform, account: AdAccount, presets: Sequence[str]
) -> list[Finding]:
    """Does Meta take every field and breakdown that we ask for? One row of yesterday each.

    A call a level and a preset; where fields are refused together, one more for each of them.
    """
    yesterday = account_day(account.observed_at, account.timezone) - timedelta(days=1)
    levels = [
        _fields_taken(platform, _report(account.id, level, PLAIN, yesterday)) for level in Level
    ]
    broken_down = [
        _breakdown_taken(platform, _report(account.id, Level.AD, PRESETS[name], yesterday))
        for name in presets
    ]
    found = await asyncio.gather(*levels, *broken_down)
    return _summed(account.id, "fields", found[: len(levels)]) + _summed(
        account.id, "breakdowns", found[len(levels) :]
    )


def _report(account_id: str, level: Level, preset: Preset, day: date) -> Report:
    return Report(account_id, level, DateRange(day, day), preset, preset.fields)


@dataclass(frozen=True)
class _Answer:
    """What one query was about, and the errors by what of it was refused."""

    about: str
    refused: dict[str, ZyentaError]


async def _fields_taken(platform: AdsPlatform, report: Report) -> _Answer:
    error = await _refusal(platform, report)
    if not isinstance(error, ValidationRefused):
        return _Answer(report.level.value, {} if error is None else {"": error})
    alone = {
        field: refusal
        for field in report.fields
        if (refusal := await _refusal(platform, replace(report, fields=(field,)))) is not None
    }
    # Refused together though each alone is taken, or all of them: it is not about one field.
    about_all = not alone or len(alone) == len(report.fields)
    return _Answer(report.level.value, {"": error} if about_all else dict(alone))


async def _breakdown_taken(platform: AdsPlatform, report: Report) -> _Answer:
    error = await _refusal(platform, report)
    return _Answer(report.preset.name, {} if error is None else {"": error})


async def _refusal(platform: AdsPlatform, report: Report) -> ZyentaError | None:
    try:
        await platform.read_page(report, limit=1, after=None)
    except ZyentaError as error:
        return error
    return None


def _summed(account_id: str, kind: str, answers: Sequence[_Answer]) -> list[Finding]:
    """One line for all that was taken, and one for each thing that was not."""
    what = f"act_{account_id} {kind}"
    taken = [answer.about for answer in answers if not answer.refused]
    findings = [Finding(what, State.OK, f"taken: {', '.join(taken)}")] if taken else []
    for answer in answers:
        for field, error in answer.refused.items():
            state = State.WARN if _passing(error) else State.NO
            remedy = error.remedy
            if isinstance(error, ValidationRefused):
                leave_out = f"Leave {answer.about} out of ZYENTA_BREAKDOWNS."
                remedy = leave_out if kind == "breakdowns" else _NOT_SERVED
            told = f"{type(error).__name__}: {error.what}"
            about = f"{answer.about} {field}".strip()
            findings.append(Finding(f"{what}: {about}", state, told, remedy))
    return findings


def _passing(error: ZyentaError) -> bool:
    """Whether the trouble passes by itself and says nothing of what was asked."""
    return isinstance(error, RateLimited | Transient | Unreachable | DeadlinePassed)


async def _present(
    what: str, asked: Awaitable[Sequence[PlatformPage | Pixel]], none: str, remedy: str
) -> Finding:
    try:
        things = await asked
    except ZyentaError as error:
        return failed(what, error, State.WARN)
    if not things:
        return Finding(what, State.WARN, none, remedy)
    names = ", ".join(thing.name or thing.id for thing in things[:3])
    more = f" and {len(things) - 3} more" if len(things) > 3 else ""
    return Finding(what, State.OK, f"{names}{more}")
