"""The few functions, in DuckDB's SQL, by which cells become values.

Money is exact. A number is taken as the decimal that its text (or a double's shortest text) writes, and rounded half to
even to the fixed point of 1e-4; ``quantity * unit_price`` is the product of both at six decimals, rounded in the same
way. No value passes through binary fractions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tables import SCALE

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from ..config import Config

MOST = 10**12
"""Amounts beyond this (in units of the currency) are no amounts."""
PRODUCT_SCALE = 1_000_000
SIGNS = "$€£¥￥₩₹฿₽"
CODES = "USD|EUR|GBP|CNY|RMB|JPY|CHF|AUD|CAD|HKD|TWD|SGD|INR"

_BLANKS = "\t\n\r\v\f \u00a0\u2007\u202f\u3000\ufeff"
_NOTHING = ("", "nan", "NaN", "NULL", "null", "None", "N/A", "n/a", "#N/A", "NaT", "<NA>", "\\N")


def quoted(text: str) -> str:
    """A text as an SQL literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """A name as SQL writes it."""
    return '"' + text.replace('"', '""') + '"'


def connect(config: Config, folder: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB session in a file of its own, within the config's memory and threads, with the macros below."""
    import duckdb

    con = duckdb.connect(str(folder / "ingest.duckdb"), config={"autoinstall_known_extensions": "false"})
    con.execute("SET TimeZone='UTC'")
    con.execute(f"SET memory_limit={quoted(config.memory)}")
    con.execute(f"SET temp_directory={quoted(str(folder / 'spill'))}")
    if config.threads is not None:
        con.execute(f"SET threads={config.threads}")
    con.execute(MACROS)
    return con


_nothing = ", ".join(quoted(word) for word in _NOTHING)
_blank = r"[\s\x{00a0}\x{202f}]"
_edge = r"[\s\v\x{00a0}\x{2007}\x{202f}\x{3000}\x{feff}]"
_plain = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_units = rf"(?i)(^|[\s\d])({CODES}|US|HK|元|円|€|£)([\s\d.,()-]|$)"

MACROS = rf"""
-- A cell's text without blanks around it; NULL where it says nothing.
CREATE TEMP MACRO something(s) AS CASE WHEN s IN ({_nothing}) THEN NULL ELSE s END;
CREATE TEMP MACRO tidy(s) AS
    CASE WHEN regexp_matches(s, '^{_edge}|{_edge}$') THEN something(trim(s, {quoted(_BLANKS)})) ELSE something(s) END;

-- A double as text; whole ones without an empty fraction.
CREATE TEMP MACRO double_text(d) AS
    CASE WHEN isnan(d) THEN NULL
         WHEN d = trunc(d) AND abs(d) < 1e15 THEN CAST(CAST(d AS BIGINT) AS VARCHAR)
         ELSE CAST(d AS VARCHAR) END;

-- An id that went through a column of doubles: 12345.0 is 12345.
CREATE TEMP MACRO id_text(s) AS regexp_replace(s, '^([0-9]+)\.0+$', '\1');

-- A number's text without currency and blanks, with ASCII digits: blanks before three digits become marks of thousands,
-- brackets or a minus at the end become a minus in front.
CREATE TEMP MACRO without_currency(s) AS
    regexp_replace(regexp_replace(translate(s, '０１２３４５６７８９．，－−＋', '0123456789.,--+'),
                                  '[{SIGNS}]', '', 'g'), {quoted(_units)}, '\1\3');
CREATE TEMP MACRO without_blanks(s) AS
    regexp_replace(regexp_replace(regexp_replace(s, '(\d){_blank}(\d{{3}})', '\1''\2', 'g'),
                                  '(\d){_blank}+(\d)', '\1?\2', 'g'), '{_blank}', '', 'g');
CREATE TEMP MACRO bare_number(s) AS
    regexp_replace(without_blanks(without_currency(s)), '^\((.+)\)$|^([0-9].*)-$', '-\1\2');
CREATE TEMP MACRO plain_or_bare(s) AS CASE WHEN regexp_full_match(s, '{_plain}') THEN s ELSE bare_number(s) END;

-- A number's text as casts read it, of a text that is plain or bare; NULL where it is none. Marks of thousands stand
-- every three digits.
CREATE TEMP MACRO point_number(s) AS
    CASE WHEN regexp_full_match(s, '{_plain}') THEN s
         WHEN regexp_full_match(s, '[+-]?\d{{1,3}}((,\d{{3}})+|(''\d{{3}})+)(\.\d*)?')
         THEN regexp_replace(s, '[,'']', '', 'g') END;
CREATE TEMP MACRO comma_number(s) AS
    CASE WHEN regexp_full_match(s, '[+-]?(\d+|\d{{1,3}}((\.\d{{3}})+|(''\d{{3}})+))(,\d*)?')
         THEN replace(regexp_replace(s, '[.'']', '', 'g'), ',', '.') END;
CREATE TEMP MACRO infinite(s) AS regexp_full_match(s, '(?i)[+-]?inf(inity)?');

-- Most numbers have at most four decimals and are read straight; the others as the decimal that their text writes.
CREATE TEMP MACRO short(s) AS
    len(s) <= 15 AND (strpos(s, '.') = 0 OR len(s) - strpos(s, '.') <= 4) AND strpos(lower(s), 'e') = 0;
CREATE TEMP MACRO exact(s) AS CASE WHEN NOT short(s) THEN try_cast(s AS DECIMAL(38, 22)) END;

-- Half to even, at four and at six decimals, as whole numbers; d is exact(s), f is fixed(s, d).
CREATE TEMP MACRO even(n, tie) AS n - CASE WHEN tie AND n % 2 <> 0 THEN sign(n) ELSE 0 END;
CREATE TEMP MACRO fixed(s, d) AS
    CASE WHEN short(s) THEN try_cast(try_cast(s AS DECIMAL(18, 4)) * 10000 AS BIGINT)
         WHEN abs(d) <= {MOST}
         THEN CAST(even(CAST(CAST(d AS DECIMAL(38, 4)) * 10000 AS HUGEINT),
                        abs(CAST(d AS DECIMAL(38, 4)) - d) = 0.00005) AS BIGINT) END;
CREATE TEMP MACRO micro(d, f) AS
    CASE WHEN f IS NULL OR abs(f) > {MOST * SCALE} THEN NULL
         WHEN d IS NULL THEN CAST(f AS HUGEINT) * 100
         ELSE even(CAST(CAST(d AS DECIMAL(38, 6)) * 1000000 AS HUGEINT),
                   abs(CAST(d AS DECIMAL(38, 6)) - d) = 0.0000005) END;

-- A whole number divided by another, half to even.
CREATE TEMP MACRO divided(n, k) AS
    sign(n) * (abs(n) // k + CASE WHEN (abs(n) % k) * 2 > k OR ((abs(n) % k) * 2 = k AND (abs(n) // k) % 2 = 1)
                                  THEN 1 ELSE 0 END);

CREATE TEMP MACRO flag(s) AS
    CASE WHEN lower(s) IN ('1', 'true', 't', 'yes', 'y', '是', 'ja', 'j') THEN true
         WHEN lower(s) IN ('0', 'false', 'f', 'no', 'n', '否', 'nein') THEN false END;
CREATE TEMP MACRO sensible(t) AS t >= TIMESTAMP '1900-01-01' AND t < TIMESTAMP '2201-01-01';
"""
"""What :func:`connect` defines."""
