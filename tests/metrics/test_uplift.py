import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.metrics.uplift import average_effect, curve_points, measure, qini, qini_curve, uplift_at

ROWS = st.lists(st.tuples(*[st.sampled_from([0.0, 1.0])] * 2, st.integers(0, 6)), min_size=4, max_size=40)


def table():
    rng = np.random.default_rng(1)
    treated = (rng.random(3000) < 0.4).astype(float)
    score = np.round(rng.normal(size=3000), 2)
    outcome = (rng.random(3000) < 0.1 + 0.05 * treated * (score > 0)).astype(float)
    return outcome, treated, score


def test_a_curve_worked_out_by_hand():
    outcome = np.array([1.0, 0, 1, 0, 1])
    treated = np.array([1.0, 0, 1, 1, 0])
    places, heights = qini_curve(outcome, treated, np.array([5.0, 4, 3, 2, 2]))
    # 1 treated buyer: 1; a control: 1 - 0; a second treated buyer: 2 - 0; the last two tie: 2 - 1 * 3 / 2
    assert places.tolist() == [0, 1, 2, 3, 5]
    assert heights.tolist() == [0.0, 1.0, 1.0, 2.0, 0.5]
    # areas by trapezoids: 0.5 + 1 + 1.5 + 2.5 = 5.5; the straight line's 1.25; the best order's 2 + 4 + 1.25 = 7.25
    assert qini(outcome, treated, np.array([5.0, 4, 3, 2, 2])) == pytest.approx((5.5 - 1.25) / (7.25 - 1.25))


def test_it_gives_what_scikit_uplift_gave():
    """scikit-uplift 0.5.1: qini_auc_score(negative_effect=True) on the same table."""
    assert qini(*table()) == pytest.approx(0.04770005943138805, abs=1e-12)


def test_it_agrees_with_scikit_uplift():
    published = pytest.importorskip("sklift.metrics")
    outcome, treated, score = table()
    assert qini(outcome, treated, score) == pytest.approx(published.qini_auc_score(outcome, score, treated))


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_laws(rows):
    outcome, treated, score = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = qini(outcome, treated, score)
    if np.isnan(found):
        return
    assert found == pytest.approx(qini(outcome[::-1], treated[::-1], score[::-1]))
    assert found == pytest.approx(qini(outcome, treated, np.exp(score)))
    assert qini(outcome, treated, np.zeros(outcome.size)) == pytest.approx(0.0)
    assert qini(outcome, treated, outcome * (2 * treated - 1)) == pytest.approx(1.0)


def test_the_top_counts_ties_pro_rata():
    outcome, treated = np.array([1.0, 0, 1, 0]), np.array([1.0, 0, 0, 1])
    assert uplift_at(outcome, treated, np.array([2.0, 2, 1, 1]), 0.5) == 1.0
    assert uplift_at(outcome, treated, np.zeros(4), 0.5) == pytest.approx(average_effect(outcome, treated))
    assert np.isnan(uplift_at(outcome, treated, np.array([4.0, 1, 2, 3]), 0.25))


def test_without_both_groups_there_is_nothing_to_measure():
    found = measure(np.ones(4), np.ones(4), np.arange(4.0), [np.arange(4)])
    assert found["qini"] == {"value": None, "low": None, "high": None}


def test_the_figure_starts_at_nothing_and_ends_with_all():
    points = curve_points(*table())
    assert points[0] == (0.0, 0.0)
    assert points[-1][0] == 1.0
