"""People: who they are, and the traits from which everything that they do follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import catalog, names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

LOOK_BACK = 540
"""Days before the first simulated one on which the earliest customers registered."""


@dataclass(frozen=True)
class People:
    """A block of people, one entry each. Days count from the first simulated day; rates are per day."""

    first: int  # number of the first of them in the whole simulation
    han: Flags
    woman: Flags
    age: Ints  # years on the first simulated day
    birth: Ints  # days since 1970
    city: Ints  # into names.CITIES
    former_city: Ints
    household: Ints  # the number, in the block, of its first member
    income: Floats  # standardised
    thrift: Floats  # sensitivity to prices, standardised
    engagement: Floats  # standardised
    start: Ints  # day of the first contact
    buyer: Flags  # the first contact was a purchase
    rate: Floats  # orders a day in a season of 1, while active
    regularity: Ints  # 1: purchases at random; more: in a rhythm
    season: Ints  # into catalog.SEASON_LEVELS
    hazard: Floats  # of leaving, a day
    leave_first: Floats  # chance of leaving after the first order
    leave_order: Floats  # chance of leaving after any later order
    fade: Floats  # days over which visits thin out before leaving
    store: Floats  # chance that an order is made in a store
    app: Flags
    member: Flags  # holds a card of the stores
    hour: Floats  # usual hour of buying, local time
    category: Floats  # (n, categories): cumulative preference
    tier: Floats  # (n, tiers): cumulative preference for dearer products
    basket: Floats  # mean number of further lines in an order
    returner: Floats  # factor on the chance of sending things back
    mood: Floats  # how kindly they rate
    visits: Floats  # visits a day without a purchase, while active
    contact: Floats  # chance that a campaign moves them; negative: puts them off
    consent: Flags

    def __len__(self) -> int:
        return len(self.han)

    @property
    def number(self) -> Ints:
        """Each person's number in the whole simulation."""
        return self.first + np.arange(len(self))


def draw(rng: np.random.Generator, first: int, n: int, days: int, epoch_day: int) -> People:
    """Draw ``n`` people, numbered from ``first``, for a simulation of ``days`` days from ``epoch_day``."""
    household = _households(rng, n)
    han = (rng.random(n) < 0.76)[household]
    woman = rng.random(n) < 0.56
    age = np.clip(rng.gamma(6.0, 6.2, n) + 16, 17, 88).astype(np.int64)
    young = np.clip((38 - age) / 12.0, -2.5, 1.8)
    city = _cities(rng, han, n)
    income = 0.8 * rng.standard_normal(n) + 0.25 * _big(city[household]) - 0.15 * young
    thrift = -0.45 * income + 0.85 * rng.standard_normal(n)
    engagement = 0.35 * young + 0.9 * rng.standard_normal(n)
    app = rng.random(n) < _logistic(0.5 + 0.7 * engagement + 0.3 * young)
    rate = np.exp(-4.5 + 0.25 * income + 0.45 * engagement + 0.15 * woman + 0.70 * rng.standard_normal(n))
    return People(
        first=first,
        han=han,
        woman=woman,
        age=age,
        birth=epoch_day - age * 365 - rng.integers(0, 365, n),
        city=city[household],
        former_city=_cities(rng, han, n),
        household=household,
        income=income,
        thrift=thrift,
        engagement=engagement,
        start=_starts(rng, n, days, epoch_day),
        buyer=rng.random(n) < 0.93,
        rate=np.clip(rate, 0.001, 0.20),
        regularity=1 + (rng.random(n) < 0.45).astype(np.int64) + (rng.random(n) < 0.25),
        season=rng.choice(len(catalog.SEASON_LEVELS), n, p=[0.15, 0.25, 0.30, 0.20, 0.10]),
        hazard=np.exp(-7.35 - 0.45 * engagement + 0.25 * thrift + 0.15 * young + 0.4 * rng.standard_normal(n)),
        leave_first=_logistic(-1.9 - 0.5 * engagement + 0.35 * thrift),
        leave_order=_logistic(-4.4 - 0.4 * engagement + 0.2 * thrift),
        fade=rng.uniform(20, 80, n),
        store=rng.beta(1.2, 1.2, n) * _logistic(0.6 - 0.6 * young - 0.8 * (app - 0.6)),
        app=app,
        member=rng.random(n) < 0.99,
        hour=rng.choice([10.5, 13.0, 16.0, 20.5], n, p=[0.2, 0.2, 0.2, 0.4]) + rng.normal(0, 0.7, n),
        category=_preferences(rng, woman, young, n),
        tier=_tiers(income, thrift),
        basket=np.exp(0.45 + 0.2 * income + 0.45 * rng.standard_normal(n)),
        returner=rng.gamma(0.9, 1.1, n),
        mood=rng.normal(0, 0.08, n),
        visits=rate * np.exp(0.35 + 0.35 * engagement + 0.3 * rng.standard_normal(n)),
        contact=_contact(rng, thrift, engagement, age),
        consent=rng.random(n) < 0.82,
    )


