"""Who gets reasons."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custid.profiles.reasons import looked_at

ROWS = st.lists(st.tuples(st.integers(0, 20), st.floats(0, 1)), min_size=1, max_size=50)


@given(ROWS, st.integers(0, 60))
def test_as_many_as_wanted_and_the_first_of_both_orders(rows: list[tuple[int, float]], most: int) -> None:
    value = np.array([row[0] for row in rows], dtype=float)
    churn = np.array([row[1] for row in rows])
    chosen = looked_at({"expected_value": value, "p_churn": churn}, len(rows), most).tolist()
    assert len(chosen) == min(most, len(rows))
    assert chosen == sorted(set(chosen))
    half = most // 2
    for order in (value, value * churn):
        assert set(np.argsort(-order, kind="stable")[:half].tolist()) <= set(chosen)


def test_without_a_value_the_chances_decide() -> None:
    churn = np.array([0.1, 0.9, 0.5])
    assert looked_at({"p_churn": churn}, 3, 2).tolist() == [1, 2]
    assert looked_at({"p_high_value": churn}, 3, 1).tolist() == [1]
    assert looked_at({}, 3, 2).tolist() == []
