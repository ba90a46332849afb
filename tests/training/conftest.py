"""A small world of buyers for training: rates, lifetimes and amounts that differ, and the features of any day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from custid.config.settings import Config
from custid.training.history import History, Snapshot
from custid.training.labels import aligned

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = date(2020, 1, 1)


@dataclass(frozen=True)
class World:
    """Purchases: customer number, day number, amount."""

    who: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    prefix: str = "c"

    def features(self, at: date) -> pa.Table:
        """What the RFM family says of those who bought before a day."""
        now = (at - FIRST).days
        seen = self.day < now
        rows = {}
        for who in np.unique(self.who[seen]):
            mine = seen & (self.who == who)
            days, amounts = self.day[mine], self.amount[mine]
            distinct = np.unique(days)
            by_day = np.array([amounts[days == d].sum() for d in distinct])
            rows[f"{self.prefix}{who:05d}"] = {
                "purchases": float(mine.sum()),
                "repeat_days": float(distinct.size - 1),
                "recency_span": float(distinct[-1] - distinct[0]),
                "age": float(now - distinct[0]),
                "days_since_last": float(now - distinct[-1]),
                "spend_total": float(amounts.sum()),
                "spend_mean": float(amounts.mean()),
                "spend_repeat_mean": float(by_day[1:].mean()) if distinct.size > 1 else None,
                "spend_90": float(amounts[days >= now - 90].sum()),
                "top_channel": "web" if who % 3 else "shop",
            }
        ids = sorted(rows)
        columns = {}
        for name in rows[ids[0]]:
            kind = pa.string() if name == "top_channel" else pa.float64()
            columns[name] = pa.array([rows[i][name] for i in ids], kind)
        return pa.table({"customer_id": ids, "as_of": pa.array([at] * len(ids), pa.date32()), **columns})

    def labels(self, at: date, horizon: timedelta) -> pa.Table:
        """Who bought in the horizon, and for how much."""
        now = (at - FIRST).days
        ahead = (self.day >= now) & (self.day < now + horizon.days)
        found = np.unique(self.who[ahead])
        return pa.table(
            {
                "customer_id": pa.array([f"{self.prefix}{who:05d}" for who in found], pa.string()),
                "purchases": pa.array([int((ahead & (self.who == who)).sum()) for who in found], pa.int64()),
                "spend": pa.array([float(self.amount[ahead & (self.who == who)].sum()) for who in found], pa.float64()),
            }
        )

    def snapshot(self, at: date, horizon: timedelta | None = None) -> Snapshot:
        """Features, and labels where a horizon is given."""
        features = self.features(at)
        return Snapshot(at, features, None if horizon is None else aligned(features, self.labels(at, horizon)))

    def history(self, *, horizon: int = 60, learnt: int | None = None) -> History:
        """Four labelled snapshots and a rehearsal of two."""
        whole, short = timedelta(days=horizon), timedelta(days=learnt or horizon)
        days = [FIRST + timedelta(days=d) for d in (120, 150, 180, 210, 240, 270)]
        labelled = [self.snapshot(day, short) for day in days]
        back = History(tuple(labelled[:3]), labelled[-1], short, short)
        return History(tuple(labelled), self.snapshot(FIRST + timedelta(days=330)), whole, short, back)


def make_world(
    *, customers: int = 300, seed: int = 1, leaves: bool = True, once: float = 0.3, amount: float | None = None
) -> World:
    """Purchases of customers who arrive within 100 days, buy at their own rate, and may leave."""
    rng = np.random.default_rng(seed)
    who, day, spent = [], [], []
    for customer in range(customers):
        start, rate = rng.integers(0, 100), rng.gamma(1.2, 1 / 30.0)
        life = rng.exponential(200.0) if leaves else 1e6
        size = np.exp(rng.normal(3.5, 0.6))
        many = 1 if rng.random() < once else 1 + rng.poisson(rate * min(life, 400))
        days = start + np.sort(np.append(0.0, rng.random(many - 1) * min(life, 400)))
        who.extend([customer] * many)
        day.extend(np.floor(days).astype(int).tolist())
        spent.extend([amount] * many if amount else np.round(size * rng.gamma(4, 0.25, many) + 1, 2).tolist())
    return World(np.array(who), np.array(day), np.array(spent, dtype=float))


@pytest.fixture(scope="session")
def world() -> World:
    """Three hundred ordinary customers."""
    return make_world()


@pytest.fixture(scope="session")
def history(world: World) -> History:
    """Their history."""
    return world.history()


@pytest.fixture(scope="session")
def make() -> Callable[..., World]:
    """Makes other worlds."""
    return make_world


@pytest.fixture(scope="session")
def quick_config() -> Config:
    """Settings under which training takes seconds."""
    return Config(
        name="small",
        workspace="unused",
        horizon="60d",
        sources=[{"name": "shop", "table": "transactions", "uri": "unused"}],
        tuning={"trials": 4},
        training={"resamples": 30},
        segments={"least": 2, "most": 4, "resamples": 2},
        explain={"background": 50},
    )


@pytest.fixture(scope="session")
def parted() -> Callable[..., History]:
    """Makes the history of observations: a fifth is held out."""

    def part(rows: Snapshot, *, mixed: bool = True) -> History:
        span = timedelta(days=30)
        held = np.arange(rows.features.num_rows) % 5 == 0
        back = History((rows.take(~held),), rows.take(held), span, span, formulas=False)
        return History((rows,), rows, span, span, back, formulas=False, mixed=mixed)

    return part


@pytest.fixture(scope="session")
def observing() -> Config:
    """Settings under which learning from observations takes seconds."""
    return Config(
        name="small",
        workspace="unused",
        horizon="30d",
        sources=[{"name": "crm", "table": "observations", "uri": "unused"}],
        tuning={"trials": 3},
        training={"resamples": 20},
        explain={"background": 50},
    )
