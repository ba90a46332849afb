"""Who the customer is, as last known before the snapshot: the newest registration that says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import count, double, number

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

YEAR = 365.25


def _customers(customers: ibis.Table, _: Moment) -> Columns:
    columns = {"known_gender": "gender", "known_country": "country", "known_city": "city", "known_born": "born"}
    newest = {
        name: customers[column].argmax(customers.place, where=customers[column].notnull())
        for name, column in columns.items()
    }
    return {**newest, "first_registered": customers.registered.min(), "registered_records": customers.count()}


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "age_years": number(at.day - row.known_born) / double(YEAR),
        "days_since_registration": number(at.day - row.first_registered),
        "registrations": count(row.registered_records),
        "gender": row.known_gender,
        "country": row.known_country,
        "city": row.known_city,
    }


FAMILY = Family(
    name="demographics",
    features=(
        Feature("age_years", "age at the snapshot", "years"),
        Feature("days_since_registration", "since the day of the first registration", "days"),
        Feature("registrations", "registrations, over all sources", "count"),
        Feature("gender", "gender as recorded", "name", "category"),
        Feature("country", "country", "name", "category"),
        Feature("city", "city", "name", "category"),
    ),
    measures={"customers": _customers},
    formulas=_formulas,
)
