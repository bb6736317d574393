"""From products to ad drafts: asks a writer, checks its texts, asks again, fills what is missing.

Whatever the writer does, a buyer gets the number of drafts that was asked for, each of them
checked, and reads what was refused and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zyenta_ads_pipeline.creatives import calls_to_action, media_choice
from zyenta_ads_pipeline.creatives.checks import MODEL_RULES, RULES, check
from zyenta_ads_pipeline.creatives.claims import says_deadline, says_praise
from zyenta_ads_pipeline.creatives.facts import Facts, facts_of
from zyenta_ads_pipeline.creatives.seed_shapes import media_from, products_from, store_from
from zyenta_ads_pipeline.creatives.template_writer import TemplateWriter
from zyenta_ads_pipeline.creatives.writers import (
    AnswerUnusable,
    Brief,
    Concept,
    Usage,
    Writer,
    WriterRefused,
    angle_named,
    as_taken,
    storable,
)
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.creative import Angle, CreativeDraft, CreativeOrigin, Rejection
from zyenta_ads_pipeline.domain.errors import InputError, PlatformError
from zyenta_ads_pipeline.domain.shop import MediaAsset, Product, ShopStore

FEATURED_PRODUCTS = 5
MOST_VARIATIONS = 10
ROUNDS = 3
"""How often a writer is asked before templates fill what is missing."""


@dataclass(frozen=True)
class Generated:
    """The drafts, in the order of their variations; what was refused; what was odd, in words.

    `usage` is what all the asking took, also for what was refused; the drafts that the model wrote
    share it in their origins.
    """

    drafts: list[CreativeDraft]
    rejections: list[Rejection]
    notes: list[str]
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class _Taken:
    """An accepted concept and who wrote it."""

    angle: Angle
    concept: Concept
    writer: Writer


@dataclass
class _Desk:
    """One generation under way: what is still wanted, what is taken, what was refused."""

    brief: Brief
    wanted: list[Angle]
    taken: list[_Taken] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    @property
    def missing(self) -> list[Angle]:
        left = Counter(self.wanted) - Counter(each.angle for each in self.taken)
        return [angle for angle in dict.fromkeys(self.wanted) for _ in range(left[angle])]

    def brief_now(self) -> Brief:
        return replace(self.brief, taken=[each.concept for each in self.taken])

    def judge(self, concept: Concept, writer: Writer, attempt: int) -> None:
        """Take the concept, or keep it with the reason why not."""
        angle = angle_named(concept.angle)
        if angle is None or angle not in self.missing:
            asked = ", ".join(self.missing) or "none"
            reason = f"Its angle {concept.angle!r} is not one that is still wanted ({asked})."
            self._refuse(concept, "angle", reason, attempt)
            return
        rules = RULES if writer.name == TemplateWriter.name else MODEL_RULES
        others = [each.concept for each in self.taken]
        facts = facts_of(self.brief, concept.product_id)
        problem = check(concept, facts, taken=others, rules=rules)
        if problem:
            self._refuse(concept, problem.rule, problem.reason, attempt)
            return
        button = calls_to_action.named(concept.cta) or ""
        self.taken.append(_Taken(angle, as_taken(concept, angle=angle, cta=button), writer))

    def _refuse(self, concept: Concept, rule: str, reason: str, attempt: int) -> None:
        self.rejections.append(
            Rejection(
                angle=storable(concept.angle),
                headline=storable(concept.headline),
                description=storable(concept.primary_text),
                call_to_action=storable(concept.cta),
                rule=rule,
                reason=reason,
                attempt=attempt,
            )
        )


async def generate(
    store: ShopStore,
    products: Sequence[Product],
    media: Sequence[MediaAsset],
    *,
    platform: str,
    objective: CampaignObjective,
    variations: int = 3,
    writer: Writer,
    seed: str = "",
) -> Generated:
    """`variations` checked drafts for the first five of `products` that have something to show.

    The writer is asked in up to three rounds, after the first for the refused ones alone, with
    the reasons. What is missing then comes from templates, and the notes say so. A writer that
    fails costs no draft: its error is in the notes.

    Raises `InputError` for no products, no media (but for catalogue sales), no address to link
    to or a number of variations outside 1 to 10; `NotSupported` for an unknown platform.
    """
    if not 1 <= variations <= MOST_VARIATIONS:
        raise InputError(
            f"{variations} variations cannot be made.", f"Ask for 1 to {MOST_VARIATIONS}."
        )
    buttons = calls_to_action.fitting(platform, objective)
    notes: list[str] = []
    featured = _featured(products, media, objective, notes)
    brief = Brief(store, featured, objective, platform, buttons, seed=seed)
    desk = _Desk(brief, angles(variations, facts_of(brief)), notes=notes)
    _note_orders(brief, notes)
    for product in featured:
        _link(product, store)
    for attempt in range(1, ROUNDS + 1):
        if not desk.missing or not await _asked(desk, writer, attempt):
            break
    if desk.missing:
        await _filled(desk, writer)
    return Generated(_drafts(desk, media), desk.rejections, desk.notes, desk.usage)


def angles(variations: int, facts: Facts) -> list[Angle]:
    """The angles of that many variations.

    Benefit, then social proof (urgency where the data hold a deadline and no praise), then
    problem and solution; the fourth is the other of the two, and so on in turn.
    """
    second, fourth = Angle.SOCIAL_PROOF, Angle.URGENCY
    if says_deadline(facts) and not says_praise(facts):
        second, fourth = fourth, second
    turn = (Angle.BENEFIT, second, Angle.PROBLEM_SOLUTION, fourth)
    return [turn[place % len(turn)] for place in range(variations)]


def _featured(
    products: Sequence[Product],
    media: Sequence[MediaAsset],
    objective: CampaignObjective,
    notes: list[str],
) -> list[Product]:
    if not products:
        raise InputError(
            "There is no product to advertise.", "Import the store's products, or name others."
        )
    media_choice.require_media(media, objective)
    first = list(products[:FEATURED_PRODUCTS])
    if len(products) > FEATURED_PRODUCTS:
        notes.append(f"Of {len(products)} products the first {FEATURED_PRODUCTS} are advertised.")
    if objective is CampaignObjective.CATALOG_SALES:
        return first
    shown = [each for each in first if media_choice.shows(each.id, media)]
    bare = [each.title for each in first if each not in shown]
    if not shown:
        raise InputError(
            f"None of the products has a picture or video: {', '.join(bare)}.",
            "Add at least one image of one of them, or of the store.",
        )
    if bare:
        notes.append(f"Left out, since there is no picture of them: {', '.join(bare)}.")
    return shown


def _note_orders(brief: Brief, notes: list[str]) -> None:
    ordering = [
        each.title for each in brief.products if facts_of(replace(brief, products=[each])).suspect
    ]
    if ordering:
        notes.append(
            f"The texts of {', '.join(ordering)} read like orders to a writer; nothing from there "
            "on is used. Look at the product's text."
        )


async def _asked(desk: _Desk, writer: Writer, attempt: int) -> bool:
    """One round with the writer. False where asking again cannot help."""
    wanted = desk.missing
    try:
        written = await writer.write(
            desk.brief_now(), wanted=wanted, rejected=tuple(desk.rejections)
        )
    except AnswerUnusable as error:
        desk.usage += error.usage
        desk.notes.extend(error.notes)
        desk.notes.append(f"Round {attempt} of {ROUNDS}: {error}")
        return True
    except PlatformError as error:
        if isinstance(error, WriterRefused):
            desk.usage += error.usage
        desk.notes.append(f"Round {attempt} of {ROUNDS}: {error}")
        return False
    desk.usage += written.usage
    desk.notes.extend(written.notes)
    for concept in written.concepts:
        desk.judge(concept, writer, attempt)
    # A template writer gives what it has at once.
    return writer.name != TemplateWriter.name


async def _filled(desk: _Desk, writer: Writer) -> None:
    """What the writer left open, from templates."""
    missing = desk.missing
    templates = TemplateWriter()
    if writer.name != templates.name:
        written = await templates.write(desk.brief_now(), wanted=missing)
        for concept in written.concepts:
            desk.judge(concept, templates, ROUNDS + 1)
        desk.notes.append(
            f"{len(missing)} of {len(desk.wanted)} texts are from templates, since {writer.name} "
            f"{writer.model} gave no usable ones: {', '.join(missing)}."
        )
    if desk.missing:
        raise InputError(
            f"Only {len(desk.taken)} of {len(desk.wanted)} different texts could be made.",
            "Ask for fewer variations, or give the products longer descriptions.",
        )


def _drafts(desk: _Desk, media: Sequence[MediaAsset]) -> list[CreativeDraft]:
    """The accepted concepts in the order of the variations, with what they show."""
    waiting = list(desk.taken)
    ordered = []
    for angle in desk.wanted:
        ordered.append(next(each for each in waiting if each.angle is angle))
        waiting.remove(ordered[-1])
    modelled = sum(each.writer.name != TemplateWriter.name for each in ordered)
    shares = iter(desk.usage.shared(modelled))
    used: Counter[str] = Counter()
    drafts = []
    for number, taken in enumerate(ordered, 1):
        share = Usage() if taken.writer.name == TemplateWriter.name else next(shares)
        drafts.append(_draft(number, taken, share, desk.brief, media, used))
    return drafts


def _draft(
    number: int,
    taken: _Taken,
    share: Usage,
    brief: Brief,
    media: Sequence[MediaAsset],
    used: Counter[str],
) -> CreativeDraft:
    concept = taken.concept
    about = [each for each in brief.products if each.id == concept.product_id]
    shown = about or brief.products
    chosen = media_choice.choose(
        media,
        objective=brief.objective,
        product_ids=[each.id for each in shown],
        visual=concept.visual,
        used=used,
    )
    used.update(chosen.media_ids[:1])
    return CreativeDraft(
        name=f"{taken.angle.replace('_', ' ').capitalize()} - Variation {number}",
        type=chosen.type,
        angle=taken.angle,
        headline=concept.headline,
        description=concept.primary_text,
        call_to_action=concept.cta,
        media_ids=chosen.media_ids,
        link_url=_link(about[0] if about else None, brief.store),
        origin=CreativeOrigin(
            writer=taken.writer.name,
            model=taken.writer.model,
            prompt_version=taken.writer.prompt_version,
            product_ids=[each.id for each in shown],
            tokens_in=share.tokens_in,
            tokens_out=share.tokens_out,
            cost_usd_micros=share.cost_usd_micros,
        ),
    )


def _link(product: Product | None, store: ShopStore) -> str:
    """The product's own page, else the shop."""
    if product and product.url.startswith(("https://", "http://")):
        return product.url
    if not store.domain:
        raise InputError(
            f"The store {store.name!r} has no domain, and the product no address to link to.",
            "Set the store's domain.",
        )
    return f"https://{store.domain}"


class CreativeGenerator:
    """The same in the shapes of dictionaries; without a `writer` it writes from templates."""

    def __init__(self, writer: Writer | None = None) -> None:
        self._writer = writer or TemplateWriter()

    async def generate(
        self,
        store: Any,
        products: Sequence[Mapping[str, Any]],
        media_assets: Sequence[Mapping[str, Any]],
        platform: str,
        objective: CampaignObjective | str,
        variations: int = 3,
    ) -> list[CreativeDraft]:
        """The drafts alone. Raises what `generate` raises, and `InputError` for odd shapes."""
        shop = store_from(store)
        made = await generate(
            shop,
            products_from(products, shop),
            media_from(media_assets, shop),
            platform=platform.lower(),
            objective=_objective(objective),
            variations=variations,
            writer=self._writer,
        )
        return made.drafts


def _objective(given: CampaignObjective | str) -> CampaignObjective:
    try:
        return CampaignObjective(str(given).lower())
    except ValueError:
        raise InputError(
            f"{given!r} is no objective.", f"Use one of: {', '.join(CampaignObjective)}."
        ) from None
