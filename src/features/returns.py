"""What came back: rows with a negative amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import count, money, number, share

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _lines(lines: ibis.Table, at: Moment) -> Columns:
    back = lines.amount < 0
    recent = back & at.within(lines.day, 180)
    return {
        "lines_all": lines.count(),
        "back_lines": lines.count(where=back),
        "back_lines_180": lines.count(where=recent),
        "back_amount": (-lines.amount).sum(where=back),
        "back_amount_180": (-lines.amount).sum(where=recent),
        "back_day": lines.day.max(where=back),
        "sale_amount": lines.amount.sum(where=lines.amount > 0),
        "sale_amount_180": lines.amount.sum(where=(lines.amount > 0) & at.within(lines.day, 180)),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "returns": count(row.back_lines),
        "returns_180": count(row.back_lines_180),
        "return_value": money(row.back_amount),
        "return_value_180": money(row.back_amount_180),
        "return_share": share(row.back_amount, row.sale_amount),
        "return_share_180": share(row.back_amount_180, row.sale_amount_180),
        "return_line_share": share(row.back_lines, row.lines_all),
        "days_since_return": number(at.day - row.back_day),
    }


FAMILY = Family(
    name="returns",
    features=(
        Feature("returns", "rows with a negative amount", "count"),
        Feature("returns_180", "such rows in the last 180 days", "count"),
        Feature("return_value", "what was returned, as a positive amount", "money"),
        Feature("return_value_180", "what was returned in the last 180 days", "money"),
        Feature("return_share", "what was returned over what was sold", "share"),
        Feature("return_share_180", "the same in the last 180 days", "share"),
        Feature("return_line_share", "share of the rows that are returns", "share"),
        Feature("days_since_return", "from the day of the last return to the snapshot", "days"),
    ),
    measures={"lines": _lines},
    formulas=_formulas,
)
