"""The account of a source (rows in = rows accepted + quarantined, with reasons) and the refused rows themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError, masked
from ..tables import Kind
from ..workspace import replacing
from .columns import counted
from .sql import quoted
from .synonyms import meanings
from .voters import staged_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from ..config import SourceSettings
    from .columns import Layout
    from .raw import Raw
    from .standardise import Standardised

MISFIT = "row_misshapen"
BATCH = 122_880
_OURS = ("source", "table", "row", "reasons")
_LONGEST = 40
_PERSONAL = {
    "record_id", "name", "given_name", "family_name", "email", "phone", "national_id", "birth_date", "street",
}  # fmt: skip
_EXPECTED = {
    "missing": "a value",
    "not_finite": "a finite number",
    "too_large": "at most 1,000,000,000,000",
    "in_another_currency": "the currency of the rows before as_of",
    "currency_without_rate": "the run's currency, or one of currency.rates",
    "ended_before_started": "an end after the start",
}


def account(con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, std: Standardised) -> dict[str, Any]:
    """Count a source's rows by what became of them, and its columns' filled and valid cells."""
    fields = {c: f"filled_{c}" for c in std.given}
    counts = ", ".join(f"count(*) FILTER ({f}), count(*) FILTER ({f} AND {c} IS NOT NULL)" for c, f in fields.items())
    row = con.execute(
        f"SELECT count(*), count(*) FILTER (len(reasons) = 0){', ' + counts if counts else ''} FROM {std.table}"
    ).fetchone()
    values = list(row or ())
    return {
        "table": source.table,
        "uri": masked(source.uri),
        "rows": values[0] + len(raw.misfits),
        "accepted": values[1],
        "quarantined": values[0] - values[1] + len(raw.misfits),
        "later": 0,
        "reasons": dict(_reasons(con, std.table, raw)),
        "flagged": {},
        "fields": {c: {"filled": values[2 + 2 * i], "valid": values[3 + 2 * i]} for i, c in enumerate(fields)},
        "notes": [*raw.notes, *std.notes],
    }


def write_refused(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, std: Standardised, target: Path
) -> None:
    """Write every refused row whole: source, table, row (the line of a text file), reasons, its cells as text."""
    labels = _labels(raw.names)
    text = _free("text", labels)
    fields = [("source", pa.string()), ("table", pa.string()), ("row", pa.int64()), ("reasons", pa.list_(pa.string()))]
    fields += [(label, pa.string()) for label in labels]
    schema = pa.schema(fields + ([(text, pa.string())] if raw.misfits else []))
    with replacing(target) as draft, pq.ParquetWriter(draft, schema, compression="zstd") as writer:
        for batch in _refused(con, source, raw, std):
            columns = [*batch.columns, *([pa.nulls(batch.num_rows, pa.string())] if raw.misfits else [])]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        if raw.misfits:
            writer.write_table(_misfits(source, raw, schema))


def _refused(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, std: Standardised
) -> Iterator[pa.RecordBatch]:
    cells = "".join(f", CAST(r.c{i} AS VARCHAR)" for i in range(len(raw.names)))
    reader = con.execute(
        f"SELECT {quoted(source.name)}, {quoted(source.table)}, s.row, s.reasons{cells} FROM {std.table} s "
        f"JOIN {staged_rows(raw)} r USING (row) WHERE len(s.reasons) > 0 ORDER BY s.row"
    ).to_arrow_reader(BATCH)
    yield from reader


def _misfits(source: SourceSettings, raw: Raw, schema: pa.Schema) -> pa.Table:
    count = len(raw.misfits)
    ours = {
        "source": [source.name] * count,
        "table": [source.table] * count,
        "row": [line for line, _ in raw.misfits],
        "reasons": [[MISFIT]] * count,
        schema.names[-1]: [text for _, text in raw.misfits],
    }
    return pa.table([pa.array(ours.get(f.name, [None] * count), f.type) for f in schema], schema=schema)


def _labels(names: tuple[str, ...]) -> list[str]:
    """The user's column names, told apart from ours and from each other."""
    labels: list[str] = []
    for theirs in names:
        labels.append(_free(theirs or "unnamed", [*_OURS, *labels]))
    return labels


def _free(wanted: str, taken: list[str]) -> str:
    folded = {t.casefold() for t in taken}
    while wanted.casefold() in folded:
        wanted += "_"
    return wanted


