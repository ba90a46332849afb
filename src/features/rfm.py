"""Recency, frequency, monetary value, and the counts that buy-till-you-die formulas read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import count, days_since, deviation, known_money, money, number, ratio, square

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _lines(lines: ibis.Table, _: Moment) -> Columns:
    return {"net": lines.amount.sum()}


def _purchases(purchases: ibis.Table, _: Moment) -> Columns:
    return {
        "purchases_all": purchases.count(),
        "bought": purchases.amount.sum(),
        "bought_squares": square(purchases.amount).sum(),
        "largest": purchases.amount.max(),
        "last_second": purchases.second.max(),
    }


def _days(days: ibis.Table, _: Moment) -> Columns:
    return {
        "days_all": days.count(),
        "first_day": days.day.min(),
        "last_day": days.day.max(),
        "bought_later": days.amount.sum(where=days.gap.notnull()),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    repeats = count(row.days_all - 1)
    return {
        "purchases": count(row.purchases_all),
        "repeat_days": repeats,
        "recency_span": number(row.last_day - row.first_day),
        "age": number(at.day - row.first_day),
        "days_since_last": days_since(row.last_second, at),
        "spend_total": money(row.net),
        "spend_mean": ratio(known_money(row.bought), row.purchases_all),
        "spend_sd": known_money(deviation(row.purchases_all, row.bought, row.bought_squares)),
        "spend_max": known_money(row.largest),
        "spend_repeat_mean": ratio(known_money(row.bought_later), repeats),
    }


FAMILY = Family(
    name="rfm",
    features=(
        Feature("purchases", "orders that sum to more than 0", "count"),
        Feature("repeat_days", "days with a purchase after the first such day (the frequency of BG/NBD)", "count"),
        Feature("recency_span", "from the first to the last day with a purchase (the recency of BG/NBD)", "days"),
        Feature("age", "from the first day with a purchase to the snapshot (the T of BG/NBD)", "days"),
        Feature("days_since_last", "since the last purchase", "days"),
        Feature("spend_total", "net spend, returns taken off", "money"),
        Feature("spend_mean", "mean amount of a purchase", "money"),
        Feature("spend_sd", "standard deviation of the amounts of purchases", "money"),
        Feature("spend_max", "largest purchase", "money"),
        Feature("spend_repeat_mean", "mean amount of a purchase day after the first (for Gamma-Gamma)", "money"),
    ),
    measures={"lines": _lines, "purchases": _purchases, "days": _days},
    formulas=_formulas,
)
