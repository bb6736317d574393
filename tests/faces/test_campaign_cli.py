"""`zyenta campaign` as a buyer uses it, from an empty home to a running campaign and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faces.buyer import Buyer, change_ids, settle
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.domain.creative import CreativeStatus
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("campaign"), port=0, days=10, frozen=True, accounts=1
    )
    with run_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def buyer(
    running: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Buyer]:
    yield settle(running, tmp_path, monkeypatch)
    running.clear_faults()


def test_from_an_empty_home_to_a_running_campaign(buyer: Buyer, running: SandboxHandle) -> None:
    assert "zyenta campaign create" in buyer.does("campaign", "list")
    buyer.has_a_store()
    assert "zyenta connect" in buyer.fails(
        "campaign", "create", "trail", "--objective", "conversions", "--budget", "60"
    )
    buyer.does("connect", "trail")
    made = buyer.does(
        "campaign", "create", "trail", "--objective", "conversions", "--budget", "59,90",
        "--days", "10", "--name", "Autumn [sale]", "--product", "102", "--by", "ada",
    )  # fmt: skip
    for words in ("Autumn [sale] is made", "What happens next", "$59.90 a day", "Storm Shell"):
        assert words in made
    assert "Step 1 of" in buyer.said[-1], "progress goes to stderr"
    (campaign,) = buyer.campaigns()
    assert campaign.status is CampaignStatus.PENDING_REVIEW
    assert len(campaign.creatives) == 3
    own = campaign.id[:6]
    listed = buyer.does("campaign", "list", "--store", "trail", "--status", "pending_review")
    assert "pending review" in listed
    assert "USD: 1 campaign, 0 active, spend $0.00, 0 conversions, ROAS none yet." in listed
    assert "No campaigns of this kind" in buyer.does("campaign", "list", "--status", "active")
    shown = buyer.does("campaign", "show", own)
    for words in ("Autumn [sale]", "conversions", "$59.90 a day, held by its ad sets, $599.00 in",
                  "US; aged 18 and over; interested in", "Storm Shell Rain Jacket", "template",
                  "Launch, step by step", "campaign", "Journal", "ada", "handed in for review",
                  *(creative.draft.headline for creative in campaign.creatives)):  # fmt: skip
        assert words in shown
    on = buyer.does("campaign", "activate", own)
    assert "Meta still reviews it" in on
    running.advance(hours=30)
    assert "active" in buyer.does("campaign", "review", "trail")
    assert "1 active" in buyer.does("campaign", "list")
    assert "paused" in buyer.does("campaign", "pause", own)
    assert buyer.campaigns()[0].status is CampaignStatus.PAUSED
    assert "already" in buyer.does("campaign", "pause", own)


def test_acts_are_not_refused_while_the_autopilot_watches_and_are_undone_whole(
    buyer: Buyer, running: SandboxHandle
) -> None:
    own = buyer.has_a_campaign("--no-optimize", "--budget-on", "adset")
    buyer.does("campaign", "activate", own)
    running.advance(hours=30)
    buyer.does("campaign", "review", "trail")
    told = buyer.does("campaign", "budget", own, "90")
    assert buyer.campaigns()[0].daily_budget_minor == 9000
    ids = change_ids(told)
    assert len(ids) == 3
    running.advance(hours=2)
    assert "as it was before" in buyer.does("campaign", "undo", ids[1], "--by", "ada")
    assert buyer.campaigns()[0].daily_budget_minor == 6000
    running.advance(hours=2)
    assert "Undo the later one first" in buyer.fails("campaign", "undo", ids[0])
    creative = buyer.campaigns()[0].creatives[0]
    told = buyer.does("campaign", "creative-pause", own, creative.id[:8])
    assert buyer.campaigns()[0].creatives[0].status is CreativeStatus.PAUSED
    buyer.does("campaign", "undo", change_ids(told)[0])
    after = buyer.campaigns()[0]
    assert after.creatives[0].status is CreativeStatus.ACTIVE
    assert after.daily_budget_minor == 6000
    running.advance(hours=2)
    told = buyer.does("campaign", "creative-scale", own, creative.id[:8], "10")
    assert "$20.00 → $22.00" in told
    assert "no creative" in buyer.fails("campaign", "creative-pause", own, "zzzz")
    assert "Optimizations" in buyer.does("campaign", "show", own)
    assert "has not been read yet" in buyer.fails("campaign", "optimize", own)


def test_a_conflict_is_told_and_taken_over(buyer: Buyer, running: SandboxHandle) -> None:
    own = buyer.has_a_campaign("--budget-on", "campaign")
    platform_id = buyer.campaigns()[0].platform_campaign_id or ""
    running.edit(platform_id, daily_budget=7700)
    told = buyer.fails("campaign", "budget", own, "90")
    assert "somebody else changed it" in told.lower()
    assert "take-over" in told
    assert "$77.00" in buyer.does("campaign", "take-over", own)
    buyer.does("campaign", "budget", own, "90")
    assert buyer.campaigns()[0].daily_budget_minor == 9000


def test_a_stopped_launch_goes_on_or_is_taken_back(buyer: Buyer, running: SandboxHandle) -> None:
    buyer.has_a_store()
    buyer.does("connect", "trail")
    create = ("campaign", "create", "trail", "--objective", "traffic", "--budget", "40",
              "--variations", "2", "--key", "spring")  # fmt: skip
    running.faults([{"preset": "no_permission", "kind": "create", "path": "act_*/ads"}])
    told = buyer.fails(*create)
    own = buyer.campaigns()[0].id[:8]
    for words in ("refused ad", f"zyenta campaign launch {own}", f"campaign rollback {own}"):
        assert words in told
    shown = buyer.does("campaign", "show", own)
    for words in ("error: The platform refused", "refused", "pending", "planned"):
        assert words in shown
    assert "draft again" in buyer.does("campaign", "rollback", own)
    assert buyer.campaigns()[0].status is CampaignStatus.DRAFT
    running.clear_faults()
    assert "is made, as" in buyer.does("campaign", "launch", own)
    assert buyer.does(*create).count("is made, as") == 1, "the key gives the same campaign"
    assert len(buyer.campaigns()) == 1
    assert "only a launch that stopped" in buyer.fails("campaign", "rollback", own)


def test_the_kill_switch_stops_a_launch_and_an_act_until_it_is_lifted(
    buyer: Buyer, running: SandboxHandle
) -> None:
    own = buyer.has_a_campaign()
    assert "Writing to every account is stopped" in buyer.does(
        "stop", "--reason", "budget is spent", "--by", "ada"
    )
    told = buyer.fails("campaign", "activate", own)
    assert "kill switch" in told
    (waiting, *_) = change_ids(told)
    more = ("campaign", "create", "trail", "--objective", "traffic", "--budget", "40")
    assert "zyenta resume" in buyer.fails(*more)
    stops = buyer.does("stops")
    assert "Stopped: every account" in stops
    assert "budget is spent" in stops
    account = buyer.campaigns()[0].account_id
    buyer.does("stop", "--account", f"act_{account}", "--reason", "one")
    assert f"Still stopped: act_{account}" in buyer.does("resume")
    assert "is lifted" in buyer.does("resume", "--account", account)
    assert "No stop" in buyer.does("resume")
    assert "Nothing is stopped" in buyer.does("stops")
    assert "It is written" in buyer.does("campaign", "retry", waiting)
    assert "only what was asked for by hand" in buyer.fails("campaign", "retry", waiting)
    assert "is made, as" in buyer.does("campaign", "launch", buyer.campaigns()[0].id[:8])


def test_adopted_campaigns_are_shown_with_numbers_and_optimized(
    buyer: Buyer, running: SandboxHandle
) -> None:
    buyer.has_a_store()
    buyer.does("connect", "trail")
    adopted = buyer.does("campaign", "adopt", "trail")
    assert "taken in, 0 known before" in adopted
    assert "0 taken in" in buyer.does("campaign", "adopt", "trail")
    assert "adopted from Ads Manager" in buyer.does("campaign", "show", buyer.campaigns()[0].id[:8])


def test_a_request_is_kept_for_later(buyer: Buyer) -> None:
    buyer.has_a_store()
    buyer.does("connect", "trail")
    assert "No campaign waits" in buyer.does("campaign", "requests")
    asked = buyer.does("campaign", "create", "trail", "--objective", "awareness", "--budget", "20",
                       "--later")  # fmt: skip
    assert "Asked for" in asked
    assert buyer.campaigns() == []
    assert "$20.00" in buyer.does("campaign", "requests")


def test_ids_may_be_cut_but_not_too_short(buyer: Buyer) -> None:
    own = buyer.has_a_campaign()
    buyer.does("campaign", "show", own[:4].upper())
    assert "too short" in buyer.fails("campaign", "show", own[:3])
    assert "no campaign 'zzzz'" in buyer.fails("campaign", "show", "zzzz")


@pytest.mark.parametrize("budget", ["a lot", "0", "-5", "NaN", "1,000", "10.000", "1,000.50",
                                    "1,0000", "10.0000", "1_000", "5e3", "0.00"])  # fmt: skip
def test_a_budget_that_is_none_is_refused(buyer: Buyer, budget: str) -> None:
    buyer.misuses("campaign", "create", "x", "--objective", "traffic", f"--budget={budget}")


def test_a_budget_is_set_within_the_limits_of_its_currency(buyer: Buyer) -> None:
    own = buyer.has_a_campaign()
    for command in (("budget", own, "9.99"), ("budget", own, "10000.01")):
        told = buyer.fails("campaign", *command)
        assert "Choose 10 to 10,000 USD a day." in told
    assert "switched on" in buyer.does("campaign", "activate", own)
    buyer.does("campaign", "budget", own, "9999,99")
    assert [each.daily_budget_minor for each in buyer.campaigns()] == [999_999]
    assert "10 to 10,000 USD" in buyer.fails("campaign", "budget", own, "20000")
    creative = buyer.campaigns()[0].creatives[0].id
    told = buyer.fails("campaign", "creative-scale", own, creative[:8], "1")
    assert "A campaign may have up to 10,000 USD a day" in told
    assert [each.daily_budget_minor for each in buyer.campaigns()] == [999_999]


def test_an_unknown_store_or_product_is_told(buyer: Buyer) -> None:
    command = ("--objective", "traffic", "--budget", "20")
    assert "zyenta connect" in buyer.fails("campaign", "create", "nobody", *command)
    buyer.has_a_store()
    buyer.does("connect", "trail")
    told = buyer.fails("campaign", "create", "trail", *command, "--product", "999")
    assert "no product '999'" in told
