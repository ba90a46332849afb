"""How the last 30 days depart from the customer's own past; unknown where there is nothing in either to compare.

What is new in them (a product, a category, a channel, a time of day) was in no purchase of more than 30 days ago.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calendar import BANDS
from .family import Columns, Family, Feature, Measure
from .formulas import double, number, ratio

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

RECENT = 30


def _lines(lines: ibis.Table, at: Moment) -> Columns:
    recent = at.within(lines.day, RECENT)
    back, sale = lines.amount < 0, lines.amount > 0
    told = (lines.amount > 0) & lines.discount.notnull()
    return {
        "back_amount": (-lines.amount).sum(where=back),
        "back_amount_30": (-lines.amount).sum(where=back & recent),
        "sale_amount": lines.amount.sum(where=lines.amount > 0),
        "sale_amount_30": lines.amount.sum(where=sale & recent),
        "told_amount": lines.amount.sum(where=told),
        "told_amount_30": lines.amount.sum(where=told & recent),
        "off_amount": lines.discount.sum(where=told),
        "off_amount_30": lines.discount.sum(where=told & recent),
    }


def _purchases(purchases: ibis.Table, at: Moment) -> Columns:
    recent = at.within(purchases.day, RECENT)
    bands = {name: (purchases.hour >= first) & (purchases.hour < after) for name, (first, after) in BANDS.items()}
    return {
        "purchases_all": purchases.count(),
        f"purchases_in_{RECENT}": purchases.count(where=recent),
        "bought": purchases.amount.sum(),
        "bought_30": purchases.amount.sum(where=recent),
        "largest_30": purchases.amount.max(where=recent),
        "largest_before": purchases.amount.max(where=~recent),
        "purchase_lines": purchases.lines.sum(),
        "purchase_lines_30": purchases.lines.sum(where=recent),
        "purchase_lines_most_30": purchases.lines.max(where=recent),
        "purchase_quantity": purchases.quantity.sum(),
        "purchase_quantity_30": purchases.quantity.sum(where=recent),
        "purchase_quantity_most_30": purchases.quantity.max(where=recent),
        **{f"in_{name}": purchases.count(where=there) for name, there in bands.items()},
        **{f"in_{name}_30": purchases.count(where=there & recent) for name, there in bands.items()},
    }


def _days(days: ibis.Table, _: Moment) -> Columns:
    return {"first_day": days.day.min()}


def _kinds(what: str) -> Measure:
    """How many kinds of something were bought in the last days, and how many of them for the first time."""

    def measure(kinds: ibis.Table, at: Moment) -> Columns:
        return {
            f"{what}_kinds_30": kinds.count(where=at.within(kinds["last"], RECENT)),
            f"{what}_kinds_new_30": kinds.count(where=at.within(kinds["first"], RECENT)),
        }

    return measure


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    recent, before = row.purchases_in_30, row.purchases_all - row.purchases_in_30
    age = at.day - row.first_day - RECENT
    back = _part(row.back_amount_30, row.sale_amount_30)
    off = _part(row.off_amount_30, row.told_amount_30)
    return {
        "recent_pace_ratio": ratio(number(recent) * number(age), before) / double(RECENT),
        "recent_amount_ratio": _ratio(row.largest_30, row.bought - row.bought_30, before),
        "recent_record_ratio": ratio(row.largest_30, row.largest_before),
        "recent_lines_ratio": _ratio(row.purchase_lines_most_30, row.purchase_lines - row.purchase_lines_30, before),
        "recent_quantity_ratio": _ratio(
            row.purchase_quantity_most_30, row.purchase_quantity - row.purchase_quantity_30.coalesce(0), before
        ),
        "recent_return_share": back,
        "recent_return_change": back
        - _earlier(row.back_amount, row.back_amount_30, row.sale_amount, row.sale_amount_30),
        "recent_discount_change": off
        - _earlier(row.off_amount, row.off_amount_30, row.told_amount, row.told_amount_30),
        **{f"recent_new_{what}_share": _new(row, what, before) for what in ("product", "category", "channel")},
        "recent_new_time_share": _new_times(row, recent, before),
    }


def _ratio(most: Any, total: Any, n: Any) -> Any:
    """The most of the last days over the mean of the purchases before them."""
    return ratio(number(most) * number(n), total)


def _part(some: Any, rest: Any) -> Any:
    """``some`` of both together, what is not there counting as 0; unknown where there is neither."""
    some = some.coalesce(0)
    return ratio(some, some + rest.coalesce(0))


def _earlier(some: Any, some_30: Any, rest: Any, rest_30: Any) -> Any:
    """The same of what was before the last days."""
    return _part(some.coalesce(0) - some_30.coalesce(0), rest.coalesce(0) - rest_30.coalesce(0))


def _new(row: ibis.Table, what: str, before: Any) -> Any:
    """The share of new kinds, where there was a purchase before."""
    import ibis

    return ibis.ifelse(before > 0, ratio(row[f"{what}_kinds_new_30"], row[f"{what}_kinds_30"]), ibis.null("float64"))


def _new_times(row: ibis.Table, recent: Any, before: Any) -> Any:
    """The share of the newest purchases at a time of day at which nothing was bought before."""
    import ibis

    strange = sum(ibis.ifelse(row[f"in_{name}"] == row[f"in_{name}_30"], row[f"in_{name}_30"], 0) for name in BANDS)
    return ibis.ifelse(before > 0, ratio(strange, recent), ibis.null("float64"))


FAMILY = Family(
    name="departures",
    features=(
        Feature("recent_pace_ratio", "purchases in the last 30 days over as many as usual in 30 days before", "ratio"),
        Feature("recent_amount_ratio", "largest purchase of the last 30 days over the mean of those before", "ratio"),
        Feature("recent_record_ratio", "the same over the largest of those before: above 1 is a record", "ratio"),
        Feature("recent_lines_ratio", "most lines of a purchase in the last 30 days over the mean before", "ratio"),
        Feature("recent_quantity_ratio", "most pieces of a purchase in the last 30 days over the mean before", "ratio"),
        Feature("recent_return_share", "returns of the last 30 days over returns and sales in them", "share"),
        Feature("recent_return_change", "that share less the same share before them: -1 to 1", "ratio"),
        Feature("recent_discount_change", "share taken off in the last 30 days less that before: -1 to 1", "ratio"),
        Feature(
            "recent_new_product_share", "of the products of the last 30 days, the share not bought before", "share"
        ),
        Feature("recent_new_category_share", "of the categories, the share not bought before", "share"),
        Feature("recent_new_channel_share", "of the channels of the last 30 days, the share not used before", "share"),
        Feature("recent_new_time_share", "share of their purchases at a time of day (of four) new to them", "share"),
    ),
    measures={
        "lines": _lines,
        "purchases": _purchases,
        "days": _days,
        "products": _kinds("product"),
        "categories": _kinds("category"),
        "channels": _kinds("channel"),
    },
    formulas=_formulas,
)
