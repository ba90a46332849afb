"""Spend, purchases and active days in windows that end at the snapshot, and where they are heading.

A window of 30 days holds the 30 days before the snapshot. Slopes are least-squares lines through the last twelve
periods of 30 days, oldest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import change, count, double, money, number, share

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

LENGTHS = (7, 14, 30, 90, 180, 365)
PERIOD, PERIODS = 30, 12
# sum over periods of (i - mean(i))**2, as whole numbers of half periods: sum of (2i - 11)**2 over i = 0 .. 11, by 2
_SPREAD = sum((2 * i - PERIODS + 1) ** 2 for i in range(PERIODS)) / 2


def _lines(lines: ibis.Table, at: Moment) -> Columns:
    return {f"net_{n}": lines.amount.sum(where=at.within(lines.day, n)) for n in LENGTHS}


def _purchases(purchases: ibis.Table, at: Moment) -> Columns:
    return {f"purchases_in_{n}": purchases.count(where=at.within(purchases.day, n)) for n in LENGTHS}


def _days(days: ibis.Table, at: Moment) -> Columns:
    period = (at.day - 1 - days.day) // PERIOD
    weight = (PERIODS - 1) - 2 * period
    year = at.within(days.day, PERIOD * PERIODS)
    return {
        "days_90": days.count(where=at.within(days.day, 90)),
        "days_365": days.count(where=at.within(days.day, 365)),
        "periods_year": period.nunique(where=year),
        "days_tilt": weight.sum(where=year),
        "bought_tilt": (weight * days.amount).sum(where=year),
        "bought_90": days.amount.sum(where=at.within(days.day, 90)),
        "bought_90_before": days.amount.sum(where=at.within(days.day, 90, ended=90)),
        "bought_180": days.amount.sum(where=at.within(days.day, 180)),
        "bought_180_before": days.amount.sum(where=at.within(days.day, 180, ended=180)),
        "days_90_before": days.count(where=at.within(days.day, 90, ended=90)),
        "days_180": days.count(where=at.within(days.day, 180)),
        "days_180_before": days.count(where=at.within(days.day, 180, ended=180)),
        "bought_on_days": days.amount.sum(),
        "days_all": days.count(),
    }


def _formulas(row: ibis.Table, _: Moment) -> Columns:
    spend = {f"spend_{n}": money(row[f"net_{n}"]) for n in LENGTHS}
    purchases = {f"purchases_{n}": count(row[f"purchases_in_{n}"]) for n in LENGTHS}
    return {
        **spend,
        **purchases,
        "active_days_90": count(row.days_90),
        "active_days_365": count(row.days_365),
        "active_months": count(row.periods_year),
        "spend_share_90": share(row.bought_90, row.bought_on_days),
        "active_share_90": share(row.days_90, row.days_all),
        "spend_change_90": change(row.bought_90, row.bought_90_before),
        "spend_change_180": change(row.bought_180, row.bought_180_before),
        "active_change_90": change(row.days_90, row.days_90_before),
        "active_change_180": change(row.days_180, row.days_180_before),
        "active_slope": number(row.days_tilt.coalesce(0)) / double(_SPREAD),
        "spend_slope": money(row.bought_tilt) / double(_SPREAD),
    }


FAMILY = Family(
    name="windows",
    features=(
        *(Feature(f"spend_{n}", f"net spend in the last {n} days", "money") for n in LENGTHS),
        *(Feature(f"purchases_{n}", f"purchases in the last {n} days", "count") for n in LENGTHS),
        Feature("active_days_90", "days with a purchase in the last 90 days", "count"),
        Feature("active_days_365", "days with a purchase in the last 365 days", "count"),
        Feature("active_months", "of the last twelve periods of 30 days, those with a purchase", "count"),
        Feature("spend_share_90", "share of all purchases' amount that lies in the last 90 days", "share"),
        Feature("active_share_90", "share of the days with a purchase that lie in the last 90 days", "share"),
        Feature("spend_change_90", "purchases' amount, the last 90 days against the 90 before: -1 to 1", "ratio"),
        Feature("spend_change_180", "purchases' amount, the last 180 days against the 180 before: -1 to 1", "ratio"),
        Feature("active_change_90", "days with a purchase, the last 90 days against the 90 before: -1 to 1", "ratio"),
        Feature("active_change_180", "days with a purchase, 180 days against the 180 before: -1 to 1", "ratio"),
        Feature("active_slope", "trend of the days with a purchase, by period of 30 days", "count"),
        Feature("spend_slope", "trend of the purchases' amount, by period of 30 days", "money"),
    ),
    measures={"lines": _lines, "purchases": _purchases, "days": _days},
    formulas=_formulas,
)
