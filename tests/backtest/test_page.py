"""What the page draws of results that are not whole: a task without words, one origin, figures that are not defined."""

from __future__ import annotations

import pytest

from custid.backtest.figures import best_baseline, by_origin, calibration, rows
from custid.backtest.page import page
from custid.backtest.pooled import as_told
from custid.backtest.verdict import verdict


def told(*values: float | None, link: str = "none"):
    """A task that knows one metric, at as many origins as there are values; a baseline has 0.5 of it."""
    blocks = {
        f"2020-0{i}-01": {"model": {"oddity": {"value": v}}, "baselines": {"rfm": {"oddity": {"value": 0.5}}}}
        for i, v in enumerate(values, 1)
    }
    origins, pooled = as_told(blocks)
    rest = {"n": 9, "horizon_days": 5, "learnt_days": 5, "curves": {}, "chosen": "", "notes": ["<b>"]}
    for block in (block for each in origins.values() for block in (each["model"], *each["baselines"].values())):
        block["oddity"] |= {"low": None, "high": None}
    return {
        "question": "How odd?",
        "headline": "oddity",
        "link": link,
        "verdict": verdict(pooled, "oddity"),
        "pooled": pooled,
        "origins": {day: {**rest, **block} for day, block in origins.items()},
    }


def result(**tasks):
    left_out = [{"origin": "2020-01-01", "task": "risk", "why": "few"}]
    about = {"name": "shop & co", "as_of": "2021-01-01", "origins": ["2020-01-01"], "how": "how", "currency": None}
    return {**about, "coverage": 0.8, "left_out": left_out, "tasks": tasks}


@pytest.mark.parametrize("values", [(0.7,), (0.7, 0.6), (None, 0.4), (None,)])
def test_a_task_that_nobody_has_words_for_is_drawn_by_its_own(values):
    drawn = page(result(risk=told(*values)))
    assert "oddity" in drawn
    assert "shop &amp; co" in drawn
    assert "&lt;b&gt;" in drawn
    assert "2020-01-01, risk: left out. few" in drawn


def test_places_lie_in_the_plot_and_the_model_stands_beside_its_rival():
    figure = by_origin(told(0.7, 0.6), "oddity", None)
    assert [each.kind for each in figure.reached] == ["ours", "best", "ours", "best"]
    assert all(0 <= place <= 100 for each in figure.reached for place in (each.x, each.at, each.low, each.high))
    assert figure.reached[0].at > figure.reached[1].at
    assert figure.line
    assert by_origin(told(0.7), "oddity", None).line == ""


def test_the_best_baseline_is_the_one_that_the_model_is_least_ahead_of():
    gaps = {
        "near": {"auc": {"value": 0.1}, "brier": {"value": -0.3}},
        "far": {"auc": {"value": 0.2}, "brier": {"value": -0.1}},
    }
    assert best_baseline({"differences": gaps}, "auc") == "near"
    assert best_baseline({"differences": gaps}, "brier") == "far"
    assert best_baseline({"differences": gaps}, "ece") == ""


def test_what_is_not_defined_is_a_dash_and_what_states_no_chance_has_no_calibration():
    assert rows("risk", told(None), None)[0].ours == "–"
    assert calibration(told(0.7)) == ()
