"""The customer tables of the three sources as Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .shape import LOCAL

if TYPE_CHECKING:
    from .records import Row

_SHOP = [
    "customer_no",
    "first_name",
    "last_name",
    "email",
    "mobile",
    "birthday",
    "sex",
    "street",
    "apartment",
    "district",
    "city",
    "province",
    "zip",
    "country",
    "registered",
    "marketing_ok",
]
_POS = ["member_key", "full_name", "mobile", "email", "birth", "gender", "address", "city", "member_since"]
_APP = [
    "user_id",
    "display_name",
    "email",
    "phone",
    "birth_date",
    "gender",
    "city",
    "country",
    "device",
    "created_at",
    "updated_at",
]


def shop_customers(rows: list[Row]) -> pa.Table:
    """The web shop's accounts: dates as 1985/03/07, times as 2023-01-15 09:30:00 UTC."""
    columns: dict[str, pa.Array] = {name: _texts(rows, name) for name in _SHOP}
    columns["birthday"] = _dates(rows, "birthday", "%Y/%m/%d")
    columns["registered"] = pc.strftime(_times(rows, "registered"), "%Y-%m-%d %H:%M:%S")
    return pa.table(columns)


def pos_members(rows: list[Row]) -> pa.Table:
    """The stores' members: dates as 07.03.1985."""
    columns: dict[str, pa.Array] = {name: _texts(rows, name) for name in _POS}
    columns["birth"] = _dates(rows, "birth", "%d.%m.%Y")
    columns["member_since"] = pc.strftime(_times(rows, "member_since", LOCAL), "%d.%m.%Y")
    return pa.table(columns)


def app_users(rows: list[Row]) -> pa.Table:
    """The app's users, typed."""
    columns: dict[str, pa.Array] = {name: _texts(rows, name) for name in _APP}
    columns["birth_date"] = pa.array([row["birth_date"] for row in rows], pa.int32()).cast(pa.date32())
    for name in ("created_at", "updated_at"):
        columns[name] = _times(rows, name).cast(pa.timestamp("s", tz="UTC"))
    return pa.table(columns)


def _texts(rows: list[Row], name: str) -> pa.Array:
    values: list[Any] = [row[name] for row in rows]
    return pa.array([v if isinstance(v, str) else None for v in values], pa.string())


def _times(rows: list[Row], name: str, ahead: int = 0) -> pa.Array:
    return pa.array(np.array([row[name] for row in rows], np.int64) + ahead).cast(pa.timestamp("s"))


def _dates(rows: list[Row], name: str, form: str) -> pa.Array:
    days = pa.array([row[name] for row in rows], pa.int32()).cast(pa.date32())
    return pc.strftime(days, form)