def check(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, shape: Layout, std: Standardised, most: float
) -> None:
    """Stop where nothing usable is left of a source, or more was refused than the config allows.

    Rows that may lie at or after the wall do not count: they never stop a run.
    """
    if not con.execute(f"SELECT 1 FROM {std.table} LIMIT 1").fetchone() and not raw.misfits:
        raise DataError(f"{masked(source.uri)}: has a header and no rows; expected rows.")
    table = std.table
    if std.ahead != "false":
        table = (
            f"(SELECT s.* FROM {table} s JOIN (SELECT row FROM {staged_rows(raw)} WHERE NOT ({std.ahead})) USING (row))"
        )
    row = con.execute(f"SELECT count(*), count(*) FILTER (len(reasons) > 0) FROM {table}").fetchone()
    rows, refused = (count + len(raw.misfits) for count in row or (0, 0))
    if rows == 0 or (refused < rows and refused <= most * rows):
        return
    reasons = dict(_reasons(con, table, raw))
    told = ", ".join(f"{code} {count:,}" for code, count in reasons.items())
    limit = "no usable row is left" if refused == rows else f"more than quality.max_refused allows ({most:.0%})"
    first = example(con, raw, shape, std, next(iter(reasons)), table)
    raise DataError(
        f"{source.name} ({masked(source.uri)}): {refused:,} of {counted(rows)} "
        f"{'was' if rows == 1 else 'were'} refused ({told}); {limit}. {first}"
    )


def _reasons(con: duckdb.DuckDBPyConnection, table: str, raw: Raw) -> list[tuple[str, int]]:
    """The reasons by how many rows have them, most frequent first; misshapen rows last."""
    found = con.execute(
        f"SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM {table}) GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    return [*found, *([(MISFIT, len(raw.misfits))] if raw.misfits else [])]


def example(con: duckdb.DuckDBPyConnection, raw: Raw, shape: Layout, std: Standardised, code: str, table: str) -> str:
    """The first of a table's rows that was refused for a reason: its line, the column, the value, what was expected."""
    if code == MISFIT:
        line = raw.misfits[0][0]
        return f"{raw.unit.capitalize()} {line} has not the {counted(len(raw.names), 'column')} of the header."
    row = con.execute(f"SELECT min(row) FROM {table} WHERE list_contains(reasons, ?)", [code]).fetchone()
    line = row[0] if row else 0
    cells = [_cell(con, raw, shape, column, line) for column in _columns(code, shape)]
    told = f" ({', '.join(cells)}; expected {_expected(code, shape, std)})" if cells else ""
    return f"The first for {code} is {raw.unit} {line}{told}; all of them are in the quarantine folder."


def _columns(code: str, shape: Layout) -> list[str]:
    """The canonical columns that a reason is about."""
    if code == "ended_before_started":
        return ["started_at", "ended_at"]
    name = _named(code, shape)
    made = [c for c in ("quantity", "unit_price") if c in shape.canonical]
    return [name] if name in shape.canonical else made if name == "amount" else []


def _named(code: str, shape: Layout) -> str:
    """The canonical column with whose name a reason's code begins."""
    return next((c.name for c in shape.spec.columns if code.startswith(f"{c.name}_")), "")


def _cell(con: duckdb.DuckDBPyConnection, raw: Raw, shape: Layout, canonical: str, line: int) -> str:
    """A column and its value as a message shows them; what identifies a person is not shown."""
    at = shape.canonical[canonical]
    row = con.execute(f"SELECT CAST(c{at} AS VARCHAR) FROM {staged_rows(raw)} WHERE row = ?", [line]).fetchone()
    value = row[0] if row else None
    personal = _PERSONAL & {canonical, *(meaning for meaning, _ in meanings(raw.names[at]))}
    if value is None or not value.strip():
        shown = "empty"
    elif personal or "@" in value:
        shown = "'***'"
    else:
        shown = repr(value if len(value) <= _LONGEST else value[:_LONGEST] + "...")
    return f"column {raw.names[at]!r}: {shown}"


def _expected(code: str, shape: Layout, std: Standardised) -> str:
    """What a refused cell should have been."""
    if code in _EXPECTED:
        return _EXPECTED[code]
    name = _named(code, shape)
    end = code.removeprefix(f"{name}_")
    column = shape.spec.column(name)
    if end in _EXPECTED:
        return _EXPECTED[end]
    kind = column.kind if column else Kind.TEXT
    if end == "out_of_range":
        return "a year from 1900 to 2200" if kind is Kind.TIME else "a number from 0 to 1"
    if kind is Kind.TIME:
        return f"a time such as {_like(std.written[name])}" if name in std.written else "a time"
    return {Kind.FLAG: "yes or no", Kind.TEXT: "a value"}.get(kind, "a number")


def _like(written: str) -> str:
    """Formats with what they stand for, by the example of one day."""
    return datetime(2024, 1, 31, 8, 30, tzinfo=UTC).strftime(written)
