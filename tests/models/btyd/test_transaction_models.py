"""What every model of repeat purchases keeps to."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from custid.errors import InputError, TooFewCustomersError
from custid.models.btyd import TRANSACTION_MODELS, BgNbd, Diagnostics, Histories, MbgNbd, ParetoNbd

FITTED = Diagnostics(True, 0.0, 1, (), -1.0, 10.0, 0.0)
MODELS = [
    BgNbd(0.243, 4.414, 0.793, 2.426, FITTED),
    BgNbd(0.7, 60.0, 1.0, 3.0, FITTED),  # a = 1: removable singularity of the closed form
    BgNbd(2.0, 10.0, 1e-6, 1e5, FITTED),  # next to nobody leaves
    MbgNbd(0.525, 6.183, 0.891, 1.614, FITTED),
    MbgNbd(2.0, 10.0, 1e-6, 1e-4, FITTED),
    ParetoNbd(0.553, 10.578, 0.606, 11.669, FITTED),
    ParetoNbd(0.553, 11.669, 1.0, 10.578, FITTED),  # s = 1, and alpha above beta
    ParetoNbd(2.0, 1e-3, 1e-6, 1e6, FITTED),
    ParetoNbd(1e5, 1e6, 1e5, 1e7, FITTED),  # everyone alike
]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.kind}-{MODELS.index(m)}")
EACH = pytest.mark.parametrize("kind", TRANSACTION_MODELS)


@st.composite
def histories(draw, least: int = 1, most: int = 30) -> Histories:
    n = draw(st.integers(least, most))
    x = np.array(draw(st.lists(st.integers(0, 8) | st.integers(0, 600), min_size=n, max_size=n)))
    age = np.array(draw(st.lists(st.integers(0, 800), min_size=n, max_size=n)), dtype=float)
    share = np.array(draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), min_size=n, max_size=n)))
    return Histories.of(x, np.where(x > 0, share * age, 0.0), age)


def simulate(kind: str, seed: int, ages: np.ndarray, horizon: float = 0.0) -> tuple[Histories, np.ndarray]:
    """Customers who do as the model says, up to their ages, and their purchases within the horizon after that."""
    rng, n = np.random.default_rng(seed), ages.size
    rate = rng.gamma(0.8, 1 / 8.0, n)
    p, life = rng.beta(0.8, 2.4, n), rng.exponential(1 / rng.gamma(0.6, 1 / 12.0, n))
    x, last, later, now = (np.zeros(n) for _ in range(4))
    alive = rng.random(n) > p if kind == "mbg_nbd" else np.ones(n, dtype=bool)
    while alive.any():
        now = now + rng.exponential(1 / rate)
        alive &= (now < ages + horizon) & ((now < life) if kind == "pareto_nbd" else True)
        before = alive & (now < ages)
        x, last, later = x + before, np.where(before, now, last), later + (alive & ~before)
        if kind != "pareto_nbd":
            alive &= rng.random(n) > p
    return Histories.of(x, last, ages), later


@pytest.fixture(scope="module")
def seen() -> dict[str, Histories]:
    ages = np.round(np.random.default_rng(3).uniform(26, 52, 3000))
    return {kind: simulate(kind, 3, ages)[0] for kind in TRANSACTION_MODELS}


@EVERY
@given(h=histories(), horizon=st.floats(0, 2000))
@settings(max_examples=40, deadline=None)
def test_predictions_are_what_they_claim_to_be(model, h, horizon):
    alive, within = model.p_alive(h), model.p_purchase_within(h, horizon)
    expected = model.expected_purchases(h, horizon)
    for probability in (alive, within):
        assert np.isfinite(probability).all()
        assert ((probability >= 0) & (probability <= 1)).all()
    assert (within <= alive + 1e-12).all()
    assert (within <= expected * (1 + 1e-9) + 1e-12).all(), "a chance of one is at most the number expected"
    assert np.isfinite(expected).all()
    assert np.isfinite(model.log_likelihood(h)).all()


@EVERY
@given(h=histories(), horizons=st.lists(st.floats(0, 2000), min_size=2, max_size=2))
@settings(max_examples=25, deadline=None)
def test_a_longer_horizon_brings_more(model, h, horizons):
    short, long = sorted(horizons)
    for ask in (model.expected_purchases, model.p_purchase_within):
        assert (ask(h, short) <= ask(h, long) * (1 + 1e-9) + 1e-12).all()
        assert ask(h, 0.0) == pytest.approx(0.0, abs=1e-12)


@EVERY
def test_who_bought_more_often_and_just_now_will_buy_more(model):
    x = np.arange(0, 700)
    h = Histories.of(x, np.where(x > 0, 200.0, 0.0), np.full(x.size, 200.0))
    for ask in (model.expected_purchases, model.p_purchase_within):
        assert (np.diff(ask(h, 30.0)[1:]) >= -1e-12).all()


@EVERY
def test_a_longer_silence_makes_leaving_likelier(model):
    h = Histories.of(np.full(50, 4), np.linspace(0, 100, 50), np.full(50, 100.0))
    assert (np.diff(model.p_alive(h)) >= -1e-15).all()


@EVERY
def test_json_and_back_is_exact(model):
    again = type(model).from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    assert TRANSACTION_MODELS[model.to_dict()["model"]] is type(model)


def test_a_saved_model_of_another_kind_is_refused():
    with pytest.raises(InputError, match="'bg_nbd'; expected 'mbg_nbd'"):
        MbgNbd.from_dict(MODELS[0].to_dict())
    with pytest.raises(InputError, match="expected those of to_dict"):
        BgNbd.from_dict({"model": "bg_nbd", "r": 1.0})


@EACH
def test_the_truth_is_found_again(seen, kind):
    model = TRANSACTION_MODELS[kind].fit(seen[kind])
    assert model.diagnostics.converged
    assert model.r == pytest.approx(0.8, rel=0.25)
    assert model.r / model.alpha == pytest.approx(0.1, rel=0.15)
    last = (model.s / model.beta, 0.6 / 12) if kind == "pareto_nbd" else (model.a / (model.a + model.b), 0.25)
    assert last[0] == pytest.approx(last[1], rel=0.3)


@EACH
def test_the_fit_is_a_maximum(seen, kind):
    """The likelihood, worked out row by row, falls whichever way a parameter moves."""
    model = TRANSACTION_MODELS[kind].fit(seen[kind])
    best = model.log_likelihood(seen[kind]).sum()
    assert model.diagnostics.log_likelihood == pytest.approx(best, rel=1e-10)
    saved = model.to_dict()
    for name in [n for n, v in saved.items() if isinstance(v, float)]:
        for factor in (0.99, 1.01):
            moved = type(model).from_dict({**saved, name: saved[name] * factor})
            assert moved.log_likelihood(seen[kind]).sum() < best


@EACH
def test_rows_may_come_in_any_order_or_added_up(seen, kind):
    h, fit = seen[kind], TRANSACTION_MODELS[kind].fit
    order = np.random.default_rng(0).permutation(h.age.size)
    shuffled = Histories.of(h.frequency[order], h.recency[order], h.age[order])
    assert fit(shuffled) == fit(h) == fit(h.distinct())


@EACH
def test_the_unit_of_time_changes_no_prediction(seen, kind):
    weeks, fit = seen[kind], TRANSACTION_MODELS[kind].fit
    days = Histories.of(weeks.frequency, weeks.recency * 7, weeks.age * 7)
    by_week, by_day = fit(weeks), fit(days)
    assert by_day.p_alive(days) == pytest.approx(by_week.p_alive(weeks), rel=1e-6)
    for ask in ("expected_purchases", "p_purchase_within"):
        daily = getattr(by_day, ask)(days, 91.0)
        assert daily == pytest.approx(getattr(by_week, ask)(weeks, 13.0), rel=1e-6)


@EACH
def test_predictions_come_true_in_a_simulation(kind):
    """Those of one simulated year, from the counts at its middle, under the true parameters."""
    truth = {
        "bg_nbd": BgNbd(0.8, 8.0, 0.8, 2.4, FITTED),
        "mbg_nbd": MbgNbd(0.8, 8.0, 0.8, 2.4, FITTED),
        "pareto_nbd": ParetoNbd(0.8, 8.0, 0.6, 12.0, FITTED),
    }[kind]
    h, bought = simulate(kind, 11, np.full(40_000, 26.0), 26.0)
    error = 4 / np.sqrt(h.age.size)
    assert truth.p_purchase_within(h, 26.0).mean() == pytest.approx((bought > 0).mean(), abs=error / 2)
    off = truth.expected_purchases(h, 26.0) - bought
    assert off.mean() == pytest.approx(0.0, abs=error * off.std())
    bands = np.digitize(truth.p_purchase_within(h, 26.0), [0.1, 0.2, 0.4, 0.6, 0.8])
    for band in np.unique(bands):
        inside = bands == band
        claimed, found = truth.p_purchase_within(h, 26.0)[inside].mean(), (bought > 0)[inside].mean()
        assert claimed == pytest.approx(found, abs=2 / np.sqrt(inside.sum()))


@pytest.mark.parametrize(
    "model",
    [
        BgNbd(0.7, 9.0, 1e-6, 1e6, FITTED),
        MbgNbd(0.7, 9.0, 1e-6, 1e6, FITTED),
        ParetoNbd(0.7, 9.0, 1e-6, 1e6, FITTED),
    ],
    ids=lambda m: m.kind,
)
@given(h=histories())
@settings(max_examples=30, deadline=None)
def test_where_nobody_leaves_it_is_the_nbd(model, h):
    h = Histories.of(h.frequency, np.where(h.frequency > 0, h.age, 0.0), h.age)
    x, shape = h.frequency, model.r + h.frequency
    counts = stats.nbinom.logpmf(x, model.r, model.alpha / (model.alpha + h.age))
    orders = np.array([np.log(np.arange(1, int(k) + 1)).sum() for k in x])
    times = np.where(x > 0, orders - x * np.log(np.maximum(h.age, 1e-300)), 0.0)
    grown = h.age > 0  # of a count at age 0 the nbd says that it is 0
    assert model.log_likelihood(h)[grown] == pytest.approx((counts + times)[grown], rel=1e-5, abs=1e-4)
    rate = shape / (model.alpha + h.age)
    alive = model.p_alive(h)
    assert model.expected_purchases(h, 50.0) == pytest.approx(alive * rate * 50.0, rel=1e-3)
    never = (1 + 50.0 / (model.alpha + h.age)) ** -shape
    assert model.p_purchase_within(h, 50.0) == pytest.approx(alive * (1 - never), rel=1e-3, abs=1e-12)


def test_bg_nbd_takes_one_time_buyers_for_alive_and_mbg_nbd_does_not():
    once = Histories.of([0, 0], [0, 0], [1.0, 500.0])
    assert MODELS[0].p_alive(once).tolist() == [1.0, 1.0]
    recent, old = MODELS[3].p_alive(once)
    assert old < recent < 1


@pytest.mark.parametrize(("x", "tx", "age"), [(0, 0.0, 39.0), (2, 30.43, 38.86), (26, 30.86, 31.0), (5, 1.0, 38.0)])
def test_pareto_nbd_agrees_with_integrals_over_rate_and_lifetime(x, tx, age):
    """Likelihood and predictions from their definitions, by a product rule over the two rates."""
    model = MODELS[5]
    h = Histories.of([x], [tx], [age])

    nodes, weights = np.polynomial.legendre.leggauss(400)
    root, weight = (nodes + 1) / 2 * 1.3, weights / 2 * 1.3 * ((nodes + 1) / 2 * 1.3) ** 3 * 4  # no singularity at 0
    rate, mu = root[:, None] ** 4, root[None, :] ** 4
    prior = stats.gamma.pdf(rate, model.r, scale=1 / model.alpha) * stats.gamma.pdf(mu, model.s, scale=1 / model.beta)
    prior *= weight[:, None] * weight[None, :] * rate**x
    alive = prior * np.exp(-(rate + mu) * age)
    gone = prior * mu / (rate + mu) * (np.exp(-(rate + mu) * tx) - np.exp(-(rate + mu) * age))
    total = (alive + gone).sum()
    within = (alive * rate / (rate + mu) * -np.expm1(-(rate + mu) * 13.0)).sum()
    bought = (alive * rate / mu * -np.expm1(-mu * 13.0)).sum()
    assert model.log_likelihood(h)[0] == pytest.approx(np.log(total), abs=1e-6)
    assert model.p_alive(h)[0] == pytest.approx(alive.sum() / total, rel=1e-6)
    assert model.p_purchase_within(h, 13.0)[0] == pytest.approx(within / total, rel=1e-6)
    assert model.expected_purchases(h, 13.0)[0] == pytest.approx(bought / total, rel=1e-6)


@EACH
def test_a_horizon_may_differ_by_customer(kind):
    model = next(m for m in MODELS if m.kind == kind)
    h = Histories.of([0, 3], [0, 20], [30, 30])
    both = model.expected_purchases(h, [5.0, 9.0])
    assert both == pytest.approx([model.expected_purchases(h, 5.0)[0], model.expected_purchases(h, 9.0)[1]])
    with pytest.raises(InputError, match="horizon has -1 in row 0"):
        model.p_purchase_within(h, -1.0)


@EACH
def test_a_penalty_keeps_a_short_history_from_nobody_ever_leaving(kind):
    rng = np.random.default_rng(5)
    x = rng.poisson(rng.gamma(2.0, 1.0, 400))
    h = Histories.of(x, np.where(x > 0, 8.0 * x / (x + 1), 0.0), np.full(400, 8.0))  # evenly spaced: nobody leaves
    model = TRANSACTION_MODELS[kind]
    free, held = model.fit(h), model.fit(h, penalty=1.0)
    assert set(free.diagnostics.at_bound) & {"a", "b", "s", "beta"}
    assert not held.diagnostics.at_bound
    assert held.diagnostics.converged
    assert held.diagnostics.log_likelihood > free.diagnostics.log_likelihood - 10


@EACH
def test_what_cannot_be_fitted_is_refused_in_a_sentence(kind):
    fit = TRANSACTION_MODELS[kind].fit
    once = Histories.of(np.zeros(50), np.zeros(50), np.full(50, 9.0))
    with pytest.raises(TooFewCustomersError, match=r"at least 5 customers who bought again; there are 0\."):
        fit(once)
    with pytest.raises(TooFewCustomersError):
        fit(Histories.of([], [], []))
    with pytest.raises(InputError, match="every age is 0"):
        fit(Histories.of(np.ones(9), np.zeros(9), np.zeros(9)))
    with pytest.raises(InputError, match="penalty"):
        fit(once, penalty=-1.0)
