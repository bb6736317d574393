"""Rules against what an ad invents: prices, discounts, offers, guarantees, praise, numbers, haste.

Each rule takes what an ad says and the shop's facts, and gives the reason for a rejection or
None. The word lists are English; numbers and amounts are found in any language.
"""

from __future__ import annotations

import re
from decimal import Decimal

from zyenta_ads_pipeline.creatives.facts import NUMBER, Facts, normal, shown
from zyenta_ads_pipeline.domain import money

_DOLLARS = "USD AUD CAD NZD SGD HKD TWD MXN ARS CLP COP"
_SIGNS = {
    "$": _DOLLARS, "us$": "USD", "a$": "AUD", "c$": "CAD", "r$": "BRL", "€": "EUR", "£": "GBP EGP",
    "¥": "JPY CNY", "₹": "INR", "₩": "KRW", "₫": "VND", "₺": "TRY", "₽": "RUB", "₴": "UAH",
    "₪": "ILS", "₦": "NGN", "zł": "PLN", "kr": "SEK NOK DKK ISK", "dollar": _DOLLARS,
    "dollars": _DOLLARS, "buck": _DOLLARS, "bucks": _DOLLARS, "euro": "EUR",
    "euros": "EUR", "yen": "JPY", "rupees": "INR", "pesos": "MXN ARS CLP COP", "quid": "GBP",
    "cents": "", "pence": "", "pennies": "",
}  # fmt: skip
_CODES = "|".join(sorted(money.CURRENCY_OFFSETS))
_SIGN = "|".join(re.escape(each) for each in sorted(_SIGNS, key=len, reverse=True))
# A code counts in capitals alone: TRY, COP and BOB are words too.
_SIGN = f"(?i:{_SIGN})|{_CODES}"
_FIGURE = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)|\d+"
_AMOUNT = re.compile(
    rf"(?<![^\W\d_])(?P<before>{_SIGN})\s?(?P<one>{_FIGURE})"
    rf"|(?P<two>{_FIGURE})\s?(?P<after>{_SIGN})(?![^\W\d_])"
)
_BARE_CENTS = re.compile(r"(?<![\d.,])\d+[.,]\d{2}(?![\d.,]*\d)")
_SPELLED_SUM = re.compile(r"\b(?:dollars?|euros?|bucks?|cents|pence|pennies)\b")


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns))


def _amount(figure: str) -> Decimal:
    """`1,299.99`, `1.299,99`, `129,99` and `1 299` as numbers."""
    whole, fraction = figure, ""
    if found := re.fullmatch(r"(.*\d)[.,](\d{1,2})", figure):
        whole, fraction = found.groups()
    return Decimal(re.sub(r"\D", "", whole) + (f".{fraction}" if fraction else ""))


def invented_price(text: str, facts: Facts) -> str | None:
    """An amount of money that is no price of these products in the store's currency."""
    said = shown(text)
    for found in _AMOUNT.finditer(said):
        sign = found["before"] or found["after"]
        if facts.currency not in _SIGNS.get(sign.casefold(), sign).split():
            return f"It names {found[0]!r}; prices are in {facts.currency}."
        if _amount(found["one"] or found["two"]) not in facts.prices:
            return f"It names {found[0]!r}, and no product costs that. {_prices(facts)}"
    rest = _AMOUNT.sub(" ", said).casefold()
    for found in _BARE_CENTS.finditer(rest):
        if found[0] not in facts.numbers and _amount(found[0]) not in facts.prices:
            return f"It names {found[0]!r} like a price, and no product costs that."
    if (spelled := _SPELLED_SUM.search(rest)) and not facts.says(spelled[0]):
        return f"It speaks of a sum in words ({spelled[0]!r}): the prices are not written so."
    return None


def _prices(facts: Facts) -> str:
    if not facts.prices:
        return "No price is known."
    shown = ", ".join(money.show(each, facts.currency) for each in sorted(facts.prices))
    return f"Prices: {shown}."


def invented_number(text: str, facts: Facts) -> str | None:
    """Any other number that the product data do not hold: customers, days, per cent, stars."""
    rest = _AMOUNT.sub(" ", shown(text)).casefold()
    for found in NUMBER.finditer(rest):
        cents = _BARE_CENTS.fullmatch(found[0])
        if found[0] not in facts.numbers and not (cents and _amount(found[0]) in facts.prices):
            return f"It names the number {found[0]!r}, which the product data do not hold."
    return None


def _unless_said(
    patterns: re.Pattern[str], text: str, facts: Facts, why: str, *, ever: bool = False
) -> str | None:
    for found in patterns.finditer(normal(text)):
        if ever or not facts.says(found[0]):
            return f"It says {found[0]!r}: {why}"
    return None


