"""The figures behind the charts."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.report.charts import axis, nice_ticks
from custid.report.drivers import direction
from custid.report.format import big_money, count, share
from custid.report.headline import total_range
from custid.report.inputs import Inputs
from custid.report.leaving import BANDS, histogram, leaving
from custid.report.matter import lorenz, matter
from custid.report.people import at_stake, people, ranked, to_take
from custid.report.sure import dot_plot, judge, sure
from custid.report.who import who

MakeInputs = Callable[..., Inputs]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=300).filter(lambda v: sum(v) > 1e-3))
def test_the_concentration_curve_rises_ever_more_slowly_from_nothing_to_all(values: list[float]) -> None:
    points = lorenz(np.array(values))
    x, y = np.array(points).T
    assert points[0] == (0, 0)
    assert points[-1] == pytest.approx((1, 1))
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= -1e-12).all()
    assert (np.diff(np.diff(y) / np.diff(x)) <= 1e-6).all()


@given(st.floats(-1e7, 1e7), st.floats(1e-6, 1e7))
def test_ticks_cover_the_range_and_are_few(low: float, width: float) -> None:
    high = low + width
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low + 1e-6 * width
    assert ticks[-1] >= high - 1e-6 * width
    assert 2 <= len(ticks) <= 7
    _, place = axis(low, high, str)
    assert 0 <= place(low) < place(high) <= 100


@given(st.floats(0, 1))
def test_a_share_is_never_rounded_to_nothing_or_to_all(value: float) -> None:
    text = share(value)
    assert (text == "0%") == (value == 0)
    assert (text == "100%") == (value == 1)


@given(st.floats(1, 1e12))
def test_big_money_has_three_figures_and_means_the_amount(value: float) -> None:
    text = big_money(value)
    found = re.fullmatch(r"([\d.,]+)(k| million| billion)?", text)
    assert found
    factor = {"k": 1e3, " million": 1e6, " billion": 1e9, None: 1}[found[2]]
    assert float(found[1].replace(",", "")) * factor == pytest.approx(value, rel=0.0051)


def test_every_customer_stands_in_one_column_and_in_one_band(make_inputs: MakeInputs) -> None:
    inputs = make_inputs()
    columns, _ = histogram(np.array([0.0, 0.05, 0.5, 1.0]))
    assert sum(int(c.text.split(": ")[1].split()[0]) for c in columns) == 4
    found = leaving(inputs)
    assert found is not None
    assert len(found.bands) == BANDS
    assert sum(int(bar.about.split()[0]) for bar in found.bands) == inputs.count


def test_groups_add_up_to_all_customers_and_all_value(make_inputs: MakeInputs) -> None:
    inputs = make_inputs()
    for grouping in who(inputs):
        assert sum(g.share_customers for g in grouping.groups) == pytest.approx(100)
        assert sum(g.share_value for g in grouping.groups) == pytest.approx(100)
        assert sum(int(g.customers) for g in grouping.groups) == inputs.count


def test_the_marks_of_the_curve_say_what_the_top_hold(make_inputs: MakeInputs) -> None:
    inputs = make_inputs()
    found = matter(inputs)
    assert found is not None
    value = np.sort(inputs.value())[::-1]
    assert [mark.y for mark in found.curve.marks] == pytest.approx(
        [100 * value[:k].sum() / value.sum() for k in (2, 20, 60)]
    )


def test_tables_are_in_order_and_ties_go_by_id(make_inputs: MakeInputs) -> None:
    inputs = make_inputs()
    assert (np.diff(inputs.columns["expected_value"][ranked(inputs)]) <= 0).all()
    assert (np.diff(inputs.at_stake()[at_stake(inputs)]) <= 0).all()
    inputs.columns["expected_value"].fill(1.0)
    ids = inputs.columns["customer_id"][ranked(inputs)].tolist()
    assert ids == sorted(ids)


def test_reasons_of_the_wanted_task_are_told(make_inputs: MakeInputs) -> None:
    inputs = make_inputs()
    rows = people(inputs, ranked(inputs)[:2], ("churn",))
    why = rows[1].why[0]
    assert (why.about, why.value, why.usual, why.up) == ("Days since the last purchase", "1", "8 to 95", True)
    assert people(inputs, ranked(inputs)[:1], ("segments",))[0].why == ()


@pytest.mark.parametrize("most", [1, 2, 7, 500])
def test_the_list_to_take_away_holds_nobody_twice(make_inputs: MakeInputs, most: int) -> None:
    rows = to_take(make_inputs(), most)
    assert len(rows) == len(set(rows.tolist())) == min(most, 200)


@pytest.mark.parametrize("name", ["auc", "brier"])
def test_the_standing_follows_the_ranges_and_the_way_that_is_better(name: str) -> None:
    good = {"auc": {"value": 0.9, "low": 0.89, "high": 0.91}, "brier": {"value": 0.1, "low": 0.09, "high": 0.11}}
    poor = {"auc": {"value": 0.7, "low": 0.69, "high": 0.71}, "brier": {"value": 0.2, "low": 0.19, "high": 0.21}}
    assert judge({"model": good, "baselines": {"rfm": poor}}, name)[0] == "ahead"
    standing, sentence = judge({"model": poor, "baselines": {"rfm": good, "recency": poor}}, name)
    assert standing == "behind"
    assert "does not beat the best baseline (RFM points)" in sentence
    assert judge({"model": good, "baselines": {"rfm": good}}, name)[0] == "level"
    assert judge({"model": good, "baselines": {}}, name)[0] == "level"
    labels = [row.label for row in dot_plot({"model": poor, "baselines": {"x": poor, "rfm": good}}, name, None).rows]
    assert labels == ["custid", "RFM points", "X"]


def test_measures_by_which_a_baseline_is_better_are_named(make_inputs: MakeInputs) -> None:
    good, poor = {"value": 0.9, "low": 0.89, "high": 0.91}, {"value": 0.7, "low": 0.69, "high": 0.71}
    block = {
        "model": {"auc": good, "brier": good},
        "baselines": {"rfm": {"auc": poor, "brier": poor}},
        "snapshot": "2011-01-01",
        "n": 9,
    }
    found = sure(make_inputs(metrics={"churn": block}))
    assert found is not None
    assert found.verdicts[0].standing == "ahead"
    assert found.verdicts[0].sentence.endswith("A baseline is better by: error of the probabilities.")


def test_the_tests_own_word_goes_before_the_ranges() -> None:
    found = {
        "model": {"auc": {"value": 0.80, "low": 0.78, "high": 0.82}},
        "baselines": {"rfm": {"auc": {"value": 0.79, "low": 0.77, "high": 0.81}}},
        "notes": ["The model beats every baseline: auc 0.800 against 0.790 of the best baseline, rfm (...)."],
    }
    assert judge(found, "auc")[0] == "ahead"


def test_a_measure_without_a_value_is_left_out() -> None:
    nothing = {"value": None, "low": None, "high": None}
    single = {"value": 0.8, "low": None, "high": None}
    found = {"model": {"auc": single}, "baselines": {"rfm": {"auc": nothing}, "recency": {"auc": single}}}
    assert [row.label for row in dot_plot(found, "auc", None).rows] == ["custid", "Who bought last"]
    assert judge(found, "auc")[0] == "level"


def test_tasks_that_were_not_tested_are_named(make_inputs: MakeInputs) -> None:
    found = sure(make_inputs())
    assert found is not None
    assert found.untested == "Not tested: who will be among the best and who will buy within days."


@given(st.floats(1, 1e9), st.floats(0.1, 3), st.floats(0.01, 2))
def test_the_range_of_the_total_holds_the_forecast_and_the_tested_error(total: float, low: float, width: float) -> None:
    bounds = total_range(total, {"value": low + width / 2, "low": low, "high": low + width})
    assert bounds is not None
    assert bounds[0] <= total <= bounds[1]
    assert bounds[0] <= total / (low + width) * (1 + 1e-12)
    assert bounds[1] >= total / low * (1 - 1e-12)


def test_a_driver_without_a_direction_says_nothing_or_that_it_depends() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(500)
    assert direction(x, rng.random(500)) == "up or down, depending on the rest"
    assert direction(x, -(x**3)) == "the more, the lower"
    assert direction(np.full(500, np.nan), x) == ""
    assert direction(np.ones(500), x) == ""


def test_counts_have_thousands_apart() -> None:
    assert count(1234567) == "1,234,567"
