"""Who moves between segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from custid.report.inputs import Inputs
from custid.report.moving import moving
from custid.report.page import page
from custid.report.who import who

MakeInputs = Callable[..., Inputs]
NAMES = ("<b>Once</b>", "高价值 & loyal")
SEGMENTS: dict[str, Any] = {
    "model": {"churn_explained": {"value": 0.25}, "stability": {"value": 0.9}},
    "baselines": {"rfm": {"churn_explained": {"value": 0.24}}, "rfm_cells": {"churn_explained": {"value": 0.22}}},
    "groups": {"segments": 2, "rfm": 13, "rfm_cells": 97},
    "about": {NAMES[0]: "typically 1 purchase", NAMES[1]: "typically 9 purchases"},
    "drift": {
        "segments": list(NAMES),
        "days": ["2011-01-11", "2011-02-10", "2011-03-12", "2011-06-10"],
        "customers": [80, 90, 100, 120],
        "share": [[0.5, 0.5], [0.5, 0.5], [0.6, 0.4], [0.75, 0.25]],
        "moved": [0.1, 0.3, 0.26],
        "moves": [[54, 6], [20, 20]],
        "arrived": [16, 4],
    },
}


def with_drift(**others: Any) -> dict[str, Any]:
    return {"segments": SEGMENTS | {"drift": SEGMENTS["drift"] | others}}


def test_each_row_says_where_the_customers_of_a_segment_went(make_inputs: MakeInputs) -> None:
    found = moving(make_inputs(metrics=with_drift()))
    assert found is not None
    assert [row.name for row in found.rows] == list(NAMES)
    assert [[cell.text for cell in row.cells] for row in found.rows] == [["90%", "10%"], ["50%", "50%"]]
    assert [[cell.stayed for cell in row.cells] for row in found.rows] == [[True, False], [False, True]]
    assert [sum(cell.part for cell in row.cells) for row in found.rows] == [pytest.approx(1.0)] * 2
    assert [(row.customers, row.before, row.after) for row in found.rows] == [
        ("60", "60%", "75%"),
        ("40", "40%", "25%"),
    ]
    assert found.sentence.startswith("From 12 March 2011 to 10 June 2011, 26% of the customers")
    assert "Between earlier days, some 30 days apart, 20% did each time." in found.sentence


def test_a_segment_that_nobody_left_and_nobody_who_was_there_twice(make_inputs: MakeInputs) -> None:
    found = moving(make_inputs(metrics=with_drift(moves=[[0, 0], [0, 5]], moved=[None, None, 0.0])))
    assert found is not None
    assert [cell.text for cell in found.rows[0].cells] == ["0%", "0%"]
    assert "0% of the customers of both days moved" in found.sentence
    assert "each time" not in found.sentence
    nobody = moving(make_inputs(metrics=with_drift(moves=[[0, 0], [0, 0]], moved=[None] * 3)))
    assert nobody is not None
    assert nobody.sentence.startswith("Each row shows")


@pytest.mark.parametrize("metrics", [{}, {"segments": {"model": {}, "baselines": {}}}])
def test_what_was_not_measured_is_not_drawn(make_inputs: MakeInputs, metrics: dict[str, Any]) -> None:
    assert moving(make_inputs(metrics=metrics)) is None
    assert "Who moves between segments" not in page(make_inputs(metrics=metrics))


def test_without_segments_in_the_profiles_nothing_is_drawn(make_inputs: MakeInputs) -> None:
    assert moving(make_inputs(without=("segment",), metrics=with_drift())) is None


def test_the_page_draws_it_and_runs_no_name(make_inputs: MakeInputs) -> None:
    text = page(make_inputs(metrics=with_drift()))
    assert 'data-chart="moves"' in text
    assert "--part:0.9" in text
    assert "<b>Once</b>" not in text
    assert "&lt;b&gt;Once&lt;/b&gt;" in text


def test_segments_come_in_the_order_of_what_they_promise_with_their_lines(make_inputs: MakeInputs) -> None:
    grouping = who(make_inputs(metrics=with_drift()))[-1]
    assert [(group.name, group.about) for group in grouping.groups] == list(SEGMENTS["about"].items())
    assert "account for 25% of who left later; the 13 groups of RFM points for 24% and the 97 RFM cells for 22%" in (
        grouping.about
    )
