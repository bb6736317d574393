"""What a buyer does about Meta's refusals: by number where there is more to say than for a class.

The number stands in `error_subcode`, at times in `code`. Meta's own words come before it.
Source: Marketing API, "Error reference".
"""

from __future__ import annotations

from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    DuplicateObject,
    NotFound,
    ObjectRateLimited,
    PermissionDenied,
    PlatformError,
    PolicyBlocked,
    RateLimited,
    ReportFailed,
    TooMuchData,
    Transient,
    ValidationRefused,
)

_BY_KIND: dict[type[PlatformError], str] = {
    AuthenticationFailed: "Put a valid token into META_ACCESS_TOKEN; `zyenta doctor` checks it.",
    PermissionDenied: "Give the token's user the permission (ads_read to read, ads_management to "
    "write) on this ad account.",
    NotFound: "Check the id, and that the token's user may see it in Ads Manager.",
    ObjectRateLimited: "Wait an hour before this object's budget is changed again.",
    RateLimited: "Wait; nothing is lost, the next run goes on from here.",
    Transient: "Meta has trouble at the moment; the next run tries again.",
    TooMuchData: "Ask for fewer days at a time.",
    PolicyBlocked: "A person has to look into Ads Manager: Meta blocked this account or action.",
    DuplicateObject: "Look up the object that exists.",
    ReportFailed: "The report is asked for anew.",
    ValidationRefused: "The request itself is refused; sending it again cannot help.",
}

_STOPPED_USER = "Meta has stopped this user, not the token: a person has to log in at facebook.com."
_OF_USERS = {459: _STOPPED_USER, 464: _STOPPED_USER}
"""Short numbers, which mean this in errors about the token alone."""

_RAISE = "Raise the daily budget to at least what Meta names, or take fewer creatives."
_LEVEL = (
    "Set the budget, and with it the bid strategy, on the campaign or on its ad sets, not both."
)
_OUR_BID = (
    "The bid strategy does not fit the bid: it is the lowest cost without a cap, without one."
)
_DEAD = "It cannot be brought back: launch a new campaign."
_GOAL = "The goal does not fit the campaign's objective: launch it with another objective."
_PROMOTED = "Check the pixel, page or product set of the store's connection with `zyenta connect`."
_PLACES = "Change the store's countries so that no place lies within another, and launch it again."
_INTERESTS = "Meta has retired an interest: launch it again, so that interests are looked up anew."
_AGES = "Lower the store's youngest age to 25 and raise the oldest to 65, or switch Advantage+ off."
_PAGE = "Choose a page with `zyenta connect` that this token's user may advertise for."
_TEXTS = "Change the creative: no text or picture may stand in it twice."
_EU = (
    "Name who is advertised for and who pays, or set both as the account's default in Ads Manager."
)
_REGION = (
    "Name the beneficiary and payer that the region asks for in Ads Manager's account settings."
)
_TERMS = "Accept Meta's terms in Ads Manager; the message names which."
_REJECTED = "Read in Ads Manager which policy it breaks, change the creative and launch that again."
_VIDEO = "Take another file: MP4 with H.264 and AAC, at least 1 second long and 120 pixels wide."
_IMAGE = "Take another picture: JPEG or PNG, at least 600 pixels wide."

_BY_NUMBER: dict[int, str] = {
    # what was asked
    2635: "Set META_API_VERSION to a version that is alive: v25.0 or v26.0.",
    3018: "Choose a start within the last 37 months.",
    # budget and bid
    **dict.fromkeys((1885272, 1487901, 2238055, 2446149), _RAISE),
    1885650: "Meta wants at least 110 % of what is already spent: set it higher, or pause it.",
    1885621: _LEVEL,
    1885737: _LEVEL,
    2446307: "Raise the account's or campaign's spending limit in Ads Manager.",
    4834011: "The campaign has to say whether its ad sets share budget; this version does: update.",
    **dict.fromkeys((1885204, 2490487, 1815857), _OUR_BID),
    1885172: "The account's spending limit was changed too often today: go on tomorrow.",
    # dates and states
    1487033: "Choose an end that lies in the future.",
    1487007: "The ad set's time is over: launch a new campaign.",
    **dict.fromkeys((1487056, 1487566, 1885088), _DEAD),
    1487990: "The account has too many archived ads: delete some in Ads Manager.",
    1487225: "Meta limits how many ads this account may make in a day: go on tomorrow.",
    # goal and destination
    **dict.fromkeys((2490408, 2446509, 1487678, 3955009), _GOAL),
    **dict.fromkeys((1815430, 1885014, 1487929), _PROMOTED),
    3260011: "Pixel, event and goal of a published ad set stay as they are: launch a new one.",
    2446383: "Give the creative the address of the shop's page.",
    1487831: "Check in Commerce Manager that the product set exists and holds products.",
    2695: "The app has reached Meta's limit of campaigns for iOS 14: pause one of them.",
    # targeting
    1487756: _PLACES,
    2641: "Meta does not allow ads there: take the place out of the store's countries.",
    1487079: _INTERESTS,
    1487694: _INTERESTS,
    1815433: "Leave the placements to Meta.",
    1870199: "The targeting names location_types, which Meta refuses: leave it out.",
    1870165: "Of people under 18 only age, gender and place may be asked: raise the lowest age.",
    1870227: "The targeting has to say whether Meta may widen the audience (advantage_audience).",
    **dict.fromkeys((1870188, 1870189), _AGES),
    1870196: "The targeting has an unknown targeting_automation: advantage_audience is 0 or 1.",
    2909034: "Housing, employment, credit and politics allow no such targeting: widen it.",
    # creative
    1885183: "Switch the app to live mode in its dashboard: ads of an app in development run for "
    "nobody.",
    1885557: "The post is gone or not public: take another creative.",
    **dict.fromkeys((1885029, 1487202), _PAGE),
    1815199: "Connect the Instagram account to the page and the business in Meta's settings.",
    **dict.fromkeys((1815629, 1885878, 1885923), _TEXTS),
    1373054: "Take another call to action, as SHOP_NOW or LEARN_MORE.",
    3858258: "Meta could not fetch the picture: give it as a file.",
    3858798: "An ad with the same content exists: change a text or the picture.",
    1487411: _IMAGE,
    1609005: "Open the link: it has to answer without a log-in, and to let Meta's crawler in.",
    # regulation and terms
    **dict.fromkeys((3858079, 3858152, 3858081), _EU),
    **dict.fromkeys((3858634, 3858636), _REGION),
    2708008: "Ads about politics need an authorised user: a person has to confirm themselves.",
    **dict.fromkeys((1870090, 1870092, 1870034, 1870047), _TERMS),
    # review
    **dict.fromkeys((2490427, 2490468), _REJECTED),
    # videos
    1363037: "The upload lost its place: upload the video again.",
    **dict.fromkeys((351, 352, 382), _VIDEO),
    389: "Meta could not fetch the video: give it as a file.",
}


def remedy(kind: type[PlatformError], code: int | None, subcode: int | None) -> str:
    """The next thing to do about an error of Meta's."""
    if issubclass(kind, AuthenticationFailed):
        return _OF_USERS.get(subcode or 0, _BY_KIND[kind])
    for number in (subcode, code):
        if number in _BY_NUMBER:
            return _BY_NUMBER[number]
    return _BY_KIND[kind]
