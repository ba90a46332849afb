"""Subscriptions: open and ended ones, for how long, at which fee. An end is known once it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import count, money, number

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _subscriptions(subscriptions: ibis.Table, _: Moment) -> Columns:
    runs = subscriptions.end.isnull()
    return {
        "subscriptions_all": subscriptions.count(),
        "subscriptions_running": subscriptions.count(where=runs),
        "subscription_first": subscriptions.start.min(),
        "subscription_newest": subscriptions.start.max(),
        "subscription_end": subscriptions.end.max(),
        "subscription_fees": subscriptions.fee.sum(where=runs),
        "subscription_top": subscriptions.plan.max(where=subscriptions.place == 0),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "subscriptions_open": count(row.subscriptions_running),
        "subscriptions_ended": count(row.subscriptions_all) - count(row.subscriptions_running),
        "subscription_tenure": number(at.day - row.subscription_first),
        "subscription_newest_days": number(at.day - row.subscription_newest),
        "days_since_subscription_end": number(at.day - row.subscription_end),
        "subscription_fee": money(row.subscription_fees),
        "subscription_plan": row.subscription_top,
    }


FAMILY = Family(
    name="subscriptions",
    features=(
        Feature("subscriptions_open", "subscriptions that run", "count"),
        Feature("subscriptions_ended", "subscriptions that have ended", "count"),
        Feature("subscription_tenure", "since the day the first subscription started", "days"),
        Feature("subscription_newest_days", "since the day the newest subscription started", "days"),
        Feature("days_since_subscription_end", "since the day a subscription last ended", "days"),
        Feature("subscription_fee", "fees of the subscriptions that run", "money per month"),
        Feature("subscription_plan", "plan of the newest that runs, else of the newest", "name", "category"),
    ),
    measures={"subscriptions": _subscriptions},
    formulas=_formulas,
)
