"""The gate: no release that is worse than the champion gets through, and noise keeps none out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.metrics import auc, brier, gini
from custid.training.gate import Pair, gate


def two(seed: int, rows: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A truth, a good probability and a poor one."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.02, 0.98, rows)
    truth = (rng.uniform(size=rows) < chance).astype(float)
    return truth, chance, rng.uniform(0.02, 0.98, rows)


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_the_same_model_passes_and_a_poor_one_does_not(seed: int) -> None:
    truth, good, poor = two(seed)
    metrics = {"auc": auc, "brier": brier}
    assert gate([Pair("churn", metrics, truth, good, good)], "1-abc", 30, 7).promoted
    assert gate([Pair("churn", metrics, truth, good, poor)], "1-abc", 30, 7).promoted
    refused = gate([Pair("churn", metrics, truth, poor, good)], "1-abc", 30, 7)
    assert not refused.promoted
    assert "churn: auc" in refused.reason
    assert "brier" in refused.reason
    assert "1-abc" in refused.reason


def test_one_task_that_is_worse_keeps_the_whole_release_out() -> None:
    truth, good, poor = two(5)
    fine = Pair("clv", {"gini": gini}, truth * 10, good, poor)
    worse = Pair("churn", {"auc": auc}, truth, poor, good)
    decision = gate([fine, worse], "1", 30, 7)
    assert not decision.promoted
    assert "clv" not in decision.reason
    figures = decision.figures
    assert figures["clv"]["gini"]["low"] > 0 > figures["churn"]["auc"]["high"]
    assert figures["churn"]["auc"]["difference"] == pytest.approx(auc(truth, poor) - auc(truth, good))


def test_a_difference_within_the_noise_passes() -> None:
    truth, good, _ = two(3)
    slightly = good + np.random.default_rng(1).normal(0, 0.01, good.size)
    assert gate([Pair("churn", {"auc": auc}, truth, slightly, good)], "1", 100, 7).promoted


def test_what_cannot_be_measured_keeps_nobody_out() -> None:
    nothing = np.zeros(50)
    decision = gate([Pair("churn", {"auc": auc}, nothing, nothing, nothing)], "1", 20, 7)
    assert decision.promoted
    assert decision.figures["churn"]["auc"]["difference"] is None
