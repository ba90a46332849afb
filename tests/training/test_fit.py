from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from custid.errors import ConfigError, InputError
from custid.models.bundle import load
from custid.models.predictor.contributions import logit
from custid.training.fit import fit_task
from custid.training.task import tasks

SCORED = ("churn", "clv", "high_value")
BY_SNAPSHOT = sorted(name for name, task in tasks().items() if task.looks_back is None)


class Told:
    """Remembers the trials that it was told of."""

    def __init__(self):
        self.trials = []

    def trial(self, number, params, metrics, state):
        self.trials.append((number, params, metrics, state))


@pytest.fixture(scope="module")
def fitted(history, quick_config):
    told = {name: Told() for name in BY_SNAPSHOT}
    return {name: (fit_task(name, history, quick_config, tracker=told[name]), told[name]) for name in BY_SNAPSHOT}


@pytest.mark.parametrize("name", BY_SNAPSHOT)
def test_every_task_gives_a_predictor_with_its_own_output(fitted, history, name):
    result, told = fitted[name]
    assert result.task == name
    assert result.predictor.outputs[0] == tasks()[name].output
    said = result.predictor.predict(history.latest.features)
    assert set(said) == set(result.predictor.outputs)
    assert all(len(values) == history.latest.features.num_rows for values in said.values())
    assert [trial[0] for trial in told.trials] == list(range(len(told.trials)))


@pytest.mark.parametrize("name", SCORED)
def test_it_is_judged_on_the_held_out_day_beside_every_baseline(fitted, history, name):
    result, _ = fitted[name]
    assert result.snapshot == history.rehearsal.latest.day
    assert result.n == history.rehearsal.latest.features.num_rows
    expected = {"recency", "rfm", "past_spend", "prior", "bgnbd", "mbgnbd", "paretonbd", "xgboost"}
    assert set(result.baselines) == expected
    headline = result.metrics[tasks()[name].headline]
    assert headline["low"] <= headline["value"] <= headline["high"]
    assert result.notes


@pytest.mark.parametrize("name", SCORED)
def test_scores_are_what_they_say_they_are(fitted, history, name):
    said = fitted[name][0].predictor.predict(history.latest.features)
    score = said[tasks()[name].output]
    assert np.isfinite(score).all()
    if tasks()[name].link == "logit":
        assert ((score > 0) & (score < 1)).all()
    else:
        low, high = said["expected_value_low"], said["expected_value_high"]
        assert (low >= 0).all()
        assert (low <= score).all()
        assert (score <= high).all()


@pytest.mark.parametrize("name", [*SCORED, "segments"])
def test_a_saved_predictor_says_the_same_to_the_bit_row_by_row(fitted, history, tmp_path, name):
    predictor, features = fitted[name][0].predictor, history.latest.features
    predictor.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".ubj"}
    again = load(tmp_path)
    whole = predictor.predict(features)
    for row in (0, 7, features.num_rows - 1):
        alone = again.predict(features.slice(row, 1))
        assert {key: values[0] for key, values in alone.items()} == {key: values[row] for key, values in whole.items()}
    shuffled = np.random.default_rng(0).permutation(features.num_rows)
    for key, values in again.predict(features.take(shuffled)).items():
        assert (values == whole[key][shuffled]).all()


@pytest.mark.parametrize("name", SCORED)
def test_contributions_sum_to_the_score_on_its_link(fitted, history, name):
    predictor, features = fitted[name][0].predictor, history.latest.features.slice(0, 60)
    parts = predictor.contributions(features)
    score = predictor.predict(features)[parts.output]
    linked = logit(score) if parts.link == "logit" else np.log(score)
    assert np.abs(linked - parts.base - parts.values.sum(axis=1)).max() < 1e-9
    assert parts.names == (*predictor.encoder.columns, "formula")
    assert np.ptp(parts.base) < 1e-4


def test_a_missing_feature_is_named_and_extra_ones_are_ignored(fitted, history):
    predictor, features = fitted["churn"][0].predictor, history.latest.features
    with pytest.raises(InputError, match="days_since_last missing"):
        predictor.predict(features.drop_columns(["days_since_last"]))
    extra = features.append_column("novelty", pa.array(np.arange(features.num_rows)))
    assert (predictor.predict(extra)["p_churn"] == predictor.predict(features)["p_churn"]).all()


