"""The sandbox's own catalogue of interests and behaviours. Ids and sizes are invented."""

from __future__ import annotations

from dataclasses import dataclass

_FIRST_ID = 6_003_020_000_117
_ID_STEP = 10_007


@dataclass(frozen=True)
class Interest:
    """One detailed targeting option. `people` is the lower bound of its audience worldwide.

    `kind` is Meta's list that it belongs to; `retired` ones are known and can be used no more.
    """

    id: str
    name: str
    topic: str
    people: int
    kind: str = "interests"
    retired: bool = False

    @property
    def path(self) -> list[str]:
        """Where it stands in Meta's tree."""
        return [self.kind.capitalize(), self.topic, self.name]

    @property
    def most(self) -> int:
        """The upper bound of its audience."""
        return self.people * 118 // 100


_TOPICS = {
    "Sports and outdoors": """Outdoor recreation:412, Hiking:268, Backpacking (travel):61,
        Camping:304, Trail running:38, Running:389, Marathons:121, Mountaineering:74, Climbing:92,
        Bouldering:21, Skiing:146, Ski touring:12, Snowboarding:118, Cycling:377,
        Mountain biking:141, Kayaking:57, Surfing:133, Fishing:289, Triathlon:66, Swimming:322""",
    "Fitness and wellness": """Physical fitness:611, Physical exercise:702, Yoga:401, Pilates:132,
        Weight training:228, Bodybuilding:297, Meditation:311, Gyms:352, Zumba:88, CrossFit:97""",
    "Shopping and fashion": """Shopping:1088, Online shopping:934, Fashion accessories:521,
        Clothing:870, Women's clothing:488, Men's clothing:391, Shoes:642, Sneakers:208,
        Running shoes:49, Boots:177, Handbags:363, Backpacks:84, Luggage:59, Jewelry:444,
        Sunglasses:256, Streetwear:143, Sustainable fashion:37, Discount stores:205, Watches:239""",
    "Home and garden": """Home improvement:472, Interior design:538, Home decor:415, Furniture:399,
        Gardening:347, Do it yourself (DIY):366, Kitchens:192, Candles:71, Bedding:64""",
    "Food and drink": """Cooking:655, Baking:284, Recipes:431, Coffee:512, Tea:268,
        Barbecue:174, Vegetarianism:153, Veganism:129, Organic food:161, Wine:298""",
    "Hobbies and activities": """Photography:596, Travel:967, Adventure travel:114, Road trips:83,
        Dogs:508, Cats:366, Arts and crafts:243, Knitting:68, Board games:91, Reading:417""",
    "Technology": """Consumer electronics:601, Smartphones:713, Wearable technology:102,
        Smart watches:87, GPS devices:26, Drones:78""",
    "Family and relationships": "Parenting:384, Family:799, Motherhood:331, Fatherhood:188",
}
_RETIRED = {
    "Sports and outdoors": "Nordic walking:9, Orienteering:4, Canyoning:3",
    "Shopping and fashion": "Coupons:166, Boutiques:233, Toys:190",
    "Home and garden": "Feng shui:27",
    "Food and drink": "Slow food:8",
}
"""Retired or folded into others by Meta's clearing-up of January 2026."""
_BEHAVIORS = {
    "Purchase behaviour": "Engaged shoppers:178",
    "Mobile device user": "All mobile devices:2100, New smartphone owners:41",
    "Travel": "Frequent travellers:165, Returned from travels one week ago:33",
}


def _entries(
    topics: dict[str, str], first: int, *, kind: str = "interests", retired: bool = False
) -> list[Interest]:
    lines = [
        (topic, *" ".join(item.split()).rsplit(":", 1))
        for topic, text in topics.items()
        for item in text.split(",")
    ]
    return [
        Interest(
            id=str(_FIRST_ID + (first + number) * _ID_STEP),
            name=name,
            topic=topic,
            people=int(millions) * 1_000_000,
            kind=kind,
            retired=retired,
        )
        for number, (topic, name, millions) in enumerate(lines)
    ]


OPTIONS = (
    *_entries(_TOPICS, 0),
    *_entries(_RETIRED, 500, retired=True),
    *_entries(_BEHAVIORS, 800, kind="behaviors"),
)
BY_ID = {option.id: option for option in OPTIONS}
_BY_NAME = {option.name.lower(): option for option in OPTIONS if option.kind == "interests"}


def named(name: str) -> Interest | None:
    """The interest of that name, retired ones too."""
    return _BY_NAME.get(name.strip().lower())


def found(text: str, kinds: tuple[str, ...] = ("interests",)) -> list[Interest]:
    """Living options whose name or topic holds the text, those that begin with it first."""
    wanted = text.strip().lower()
    hits = [
        option
        for option in OPTIONS
        if not option.retired
        and option.kind in kinds
        and (wanted in option.name.lower() or wanted in option.topic.lower())
    ]

    def rank(option: Interest) -> tuple[int, int]:
        name = option.name.lower()
        place = 0 if name.startswith(wanted) else 1 if wanted in name else 2
        return place, -option.people

    return sorted(hits, key=rank)


def related(names: list[str]) -> list[Interest]:
    """Living interests that share a topic with those named, without themselves."""
    known = [interest for name in names if (interest := named(name)) is not None]
    topics = {interest.topic for interest in known}
    hits = [
        option
        for option in OPTIONS
        if option.kind == "interests"
        and not option.retired
        and option.topic in topics
        and option not in known
    ]
    return sorted(hits, key=lambda option: -option.people)
