"""Rules from the platform's advertising policies: what no ad may say, whatever the data say.

The word lists are English and cover the basics; Meta's own review stays the judge.
"""

from __future__ import annotations

import re

from zyenta_ads_pipeline.creatives.facts import Facts, normal, shown

_ATTRIBUTES = (
    r"overweight|obese|fat|skinny|diabet\w*|depress\w*|anxi(?:ous|ety)|bipolar|autis\w*|adhd|"
    r"disab\w*|handicap\w*|sick|ill|illness|disease|cancer|hiv|std|pregnan\w*|infertil\w*|"
    r"addict\w*|alcoholi\w*|insomnia\w*|acne|bald\w*|wrinkl\w*|ugly|weight|"
    r"gay|lesbian|bisexual|trans(?:gender)?|queer|straight|single|divorced|widow\w*|"
    r"christians?|muslims?|jew(?:s|ish)?|hindus?|buddhists?|atheists?|catholics?|"
    r"black|white|asian|hispanic|latin[oax]s?|immigrants?|refugees?|foreigners?|"
    r"broke|bankrupt\w*|debts?|poor|unemployed|criminal\w*|convict\w*|"
    r"democrats?|republicans?|conservatives?|liberals?|elderly|seniors?|menopaus\w*"
)
_PERSONAL = re.compile(
    rf"\b(?:are|were|aren't)\s+you\s+(?:(?:a|an|still|feeling|too|so|over|under)\s+)*"
    rf"(?:{_ATTRIBUTES}|\d+)\b"
    rf"|\b(?:you're|you\s+are)\s+(?:(?:an?|getting|too|so|still)\s+)*(?:{_ATTRIBUTES}|old|older)\b"
    rf"|\b(?:{_ATTRIBUTES})\s+like\s+you\b"
    rf"|\byou\s*,?\s+as\s+an?\s+(?:{_ATTRIBUTES})\b"
    rf"|\bas\s+an?\s+(?:{_ATTRIBUTES})\b\s*,?\s+you\b"
    rf"|\b(?:your|suffer\w*\s+from|struggl\w*\s+with|living\s+with|do\s+you\s+have|have\s+you\s+got|"
    rf"tired\s+of\s+being|ashamed\s+of)\s+(?:your\s+|a\s+|an\s+)?"
    rf"(?:diabet\w*|depress\w*|anxi\w*|disab\w*|illness|disease|cancer|hiv|acne|bald\w*|wrinkl\w*|"
    rf"overweight|weight\s+problem|credit\s+score|bad\s+credit|debts?|addict\w*|insomnia|religion|race|sexuality|"
    rf"financial\s+(?:trouble|problem)s?|criminal\s+record|menopaus\w*|adhd|autis\w*|obes\w*|fat)\b"
    rf"|\b(?:meet|date|join|other|fellow)\s+(?:other\s+|fellow\s+|local\s+)*"
    rf"(?:singles|seniors|christians|muslims|jews|gays|lesbians|diabetics|immigrants|atheists)\b"
)


def personal_attributes(text: str, _: Facts) -> str | None:
    """Telling readers, or asking them, what they are: health, body, faith, money, origin."""
    if found := _PERSONAL.search(normal(text)):
        return f"It says {found[0]!r}: an ad must not assert or ask for personal attributes."
    return None


def shouting(text: str, facts: Facts) -> str | None:
    """Words in capitals that the product data do not write so, three in a row, or `!!`."""
    clean = shown(text)
    if found := re.search(r"[!?]\s*[!?]", clean):
        return f"It shouts with {found[0]!r}: one sign is enough."
    if clean.count("!") > 2:
        return f"It has {clean.count('!')} exclamation marks: two at most."
    run: list[str] = []
    for word in re.findall(r"[^\W_]+", clean):
        loud = word.isupper() and sum(letter.isalpha() for letter in word) >= 2
        known = word in facts.spelled or word == facts.currency
        if loud and len(word) >= 3 and not known:
            return f"It writes {word!r} in capitals, which the product data do not."
        run = [*run, word] if loud else []
        if len(run) == 3 and not _is_a_name(run, facts):
            return f"It writes {' '.join(run)!r} in capitals: that reads as shouting."
    return None


def _is_a_name(run: list[str], facts: Facts) -> bool:
    called = [" ".join(re.findall(r"[^\W_]+", shown(each))) for each in _called(facts)]
    return any(f" {' '.join(run)} " in f" {each} " for each in called)


def _called(facts: Facts) -> list[str]:
    return [*facts.names, *facts.titles]


_PROFANE = re.compile(
    r"\b(?:fuck\w*|motherfuck\w*|shit(?:s|ty|tiest)?|bullshit|bitch\w*|bastards?|asshole\w*|"
    r"arsehole\w*|cunts?|dick(?:head)?s?|cocksuck\w*|pussy|whores?|sluts?|crap(?:py)?|damn(?:ed)?|"
    r"goddamn|badass|kick-?ass|piss(?:ed)?|wank\w*|f\*+k|sh\*t)\b"
)


def profanity(text: str, _: Facts) -> str | None:
    """Swear words."""
    if found := _PROFANE.search(normal(text)):
        return f"It says {found[0]!r}: no swearing in an ad."
    return None


_RESULTS = re.compile(
    r"\bbefore\s*(?:and|&|/|-|vs\.?)\s*after\b"
    r"|\b(?:lose|lost|losing|drop|shed|burn)\s+(?:up\s+to\s+)?(?:\d+\s*|some\s+|your\s+|belly\s+)?"
    r"(?:kg|kilos?|lbs?|pounds|fat|weight|inches|sizes?)\b"
    r"|\bweight[- ]loss\b|\bslimm?ing\b|\banti-?ag(?:e?ing)\b"
    r"|\bresults?\s+(?:in|within|after)\s+(?:just\s+|only\s+)?(?:\d+|days?|minutes?|hours?|weeks?)"
    r"|\b(?:instant|overnight|miracle|magic)\s+(?:results?|cures?|fix(?:es)?|transformation)\b"
    r"|\b(?:ripped|slim|lean|thin|toned)\s+in\b"
    r"|\b(?:cures?|heals?|treats?|prevents?|relieves?)\s+(?:[^\W\d_]+\s+){0,2}"
    r"(?:pain|disease|cancer|diabetes|depression|anxiety|arthritis|illness|insomnia|acne|covid\w*)\b"
    r"|\btransform(?:s|ed)?\s+your\s+(?:body|face|skin|figure)\b"
)


def before_after(text: str, _: Facts) -> str | None:
    """Before-and-after and results that no shop can promise."""
    if found := _RESULTS.search(normal(text)):
        return f"It says {found[0]!r}: no before-and-after, no promised results."
    return None
