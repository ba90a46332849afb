from __future__ import annotations

import numpy as np
import pytest

from custid.training.blend import weigh
from custid.training.folds import Pool
from custid.training.task import task_of


@pytest.fixture(scope="module")
def pool(history, quick_config):
    return Pool.of(task_of("churn"), history, quick_config)


def tried(pool):
    rows = np.concatenate([part.tried for part in pool.parts])
    return rows, pool.rows.formula["buys"][rows]


def test_a_member_that_misleads_gets_no_weight(pool):
    rows, formula = tried(pool)
    noise = np.random.default_rng(0).normal(0, 6, rows.size)
    weights = weigh(pool, rows, np.stack([formula, noise], axis=1), np.array([0.5, 0.5]), [1])
    assert weights[1] == 0
    assert weights[0] > 0.5


def test_a_member_that_knows_more_keeps_its_weight(pool):
    rows, formula = tried(pool)
    knows = 2.0 * (pool.truth[rows] - 0.5) + np.random.default_rng(0).normal(0, 1, rows.size)
    weights = weigh(pool, rows, np.stack([formula, knows], axis=1), np.array([0.5, 0.5]), [1])
    assert (weights > 0.3).all()


def test_a_margin_that_is_too_sure_is_flattened(pool):
    rows, formula = tried(pool)
    (right,) = weigh(pool, rows, formula[:, None], np.ones(1), [])
    (flattened,) = weigh(pool, rows, 3 * formula[:, None], np.ones(1), [])
    assert flattened < 0.75 * right
