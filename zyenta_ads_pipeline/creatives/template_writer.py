"""Ad texts without a model: honest patterns filled with a product's own words.

They say what the catalogue says and nothing besides, choose by a seed, and never cut a word: what
does not fit gives way to a shorter pattern, down to lines that need no product data at all.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from zyenta_ads_pipeline.creatives.checks import INVISIBLE, check, duplicate
from zyenta_ads_pipeline.creatives.facts import Facts, apart, facts_of
from zyenta_ads_pipeline.creatives.writers import Brief, Concept, Written
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.creative import Angle, Rejection
from zyenta_ads_pipeline.domain.shop import Product

_HEADLINES: Mapping[Angle, Sequence[str]] = {
    Angle.BENEFIT: (
        "Meet {the_title}", "{title}", "{title} by {brand}", "Discover {the_title}",
        "Discover {brand}", "{category} by {brand}",
    ),
    Angle.SOCIAL_PROOF: (
        "Our pick: {title}", "Why we stock {the_title}", "We like {the_title}",
        "Our pick from {brand}", "Picked for our {category} range",
    ),
    Angle.URGENCY: (
        "In our shop now: {title}", "{title}: here now", "Be ready with {the_title}",
        "{brand}: in our shop now", "Our {category} range is ready",
    ),
    Angle.PROBLEM_SOLUTION: (
        "Still looking? {title}", "Hard to choose? {title}", "Not sure yet? See {the_title}",
        "Still looking? {brand}", "Not sure yet? Try {brand}", "Comparing {category}? Start here",
    ),
}  # fmt: skip
_TEXTS: Mapping[Angle, Sequence[str]] = {
    Angle.BENEFIT: (
        "{sentence}", "{sentence} See it at {store}.", "{title}: {sentence}",
        "Get to know {the_title} by {brand}: all its details are at {store}.",
        "Get to know {the_title}: all its details are in our shop.",
        "{brand} at {store}: see what it is made for and what it looks like.",
    ),
    Angle.SOCIAL_PROOF: (
        "Picked by us for our {category} range. {sentence}",
        "We chose it for {store}. {sentence}",
        "We picked {the_title} for our {category} range. See what you think of it.",
        "We are glad to have {the_title} in our shop. See what you think of it.",
        "We picked {brand} for {store}. Have a look, and tell us what you think.",
    ),
    Angle.URGENCY: (
        "In our shop now for {price}. {sentence}", "Planning ahead? {sentence}",
        "Need it soon? {the_title_first} is in our shop now, for {price}.",
        "Need it soon? {the_title_first} is in our shop now.",
        "Planning ahead? {brand} is in our shop now, so that you are ready in good time.",
    ),
    Angle.PROBLEM_SOLUTION: (
        "Looking through our {category} range? {sentence}",
        "Not sure which one to take? {sentence}",
        "Hard to choose from our {category} range? Start with {the_title}.",
        "Too many to choose from? Start with {the_title} and compare from there.",
        "Too many to choose from? Start with {brand} at {store} and compare from there.",
    ),
}  # fmt: skip

_PLAIN_HEADLINES: Mapping[Angle, Sequence[str]] = {
    Angle.BENEFIT: ("Have a closer look", "Something good for your day", "Find what suits you"),
    Angle.SOCIAL_PROOF: ("Picked with care", "We are glad to show you this", "Chosen by our team"),
    Angle.URGENCY: ("Here when you need it", "Get ready in good time", "Plan ahead with us"),
    Angle.PROBLEM_SOLUTION: ("Still looking?", "Hard to choose?", "Not sure where to begin?"),
}
_PLAIN_TEXTS: Mapping[Angle, Sequence[str]] = {
    Angle.BENEFIT: (
        "Look at the pictures and details in our shop, and see how it fits into your day.",
        "All you may want to know about it stands on one page in our shop.",
        "See what it is made for, and whether that is what you had in mind.",
    ),
    Angle.SOCIAL_PROOF: (
        "We put our range together ourselves. Have a look, and tell us what you think of it.",
        "Our team picked this for the shop and would be happy to hear your opinion.",
        "This is one of the things that we like to show to visitors.",
    ),
    Angle.URGENCY: (
        "If you will need it before long, now is a good moment to read about it.",
        "Planning something? Be ready early, and choose without any rush.",
        "It is in our shop and waits for you whenever you would like to see more.",
    ),
    Angle.PROBLEM_SOLUTION: (
        "So many things to compare? Begin with this one and take it from there.",
        "When a choice is hard, a good description helps. You find ours in the shop.",
        "Tell us what you look for: our pages answer the usual questions in plain words.",
    ),
}
_VISUAL = {
    Angle.BENEFIT: "the product in use",
    Angle.SOCIAL_PROOF: "the product close up",
    Angle.URGENCY: "the product ready to go",
    Angle.PROBLEM_SOLUTION: "the product on its own",
}
_EMOTION = {
    Angle.BENEFIT: "curiosity",
    Angle.SOCIAL_PROOF: "trust",
    Angle.URGENCY: "readiness",
    Angle.PROBLEM_SOLUTION: "relief",
}
_ARTICLE = re.compile(r"(?:the|a|an|our|my|your)\s", re.IGNORECASE)


class TemplateWriter:
    """Writes from patterns: for nothing, offline, the same for the same seed.

    It gives one valid concept for each wanted angle, distinct from the others and from what the
    brief says is taken, for any product data.
    """

    name = "template"
    model = ""
    prompt_version = "templates-1"

    async def write(
        self, brief: Brief, *, wanted: Sequence[Angle], rejected: Sequence[Rejection] = ()
    ) -> Written:
        """See `Writer`. Rejections teach it nothing: it checks before it gives."""
        taken = list(brief.taken)
        made = []
        for place, angle in enumerate(wanted):
            products = _from(brief.products, place)
            concept = next(_concepts(angle, products, brief, taken), None)
            if concept:
                made.append(concept)
                taken.append(concept)
        return Written(made)


def _from(products: Sequence[Product], place: int) -> list[Product]:
    """The products in turn, so that variations show more than the first one."""
    start = place % max(len(products), 1)
    return [*products[start:], *products[:start]]


def _concepts(
    angle: Angle, products: Sequence[Product], brief: Brief, taken: Sequence[Concept]
) -> Iterator[Concept]:
    """Valid concepts for an angle, the most telling first."""
    others = [each for each in Angle if each is not angle]
    for product in products:
        slots = _slots(product, brief, taken)
        blank = _blank(angle, brief, product)
        headlines = _by_telling(_HEADLINES[angle], ("title", "brand"), slots, brief.seed)
        texts = _by_telling(_TEXTS[angle], ("sentence",), slots, brief.seed)
        plain_headlines = _ordered(_PLAIN_HEADLINES[angle], brief.seed)
        plain_texts = _ordered(_PLAIN_TEXTS[angle], brief.seed)
        facts = facts_of(brief, product.id)
        yield from _pairs(
            blank, [*headlines, *plain_headlines], [*texts, *plain_texts], facts, taken
        )
    blank = _blank(angle, brief, products[0] if products else None)
    yield from _pairs(
        blank,
        [line for each in others for line in _PLAIN_HEADLINES[each]],
        [line for each in others for line in _PLAIN_TEXTS[each]],
        facts_of(brief),
        taken,
    )


def _pairs(
    blank: Concept,
    headlines: Sequence[str],
    texts: Sequence[str],
    facts: Facts,
    taken: Sequence[Concept],
) -> Iterator[Concept]:
    """The first valid headline with each valid text; both unlike what is taken.

    A headline and a text are valid each on its own, so they need not be tried together.
    """
    sure_headline, sure_text = "Have a closer look", "All its details are in our shop."
    for text in texts:
        with_text = replace(blank, headline=sure_headline, primary_text=text)
        if check(with_text, facts) or duplicate(replace(with_text, headline="\0"), taken):
            continue
        for headline in headlines:
            concept = replace(blank, headline=headline, primary_text=text)
            if not check(replace(concept, primary_text=sure_text), facts) and not duplicate(
                concept, taken
            ):
                yield concept
                break


def _blank(angle: Angle, brief: Brief, product: Product | None) -> Concept:
    buttons = brief.calls_to_action
    return Concept(
        angle=angle.value,
        headline="",
        primary_text="",
        visual=_VISUAL[angle],
        cta=buttons[0] if buttons else "LEARN_MORE",
        emotion=_EMOTION[angle],
        product_id=product.id if product else "",
    )


def _ordered(lines: Sequence[str], seed: str) -> list[str]:
    """The lines in an order of the seed's own; without a seed as they stand."""
    if not seed:
        return list(lines)
    return sorted(lines, key=lambda line: hashlib.sha256(f"{seed}\0{line}".encode()).digest())


