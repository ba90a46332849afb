"""What is asked: public data sets, as-of dates and horizons, and the protocol by which they are split.

Rows that have a customer and a date. An order is a (customer, order) group, a purchase where its amounts sum to more
than 0; returns count in the spend. A program is given the rows before ``as_of``; the truth is what lies in the horizon
after it; the customers are those with a purchase before ``as_of``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PLACES = (ROOT / "data" / "raw", ROOT.parent / "shared" / "data" / "online_retail", ROOT.parent / "shared/data/cdnow")
FILES = {"online_retail": "online_retail_2009_2011.parquet", "cdnow": "CDNOW_master.txt"}


@dataclass(frozen=True)
class Case:
    """A question: what do customers do in ``days`` from ``as_of`` on?"""

    name: str
    data: str
    as_of: str
    days: int


CASES = {
    case.name: case
    for case in (
        Case("or2_2010_12", "online_retail", "2010-12-01", 90),
        Case("cdnow_1997_07", "cdnow", "1997-07-01", 92),
        Case("or2_2011_06", "online_retail", "2011-06-10", 180),
        Case("or2_2011_03", "online_retail", "2011-03-02", 180),
        Case("cdnow_39w", "cdnow", "1997-10-01", 273),
        Case("cdnow_180", "cdnow", "1998-01-01", 180),
    )
}
USUAL = ("or2_2010_12", "cdnow_1997_07")


@dataclass(frozen=True)
class Split:
    """A case's rows: ``past`` before as_of, ``future`` within the horizon after it."""

    case: Case
    past: pd.DataFrame
    future: pd.DataFrame


def find(data: str, folder: Path | None) -> Path | None:
    """Where a data set lies: in the folder named, else where data/README.md puts it, else beside the project."""
    places = (folder,) if folder else PLACES
    return next((place / FILES[data] for place in places if (place / FILES[data]).exists()), None)


def split(case: Case, path: Path) -> Split:
    """The rows of a case, with customer_id, order_id, ts and amount."""
    rows = _online_retail(path) if case.data == "online_retail" else _cdnow(path)
    rows = rows[rows.customer_id.notna() & rows.ts.notna()]
    rows = rows.assign(customer_id=rows.customer_id.astype(str), order_id=rows.order_id.astype(str))
    rows = rows[["customer_id", "order_id", "ts", "amount"]].sort_values("ts", kind="stable")
    start = pd.Timestamp(case.as_of)
    ahead = (rows.ts >= start) & (rows.ts < start + pd.Timedelta(days=case.days))
    return Split(case, rows[rows.ts < start].reset_index(drop=True), rows[ahead].reset_index(drop=True))


def truth(past: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
    """For each customer with a purchase in the past, by id: ``churned``, ``spend`` and ``high_value`` in the future."""
    found = pd.DataFrame(index=pd.Index(sorted(purchases(past).customer_id.unique()), name="customer_id"))
    bought = purchases(future).groupby("customer_id").size().reindex(found.index, fill_value=0)
    found["churned"] = (bought == 0).astype(float)
    found["spend"] = future.groupby("customer_id").amount.sum().reindex(found.index, fill_value=0.0)
    best = found.reset_index().sort_values(["spend", "customer_id"], ascending=[False, True])
    best = best.head(round(0.10 * len(found)))
    found["high_value"] = found.index.isin(best[best.spend > 0].customer_id).astype(float)
    return found


def purchases(rows: pd.DataFrame) -> pd.DataFrame:
    """customer_id, order_id, ts (the first line's) and amount of the orders that sum to more than 0."""
    orders = rows.groupby(["customer_id", "order_id"], sort=False).agg(ts=("ts", "min"), amount=("amount", "sum"))
    return orders[orders.amount > 0].reset_index()


def _online_retail(path: Path) -> pd.DataFrame:
    rows = pd.read_parquet(path)
    names = {"Customer ID": "customer_id", "Invoice": "order_id", "InvoiceDate": "ts"}
    return rows.assign(amount=rows.Quantity.astype(float) * rows.Price).rename(columns=names)


def _cdnow(path: Path) -> pd.DataFrame:
    names = ["customer_id", "ts", "quantity", "amount"]
    rows = pd.read_csv(path, sep=r"\s+", skiprows=1, dtype=str, names=names)
    number = rows.groupby("customer_id").cumcount().astype(str)
    return rows.assign(
        ts=pd.to_datetime(rows.ts, format="%Y%m%d"),
        amount=rows.amount.astype(float),
        order_id=np.char.add(np.char.add(rows.customer_id.to_numpy(str), "_"), number.to_numpy(str)),
    )
