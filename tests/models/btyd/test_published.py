"""Figures that papers give for CDNOW's one-tenth sample."""

from __future__ import annotations

import numpy as np
import pytest

from custid.models.btyd import TRANSACTION_MODELS, BgNbd, GammaGamma, ParetoNbd


def test_bg_nbd_gives_the_parameters_of_the_paper(summary):
    model = BgNbd.fit(summary)
    assert (model.r, model.alpha) == pytest.approx((0.243, 4.414), abs=5e-4)
    assert (model.a, model.b) == pytest.approx((0.793, 2.426), abs=5e-4)
    assert model.diagnostics.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_pareto_nbd_gives_the_parameters_of_the_paper(summary):
    model = ParetoNbd.fit(summary)
    assert (model.r, model.alpha) == pytest.approx((0.553, 10.578), abs=5e-4)
    assert (model.s, model.beta) == pytest.approx((0.606, 11.669), abs=2e-3)
    assert model.diagnostics.log_likelihood == pytest.approx(-9595.0, abs=0.05)


def test_gamma_gamma_gives_the_parameters_of_the_note(sample):
    model = GammaGamma.fit(sample.histories.frequency, sample.value)
    assert (model.p, model.q, model.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=5e-3)
    assert model.diagnostics.log_likelihood == pytest.approx(-4055.92, abs=0.005)
    assert model.diagnostics.customers == 946
    assert model.left_out == 2357 - 946
    assert model.correlation == pytest.approx(0.1139, abs=5e-5)
    assert model.unrelated


@pytest.mark.parametrize(
    ("kind", "mae", "rmse", "correlation"),
    [("pareto_nbd", 0.7545, 1.603, 0.630), ("mbg_nbd", 0.765, 1.607, 0.627), ("bg_nbd", 0.7855, 1.608, 0.626)],
)
def test_the_holdout_of_39_weeks(summary, sample, kind, mae, rmse, correlation):
    expected = TRANSACTION_MODELS[kind].fit(summary).expected_purchases(sample.histories, 39.0)
    off = expected - sample.later
    assert np.abs(off).mean() == pytest.approx(mae, abs=6e-4)
    assert np.sqrt((off**2).mean()) == pytest.approx(rmse, abs=6e-4)
    assert np.corrcoef(expected, sample.later)[0, 1] == pytest.approx(correlation, abs=6e-4)


def test_counting_the_sample_gives_the_published_summary(summary, sample):
    assert np.array_equal(sample.histories.frequency, summary.frequency)
    assert np.abs(sample.histories.recency - summary.recency).max() < 0.006
    assert np.abs(sample.histories.age - summary.age).max() < 0.006
