"""The account of a source (rows in = rows accepted + quarantined, with reasons) and the refused rows themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError, masked
from ..workspace import replacing
from .sql import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from ..config import SourceSettings
    from .raw import Raw
    from .standardise import Standardised

MISFIT = "row_misshapen"
BATCH = 122_880
_OURS = ("source", "table", "row", "reasons")


def account(con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, std: Standardised) -> dict[str, Any]:
    """Count a source's rows by what became of them, and its columns' filled and valid cells."""
    fields = {c: f"filled_{c}" for c in std.given}
    counts = ", ".join(f"count(*) FILTER ({f}), count(*) FILTER ({f} AND {c} IS NOT NULL)" for c, f in fields.items())
    row = con.execute(
        f"SELECT count(*), count(*) FILTER (len(reasons) = 0){', ' + counts if counts else ''} FROM {std.table}"
    ).fetchone()
    values = list(row or ())
    reasons = con.execute(
        f"SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM {std.table}) "
        f"GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    listed = dict(reasons) | ({MISFIT: len(raw.misfits)} if raw.misfits else {})
    return {
        "table": source.table,
        "uri": masked(source.uri),
        "rows": values[0] + len(raw.misfits),
        "accepted": values[1],
        "quarantined": values[0] - values[1] + len(raw.misfits),
        "later": 0,
        "reasons": listed,
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
        f"JOIN read_parquet({quoted(str(raw.path))}) r USING (row) WHERE len(s.reasons) > 0 ORDER BY s.row"
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
    con: duckdb.DuckDBPyConnection,
    source: SourceSettings,
    raw: Raw,
    std: Standardised,
    entry: dict[str, Any],
    most: float,
) -> None:
    """Stop where nothing usable is left of a source, or more was refused than the config allows."""
    rows, refused = entry["rows"], entry["quarantined"]
    if rows == 0:
        raise DataError(f"{masked(source.uri)}: has a header and no rows; expected rows.")
    if entry["accepted"] and refused <= most * rows:
        return
    reasons = ", ".join(f"{code} {count:,}" for code, count in entry["reasons"].items())
    limit = "no usable row is left" if not entry["accepted"] else f"more than quality.max_refused allows ({most:.0%})"
    raise DataError(
        f"{source.name} ({masked(source.uri)}): {refused:,} of {rows:,} rows were refused ({reasons}); {limit}. "
        f"{_example(con, raw, std, entry)}"
    )


def _example(con: duckdb.DuckDBPyConnection, raw: Raw, std: Standardised, entry: dict[str, Any]) -> str:
    """The first refused row that shows the most frequent reason."""
    code = next(iter(entry["reasons"]))
    if code == MISFIT:
        return f"{raw.unit.capitalize()} {raw.misfits[0][0]} has not the {len(raw.names)} columns of the header."
    row = con.execute(f"SELECT min(row) FROM {std.table} WHERE list_contains(reasons, ?)", [code]).fetchone()
    return f"The first for {code} is {raw.unit} {row[0] if row else '?'}; all of them are in the quarantine folder."
