"""Histories for the tests of features: canonical rows, written by hand or drawn at random with every difficulty."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pytest

from custid.features.single import Recompute
from custid.features.table import build, collect, wanted
from custid.tables import SPECS, arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DAY = date(2024, 3, 15)
WALL = datetime(2024, 3, 15)
TABLES = ("transactions", "events", "feedback", "campaigns", "subscriptions", "customers")
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="session")
def day() -> date:
    """The snapshot of the histories."""
    return DAY


@pytest.fixture(scope="session")
def canon() -> Callable[[str, Sequence[Mapping[str, Any]]], pa.Table]:
    """Rows as a canonical table with ``customer_id``; what a row does not say is empty."""
    return _canon


@pytest.fixture(scope="session")
def history() -> Callable[..., Rows]:
    """``history(seed, customers)``: rows of every table, before and after the snapshot."""
    return _history


@pytest.fixture(scope="session")
def batch() -> Callable[..., pa.Table]:
    """``batch(tables, day, threads, drop, ...)``: the features as the pipeline builds them."""
    return _batch


@pytest.fixture(scope="session")
def one() -> Callable[..., dict[str, Any]]:
    """``one(transactions=[...], ...)``: the features of the only customer whose rows are given."""
    recompute = Recompute(TABLES)

    def features(at: date = DAY, **rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        tables = {name: _canon(name, [{"customer_id": "ann", **row} for row in given]) for name, given in rows.items()}
        made = recompute.features(tables, at).to_pylist()
        assert len(made) == 1
        result: dict[str, Any] = made[0]
        return result

    return features


@pytest.fixture(scope="session")
def order() -> Callable[..., list[dict[str, Any]]]:
    """``order("2024-03-01 10:00", 5.0, -1.0, ...)``: the lines of an order, amounts in currency units."""

    def lines(ts: str, *amounts: float, **fields: Any) -> list[dict[str, Any]]:
        name = fields.pop("order_id", ts)
        return [
            {"order_id": name, "ts": datetime.fromisoformat(ts), "amount": round(amount * 10_000), **fields}
            for amount in amounts
        ]

    return lines


def _canon(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    schema = arrow_schema(SPECS[name]).append(pa.field("customer_id", pa.string()))
    blank = dict.fromkeys(schema.names)
    named = [{**blank, "source": "shop", "record_id": row.get("customer_id"), **row} for row in rows]
    return pa.Table.from_pylist(named, schema=schema)


def _batch(
    tables: Mapping[str, pa.Table],
    at: date = DAY,
    *,
    threads: int = 2,
    drop: Sequence[str] = (),
    **options: Any,
) -> pa.Table:
    con = ibis.duckdb.connect(threads=threads)
    opened = {name: con.create_table(name, table) for name, table in tables.items()}
    if "transactions" in opened:
        opened["transactions"] = wanted(opened["transactions"], drop)
    return collect(build(opened, at, **options))


def _history(seed: int, customers: int = 20) -> Rows:
    rng = random.Random(seed)
    rows: Rows = {name: [] for name in TABLES}
    for number in range(customers):
        for name, made in _customer(rng, f"c{number}").items():
            rows[name] += made
    return rows


def _customer(rng: random.Random, name: str) -> Rows:
    rows: Rows = {
        "transactions": [line for i in range(rng.randint(0, 9)) for line in _order(rng, f"{name}-{i}")],
        "events": [_event(rng) for _ in range(rng.randint(0, 6))],
        "feedback": [_feedback(rng) for _ in range(rng.randint(0, 4))],
        "campaigns": [_campaign(rng) for _ in range(rng.randint(0, 5))],
        "subscriptions": [_subscription(rng) for _ in range(rng.randint(0, 2))],
        "customers": [_registration(rng) for _ in range(rng.randint(0, 3))],
    }
    return {table: [{**row, "customer_id": name} for row in made] for table, made in rows.items()}


def _time(rng: random.Random) -> datetime:
    """Often a tie, a midnight, or a moment next to the wall."""
    near = [timedelta(0), timedelta(microseconds=-1), timedelta(seconds=-1), timedelta(days=-365), timedelta(days=-30)]
    if rng.random() < 0.3:
        return WALL + rng.choice(near) - timedelta(days=rng.choice([0, 0, 30, 90, 180]))
    return WALL + timedelta(seconds=rng.randint(-900 * 86_400, 200 * 86_400), microseconds=rng.choice([0, 0, 999_999]))


def _maybe(rng: random.Random, value: Any, chance: float = 0.7) -> Any:
    return value if rng.random() < chance else None


def _order(rng: random.Random, name: str) -> list[dict[str, Any]]:
    start = _time(rng)
    return [_line(rng, name, start + timedelta(hours=rng.choice([0, 0, 0, 7, 40]))) for _ in range(rng.randint(1, 4))]


def _line(rng: random.Random, order: str, ts: datetime) -> dict[str, Any]:
    return {
        "order_id": order,
        "ts": ts,
        "amount": rng.randint(-60, 300) * 1_001,
        "quantity": _maybe(rng, rng.randint(-1, 9) * 10_000),
        "discount": _maybe(rng, rng.choice([0, 500, 700])),
        "product_id": _maybe(rng, rng.choice("abcde"), 0.9),
        "category": _maybe(rng, rng.choice(["x", "y", "Z", "é"])),
        "channel": _maybe(rng, rng.choice(["web", "shop", "应用"])),
        "ingested_at": _maybe(rng, ts + timedelta(days=rng.choice([0, 3, 60])), 0.3),
        "duplicate": rng.random() < 0.1,
        "cancellation": rng.random() < 0.1,
        "cancelled_at": _maybe(rng, ts + timedelta(days=rng.choice([1, 50])), 0.2),
        "non_product": _maybe(rng, rng.random() < 0.1),
    }


def _event(rng: random.Random) -> dict[str, Any]:
    return {
        "ts": _time(rng),
        "kind": rng.choice(["view", "cart"]),
        "product_id": _maybe(rng, rng.choice("abc")),
        "session_id": _maybe(rng, str(rng.randint(0, 3))),
        "duration": _maybe(rng, rng.random() * 100),
    }


def _feedback(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["rating", "nps", "complaint"])
    return {"ts": _time(rng), "kind": kind, "score": rng.randint(0, 7) / 7}


def _campaign(rng: random.Random) -> dict[str, Any]:
    return {
        "campaign_id": rng.choice("mn"),
        "ts": _time(rng),
        "treated": rng.random() < 0.6,
        "responded": _maybe(rng, rng.random() < 0.5),
        "revenue": _maybe(rng, rng.randint(0, 99) * 1_000),
        "cost": _maybe(rng, rng.randint(0, 9) * 100),
    }


def _subscription(rng: random.Random) -> dict[str, Any]:
    start = _time(rng)
    return {
        "started_at": start,
        "ended_at": _maybe(rng, start + timedelta(days=rng.choice([1, 100, 700]))),
        "plan": _maybe(rng, rng.choice(["gold", "basic"])),
        "fee": _maybe(rng, rng.randint(1, 9) * 10_000),
    }


def _registration(rng: random.Random) -> dict[str, Any]:
    return {
        "gender": _maybe(rng, rng.choice("fm")),
        "country": _maybe(rng, rng.choice(["UK", "CN"])),
        "city": _maybe(rng, rng.choice(["London", "北京"])),
        "birth_date": _maybe(rng, datetime(1950, 1, 1) + timedelta(days=rng.randint(0, 20_000))),
        "registered_at": _maybe(rng, _time(rng)),
        "valid_from": _maybe(rng, _time(rng)),
    }
