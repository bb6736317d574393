"""`zyenta campaign …`: campaigns made, launched, watched, changed, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import typer

from zyenta_ads_pipeline.domain.campaign import BudgetLevel, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.terminal import By, amount, explained, out, told

T = TypeVar("T")

campaign_app = typer.Typer(
    no_args_is_help=True,
    help="Campaigns, from the first draft to the last day. Ids may be cut to their first four "
    "letters, as long as only one fits.",
)

CampaignId = Annotated[str, typer.Argument(metavar="ID", help="From `zyenta campaign list`.")]
CreativeId = Annotated[str, typer.Argument(metavar="CREATIVE", help="From `campaign show`.")]
StoreId = Annotated[str, typer.Argument(metavar="STORE", help="Id from `zyenta store list`.")]


@campaign_app.command("create")
def create(
    store: StoreId,
    objective: Annotated[CampaignObjective, typer.Option(help="What it is for.")],
    budget: Annotated[
        Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="A day, in account currency.")
    ],
    days: Annotated[int, typer.Option(min=1, max=90, help="How long it runs.")] = 7,
    name: Annotated[str | None, typer.Option(help="Default: made from store and date.")] = None,
    product: Annotated[
        list[str] | None,
        typer.Option(help="Id of a product to advertise; several times. Default: the first ones."),
    ] = None,
    variations: Annotated[int, typer.Option(min=1, max=10, help="Creatives to test.")] = 3,
    budget_on: Annotated[
        BudgetLevel,
        typer.Option(help="Who shares the budget out: we, over ad sets; or Meta, in the campaign."),
    ] = BudgetLevel.ADSET,
    optimize: Annotated[
        bool, typer.Option("--optimize/--no-optimize", help="May the autopilot change it?")
    ] = True,
    key: Annotated[
        str | None, typer.Option(help="Of your own: the same key never makes a second campaign.")
    ] = None,
    later: Annotated[
        bool, typer.Option("--later", help="Only ask for it; the running pipeline makes it.")
    ] = False,
    by: By = "cli",
) -> None:
    """Writes creatives, aims them and makes the campaign on Meta, all of it paused.

    Nothing is spent until `zyenta campaign activate`. A launch that stops half-way goes on with
    `zyenta campaign launch`, and makes nothing twice.
    """
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415
    from zyenta_ads_pipeline.agent import AdsAgent  # noqa: PLC0415

    with explained():
        settings = load_settings()
        with told("Preparing the campaign") as tell:
            agent = AdsAgent(settings, actor=by, tell=tell)
            request = agent.request_campaign(
                store,
                "meta",
                objective,
                budget,
                days,
                name,
                optimize,
                product_ids=product or (),
                variations=variations,
                budget_level=budget_on,
                key=key,
            )
            if later:
                out.print(campaign_desk.asked_for(request))
                return
            campaign = asyncio.run(campaign_desk.carry_out(settings, agent, request.id))
        out.print(campaign_desk.launched(settings, campaign))


@campaign_app.command("list")
def list_(
    store: Annotated[str | None, typer.Option(help="Only of this store.")] = None,
    status: Annotated[list[CampaignStatus] | None, typer.Option(help="Only these.")] = None,
) -> None:
    """Lists campaigns, the newest first, with their numbers so far and the totals."""
    from zyenta_ads_pipeline.campaign_list import list_campaigns  # noqa: PLC0415

    with explained():
        out.print(list_campaigns(load_settings(), store, status or ()))


@campaign_app.command("requests")
def requests() -> None:
    """Lists the campaigns that were asked for and are not made yet."""
    from zyenta_ads_pipeline.campaign_list import list_requests  # noqa: PLC0415

    with explained():
        out.print(list_requests(load_settings()))


@campaign_app.command("show")
def show(campaign: CampaignId) -> None:
    """Shows all there is to know of a campaign: why it stands where it stands, its creatives side
    by side, its numbers, and everything that happened to it."""
    from zyenta_ads_pipeline import campaign_desk, campaign_page  # noqa: PLC0415

    with explained():
        settings = load_settings()
        found = campaign_desk.campaign_of(settings, campaign)
        out.print(campaign_page.show_campaign(settings, found.id))


@campaign_app.command("tests")
def tests(campaign: CampaignId) -> None:
    """Shows how its creatives stand in their test: who leads, how sure that is, how long it still
    takes; and which of them tire."""
    from zyenta_ads_pipeline import campaign_desk, campaign_tests  # noqa: PLC0415

    with explained():
        settings = load_settings()
        out.print(
            campaign_tests.show_tests(settings, campaign_desk.campaign_of(settings, campaign))
        )


@campaign_app.command("launch")
def launch(campaign: CampaignId, by: By = "cli") -> None:
    """Makes a draft on Meta, paused, or goes on where a launch stopped. Makes nothing twice."""
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415

    launched = _agent(by, "Launching", campaign, campaign_desk.launch)
    out.print(campaign_desk.launched(load_settings(), launched))


@campaign_app.command("rollback")
def rollback(campaign: CampaignId, by: By = "cli") -> None:
    """Deletes on Meta what a stopped launch has made; the campaign is a draft again."""
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415

    drafted = _agent(by, "Rolling back", campaign, lambda agent, each: agent.roll_back(each))
    out.print(campaign_desk.rolled_back(drafted))


@campaign_app.command("activate")
def activate(campaign: CampaignId, by: By = "cli") -> None:
    """Switches a campaign on, with its ad sets and ads. From then on it spends."""
    _act(by, "Switching on", campaign, lambda agent, each: agent.activate(each))


@campaign_app.command("pause")
def pause(campaign: CampaignId, by: By = "cli") -> None:
    """Switches a campaign off."""
    _act(by, "Pausing", campaign, lambda agent, each: agent.pause(each))


@campaign_app.command("budget")
def budget(
    campaign: CampaignId,
    daily: Annotated[
        Decimal, typer.Argument(parser=amount, metavar="AMOUNT", help="A day, account currency.")
    ],
    by: By = "cli",
) -> None:
    """Sets a campaign's daily budget; what its ad sets hold is shared out as before."""
    _act(by, "Changing the budget", campaign, lambda agent, each: agent.adjust_budget(each, daily))


