"""What a customer did a year ago, in the days that correspond to those that follow the snapshot.

Unknown for customers whose first purchase is less than a year ago.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import count, money

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

YEAR = 365
LENGTHS = (30, 90, 180)


def _lines(lines: ibis.Table, at: Moment) -> Columns:
    return {f"net_year_ago_{n}": lines.amount.sum(where=at.within(lines.day, n, ended=YEAR - n)) for n in LENGTHS}


def _purchases(purchases: ibis.Table, at: Moment) -> Columns:
    ago = {f"purchases_year_ago_{n}": at.within(purchases.day, n, ended=YEAR - n) for n in LENGTHS}
    return {name: purchases.count(where=there) for name, there in ago.items()}


def _days(days: ibis.Table, _: Moment) -> Columns:
    return {"first_day": days.day.min()}


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    import ibis

    there = at.day - row.first_day >= YEAR
    values = {f"spend_ahead_{n}_year_ago": money(row[f"net_year_ago_{n}"]) for n in LENGTHS}
    values |= {f"purchases_ahead_{n}_year_ago": count(row[f"purchases_year_ago_{n}"]) for n in LENGTHS}
    return {name: ibis.ifelse(there, value, ibis.null("float64")) for name, value in values.items()}


FAMILY = Family(
    name="season",
    features=(
        *(
            Feature(f"spend_ahead_{n}_year_ago", f"net spend in the {n} days that began a year ago", "money")
            for n in LENGTHS
        ),
        *(
            Feature(f"purchases_ahead_{n}_year_ago", f"purchases in the {n} days that began a year ago", "count")
            for n in LENGTHS
        ),
    ),
    measures={"lines": _lines, "purchases": _purchases, "days": _days},
    formulas=_formulas,
)
