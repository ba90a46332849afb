"""The next action: the first rule of the config that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.settings import ActionRule
    from .tiers import Known, Words

LEAST = {
    "expected_value": "min_expected_value",
    "p_churn": "min_p_churn",
    "p_intent": "min_p_intent",
    "risk": "min_risk",
    "uplift": "min_uplift",
}
"""Scores, and the settings of a rule that say from where on it is for them."""
NO_ACTION = "No action"
"""What customers get whom no rule fits."""


def next_actions(known: Known, rules: Sequence[ActionRule]) -> Words:
    """The action of the first rule that fits each customer, :data:`NO_ACTION` where none does.

    A rule with a condition on something that was not predicted fits nobody.

    Parameters
    ----------
    known
        ``tier`` and ``lifecycle``, and of ``segment`` and the scores of :data:`LEAST` those that were predicted.
    rules
        In the order in which they are tried.

    Examples
    --------
    >>> from custid.config.settings import ActionRule
    >>> known = {"tier": np.array(["vip", "lapsed"]), "lifecycle": np.array(["active", "gone"])}
    >>> next_actions(known, [ActionRule(action="Call", tier=("vip",)), ActionRule(action="Rest")]).tolist()
    ['Call', 'Rest']
    """
    actions: Words = np.full(len(known["tier"]), NO_ACTION, dtype=object)
    free = np.ones(len(actions), dtype=bool)
    for rule in rules:
        fits = free & _fits(rule, known, len(actions))
        actions[fits] = rule.action
        free &= ~fits
    return actions


def _fits(rule: ActionRule, known: Known, count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    fits = np.ones(count, dtype=bool)
    for name in ("tier", "lifecycle", "segment"):
        wanted = getattr(rule, name)
        if wanted:
            fits &= np.isin(known[name], wanted) if name in known else False
    for name, setting in LEAST.items():
        least = getattr(rule, setting)
        if least is not None:
            fits &= known[name] >= least if name in known else False
    return fits
