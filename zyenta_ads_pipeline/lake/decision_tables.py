"""The optimizer's tables: curves, decisions, what stopped them, the budgets that fit, the changes.

All but the curves are append-only and keyed by decision: no backfill decides the past again.
"""

from __future__ import annotations

import polars as pl

from zyenta_ads_pipeline.lake.schema import MOMENT, MONEY, Column, Table
from zyenta_ads_pipeline.optimizer.curve_rows import CURVE_ROWS

FORECAST_DAYS = 7
"""Days ahead that the forecasts beside an allocation look."""

_ACCOUNT = Column("account_id", pl.String, "Ad account, digits without act_.")
_CAMPAIGN = Column("campaign_id", pl.String, "Campaign.")
_CURRENCY = Column("currency", pl.String, "The account's currency, as Meta names it.")
_RUN = Column("run_id", pl.String, "The Dagster run that wrote the row.")
_DAY = Column("date", pl.Date, "The account's last complete day the decision looks at.")
_SAME_DAY = Column("date", pl.Date, "As in budget_decisions.")
_DECISION_KEY = (
    Column("decision_id", pl.String, "One id per decided run and account."),
    Column("decided_at", MOMENT, "When it was decided (Meta's clock, UTC)."),
)

_CURVE_MEANINGS = {
    "day": "The account's last complete day, which the fit ends with.",
    "family": "Shape of each of the bank's models: mm saturates, pow does not.",
    "drift": "Standard deviation by which each model lets the log of the level move in a day.",
    "prior_elasticity": "Elasticity each model expects before it has seen anything.",
    "ref": "Spend at which alpha is stated, account currency.",
    "weight": "Weight of each model; sums to 1.",
    "alpha": "Log of the conversions of a day at that spend, by model.",
    "u": "Shape of the curve by model; its elasticity at ref is the logistic function of it.",
    "paa": "Variance of alpha, by model.",
    "pau": "Covariance of alpha and u, by model.",
    "puu": "Variance of u, by model.",
    "log_order": "Log of the mean value of one conversion, account currency.",
    "var_log_order": "Its variance.",
    "weekday": "Log factor of each weekday, Monday first.",
    "largest_spend": "Largest spend of a day ever seen, account currency; 0 without any.",
    "days_seen": "Days with spend that were learned from.",
    "conversions": "Reported conversions that were learned from.",
}
_CURVE_KEY = "object_id"

RESPONSE_CURVES = Table(
    "response_curves",
    "What each campaign and ad set would sell at another budget: the curve as fitted last, with "
    "its uncertainty. Fitted anew from the last 90 days by each run.",
    ("account_id", "level", "object_id"),
    (
        _ACCOUNT,
        Column("level", pl.String, "campaign or adset."),
        Column("object_id", pl.String, "The object of that level."),
        Column("campaign_id", pl.String, "Its campaign; of a campaign itself."),
        _CURRENCY,
        Column("budget", pl.Float64, "Daily budget when fitted, account currency; empty: none."),
        Column(
            "purchases",
            pl.Float64,
            "Purchases expected of a day at that budget, once all are reported.",
        ),
        Column("marginal", pl.Float64, "Value that the next unit of budget returns there."),
        Column("marginal_low", pl.Float64, "Lower end of its 80 % interval."),
        Column("marginal_high", pl.Float64, "Upper end of its 80 % interval."),
        *(
            Column(name, kind, _CURVE_MEANINGS.get(name, f"{name} of the curve, to rebuild it."))
            for name, kind in CURVE_ROWS.items()
            if name != _CURVE_KEY
        ),
        Column("fitted_to", pl.String, "Fingerprint of the days it was fitted to."),
        Column("observed_at", MOMENT, "When the account was last observed (Meta's clock, UTC)."),
        _RUN,
    ),
    daily=False,
)

BUDGET_DECISIONS = Table(
    "budget_decisions",
    "What the policy says each campaign deserves on its own, and why. Append-only.",
    ("decision_id", "campaign_id"),
    (
        _DAY,
        _ACCOUNT,
        _CAMPAIGN,
        Column("campaign_name", pl.String, "Name at that time."),
        _CURRENCY,
        *_DECISION_KEY,
        Column("policy", pl.String, "Name of the policy."),
        Column("shares_total", pl.Boolean, "Whether the policy shares a total by itself."),
        Column("window_days", pl.Int64, "Days it looked at."),
        Column("action", pl.String, "increase, decrease, maintain or pause."),
        Column("current_budget", MONEY, "Daily budget when decided, account currency."),
        Column("new_budget", MONEY, "Budget it asks for, exact; empty: leave it."),
        Column("reason", pl.String, "Why, in words."),
        Column(
            "confidence",
            pl.Float64,
            "Probability that the action is right; fixed by rule in roas_thresholds.",
        ),
        Column(
            "probability_up",
            pl.Float64,
            "Probability that more budget is right; empty where the policy tells none.",
        ),
        Column(
            "log_marginal",
            pl.Float64,
            "Log of what the next unit of money returns at today's budget; empty: not known.",
        ),
        Column(
            "curvature",
            pl.Float64,
            "How fast that falls as the budget grows, -dlog(marginal)/dlog(spend).",
        ),
        Column(
            "hold",
            pl.String,
            "Why the budget stays as it is for now, whatever the policy says; empty: it need not.",
        ),
        Column("spend", MONEY, "Spend in the window."),
        Column("purchases", MONEY, "Purchases in the window."),
        Column("purchase_value", MONEY, "Their value."),
        Column("roas", pl.Float64, "purchase_value / spend."),
        Column("days_running", pl.Int64, "Days since the first delivery known."),
        Column("table_versions", pl.String, "JSON: versions of the tables read, to replay it."),
        Column("rules", pl.String, "JSON: the account's rules at that time, to replay it."),
        _RUN,
    ),
)

