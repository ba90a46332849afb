"""What people do besides buying: visits to the app, ratings and complaints, memberships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import catalog
from .behaviour import DAY, Lives, Orders, Span

if TYPE_CHECKING:
    from .behaviour import Lines
    from .people import Flags, Floats, Ints, People

KINDS = ("view", "search", "cart", "wishlist", "share")
_IDLE = np.cumsum([0.62, 0.22, 0.07, 0.06, 0.03])
_BUYING = np.cumsum([0.50, 0.15, 0.28, 0.05, 0.02])
FEEDBACK = ("rating", "nps", "csat", "complaint", "review")
RATING, NPS, CSAT, COMPLAINT, REVIEW = range(5)


@dataclass(frozen=True)
class Events:
    """Events of visits, by person and time; ``product`` is -1 where none was looked at."""

    person: Ints
    ts: Ints
    kind: Ints
    product: Ints
    session: Ints
    duration: Ints
    channel: Ints


@dataclass(frozen=True)
class Feedback:
    """Ratings, answers, complaints and reviews; scores in hundredths."""

    person: Ints
    ts: Ints
    kind: Ints
    score: Ints
    text: Ints  # into TEXTS


@dataclass(frozen=True)
class Memberships:
    """Paid memberships; ``end`` is -1 while one runs."""

    person: Ints
    start: Ints
    end: Ints
    plan: Ints


TEXTS = ("", *catalog.PRAISE, *catalog.NEUTRAL, *catalog.ANGER)


def visit(rng: np.random.Generator, people: People, lives: Lives, orders: Orders, lines: Lines, span: Span) -> Events:
    """Visits of those who use the app: some before each online purchase, others for their own sake.

    The latter thin out in the weeks before somebody drifts away, and nearly stop when they have left.
    """
    idle_person, idle_ts = _idle(rng, people, lives, span)
    told = people.app[orders.person] & (rng.random(len(orders)) < 0.75)
    buying = np.repeat(np.flatnonzero(told), 1 + rng.poisson(0.6, int(told.sum())))
    early = (rng.exponential(1.5, len(buying)) * DAY).astype(np.int64) + 900
    person = np.concatenate([idle_person, orders.person[buying]])
    start = np.concatenate([idle_ts, orders.ts[buying] - early])
    bought = _first_product(orders, lines)
    target = np.concatenate([np.full(len(idle_person), -1), bought[buying]])
    recorded = (start >= 0) & (start < span.end - 7_200) & (start >= lives.start[person])
    return _events(rng, people, person[recorded], start[recorded], target[recorded])


def _idle(rng: np.random.Generator, people: People, lives: Lives, span: Span) -> tuple[Ints, Ints]:
    from_, to = np.maximum(lives.start, 0), np.full(len(people), span.end)
    count = np.where(people.app, rng.poisson(people.visits * np.maximum(to - from_, 0) / DAY), 0)
    person = np.repeat(np.arange(len(people)), count)
    ts = from_[person] + (rng.random(len(person)) * (to - from_)[person]).astype(np.int64)
    ts = ts // DAY * DAY + np.clip(rng.normal(10.0, 3.5, len(ts)), 0, 15.5) * 3600
    fading = np.clip((lives.drift[person] - ts) / (people.fade[person] * DAY), 0.0, 1.0)
    keep = np.where(ts > lives.end[person], 0.04, 0.15 + 0.85 * fading)
    kept = rng.random(len(ts)) < keep
    return person[kept], ts[kept].astype(np.int64)


def _first_product(orders: Orders, lines: Lines) -> Ints:
    product = np.full(len(orders), -1)
    goods = np.flatnonzero((lines.of == 0) & (lines.product < catalog.PRODUCTS))[::-1]
    product[lines.order[goods]] = lines.product[goods]
    return product


def _events(rng: np.random.Generator, people: People, who: Ints, start: Ints, target: Ints) -> Events:
    """Some events per visit, seconds to minutes apart."""
    buys = target >= 0
    count = 1 + np.minimum(rng.poisson(np.where(buys, 3.0, 1.6)), 12)
    session = np.repeat(np.arange(len(who)), count)
    n = len(session)
    u = rng.random((4, n))
    cdf = np.where(buys[session][:, None], _BUYING, _IDLE)
    kind = np.minimum((u[0][:, None] > cdf).sum(axis=1), len(KINDS) - 1)
    category = np.minimum((u[1][:, None] > people.category[who[session]]).sum(axis=1), 9)
    product = category * 60 + (u[2] * 60).astype(np.int64)
    product = np.where(buys[session] & (u[3] < 0.5), target[session], product)
    duration = np.clip(rng.lognormal(3.3, 0.8, n), 1, 900).astype(np.int64)
    begun = np.cumsum(duration) - duration
    first = np.repeat(begun[np.cumsum(count) - count], count)
    ts = start[session] + begun - first
    device = rng.integers(0, 10, len(people))[who[session]]
    channel = np.where(device < 4, 0, np.where(device < 7, 1, 2))
    return Events(who[session], ts, kind, np.where(kind == 1, -1, product), session, duration, channel)


def answer(rng: np.random.Generator, people: People, lives: Lives, orders: Orders, span: Span) -> Feedback:
    """What users of the app say: ratings and reviews after orders, complaints after bad ones, yearly surveys."""
    n = len(orders)
    user = people.app[orders.person]
    content = np.clip(0.84 + people.mood[orders.person] + rng.normal(0, 0.12, n) - 0.5 * orders.bad, 0, 1)
    u = rng.random((4, n))
    rated = user & (u[0] < np.where(orders.bad, 0.45, 0.22))
    reviewed = rated & (u[1] < 0.35)
    complained = user & orders.bad & (u[2] < 0.45)
    asked = complained & (u[3] < 0.5)
    stars = np.round(content * 4) / 4
    calm = np.clip(content + rng.normal(0.1, 0.15, n), 0, 1)
    parts = [
        _after(rng, orders, rated, RATING, stars, 3.0),
        _after(rng, orders, reviewed, REVIEW, content, 4.0),
        _after(rng, orders, complained, COMPLAINT, content * 0.4, 2.0),
        _after(rng, orders, asked, CSAT, calm, 9.0),
        _survey(rng, people, lives, span),
    ]
    said = Feedback(*(np.concatenate([getattr(p, f) for p in parts]) for f in Feedback.__dataclass_fields__))
    kept = np.flatnonzero((said.ts >= 0) & (said.ts < span.end))
    kept = kept[np.lexsort((said.kind[kept], said.person[kept], said.ts[kept]))]
    return Feedback(*(getattr(said, f)[kept] for f in Feedback.__dataclass_fields__))


def _after(rng: np.random.Generator, orders: Orders, which: Flags, kind: int, score: Floats, days: float) -> Feedback:
    rows = np.flatnonzero(which)
    delay = (rng.uniform(0.5, days, len(rows)) * DAY).astype(np.int64)
    cents = np.round(score[rows] * 100).astype(np.int64)
    text = np.zeros_like(rows)
    if kind in (COMPLAINT, REVIEW):
        mood = np.where(cents >= 70, 0, np.where(cents >= 45, 1, 2))
        text = 1 + mood * 6 + rng.integers(0, 6, len(rows))
    return Feedback(orders.person[rows], orders.ts[rows] + delay, np.full_like(rows, kind), cents, text)


def _survey(rng: np.random.Generator, people: People, lives: Lives, span: Span) -> Feedback:
    """Once a year a part of the users is asked whether they would recommend the shop; leavers seldom answer."""
    parts = []
    for day in range(200, span.days - 10, 365):
        ts = day * DAY + 3 * 3600
        here = (lives.start < ts) & (rng.random(len(people)) < np.where(lives.end > ts, 0.30, 0.03))
        rows = np.flatnonzero(people.app & here)
        leaving = np.clip(1 - (lives.end[rows] - ts) / (120 * DAY), 0, 1)
        score = np.clip(0.78 + people.mood[rows] - 0.3 * leaving + rng.normal(0, 0.15, len(rows)), 0, 1)
        when = ts + (rng.random(len(rows)) * 5 * DAY).astype(np.int64)
        tens = np.round(score * 10).astype(np.int64) * 10
        parts.append(Feedback(rows, when, np.full_like(rows, NPS), tens, np.zeros_like(rows)))
    empty = np.zeros(0, np.int64)
    parts.append(Feedback(empty, empty, empty, empty, empty))
    return Feedback(*(np.concatenate([getattr(p, f) for p in parts]) for f in Feedback.__dataclass_fields__))


def subscribe(rng: np.random.Generator, people: People, lives: Lives, span: Span) -> Memberships:
    """Memberships of some app users: begun weeks after the first contact, ended by choice or a while after leaving."""
    wants = people.app & (rng.random(len(people)) < np.clip(0.22 + 0.10 * people.engagement, 0.02, 0.6))
    start = np.maximum(lives.start, 0) + (rng.exponential(60.0, len(people)) * DAY).astype(np.int64)
    rows = np.flatnonzero(wants & (start < np.minimum(lives.end, span.end)))
    months = 1 + rng.geometric(0.03, len(rows))
    tired = start[rows] + months * 30 * DAY
    after = lives.end[rows] + (rng.uniform(5.0, 60.0, len(rows)) * DAY).astype(np.int64)
    end = np.minimum(tired, after) // DAY * DAY
    end = np.maximum(end, start[rows] // DAY * DAY + 30 * DAY)
    plan = np.where(people.age[rows] < 25, 2, np.where(rng.random(len(rows)) < 0.3, 1, 0))
    return Memberships(rows, start[rows], np.where(end < span.end, end, -1), plan)
