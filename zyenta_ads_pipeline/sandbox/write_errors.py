"""Refusals of writes: Meta's subcodes of error 100 with a title and words for each."""

from __future__ import annotations

from zyenta_ads_pipeline.sandbox.graph_error import GraphError

_WORDS: dict[int, tuple[str, str]] = {
    # Budgets and bids.
    1885272: ("Budget is too low", "The budget is below the minimum."),
    1885650: ("Budget is too low", "The budget must be at least 110% of what is already spent."),
    1885621: ("The budget is on another level", "A budget is set on the campaign or on its ad "
              "sets, on exactly one of the two levels."),
    1885737: ("Bid strategy without a budget", "The bid strategy belongs to the level that holds "
              "the budget."),
    4834011: ("Budget sharing not stated", "You must specify true or false in "
              "is_adset_budget_sharing_enabled when the campaign has no budget."),
    2446307: ("Spending limit is too low", "The campaign's spending limit is below the minimum."),
    1885204: ("Bid must be automatic", "This bid strategy takes no bid_amount."),
    2490487: ("Bid amount required", "This bid strategy needs a bid amount or bid constraints."),
    1815857: ("Bid amount required", "The campaign's bid strategy needs a bid_amount on each ad "
              "set."),
    # Dates and states.
    1487033: ("Invalid end time", "The end time must be in the future, and after the start time; "
              "a lifetime budget needs one."),
    1487056: ("Ad set was deleted", "The ad set was deleted or archived."),
    1487566: ("Campaign was deleted", "The campaign was deleted or archived."),
    # Goals, destinations, promoted objects.
    2490408: ("Performance goal not available", "The optimization goal is not available for this "
              "objective and destination."),
    2446509: ("Invalid destination type", "The destination type is not available for this "
              "objective."),
    1815430: ("Promoted object missing", "Please specify a promoted object for this ad set."),
    1885014: ("Invalid promoted object", "This combination of promoted object and objective "
              "is not supported."),
    1487929: ("Ambiguous promoted object", "The promoted object must name one thing to promote."),
    1487831: ("Product set cannot be loaded", "The product set or catalogue does not exist, or "
              "the account may not use it."),
    3260011: ("Cannot be changed", "The pixel, event and goal of an ad set cannot be changed once "
              "it is published."),
    2446383: ("Website URL required", "The objective needs a website URL."),
    # Targeting.
    1487756: ("Locations overlap", "Some of your locations overlap. Try removing a location."),
    1487079: ("Invalid interest", "A detailed targeting option is invalid or was retired."),
    1815433: ("Invalid placements", "The placements do not fit together, or no longer exist."),
    1870199: ("Location types", "location_types is no longer supported. Remove it."),
    1870165: ("Under 18", "These options are not available for people under 18."),
    1870227: ("Advantage audience not stated", "To create this ad set, set advantage_audience in "
              "targeting_automation to 1 or 0."),
    1870188: ("Age with Advantage audience", "With Advantage audience age_min can be 25 at most."),
    1870189: ("Age with Advantage audience", "With Advantage audience age_max must be 65."),
    1870196: ("Invalid targeting automation", "targeting_automation has a value that cannot be "
              "used."),
    2909034: ("Special ad category", "The targeting is not allowed for the campaign's special ad "
              "category."),
    2708008: ("Ads about social issues", "The advertiser is not authorised for ads about social "
              "issues, elections or politics there."),
    # Regulation.
    3858079: ("Payor required", "Ads that deliver in the European Union need a dsa_payor."),
    3858081: ("Beneficiary required", "Ads that deliver in the European Union need a "
              "dsa_beneficiary."),
    # Creatives.
    1487202: ("No access to the Page", "You need an advertising role on the Page."),
    1815199: ("No access to the Instagram account", "The ad account cannot use this Instagram "
              "account."),
    1885557: ("Post not available", "The post does not exist or cannot be promoted."),
    1885252: ("Video not ready", "The video is still processed, or cannot be used in an ad."),
    1443226: ("Thumbnail missing", "Please specify one of image_hash or image_url in video_data."),
    1815629: ("Values must be unique", "The values of an asset must be unique."),
    1885878: ("Asset feed incomplete", "The asset feed lacks something that its formats need."),
    1373054: ("Call to action cannot be read", "The call to action must be an object with type "
              "and value."),
    3858258: ("Image cannot be downloaded", "The image cannot be downloaded from its URL."),
    1487411: ("Image file type", "The file is not a JPEG, PNG, GIF or WebP image."),
}  # fmt: skip


def refused(subcode: int, *, blame: str, because: str = "") -> GraphError:
    """Error 100 with a subcode that has a name; `because` adds to Meta's words what is wrong."""
    title, words = _WORDS[subcode]
    return GraphError(
        100,
        "Invalid parameter",
        subcode=subcode,
        user_title=title,
        user_msg=f"{words} {because}".rstrip(),
        blame=blame,
    )


def wrong(name: str, message: str) -> GraphError:
    """Error 100 without a subcode, which blames the parameter `name`."""
    return GraphError(100, f"(#100) {message}", blame=name)


def missing(name: str) -> GraphError:
    """A parameter that must be given and is not."""
    return wrong(name, f"The parameter {name} is required")
