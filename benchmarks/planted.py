"""How well abnormal customers are found who were planted into the rows of a workspace.

    python benchmarks/planted.py [CONFIG] [--as-of DAY]

The workspace must have been ingested and resolved. For each kind, one customer in a hundred (of those with three
purchases or more) gets rows in the last days before DAY that are unlike their own: bulk orders at night, returns of
half to all of five months, orders at half the price, a takeover (other products, time of day and channel). Features
are made anew from these rows; the risk, learnt from the eight months before, is compared with an isolation forest and
with z-scores. Prints AUC and the precision among the top hundredth. The tables of the workspace are left as they are.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from custid.asof import midnight
from custid.config import load
from custid.features.table import build, collect, connect, open_tables
from custid.metrics import auc
from custid.models.predictor.encoder import Encoder
from custid.models.risk.risk import Risk
from custid.training.abnormal import rivals
from custid.workspace import Workspace

KINDS = ("bulk", "returns", "discount", "takeover")
MONTHS = 8
SEED = 5


def line(like: pd.Series, order: str, ts: Any, amount: float, **other: Any) -> dict[str, Any]:
    """A row of the customer and the product of another one."""
    return {**like.to_dict(), "order_id": order, "ts": ts, "amount": round(amount), "discount": None, **other}


def bulk(own: pd.DataFrame, rng: np.random.Generator, wall: Any, _: pd.DataFrame) -> list[dict[str, Any]]:
    """One or two orders at night of five to fifteen times the usual size."""
    usual = own.groupby("order_id")[["amount", "quantity"]].sum().mean()
    made = []
    for number in range(rng.integers(1, 3)):
        ts = wall - timedelta(days=int(rng.integers(1, 8))) + timedelta(hours=2 + float(rng.random()))
        size = rng.uniform(5, 15) / 3
        for _, like in own.sample(3, replace=True, random_state=int(rng.integers(1e9))).iterrows():
            pieces = max(10_000, round(float(usual["quantity"] or 0) * size))
            made.append(line(like, f"bulk-{number}", ts, usual["amount"] * size, quantity=pieces))
    return made


def returns(own: pd.DataFrame, rng: np.random.Generator, wall: Any, _: pd.DataFrame) -> list[dict[str, Any]]:
    """Half to all lines of the last five months come back at once."""
    recent = own[own.ts >= wall - timedelta(days=150)]
    some = (recent if len(recent) else own.tail(10)).sample(
        frac=rng.uniform(0.5, 1), random_state=int(rng.integers(1e9))
    )
    ts = wall - timedelta(days=int(rng.integers(1, 20))) + timedelta(hours=11)
    return [line(like, "back", ts, -like.amount, quantity=-10_000) for _, like in some.iterrows()]


def discount(own: pd.DataFrame, rng: np.random.Generator, wall: Any, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Three to six orders at half the price; nothing where no discounts are recorded."""
    if rows.discount.isna().all():
        return []
    made = []
    for number in range(rng.integers(3, 7)):
        ts = wall - timedelta(days=int(rng.integers(1, 20))) + timedelta(hours=float(rng.uniform(8, 20)))
        for _, like in own.sample(2, replace=True, random_state=int(rng.integers(1e9))).iterrows():
            half = max(like.amount, 10_000) // 2
            made.append(line(like, f"cheap-{number}", ts, half, discount=half))
    return made


def takeover(own: pd.DataFrame, rng: np.random.Generator, wall: Any, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Two or three orders of other products, ten hours off the usual time, through a channel that they never used."""
    usual = own.groupby("order_id").amount.sum().mean()
    others = sorted(set(rows.channel.dropna()) - set(own.channel))
    hour, made = (own.ts.dt.hour.median() + 10) % 24, []
    for number in range(rng.integers(2, 4)):
        ts = wall - timedelta(days=int(rng.integers(1, 10))) + timedelta(hours=float(hour))
        size = rng.uniform(0.7, 2.5) / 4
        for _, product in rows.sample(4, random_state=int(rng.integers(1e9))).iterrows():
            goods = {"product_id": product.product_id, "category": product.category}
            channel = others[0] if others else own.channel.iloc[0]
            made.append(line(own.iloc[-1], f"other-{number}", ts, usual * size, channel=channel, **goods))
    return made


def planted(con: Any, tables: dict[str, Any], day: date, kind: str, number: int) -> pa.Table | None:
    """The features of customers to whom a kind of abnormal rows was added; None where the table has no room for it."""
    schema = tables["transactions"].schema().to_pyarrow()
    wall = midnight(day)
    rows = tables["transactions"].filter(tables["transactions"].ts < wall).to_pandas()
    sales = rows[rows.amount > 0]
    orders = sales.groupby("customer_id").order_id.nunique()
    able = np.sort(orders.index[orders >= 3].to_numpy())
    size = max(20, round(0.01 * len(orders)))
    chosen = np.random.default_rng(SEED).permutation(able)[number * size : (number + 1) * size]
    rng, made = np.random.default_rng([SEED, number]), []
    for customer in chosen:
        made += globals()[kind](sales[sales.customer_id == customer].sort_values("ts"), rng, wall, sales)
    if not made:
        return None
    old = tables["transactions"].filter(tables["transactions"].customer_id.isin(list(chosen))).to_pyarrow()
    new = pa.Table.from_pylist([{k: None if pd.isna(v) else v for k, v in row.items()} for row in made], schema=schema)
    own = {name: table.filter(table.customer_id.isin(list(chosen))) for name, table in tables.items()}
    own["transactions"] = con.create_table(f"planted_{kind}", pa.concat_tables([old.cast(schema), new]), overwrite=True)
    return collect(build(own, day))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, nargs="?", default="data/demo/custid.yaml", help="the demo's without")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2024, 12, 1), help="2024-12-01 without")
    given = parser.parse_args()
    config = load(given.config)
    con = connect(config)
    tables = open_tables(con, config, Workspace(config.workspace))
    days = [given.as_of - timedelta(days=30 * month) for month in range(MONTHS, -1, -1)]
    *past, now = (collect(build(tables, day)) for day in days)
    model = Risk.fit(past)
    print(f"{config.name}, {given.as_of}, {now.num_rows:,} customers: AUC, precision among the top hundredth")
    for number, kind in enumerate(KINDS):
        odd = planted(con, tables, given.as_of, kind, number)
        if odd is None:
            continue
        ids = np.array(now["customer_id"].to_pylist())
        usual = now.filter(pa.array(~np.isin(ids, odd["customer_id"].to_pylist())))
        rows = pa.concat_tables([usual, odd])
        truth = np.concatenate([np.zeros(usual.num_rows), np.ones(odd.num_rows)])
        read = Encoder(model.traits, {}).matrix(now).shape[1]
        scores = {f"risk ({read} traits)": model.predict(rows)["risk"], **rivals(model, now, rows, SEED)}
        for name, score in scores.items():
            top = np.argsort(-score, kind="stable")[: round(0.01 * truth.size)]
            print(f"{kind:10} {name:20} {auc(truth, score):.3f} {truth[top].mean():.2f}")


if __name__ == "__main__":
    main()
