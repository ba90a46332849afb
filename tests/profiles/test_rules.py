"""The rules as a whole: what their fingerprint sees, and what they say is missing."""

from __future__ import annotations

import pytest

from custid.config import Config, parse
from custid.errors import ConfigError
from custid.profiles.rules import fingerprint, missing

BASE = "horizon: 90d\nsources: [{name: shop, table: transactions, uri: a.csv}]\n"
EVERYTHING = ("p_high_value", "expected_value", "p_churn", "segment", "age", "days_since_last")


def config(more: str = "") -> Config:
    return parse(BASE + more, "a.yaml")


@pytest.mark.parametrize(
    "more",
    [
        "tiers: {vip_share: 0.2}",
        "lifecycle: {new: 30d}",
        "lifecycle: {dormant: 90d}",
        "actions: [{action: Wave}]",
        "actions: []",
    ],
)
def test_another_rule_gives_another_fingerprint(more: str) -> None:
    assert fingerprint(config(more)) != fingerprint(config())


@pytest.mark.parametrize("more", ["seed: 8", "tuning: {trials: 3}", "tiers: {vip_share: 0.1}", "tasks: [churn]"])
def test_what_is_no_rule_leaves_the_fingerprint_as_it_is(more: str) -> None:
    assert fingerprint(config(more)) == fingerprint(config())


def test_nothing_is_missing_when_everything_is_known() -> None:
    assert missing(config(), EVERYTHING) == ()


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        ("p_churn", "Nobody can be lapsed, at risk or gone"),
        ("p_high_value", "Nobody can be potential"),
        ("expected_value", "no value was predicted (task clv)"),
        ("age", "Nobody can be new"),
        ("days_since_last", "Nobody can be dormant"),
    ],
)
def test_what_is_missing_is_said(absent: str, said: str) -> None:
    found = missing(config(), [name for name in EVERYTHING if name != absent])
    assert any(said in sentence for sentence in found)


def test_an_action_that_can_fit_nobody_is_named() -> None:
    rules = "actions: [{action: Save them, segment: [Big], min_p_churn: 0.4}, {action: Wave}]"
    found = missing(config(rules), ["expected_value", "p_high_value", "age", "days_since_last"])
    assert [s for s in found if "'Save them'" in s and "segment" in s]
    assert [s for s in found if "'Save them'" in s and "p_churn" in s]
    assert not [s for s in found if "Wave" in s]


def test_with_churn_alone_nobody_can_be_vip() -> None:
    assert any("Nobody can be VIP" in sentence for sentence in missing(config(), ["p_churn"]))


def test_a_tier_that_there_is_not_is_refused_by_the_config() -> None:
    with pytest.raises(ConfigError, match=r"actions.*expected one of vip, ordinary, potential, lapsed"):
        config("actions: [{action: Wave, tier: [VIPs]}]")
