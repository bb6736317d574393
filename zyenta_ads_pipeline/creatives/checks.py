"""The checks that every text passes before it becomes an ad: a table of small rules.

`RULES` hold for every text, `MODEL_RULES` for what a model wrote, in this order. A rule gives the
reason in words or None. Words are never cut to make a text fit: it is asked for again.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zyenta_ads_pipeline.creatives import claims, policy
from zyenta_ads_pipeline.creatives.calls_to_action import named
from zyenta_ads_pipeline.creatives.facts import Facts, loose, normal, shown, words
from zyenta_ads_pipeline.creatives.writers import Concept
from zyenta_ads_pipeline.domain.creative import HEADLINE_CHARACTERS, TEXT_CHARACTERS

HEADLINE_LIKENESS = 0.9
TEXT_LIKENESS = 0.8
"""From here on two texts count as the same idea. 1 is equal; unrelated English is about 0.35."""


@dataclass(frozen=True)
class Rule:
    """One check. `about` says for people what it looks for."""

    name: str
    about: str
    broken: Callable[[Concept, Facts], str | None]


@dataclass(frozen=True)
class Problem:
    """Why a text is not taken: the first broken rule's name, and the reasons of all of them."""

    rule: str
    reason: str


def _said(rule: Callable[[str, Facts], str | None]) -> Callable[[Concept, Facts], str | None]:
    """A rule on a text, asked of the headline and of the primary text."""

    def broken(concept: Concept, facts: Facts) -> str | None:
        return rule(concept.headline, facts) or rule(concept.primary_text, facts)

    return broken


def empty(concept: Concept, _: Facts) -> str | None:
    for what, text in (("headline", concept.headline), ("primary text", concept.primary_text)):
        if not loose(text):
            return f"Its {what} says nothing."
    return None


def headline_length(concept: Concept, _: Facts) -> str | None:
    length = len(concept.headline.strip())
    if length > HEADLINE_CHARACTERS:
        return f"Its headline has {length} characters: {HEADLINE_CHARACTERS} at most."
    return None


def text_length(concept: Concept, _: Facts) -> str | None:
    length = len(concept.primary_text.strip())
    if length > TEXT_CHARACTERS:
        return f"Its primary text has {length} characters: {TEXT_CHARACTERS} at most."
    return None


def call_to_action(concept: Concept, facts: Facts) -> str | None:
    """A button of Meta's that fits the objective; GET_OFFER only where there is an offer."""
    button = named(concept.cta)
    allowed = ", ".join(facts.calls_to_action)
    if button is None:
        return f"Its call to action {concept.cta!r} is none of Meta's. Use one of: {allowed}."
    if button not in facts.calls_to_action:
        return f"Its call to action {button} does not fit {facts.objective}. Use one of: {allowed}."
    if button == "GET_OFFER" and not claims.says_offer(facts):
        return "Its call to action GET_OFFER promises an offer, and the product data hold none."
    return None


def product(concept: Concept, facts: Facts) -> str | None:
    if concept.product_id and concept.product_id not in facts.product_ids:
        return f"It is about product {concept.product_id!r}, which was not asked for."
    return None


INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
"""Unicode's categories of what cannot be seen, or has no meaning that is agreed on."""
_MARKUP = re.compile(
    r"\{\{?[^{}]*\}?\}|\[[^\]]*\]|<[^<>]*>|<|>|\*\*|__|```|^#+\s|\\n|\\u"
    # Spaced-out letters would slip through every list of words.
    r"|\b(?:[^\W\d_] ){3,}[^\W\d_]\b",
    re.M,
)


def plain_text(text: str, _: Facts) -> str | None:
    """One line of plain text: no mark-up, no placeholders, no invisible characters."""
    for letter in text:
        # The joiner that emoji are built with is the one invisible character in use.
        if letter != "\u200d" and unicodedata.category(letter) in INVISIBLE:
            return f"It holds the invisible or broken character U+{ord(letter):04X}."
    if found := _MARKUP.search(text):
        return f"It holds {found[0]!r} like mark-up or a placeholder: plain words only."
    return None


_ENDINGS = "com|net|org|info|biz|shop|store|online|site|website|app|example|test|xyz|click|link|top"
_LINK = re.compile(
    rf"https?:|www\.|\b[\w.+-]+@[\w-]+|(?<!\w)@\w+"
    rf"|\b[\w-]+\s?[.\u3002]\s?(?i:com|net|org)\b|\b[\w-]+\.(?i:{_ENDINGS})\b"
    rf"|\bdot\b\s*[)\]]?\s*(?i:com|net|org|info|biz|example)\b"
    rf"|\b[\w-]{{2,}}\.[a-z]{{2}}(?:/|\b)(?!\.)"
    rf"|(?:\+|\b00)\d[\d ()/-]{{6,}}\d|\b\d{{3}}[ -]\d{{3,4}}[ -]\d{{3,4}}\b"
)


def link(text: str, facts: Facts) -> str | None:
    """Addresses, handles, phone numbers: the ad's link is set apart from its words."""
    rest = shown(text)
    for name in sorted(facts.names, key=len, reverse=True):
        if len(name) >= 3:
            rest = rest.replace(shown(name), " ")
    if found := _LINK.search(rest):
        return f"It holds the address or number {found[0]!r}: the link is set by the shop alone."
    return None


_TALK = re.compile(
    r"\b(?:as\s+an?\s+(?:ai|language\s+model)|language\s+model|i\s+(?:cannot|can't|am\s+unable)|"
    r"i'm\s+(?:sorry|unable)|here\s+(?:is|are)\s+(?:your|the|three|some|\d+)\s+(?:ad|ads|concepts?|"
    r"headlines?|variations?)|system\s+prompt|previous\s+instructions?|ignore\s+(?:all|any|previous|"
    r"the\s+above)|lorem\s+ipsum|insert\s+\w+\s+here|placeholder|concept\s+\d|variation\s+\d|"
    r"headline\s*:|primary\s+text\s*:)"
)


