from datetime import date, datetime

import ibis
import pyarrow as pa
import pytest

from custid.features.observations import attributes, newest, repeated
from custid.features.single import Recompute
from custid.features.table import collect, used

DAY = date(2024, 6, 1)
KINDS = {"fee": "number", "partner": "flag", "Contract": "category"}


def observations(rows):
    schema = [("source", pa.string()), ("customer_id", pa.string()), ("record_id", pa.string())]
    schema += [("as_of", pa.timestamp("us")), ("label", pa.bool_()), ("treated", pa.bool_()), ("outcome", pa.float64())]
    schema += [("fee", pa.float64()), ("partner", pa.bool_()), ("Contract", pa.string())]
    return pa.Table.from_pylist([{"source": "s", "record_id": r["customer_id"], **r} for r in rows], pa.schema(schema))


ROWS = [
    {"customer_id": "b", "fee": 9.5, "partner": True, "Contract": "year", "label": True},
    {"customer_id": "a", "fee": None, "partner": False, "Contract": None, "label": False, "outcome": 3.0},
]


def made(rows, day=DAY):
    return collect(newest(ibis.memtable(observations(rows)), day)).to_pylist()


def test_attributes_are_kept_as_they_are_and_answers_are_none():
    assert made(ROWS) == [
        {"customer_id": "a", "as_of": DAY, "fee": None, "partner": 0.0, "Contract": None},
        {"customer_id": "b", "as_of": DAY, "fee": 9.5, "partner": 1.0, "Contract": "year"},
    ]
    assert attributes(observations(ROWS).schema) == KINDS


def test_what_is_observed_at_or_after_the_day_is_not_seen():
    times = [datetime(2024, 5, 1), datetime(2024, 5, 31, 23), datetime(2024, 6, 1)]
    rows = [{"customer_id": "a", "as_of": at, "fee": float(i)} for i, at in enumerate(times)]
    assert [row["fee"] for row in made(rows)] == [1.0]
    assert made(rows[2:]) == []


def test_the_order_of_the_rows_does_not_count():
    same = [{"customer_id": "a", "fee": fee} for fee in (2.0, 1.0)]
    assert made(same) == made(same[::-1])


def test_contradictions_are_counted_and_repetitions_are_not():
    assert repeated(ibis.memtable(observations([*ROWS, ROWS[0]]))).execute() == 0
    assert repeated(ibis.memtable(observations([*ROWS, {**ROWS[0], "fee": 1.0}]))).execute() == 1


def test_the_endpoint_makes_the_same_features():
    single = Recompute(["observations"], attributes=KINDS)
    for row in ROWS:
        asked = pa.Table.from_pylist([{k: v for k, v in row.items() if k not in ("label", "outcome")}])
        (alone,) = single.features({"observations": asked}, DAY).to_pylist()
        (batch,) = made([row])
        assert alone == batch
    assert single.columns == tuple(KINDS)


@pytest.mark.parametrize("history", ["transactions", "subscriptions"])
def test_observations_are_features_only_where_there_is_no_history(history):
    assert used(["observations", history]) == (history,)
    assert used(["observations", "customers"]) == ("observations",)
