"""A web shop of a few hundred simulated customers, under settings with which a backtest takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from custid.asof import midnight
from custid.config import load
from custid.ingest.simulate import simulate
from custid.workspace import Workspace, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from custid.config import Config

FEWER = {
    "tasks": ["churn", "segments"],
    "backtest": {"origins": 2, "trials": 1},
    "training": {"snapshots": 1, "min_customers": 20, "resamples": 20},
    "segments": {"most": 3, "resamples": 2},
}


@pytest.fixture(scope="session")
def shop(tmp_path_factory) -> Path:
    """The config file: the orders of the web shop alone."""
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=400, seed=3)
    written = yaml.safe_load((folder / "custid.yaml").read_text())
    written["sources"] = [s for s in written["sources"] if (s["name"], s["table"]) == ("shop", "transactions")]
    (folder / "custid.yaml").write_text(yaml.safe_dump(written | FEWER))
    return folder / "custid.yaml"


@pytest.fixture(scope="session")
def settings(shop) -> Callable[..., Config]:
    """Its config, with further overrides."""
    return lambda *more: load(shop, more)


@pytest.fixture(scope="session")
def tables_until() -> Callable[[Workspace, Path, date], Workspace]:
    """Copies the transactions that were known before a day into another workspace."""

    def copied(there: Workspace, folder: Path, day: date) -> Workspace:
        ws = Workspace(folder).create()
        table = pq.read_table(there.table("transactions"))
        for time in ("ts", "ingested_at"):
            table = table.filter(pc.or_kleene(pc.is_null(table[time]), pc.less(table[time], midnight(day))))
        write_parquet(ws.table("transactions"), table)
        write_parquet(ws.identity, pq.read_table(there.identity))
        return ws

    return copied
