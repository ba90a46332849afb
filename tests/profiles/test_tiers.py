"""Tiers: the definitions hold, whatever was predicted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.config.settings import TierSettings
from custid.profiles.tiers import TIERS, tiers, top

CHANCES = st.floats(0, 1, allow_nan=False)
ROWS = st.lists(st.tuples(CHANCES, CHANCES, st.floats(0, 1e6)), min_size=1, max_size=60)


def columns(rows: list[tuple[float, float, float]]) -> dict[str, np.ndarray]:
    chance, churn, value = (np.array(values) for values in zip(*rows, strict=True))
    return {"p_high_value": chance, "p_churn": churn, "expected_value": value}


@given(ROWS)
def test_each_customer_has_the_tier_that_its_definition_says(rows: list[tuple[float, float, float]]) -> None:
    known, settings = columns(rows), TierSettings()
    best = top(known["expected_value"], settings.vip_share)
    for i, tier in enumerate(tiers(known, len(rows), settings)):
        chance, churn, _ = rows[i]
        if best[i] or chance >= 0.5:
            assert tier == "vip"
        elif churn >= 0.85:
            assert tier == "lapsed"
        elif chance >= 0.15:
            assert tier == "potential"
        else:
            assert tier == "ordinary"


@given(st.lists(st.floats(-10, 1e6), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_top_share_has_its_size_and_nobody_outside_is_worth_more(values: list[float], share: float) -> None:
    amounts = np.array(values)
    among = top(amounts, share)
    places = max(1, round(share * len(values)))
    assert among.sum() == min(places, (amounts > 0).sum())
    if among.any() and not among.all():
        assert amounts[among].min() >= amounts[~among].max()


def test_of_equal_values_the_earlier_id_is_taken() -> None:
    assert top(np.array([5.0, 5.0, 5.0]), 0.34).tolist() == [True, False, False]


def test_thresholds_come_from_the_settings() -> None:
    known = columns([(0.3, 0.6, 10.0), (0.05, 0.1, 0.0)])
    assert tiers(known, 2, TierSettings(vip_probability=0.3)).tolist() == ["vip", "ordinary"]
    assert tiers({"p_churn": known["p_churn"]}, 2, TierSettings(lapsed_churn=0.6)).tolist() == ["lapsed", "ordinary"]


@pytest.mark.parametrize(
    ("predicted", "possible"),
    [
        (["p_churn"], {"lapsed", "ordinary"}),
        (["expected_value"], {"vip", "ordinary"}),
        (["p_high_value"], {"vip", "potential", "ordinary"}),
        ([], {"ordinary"}),
    ],
)
def test_without_an_input_its_tiers_are_given_to_nobody(predicted: list[str], possible: set[str]) -> None:
    rng = np.random.default_rng(1)
    known = {name: values for name, values in columns(rng.random((300, 3)).tolist()).items() if name in predicted}
    found = set(tiers(known, 300, TierSettings()))
    assert found == possible
    assert found <= set(TIERS)
