"""Typed errors. Each says what happened, where, and how to mend it.

A `ZyentaError` is one a user can act on: faces print its text as one paragraph and exit
non-zero. Everything else is a defect and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ZyentaError(Exception):
    """What went wrong, and the remedy.

    `what` names the thing and the place; `remedy` is the next thing to do.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what} {remedy}".strip())


class SettingsError(ZyentaError):
    """A setting is missing or has a value that cannot be used."""


class InputError(ZyentaError):
    """The user gave something that cannot be used: a date range, a file, an id."""


class IllegalTransition(InputError):
    """A campaign, creative or change was asked to take a step that its state does not allow."""


class LaunchStopped(ZyentaError):
    """A launch cannot go on by itself. What was made is known; it can be resumed or rolled back."""


class NotSupported(InputError):
    """The platform is known by name, and this version does not work with it."""


class StorageError(ZyentaError):
    """The lake or the store cannot be read or written."""


class IncompleteData(ZyentaError):
    """The platform's reply is provably not whole; nothing of it was stored."""


class NotDecidable(ZyentaError):
    """What is known of an account is too old or not whole, so nothing is decided on it."""


@dataclass(frozen=True)
class ErrorOrigin:
    """Where a platform's error came from, for the log and for its support desk."""

    request: str = ""
    http_status: int | None = None
    code: int | None = None
    subcode: int | None = None
    trace_id: str = ""


class PlatformError(ZyentaError):
    """The ad platform refused or failed. Subclasses say what may be done about it."""

    def __init__(self, what: str, remedy: str = "", *, origin: ErrorOrigin | None = None) -> None:
        self.origin = origin or ErrorOrigin()
        super().__init__(what, remedy)


class Unreachable(PlatformError):
    """No connection was made, so nothing was sent."""


class Transient(PlatformError):
    """Passing trouble on the platform's side; a read may be tried again."""


class RateLimited(PlatformError):
    """Too many calls. `wait_seconds` is how long the platform asks us to stay away."""

    def __init__(
        self,
        what: str,
        remedy: str = "",
        *,
        origin: ErrorOrigin | None = None,
        wait_seconds: float | None = None,
    ) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(what, remedy, origin=origin)


class ObjectRateLimited(RateLimited):
    """One object was changed too often; the account's other objects may still be written."""


class AuthenticationFailed(PlatformError):
    """The token is dead or malformed: every call with it must stop."""


class PermissionDenied(PlatformError):
    """The token is good but may not do this."""


class NotFound(PlatformError):
    """The object does not exist, or the token may not see it."""


class ValidationRefused(PlatformError):
    """The request itself is wrong; sending it again cannot help."""


class TooMuchData(PlatformError):
    """The query is too large as asked; a smaller one may pass."""


class ReportFailed(PlatformError):
    """The platform gave up on an asynchronous report, or let it stall: it may be asked anew."""


class DeadlinePassed(ZyentaError):
    """The time allowed for the whole sync is over; what was read is kept for the next one."""


class PolicyBlocked(PlatformError):
    """Blocked for policy or abuse reasons; a human has to look."""


class DuplicateObject(PlatformError):
    """The object exists already."""


class UnknownOutcome(PlatformError):
    """A write was sent and its outcome is not known: look before anything is sent again."""


class NotThere(InputError):
    """What was asked for does not exist, or not any more."""


class NotAllowed(ZyentaError):
    """The person's role does not reach that far."""


class NotSignedIn(ZyentaError):
    """Nobody is known by this token, link or session: it is unknown, used, over or revoked."""


class TooManyTries(ZyentaError):
    """Sign-in failed too often from one place. `wait_seconds` is when it may be tried again."""

    def __init__(self, what: str, remedy: str = "", *, wait_seconds: int) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(what, remedy)


class Stale(InputError):
    """It has changed since it was looked at, so what was decided on the sight of it is not done."""


class TakenAlready(InputError):
    """Somebody else was faster, and decided otherwise: the text says who, and what."""


class InProgress(InputError):
    """The same was asked a moment ago and is still being done."""


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field of what a person filled in, and the remedy."""

    field: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class FieldsRefused(InputError):
    """What a person filled in cannot be used; `problems` names each field."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(f"{each.field}: {each}" for each in problems))

    @property
    def by_field(self) -> dict[str, str]:
        """What is wrong with each field, with the remedy, in words."""
        return {each.field: str(each) for each in self.problems}
