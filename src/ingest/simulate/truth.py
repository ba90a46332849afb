"""What is true of the simulated people, which no record says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from . import catalog, names
from .behaviour import AHEAD, CHANNELS, DAY, REASONS, STORE, seasonal_curves
from .campaigns import WINDOW
from .shape import moment, money

if TYPE_CHECKING:
    from .behaviour import Lines, Lives, Orders, Span
    from .identity import Identity
    from .people import Floats, People
    from .shape import Texts


def customers(
    people: People, known: list[Identity], ids: Texts, lives: Lives, orders: Orders, lines: Lines, span: Span
) -> pa.Table:
    """One row per person: traits, lifetime, rates, and what they do in the 90 days after the records end."""
    n, horizon = len(people), span.end + AHEAD * DAY
    gone = lives.end < horizon
    active = lives.end >= span.end
    past, next_ = lines.ts < span.end, (lines.ts >= span.end) & (lines.ts < horizon)
    who = orders.person[lines.order]
    recorded, ahead = orders.ts < span.end, (orders.ts >= span.end) & (orders.ts < horizon)
    uplift = _uplift(people, span)
    return pa.table(
        {
            "person": pa.array(ids),
            "name": pa.array([f"{k.family}{k.given}" if k.han else f"{k.given} {k.family}" for k in known]),
            "woman": pa.array(people.woman),
            "birth_date": pa.array(people.birth.astype("datetime64[D]")),
            "city": pa.array([names.CITIES[c].latin for c in people.city]),
            "household": pa.array(ids[people.household]),
            "income": pa.array(people.income),
            "price_sensitivity": pa.array(people.thrift),
            "engagement": pa.array(people.engagement),
            "preferred_channel": pa.array(_channel(people)),
            "preferred_category": pa.array(np.array(catalog.CATEGORIES)[_favourite(people)]),
            "uses_app": pa.array(people.app),
            "started_at": moment(lives.start, span),
            "left_at": pa.array((lives.end + span.epoch_day * DAY).astype("datetime64[s]"), mask=~gone),
            "left_because": pa.array(np.array(REASONS)[np.where(gone, lives.reason, 0)]),
            "active_at_end": pa.array(active),
            "orders_per_day": pa.array(people.rate),
            "leaving_per_day": pa.array(people.hazard),
            "leaving_after_first_order": pa.array(people.leave_first),
            "leaving_after_an_order": pa.array(people.leave_order),
            "orders": pa.array(np.bincount(orders.person[recorded], minlength=n)),
            "net_spend": pa.array(money(np.bincount(who[past], lines.net[past], minlength=n))),
            "orders_ahead": pa.array(np.bincount(orders.person[ahead], minlength=n)),
            "value_ahead": pa.array(money(np.bincount(who[next_], lines.net[next_], minlength=n))),
            "expected_orders_ahead": pa.array(people.rate * active * _demand(people, span, AHEAD)),
            "uplift": pa.array(np.where(active & people.app, uplift, 0.0)),
        }
    )


def _channel(people: People) -> Texts:
    online = np.where(people.app, CHANNELS[1], CHANNELS[0])
    return np.where(people.store > 0.5, CHANNELS[STORE], online)


def _favourite(people: People) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    shares = np.diff(people.category, axis=1, prepend=0.0)
    return np.asarray(shares.argmax(axis=1))


def _demand(people: People, span: Span, days: int) -> Floats:
    """The seasonal demand of each person over some days after the end, in days of a season of 1."""
    curves = seasonal_curves(span)
    last = curves.shape[1] - 1 - AHEAD
    return np.asarray((curves[:, last + days] - curves[:, last])[people.season])


def _uplift(people: People, span: Span) -> Floats:
    """The expected change of the chance to buy within two weeks of a contact at the end, for somebody active."""
    buys = 1.0 - np.exp(-people.rate * _demand(people, span, WINDOW // DAY))
    return np.where(people.contact > 0, people.contact * (1.0 - buys), people.contact * buys)
