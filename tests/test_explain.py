import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.explain import BASE, REST, Wording, importance, reasons


@dataclass
class Parts:
    base: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray


def parts(base, values, names=("a", "b", "c", "d")):
    values = np.array(values, dtype=float)
    return Parts(np.array(base, dtype=float), names[: values.shape[1]], values)


numbers = st.floats(-50, 50)
rows = st.lists(st.tuples(numbers, st.lists(numbers, min_size=4, max_size=4)), min_size=1, max_size=5)


@given(rows, st.integers(1, 6))
def test_reasons_sum_to_the_score_on_its_link(drawn, most):
    made = parts([base for base, _ in drawn], [values for _, values in drawn])
    found = reasons("churn", made, {}, {}, {}, most)
    for told, (base, values) in zip(found, drawn, strict=True):
        assert math.fsum(r.contribution for r in told) == pytest.approx(base + sum(values), abs=1e-9)


@given(rows, st.integers(1, 6))
def test_the_largest_come_first_and_no_more_than_asked(drawn, most):
    made = parts([base for base, _ in drawn], [values for _, values in drawn])
    for told, values in zip(reasons("churn", made, {}, {}, {}, most), made.values, strict=True):
        named = [r for r in told if r.feature not in (REST, BASE)]
        sizes = [abs(r.contribution) for r in named]
        assert len(named) <= most
        assert sizes == sorted(sizes, reverse=True)
        assert all(abs(v) <= min(sizes) for v in values if v not in [r.contribution for r in named] and v)


def test_ties_are_broken_by_name_whatever_the_order_of_the_columns():
    one = reasons("churn", parts([0], [[1, -1, 1]], ("c", "a", "b")), {}, {}, {}, 2)
    other = reasons("churn", parts([0], [[1, 1, -1]], ("b", "c", "a")), {}, {}, {}, 2)
    assert [r.feature for r in one[0]] == ["a", "b", REST, BASE]
    assert one == other


def test_a_feature_that_does_nothing_is_no_reason():
    assert [r.feature for r in reasons("clv", parts([2], [[0, 3]]), {}, {}, {}, 5)[0]] == ["b", BASE]


def text(value, unit="", usual=(8.0, 30.0, 95.0), contribution=1.0, about="days since the last purchase", task="churn"):
    usual = {"a": usual} if usual else {}
    return reasons(task, parts([0], [[contribution]]), {"a": [value]}, usual, {"a": Wording(about, unit)}, 1)[0][0]


def test_words():
    assert text(212.0, "days").text == (
        "Days since the last purchase: 212, usually 8 to 95 - raises the chance of leaving"
    )
    assert text(2.5, "years", about="age").text == "Age: 2.5 years, usually 8 to 95 - raises the chance of leaving"
    assert text(0.25, "share", (0, 0.1, 0.5), about="returned").text == (
        "Returned: 25 %, usually 0 % to 50 % - raises the chance of leaving"
    )
    assert text(1, contribution=-1.0, task="clv", usual=(1, 1, 1), about="orders").text == (
        "Orders: 1, usually 1 - lowers the expected spend"
    )


def test_what_has_no_number_says_so():
    unknown = text(None)
    assert (unknown.value, unknown.low, unknown.high) == (None, 8.0, 95.0)
    assert "unknown, usually 8 to 95" in unknown.text
    assert text(math.nan).text == unknown.text
    category = text("web", "name", usual=None, about="preferred channel")
    assert category.text == "Preferred channel: web - raises the chance of leaving"
    assert (category.value, category.low, category.high) == (None, None, None)


def test_a_part_that_is_no_feature_is_named_without_a_value():
    made = parts([0], [[0.5]], ("formula",))
    reason = reasons("churn", made, {}, {}, {}, 3)[0][0]
    assert reason.text == "Buying rhythm (formula) - raises the chance of leaving"
    assert reason.value is None


def test_importance_is_the_mean_size():
    found = importance(parts([0, 0], [[1, -3, 0], [-1, 1, 0]]))
    assert found == {"b": 2.0, "a": 1.0, "c": 0.0}
    assert list(found) == ["b", "a", "c"]
    assert importance(parts([], np.empty((0, 2)))) == {"a": 0.0, "b": 0.0}
