import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.metrics.profit import Costs, contact_from, contact_share, expected_profit, profit_curve

CASES = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 9)), min_size=2, max_size=40)


def arrays(rows):
    return np.array([t for t, _ in rows]), np.array([s for _, s in rows], dtype=float)


def by_hand(truth, score, costs, steps=20_000):
    """The definition itself: for each chance of acceptance the best cut, weighted by how likely the chance is."""
    from scipy.stats import beta

    chance = (np.arange(steps) + 0.5) / steps
    cuts = [np.inf, *np.unique(score)[::-1]]
    each = []
    for cut in cuts:
        leavers, others = truth[score >= cut].sum() / truth.size, (1 - truth)[score >= cut].sum() / truth.size
        each.append(
            leavers * (chance * (costs.value - costs.offer) - costs.contact) - others * (costs.offer + costs.contact)
        )
    best = np.max(each, axis=0)
    return float((best * beta.pdf(chance, costs.alpha, costs.beta)).mean())


@pytest.mark.parametrize("costs", [Costs(), Costs(50, 5, 2, 2, 3), Costs(12, 10, 4, 1, 1)])
def test_the_closed_form_is_the_definition(costs):
    rng = np.random.default_rng(5)
    truth = (rng.random(300) < 0.3).astype(float)
    score = np.round(truth + rng.normal(size=300), 1)
    assert expected_profit(truth, score, costs) == pytest.approx(by_hand(truth, score, costs), rel=1e-4, abs=1e-4)


def test_it_agrees_with_empulse():
    published = pytest.importorskip("empulse.metrics").empc_score
    rng = np.random.default_rng(6)
    truth = (rng.random(500) < 0.2).astype(float)
    score = np.clip(0.2 + 0.3 * truth + 0.2 * rng.normal(size=500), 0, 1)
    names = {"alpha": 3.0, "beta": 7.0, "clv": 90.0, "incentive_cost": 8.0, "contact_cost": 2.0}
    costs = Costs(90, 8, 2, 3, 7)
    assert expected_profit(truth, score, costs) == pytest.approx(published(truth, score, **names))
    assert contact_share(truth, score, costs) == pytest.approx(published.optimal_rate(truth, score, **names))


def test_figures_that_empulse_gave():
    """empulse 0.13.1: empc_score and its optimal_rate on the same arrays."""
    truth, score = np.array([0, 1, 0, 1, 1, 0.0]), np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.6])
    assert expected_profit(truth, score, Costs(50, 5, 2, 2, 3)) == pytest.approx(5.862805791800032)
    assert contact_share(truth, score, Costs(50, 5, 2, 2, 3)) == pytest.approx(0.7109397957628409)


@given(CASES)
@settings(deadline=None, max_examples=60)
def test_only_the_order_counts_and_nobody_must_be_contacted(rows):
    truth, score = arrays(rows)
    profit = expected_profit(truth, score, Costs())
    assert profit >= 0
    assert expected_profit(truth, np.exp(score), Costs()) == pytest.approx(profit)
    assert expected_profit(truth[::-1], score[::-1], Costs()) == pytest.approx(profit)
    assert expected_profit(truth, truth, Costs()) >= profit - 1e-9
    assert 0 <= contact_share(truth, score, Costs()) <= 1


def test_the_threshold_lets_through_the_share():
    truth, score = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), np.linspace(0.9, 0.0, 10)
    assert contact_from(truth, score, Costs()) == pytest.approx(0.8)
    assert contact_from(np.zeros(10), score, Costs()) > 0.9


def test_the_curve_ends_with_everyone_contacted():
    truth = np.array([1.0, 0, 0, 0])
    curve = profit_curve(truth, np.array([0.9, 0.5, 0.4, 0.1]), Costs())
    assert curve[0] == (0.0, 0.0)
    assert curve[-1] == (1.0, pytest.approx((0.3 * 190 - 1 - 3 * 11) / 4))
