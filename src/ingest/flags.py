"""Facts about transactions that a reader may use or ignore: duplicates, cancellations, what they cancel, no products.

A cancellation takes back the latest earlier line of the same customer and product with the opposite quantity that
nothing has taken back yet (without product or quantity: the opposite amount). Lines and cancellations thus pair off
like brackets, in the order in which they became known, so what is known before a day never depends on later rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .sql import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from ..config.settings import QualitySettings

_USUAL = 0.5


def flag(
    con: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str], quality: QualitySettings, known: str, table: str
) -> list[str]:
    """Make a table of row, duplicate, cancellation, cancelled_at and non_product.

    Parameters
    ----------
    rows
        The accepted rows of one transactions source, as an SQL relation with ``order_given``.
    columns
        The canonical columns that the source has.
    known
        An SQL condition: the row was known before ``as_of``.

    Returns
    -------
    list of str
        What there is to say, as sentences.
    """
    notes: list[str] = []
    prefix = _prefix(con, rows, quality.cancellation_prefix, known, notes)
    con.execute(f"CREATE OR REPLACE TEMP TABLE again AS {_duplicates(rows, columns)}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE lines AS {_lines(rows, columns, prefix, quality)}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE undone AS {_UNDONE}")
    con.execute(
        f"CREATE TABLE {table} AS SELECT l.row, l.duplicate, l.cancellation, u.cancelled_at, l.non_product "
        f"FROM lines l LEFT JOIN undone u USING (row)"
    )
    for name in ("again", "lines", "undone"):
        con.execute(f"DROP TABLE {name}")
    return notes


def _prefix(con: duckdb.DuckDBPyConnection, rows: str, prefix: str, known: str, notes: list[str]) -> str:
    """A condition on order_id; none where most orders bear the prefix, which then is a part of every number."""
    if not prefix:
        return "false"
    pattern = f"'^' || regexp_escape({quoted(prefix)}) || '[0-9]'"
    bears = f"(order_given IS NOT NULL AND regexp_matches(order_given, {pattern}))"
    row = con.execute(
        f"SELECT count(DISTINCT order_given), count(DISTINCT order_given) FILTER ({bears}) FROM {rows} WHERE {known}"
    ).fetchone()
    orders, bearing = row or (0, 0)
    if bearing > _USUAL * orders:
        notes.append(
            f"{bearing:,} of {orders:,} order ids start with {prefix!r}, so it marks no cancellations "
            f"(quality.cancellation_prefix); negative lines do"
        )
        return "false"
    return bears


def _duplicates(rows: str, columns: Sequence[str]) -> str:
    """Rows that repeat an earlier one: found by a hash, decided by all columns."""
    keys = ", ".join("order_given" if c == "order_id" else c for c in columns)
    return (
        f"SELECT row FROM (SELECT row, row_number() OVER (PARTITION BY {keys} ORDER BY row) AS nth FROM {rows} "
        f"WHERE hash({keys}) IN (SELECT hash({keys}) FROM {rows} GROUP BY 1 HAVING count(*) > 1)) WHERE nth > 1"
    )


def _lines(rows: str, columns: Sequence[str], prefix: str, quality: QualitySettings) -> str:
    """What pairing needs of each row: its key, its side, and when it became known."""
    pieces = "quantity" if "quantity" in columns else "NULL::BIGINT"
    product = "product_id" if "product_id" in columns else "NULL::VARCHAR"
    arrived = "greatest(ts, coalesce(ingested_at, ts))" if "ingested_at" in columns else "ts"
    code = _pattern(quality.non_product_codes)
    skip = "a.row IS NOT NULL" if "duplicates" in quality.drop else "false"
    size = f"CASE WHEN {product} IS NULL OR {pieces} IS NULL OR {pieces} = 0 THEN NULL ELSE {pieces} END"
    return (
        f"SELECT r.row, record_id, order_id, {arrived} AS known_at, a.row IS NOT NULL AS duplicate, "
        f"coalesce({prefix} OR amount < 0 OR {pieces} < 0, false) AS cancellation, "
        f"coalesce(regexp_matches({product}, {quoted(code)}, 'i'), false) AS non_product, "
        f"{product} AS product, {size} AS pieces, amount, "
        f"CASE WHEN {skip} THEN 0 ELSE CAST(sign(coalesce({size}, amount)) AS INTEGER) END AS side "
        f"FROM {rows} r LEFT JOIN again a USING (row)"
    )


def _pattern(code: str) -> str:
    try:
        re.compile(code)
    except re.error as error:
        raise ConfigError(
            f"quality.non_product_codes: {code!r} is no regular expression ({error}); expected one such as ^(POST|M)$."
        ) from None
    return code or "$^"


# Brackets by depth: a line opens, a cancellation closes. What closes nothing (the depth falls below all before it) is
# left out; then each opening at a depth is followed, at that depth, by the closing that belongs to it, if there is one.
_UNDONE = """
WITH keyed AS (
    SELECT row, order_id, known_at, side, cancellation,
           hash(record_id, product, pieces IS NULL, abs(coalesce(pieces, amount))) AS part,
           record_id, product, pieces IS NULL AS by_amount, abs(coalesce(pieces, amount)) AS size
    FROM lines
    WHERE (side = 1 AND NOT cancellation) OR (side = -1 AND cancellation)
), told AS (
    SELECT * FROM keyed WHERE part IN (SELECT part FROM keyed WHERE side = -1)
), depths AS (
    SELECT *, sum(side) OVER w AS depth
    FROM told
    WINDOW w AS (PARTITION BY record_id, product, by_amount, size
                 ORDER BY known_at, side DESC, order_id, row ROWS UNBOUNDED PRECEDING)
), floors AS (
    SELECT *, least(0, coalesce(min(depth) OVER (PARTITION BY record_id, product, by_amount, size
                                ORDER BY known_at, side DESC, order_id, row
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)) AS low
    FROM depths
), levels AS (
    SELECT *, CASE WHEN side = 1 THEN depth - low ELSE depth + 1 - low END AS level
    FROM floors
    WHERE side = 1 OR depth >= low
)
SELECT row, until AS cancelled_at
FROM (
    SELECT row, side,
           lead(side) OVER w AS next_side,
           lead(known_at) OVER w AS until
    FROM levels
    WINDOW w AS (PARTITION BY record_id, product, by_amount, size, level ORDER BY known_at, side DESC, order_id, row)
)
WHERE side = 1 AND next_side = -1
"""
