"""One currency per run: amounts of others are converted by the config's rates, exactly, or the run stops."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ..errors import ConfigError, DataError
from .columns import counted
from .sql import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from ..config.settings import CurrencySettings

_RATE_SCALE = 10**12
WITHOUT_RATE = "currency_without_rate"
_MONEY = ("amount", "unit_price", "discount")


def unify(
    con: duckdb.DuckDBPyConnection, parts: Sequence[tuple[str, str, Sequence[str], str]], settings: CurrencySettings
) -> dict[str, list[str]]:
    """Bring all transactions to one currency, in place; later rows for which there is no rate are refused.

    Parameters
    ----------
    parts
        For each transactions source: its name, its table, the canonical columns that it has, and an SQL condition:
        the row has a say, as it was known before the wall. Rows without a currency, and sources without the column,
        are taken to be in the run's currency.

    Returns
    -------
    dict
        Sentences for each source that names currencies.

    Raises
    ------
    DataError, ConfigError
        Where the rows that have a say are in several currencies and there is no rate for one of them.
    """
    found: dict[str, int] = {}
    for _, table, columns, known in parts:
        if "currency" in columns:
            con.execute(f"UPDATE {table} SET currency = upper(currency)")
            for code, count in con.execute(
                f"SELECT currency, count(*) FROM {table} "
                f"WHERE len(reasons) = 0 AND currency IS NOT NULL AND {known} GROUP BY 1"
            ).fetchall():
                found[code] = found.get(code, 0) + count
    rates = {code.upper(): rate for code, rate in settings.rates.items()}
    base = _base(found, rates, settings.code)
    notes: dict[str, list[str]] = {}
    for source, table, columns, _ in parts:
        if "currency" in columns:
            _refuse(con, table, {*rates, base} if base else set())
            notes[source] = _convert(con, table, columns, base, rates) if base else []
    return notes


def _refuse(con: duckdb.DuckDBPyConnection, table: str, known: set[str]) -> None:
    """Refuse the rows whose currency has no rate; only rows that had no say can be among them."""
    listed = ", ".join(quoted(code) for code in sorted(known))
    strange = f"currency NOT IN ({listed})" if listed else "currency IS NOT NULL"
    con.execute(f"UPDATE {table} SET reasons = [{quoted(WITHOUT_RATE)}] WHERE len(reasons) = 0 AND {strange}")


def _base(found: dict[str, int], rates: dict[str, float], code: str | None) -> str | None:
    """The run's currency; nothing where no row names one."""
    without = [c for c in found if c not in rates]
    base = code.upper() if code else (without[0] if len(without) == 1 else None)
    if base is None and rates and not without:
        raise ConfigError(
            "currency.code: not set, and every currency has a rate; expected the one that rates refer to."
        )
    unknown = [c for c in without if c != base]
    if unknown:
        told = ", ".join(f"{c} ({counted(found[c])})" for c in sorted(found, key=lambda c: (-found[c], c)))
        raise DataError(
            f"The transactions are in several currencies: {told}; expected one, or in currency.rates what one unit of "
            f"{' and of '.join(sorted(unknown))} is worth in {base or 'currency.code'}."
        )
    return base


def _convert(
    con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], base: str, rates: dict[str, float]
) -> list[str]:
    notes = []
    money = [c for c in _MONEY if c in columns]
    for code, rate in sorted(rates.items()):
        if code == base:
            continue
        row = con.execute(
            f"SELECT count(*) FROM {table} WHERE currency = {quoted(code)} AND len(reasons) = 0"
        ).fetchone()
        if not row or not row[0]:
            continue
        whole = int((Decimal(repr(rate)) * _RATE_SCALE).to_integral_value())
        changed = ", ".join(
            f"{c} = CAST(divided(CAST({c} AS HUGEINT) * {whole}, CAST({_RATE_SCALE} AS HUGEINT)) AS BIGINT)"
            for c in money
        )
        con.execute(f"UPDATE {table} SET {changed} WHERE currency = {quoted(code)}")
        notes.append(f"{counted(row[0])} in {code} converted to {base} at {rate}")
    con.execute(f"UPDATE {table} SET currency = {quoted(base)} WHERE len(reasons) = 0")
    return notes
