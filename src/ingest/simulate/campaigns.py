"""Campaigns with a random control group, and what each contact truly changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .behaviour import DAY, STORE, WEB, Lives, Orders, Span

if TYPE_CHECKING:
    from .people import Flags, Floats, Ints, People

WINDOW = 14 * DAY
"""How long after a contact a purchase counts as its response."""
TREATED = 0.6
"""The share of the chosen people who are contacted; the rest is the control group."""
MESSAGE, COUPON = 50, 1_000
"""What a contact costs, and what a coupon that is used costs on top, in cents."""


@dataclass(frozen=True)
class Contacts:
    """One entry per person and campaign, the control group included."""

    campaign: Ints
    person: Ints
    ts: Ints
    treated: Flags
    without: Flags  # would have bought within the window if left alone
    effect: Floats  # true change, by contact, of the chance to buy within the window


def sends(span: Span) -> Ints:
    """When campaigns go out: every 30 days from the 45th on, as long as their windows end within the records."""
    days = np.arange(45, span.days - WINDOW // DAY, 30)
    return np.asarray(days * DAY + 2 * 3600)


def run(rng: np.random.Generator, people: People, lives: Lives, orders: Orders, span: Span) -> tuple[Contacts, Orders]:
    """Choose people for each campaign, treat a random share of them, and change their orders accordingly.

    Where ``people.contact`` is positive it is the chance that a contact brings an order to somebody who would not have
    bought in the window; where it is negative, the chance that it keeps somebody from the orders they would have made.
    Nobody is moved after they left.
    """
    ts = sends(span)
    chosen = rng.random((len(ts), len(people))) < 0.45
    known = (lives.start < ts[:, None]) & (lives.end + 150 * DAY > ts[:, None]) & people.app & people.consent
    campaign, person = np.nonzero(chosen & known)
    when = ts[campaign]
    treated = rng.random(len(campaign)) < TREATED
    low, high = _window(orders, person, when)
    without = high > low
    pull, u = people.contact[person], rng.random(len(campaign))
    there = np.clip((lives.end[person] - when) / WINDOW, 0.0, 1.0)
    effect = np.where(pull > 0, pull * ~without * there, pull * without) + 0.0
    at = when + (rng.random(len(campaign)) * WINDOW).astype(np.int64)
    brought = treated & ~without & (u < pull) & (at <= lives.end[person])
    put_off = treated & without & (u < -pull)
    contacts = Contacts(campaign, person, when, treated, without, effect)
    return contacts, _change(rng, people, orders, person, at, brought, low, high, put_off)


def _window(orders: Orders, person: Ints, when: Ints) -> tuple[Ints, Ints]:
    """The range of each person's orders, by person and time, that lies in the window after a contact."""
    wide = np.int64(1) << 40
    key = orders.person * wide + orders.ts
    low = np.searchsorted(key, person * wide + when, side="right")
    return low, np.searchsorted(key, person * wide + when + WINDOW, side="right")


def _change(
    rng: np.random.Generator,
    people: People,
    orders: Orders,
    person: Ints,
    at: Ints,
    brought: Flags,
    low: Ints,
    high: Ints,
    put_off: Flags,
) -> Orders:
    """Orders without those that were put off and with those that were brought, by person and time."""
    steps = np.zeros(len(orders) + 1, np.int64)
    np.add.at(steps, low[put_off], 1)
    np.add.at(steps, high[put_off], -1)
    kept = orders.take(np.cumsum(steps[:-1]) == 0)
    who = person[brought]
    new_channel = np.where(rng.random(len(who)) < people.store[who], STORE, WEB)
    both = Orders(
        np.concatenate([kept.person, who]),
        np.concatenate([kept.ts, at[brought]]),
        np.concatenate([kept.channel, new_channel]),
        np.concatenate([kept.bad, np.zeros(len(who), bool)]),
    )
    return both.take(np.lexsort((both.ts, both.person)))


def outcomes(contacts: Contacts, orders: Orders, paid: Ints) -> tuple[Flags, Ints, Ints]:
    """Whether each contact was followed by an order in its window, and the revenue and cost in cents.

    ``paid`` is what each order came to.
    """
    low, high = _window(orders, contacts.person, contacts.ts)
    responded = high > low
    total = np.concatenate([[0], np.cumsum(paid)])
    cost = contacts.treated * (MESSAGE + COUPON * responded)
    return responded, total[high] - total[low], cost
