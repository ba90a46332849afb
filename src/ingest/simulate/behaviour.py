"""What people do: how long they stay, when they buy, and what lies in each basket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from . import catalog
from .people import LOOK_BACK

if TYPE_CHECKING:
    from .people import Flags, Floats, Ints, People

DAY = 86_400
AHEAD = 90
"""Days after the last recorded one that are simulated for the truth alone."""
STAYS = 4_000 * DAY
"""A leaving time that lies beyond every simulation."""
CHANNELS = ("web", "app", "store")
WEB, APP, STORE = range(3)
PURCHASE, RETURNED, CANCELLED = range(3)
REASONS = ("", "drifted away", "one purchase", "bad experience", "after a purchase")


@dataclass(frozen=True)
class Span:
    """The simulated days: the recorded ones start at ``epoch_day`` (days since 1970) and are followed by AHEAD more."""

    epoch_day: int
    days: int

    @property
    def end(self) -> int:
        """The second, from the first simulated midnight, at which the records end."""
        return self.days * DAY


@dataclass(frozen=True)
class Lives:
    """When each person came and left, in seconds from the first midnight, and why they left (into REASONS)."""

    start: Ints
    end: Ints
    drift: Ints  # when they would have drifted away, had nothing else made them leave
    reason: Ints


@dataclass(frozen=True)
class Orders:
    """Orders, by person and time; times in seconds from the first midnight."""

    person: Ints
    ts: Ints
    channel: Ints
    bad: Flags  # late, damaged or wrong

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: Ints | Flags) -> Orders:
        """Some of the orders."""
        return Orders(self.person[rows], self.ts[rows], self.channel[rows], self.bad[rows])


@dataclass(frozen=True)
class Lines:
    """Lines of orders, by order; money in cents. ``order`` counts into Orders, ``of`` says what kind a line is."""

    order: Ints
    ts: Ints
    product: Ints
    quantity: Ints
    price: Ints
    discount: Ints
    of: Ints

    @property
    def net(self) -> Ints:
        """What was paid: price times quantity less the discount."""
        return self.price * self.quantity - self.discount


def live(rng: np.random.Generator, people: People, span: Span) -> tuple[Lives, Orders]:
    """Draw orders as if nobody ever left, then who leaves when, and keep the orders until then.

    Purchases are a renewal process in seasonal time (every ``regularity``-th event of a Poisson process). People leave
    at a constant hazard, fading before; or after an order, much more often after the first and after a bad one.
    """
    ts, person = _moments(rng, people, span)
    start, person, ts = _first_orders(rng, people, person, ts)
    n = len(person)
    drift = start + (rng.exponential(1.0, len(people)) / people.hazard * DAY).astype(np.int64)
    left = (drift[person] - ts) / (people.fade[person] * DAY)
    keep = (left > 0) & (rng.random(n) < np.where(left < 1, 0.4 + 0.6 * left, 1.0))
    keep |= (ts == start[person] + 600) & people.buyer[person] & (left > 0)
    channel = _channels(rng, people, person)
    bad = rng.random(n) < np.where(channel == STORE, 0.03, 0.075)
    orders = Orders(person, ts, channel, bad).take(keep)
    end, reason = _leave(rng, people, orders, drift)
    lives = Lives(start, end, drift, reason)
    return lives, orders.take((orders.ts <= end[orders.person]) & (orders.ts >= 0))


def _moments(rng: np.random.Generator, people: People, span: Span) -> tuple[Ints, Ints]:
    """Times and persons of would-be orders over the whole span, for each person from their first day on."""
    curves = seasonal_curves(span)
    rank = np.arange(len(people))
    head = curves[people.season, people.start + LOOK_BACK]
    tail = curves[people.season, -1]
    count = rng.poisson(people.regularity * people.rate * (tail - head))
    person = np.repeat(rank, count)
    u = rng.random(len(person))
    order = np.lexsort((u, person))
    u = u[order]
    nth = np.arange(len(person)) - np.repeat(np.cumsum(count) - count, count)
    phase = rng.integers(0, people.regularity)
    kept = (nth + phase[person]) % people.regularity[person] == 0
    person, u = person[kept], u[kept]
    at = head[person] + u * (tail - head)[person]
    day = np.zeros(len(person), np.int64)
    for level, curve in enumerate(curves):
        mine = people.season[person] == level
        day[mine] = np.searchsorted(curve, at[mine], side="right") - 1
    day -= LOOK_BACK
    return day * DAY + _time_of_day(rng, people.hour[person]), person


def seasonal_curves(span: Span) -> Floats:
    """Cumulative demand at each midnight from the earliest start to the last day ahead, for each seasonal strength."""
    total = LOOK_BACK + span.days + AHEAD
    demand = catalog.season(np.datetime64(span.epoch_day - LOOK_BACK, "D"), total)
    strong = demand ** catalog.SEASON_LEVELS[:, None]
    daily = strong / strong.mean(axis=1, keepdims=True)
    return np.concatenate([np.zeros((len(daily), 1)), np.cumsum(daily, axis=1)], axis=1)


def _time_of_day(rng: np.random.Generator, hour: Floats) -> Ints:
    """Seconds from the UTC midnight: between 8 and 24 o'clock in China, so that the date is the same in both."""
    local = np.clip(hour + rng.normal(0.0, 2.0, len(hour)), 8.0, 23.9) + rng.uniform(0.0, 0.09, len(hour))
    return ((local - 8.0) * 3600).astype(np.int64)


