"""What a writer of ad texts is: what it is told, what it gives back, how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.creative import Angle, Rejection
from zyenta_ads_pipeline.domain.errors import Transient, ValidationRefused
from zyenta_ads_pipeline.domain.shop import Product, ShopStore


@dataclass(frozen=True)
class Concept:
    """One idea for an ad as a writer gave it, not yet checked.

    `angle` and `cta` are the writer's words; `product_id` is the product it is about, empty for
    the shop as a whole. `visual` says in words what should be shown.
    """

    angle: str
    headline: str
    primary_text: str
    visual: str
    cta: str
    emotion: str
    product_id: str = ""


@dataclass(frozen=True)
class Brief:
    """What an ad is to be written for.

    `calls_to_action` are the buttons that may be used, the usual one first. `taken` are texts
    that exist already: new ones have to differ. The same `seed` gives the same choice where a
    writer chooses.
    """

    store: ShopStore
    products: Sequence[Product]
    objective: CampaignObjective
    platform: str
    calls_to_action: Sequence[str]
    taken: Sequence[Concept] = ()
    seed: str = ""


@dataclass(frozen=True)
class Usage:
    """What writing took. `cost_usd_micros` is None once the price of any part is not known."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int | None = 0

    def __add__(self, other: Usage) -> Usage:
        known = self.cost_usd_micros is not None and other.cost_usd_micros is not None
        return Usage(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            (self.cost_usd_micros or 0) + (other.cost_usd_micros or 0) if known else None,
        )

    def shared(self, number: int) -> list[Usage]:
        """In `number` whole parts whose sum is the whole; the first ones carry what is over."""
        cost = self.cost_usd_micros
        return [
            Usage(
                _part(self.tokens_in, number, place),
                _part(self.tokens_out, number, place),
                None if cost is None else _part(cost, number, place),
            )
            for place in range(number)
        ]


def _part(whole: int, number: int, place: int) -> int:
    return whole // number + (place < whole % number)


@dataclass(frozen=True)
class Written:
    """What a writer gave back. `notes` say in words what was odd on the way."""

    concepts: Sequence[Concept]
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int | None = 0
    notes: Sequence[str] = ()

    @property
    def usage(self) -> Usage:
        return Usage(self.tokens_in, self.tokens_out, self.cost_usd_micros)


class Writer(Protocol):
    """Writes concepts. It may give fewer than wanted, or bad ones: they are checked afterwards."""

    @property
    def name(self) -> str:
        """`openai` or `template`: kept with each creative."""

    @property
    def model(self) -> str:
        """The model it asks, empty where there is none."""

    @property
    def prompt_version(self) -> str:
        """The version of its instructions or patterns."""

    async def write(
        self, brief: Brief, *, wanted: Sequence[Angle], rejected: Sequence[Rejection]
    ) -> Written:
        """Concepts for the `wanted` angles, in any order, minding why others were `rejected`.

        Raises a `PlatformError` where nothing could be written.
        """


class AnswerUnusable(Transient):
    """The model answered, and nothing can be read from it. What it cost is in `usage`."""

    def __init__(
        self, what: str, remedy: str = "", *, usage: Usage, notes: Sequence[str] = ()
    ) -> None:
        self.usage = usage
        self.notes = tuple(notes)
        super().__init__(what, remedy)


class WriterRefused(ValidationRefused):
    """The model declined to write. What it cost is in `usage`."""

    def __init__(self, what: str, remedy: str = "", *, usage: Usage) -> None:
        self.usage = usage
        super().__init__(what, remedy)


_ANGLE_WORDS = {
    "benefit": Angle.BENEFIT,
    "social": Angle.SOCIAL_PROOF,
    "urgency": Angle.URGENCY,
    "problem": Angle.PROBLEM_SOLUTION,
}


def angle_named(text: str) -> Angle | None:
    """The angle that a writer's words name: `Problem-solution`, `benefit-focused`; else None."""
    found = {angle for word, angle in _ANGLE_WORDS.items() if word in text.casefold()}
    return found.pop() if len(found) == 1 else None


def storable(text: str) -> str:
    """`text` with what neither UTF-8 nor a database can hold as the replacement character."""
    return (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    )


def as_taken(concept: Concept, *, angle: Angle, cta: str) -> Concept:
    """A concept that was accepted, in our own words for angle and button."""
    return replace(
        concept,
        angle=angle.value,
        cta=cta,
        headline=concept.headline.strip(),
        primary_text=concept.primary_text.strip(),
    )