_DISCOUNT = _any(
    r"\d[\d.,]*\s?%\s*(?:off|less|cheaper|discount|savings?)",
    r"\b(?:half|percent|per cent)\s+(?:off|price|less)\b",
    r"\bdiscount(?:s|ed)?\b",
    r"\bsales?\b",
    r"\bsav(?:e|es|ing|ings)\s+(?:up\s+to|big|more|money|now|today|on|(?:\D\s?)?\d)",
    r"\b(?:deal|deals|bargains?|clearance|coupons?|vouchers?|rebates?|markdowns?|bogo)\b",
    r"\b(?:promo|discount|coupon)\s+codes?\b|\buse\s+code\b",
    r"\bbuy\s+(?:one|two|1|2)\s*,?\s+get\b",
    r"\b(?:reduced\s+(?:to|prices?)|slashed|price\s+drops?|special\s+(?:price|offer)s?|introductory\s+price)\b",
    r"\b(?:lowest|best|cheapest|unbeatable|low|cost|wholesale|factory|outlet)\s+prices?\b|\bcheapest\b",
)


def invented_discount(text: str, facts: Facts) -> str | None:
    """A discount, sale or saving that the product data do not hold."""
    return _unless_said(_DISCOUNT, text, facts, "no such reduction is in the product data.")


_OFFER = _any(
    r"(?<![-\w])free\s+(?!of\b|from\b|to\b|your\b|up\b|and\b)[^\W\d_]+",
    r"(?<![-\w])(?<!feel )free(?=[.!?,]|$)",
    r"\bfor\s+free\b|\bships?\s+free\b|\bno\s+(?:shipping|delivery)\s+(?:cost|fee)s?\b",
    r"\b(?:fast|quick|rapid|express|overnight|same[- ]day|next[- ]day|two[- ]day|speedy|worldwide)"
    r"\s+(?:shipping|delivery|dispatch|returns?)\b",
    r"\b(?:easy|hassle-free|no-questions-asked)\s+(?:returns?|refunds?)\b",
    r"\bdelivery\s+(?:today|tomorrow)\b|\b(?:arrives|delivered|there)\s+(?:today|tomorrow)\b",
    r"\bper\s+(?:month|week|day)\b|/mo\b|\ba\s+month\b",
    r"\b(?:instal?lments?|pay\s+later|interest[- ]free|financing|apr)\b",
    r"\b(?:gifts?|bonus)\s+(?:with|included)\b|\bgiveaway\b|\bwin\s+(?:a|an|your)\b",
)


def invented_offer(text: str, facts: Facts) -> str | None:
    """Free things, delivery, returns, instalments that the product data do not hold."""
    return _unless_said(_OFFER, text, facts, "the product data promise no such thing.")


_GUARANTEE = _any(
    r"\bguarante(?:e|es|ed|eing)\b",
    r"\bwarrant(?:y|ies)\b",
    r"\b(?:money[- ]back|risk[- ]free|no[- ]risk|refund(?:s|ed|able)?|satisfaction)\b",
    r"\b(?:for\s+life|lifetime|never\s+(?:breaks?|fails?|wears?))\b",
    r"\b(?:certified|patented|fda|clinically|scientifically|lab[- ]tested|medically)\b",
    r"\b(?:doctor|dermatologist|expert|vet|physio)s?[- ](?:recommended|approved|tested)\b",
    r"\b(?:proven|tested\s+by|approved\s+by|endorsed)\b",
)


def invented_guarantee(text: str, facts: Facts) -> str | None:
    """A guarantee, warranty or proof that the product data do not hold."""
    return _unless_said(_GUARANTEE, text, facts, "the product data do not warrant it.")


_PRAISE = _any(
    r"\b(?:reviews?|reviewers?|reviewed|testimonials?|ratings?|rated|top-rated)\b",
    r"\b(?:five|four|5|4)[- ]stars?\b|\bstars\b|[★⭐☆]|\d\s?/\s?5\b",
    r"\b(?:loved|trusted|chosen|worn|used|praised|recommended|adored|preferred)\s+by\b",
    r"\b(?:customers?|buyers?|shoppers?|people|everyone|everybody|users?|owners?|fans?|hikers?|"
    r"riders?|athletes?|parents?|families|professionals?)\s+"
    r"(?:already\s+|all\s+|everywhere\s+|really\s+)*(?:love|loves|say|says|trust|trusts|rave|raves|agree|agrees|swear|"
    r"swears|choose|chooses|prefer|prefers|recommend|recommends|can't\s+stop)\b",
    r"\b(?:as\s+seen\s+(?:on|in)|featured\s+in|award|awards|award-winning|prize-winning)\b",
    r"\bbest[- ]?sell(?:er|ers|ing)\b|\bsold\s+out\b|\bmost\s+(?:popular|loved|wanted|trusted)\b",
    r"\b(?:customer|fan|crowd|local|reader|staff)\s+favou?rites?\b|\bpopular\s+(?:choice|pick)\b",
    r"\b(?:hundreds|thousands|millions|dozens|countless|tens)\s+of\b",
    r"\b(?:join|over)\s+(?:the\s+)?(?:thousands|millions|hundreds|\d[\d.,]*\s?[km]?\+?\s+[^\W\d_]+)",
    r"\b(?:happy|satisfied|real)\s+(?:customers?|buyers?|clients?|owners?)\b",
    r"\b(?:everyone|everybody)(?:'s|\s+is)\s+(?:talking|favou?rite|wearing|buying)\b",
    r"\bswears?\s+by\b|\braves?\s+about\b|\bvoted\b",
    r"\bgone\s+viral\b|\bviral\b|\btrending\b",
)
_QUOTED = re.compile(r'"([^"]+)"')


