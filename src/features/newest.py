"""The newest events: what the last days show of a purchase to come.

A kind counts as a cart, a search or a wish by what it is called, in English or Chinese, whatever its case.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from .family import Columns, Family, Feature
from .formulas import count, days_since, double, number, share

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

LENGTHS = (1, 3, 7, 14)
SIGNS = {
    "cart": ("cart", "basket", "checkout", "购物车", "加购"),
    "search": ("search", "query", "搜索"),
    "wish": ("wish", "favo", "收藏"),
}
"""What the name of a kind holds that speaks of an intention."""
MILLISECONDS = 1_000


def called(kind: Any, words: tuple[str, ...]) -> Any:
    """Whether a kind's name holds one of these words."""
    low = kind.lower()
    return reduce(or_, (low.contains(word) for word in words))


def _events(events: ibis.Table, at: Moment) -> Columns:
    within = {n: at.within(events.day, n) for n in (*LENGTHS, 30)}
    signs = {sign: called(events.kind, words) for sign, words in SIGNS.items()}
    return {
        **{f"events_{n}": events.count(where=recent) for n, recent in within.items()},
        **{f"{sign}_n_7": events.count(where=there & within[7]) for sign, there in signs.items()},
        **{f"{sign}_n_30": events.count(where=there & within[30]) for sign, there in signs.items()},
        "cart_last": events.second.max(where=signs["cart"]),
        "event_days_7": events.day.nunique(where=within[7]),
        "event_kinds_7": events.kind.nunique(where=within[7]),
        "event_sessions_7": events.session_id.nunique(where=within[7]),
        "looks_14": events.product_id.count(where=within[14]),
        "event_products_14": events.product_id.nunique(where=within[14]),
        "event_duration_7": events.duration.sum(where=within[7]),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        **{f"visits_{n}": count(row[f"events_{n}"]) for n in LENGTHS},
        **{f"{sign}_events_7": count(row[f"{sign}_n_7"]) for sign in SIGNS},
        **{f"{sign}_share_30": share(row[f"{sign}_n_30"], row.events_30.nullif(0)) for sign in SIGNS},
        "visits_share_7": share(row.events_7, row.events_30.nullif(0)),
        "days_since_cart": days_since(row.cart_last, at),
        "visit_days_7": count(row.event_days_7),
        "visit_kinds_7": count(row.event_kinds_7),
        "visit_sessions_7": count(row.event_sessions_7),
        "looked_again_14": count(row.looks_14) - count(row.event_products_14),
        "visit_seconds_7": number(row.event_duration_7.coalesce(0)) / double(MILLISECONDS),
    }


FAMILY = Family(
    name="newest",
    features=(
        *(Feature(f"visits_{n}", f"events in the last {n} day{'' if n == 1 else 's'}", "count") for n in LENGTHS),
        *(Feature(f"{sign}_events_7", f"events of the kind {sign} in the last 7 days", "count") for sign in SIGNS),
        *(Feature(f"{sign}_share_30", f"share of the kind {sign} in the last 30 days", "share") for sign in SIGNS),
        Feature("visits_share_7", "share of the events of the last 30 days that lie in the last 7", "share"),
        Feature("days_since_cart", "since the last event of the kind cart", "days"),
        Feature("visit_days_7", "days with an event in the last 7 days", "count"),
        Feature("visit_kinds_7", "different kinds of events in the last 7 days", "count"),
        Feature("visit_sessions_7", "different sessions in the last 7 days", "count"),
        Feature(
            "looked_again_14", "in the last 14 days, looks at a product that was looked at before in them", "count"
        ),
        Feature("visit_seconds_7", "duration of the events in the last 7 days", "seconds"),
    ),
    measures={"events": _events},
    formulas=_formulas,
)
