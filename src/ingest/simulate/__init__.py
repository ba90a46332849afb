"""A simulated company whose truth is known, for demonstrations and tests.

Takes a number of customers and a seed; gives the files of a web shop, of stores and of an app, as such companies have
them, with a config that runs over them, and beside them the truth that no record says. It reads nothing, never
downloads anything, and names nobody who exists. The same arguments give the same bytes.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["simulate"]


def simulate(
    out: Path,
    *,
    customers: int = 2_000,
    seed: int = 7,
    months: int = 24,
    start: date = date(2023, 1, 1),
    chunk: int = 20_000,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Simulate a company and write its files.

    Parameters
    ----------
    out
        A folder; made where it is missing. Files of an earlier simulation in it are replaced.
    customers
        How many people; each has at least one record, some 15 transaction lines each on the average.
    seed
        Decides everything; another seed, another company.
    months
        How long the records run, from ``start``.
    start
        The first day.
    chunk
        About how many people are held in memory at once; the files do not depend on it.
    progress
        Called with the people done and all people, after each chunk.

    Returns
    -------
    Path
        The config that runs over the files.

    Raises
    ------
    InputError
        When a number is out of its range or the folder cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from custid.ingest.simulate import simulate
    >>> with TemporaryDirectory() as folder:
    ...     config = simulate(Path(folder), customers=50, months=6)
    ...     config.name, sorted(p.name for p in Path(folder).iterdir())
    ('custid.yaml', ['app', 'custid.yaml', 'pos', 'shop', 'truth'])
    """
    from .write import run

    _check("customers", customers, 1, 40_000_000)
    _check("months", months, 4, 120)
    _check("seed", seed, 0, 2**63 - 1)
    _check("chunk", chunk, 1, 2**63 - 1)
    run(out, customers, seed, months, start, chunk, progress)
    return out / "custid.yaml"


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(f"{name}: {value}; expected a whole number from {least:,} to {most:,}.")
