from __future__ import annotations

import numpy as np
import pytest

from custid.errors import InputError
from custid.models.btyd import Histories


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1.5], [1], [2]), "frequency has 1.5 in row 0; expected a whole number"),
        (([1, -1], [1, 0], [2, 2]), "frequency has -1 in row 1; expected a number of at least 0"),
        (([1, 1], [1, 3], [2, 2]), "recency has 3 in row 1; expected no more than the age"),
        (([0], [1], [2]), "recency has 1 in row 0; expected 0 where there is no repeat purchase"),
        (([1], [1], [float("nan")]), "age has nan in row 0"),
        (([1], [1], [float("inf")]), "age has inf in row 0"),
        (([1, 2], [1], [2, 2]), r"recency has shape \(1,\); expected one value per customer, 2 in all"),
        ((["two"], [1], [2]), "frequency holds something that is no number"),
        (([1], [1], [2], [-1]), "weights has -1 in row 0"),
    ],
)
def test_what_no_history_can_be_is_refused(columns, message):
    with pytest.raises(InputError, match=message):
        Histories.of(*columns)


def test_equal_rows_are_added_up():
    h = Histories.of([3, 0, 3, 0, 1], [5, 0, 5, 0, 5], [9, 9, 9, 8, 9], [1, 2, 3, 4, 0])
    d = h.distinct()
    rows = np.stack([d.frequency, d.recency, d.age, d.weights]).T.tolist()
    assert rows == [[0, 0, 8, 4], [0, 0, 9, 2], [3, 5, 9, 4]]
    assert (d.customers, d.repeaters) == (h.customers, h.repeaters) == (10, 4)


def test_the_callers_arrays_stay_as_they_are():
    x, tx, age = np.array([1.0, 0.0]), np.array([2.0, 0.0]), np.array([4.0, 4.0])
    Histories.of(x, tx, age).distinct()
    assert (x.tolist(), tx.tolist(), age.tolist()) == ([1, 0], [2, 0], [4, 4])


@pytest.mark.parametrize(("rows", "most"), [(10, 20), (20, 20), (21, 20), (99, 20)])
def test_thinning_keeps_rows_spread_over_all(rows, most):
    age = np.arange(1.0, rows + 1)
    kept = Histories.of(np.zeros(rows), np.zeros(rows), age).thinned(most).age
    assert min(rows, most) / 2 < kept.size <= most
    assert set(kept) <= set(age)
    assert kept[-1] > rows * 0.75