DECISION_STOPS = Table(
    "decision_stops",
    "What kept an account, as a whole, from being acted on when it was decided: what each forbade, "
    "and why. Append-only.",
    ("decision_id", "kind"),
    (
        _SAME_DAY,
        _ACCOUNT,
        *_DECISION_KEY,
        Column("kind", pl.String, "What it is about, as one word."),
        Column("forbids", pl.String, "What it forbade: everything, raises or cuts."),
        Column("reason", pl.String, "Why, in words."),
        _RUN,
    ),
)


def _forecasts() -> tuple[Column, ...]:
    """Purchases and their value at today's budget, at the allocated one, and the difference."""
    columns = []
    of = (("purchases", "Purchases"), ("value", "Their value, account currency,"))
    at = (
        ("now", "if the budget stayed as it is"),
        ("new", "at the allocated budget"),
        ("change", "that the allocated budget brings or costs"),
    )
    for name, what in of:
        for short, when in at:
            said = f"{what} of the next {FORECAST_DAYS} days {when}, once all are reported"
            columns += [
                Column(f"{name}_{short}", pl.Float64, f"{said}: what is expected."),
                Column(f"{name}_{short}_low", pl.Float64, f"{said}: lower end, 80 %."),
                Column(f"{name}_{short}_high", pl.Float64, f"{said}: upper end, 80 %."),
            ]
    return tuple(columns)


BUDGET_ALLOCATION = Table(
    "budget_allocation",
    "The budgets that fit together: under floors, caps, steps and the account's total. "
    "Append-only.",
    ("decision_id", "campaign_id"),
    (
        _SAME_DAY,
        _ACCOUNT,
        _CAMPAIGN,
        Column("campaign_name", pl.String, "Name at that time."),
        _CURRENCY,
        *_DECISION_KEY,
        Column("action", pl.String, "set, keep, pause or leave (not part of the allocation)."),
        Column("current_budget_minor", pl.Int64, "Daily budget now, minor units."),
        Column(
            "allocated_minor", pl.Int64, "Daily budget allocated, minor units; empty: left alone."
        ),
        Column("limit", pl.String, "What held the budget back, as one word; none: nothing."),
        Column("note", pl.String, "What bound or rule applied to this campaign, in words."),
        Column("hold", pl.String, "Why it was held at today's budget; empty: it was not."),
        Column("group", pl.String, "Group of campaigns with a total of its own; empty: none."),
        Column("confidence", pl.Float64, "Probability that the move is right."),
        Column("probability_up", pl.Float64, "Probability that more budget is right."),
        *_forecasts(),
        Column("case", pl.String, "How the total was met, its group's or the account's: a word."),
        Column("message", pl.String, "The same in a sentence, with amounts."),
        Column("needs_person", pl.Boolean, "True where a limit had to give way: a person decides."),
        Column(
            "price",
            pl.Float64,
            "What the last unit of that total returns in every campaign that no limit holds; "
            "empty where the budgets were not found by price.",
        ),
        Column(
            "total_minor", pl.Int64, "Total asked for, the group's or the account's; empty: none."
        ),
        Column("distributed_minor", pl.Int64, "Sum actually allocated of it."),
        _RUN,
    ),
)

CHANGE_SET = Table(
    "change_set",
    "The changes proposed to Meta: absolute values per object. Append-only; their later fate is "
    "in the store's journal.",
    ("decision_id", "object_id", "field"),
    (
        _SAME_DAY,
        _ACCOUNT,
        _CAMPAIGN,
        *_DECISION_KEY,
        Column("change_id", pl.String, "Id in the outbox; empty if it was not taken up."),
        Column("level", pl.String, "campaign or adset."),
        Column("object_id", pl.String, "The object whose value changes."),
        Column("object_name", pl.String, "Its name."),
        Column("field", pl.String, "daily_budget or status."),
        Column("old_value", pl.String, "Value seen: minor units or status."),
        Column("new_value", pl.String, "Value to set."),
        _CURRENCY,
        Column("reason", pl.String, "Why, in words, with what it is expected to bring."),
        Column("confidence", pl.Float64, "Probability that the move is right."),
        Column("outcome", pl.String, "proposed, approved, or why it was not taken up."),
        _RUN,
    ),
)

DECISION_TABLES = (
    RESPONSE_CURVES,
    BUDGET_DECISIONS,
    DECISION_STOPS,
    BUDGET_ALLOCATION,
    CHANGE_SET,
)
"""In the order in which a run fills them."""
