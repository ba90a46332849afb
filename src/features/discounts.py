"""How much a customer buys at a discount; unknown where no discounts are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import known_money, number, ratio

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _lines(lines: ibis.Table, at: Moment) -> Columns:
    told = (lines.amount > 0) & lines.discount.notnull()
    off = told & (lines.discount > 0)
    recent = told & at.within(lines.day, 180)
    return {
        "told_lines": lines.count(where=told),
        "told_amount": lines.amount.sum(where=told),
        "told_amount_180": lines.amount.sum(where=recent),
        "off_lines": lines.count(where=off),
        "off_amount": lines.discount.sum(where=told),
        "off_amount_180": lines.discount.sum(where=recent),
        "off_day": lines.day.max(where=off),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "discount_total": known_money(row.off_amount),
        "discount_share": ratio(row.off_amount, row.off_amount + row.told_amount),
        "discount_share_180": ratio(row.off_amount_180, row.off_amount_180 + row.told_amount_180),
        "discounted_line_share": ratio(row.off_lines, row.told_lines),
        "days_since_discount": number(at.day - row.off_day),
    }


FAMILY = Family(
    name="discounts",
    features=(
        Feature("discount_total", "money taken off, returns apart", "money"),
        Feature("discount_share", "money taken off over the amount before it", "share"),
        Feature("discount_share_180", "the same in the last 180 days", "share"),
        Feature("discounted_line_share", "share of the lines at a discount", "share"),
        Feature("days_since_discount", "from the day of the last line at a discount to the snapshot", "days"),
    ),
    measures={"lines": _lines},
    formulas=_formulas,
)
