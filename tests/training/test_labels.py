from __future__ import annotations

from datetime import date, timedelta

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.asof import midnight
from custid.training.labels import answers, ends, labels

DAY, HORIZON = date(2020, 3, 1), timedelta(days=30)


def table(rows):
    """Rows: customer, order, day, amount in money, or those and the day of the cancellation."""
    columns = {
        "customer_id": [r[0] for r in rows],
        "source": ["shop"] * len(rows),
        "order_id": [r[1] for r in rows],
        "ts": pa.array([midnight(DAY) + timedelta(days=r[2]) for r in rows], pa.timestamp("us")),
        "amount": pa.array([round(r[3] * 10_000) for r in rows], pa.int64()),
    }
    if any(len(r) > 4 for r in rows):
        ends = [None if r[4] is None else midnight(DAY) + timedelta(days=r[4]) for r in rows]
        columns["cancelled_at"] = pa.array(ends, pa.timestamp("us"))
    return {"transactions": ibis.memtable(pa.table(columns))}


def found(rows):
    result = labels(table(rows), DAY, HORIZON).to_pyarrow().to_pylist()
    return {r["customer_id"]: (r["purchases"], r["spend"]) for r in result}


def test_a_purchase_is_an_order_that_sums_to_more_than_nothing_and_returns_count_in_the_spend():
    rows = [("a", "1", 2, 10.0), ("a", "1", 2, -4.0), ("a", "2", 9, -20.5), ("b", "3", 3, 5.0), ("b", "3", 3, -5.0)]
    assert found(rows) == {"a": (1, -14.5), "b": (0, 0.0)}


def test_the_window_holds_its_first_midnight_and_not_its_last():
    assert found([("a", "1", 0, 1.0), ("b", "2", 30, 1.0), ("c", "3", -1, 1.0)]) == {"a": (1, 1.0)}


def test_what_was_cancelled_within_the_window_is_no_purchase():
    rows = [("a", "1", 2, 10.0, 5), ("b", "2", 2, 10.0, 40), ("c", "3", 2, 10.0, None)]
    assert found(rows) == {"b": (1, 10.0), "c": (1, 10.0)}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.integers(-40, 70), st.integers(-9, 9))))
def test_rows_outside_the_window_change_nothing(rows):
    always = [("a", "x", 1, 1.0)]
    inside = [(c, o, d, float(m)) for c, o, d, m in rows if 0 <= d < 30]
    outside = [(c, o, d, float(m)) for c, o, d, m in rows if not 0 <= d < 30]
    assert found(always + inside + outside) == found(always + inside)


def contracts(rows):
    """Rows: customer, first day, last day or None, counted from the snapshot."""

    def at(days):
        return None if days is None else midnight(DAY) + timedelta(days=days)

    columns = {
        "customer_id": [r[0] for r in rows],
        "started_at": pa.array([at(r[1]) for r in rows], pa.timestamp("us")),
        "ended_at": pa.array([at(r[2]) for r in rows], pa.timestamp("us")),
    }
    table = ends({"subscriptions": ibis.memtable(pa.table(columns))}, DAY, HORIZON).to_pyarrow()
    return dict(zip(table["customer_id"].to_pylist(), table["ended"].to_pylist(), strict=True))


def test_a_contract_has_ended_where_the_last_open_one_ends_in_the_horizon():
    rows = [
        ("on the day", -10, 0),
        ("within", -10, 29.5),
        ("at the end", -10, 30),
        ("runs", -10, None),
        ("one of two", -10, 5),
        ("one of two", -9, None),
        ("both", -10, 5),
        ("both", -9, 25),
        ("before", -10, -1),
        ("to come", 3, 9),
        ("another after it", -10, 5),
        ("another after it", 6, None),
    ]
    assert contracts(rows) == {
        "on the day": 1.0,
        "within": 1.0,
        "at the end": 0.0,
        "runs": 0.0,
        "one of two": 0.0,
        "both": 1.0,
        "another after it": 1.0,
    }


def test_answers_are_empty_for_whom_nothing_was_open():
    table = pa.table(
        {
            "customer_id": ["b"],
            "started_at": pa.array([midnight(DAY) - timedelta(days=9)], pa.timestamp("us")),
            "ended_at": pa.array([None], pa.timestamp("us")),
        }
    )
    features = pa.table({"customer_id": ["a", "b"]})
    found = answers({"subscriptions": ibis.memtable(table)}, features, DAY, HORIZON)
    assert found.to_pydict() == {"customer_id": ["a", "b"], "ended": [None, 0.0]}
