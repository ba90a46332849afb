"""Next actions: the first rule that fits decides."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custid.config.settings import DEFAULT_ACTIONS, ActionRule
from custid.profiles.actions import NO_ACTION, next_actions
from custid.profiles.lifecycle import STAGES
from custid.profiles.tiers import TIERS

SEGMENTS = ("Regulars", "新客户")
CUSTOMER = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(TIERS),
        "lifecycle": st.sampled_from(STAGES),
        "segment": st.sampled_from(SEGMENTS),
        "expected_value": st.floats(0, 100),
        "p_churn": st.floats(0, 1),
        "p_intent": st.floats(0, 1),
        "risk": st.floats(0, 1),
    }
)


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2).map(tuple)


RULE = st.builds(
    ActionRule,
    action=st.sampled_from(["Call", "Write", "Rest"]),
    tier=some(TIERS),
    lifecycle=some(STAGES),
    segment=some(SEGMENTS),
    min_expected_value=st.none() | st.floats(0, 100),
    min_p_churn=st.none() | st.floats(0.01, 0.99),
    min_p_intent=st.none() | st.floats(0.01, 0.99),
    min_risk=st.none() | st.floats(0.01, 0.99),
)


def by_hand(customer: dict[str, Any], rules: list[ActionRule]) -> str:
    for rule in rules:
        named = all(not getattr(rule, k) or customer[k] in getattr(rule, k) for k in ("tier", "lifecycle", "segment"))
        worth = rule.min_expected_value is None or customer["expected_value"] >= rule.min_expected_value
        leaving = rule.min_p_churn is None or customer["p_churn"] >= rule.min_p_churn
        soon = rule.min_p_intent is None or customer["p_intent"] >= rule.min_p_intent
        odd = rule.min_risk is None or customer["risk"] >= rule.min_risk
        if named and worth and leaving and soon and odd:
            return rule.action
    return NO_ACTION


@given(st.lists(CUSTOMER, min_size=1, max_size=20), st.lists(RULE, max_size=5))
def test_the_same_as_one_customer_and_one_rule_at_a_time(
    customers: list[dict[str, Any]], rules: list[ActionRule]
) -> None:
    known = {name: np.array([customer[name] for customer in customers]) for name in customers[0]}
    assert next_actions(known, rules).tolist() == [by_hand(customer, rules) for customer in customers]


def test_a_condition_on_what_was_not_predicted_fits_nobody() -> None:
    known = {"tier": np.array(["vip"]), "lifecycle": np.array(["active"])}
    rules = [
        ActionRule(action="a", min_p_churn=0.01),
        ActionRule(action="b", min_expected_value=0),
        ActionRule(action="c", segment=("x",)),
        ActionRule(action="d"),
    ]
    assert next_actions(known, rules).tolist() == ["d"]
    assert next_actions(known, rules[:3]).tolist() == [NO_ACTION]


def test_the_default_rules_leave_nobody_without_an_action() -> None:
    pairs = [(tier, stage) for tier in TIERS for stage in STAGES]
    known = {"tier": np.array([p[0] for p in pairs]), "lifecycle": np.array([p[1] for p in pairs])}
    found = dict(zip(pairs, next_actions(known, DEFAULT_ACTIONS), strict=True))
    assert NO_ACTION not in found.values()
    assert found["vip", "gone"] == "Call in person and win back"
    assert found["ordinary", "active"] == "Keep in the regular newsletter"
