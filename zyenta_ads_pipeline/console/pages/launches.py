"""A campaign on its way: from the asking to the launch, step by step, as it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.campaigns.launch_plan import own_name
from zyenta_ads_pipeline.console.desks.campaigns import Progress
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import Visit
from zyenta_ads_pipeline.console.pages.words import OBJECTIVES, ago, many, money
from zyenta_ads_pipeline.domain.campaign import CampaignRequest
from zyenta_ads_pipeline.domain.launch import StepKind, StepState
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.launches import LaunchStep
from zyenta_ads_pipeline.store.orders import OrderKind

_KINDS = {
    StepKind.IMAGE: "Upload picture",
    StepKind.VIDEO: "Upload video",
    StepKind.CAMPAIGN: "Make the campaign",
    StepKind.ADSET: "Make ad set",
    StepKind.CREATIVE: "Make creative",
    StepKind.AD: "Make ad",
}
_STATES = {
    StepState.PENDING: ("", "", "waiting"),
    StepState.SENDING: ("info", "…", "under way"),
    StepState.DONE: ("good", "✓", "done"),
    StepState.REFUSED: ("bad", "!", "refused"),
    StepState.ROLLED_BACK: ("", "↺", "rolled back"),
}


@dataclass(frozen=True)
class Step:
    """One step as it is shown."""

    kind: str
    sign: str
    words: str
    state: str
    note: str = ""


@dataclass(frozen=True)
class Way:
    """How far a campaign is, in words. `live`: something is still to come by itself."""

    id: str
    title: str
    told: str
    look: str
    state: str
    steps: Sequence[Step]
    done: int
    total: int
    live: bool
    over: bool
    error: str
    campaign_id: str
    can_roll_back: bool
    asked: str
    facts: Sequence[tuple[str, str]]


def routes(site: Site) -> list[Route]:
    """Progress of a request, and what to do when it stopped."""
    return [
        site.get("/requests/{id}", page),
        site.post("/requests/{id}/retry", retry),
        site.get("/campaigns/{id}/launch", of_campaign),
    ]


def page(visit: Visit) -> Response:
    """How far a request is; its part `progress` is asked for again while it goes on."""
    desk = visit.site.desks.campaigns
    progress = desk.request(visit.person, visit.request.path_params["id"])
    campaign = progress.campaign
    allowed = desk.allowed(visit.person, campaign) if campaign else frozenset()
    way = _way(visit, progress, OrderKind.ROLL_BACK in allowed)
    return visit.site.show(visit, "launch.html", way=way, may=visit.buyer)


def retry(visit: Visit) -> Response:
    """Go on where it stopped."""
    own = visit.request.path_params["id"]
    visit.site.desks.campaigns.retry(visit.person, own)
    return visit.go(f"/requests/{own}", "It goes on where it stopped.")


def of_campaign(visit: Visit) -> Response:
    """The launch of a campaign: on its request's page, where it has one."""
    own = visit.request.path_params["id"]
    campaign = visit.site.desks.campaigns.get(visit.person, own)
    if campaign.request_id is None:
        return visit.go(f"/campaigns/{own}")
    return visit.go(f"/requests/{campaign.request_id}")


def shown_steps(steps: Sequence[LaunchStep], campaign: str) -> list[Step]:
    """The steps of a launch in words; several of a kind are numbered by their own names."""
    kinds = Counter(step.kind for step in steps)
    found = []
    for step in steps:
        look, sign, state = _STATES[step.state]
        name = own_name(step.name, campaign)
        words = _KINDS[step.kind] + (f": {name}" if kinds[step.kind] > 1 and name else "")
        found.append(Step(look, sign, words, state, step.note))
    return found


_TOLD = {
    RequestStep.WAITING: ("", "Waiting", "Waiting to be taken up; that takes up to a minute."),
    RequestStep.WORKING: ("info", "Being made", "Under way."),
    RequestStep.DONE: (
        "good",
        "Launched",
        "It is launched and paused: look it over, then activate it.",
    ),
    RequestStep.FAILED: ("bad", "Stopped", "It stopped. What was made is kept."),
}


def _way(visit: Visit, progress: Progress, can_roll_back: bool) -> Way:
    request, state, campaign = progress.request, progress.state, progress.campaign
    failed = state.state is RequestStep.FAILED
    look, words, told = _TOLD[state.state]
    if state.state is RequestStep.WORKING and state.note:
        told = state.note
    named = campaign.name if campaign else request.name
    return Way(
        id=request.id,
        title=named or f"{OBJECTIVES[request.objective][0]} for {request.store_id}",
        told=told,
        look=look,
        state=words,
        steps=_steps(progress),
        done=2 + progress.done if campaign else 1,
        total=2 + len(progress.steps) if progress.steps else 6,
        live=state.state in (RequestStep.WAITING, RequestStep.WORKING),
        over=state.state is RequestStep.DONE,
        error=state.error or "" if failed else "",
        campaign_id=campaign.id if campaign else "",
        can_roll_back=failed and can_roll_back,
        asked=f"{ago(request.requested_at, visit.site.now())} by {request.requested_by}",
        facts=_facts(request),
    )


def _facts(request: CampaignRequest) -> list[tuple[str, str]]:
    count = len(request.product_ids)
    return [
        ("Objective", OBJECTIVES[request.objective][0]),
        ("Daily budget", money(request.daily_budget_minor, request.currency)),
        ("Duration", many(request.duration_days, "day")),
        ("Products", f"{count} chosen" if count else "The first of the catalogue"),
    ]


def _steps(progress: Progress) -> list[Step]:
    """From the asking to the launch."""
    state, campaign = progress.state, progress.campaign
    steps = [
        Step("good", "✓", "Asked for", "done"),
        _writing(state.state, campaign is not None, state.note),
        *shown_steps(progress.steps, campaign.name if campaign else ""),
    ]
    if not progress.steps and state.state is not RequestStep.DONE:
        steps.append(Step("", "", "Launch it on Meta, paused", "waiting"))
    return steps


def _writing(state: RequestStep, wrote: bool, note: str) -> Step:
    words = "Write creatives and aim them"
    if wrote:
        return Step("good", "✓", words, "done")
    if state is RequestStep.FAILED:
        return Step("bad", "!", words, "stopped")
    if state is RequestStep.WORKING:
        return Step("info", "…", words, "under way", note)
    return Step("", "", words, "waiting")