def not_an_ad(text: str, _: Facts) -> str | None:
    """A writer's talk about its work in place of an ad."""
    if found := _TALK.search(normal(text)):
        return f"It says {found[0]!r}: that is talk about the task, not an ad."
    return None


def obeys_product_text(text: str, facts: Facts) -> str | None:
    """What a product's text told the writer to say; such texts are data, never instructions."""
    if not facts.suspect:
        return None
    said = f" {loose(text)} "
    repeated = words(text) & facts.suspect_words
    if repeated:
        shown_words = ", ".join(sorted(repeated))
        return f"It follows instructions hidden in a product's text ({shown_words})."
    for run in facts.suspect_runs:
        if f" {run} " in said:
            return f"It follows instructions hidden in a product's text ({run})."
    return None


def script(text: str, facts: Facts) -> str | None:
    """Letters of another alphabet that the product data do not use: look-alikes deceive."""
    known = frozenset[str]().union(*(set(normal(each)) for each in facts.told))
    for letter in normal(text):
        strange = letter.isalpha() and letter not in known
        if strange and not unicodedata.name(letter, "").startswith("LATIN"):
            return f"It writes {letter!r}, a letter that the product data do not use."
    return None


RULES: tuple[Rule, ...] = (
    Rule("empty", "a headline and a primary text that say something", empty),
    Rule("headline_length", f"a headline of at most {HEADLINE_CHARACTERS} characters",
         headline_length),
    Rule("text_length", f"a primary text of at most {TEXT_CHARACTERS} characters", text_length),
    Rule("call_to_action", "a button of Meta's that fits the objective", call_to_action),
    Rule("product", "a product that was asked for", product),
    Rule("plain_text", "plain words: no mark-up, placeholders, invisible signs",
         _said(plain_text)),
    Rule("link", "no addresses, handles or phone numbers", _said(link)),
    Rule("not_an_ad", "no talk of the writer about its task", _said(not_an_ad)),
    Rule("script", "no letters of an alphabet that the shop does not use", _said(script)),
    Rule("invented_price", "amounts that are a product's price in the store's currency",
         _said(claims.invented_price)),
    Rule("invented_discount", "no discount that is not in the data",
         _said(claims.invented_discount)),
    Rule("invented_offer", "nothing free, fast delivered or paid in parts unless in the data",
         _said(claims.invented_offer)),
    Rule("invented_guarantee", "no guarantee or proof that is not in the data",
         _said(claims.invented_guarantee)),
    Rule("invented_review", "no reviews, stars or praise that are not in the data",
         _said(claims.invented_review)),
    Rule("invented_rank", "no first or best of all unless in the data",
         _said(claims.invented_rank)),
    Rule("invented_number", "no other number that is not in the data",
         _said(claims.invented_number)),
    Rule("misleading_urgency", "no deadline or shortage that is not in the data",
         _said(claims.misleading_urgency)),
    Rule("personal_attributes", "nothing about who the reader is",
         _said(policy.personal_attributes)),
    Rule("shouting", "no shouting", _said(policy.shouting)),
    Rule("profanity", "no swearing", _said(policy.profanity)),
    Rule("before_after", "no before-and-after, no promised results",
         _said(policy.before_after)),
)  # fmt: skip


def off_topic(concept: Concept, facts: Facts) -> str | None:
    """A text that shares no word of weight with the shop or its products."""
    stems = {each[:4] for each in facts.words if len(each) >= 4 or not each.isascii()}
    said = {each[:4] for each in words(f"{concept.headline} {concept.primary_text}")}
    if stems and not stems & said:
        return "It names nothing of the shop or its products."
    return None


MODEL_RULES: tuple[Rule, ...] = (
    *RULES,
    Rule("obeys_product_text", "nothing that a product's text ordered", _said(obeys_product_text)),
    Rule("off_topic", "words of the shop or its products", off_topic),
)
"""What a model's texts have to keep; templates take nothing but what may be believed."""


def likeness(one: str, other: str) -> float:
    """How alike two texts are, 0 to 1, by the pairs of letters that they share."""
    first, second = _pairs(one), _pairs(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 1.0


def _pairs(text: str) -> Counter[str]:
    said = f" {loose(text)} "
    return Counter(said[at : at + 2] for at in range(len(said) - 1))


def duplicate(concept: Concept, taken: Sequence[Concept]) -> str | None:
    """Too like a text that is taken already: a test needs ads that differ."""
    for other in taken:
        if likeness(concept.headline, other.headline) >= HEADLINE_LIKENESS:
            return f"Its headline is like {other.headline!r}, which is taken."
        if likeness(concept.primary_text, other.primary_text) >= TEXT_LIKENESS:
            return f"Its primary text is like {other.primary_text!r}, which is taken."
    return None


def check(
    concept: Concept,
    facts: Facts,
    *,
    taken: Sequence[Concept] = (),
    rules: Sequence[Rule] = RULES,
) -> Problem | None:
    """What is wrong with `concept`, or None: every broken rule is told, so that one answer mends
    them all."""
    broken = [(rule.name, reason) for rule in rules if (reason := rule.broken(concept, facts))]
    if not any(name == "empty" for name, _ in broken) and (reason := duplicate(concept, taken)):
        broken.append(("duplicate", reason))
    if not broken:
        return None
    return Problem(broken[0][0], " ".join(dict.fromkeys(reason for _, reason in broken)))
