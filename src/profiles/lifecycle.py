"""Lifecycle: where a customer stands between the first purchase and the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import timedelta

    from ..config.settings import LifecycleSettings
    from .tiers import Known, Words

STAGES = ("new", "active", "at risk", "dormant", "gone")


def dormant_after(settings: LifecycleSettings, horizon: timedelta) -> timedelta:
    """How long without a purchase makes a customer dormant: the setting, or the horizon where it is not set."""
    return settings.dormant or horizon


def stages(known: Known, count: int, settings: LifecycleSettings, horizon: timedelta) -> Words:
    """The lifecycle stage of each customer; the first of these that holds.

    - ``new``: the first purchase is at most ``new`` ago;
    - ``gone``: a churn probability of at least ``gone_churn``;
    - ``dormant``: no purchase for at least ``dormant`` (the horizon, where that is not set);
    - ``at risk``: a churn probability of at least ``at_risk_churn``;
    - ``active``: everybody else.

    Parameters
    ----------
    known
        Of ``age`` and ``days_since_last`` (days; NaN for those who never bought) and ``p_churn`` those that are there,
        ``count`` values each.
    count
        The number of customers.
    settings, horizon
        The thresholds.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from custid.config.settings import LifecycleSettings
    >>> known = {"age": np.array([9.0, 400, 400]), "days_since_last": np.array([9.0, 300, 20]),
    ...          "p_churn": np.array([0.9, 0.6, 0.6])}
    >>> stages(known, 3, LifecycleSettings(), timedelta(days=180)).tolist()
    ['new', 'dormant', 'at risk']
    """
    nothing = np.full(count, np.nan)
    churn = known.get("p_churn", nothing)
    conditions = [
        known.get("age", nothing) <= settings.new.days,
        churn >= settings.gone_churn,
        known.get("days_since_last", nothing) >= dormant_after(settings, horizon).days,
        churn >= settings.at_risk_churn,
    ]
    return np.select(conditions, ["new", "gone", "dormant", "at risk"], "active").astype(object)
