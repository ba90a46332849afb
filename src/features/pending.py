"""What was looked at, or put into the cart, and not bought since; unknown where a purchase came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .family import Columns, Family, Feature
from .formulas import days_since
from .newest import SIGNS, called

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _events(events: ibis.Table, _: Moment) -> Columns:
    return {"event_last": events.second.max(), "cart_last": events.second.max(where=called(events.kind, SIGNS["cart"]))}


def _purchases(purchases: ibis.Table, _: Moment) -> Columns:
    return {"last_second": purchases.second.max()}


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "days_since_open_visit": days_since(_open(row.event_last, row.last_second), at),
        "days_since_open_cart": days_since(_open(row.cart_last, row.last_second), at),
    }


def _open(second: Any, purchase: Any) -> Any:
    """A moment, unless a purchase came after it."""
    import ibis

    return ibis.ifelse(purchase.isnull() | (second > purchase), second, ibis.null("int64"))


FAMILY = Family(
    name="pending",
    features=(
        Feature("days_since_open_visit", "since the last event, where nothing was bought after it", "days"),
        Feature(
            "days_since_open_cart", "since the last event of the kind cart, where nothing was bought after", "days"
        ),
    ),
    measures={"events": _events, "purchases": _purchases},
    formulas=_formulas,
)
