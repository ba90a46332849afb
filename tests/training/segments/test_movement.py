from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from custid.models.segments import Segments, Squash
from custid.training.history import Snapshot
from custid.training.segments.movement import drift, moved, moves, refound


def segments(cut, names=("few", "many")):
    squash = Squash(("purchases",), np.ones(1), np.zeros(1), np.ones(1))
    place = np.arcsinh(float(cut))
    return Segments(squash, np.array([[1.0, 0.0]]), np.array([[place - 1, 0.0], [place + 1, 0.0]]), names, names, {})


def day(number, purchases):
    ids = pa.array(list(purchases), pa.string())
    return Snapshot(
        date(2020, 1, number),
        pa.table({"customer_id": ids, "purchases": pa.array(list(purchases.values()), pa.float64())}),
    )


def test_sizes_and_moves_are_counted_customer_by_customer():
    days = [day(1, {"a": 1, "b": 1}), day(2, {"a": 1, "b": 4, "c": 1}), day(3, {"d": 1, "c": 5, "b": 4, "a": 1})]
    told = drift(segments(2), days)
    assert told["days"] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert told["customers"] == [2, 3, 4]
    assert told["share"] == [[1.0, 0.0], [pytest.approx(2 / 3), pytest.approx(1 / 3)], [0.5, 0.5]]
    assert told["moved"] == [0.5, pytest.approx(1 / 3)]
    assert told["moves"] == [[1, 1], [0, 1]]
    assert told["arrived"] == [1, 0]


def test_every_customer_of_the_later_day_has_moved_stayed_or_arrived(history):
    squash = Squash(("purchases",), np.ones(1), np.zeros(1), np.ones(1))
    made = Segments(squash, np.array([[1.0, 0.0]]), np.array([[1.0, 0], [2, 0], [3, 0]]), ("x", "y", "z"), (), {})
    told = drift(made, [*history.snapshots, history.latest])
    assert (np.sum(told["moves"], axis=0) + told["arrived"]).sum() == history.latest.features.num_rows
    assert np.sum(told["share"], axis=1) == pytest.approx(1.0)
    assert len(told["moved"]) == len(told["days"]) - 1


def test_the_order_of_the_customers_does_not_matter():
    ids = np.array(["a", "b", "c", "d"])
    before, after, order = np.array([0, 1, 2, 1]), np.array([1, 1, 2, 0]), [2, 0, 3, 1]
    one = moves((ids, before), (ids, after), 3)
    assert (one == moves((ids[order], before[order]), (ids, after), 3)).all()
    assert one.tolist() == [[0, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_nobody_has_moved_where_nobody_was_there_before():
    nobody = moves((np.array(["a"]), np.array([0])), (np.array(["b"]), np.array([1])), 2)
    assert moved(nobody) is None
    assert moved(np.diag([3, 4])) == 0.0


def test_segmentations_are_compared_by_who_is_together_and_by_what_they_are_called():
    now = day(1, {name: number for number, name in enumerate("abcdefgh")})
    assert refound(segments(3), segments(3), now) == {"agreement": 1.0, "same_name": 1.0}
    other = refound(segments(3), segments(3, ("many", "few")), now)
    assert other == {"agreement": 1.0, "same_name": 0.0}
    assert refound(segments(3), segments(6), now)["agreement"] < 1.0
