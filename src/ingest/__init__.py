"""Reading: the user's tables in, canonical tables and a quality account out.

Takes the sources of a config (CSV, Parquet, Excel, SQLite, DuckDB, PostgreSQL) and gives, in the workspace, one Parquet
file per canonical table with the rows that were known before ``as_of``, the later rows apart, every refused row whole
with its reasons, and ``quality.json``, which adds up: rows = accepted + quarantined. Facts about a row that a reader
may use or ignore (duplicate, cancellation, what it cancels, no product) are flags, never removals.

It never changes a source, never downloads anything, never guesses where the data do not decide, and never drops a row
in silence.
"""
