"""Reasons for whoever somebody will look at: those worth most, and those with most to lose."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..explain import reasons
from ..workspace import Note, silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from ..explain import Wording
    from ..models.bundle import Bundle
    from .tiers import Known


def looked_at(known: Known, count: int, most: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The customers who get reasons, in turns: the first by value, by expected loss (value x churn), intent and risk.

    Where there is no value, by the chances and the uplift that were predicted. Equal ones come in the order of the
    customers.

    Parameters
    ----------
    known
        Of ``expected_value``, ``p_high_value``, ``p_churn``, ``p_intent``, ``risk`` and ``uplift`` those that were
        predicted, ``count`` values each.
    count
        The number of customers.
    most
        How many are chosen at most.

    Returns
    -------
    numpy.ndarray
        Their positions, rising.

    Examples
    --------
    >>> known = {"expected_value": np.array([9.0, 8, 1]), "p_churn": np.array([0.0, 0.5, 0.5])}
    >>> looked_at(known, 3, 2).tolist()
    [0, 1]
    """
    if "expected_value" in known:
        orders = [known["expected_value"]]
        if "p_churn" in known:
            orders.append(known["expected_value"] * known["p_churn"])
    else:
        orders = [known[name] for name in ("p_high_value", "p_churn", "uplift") if name in known]
    orders += [known[name] for name in ("p_intent", "risk") if name in known]
    if not orders:
        return np.zeros(0, dtype=np.intp)
    place = np.full(count, count)
    for values in orders:
        rank = np.empty(count, dtype=np.intp)
        rank[np.argsort(-values, kind="stable")] = np.arange(count)
        place = np.minimum(place, rank)
    return np.sort(np.argsort(place, kind="stable")[:most])


def made(
    bundle: Bundle,
    features: pa.Table,
    spoken: Mapping[str, Wording],
    most: int,
    note: Note = silent,
) -> list[list[dict[str, Any]]]:
    """The reasons of each row of features, task by task: ``most`` of them, then the rest and the base.

    Of one task and customer, the contributions sum to the score on its link.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in range(features.num_rows)]
    for task, predictor in bundle.predictors.items():
        note(f"{task}: reasons for {features.num_rows:,} customers")
        parts = predictor.contributions(features)
        columns = {name: features[name].to_pylist() for name in parts.names if name in features.column_names}
        for mine, told in zip(found, reasons(task, parts, columns, predictor.usual, spoken, most), strict=True):
            mine.extend(map(asdict, told))
    return found