def invented_review(text: str, facts: Facts) -> str | None:
    """Reviews, stars, customers' love or quotations that the product data do not hold."""
    for found in _QUOTED.finditer(normal(text)):
        if len(found[1].split()) >= 3 and not facts.says(found[1]):
            return f"It quotes {found[1]!r} like a customer's words; nobody said so in the data."
    return _unless_said(_PRAISE, text, facts, "the product data hold no such praise.")


_RANK = _any(
    r"#\s?1\b|\bno\.?\s?1\b|\bnr\.?\s?1\b|\bnumber\s+(?:one|1)\b",
    r"\b(?:world's|country's|nation's|industry's)\s+[^\W\d_]+",
    r"\b[^\W\d_]+'s\s+(?:favou?rite|best|top|number\s+one|most)\b",
    r"\bthe\s+(?:very\s+)?best\b|\bbest\s+(?:ever|in\s+(?:class|town|the\b))|\bbest-in-class\b",
    r"\b(?:unbeatable|unrivall?ed|second\s+to\s+none|better\s+than\s+(?:any|all|every)\b)",
    r"\b(?:market|industry|world)[- ]lead(?:ing|er)\b|\bnobody\s+else\b",
)


def invented_rank(text: str, facts: Facts) -> str | None:
    """Being the first or best of all, where the product data do not say so."""
    return _unless_said(_RANK, text, facts, "no such rank is in the product data.")


_HASTE = _any(
    r"\bonly\s+(?:today|tonight|now|this\s+(?:week|weekend|month))\b|\b(?:today|now)\s+only\b",
    r"\b(?:last|final|one\s+last)\s+(?:chance|days?|hours?|call|minutes?|pieces?|items?)\b",
    r"\bhurry\b|\bact\s+(?:now|fast|today)\b|\bnow\s+or\s+never\b|\bdon't\s+(?:miss|wait)\b",
    r"\b(?:ends?|ending|expires?|expiring|closing)\s+(?:soon|today|tonight|tomorrow|in|at|on)\b",
    r"\blimited(?:[- ]time|[- ]edition|\s+(?:time|stock|supply|supplies|offer|quantit\w+|run))\b",
    r"\bwhile\s+(?:stocks?|supplies|supply|they|it)\s+lasts?\b",
    r"\b(?:almost|nearly)\s+(?:gone|sold|out)\b|\b(?:selling|going|moving)\s+(?:fast|quickly)\b",
    r"\b(?:only|just)\s+(?:a\s+)?(?:handful|couple)\b|\bgoing,\s+going\b",
    r"\b(?:last|final)\s+(?:few\s+)?(?:pairs?|ones|stock|units|sizes)\b",
    r"\b(?:offer|ends?|by|until|till|before)\s+(?:ends?\b|midnight|noon|mon|tues|wednes|thurs|fri|satur"
    r"|sun)(?:day)?\b",
    r"\b(?:only|just)\s+(?:a\s+few|few|\d+|one|two|three)\s+left\b|\bfew\s+left\b|\blow\s+stock\b",
    r"\bcountdown\b|\bdeadline\b|\brunning\s+out\b|\bwon't\s+last\b|\bbefore\s+(?:it's|they're|it\s+is"
    r"|they\s+are)\s+(?:gone|too\s+late|over)\b|\btime\s+is\s+(?:running|short)\b",
)


def misleading_urgency(text: str, facts: Facts) -> str | None:
    """A deadline or shortage that the product data do not hold."""
    return _unless_said(_HASTE, text, facts, "the product data name no deadline or shortage.")


def says_offer(facts: Facts) -> bool:
    """Whether the data themselves hold a discount or an offer, as the button GET_OFFER promises."""
    return any(
        patterns.search(normal(each)) for each in facts.told for patterns in (_DISCOUNT, _OFFER)
    )


def says_praise(facts: Facts) -> bool:
    """Whether the data themselves hold reviews or praise that an ad can quote."""
    return any(_PRAISE.search(normal(each)) for each in facts.told)


def says_deadline(facts: Facts) -> bool:
    """Whether the data themselves hold a deadline or a shortage."""
    return any(_HASTE.search(normal(each)) for each in facts.told)
