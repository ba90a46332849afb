"""A customer's raw records in a request -> canonical tables, as ingest writes them.

Amounts come in plain units and are kept in fixed point; times without a zone are UTC; a row at or after the request's
``as_of`` is refused, since nothing may look behind that wall and nothing is dropped in silence.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..asof import midnight
from ..errors import nearest
from ..features.observations import HELD
from ..tables import OBSERVATIONS, SCALE, SPECS, Column, Kind, TableSpec, arrow_schema, arrow_type
from .refusal import short, shown, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pyarrow as pa

    from ..features.observations import Attribute

SOURCE = "request"
MOST = 3.4e38
"""The largest number of a request: the models are kept in single precision, which ends there."""
MOST_IN_ROWS = 1e12
"""The largest number of a canonical table's row, so that a sum of them is no larger than :data:`MOST`."""
_ARRIVED = frozenset({"ingested_at"})
_ANSWERS = frozenset({"label", "treated", "outcome"})
_SOURCE = Column("source", Kind.TEXT, "the source of the row, where there are several: an order lies in one source")


def row_columns(spec: TableSpec, attributes: Mapping[str, Attribute] | None = None) -> tuple[Column, ...]:
    """The columns that a row of a request may have: the canonical ones but its arrival, since it is there now.

    Of observations the attributes, too, and not what is to be predicted.
    """
    left_out = _ARRIVED | _ANSWERS if spec is OBSERVATIONS else _ARRIVED
    own = (replace(c, required=c.required and c.name != "record_id") for c in spec.columns if c.name not in left_out)
    further = attributes or {} if spec is OBSERVATIONS else {}
    return (_SOURCE, *own, *(Column(name, HELD[kind], "an attribute") for name, kind in further.items()))


def order_made_up(row: int) -> str:
    """The order of a row that names none: each such row is an order."""
    return f"{SOURCE}-{row}"


def read_rows(
    table: str,
    lists: Sequence[object],
    as_of: date,
    currency: str | None = None,
    attributes: Mapping[str, Attribute] | None = None,
) -> pa.Table:
    """The rows of one canonical table, of all customers of a request.

    Parameters
    ----------
    table
        The canonical table.
    lists
        Per customer, what the request has under the table's name: a list of rows, or None.
    as_of
        The wall: every row must have happened before it.
    currency
        The currency of the release; rows may leave theirs out, but not name another.
    attributes
        The further columns of observations, and what each holds.

    Returns
    -------
    pa.Table
        The canonical columns and ``customer_id``, the customer's place in the request as text.

    Raises
    ------
    RequestError
        For an unknown or missing column, or a value of the wrong kind or behind the wall.
    """
    import pyarrow as pa

    spec = SPECS[table]
    columns = row_columns(spec, attributes)
    wall = midnight(as_of)
    owners: list[str] = []
    values: dict[str, list[Any]] = {column.name: [] for column in columns}
    for i, rows in enumerate(lists):
        at = f"customers[{i}].{table}"
        for j, row in enumerate(_list(rows, at)):
            for column, value in zip(columns, _row(row, f"{at}[{j}]", spec, columns), strict=True):
                _check(column, value, f"{at}[{j}].{column.name}", spec, wall, currency)
                values[column.name].append(value)
            owners.append(str(i))
    schema = arrow_schema(spec)
    for column in columns:
        if spec.column(column.name) is None and column is not _SOURCE:
            schema = schema.append(pa.field(column.name, arrow_type(column.kind)))
    made = {
        **values,
        "source": [source or SOURCE for source in values["source"]],
        "record_id": [record or owner for record, owner in zip(values["record_id"], owners, strict=True)],
    }
    if "order_id" in made:
        made["order_id"] = [order or order_made_up(n) for n, order in enumerate(made["order_id"])]
    empty = [None] * len(owners)
    arrays = [pa.array(made.get(field.name, empty), field.type) for field in schema]
    return pa.table(arrays, schema=schema).append_column("customer_id", pa.array(owners, pa.string()))


def _list(rows: object, at: str) -> list[Any]:
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise wrong(at, f"{shown(rows)}; expected a list of rows.")
    return rows


def _row(row: object, at: str, spec: TableSpec, columns: Sequence[Column]) -> list[Any]:
    names = [column.name for column in columns]
    if not isinstance(row, dict):
        raise wrong(at, f"{shown(row)}; expected an object with {' and '.join(_required(columns))}.")
    for name in row:
        if name not in names:
            raise wrong(
                f"{at}.{short(name)}",
                f"unknown column; the table {spec.name} has {', '.join(names)}.{nearest(name[:100], names)}",
            )
    return [_value(row, column, f"{at}.{column.name}") for column in columns]


def _required(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns if column.required]


def _value(row: Mapping[str, object], column: Column, field: str) -> Any:
    value = row.get(column.name)
    if value is None:
        if column.required:
            raise wrong(field, f"missing; expected {column.about}.")
        return None
    return _READERS[column.kind](value, field)


def _check(column: Column, value: Any, field: str, spec: TableSpec, wall: datetime, currency: str | None) -> None:
    if column.name == spec.time and value is not None and value >= wall:
        raise wrong(
            field, f"{value.isoformat()} is not before as_of {wall.date()}; expected earlier rows or a later as_of."
        )
    if column.name == "currency" and currency and value not in (None, currency):
        raise wrong(field, f"{shown(value)}; expected {currency}, the currency of this release.")


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or len(value) > 10_000:
        raise wrong(field, f"{shown(value)}; expected a text of at most 10,000 characters.")
    return value


def _time(value: object, field: str) -> datetime:
    try:
        if not isinstance(value, str) or len(value) > 40:
            raise ValueError
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise wrong(field, f"{shown(value)}; expected a time, such as 2011-06-01T14:30:00.") from None


def number(value: object, field: str, otherwise: str = "", most: float = MOST) -> float:
    """A number between ``-most`` and ``most`` as a double, or a refusal that names the field."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong(field, f"{shown(value)}; expected a finite number{otherwise}.")
    if not -most <= value <= most:
        end = f"{most:g}".replace("+", "")
        raise wrong(field, f"{shown(value)}; expected a number between -{end} and {end}{otherwise}.")
    return float(value)


def _number(value: object, field: str) -> float:
    return number(value, field, most=MOST_IN_ROWS)


def _fixed(value: object, field: str) -> int:
    return round(_number(value, field) * SCALE)


def _flag(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise wrong(field, f"{shown(value)}; expected true or false.")
    return value


_READERS = {Kind.TEXT: _text, Kind.TIME: _time, Kind.NUMBER: _number, Kind.FIXED: _fixed, Kind.FLAG: _flag}
