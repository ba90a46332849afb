from __future__ import annotations

import warnings

import numpy as np
import pytest

from custid.training.labelled.rivals import UPLIFT_RIVALS


@pytest.mark.parametrize("name", [name for name in UPLIFT_RIVALS if name != "s_learner"])
@pytest.mark.parametrize("chance", [True, False])
def test_without_a_control_group_or_anyone_contacted_nothing_is_said_of_contact(name, chance):
    rng = np.random.default_rng(3)
    known, unseen = rng.normal(size=(60, 3)), rng.normal(size=(5, 3))
    outcome = (rng.random(60) < 0.4) * (1.0 if chance else 7.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for arm in (0.0, 1.0):
            said = UPLIFT_RIVALS[name](known, outcome, np.full(60, arm), unseen)
            assert said.shape == (5,)
            assert np.isfinite(said).all()
            if name == "t_learner":
                assert not said.any()