def _by_telling(
    patterns: Sequence[str], telling: Sequence[str], slots: Mapping[str, Sequence[str]], seed: str
) -> list[str]:
    """The patterns filled: those with the first of the `telling` slots, the second, the rest."""

    def tier(pattern: str) -> int:
        found = [place for place, slot in enumerate(telling) if slot in pattern]
        return min(found, default=len(telling))

    tiers = (
        [each for each in patterns if tier(each) == place] for place in range(len(telling) + 1)
    )
    return [line for each in tiers for line in _ordered(_filled(each, slots), seed)]


def _filled(patterns: Sequence[str], slots: Mapping[str, Sequence[str]]) -> list[str]:
    """Each pattern with the values of its slots; those without a value drop out."""
    lines = []
    for pattern in patterns:
        names = re.findall(r"\{(\w+)\}", pattern)
        if not all(slots[name] for name in names):
            continue
        for sentence in slots["sentence"] if "sentence" in names else ("",):
            values = {name: slots[name][0] for name in names if name != "sentence"}
            lines.append(_put(pattern, {**values, "sentence": sentence}))
    return list(dict.fromkeys(lines))


def _put(pattern: str, values: Mapping[str, str]) -> str:
    """Not `format`: a title may hold braces."""
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], pattern)


def _slots(product: Product, brief: Brief, taken: Sequence[Concept]) -> dict[str, list[str]]:
    """What the patterns can be filled with; an empty list where the data say nothing."""
    title, brand, category, store = (
        _clean(each) for each in (product.title, product.brand, product.category, brief.store.name)
    )
    the_title = title if _ARTICLE.match(title) else f"the {title}"
    priced = product.price_minor > 0 and product.currency == brief.store.currency
    values = {
        "title": title,
        "the_title": the_title if title else "",
        "the_title_first": the_title[:1].upper() + the_title[1:] if title else "",
        "brand": "" if brand and brand in title else brand,
        "category": category,
        "store": store,
        "price": money.show(money.to_major(product.price_minor, product.currency), product.currency)
        if priced
        else "",
    }
    slots = {name: [value] if value else [] for name, value in values.items()}
    fresh = [
        each
        for each in _sentences(product.description)
        if not any(each in other.primary_text for other in taken)
    ]
    return {**slots, "sentence": fresh}


def _sentences(description: str) -> list[str]:
    """The first sentences of a description, whole ones that end like sentences."""
    parts = re.split(r"(?<=[.!?])\s+", _clean(description))
    return [part for part in parts if part and part[-1] in ".!?"][:6]


def _clean(text: str) -> str:
    """The believable part of a text as one plain line: no tags, no invisible characters."""
    told, _ = apart(html.unescape(re.sub(r"<[^<>]*>", " ", text)))
    kept = "".join(
        " " if unicodedata.category(each) in INVISIBLE - {"Cf"} else each
        for each in told
        if unicodedata.category(each) != "Cf" or each == "\u200d"
    )
    return " ".join(kept.split())
