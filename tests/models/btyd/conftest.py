from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from custid.models.btyd import Histories

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Counts:
    """What a model is fitted on, and what came after."""

    histories: Histories
    value: np.ndarray  # mean spend of the repeat purchases, 0 without one
    later: np.ndarray  # purchases after the moment of looking


def count(customer, day, amount, as_of, *, looked=None, per=1.0, least=0.0) -> Counts:
    """Days with more than ``least`` spent per customer before ``as_of``; ages up to ``looked``, in ``per`` days."""
    keys, which = np.unique(np.stack([customer, day]), axis=1, return_inverse=True)
    spent = np.bincount(which, amount)
    kept = spent > least
    (who, when), spent = keys[:, kept], spent[kept]
    known = np.unique(who[when < as_of])
    seen = when < as_of
    row = np.searchsorted(known, who)
    past, bought = row[seen], np.bincount(row[seen], minlength=known.size)
    first = np.full(known.size, as_of)
    np.minimum.at(first, past, when[seen])
    last = np.zeros(known.size, dtype=first.dtype)
    np.maximum.at(last, past, when[seen])
    again = when[seen] > first[past]
    total = np.bincount(past[again], spent[seen][again], known.size)
    after = np.isin(who, known) & ~seen
    return Counts(
        Histories.of(bought - 1, (last - first) / per, ((as_of if looked is None else looked) - first) / per),
        total / np.maximum(bought - 1, 1),
        np.bincount(row[after], minlength=known.size),
    )


def shared(folder: Path, name: str) -> Path:
    if not (folder / name).exists():
        pytest.skip(f"the public data set {name} is not beside the project")
    return folder / name


def days(text: np.ndarray) -> np.ndarray:
    """Whole days since 1970 of dates such as 19970101."""
    iso = [f"{t[:4]}-{t[4:6]}-{t[6:]}" for t in text]
    return np.array(iso, dtype="datetime64[D]").astype(np.int64)


def day(date: str) -> int:
    return int(np.datetime64(date, "D").astype(np.int64))


@pytest.fixture(scope="session")
def summary(public_data) -> Histories:
    """The published summary of CDNOW's one-tenth sample: weeks, T up to 39."""
    table = np.loadtxt(shared(public_data, "cdnow/cdnow_customers_summary.csv"), delimiter=",", skiprows=1)
    return Histories.of(table[:, 1], table[:, 2], table[:, 3])


@pytest.fixture(scope="session")
def sample(public_data) -> Counts:
    """The one-tenth sample itself in weeks, as the papers count it: up to the last day, free purchases too."""
    table = np.loadtxt(shared(public_data, "cdnow/CDNOW_sample.txt"), dtype=str)
    customer, when, amount = table[:, 1].astype(int), days(table[:, 2]), table[:, 4].astype(float)
    return count(customer, when, amount, day("1997-10-01"), looked=day("1997-09-30"), per=7.0, least=-1.0)


@pytest.fixture(scope="session")
def cdnow(public_data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customer, day and amount of all of CDNOW."""
    table = np.loadtxt(shared(public_data, "cdnow/CDNOW_master.txt"), dtype=str, skiprows=1)
    return table[:, 0].astype(int), days(table[:, 1]), table[:, 3].astype(float)


@pytest.fixture(scope="session")
def online_retail(public_data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customer, day and amount of every row of Online Retail II with a customer."""
    from pyarrow import compute, parquet

    path = shared(public_data, "online_retail/online_retail_2009_2011.parquet")
    table = parquet.read_table(path, columns=["Customer ID", "InvoiceDate", "Quantity", "Price"])
    table = table.filter(compute.is_valid(table["Customer ID"]))
    customer = compute.cast(compute.cast(table["Customer ID"], "float64"), "int64").to_numpy()
    when = table["InvoiceDate"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return customer, when, table["Quantity"].to_numpy() * table["Price"].to_numpy()


@pytest.fixture(scope="session")
def counting():
    """Counts of (customer, day, amount) in days, each (table, date) worked out once."""
    done: dict[tuple[int, str], Counts] = {}

    def at(table, date: str) -> Counts:
        key = (id(table), date)
        if key not in done:
            done[key] = count(*table, day(date))
        return done[key]

    return at
