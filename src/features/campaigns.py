"""How often a customer was contacted, and what came of it.

A row says when the contact was made, not when it was answered: what came of a contact counts as known 30 days later,
so that nothing from after the snapshot shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import count, days_since, money, number, ratio

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

SETTLED = 30


def _campaigns(campaigns: ibis.Table, at: Moment) -> Columns:
    contact = campaigns.treated
    settled = contact & (campaigns.day < at.day - SETTLED)
    answered = settled & campaigns.responded
    return {
        "contacts_all": campaigns.count(where=contact),
        "contacts_recent": campaigns.count(where=contact & at.within(campaigns.day, 90)),
        "contact_last": campaigns.second.max(where=contact),
        "contact_cost": campaigns.cost.sum(where=contact),
        "kept_back": campaigns.count(where=~contact),
        "answers": campaigns.count(where=answered),
        "answers_told": campaigns.responded.count(where=settled),
        "answer_day": campaigns.day.max(where=answered),
        "answer_revenue": campaigns.revenue.sum(where=settled),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "contacts": count(row.contacts_all),
        "contacts_90": count(row.contacts_recent),
        "days_since_contact": days_since(row.contact_last, at),
        "contact_cost_total": money(row.contact_cost),
        "contacts_withheld": count(row.kept_back),
        "responses": count(row.answers),
        "response_share": ratio(row.answers, row.answers_told),
        "days_since_response": number(at.day - row.answer_day),
        "response_revenue": money(row.answer_revenue),
    }


FAMILY = Family(
    name="campaigns",
    features=(
        Feature("contacts", "campaigns that contacted the customer", "count"),
        Feature("contacts_90", "contacts in the last 90 days", "count"),
        Feature("days_since_contact", "since the last contact", "days"),
        Feature("contact_cost_total", "what the contacts cost", "money"),
        Feature("contacts_withheld", "campaigns in which the customer was kept back as control", "count"),
        Feature("responses", f"contacts of more than {SETTLED} days ago that were answered", "count"),
        Feature("response_share", f"share of the contacts of more than {SETTLED} days ago that were answered", "share"),
        Feature("days_since_response", "from the day of the last such contact that was answered", "days"),
        Feature("response_revenue", f"money that came of contacts of more than {SETTLED} days ago", "money"),
    ),
    measures={"campaigns": _campaigns},
    formulas=_formulas,
)
