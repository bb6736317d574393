"""The work on one request for a campaign: claimed, told of, and settled however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from zyenta_ads_pipeline.campaigns.launch import LaunchPaused
from zyenta_ads_pipeline.domain.errors import (
    InputError,
    RateLimited,
    Transient,
    Unreachable,
    ZyentaError,
)
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.requests import CampaignRequests, RequestLost

REQUEST_LEASE = timedelta(minutes=15)
"""How long a request stays with one worker, and how long one that waits is left alone."""

_ROLLED_BACK = "The launch was rolled back by hand. Ask for it again to have it made anew."


@dataclass(frozen=True)
class RequestWork:
    """`actor`'s work on a request; without one (`request_id` None: a campaign that was not asked
    for) there is nothing to keep, and only `tell` hears."""

    requests: CampaignRequests
    request_id: str | None
    actor: str
    tell: Callable[[str], None]

    def claim(self) -> None:
        """Take the request; `InputError` where another works on it, or it is settled."""
        if self.request_id is None:
            return
        if not self.requests.claim(self.request_id, self.actor, REQUEST_LEASE, datetime.now(UTC)):
            state = self.requests.state(self.request_id)
            raise InputError(
                f"Request {self.request_id} is {state.state.value}"
                + (f", held by {state.owner}." if state.owner else "."),
                "Wait for it, or look at its campaign.",
            )

    def begin(self) -> None:
        """The request is being worked on, whoever drafted it."""
        if self.request_id is None:
            return
        state = self.requests.state(self.request_id).state
        if state is RequestStep.FAILED:
            self.requests.retry(self.request_id, datetime.now(UTC))
        if state is not RequestStep.DONE:
            self.requests.claim(self.request_id, self.actor, REQUEST_LEASE, datetime.now(UTC))

    def finish(self, campaign_id: str) -> None:
        """The request's campaign is launched, whoever did it."""
        if self.request_id is None:
            return
        if self.requests.state(self.request_id).state is not RequestStep.DONE:
            self.requests.finish(self.request_id, campaign_id=campaign_id, now=datetime.now(UTC))

    def give_up(self, campaign_id: str) -> None:
        """An open request fails, before what was made for it is taken back: nobody goes on with it
        by itself."""
        if self.request_id is None:
            return
        state = self.requests.state(self.request_id).state
        now = datetime.now(UTC)
        if state is RequestStep.WAITING:
            self.requests.claim(self.request_id, self.actor, REQUEST_LEASE, now)
        if state in (RequestStep.WAITING, RequestStep.WORKING):
            self.requests.finish(
                self.request_id, campaign_id=campaign_id, error=_ROLLED_BACK, now=now
            )

    def note(self, words: str) -> None:
        """Say what is being done."""
        self.tell(words)
        if self.request_id is not None:
            self.requests.note(self.request_id, words, datetime.now(UTC))

    @contextmanager
    def settled(self, campaign_id: str | None = None) -> Iterator[None]:
        """Around the work: what passes by itself leaves the request open, to be taken up once its
        lease is over; anything else that a person has to mend fails it."""
        try:
            yield
        except LaunchPaused as error:
            self.note(error.what)
            raise
        except (Transient, Unreachable, RateLimited) as error:
            self.note(error.what)
            wait = error.wait_seconds if isinstance(error, RateLimited) else None
            raise LaunchPaused(
                error.what, "It is tried again later by itself.", wait_seconds=wait
            ) from error
        except ZyentaError as error:
            if self.request_id is not None:
                with suppress(RequestLost):  # another worker has it, and tells how it ends
                    self.requests.finish(
                        self.request_id,
                        campaign_id=campaign_id,
                        error=str(error),
                        now=datetime.now(UTC),
                        owner=self.actor,
                    )
            raise
