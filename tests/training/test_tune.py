from __future__ import annotations

import numpy as np
import optuna
import pytest

from custid.training.folds import Pool
from custid.training.learners import MOST_LEAVES
from custid.training.task import task_of
from custid.training.tune import STARTS, Found, capped, marks, propose, search


class Told:
    """Keeps what it is told."""

    def __init__(self):
        self.params = []

    def trial(self, params, **_):
        self.params.append(params)


@pytest.fixture(scope="module")
def pool(history, quick_config):
    return Pool.of(task_of("churn"), history, quick_config)


def test_the_champions_members_are_tried_first_then_one_of_each_kind(pool, quick_config):
    told = Told()
    warm = [("trees", {"depth": 2, "rounds": 41, "rate": 0.1, "child_weight": 50.0, "shrink": 9.0, "columns": 0.6})]
    warm.append(("forest", {"depth": 9}))  # a kind that is no longer known
    found = search(pool, quick_config, data="x", storage="sqlite://", tracker=told, warm=warm)
    assert told.params[0] == {"learner": "trees", **warm[0][1]}
    assert [params["learner"] for params in told.params[1:]] == list(task_of("churn").learners)
    assert found.trials == quick_config.tuning.trials


def test_what_needs_no_search_is_measured_and_the_formula_tells_more_than_the_average(pool):
    found = marks(pool)
    assert set(found) == {"average", "formula", "past spend"}
    assert found["formula"] < found["average"]


def test_a_member_is_never_larger_than_a_score_with_reasons_can_bear():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(60):
        learner, params = propose(study.ask(), ("trees",))
        assert learner == "trees"
        assert params["rounds"] * 2 ** params["depth"] <= MOST_LEAVES


@pytest.mark.parametrize(
    ("losses", "marked", "until"),
    [
        ((), {}, 0),
        ((np.inf, np.inf), {}, 0),
        ((3.0, 2.0, 1.0), {}, 3),
        ((3.0, 1.0, np.inf, 1.0, 0.999), {}, 2),
        ((1.0, 0.999), {"average": 3.0}, 1),
    ],
)
def test_it_says_when_more_search_stopped_paying(losses, marked, until):
    assert Found((), losses, marked).paid_until == until


def test_what_is_shipped_is_no_larger_than_what_was_tried(pool, quick_config, tmp_path):
    warm = [("trees", {**STARTS["trees"], "depth": 4, "rounds": 300})]
    found = search(pool, quick_config, data="d", storage=f"sqlite:///{tmp_path / 's.db'}", tracker=Told(), warm=warm)
    for learner, params, _ in found.best:
        if learner != "linear":
            assert params["rounds"] == capped(params["rounds"], params["depth"])
            assert params["rounds"] << params["depth"] <= MOST_LEAVES
