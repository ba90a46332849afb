"""Features recomputed from rows in memory are those of the batch."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from custid.errors import InputError
from custid.features.single import Recompute
from custid.features.table import USED

DAY = date(2024, 3, 15)


@pytest.mark.parametrize("drop", [(), ("cancellations", "non_products")], ids=["all rows", "dropped"])
def test_all_customers_at_once_as_in_the_batch(history: Any, canon: Any, batch: Any, drop: tuple[str, ...]) -> None:
    tables = {name: canon(name, rows) for name, rows in history(21, 40).items()}
    assert Recompute(USED, drop).features(tables, DAY).equals(batch(tables, DAY, drop=drop))


def test_one_customer_at_a_time_as_in_the_batch(history: Any, canon: Any, batch: Any) -> None:
    rows = history(22)
    names = ("transactions", "feedback")
    whole = batch({name: canon(name, rows[name]) for name in names}, DAY).to_pylist()
    recompute = Recompute(names)
    for expected in whole:
        mine = {
            name: canon(name, [row for row in rows[name] if row["customer_id"] == expected["customer_id"]])
            for name in names
        }
        assert recompute.features(mine, DAY).to_pylist() == [expected]


def test_another_day_is_another_answer(canon: Any, order: Any) -> None:
    recompute = Recompute(["transactions"])
    rows = {"transactions": canon("transactions", [{**order("2024-01-01", 5.0)[0], "customer_id": "ann"}])}
    ages = [recompute.features(rows, DAY + timedelta(days=n))["age"][0].as_py() for n in (0, 1)]
    assert ages == [74, 75]
    assert recompute.features(rows, date(2024, 1, 1)).num_rows == 0


def test_columns_that_are_not_there_count_as_empty(order: Any) -> None:
    bare = pa.Table.from_pylist([{"customer_id": "ann", **order("2024-03-01", 5.0)[0]}])
    row = Recompute(["transactions", "events"]).features({"transactions": bare}, DAY).to_pylist()[0]
    assert (row["spend_30"], row["visits"], row["top_category"]) == (5, 0, None)


def test_the_columns_are_named_ahead() -> None:
    recompute = Recompute(["transactions"])
    assert recompute.columns[:2] == tuple(recompute.features({}, DAY).column_names[2:4])


def test_an_unknown_table_is_refused(order: Any) -> None:
    with pytest.raises(InputError, match="'events' is no table of these features; expected transactions"):
        Recompute(["transactions"]).features({"events": pa.table({"customer_id": ["ann"]})}, DAY)


def test_a_column_of_another_type_is_refused() -> None:
    rows = pa.table({"customer_id": ["ann"], "amount": ["much"]})
    with pytest.raises(InputError, match=r"transactions\.amount is string; expected int64"):
        Recompute(["transactions"]).features({"transactions": rows}, DAY)
