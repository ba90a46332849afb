"""Features of single customers, from rows in memory: the same expressions, compiled once, for the endpoint."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import InputError
from ..tables import SPECS, arrow_schema, arrow_type
from .observations import HELD, described
from .table import build, catalogue, used, wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    import pyarrow as pa

    from .observations import Attribute

KEPT = 16


class Recompute:
    """From canonical rows of one or a few customers to their features, equal to those of a batch.

    Parameters
    ----------
    tables
        Names of the canonical tables that the features were made from: those, and only those, decide which columns
        there are.
    drop
        The setting ``quality.drop`` of the run.
    attributes
        Of observations, what each attribute holds.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import pyarrow as pa
    >>> order = {"customer_id": "ann", "order_id": "1", "ts": datetime(2024, 5, 1, 12), "amount": 90_000}
    >>> rows = {"transactions": pa.Table.from_pylist([order])}
    >>> Recompute(["transactions"]).features(rows, date(2024, 5, 31))["spend_30"].to_pylist()
    [9.0]
    """

    def __init__(
        self,
        tables: Collection[str],
        drop: Collection[str] = (),
        attributes: Mapping[str, Attribute] | None = None,
    ) -> None:
        import duckdb

        self._tables = used(tables)
        self._attributes = attributes or {}
        self._drop = frozenset(drop)
        self._connection = duckdb.connect(config={"threads": 1})
        self._lock = Lock()
        self._query = lru_cache(KEPT)(self._compile)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in described(self._attributes) or catalogue(self._tables))

    def warm(self, as_of: date) -> None:
        """Compile the query for a day ahead of the first request."""
        self._query(as_of)

    def features(self, rows: Mapping[str, pa.Table], as_of: date) -> pa.Table:
        """The feature rows of the customers in ``rows``, sorted by ``customer_id``.

        Parameters
        ----------
        rows
            By canonical table, its rows with ``customer_id``: UTC times, amounts in fixed point. Columns that are not
            there count as empty.
        as_of
            The midnight before which a row must have been known.

        Returns
        -------
        pyarrow.Table
            As :func:`~.table.build` gives it; customers without a purchase, an open subscription or an
            observation are left out.

        Raises
        ------
        InputError
            A table that these features do not know, or a column that cannot be read as its canonical type.
        """
        for name in rows:
            if name not in self._tables:
                raise InputError(f"rows: {name!r} is no table of these features; expected {', '.join(self._tables)}.")
        query = self._query(as_of)
        with self._lock, self._connection.cursor() as cursor:
            for name in self._tables:
                cursor.register(name, _canonical(name, rows.get(name), self._schema(name)))
            table: pa.Table = cursor.sql(query).to_arrow_table()
        return table.sort_by("customer_id")

    def _compile(self, as_of: date) -> str:
        import ibis

        tables = {n: ibis.table(ibis.Schema.from_pyarrow(self._schema(n)), name=n) for n in self._tables}
        if "transactions" in tables:
            tables["transactions"] = wanted(tables["transactions"], self._drop)
        return str(ibis.to_sql(build(tables, as_of, staged=False), dialect="duckdb"))

    def _schema(self, name: str) -> pa.Schema:
        import pyarrow as pa

        schema = arrow_schema(SPECS[name])
        if name == "observations":
            for attribute, kind in self._attributes.items():
                schema = schema.append(pa.field(attribute, arrow_type(HELD[kind])))
        return schema.append(pa.field("customer_id", pa.string()))


def _canonical(name: str, rows: pa.Table | None, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    if rows is None:
        return schema.empty_table()
    columns = []
    for field in schema:
        if field.name not in rows.column_names:
            columns.append(pa.nulls(rows.num_rows, field.type))
            continue
        try:
            columns.append(rows[field.name].combine_chunks().cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(f"rows: {name}.{field.name} is {rows[field.name].type}; expected {field.type}.") from error
    return pa.table(columns, schema=schema)
