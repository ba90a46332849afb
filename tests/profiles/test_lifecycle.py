"""Lifecycle stages: the definitions hold, whatever is known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custid.config.settings import LifecycleSettings
from custid.profiles.lifecycle import STAGES, dormant_after, stages

HORIZON = timedelta(days=90)
ROWS = st.lists(st.tuples(st.floats(0, 900), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60)


@given(ROWS)
def test_each_customer_has_the_stage_that_its_definition_says(rows: list[tuple[float, float, float]]) -> None:
    age = np.array([row[0] for row in rows])
    last = age * np.array([row[1] for row in rows])
    churn = np.array([row[2] for row in rows])
    found = stages({"age": age, "days_since_last": last, "p_churn": churn}, len(rows), LifecycleSettings(), HORIZON)
    for i, stage in enumerate(found):
        if age[i] <= 60:
            assert stage == "new"
        elif churn[i] >= 0.85:
            assert stage == "gone"
        elif last[i] >= 90:
            assert stage == "dormant"
        elif churn[i] >= 0.5:
            assert stage == "at risk"
        else:
            assert stage == "active"
        assert stage in STAGES


def test_dormant_is_the_horizon_unless_it_is_set() -> None:
    assert dormant_after(LifecycleSettings(), HORIZON).days == 90
    settings = LifecycleSettings.model_validate({"dormant": "30d"})
    found = stages({"days_since_last": np.array([29.0, 30.0])}, 2, settings, HORIZON)
    assert found.tolist() == ["active", "dormant"]


def test_who_never_bought_is_neither_new_nor_dormant() -> None:
    known = {"age": np.array([np.nan]), "days_since_last": np.array([np.nan]), "p_churn": np.array([0.6])}
    assert stages(known, 1, LifecycleSettings(), HORIZON).tolist() == ["at risk"]


def test_with_nothing_known_everybody_is_active() -> None:
    assert stages({}, 2, LifecycleSettings(), HORIZON).tolist() == ["active", "active"]
