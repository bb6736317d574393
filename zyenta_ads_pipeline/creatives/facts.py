"""What a shop's own data say: the ground on which every word of an ad is checked.

Product texts come from outside. What reads like an instruction to a writer is set apart: nothing
after it counts as a fact, and an ad that repeats it is known by its words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from zyenta_ads_pipeline.creatives.writers import Brief
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.shop import Product

_SAME = dict.fromkeys(range(0x2010, 0x2016), "-") | {
    0x2212: "-", 0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x201E: '"',
}  # fmt: skip
"""Hyphens, dashes and curly quotes, each as the plain sign."""
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_INSTRUCTION = re.compile(
    r"""\b(?:ignor|disregard|forget|overrid|bypass)\w*\b[^.!?\n]{0,60}
          \b(?:instruct|instruc|istruzion|anweisung|prompt|rules?\b|guideline|above|previous|prior)
      | \b(?:system|developer)\s+(?:prompt|message)\b
      | \b(?:you\s+are\s+now|as\s+an\s+ai|new\s+instructions?|do\s+not\s+follow)\b
      | \byour\s+(?:new\s+|only\s+|real\s+)?task\s+is\b
      | \b(?:write|say|output|reply|respond|answer|repeat)\s+
          (?:only|exactly|the\s+following|the\s+words?)\b
      | \b(?:reply|respond)\s+with\b
      | </?\s*(?:system|assistant|user|instructions?|product_data|shop_data)\b
      | \[/?inst\] | <\|""",
    re.IGNORECASE | re.VERBOSE,
)
_COMMON_WORDS = (
    "about above after again also answer been before best better black blue buyer color could "
    "design each even every exactly find following from give good great have here ignore "
    "instruction instructions into just know learn like look made make more most much must need "
    "never only other output over perfect please previous print product products prompt ready "
    "repeat reply respond rules shop some style such system take text than that their them then "
    "there these they this those want well what when where which while will with words would "
    "write your yours"
)
_COMMON = frozenset(_COMMON_WORDS.split())


def shown(text: str) -> str:
    """`text` with one form of each sign and single spaces, its capitals kept."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_SAME).split())


def normal(text: str) -> str:
    """`text` for comparing: as `shown`, in lower case."""
    return shown(text).casefold()


def loose(text: str) -> str:
    """`normal` with everything but letters and digits as spaces: for finding phrases."""
    return " ".join(re.findall(r"[^\W_]+", normal(text)))


def words(text: str) -> frozenset[str]:
    """The words of `text`, as `normal` writes them."""
    return frozenset(WORD.findall(normal(text)))


def apart(text: str) -> tuple[str, str]:
    """`text` in two: what may be believed, and what follows an instruction to a writer."""
    clean = unicodedata.normalize("NFKC", text)
    found = _INSTRUCTION.search(clean)
    if not found:
        return text, ""
    start = max((clean.rfind(sign, 0, found.start()) for sign in ".!?\n"), default=-1) + 1
    return clean[:start].strip(), clean[start:].strip()


@dataclass(frozen=True)
class Facts:
    """What may be said of some products, and with which buttons.

    `told` are the believable texts as they stand, `suspect` those that follow an instruction.
    `names` are what the shop and its brands are called, `titles` the products.
    """

    told: Sequence[str]
    suspect: Sequence[str]
    names: Sequence[str]
    titles: Sequence[str]
    prices: frozenset[Decimal]
    currency: str
    objective: CampaignObjective
    calls_to_action: Sequence[str]
    product_ids: frozenset[str] = frozenset()

    def says(self, phrase: str) -> bool:
        """Whether the data hold `phrase`, whatever its case and hyphens; `%` and `#` count."""
        if re.search(r"[^\w\s'.,!?-]", normal(phrase)):
            return normal(phrase) in self._as_told
        return bool(loose(phrase)) and f" {loose(phrase)} " in self._searchable

    # A mark between texts, so that no phrase is found across two of them.
    @cached_property
    def _as_told(self) -> str:
        return " | ".join(normal(each) for each in self.told)

    @cached_property
    def _searchable(self) -> str:
        return " " + " | ".join(loose(each) for each in self.told) + " "

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset[str]().union(*(words(each) for each in self.told))

    @cached_property
    def spelled(self) -> frozenset[str]:
        """The words exactly as the data spell them."""
        return frozenset(part for each in self.told for part in re.findall(r"[^\W_]+", each))

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(part for each in self.told for part in NUMBER.findall(normal(each)))

    @cached_property
    def suspect_words(self) -> frozenset[str]:
        """Words of weight that stand only where a product's text gives instructions."""
        found = frozenset[str]().union(*(words(each) for each in self.suspect))
        return frozenset(each for each in found - self.words - _COMMON if len(each) >= 4)

    @cached_property
    def suspect_runs(self) -> frozenset[str]:
        """Every three words in a row of such texts that the believable ones do not hold."""
        runs = set()
        for each in self.suspect:
            parts = loose(each).split()
            runs |= {" ".join(parts[at : at + 3]) for at in range(len(parts) - 2)}
        return frozenset(run for run in runs if not self.says(run))


def facts_of(brief: Brief, product_id: str = "") -> Facts:
    """The facts of a brief's shop and products; with `product_id` those of that product alone.

    One product's price or warranty is no fact about another. Orders in any of the texts stay
    suspect for all, since the writer has read them all.
    """
    store = brief.store
    about = [each for each in brief.products if each.id == product_id] or brief.products
    told = [apart(each)[0] for each in (store.name, store.niche, *_texts(about))]
    read = (store.name, store.niche, *_texts(brief.products))
    brands = dict.fromkeys(each.brand for each in about if each.brand)
    return Facts(
        told=[each for each in told if each.strip()],
        suspect=[suspect for each in read if (suspect := apart(each)[1])],
        names=[store.name, *brands],
        titles=[each.title for each in about],
        prices=frozenset(
            money.to_major(each.price_minor, each.currency)
            for each in about
            if each.currency == store.currency and each.price_minor > 0
        ),
        currency=store.currency,
        objective=brief.objective,
        calls_to_action=brief.calls_to_action,
        product_ids=frozenset(each.id for each in brief.products),
    )


def _texts(products: Iterable[Product]) -> list[str]:
    return [
        text
        for each in products
        for text in (each.title, each.brand, each.category, each.description)
    ]
