"""From staged rows to canonical ones: every cell read, every trouble named, every row kept.

One SQL statement per source makes its table. A row whose required values are all there is accepted; any other has the
codes of its reasons, such as ``ts_unreadable`` or ``record_id_missing``. How cells are read is decided by the rows
before ``as_of`` alone, where it is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..tables import SCALE
from .cells import Cell, CellReader
from .sql import MOST, PRODUCT_SCALE, name, quoted
from .voters import Voters, cell_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import duckdb

    from ..config import SourceSettings
    from ..tables import Kind
    from .columns import Layout
    from .raw import Raw

_COUNTED = (
    "has no amounts: each row counts 1, or its quantity where it has one; where the results speak of money, they mean "
    "that number"
)
_MADE = {"transactions": ("amount", "order_id"), "observations": ("record_id",)}
_SMALL = 3 * 10**9
_STEPS = (("b", "bare"), ("n", "number"), ("d", "exact"), ("p", "parsed"))


@dataclass(frozen=True)
class Standardised:
    """A source's standardised rows: their table, its canonical columns, those the source has, and the attributes.

    ``extras`` says of each further attribute what it is kept as, ``written`` of each column of times how it is written,
    ``ahead``, an SQL condition on staged rows, which ones may lie at or after the wall, and ``counted`` whether its
    amounts are numbers of rows or pieces.
    """

    table: str
    columns: tuple[str, ...]
    given: tuple[str, ...]
    extras: tuple[tuple[str, Kind], ...]
    notes: tuple[str, ...]
    written: Mapping[str, str]
    ahead: str
    counted: bool


def standardise(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, shape: Layout, table: str, as_of: date | None
) -> Standardised:
    """Make the table of a source's rows: row, canonical columns, attributes, ``filled_*`` marks and ``reasons``.

    Raises
    ------
    DataError
        Where the order of day and month, the decimal mark or the currency cannot be as the settings say.
    """
    voters = Voters(con, source, raw, shape.canonical, as_of)
    reader = CellReader(con, source, raw, voters)
    canonical = _filled_money(source, voters, raw, shape.canonical)
    cells = [reader.cell(c, canonical[c.name]) for c in shape.spec.columns if c.name in canonical]
    extras = [(label, reader.attribute(at, kind := reader.attribute_kind(at)), kind) for label, at in shape.extras]
    con.execute(f"CREATE TABLE {table} AS {_statement(source, cells, extras, voters.staged)}")
    given = tuple(c.name for c in cells)
    columns = tuple(dict.fromkeys((*given, *_MADE.get(source.table, ()))))
    attributes = tuple((x, kind) for x, _, kind in extras)
    counted = _is_counted(source, given)
    notes = [*reader.notes, _COUNTED] if counted else reader.notes
    return Standardised(table, columns, given, attributes, tuple(notes), reader.written, voters.ahead, counted)


def _filled_money(source: SourceSettings, voters: Voters, raw: Raw, canonical: Mapping[str, int]) -> dict[str, int]:
    """The columns that are read: an amount or a price that no row before the wall has counts as not there."""
    kept = dict(canonical)
    for money in ("amount", "unit_price"):
        if money in kept and source.amounts == "counted":
            del kept[money]
        elif money in kept and source.table == "transactions":
            filled = f"count(*) FILTER ({cell_text(raw, kept[money])} IS NOT NULL)"
            row = voters.con.execute(f"SELECT count(*), {filled} FROM {voters.rows}").fetchone()
            if row and row[0] and not row[1]:
                del kept[money]
    return kept


def _is_counted(source: SourceSettings, names: Sequence[str]) -> bool:
    """Whether a table of transactions says nothing of money, so that its rows or pieces are counted."""
    return source.table == "transactions" and "amount" not in names and not _has_product(source, names)


def _statement(
    source: SourceSettings, cells: Sequence[Cell], extras: Sequence[tuple[str, str, Kind]], staged: str
) -> str:
    """The SELECT that reads a whole source, step by step from the inside out."""
    values = {c.name: f"CASE WHEN e_{c.name} IS NULL THEN p_{c.name} END" for c in cells}
    reasons = {c.name: f"{quoted(c.name + '_')} || e_{c.name}" for c in cells if c.decides}
    _complete(source, values, reasons)
    chosen = [f"{sql} AS {column}" for column, sql in values.items()]
    chosen += [f"t_{c.name} IS NOT NULL AS filled_{c.name}" for c in cells]
    chosen += [name("x_" + label) for label, _, _ in extras]
    listed = ", ".join([*reasons.values(), *_between(source, cells)])
    return (
        f"SELECT row, {', '.join(chosen)}, list_filter([{listed}], lambda r: r IS NOT NULL) AS reasons "
        f"FROM ({_steps(source, cells, extras, staged)})"
    )


def _steps(source: SourceSettings, cells: Sequence[Cell], extras: Sequence[tuple[str, str, Kind]], staged: str) -> str:
    """Nested SELECTs, so that each step is computed once: texts, numbers, values, products, troubles."""
    texts = [f"{c.text} AS t_{c.name}" for c in cells] + [f"{sql} AS {name('x_' + x)}" for x, sql, _ in extras]
    inner = f"SELECT row, {', '.join(texts)} FROM {staged}"
    for prefix, step in _STEPS:
        made = [f"{getattr(c, step)} AS {prefix}_{c.name}" for c in cells if getattr(c, step)]
        inner = f"SELECT *, {', '.join(made)} FROM ({inner})" if made else inner
    if _has_product(source, [c.name for c in cells]):
        inner = _product(inner)
    return f"SELECT *, {', '.join(f'{c.trouble} AS e_{c.name}' for c in cells)} FROM ({inner})"


def _product(inner: str) -> str:
    """Add quantity * unit_price; where both are small and short, 64 bits hold the whole product and are quicker."""
    small = " AND ".join(f"d_{n} IS NULL AND abs(p_{n}) < {_SMALL}" for n in ("quantity", "unit_price"))
    large = f"CASE WHEN {small} THEN NULL ELSE micro(d_quantity, p_quantity) * micro(d_unit_price, p_unit_price) END"
    quick = f"CAST(divided(p_quantity * p_unit_price, CAST({SCALE} AS BIGINT)) AS HUGEINT)"
    exact = f"divided(large, CAST({PRODUCT_SCALE**2 // SCALE} AS HUGEINT))"
    inner = f"SELECT *, {large} AS large FROM ({inner})"
    return f"SELECT *, CASE WHEN {small} THEN {quick} ELSE {exact} END AS p_product FROM ({inner})"


def _has_product(source: SourceSettings, names: Sequence[str]) -> bool:
    return source.table == "transactions" and {"quantity", "unit_price"} <= set(names)


def _complete(source: SourceSettings, values: dict[str, str], reasons: dict[str, str]) -> None:
    """What a row gets where its source has no such column, or nothing in it."""
    own = {"observations": ("record_id", "CAST(row AS VARCHAR)")}
    own["transactions"] = ("order_id", f"{quoted(source.name + '-')} || row")
    if source.table in own:
        column, made = own[source.table]
        values[column] = f"coalesce(t_{column}, {made})" if column in values else made
    if _is_counted(source, list(values)):
        values["amount"] = f"coalesce({values.get('quantity', 'NULL')}, CAST({SCALE} AS BIGINT))"
    if not _has_product(source, list(values)):
        return
    trouble = (
        "CASE WHEN e_quantity = 'missing' OR e_unit_price = 'missing' THEN 'amount_missing' "
        "WHEN e_quantity IS NOT NULL THEN 'amount_' || e_quantity "
        "WHEN e_unit_price IS NOT NULL THEN 'amount_' || e_unit_price "
        f"WHEN abs(p_product) > {MOST * SCALE} THEN 'amount_too_large' END"
    )
    product = f"CASE WHEN {trouble} IS NULL THEN CAST(p_product AS BIGINT) END"
    if "amount" in values:
        values["amount"] = f"CASE WHEN e_amount = 'missing' THEN {product} ELSE {values['amount']} END"
        reasons["amount"] = f"CASE WHEN e_amount = 'missing' THEN {trouble} ELSE {reasons['amount']} END"
    else:
        values["amount"], reasons["amount"] = product, trouble


def _between(source: SourceSettings, cells: Sequence[Cell]) -> list[str]:
    """Troubles between columns."""
    if source.table == "subscriptions" and {"started_at", "ended_at"} <= {c.name for c in cells}:
        return ["CASE WHEN p_ended_at < p_started_at THEN 'ended_before_started' END"]
    return []
