"""Laws that every feature keeps, whatever the history: nothing from later, nothing of anybody else."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.features.single import Recompute
from custid.features.table import USED, catalogue

DAY = date(2024, 3, 15)
WALL = datetime(2024, 3, 15)
DROP = ("cancellations", "duplicates", "non_products")
MONEY = ("amount", "unit_price", "discount", "revenue", "cost", "fee")
KINDS = {feature.name: feature for feature in catalogue()}
seeds = st.integers(0, 2**32)
thorough = settings(max_examples=7, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def recompute() -> Recompute:
    return Recompute(USED, DROP)


def is_later(row: dict[str, Any]) -> bool:
    """Whether a row was not known before the wall."""
    times = ("ts", "started_at", "ingested_at", "registered_at", "valid_from")
    return any(row.get(name) is not None and row[name] >= WALL for name in times)


def changed_after_the_wall(rng: random.Random, rows: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """Rows that were not known are removed, changed or added; what else was to come is changed too."""
    result = {}
    for name in rows:
        kept = [dict(row) for row in rows[name] if not is_later(row) or rng.random() < 0.5]
        for row in kept:
            if is_later(row):
                row.update({key: 7_777 for key in MONEY if key in row})
            for end in ("ended_at", "cancelled_at"):
                if end in row and (row[end] is None or row[end] >= WALL):
                    row[end] = rng.choice([None, WALL, WALL + timedelta(days=rng.randint(0, 99))])
        result[name] = kept + [row for row in fresh[name] if is_later(row)]
    return result


def tables_of(canon: Any, rows: dict[str, Any]) -> dict[str, pa.Table]:
    return {name: canon(name, made) for name, made in rows.items()}


def close(a: pa.Table, b: pa.Table, factors: dict[str, float] | None = None) -> None:
    assert a["customer_id"].to_pylist() == b["customer_id"].to_pylist()
    for name in a.column_names[2:]:
        left, right = a[name].to_pylist(), b[name].to_pylist()
        factor = (factors or {}).get(name, 1)
        for ours, theirs in zip(left, right, strict=True):
            if isinstance(ours, float) and isinstance(theirs, float):
                assert theirs == pytest.approx(ours * factor, rel=1e-9, abs=1e-12), name
            else:
                assert theirs == ours, name


@thorough
@given(seed=seeds)
def test_nothing_at_or_after_the_snapshot_shows(seed: int, history: Any, canon: Any, recompute: Recompute) -> None:
    rows = history(seed)
    before = recompute.features(tables_of(canon, rows), DAY)
    later = changed_after_the_wall(random.Random(seed), rows, history(seed + 1))
    after = recompute.features(tables_of(canon, later), DAY)
    assert after.equals(before)


@thorough
@given(seed=seeds)
def test_the_order_of_the_rows_does_not_matter(seed: int, history: Any, canon: Any, recompute: Recompute) -> None:
    rows = history(seed)
    shuffled = {name: random.Random(seed).sample(made, len(made)) for name, made in rows.items()}
    first = recompute.features(tables_of(canon, rows), DAY)
    assert recompute.features(tables_of(canon, shuffled), DAY).equals(first)


@thorough
@given(seed=seeds)
def test_other_customers_do_not_matter(seed: int, history: Any, canon: Any, recompute: Recompute) -> None:
    rows = history(seed)
    whole = recompute.features(tables_of(canon, rows), DAY).to_pylist()
    alone = {name: [row for row in made if row["customer_id"] in ("c1", "c4")] for name, made in rows.items()}
    assert recompute.features(tables_of(canon, alone), DAY).to_pylist() == [
        row for row in whole if row["customer_id"] in ("c1", "c4")
    ]


def shifted(rows: dict[str, Any], by: timedelta) -> dict[str, Any]:
    def moved(value: Any) -> Any:
        return value + by if isinstance(value, datetime) else value

    return {name: [{key: moved(value) for key, value in row.items()} for row in made] for name, made in rows.items()}


@thorough
@given(seed=seeds, weeks=st.sampled_from([1, 13]))
def test_a_shift_by_weeks_changes_the_season_only(
    seed: int, weeks: int, history: Any, canon: Any, recompute: Recompute
) -> None:
    rows, by = history(seed), timedelta(weeks=weeks)
    here = recompute.features(tables_of(canon, rows), DAY)
    there = recompute.features(tables_of(canon, shifted(rows, by)), DAY + by)
    season = [name for name in here.column_names if name.startswith(("quarter_", "month_"))]
    assert len(season) == 6
    close(here.drop(season), there.drop(season))


def test_a_shift_by_the_calendars_whole_cycle_changes_nothing(history: Any, canon: Any, recompute: Recompute) -> None:
    rows, by = history(5), timedelta(days=146_097)
    here = recompute.features(tables_of(canon, rows), DAY)
    there = recompute.features(tables_of(canon, shifted(rows, by)), date(2424, 3, 15))
    assert here.num_rows > 3
    close(here, there)


@thorough
@given(seed=seeds)
def test_money_scales_and_nothing_else_does(seed: int, history: Any, canon: Any, recompute: Recompute) -> None:
    rows = history(seed)
    dearer = {
        name: [{k: v * 10 if k in MONEY and v is not None else v for k, v in row.items()} for row in made]
        for name, made in rows.items()
    }
    factors = {name: 10.0 for name, feature in KINDS.items() if feature.unit.startswith("money")}
    cheap = recompute.features(tables_of(canon, rows), DAY)
    close(cheap, recompute.features(tables_of(canon, dearer), DAY), factors)


def many_rows(canon: Any, rows: int = 260_000) -> pa.Table:
    """Enough rows for several threads to share, with amounts whose sums as doubles would depend on their order."""
    rng = np.random.default_rng(11)
    order = rng.integers(0, rows // 4, rows)
    columns = {
        "customer_id": (order % 97).astype(str),
        "order_id": order.astype(str),
        "ts": np.datetime64("2022-01-01", "us") + (order % 800).astype("timedelta64[D]"),
        "amount": rng.integers(-(10**9), 10**10, rows),
        "product_id": rng.integers(0, 50, rows).astype(str),
        "category": rng.integers(0, 5, rows).astype(str),
    }
    blank = canon("transactions", [])
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in blank.schema
    ]
    return pa.table(arrays, schema=blank.schema)


def test_the_number_of_threads_does_not_matter(canon: Any, batch: Any) -> None:
    rows = many_rows(canon)
    backwards = rows.take(np.arange(len(rows))[::-1])
    alone = batch({"transactions": rows}, DAY, threads=1)
    assert batch({"transactions": rows}, DAY, threads=4).equals(alone)
    assert batch({"transactions": backwards}, DAY, threads=3).equals(alone)
    assert alone.num_rows == 97


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=seeds)
def test_prospects_are_those_who_were_known_and_had_not_bought_by_then(
    seed: int, history: Any, canon: Any, batch: Any
) -> None:
    rows = history(seed)
    before = batch(tables_of(canon, rows), DAY, who="prospects")
    later = changed_after_the_wall(random.Random(seed), rows, history(seed + 1))
    assert batch(tables_of(canon, later), DAY, who="prospects").equals(before)
    customers = set(batch(tables_of(canon, rows), DAY)["customer_id"].to_pylist())
    dated = [r for r in rows["customers"] if r["registered_at"] is not None or r["valid_from"] is not None]
    known = {row["customer_id"] for row in [*dated, *rows["events"]] if not is_later(row)}
    subscribed = {row["customer_id"] for row in rows["subscriptions"] if not is_later(row)}
    assert before["customer_id"].to_pylist() == sorted(known - customers - subscribed)
    assert {"days_since_registration", "visits_7", "complaints"} <= {*before.column_names}
    assert "purchases" not in before.column_names