def _first_orders(rng: np.random.Generator, people: People, person: Ints, ts: Ints) -> tuple[Ints, Ints, Ints]:
    """Let buyers' lives start with an order, ten minutes after registering; sort by person and time."""
    start = people.start * DAY + _time_of_day(rng, people.hour)
    rank = np.arange(len(people))
    later = ts > start[person] + 3600
    person = np.concatenate([person[later], rank[people.buyer]])
    ts = np.concatenate([ts[later], start[people.buyer] + 600])
    order = np.lexsort((ts, person))
    return start, person[order], ts[order]


def _channels(rng: np.random.Generator, people: People, person: Ints) -> Ints:
    u = rng.random((2, len(person)))
    online = np.where(people.app[person] & (u[1] < 0.6), APP, WEB)
    return np.where(u[0] < people.store[person], STORE, online)


def _leave(rng: np.random.Generator, people: People, orders: Orders, drift: Ints) -> tuple[Ints, Ints]:
    """The earliest of drifting away and leaving right after an order."""
    person = orders.person
    first = np.concatenate([[True], person[1:] != person[:-1]]) & people.buyer[person]
    chance = np.where(first, people.leave_first[person], people.leave_order[person]) + 0.25 * orders.bad
    leaves = np.flatnonzero(rng.random(len(person)) < chance)
    end = drift.copy()
    reason = np.ones(len(end), np.int64)
    who, nth = np.unique(person[leaves], return_index=True)
    last = leaves[nth]
    cause = np.where(orders.bad[last], 3, np.where(first[last], 2, 4))
    sooner = orders.ts[last] <= end[who]
    end[who[sooner]] = orders.ts[last][sooner]
    reason[who[sooner]] = cause[sooner]
    return np.minimum(end, STAYS), reason


def fill(rng: np.random.Generator, people: People, orders: Orders, span: Span) -> Lines:
    """Fill the baskets, and add what comes back: returns days later, and cancelled orders within two days."""
    goods = _goods(rng, people, orders, span)
    extras = _extras(rng, orders, goods)
    sold = _stack([goods, extras])
    back = _returns(rng, people, orders, goods)
    void = _cancellations(rng, orders, sold)
    back = _select(back, ~np.isin(back.order, void.order))
    return _stack([sold, back, void])


