"""Labels: what customers did in the horizon after a snapshot, and whether their subscriptions ended in it."""

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


def ends(tables: Mapping[str, ibis.Table], day: date, horizon: timedelta) -> ibis.Table:
    """Whether the last open subscription of a customer ends in ``day <= ended_at < day + horizon``.

    A subscription that starts after the day does not count: it is another contract.

    Returns
    -------
    ibis.Table
        ``customer_id`` and ``ended`` (1 or 0). Customers without an open subscription are not there.
    """
    import ibis

    from ..asof import midnight, seen

    rows = seen(tables["subscriptions"], day)
    rows = rows.filter(rows.ended_at.isnull() | (rows.ended_at >= ibis.literal(midnight(day), type="timestamp")))
    goes_on = rows.ended_at.isnull() | (rows.ended_at >= _end(day, horizon))
    return rows.group_by("customer_id").aggregate(ended=(~goes_on).all().cast("float64"))


def answers(tables: Mapping[str, ibis.Table], features: pa.Table, day: date, horizon: timedelta) -> pa.Table:
    """A row of answers for each row of features: purchases and spend, and ``ended``, as far as the tables tell."""
    import pyarrow.compute as pc

    known = features.select(["customer_id"])
    if "transactions" in tables:
        known = aligned(features, labels(tables, day, horizon).to_pyarrow())
    if "subscriptions" in tables:
        found = ends(tables, day, horizon).to_pyarrow()
        where = pc.index_in(features["customer_id"], found["customer_id"])
        known = known.append_column("ended", found["ended"].take(where))
    return known


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
