"""Tiers: how much a customer matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..config.settings import TierSettings

Known = Mapping[str, np.ndarray[Any, np.dtype[Any]]]
"""Column name -> one value per customer, in the order of their ids; what was not predicted is absent."""

Words = np.ndarray[Any, np.dtype[np.object_]]
"""One word or sentence per customer."""

TIERS = ("vip", "ordinary", "potential", "lapsed")


def tiers(known: Known, count: int, settings: TierSettings) -> Words:
    """The tier of each customer; the first of these that holds.

    - ``vip``: among the top ``vip_share`` by expected value (above 0; ties by id), or a chance of being high-value of
      at least ``vip_probability``;
    - ``lapsed``: a churn probability of at least ``lapsed_churn``;
    - ``potential``: a chance of being high-value of at least ``potential_probability``;
    - ``ordinary``: everybody else.

    Parameters
    ----------
    known
        Of ``expected_value``, ``p_high_value`` and ``p_churn`` those that were predicted, ``count`` values each.
    count
        The number of customers.
    settings
        The thresholds.

    Examples
    --------
    >>> from custid.config.settings import TierSettings
    >>> known = {"expected_value": np.array([9.0, 2, 1]), "p_churn": np.array([0.1, 0.2, 0.9])}
    >>> tiers(known, 3, TierSettings(vip_share=0.3)).tolist()
    ['vip', 'ordinary', 'lapsed']
    """
    chance = _or_nothing(known, "p_high_value", count)
    vip = top(known["expected_value"], settings.vip_share) if "expected_value" in known else np.zeros(count, bool)
    conditions = [
        vip | (chance >= settings.vip_probability),
        _or_nothing(known, "p_churn", count) >= settings.lapsed_churn,
        chance >= settings.potential_probability,
    ]
    return np.select(conditions, ["vip", "lapsed", "potential"], "ordinary").astype(object)


def top(values: np.ndarray[Any, np.dtype[Any]], share: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the values are among the top share and above 0; of equal ones the earlier comes first.

    At least one place is given, and the number of places is rounded to the nearest whole one.

    >>> top(np.array([1.0, 3, 3, 0]), 0.5).tolist()
    [False, True, True, False]
    """
    among = np.zeros(len(values), dtype=bool)
    among[np.argsort(-values, kind="stable")[: max(1, round(share * len(values)))]] = True
    return among & (values > 0)


def _or_nothing(known: Known, name: str, count: int) -> np.ndarray[Any, np.dtype[Any]]:
    """A column, or values that no threshold is ever met by."""
    return known.get(name, np.full(count, np.nan))
