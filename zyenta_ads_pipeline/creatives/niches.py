"""What a shop's niche is called in interests, and which countries there are."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NICHES: dict[str, tuple[str, ...]] = {
    "home decor|home|decor|interior|furniture|living|homeware":
        ("Home decor", "Interior design", "Furniture", "Home improvement"),
    "fashion|clothing|apparel|clothes|streetwear":
        ("Fashion", "Clothing", "Online shopping", "Fashion accessories"),
    "shoes|footwear|sneakers": ("Shoes", "Sneakers", "Fashion"),
    "jewelry|jewellery|watches": ("Jewelry", "Watches", "Fashion accessories"),
    "beauty|cosmetics|skincare|makeup": ("Beauty", "Cosmetics", "Skin care", "Make-up"),
    "fitness|gym|workout|sportswear": ("Physical fitness", "Gym", "Bodybuilding", "Running"),
    "health|wellness|supplements": ("Wellness", "Nutrition", "Physical fitness", "Yoga"),
    "yoga|meditation": ("Yoga", "Meditation", "Wellness"),
    "outdoor|outdoors|hiking|camping|trekking|climbing":
        ("Outdoor recreation", "Hiking", "Camping", "Mountaineering"),
    "sport|sports": ("Sports", "Outdoor recreation", "Physical fitness"),
    "cycling|bike|bikes|bicycle": ("Cycling", "Bicycle", "Mountain biking"),
    "ski|skiing|snowboard|snowboarding": ("Skiing", "Snowboarding", "Winter sports"),
    "pets|pet|dogs|cats": ("Pets", "Dogs", "Cats", "Pet food"),
    "baby|babies|kids|children|toys|parenting": ("Parenting", "Toys", "Motherhood", "Children"),
    "electronics|tech|gadgets|technology":
        ("Consumer electronics", "Gadgets", "Technology", "Smartphones"),
    "gaming|games|videogames": ("Video games", "PC games", "Board games"),
    "food|gourmet|snacks|grocery": ("Food", "Cooking", "Gourmet", "Recipes"),
    "coffee|tea": ("Coffee", "Tea", "Coffeehouses"),
    "wine|beer|spirits": ("Wine", "Beer", "Gourmet"),
    "kitchen|cookware|cooking": ("Cooking", "Kitchen", "Recipes"),
    "garden|gardening|plants": ("Gardening", "Garden", "Houseplant"),
    "diy|tools|hardware": ("Do it yourself", "Home improvement", "Tools"),
    "books|stationery": ("Books", "Reading", "Stationery"),
    "art|crafts|craft": ("Art", "Crafts", "Do it yourself"),
    "music|instruments": ("Music", "Musical instruments"),
    "travel|luggage|bags": ("Travel", "Luggage", "Adventure travel"),
    "cars|car|automotive|motorcycles": ("Automobiles", "Motorcycles", "Auto parts"),
    "photography|cameras": ("Photography", "Cameras"),
    "sustainable|eco|organic": ("Sustainability", "Organic food", "Ethical consumerism"),
    "gifts|gift": ("Gifts", "Online shopping"),
}  # fmt: skip
_BY_NAME = {name: words for names, words in _NICHES.items() for name in names.split("|")}
_NO_NICHE = {"general", "other", "misc", "store", "shop", "all"}

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW"
)
COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2."""

MEANT = {"UK": "GB", "EL": "GR", "UAE": "AE", "USA": "US", "ENG": "GB"}
"""What is written where an ISO code is meant."""


def niche_words(niche: str) -> Sequence[str]:
    """Words to look interests up by; the niche's own words where it is not known here."""
    text = " ".join(niche.split())
    plain = text.casefold()
    if plain in _NO_NICHE or not plain:
        return ()
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    parts = [part for part in re.split(r"[\s&/,+-]+|\band\b", plain) if part]
    known = [word for part in parts for word in _BY_NAME.get(part, ())]
    return tuple(dict.fromkeys([text, *known]))