def test_the_same_data_give_the_same_scores_whatever_the_threads(history, quick_config):
    features = history.latest.features
    one = fit_task("churn", history, quick_config.model_copy(update={"threads": 1})).predictor.predict(features)
    two = fit_task("churn", history, quick_config.model_copy(update={"threads": 2})).predictor.predict(features)
    assert (one["p_churn"] == two["p_churn"]).all()


def test_a_search_that_was_killed_ends_as_one_that_was_not(fitted, history, quick_config, tmp_path):
    class Kill(Told):
        def trial(self, number, params, metrics, state):
            super().trial(number, params, metrics, state)
            if number == 1:
                raise KeyboardInterrupt

    storage = f"sqlite:///{tmp_path / 'study.db'}"
    with pytest.raises(KeyboardInterrupt):
        fit_task("churn", history, quick_config, storage=storage, tracker=Kill())
    told = Told()
    resumed = fit_task("churn", history, quick_config, storage=storage, tracker=told)
    whole, before = fitted["churn"]
    assert [trial[:2] for trial in told.trials] == [trial[:2] for trial in before.trials]
    features = history.latest.features
    assert (resumed.predictor.predict(features)["p_churn"] == whole.predictor.predict(features)["p_churn"]).all()


def test_the_future_of_the_held_out_day_does_not_reach_what_is_judged(fitted, history, world, quick_config):
    from dataclasses import replace

    latest = history.rehearsal.latest
    empty = latest.labels.set_column(2, "spend", pa.array(np.zeros(latest.labels.num_rows)))
    blind = replace(history, rehearsal=replace(history.rehearsal, latest=replace(latest, labels=empty)))
    other = fit_task("clv", blind, quick_config)
    features = latest.features
    ours, theirs = (f.judged.predict(features)["expected_value"] for f in (fitted["clv"][0], other))
    assert (ours == theirs).all()


def test_an_unknown_task_is_refused_with_the_nearest_one(history, quick_config):
    with pytest.raises(ConfigError, match="Did you mean 'churn'"):
        fit_task("chrun", history, quick_config)


@pytest.mark.parametrize(
    "odd",
    [
        {"once": 1.0},
        {"once": 0.97},
        {"leaves": False, "once": 0.0},
        {"amount": 10.0},
        {"customers": 40},
    ],
    ids=["all buy once", "nearly all buy once", "nobody leaves", "constant amounts", "few customers"],
)
def test_odd_histories_are_learnt_from_without_complaint(make, quick_config, odd):
    history = make(seed=5, **{"customers": 100, **odd}).history()
    for name in BY_SNAPSHOT:
        result = fit_task(name, history, quick_config)
        for values in result.predictor.predict(history.latest.features).values():
            assert values.dtype.kind == "O" or np.isfinite(values).all()


def test_where_a_shorter_horizon_was_learnt_the_formula_extends_it(make, quick_config):
    world = make(seed=2)
    short, long = world.history(horizon=30), world.history(horizon=90, learnt=30)
    features = short.latest.features
    churn = [fit_task("churn", h, quick_config) for h in (short, long)]
    value = [fit_task("clv", h, quick_config) for h in (short, long)]
    gone = [f.predictor.predict(features)["p_churn"] for f in churn]
    spent = [f.predictor.predict(features)["expected_value"] for f in value]
    assert gone[1].mean() < gone[0].mean()
    assert spent[1].sum() > 1.5 * spent[0].sum()
    assert any("30 days was learnt" in text for text in churn[1].notes)


def test_money_in_another_unit_gives_the_same_chances_and_scaled_values(make, quick_config):
    from dataclasses import replace

    world = make(seed=3)
    cents = replace(world, amount=world.amount * 64)
    one, other = world.history(), cents.history()
    for name, factor in (("churn", 1.0), ("high_value", 1.0), ("clv", 64.0)):
        ours = fit_task(name, one, quick_config).predictor.predict(one.latest.features)
        theirs = fit_task(name, other, quick_config).predictor.predict(other.latest.features)
        output = tasks()[name].output
        assert theirs[output] == pytest.approx(ours[output] * factor, rel=0.02)
