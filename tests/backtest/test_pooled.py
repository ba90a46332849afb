"""Intervals and differences: their laws."""

from __future__ import annotations

import numpy as np
import pytest

from custid.backtest.pooled import as_told, compare
from custid.backtest.verdict import summary, verdict
from custid.training.baselines import Baseline
from custid.training.evaluate import Exam
from custid.training.task import task_of

TASK = task_of("churn")


def exam(seed, customers=300, *, rivals=("same", "worse"), first=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random(customers) < 0.4).astype(float)
    score = np.clip(0.3 * truth + 0.7 * rng.random(customers), 0.001, 0.999)
    said = {"same": Baseline(score, exact=True), "worse": Baseline(rng.random(customers), exact=False)}
    ids = np.array([f"c{i:04d}" for i in range(first, first + customers)])
    return Exam(ids, truth, score, truth, {name: said[name] for name in rivals})


def test_what_says_the_same_differs_by_nothing_and_noise_is_beaten():
    by_origin, pooled = compare(TASK, {"a": exam(1), "b": exam(2)}, 50, 7)
    for block in (*by_origin.values(), pooled):
        assert {gap[end] for gap in block["differences"]["same"].values() for end in ("value", "low", "high")} == {0.0}
        assert block["differences"]["worse"]["auc"]["low"] > 0
        assert "brier" not in block["baselines"]["worse"]
    assert verdict(pooled, "auc")["standing"] == "level"


def test_a_customer_who_is_there_twice_is_not_two_customers():
    """The same customers with the same outcome at another origin tell nothing new; other customers do."""
    once, pooled = compare(TASK, {"a": exam(1), "b": exam(1)}, 200, 7)
    assert {k: pooled["model"]["auc"][k] for k in ("value", "low", "high")} == pytest.approx(once["a"]["model"]["auc"])
    _, apart = compare(TASK, {"a": exam(1), "b": exam(2, first=5000)}, 200, 7)
    width = {
        name: block["model"]["auc"]["high"] - block["model"]["auc"]["low"]
        for name, block in (("same", pooled), ("apart", apart))
    }
    assert width["apart"] < 0.85 * width["same"]


def test_the_order_of_the_rows_is_of_no_account():
    one = exam(3)
    mixed = np.random.default_rng(0).permutation(one.truth.size)
    said = {name: Baseline(b.score[mixed], exact=b.exact) for name, b in one.baselines.items()}
    other = Exam(one.ids[mixed], one.truth[mixed], one.score[mixed], one.inside[mixed], said)
    ours, theirs = (compare(TASK, {"a": each}, 30, 7)[1] for each in (one, other))
    for name, figure in ours["model"].items():
        assert theirs["model"][name] == pytest.approx(figure)


def test_a_baseline_that_is_missing_at_an_origin_is_compared_at_the_others():
    _, pooled = compare(TASK, {"a": exam(1, rivals=("same",)), "b": exam(2)}, 30, 7)
    assert pooled["differences"]["worse"]["auc"]["origins"] == 1
    assert pooled["differences"]["same"]["auc"]["origins"] == 2
    by_origin, _ = compare(TASK, {"b": exam(2)}, 30, 7)
    assert pooled["differences"]["worse"]["auc"]["value"] == by_origin["b"]["differences"]["worse"]["auc"]["value"]


def test_an_outcome_of_one_kind_has_no_figure_and_spoils_no_other():
    flat = exam(1)
    none = Exam(flat.ids, np.zeros_like(flat.truth), flat.score, None, flat.baselines)
    by_origin, pooled = compare(TASK, {"a": none, "b": exam(2)}, 30, 7)
    assert by_origin["a"]["model"]["auc"]["value"] is None
    assert pooled["model"]["auc"]["value"] == by_origin["b"]["model"]["auc"]["value"]
    assert verdict(by_origin["a"], "auc")["standing"] == "unknown"


def test_figures_that_come_with_their_own_intervals_keep_them():
    told = {"model": {"x": {"value": 0.5, "low": 0.4, "high": 0.6}}, "baselines": {"rfm": {"x": {"value": 0.3}}}}
    by_origin, pooled = as_told({"a": told, "b": {"model": {"x": {"value": None}}, "baselines": {}}})
    assert by_origin["a"]["model"] == told["model"]
    assert by_origin["a"]["differences"]["rfm"]["x"]["value"] == pytest.approx(0.2)
    assert pooled["model"]["x"] == {"value": 0.5, "low": None, "high": None, "origins": 1}
    found = {"tasks": {"risk": {"headline": "x", "verdict": verdict(pooled, "x"), "pooled": pooled}}}
    assert summary(found) == [["risk", "x", 0.5, "rfm", "+0.200"]]
