"""Countries, regions, cities and languages that targeting knows. Keys of regions are invented."""

from __future__ import annotations

import re

from zyenta_ads_pipeline.sandbox.words import words

COUNTRIES = frozenset(
    words("""
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA
    ZM ZW
""")
)
FORBIDDEN = frozenset({"CU", "IR", "KP", "SY"})
"""Countries where nothing may be advertised."""
EU = frozenset(
    words("""
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
""")
)
GROUPS = {
    "worldwide": COUNTRIES,
    "europe": EU | {"AL", "BA", "CH", "GB", "IS", "LI", "MD", "ME", "MK", "NO", "RS", "UA"},
    "eea": EU | {"IS", "LI", "NO"},
    "euro_area": EU - {"BG", "CZ", "DK", "HU", "PL", "RO", "SE"},
    "north_america": frozenset({"US", "CA", "MX"}),
    "south_america": frozenset(words("AR BO BR CL CO EC GY PE PY SR UY VE")),
    "asia": frozenset(words("BD CN HK ID IN JP KR LK MY NP PH PK SG TH TW VN")),
    "africa": frozenset(words("DZ EG ET GH KE MA NG SN TN TZ UG ZA")),
}
NAMES = {
    "US": "United States", "CA": "Canada", "MX": "Mexico", "GB": "United Kingdom",
    "DE": "Germany", "FR": "France", "ES": "Spain", "IT": "Italy", "NL": "Netherlands",
    "BE": "Belgium", "AT": "Austria", "CH": "Switzerland", "PL": "Poland", "SE": "Sweden",
    "NO": "Norway", "DK": "Denmark", "FI": "Finland", "IE": "Ireland", "PT": "Portugal",
    "CZ": "Czechia", "GR": "Greece", "HU": "Hungary", "RO": "Romania", "JP": "Japan",
    "KR": "South Korea", "IN": "India", "AU": "Australia", "NZ": "New Zealand", "BR": "Brazil",
    "AR": "Argentina", "CL": "Chile", "CO": "Colombia", "ZA": "South Africa", "SG": "Singapore",
    "TW": "Taiwan", "TH": "Thailand", "VN": "Vietnam", "ID": "Indonesia", "PH": "Philippines",
    "TR": "Turkey", "UA": "Ukraine", "IL": "Israel", "AE": "United Arab Emirates",
}  # fmt: skip
"""Countries that the search finds; targeting takes all."""
REGIONS = {
    "3847": ("California", "US"), "3885": ("Texas", "US"), "3875": ("New York", "US"),
    "3848": ("Colorado", "US"), "3889": ("Washington", "US"), "3852": ("Florida", "US"),
    "3880": ("Oregon", "US"), "3887": ("Vermont", "US"), "878": ("England", "GB"),
    "879": ("Scotland", "GB"), "1020": ("Bavaria", "DE"), "1021": ("Berlin", "DE"),
    "1030": ("Hamburg", "DE"), "2310": ("Tokyo", "JP"), "527": ("Ontario", "CA"),
    "529": ("British Columbia", "CA"), "1140": ("Île-de-France", "FR"), "460": ("São Paulo", "BR"),
    "1735": ("Maharashtra", "IN"), "132": ("New South Wales", "AU"),
}  # fmt: skip
"""By key: name and country."""
CITIES = {
    "2420605": ("San Francisco", "3847"), "2418779": ("Los Angeles", "3847"),
    "2421836": ("Denver", "3848"), "2490299": ("New York", "3875"), "2508000": ("Seattle", "3889"),
    "2429500": ("Miami", "3852"), "2510500": ("Portland", "3880"), "2513200": ("Austin", "3885"),
    "812500": ("London", "878"), "813900": ("Edinburgh", "879"), "560100": ("Munich", "1020"),
    "560500": ("Berlin", "1021"), "561700": ("Hamburg", "1030"), "1230900": ("Tokyo", "2310"),
    "296875": ("Toronto", "527"), "297100": ("Vancouver", "529"), "575600": ("Paris", "1140"),
    "268400": ("São Paulo", "460"), "1031500": ("Mumbai", "1735"), "117000": ("Sydney", "132"),
}  # fmt: skip
"""By key: name and region."""
LOCALES = {
    6: "English (US)", 24: "English (UK)", 1001: "English (All)", 5: "German", 9: "French (France)",
    10: "Italian", 23: "Spanish", 7: "Spanish (Spain)", 1002: "Spanish (All)", 11: "Japanese",
    12: "Korean", 14: "Dutch", 16: "Portuguese (Brazil)", 31: "Portuguese (Portugal)",
    15: "Polish", 18: "Swedish", 13: "Norwegian", 8: "Finnish", 46: "Hindi",
}  # fmt: skip
_ZIP = re.compile(r"([A-Z]{2}):[A-Z0-9 -]{2,10}")


def country_of(kind: str, key: str) -> str | None:
    """The country of a region, a city or a zip code; None for an unknown key."""
    if kind == "zips":
        found = _ZIP.fullmatch(key)
        return found[1] if found and found[1] in COUNTRIES else None
    if kind == "cities":
        key = CITIES[key][1] if key in CITIES else ""
    return REGIONS[key][1] if key in REGIONS else None