@campaign_app.command("take-over")
def take_over(campaign: CampaignId, by: By = "cli") -> None:
    """Takes the budget that somebody set in Ads Manager for the campaign's own: ends a conflict."""
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415

    taken = _agent(by, "Reading the budget", campaign, lambda agent, each: agent.take_over(each))
    out.print(campaign_desk.taken_over(taken))


@campaign_app.command("optimize")
def optimize(campaign: CampaignId, by: By = "cli") -> None:
    """Decides on one campaign now, by its complete days, and proposes what follows.

    Written at once only with ZYENTA_AUTOPILOT=auto; else `zyenta changes` lists it for approval.
    """
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415

    done = _agent(by, "Deciding", campaign, lambda agent, each: agent.optimize_campaign(each))
    out.print(campaign_desk.optimized(load_settings(), done))


@campaign_app.command("undo")
def undo(
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="Id of an applied change.")],
    by: By = "cli",
) -> None:
    """Writes back at once what was there before a change, unless it was changed again since.

    What was changed together with it, such as the budgets of several ad sets, goes back with it.
    """
    from zyenta_ads_pipeline import campaign_undo  # noqa: PLC0415

    with explained():
        settings = load_settings()
        with told("Undoing"):
            done = asyncio.run(campaign_undo.undo_now(settings, change, by))
        out.print(done.shown)
        if not done.applied:
            raise typer.Exit(1)


@campaign_app.command("retry")
def retry(
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="Id of an approved change.")],
    by: By = "cli",
) -> None:
    """Writes what you asked for and what could not be written then: after a stop, a failure."""
    from zyenta_ads_pipeline import campaign_undo  # noqa: PLC0415

    with explained():
        settings = load_settings()
        with told("Writing"):
            done = asyncio.run(campaign_undo.retry_now(settings, change, by))
        out.print(done.shown)
        if not done.applied:
            raise typer.Exit(1)


@campaign_app.command("creative-pause")
def creative_pause(campaign: CampaignId, creative: CreativeId, by: By = "cli") -> None:
    """Switches one creative off; the others go on."""
    _act_on_creative(
        by, "Pausing", campaign, creative, lambda agent, *each: agent.pause_creative(*each)
    )


@campaign_app.command("creative-scale")
def creative_scale(
    campaign: CampaignId,
    creative: CreativeId,
    percent: Annotated[int, typer.Argument(min=1, max=100, help="By how much: 1 to 100.")],
    by: By = "cli",
) -> None:
    """Raises the budget of one creative by so many percent."""
    _act_on_creative(
        by,
        "Scaling",
        campaign,
        creative,
        lambda agent, *each: agent.scale_creative(*each, percent),
    )


@campaign_app.command("adopt")
def adopt(store: StoreId, by: By = "cli") -> None:
    """Takes in the campaigns of the store's account that were made in Ads Manager.

    Writes nothing there. From then on they are shown and changed like the others; the autopilot
    leaves them alone.
    """
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415
    from zyenta_ads_pipeline.agent import AdsAgent  # noqa: PLC0415

    with explained():
        settings = load_settings()
        with told("Reading the account") as tell:
            adopted = asyncio.run(AdsAgent(settings, actor=by, tell=tell).adopt(store))
        out.print(campaign_desk.adopted(adopted))


@campaign_app.command("review")
def review(store: StoreId, by: By = "cli") -> None:
    """Asks Meta how a store's campaigns stand: how their reviews went, and what it objects to.

    Brings their numbers up to what was last read, too.
    """
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415
    from zyenta_ads_pipeline.agent import AdsAgent  # noqa: PLC0415

    with explained():
        settings = load_settings()
        with told("Asking for reviews") as tell:
            agent = AdsAgent(settings, actor=by, tell=tell)
            moved = asyncio.run(agent.bring_back_reviews(store))
            campaign_desk.refresh_store(settings, store)
        out.print(campaign_desk.reviewed(moved))


def _agent(
    by: str, what: str, campaign: str, act: Callable[[Any, str], Coroutine[Any, Any, T]]
) -> T:
    """What the agent does with one campaign, told as it goes."""
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415
    from zyenta_ads_pipeline.agent import AdsAgent  # noqa: PLC0415

    with explained():
        settings = load_settings()
        found = campaign_desk.campaign_of(settings, campaign)
        with told(f"{what}: {found.name}") as tell:
            return asyncio.run(act(AdsAgent(settings, actor=by, tell=tell), found.id))


def _act(
    by: str, what: str, campaign: str, act: Callable[[Any, str], Coroutine[Any, Any, Any]]
) -> None:
    """The same for an act that goes through the outbox; exit 1 unless Meta shows it."""
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415

    acted = _agent(by, what, campaign, act)
    out.print(campaign_desk.acted(acted))
    if not acted.applied:
        raise typer.Exit(1)


def _act_on_creative(
    by: str,
    what: str,
    campaign: str,
    creative: str,
    act: Callable[[Any, str, str], Coroutine[Any, Any, Any]],
) -> None:
    from zyenta_ads_pipeline import campaign_desk  # noqa: PLC0415

    with explained():
        own = campaign_desk.creative_of(load_settings(), campaign, creative)
    _act(by, what, campaign, lambda agent, each: act(agent, each, own.id))
