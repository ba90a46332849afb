"""Labels: what customers did in the horizon after a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..asof import ahead
from ..tables import SCALE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, timedelta

    import ibis
    import pyarrow as pa


def labels(tables: Mapping[str, ibis.Table], day: date, horizon: timedelta) -> ibis.Table:
    """Purchases and net spend of each customer who has a row in ``day <= ts < day + horizon``.

    A purchase is an order whose lines within the window sum to more than 0; returns count in the spend. Customers
    without a row in the window are not there: they bought nothing.

    Parameters
    ----------
    tables
        Canonical tables with ``customer_id``, as ``features.table.open_tables`` gives them.
    day, horizon
        The label window.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``purchases`` (count) and ``spend`` (in units of money).
    """
    import ibis

    lines = ahead(tables["transactions"], day, horizon)
    if "cancelled_at" in lines.columns:
        lines = lines.filter(lines.cancelled_at.isnull() | (lines.cancelled_at >= _end(day, horizon)))
    orders = lines.group_by("customer_id", "source", "order_id").aggregate(net=lines.amount.sum())
    return orders.group_by("customer_id").aggregate(
        purchases=(orders.net > 0).sum().cast("int64"),
        spend=orders.net.sum().cast("float64") / ibis.literal(float(SCALE)),
    )


def aligned(features: pa.Table, found: pa.Table) -> pa.Table:
    """A row of labels for each row of features, in its order; who is not among those found bought nothing.

    Examples
    --------
    >>> import pyarrow as pa
    >>> found = pa.table({"customer_id": ["b"], "purchases": [2], "spend": [9.5]})
    >>> aligned(pa.table({"customer_id": ["a", "b"]}), found).to_pydict()
    {'customer_id': ['a', 'b'], 'purchases': [0, 2], 'spend': [0.0, 9.5]}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    where = pc.index_in(features["customer_id"], found["customer_id"])
    return pa.table(
        {
            "customer_id": features["customer_id"],
            "purchases": pc.fill_null(found["purchases"].take(where), 0),
            "spend": pc.fill_null(found["spend"].take(where), 0.0),
        }
    )


def _end(day: date, horizon: timedelta) -> ibis.Value:
    import ibis

    from ..asof import midnight

    return ibis.literal(midnight(day) + horizon, type="timestamp")
