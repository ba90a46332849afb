"""Visits and other events: how often, how lately, how long, looking at what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import change, count, days_since, double, number, ratio

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

MILLISECONDS = 1_000


def _events(events: ibis.Table, at: Moment) -> Columns:
    month = at.within(events.day, 30)
    return {
        "events_all": events.count(),
        "events_30": events.count(where=month),
        "events_30_before": events.count(where=at.within(events.day, 30, ended=30)),
        "events_90": events.count(where=at.within(events.day, 90)),
        "event_days": events.day.nunique(),
        "event_days_30": events.day.nunique(where=month),
        "event_kinds": events.kind.nunique(),
        "event_sessions": events.session_id.nunique(),
        "event_products": events.product_id.nunique(),
        "event_products_30": events.product_id.nunique(where=month),
        "event_last": events.second.max(),
        "event_duration": events.duration.sum(),
        "event_durations": events.duration.count(),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "visits": count(row.events_all),
        "visits_30": count(row.events_30),
        "visits_90": count(row.events_90),
        "visits_change_30": change(row.events_30, row.events_30_before),
        "visit_days": count(row.event_days),
        "visit_days_30": count(row.event_days_30),
        "visit_kinds": count(row.event_kinds),
        "visit_sessions": count(row.event_sessions),
        "products_viewed": count(row.event_products),
        "products_viewed_30": count(row.event_products_30),
        "days_since_visit": days_since(row.event_last, at),
        "visit_duration_mean": ratio(number(row.event_duration) / double(MILLISECONDS), row.event_durations),
    }


FAMILY = Family(
    name="visits",
    features=(
        Feature("visits", "visits and other events", "count"),
        Feature("visits_30", "events in the last 30 days", "count"),
        Feature("visits_90", "events in the last 90 days", "count"),
        Feature("visits_change_30", "events, the last 30 days against the 30 before: -1 to 1", "ratio"),
        Feature("visit_days", "days with an event", "count"),
        Feature("visit_days_30", "days with an event in the last 30 days", "count"),
        Feature("visit_kinds", "different kinds of events", "count"),
        Feature("visit_sessions", "different sessions", "count"),
        Feature("products_viewed", "different products looked at", "count"),
        Feature("products_viewed_30", "different products looked at in the last 30 days", "count"),
        Feature("days_since_visit", "since the last event", "days"),
        Feature("visit_duration_mean", "mean duration of an event", "seconds"),
    ),
    measures={"events": _events},
    formulas=_formulas,
)
