"""Whole launches against the sandbox, which takes creates by Meta's own rules."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from PIL import Image

from tests.platforms.conftest import START, TOKEN
from tests.platforms.launching import AD, AD_SET, CAMPAIGN, CREATIVE, TARGETING, use
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    NotFound,
    UnknownOutcome,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.launch import (
    AdSetSpec,
    AdSpec,
    CampaignSpec,
    CreativeSpec,
    Spec,
    StepKind,
)
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

APP = {"app_id": "4711", "app_secret": "appSECRET9876543210"}
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(9_000_000)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """An American and a German account, in which these tests make things."""
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("shop"), port=0, accounts=2, days=5, start=START,
        frozen=True, token=TOKEN, app_id=APP["app_id"], app_secret=APP["app_secret"],
    )  # fmt: skip
    with run_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def launchpad(shop: SandboxHandle) -> Iterator[SandboxHandle]:
    """The same, without what a failed test may have planned, and with all quotas free: these
    tests write faster than the hundred times a second that Meta takes."""
    shop.clear_faults()
    shop.throttle(advance_seconds=3600)
    yield shop
    shop.clear_faults()


def picture(red: int = 200) -> bytes:
    """A square JPEG."""
    out = io.BytesIO()
    Image.new("RGB", (1080, 1080), (red, 40, 40)).save(out, "JPEG")
    return out.getvalue()


@dataclass(frozen=True)
class Assets:
    """What an account has to launch with."""

    page: str
    pixel: str
    catalogue: str
    product_set: str
    image: str


async def assets_of(meta: MetaAds, account: str) -> Assets:
    (catalogue,) = await meta.catalogues(account)
    return Assets(
        page=(await meta.pages(account))[0].id,
        pixel=(await meta.pixels(account))[0].id,
        catalogue=catalogue.id,
        product_set=catalogue.product_sets[0][0],
        image=await meta.upload_image(account, picture(), "shoe.jpg"),
    )


def specs_of(
    objective: CampaignObjective, assets: Assets, token: str, budget_on_campaign: bool
) -> tuple[CampaignSpec, AdSetSpec, CreativeSpec]:
    sells = objective is CampaignObjective.CATALOG_SALES
    campaign = CampaignSpec(
        name=f"Autumn {token}c",
        objective=objective,
        daily_budget_minor=9000 if budget_on_campaign else None,
        product_catalog_id=assets.catalogue if sells else None,
    )
    ad_set = replace(
        AD_SET,
        name=f"Autumn {token}s",
        objective=objective,
        daily_budget_minor=None if budget_on_campaign else 3000,
        page_id=assets.page,
        pixel_id=assets.pixel,
        product_set_id=assets.product_set if sells else None,
    )
    creative = replace(
        CREATIVE,
        name=f"benefit {token}k",
        page_id=assets.page,
        image_hash=None if sells else assets.image,
        product_set_id=assets.product_set if sells else None,
    )
    return campaign, ad_set, creative


@pytest.mark.parametrize("objective", CampaignObjective)
@pytest.mark.parametrize("budget_on_campaign", [True, False])
def test_a_campaign_of_each_objective_is_made_paused_as_it_was_meant(
    launchpad: SandboxHandle, objective: CampaignObjective, budget_on_campaign: bool
) -> None:
    account = launchpad.account_ids[0]
    token = f"zy-{objective.value}-{int(budget_on_campaign)}"

    async def launch(meta: MetaAds) -> None:
        assets = await assets_of(meta, account)
        campaign, ad_set, creative = specs_of(objective, assets, token, budget_on_campaign)
        writes = len(launchpad.writes())
        assert (await meta.create_campaign(account, campaign, validate_only=True)).id == ""
        assert (await meta.create_ad_creative(account, creative, validate_only=True)).id == ""
        assert len(launchpad.writes()) == writes
        made: list[tuple[StepKind, str, Spec]] = []
        made.append(
            (StepKind.CAMPAIGN, (await meta.create_campaign(account, campaign)).id, campaign)
        )
        ad_set = replace(ad_set, campaign_id=made[0][1])
        assert (await meta.create_ad_set(account, ad_set, validate_only=True)).id == ""
        made.append((StepKind.ADSET, (await meta.create_ad_set(account, ad_set)).id, ad_set))
        made.append(
            (StepKind.CREATIVE, (await meta.create_ad_creative(account, creative)).id, creative)
        )
        ad = AdSpec(f"benefit {token}a", ad_set_id=made[1][1], creative_id=made[2][1])
        assert (await meta.create_ad(account, ad, validate_only=True)).id == ""
        made.append((StepKind.AD, (await meta.create_ad(account, ad)).id, ad))
        for kind, own, spec in made:
            assert await meta.differences(kind, own, spec) == []
            last = {"campaign": "c", "adset": "s", "creative": "k", "ad": "a"}[kind.value]
            assert await meta.find_by_token(account, kind, f"{token}{last}") == own
        for level, own in (
            (Level.CAMPAIGN, made[0][1]), (Level.ADSET, made[1][1]), (Level.AD, made[3][1]),
        ):  # fmt: skip
            assert (await meta.read_object(own, level)).status == "PAUSED"

    use(launchpad.url, launch, **APP)


def test_a_video_is_uploaded_found_and_used_once_it_is_ready(launchpad: SandboxHandle) -> None:
    account = launchpad.account_ids[0]

    async def upload(meta: MetaAds) -> tuple[str, str]:
        video = await meta.upload_video(account, MP4, "Autumn walk zy-1v")
        assert await meta.find_video(account, "zy-1v") == video
        assert await meta.find_video(account, "zy-9v") is None
        assert (await meta.video_status(video)).state == "processing"
        return video, (await meta.pages(account))[0].id

    video, page = use(launchpad.url, upload, **APP)
    launchpad.advance(hours=1)

    async def show(meta: MetaAds) -> None:
        status = await meta.video_status(video)
        assert status.state == "ready"
        assert status.thumbnail_url is not None
        thumbnail = await meta.upload_image(account, picture(120), "thumbnail.jpg")
        spec = replace(CREATIVE, page_id=page, image_hash=None, video_id=video)
        for own in (
            replace(spec, name="v1", thumbnail_url=status.thumbnail_url),
            replace(spec, name="v2", thumbnail_hash=thumbnail),
        ):
            made = await meta.create_ad_creative(account, own)
            assert await meta.differences(StepKind.CREATIVE, made.id, own) == []

    use(launchpad.url, show, **APP)


@pytest.mark.parametrize("outcome", ["error", "expired"])
def test_a_video_that_does_not_get_ready_says_so(launchpad: SandboxHandle, outcome: str) -> None:
    launchpad.plan_videos(next=[outcome], seconds=0)

    async def upload(meta: MetaAds) -> str:
        video = await meta.upload_video(launchpad.account_ids[0], MP4[:1000], outcome)
        return (await meta.video_status(video)).state

    assert use(launchpad.url, upload, **APP) == outcome


@pytest.mark.parametrize("fault", ["truncated", "commit_then_502"])
def test_a_chunk_whose_answer_is_lost_is_resumed(launchpad: SandboxHandle, fault: str) -> None:
    account = launchpad.account_ids[0]
    launchpad.faults([{"preset": fault, "path": "*/advideos", "skip": 1, "times": 1}])

    async def upload(meta: MetaAds) -> None:
        video = await meta.upload_video(account, MP4, f"resumed {fault}")
        assert await meta.find_video(account, f"resumed {fault}") == video

    use(launchpad.url, upload, **APP)
    assert launchpad.fault_uses() == [1]


@pytest.mark.parametrize("fault", ["commit_then_drop", "commit_then_502", "truncated", "drop"])
def test_a_lost_answer_is_settled_by_the_token(launchpad: SandboxHandle, fault: str) -> None:
    account = launchpad.account_ids[0]
    token = f"zy-lost-{fault}"
    launchpad.faults([{"preset": fault, "path": "*/campaigns", "method": "POST", "times": 1}])
    spec = replace(CAMPAIGN, name=f"Autumn {token}")

    async def launch(meta: MetaAds) -> None:
        with pytest.raises(UnknownOutcome):
            await meta.create_campaign(account, spec)
        found = await meta.find_by_token(account, StepKind.CAMPAIGN, token)
        assert (found is None) is (fault == "drop")
        if found is not None:
            assert await meta.differences(StepKind.CAMPAIGN, found, spec) == []

    use(launchpad.url, launch, **APP)


def test_a_list_that_lags_shows_a_new_object_later(launchpad: SandboxHandle) -> None:
    account = launchpad.account_ids[0]
    launchpad.faults([{"preset": "late_object", "times": 1}])
    spec = replace(CAMPAIGN, name="Autumn zy-late")

    def look() -> str | None:
        return use(
            launchpad.url, lambda m: m.find_by_token(account, StepKind.CAMPAIGN, "zy-late"), **APP
        )

    made = use(launchpad.url, lambda meta: meta.create_campaign(account, spec), **APP)
    assert look() is None
    launchpad.advance(hours=0.01)
    assert look() == made.id


def test_what_a_person_changed_is_a_difference(launchpad: SandboxHandle) -> None:
    account = launchpad.account_ids[0]

    async def make(meta: MetaAds) -> str:
        return (await meta.create_campaign(account, replace(CAMPAIGN, name="zy-edited"))).id

    made = use(launchpad.url, make, **APP)
    launchpad.edit(made, name="Sale", status="ACTIVE")
    found = use(
        launchpad.url, lambda meta: meta.differences(StepKind.CAMPAIGN, made, CAMPAIGN), **APP
    )
    assert found == [
        "The campaign's name is Sale, not Autumn zy-1c.",
        "The campaign's status is ACTIVE, not PAUSED.",
    ]


def test_what_is_deleted_is_not_found_again(launchpad: SandboxHandle) -> None:
    account = launchpad.account_ids[0]

    async def make_and_delete(meta: MetaAds) -> None:
        made = await meta.create_campaign(account, replace(CAMPAIGN, name="zy-gone"))
        assert (await meta.delete(made.id)).reply == {"success": True}
        assert await meta.find_by_token(account, StepKind.CAMPAIGN, "zy-gone") is None
        found = await meta.differences(StepKind.CAMPAIGN, made.id, CAMPAIGN)
        assert "The campaign's status is DELETED, not PAUSED." in found
        with pytest.raises(NotFound):
            await meta.delete("987654321")

    use(launchpad.url, make_and_delete, **APP)


def test_a_creative_is_deleted_too(launchpad: SandboxHandle) -> None:
    account = launchpad.account_ids[0]

    async def make_and_delete(meta: MetaAds) -> None:
        assets = await assets_of(meta, account)
        _, _, creative = specs_of(CampaignObjective.TRAFFIC, assets, "zy-del-", False)
        made = await meta.create_ad_creative(account, creative)
        await meta.delete(made.id)
        assert await meta.find_by_token(account, StepKind.CREATIVE, "zy-del-k") is None

    use(launchpad.url, make_and_delete, **APP)


def test_europe_wants_to_know_who_pays_unless_the_account_says_so(
    launchpad: SandboxHandle,
) -> None:
    american, german = launchpad.account_ids
    aimed = {**TARGETING, "geo_locations": {"countries": ["DE"]}}

    async def ad_set_of(meta: MetaAds, account: str) -> AdSetSpec:
        assets = await assets_of(meta, account)
        campaign, ad_set, _ = specs_of(CampaignObjective.CONVERSIONS, assets, "zy-eu-", False)
        made = await meta.create_campaign(account, campaign)
        return replace(ad_set, campaign_id=made.id, targeting=aimed)

    async def launch(meta: MetaAds) -> None:
        unsaid = await ad_set_of(meta, american)
        with pytest.raises(ValidationRefused) as failed:
            await meta.create_ad_set(american, unsaid)
        assert "Name who is advertised for" in failed.value.remedy
        told = replace(unsaid, dsa_beneficiary="Tarnfell GmbH")
        made = await meta.create_ad_set(american, told)
        assert await meta.differences(StepKind.ADSET, made.id, told) == []
        by_default = await ad_set_of(meta, german)
        made = await meta.create_ad_set(german, by_default)
        assert await meta.differences(StepKind.ADSET, made.id, by_default) == []

    launchpad.edit(f"act_{american}", default_dsa_beneficiary=None, default_dsa_payor=None)
    use(launchpad.url, launch, **APP)


def test_a_budget_too_low_is_refused_with_the_field_and_a_remedy(
    launchpad: SandboxHandle,
) -> None:
    account = launchpad.account_ids[0]
    with pytest.raises(ValidationRefused, match="daily_budget") as failed:
        use(
            launchpad.url,
            lambda meta: meta.create_campaign(account, replace(CAMPAIGN, daily_budget_minor=1)),
            **APP,
        )
    assert "Raise the daily budget" in failed.value.remedy


def test_interests_are_found_and_retired_ones_told(launchpad: SandboxHandle) -> None:
    async def look(meta: MetaAds) -> None:
        found = await meta.search_interests("hiking", limit=5)
        assert 0 < len(found) <= 5
        assert all(each.valid and each.audience_size for each in found)
        again = await meta.validate_interests([found[0].id, "6003999999999"])
        assert again == [found[0], replace(again[1], id="6003999999999", name="", valid=False)]

    use(launchpad.url, look, **APP)


def test_a_review_follows_an_ad_to_its_end(launchpad: SandboxHandle) -> None:
    account = launchpad.account_ids[0]

    async def launch(meta: MetaAds) -> tuple[str, list[str]]:
        assets = await assets_of(meta, account)
        campaign, ad_set, creative = specs_of(
            CampaignObjective.TRAFFIC, assets, "zy-review-", False
        )
        own = (await meta.create_campaign(account, campaign)).id
        set_id = (await meta.create_ad_set(account, replace(ad_set, campaign_id=own))).id
        shown = (await meta.create_ad_creative(account, creative)).id
        ads = [
            (await meta.create_ad(account, AdSpec(f"ad {n}", set_id, shown))).id for n in range(2)
        ]
        for each in (*ads, set_id, own):
            await meta.set_status(each, "ACTIVE")
        return own, ads

    campaign_id, ads = use(launchpad.url, launch, **APP)
    before = use(launchpad.url, lambda meta: meta.review(account, campaign_id), **APP)
    assert (before.configured_status, before.effective_status) == ("ACTIVE", "ACTIVE")
    assert {ad.ad_id for ad in before.ads} == set(ads)
    assert {ad.effective_status for ad in before.ads} <= {"IN_PROCESS", "PENDING_REVIEW"}
    launchpad.review(ad_id=ads[0], verdict="disapproved", feedback={"Text": "It shouts."})
    launchpad.raise_issues(
        ads[1],
        [{"level": "AD", "error_code": 1, "error_summary": "Link", "error_message": "It is dead."}],
    )
    launchpad.advance(hours=2)
    after = use(launchpad.url, lambda meta: meta.review(account, campaign_id), **APP)
    assert after.observed_at == launchpad.now()
    by_id = {ad.ad_id: ad for ad in after.ads}
    assert by_id[ads[0]].effective_status == "DISAPPROVED"
    assert by_id[ads[0]].feedback == {"Text": "It shouts."}
    assert by_id[ads[1]].issues == ("Link: It is dead (code 1).",)


def test_a_token_is_renewed_for_sixty_days(
    launchpad: SandboxHandle, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        found = use(launchpad.url, lambda meta: meta.renewed_token(), **APP)
    assert found.token == TOKEN
    assert found.expires_at == launchpad.now() + timedelta(days=60)
    with pytest.raises(AuthenticationFailed) as failed:
        use(launchpad.url, lambda meta: meta.renewed_token(), token="EAAGdeadSECRET12345", **APP)
    for secret in (TOKEN, APP["app_secret"], "EAAGdeadSECRET12345"):
        assert secret not in caplog.text + str(failed.value)


def test_specs_of_objects_that_are_not_there_are_refused(
    launchpad: SandboxHandle,
) -> None:
    account = launchpad.account_ids[0]
    with pytest.raises(ValidationRefused) as failed:
        use(launchpad.url, lambda meta: meta.create_ad(account, AD, validate_only=True), **APP)
    assert failed.value.origin.code == 100