def _logistic(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _households(rng: np.random.Generator, n: int) -> Ints:
    """Neighbours in number sometimes live together: each person's entry is the first member of the home."""
    alone = rng.random(n) > 0.20
    alone[:1] = True
    return np.maximum.accumulate(np.where(alone, np.arange(n), 0))


def _cities(rng: np.random.Generator, han: Flags, n: int) -> Ints:
    zh = np.array([c.weight for c in names.CITIES_ZH])
    west = np.array([c.weight for c in names.CITIES_WEST])
    east = rng.choice(len(zh), n, p=zh / zh.sum())
    away = len(zh) + rng.choice(len(west), n, p=west / west.sum())
    settled = rng.random(n) < 0.25  # some bearers of Western names live in China
    return np.asarray(np.where(han | settled, east, away))


def _big(city: Ints) -> Floats:
    weight = np.array([c.weight for c in names.CITIES])
    return np.asarray(np.clip((weight[city] - 4.0) / 3.0, -1.0, 1.5))


def _starts(rng: np.random.Generator, n: int, days: int, epoch_day: int) -> Ints:
    """Days of first contact: a sixth before the simulation, the rest through it with the season and some growth."""
    demand = catalog.season(np.datetime64(epoch_day, "D"), days) * np.linspace(0.8, 1.2, days)
    day = np.searchsorted(np.cumsum(demand / demand.sum()), rng.random(n) * 0.999999)
    before = -1 - (rng.beta(1.0, 1.5, n) * LOOK_BACK).astype(np.int64)
    return np.where(rng.random(n) < 0.16, before, np.minimum(day, days - 1))


def _preferences(rng: np.random.Generator, woman: Flags, young: Floats, n: int) -> Floats:
    """Cumulative shares of the categories: the population's, tilted by gender and age, one's own way."""
    tilt = np.zeros((n, len(catalog.CATEGORIES)))
    for name, by_woman, by_young in (
        ("beauty", 1.2, 0.2),
        ("clothing", 0.5, 0.2),
        ("electronics", -0.8, 0.4),
        ("sports", -0.4, 0.3),
        ("grocery", 0.1, -0.4),
        ("home", 0.2, -0.3),
    ):
        tilt[:, catalog.CATEGORIES.index(name)] = by_woman * (woman - 0.5) + by_young * young
    weight = rng.gamma(1.3 * 10 * catalog.SHARE, 1.0, (n, len(catalog.CATEGORIES))) * np.exp(tilt) + 1e-3
    return np.asarray(np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1))


def _tiers(income: Floats, thrift: Floats) -> Floats:
    dear = np.exp(0.7 * income - 0.4 * thrift)
    weight = np.stack([1.0 / dear, np.full_like(dear, 1.2), 0.6 * dear], axis=1)
    return np.asarray(np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1))


def _contact(rng: np.random.Generator, thrift: Floats, engagement: Floats, age: Ints) -> Floats:
    """What a campaign does: it brings thrifty and lapsing people to buy, and puts off some of the most loyal."""
    pull = 0.07 + 0.09 * thrift - 0.06 * engagement + 0.04 * (age < 30) + 0.03 * rng.standard_normal(len(age))
    return np.clip(np.where(pull < 0, 2.5 * pull, pull), -0.5, 0.45)