def _goods(rng: np.random.Generator, people: People, orders: Orders, span: Span) -> Lines:
    count = 1 + np.minimum(rng.poisson(people.basket[orders.person]), 14)
    order = np.repeat(np.arange(len(orders)), count)
    person, ts = orders.person[order], orders.ts[order]
    u = rng.random((4, len(order)))
    category = (u[0][:, None] > people.category[person]).sum(axis=1)
    tier = (u[1][:, None] > people.tier[person]).sum(axis=1)
    rank = np.searchsorted(catalog.popularity(), u[2] * 0.999999)
    product = (np.minimum(category, 9) * 3 + np.minimum(tier, 2)) * catalog.PER_TIER + rank
    quantity = 1 + rng.poisson(np.where(category <= 1, 0.6, 0.12))
    inflation = 1.0 + 0.03 * ts / (365 * DAY)
    price = np.round(catalog.products().cents[product] * inflation / 10).astype(np.int64) * 10
    demand = catalog.season(np.datetime64(span.epoch_day, "D"), span.days + AHEAD)[ts // DAY]
    likely = np.clip(0.10 + 0.07 * people.thrift[person] + 0.12 * (demand - 1.0), 0.01, 0.8)
    off = np.where(u[3] < likely, rng.choice([0.05, 0.10, 0.20, 0.30], len(order), p=[0.3, 0.4, 0.2, 0.1]), 0.0)
    discount = np.round(price * quantity * off / 10).astype(np.int64) * 10
    return Lines(order, ts, product, quantity, price, discount, np.zeros_like(order))


def _extras(rng: np.random.Generator, orders: Orders, goods: Lines) -> Lines:
    """Lines that are no products: postage, gift wrap, coupons, corrections at the till."""
    total = np.bincount(goods.order, goods.net, minlength=len(orders))
    store = orders.channel == STORE
    u = rng.random((4, len(orders)))
    parts = [
        (catalog.POST, ~store & (total < 9_900) & (u[0] < 0.6), 1_200),
        (catalog.GIFTWRAP, ~store & (u[1] < 0.012), 900),
        (catalog.DISCOUNT, ~store & (total > 6_000) & (u[2] < 0.04), -2_000),
        (catalog.ADJUST, store & (total > 2_000) & (u[3] < 0.004), -150),
    ]
    lines = []
    for product, which, cents in parts:
        order = np.flatnonzero(which)
        one, nothing = np.ones_like(order), np.zeros_like(order)
        lines.append(Lines(order, orders.ts[order], one * product, one, one * cents, nothing, nothing))
    return _stack(lines)


def _returns(rng: np.random.Generator, people: People, orders: Orders, goods: Lines) -> Lines:
    category = goods.product // (catalog.PER_TIER * len(catalog.TIERS))
    chance = catalog.RETURNED[category] * people.returner[orders.person[goods.order]]
    chance = np.where(orders.bad[goods.order], chance + 0.2, chance)
    back = _select(goods, rng.random(len(goods.order)) < chance)
    delay = (rng.uniform(2.0, 25.0, len(orders)) * DAY).astype(np.int64)
    return _reverse(back, delay, RETURNED)


def _cancellations(rng: np.random.Generator, orders: Orders, sold: Lines) -> Lines:
    """Whole online orders that are cancelled before they were sent."""
    chance = np.where(orders.channel == STORE, 0.0, np.where(orders.bad, 0.08, 0.012))
    void = rng.random(len(orders)) < chance
    delay = (rng.uniform(0.3, 40.0, len(orders)) * 3600).astype(np.int64)
    return _reverse(_select(sold, void[sold.order]), delay, CANCELLED)


def _reverse(lines: Lines, delay: Ints, of: int) -> Lines:
    return replace(
        lines,
        ts=lines.ts + delay[lines.order],
        quantity=-lines.quantity,
        discount=-lines.discount,
        of=np.full_like(lines.order, of),
    )


def _select(lines: Lines, rows: Ints | Flags) -> Lines:
    return Lines(*(getattr(lines, name)[rows] for name in Lines.__dataclass_fields__))


def _stack(parts: list[Lines]) -> Lines:
    return Lines(*(np.concatenate([getattr(p, name) for p in parts]) for name in Lines.__dataclass_fields__))
