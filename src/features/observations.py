"""Attributes of tables that come with labels and no history, as they are.

Numbers stay numbers, text is a category, yes and no become 1 and 0, a blank stays unknown. What is to be predicted
(label, treated, outcome) is never a feature. Which attributes there are is the table's own affair, so these features
are described by a release and not by a family.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from ..asof import midnight
from ..tables import SPECS, Kind
from .family import Feature

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import ibis
    import pyarrow as pa

    Attribute = Literal["number", "flag", "category"]

HISTORY = frozenset({"transactions", "subscriptions"})
_ALWAYS = midnight(date(1, 1, 1))
_OURS = frozenset({"source", "customer_id", *(column.name for column in SPECS["observations"].columns)})


def alone(tables: Collection[str]) -> bool:
    """Whether features can only be observations' attributes: there is such a table, and no history.

    >>> alone(["observations", "customers"]), alone(["observations", "transactions"])
    (True, False)
    """
    return "observations" in tables and not HISTORY & set(tables)


def attributes(schema: pa.Schema) -> dict[str, Attribute]:
    """The attributes of a table of observations, and what each holds.

    >>> import pyarrow as pa
    >>> attributes(pa.schema([("record_id", pa.string()), ("fee", pa.float64()), ("partner", pa.bool_())]))
    {'fee': 'number', 'partner': 'flag'}
    """
    import pyarrow as pa

    kinds: dict[pa.DataType, Attribute] = {pa.float64(): "number", pa.bool_(): "flag", pa.string(): "category"}
    return {field.name: kinds[field.type] for field in schema if field.name not in _OURS and field.type in kinds}


def described(found: Mapping[str, Attribute]) -> tuple[Feature, ...]:
    """The attributes as features."""
    return tuple(
        Feature(name, _spoken(name), _UNITS[kind], "category" if kind == "category" else "number")
        for name, kind in found.items()
    )


def _spoken(name: str) -> str:
    """A column's name in words.

    >>> _spoken("MonthlyCharges"), _spoken("zip_code")
    ('Monthly Charges', 'zip code')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ")


_UNITS: Mapping[Attribute, Literal["flag", "name", "number"]] = {"number": "number", "flag": "flag", "category": "name"}
HELD: Mapping[Attribute, Kind] = {"number": Kind.NUMBER, "flag": Kind.FLAG, "category": Kind.TEXT}
"""As what a table keeps each kind of attribute."""


def features_of(observations: ibis.Table, names: Iterable[str]) -> dict[str, Any]:
    """The attributes of each row as features: doubles, and text for categories."""
    return {
        name: observations[name] if observations[name].type().is_string() else observations[name].cast("float64")
        for name in names
    }


def newest(observations: ibis.Table, snapshot: date) -> ibis.Table:
    """One row per customer: the attributes as they were last observed before a midnight.

    Parameters
    ----------
    observations
        The canonical table with ``customer_id``. A row without ``as_of`` was known all along.
    snapshot
        The midnight.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``as_of`` (date) and a column for each attribute.
    """
    import ibis

    names = list(attributes(observations.schema().to_pyarrow()))
    wall = ibis.literal(midnight(snapshot), type="timestamp")
    rows = observations.filter(observations.as_of.isnull() | (observations.as_of < wall))
    seen = rows.as_of.coalesce(ibis.literal(_ALWAYS, type="timestamp"))
    order = [seen.desc(), *(rows[name].asc() for name in ("source", *names))]
    rows = rows.mutate(place=ibis.row_number().over(ibis.window(group_by="customer_id", order_by=order)))
    rows = rows.filter(rows.place == 0)
    return rows.select("customer_id", as_of=ibis.literal(snapshot, type="date"), **features_of(rows, names))


def repeated(observations: ibis.Table) -> Any:
    """How many customers have several different rows of one moment, as an expression."""
    rows = observations.drop("record_id", "source").distinct()
    groups = rows.group_by("customer_id", "as_of").aggregate(rows=rows.count())
    return groups.filter(groups.rows > 1).customer_id.nunique()
