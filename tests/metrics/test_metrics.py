from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from custid import metrics

SCORES = st.lists(st.integers(0, 6), min_size=4, max_size=40)


@st.composite
def judged(draw):
    score = np.array(draw(SCORES), dtype=float) / 6
    truth = np.array(draw(st.lists(st.integers(0, 1), min_size=score.size, max_size=score.size)), dtype=float)
    truth[0], truth[1] = 0.0, 1.0
    return truth, score


@given(judged())
def test_probabilities_are_measured_as_scikit_learn_does(pair):
    truth, score = pair
    assert metrics.auc(truth, score) == pytest.approx(roc_auc_score(truth, score))
    assert metrics.average_precision(truth, score) == pytest.approx(average_precision_score(truth, score))
    assert metrics.brier(truth, score) == pytest.approx(brier_score_loss(truth, score))


@given(judged(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(pair, random):
    truth, score = pair
    order = list(range(truth.size))
    random.shuffle(order)
    for name, metric in {**metrics.PROBABILITY, **metrics.VALUE}.items():
        before, after = metric(truth, score), metric(truth[order], score[order])
        assert before == pytest.approx(after, nan_ok=True), name


@given(judged())
def test_ranking_metrics_know_nothing_but_the_order(pair):
    truth, score = pair
    for metric in (*metrics.RANKING.values(), *metrics.VALUE_RANKING.values()):
        assert metric(truth, score) == pytest.approx(metric(truth, np.exp(3 * score)), nan_ok=True)


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=30).filter(lambda v: len(set(v)) > 1))
def test_the_true_order_is_the_best_one(values):
    value = np.array(values, dtype=float)
    assert metrics.gini(value, value) == pytest.approx(1.0)
    best = metrics.capture(value, value, 0.2)
    assert best >= metrics.capture(value, -value, 0.2) - 1e-12
    assert metrics.spearman(value, value) == pytest.approx(1.0)


def test_negative_value_is_no_gain():
    value, score = np.array([-50.0, 10.0, 30.0, 0.0]), np.array([4.0, 3.0, 2.0, 1.0])
    assert metrics.capture(value, score, 0.25) == 0.0
    assert metrics.gini(value, score) == metrics.gini(np.maximum(value, 0.0), score)


def test_what_cannot_be_formed_is_none_in_a_block():
    truth, score = np.zeros(5), np.linspace(0, 1, 5)
    block = metrics.measure({"auc": metrics.auc, "brier": metrics.brier}, truth, score, metrics.resamples(5, 20, 1))
    assert block["auc"] == {"value": None, "low": None, "high": None}
    assert block["brier"]["low"] <= block["brier"]["value"] <= block["brier"]["high"]


def test_a_clearly_better_score_has_a_paired_difference_above_zero():
    rng = np.random.default_rng(0)
    truth = (rng.random(400) < 0.4).astype(float)
    good, bad = truth + rng.normal(size=400), rng.normal(size=400)
    low, high = metrics.paired(metrics.auc, truth, good, bad, metrics.resamples(400, 100, 2))
    assert 0 < low < high


def test_top_share_is_of_those_who_spend_and_ties_go_by_id():
    ids = np.array(["c", "a", "b", "d"])
    assert metrics.top_share(np.array([0.0, 0.0, 0.0, 0.0]), ids, 0.5).sum() == 0
    assert metrics.top_share(np.array([1.0, 1.0, 1.0, 1.0]), ids, 0.5).tolist() == [0.0, 1.0, 1.0, 0.0]


def test_lift_is_one_where_all_tie_and_largest_for_the_truth():
    truth = np.tile([1.0, 0.0, 0.0, 0.0], 50)
    assert metrics.lift(truth, np.ones(200)) == pytest.approx(1.0)
    assert metrics.lift(truth, truth) == pytest.approx(4.0)


def test_a_probability_of_one_falls_into_the_last_bin():
    assert metrics.ece(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.0
