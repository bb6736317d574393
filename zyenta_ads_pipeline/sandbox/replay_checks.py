"""What must hold for a replay's rows; the first row that breaks a rule is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.domain.time import account_day, zone
from zyenta_ads_pipeline.sandbox.replay_file import REQUIRED, line_of

_ID = r"^[A-Za-z0-9_-]{1,64}$"
_ACCOUNT_ID = r"^[0-9]{1,64}$"
_COUNT = r"^[0-9]{1,15}$"
_AMOUNT = r"^[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True)
class ReplayChecks:
    """Checks on the rows of one file, all columns being texts."""

    path: Path
    rows: pl.DataFrame

    def all(self, now: datetime) -> None:
        """Every check; `InputError` names file, line, column, value and remedy.

        `now` is real time: a day that has not begun for its account cannot have happened.
        """
        for name in REQUIRED:
            self._every(name, pl.col(name).is_not_null(), "Fill the cell.", present=False)
        self._days()
        self._texts()
        self._words()
        self._one_each()
        self._not_ahead(now)

    def _days(self) -> None:
        form = pl.col("date").str.contains(_DAY)
        real = pl.col("date").str.to_date("%Y-%m-%d", strict=False).is_not_null()
        self._every("date", form & real, "Write days of the calendar as YYYY-MM-DD.")

    def _texts(self) -> None:
        whole = "Write a whole number from 0 on."
        amount = "Write a number from 0 on, with a point for decimals; leave it empty for none."
        text_id = "Write ids as digits; a spreadsheet may have turned a long id into 1.2E+17."
        self._every("account_id", pl.col("account_id").str.contains(_ACCOUNT_ID),
                    "Write the account as digits, with or without act_.")  # fmt: skip
        for name in ("campaign_id", "adset_id", "ad_id"):
            self._every(name, pl.col(name).str.contains(_ID), text_id)
        for name in ("impressions", "clicks"):
            self._every(name, pl.col(name).str.contains(_COUNT), whole)
        stats = [name for name in self.rows.columns if name.startswith("action")]
        for name in ["spend", *stats]:
            self._every(name, pl.col(name).is_null() | pl.col(name).str.contains(_AMOUNT), amount)

    def _words(self) -> None:
        self._every("currency", pl.col("currency").is_in(list(CURRENCY_OFFSETS)),
                    "Use a currency that Meta bills in, such as USD.")  # fmt: skip
        zones = [name for name in self.rows["timezone"].unique() if _is_zone(name)]
        self._every("timezone", pl.col("timezone").is_in(zones),
                    "Use an IANA name such as Europe/Berlin.")  # fmt: skip

    def _one_each(self) -> None:
        repeated = ~pl.struct("date", "ad_id").is_first_distinct()
        self._every("ad_id", ~repeated, "Each ad may have one row a day: merge the rows.",
                    rule="appears a second time on the same date")  # fmt: skip
        for child, parent in (
            ("account_id", "currency"),
            ("account_id", "timezone"),
            ("campaign_id", "account_id"),
            ("adset_id", "campaign_id"),
            ("ad_id", "adset_id"),
        ):
            same = pl.col(parent) == pl.col(parent).first().over(child)
            self._every(parent, same, f"Give each {child} one {parent} throughout.",
                        rule=f"differs from an earlier row of the same {child}")  # fmt: skip
        levels = ("campaign_id", "adset_id", "ad_id")
        for upper, lower in (levels[:2], levels[1:], (levels[0], levels[2])):
            other = self.rows[upper].unique().implode()
            self._every(lower, ~pl.col(lower).is_in(other), "Give every object an id of its own.",
                        rule=f"is also used as a {upper}")  # fmt: skip

    def _not_ahead(self, now: datetime) -> None:
        todays: dict[str, date] = {
            name: account_day(now, name) for name in self.rows["timezone"].unique()
        }
        day = pl.col("date").str.to_date("%Y-%m-%d", strict=False)
        today = pl.col("timezone").replace_strict(todays, return_dtype=pl.Date)
        self._every("date", day <= today, "A replay plays what has happened: remove the row.",
                    rule="lies in the future")  # fmt: skip

    def _every(
        self, name: str, good: pl.Expr, remedy: str, *, present: bool = True, rule: str = ""
    ) -> None:
        bad = self.rows.select(good.fill_null(value=False).not_().alias("bad"))["bad"]
        row = bad.arg_max()
        if row is None or not bad[row]:
            return
        value = self.rows[name][row]
        what = f"value {value!r} in column {name}"
        if not present:
            what = f"nothing in column {name}"
        said = f"{self.path}, {line_of(self.path, row)}: {what}"
        raise InputError(f"{said} {rule or 'cannot be used'}.", remedy)


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except InputError:
        return False
    return True
