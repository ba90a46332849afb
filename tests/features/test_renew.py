"""A kept snapshot brought to later days by their new rows alone is what a whole computation gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import ibis
import pyarrow.parquet as pq
import pytest

from custid.features import renew as renewing
from custid.features.renew import keep, renew
from custid.features.single import Recompute
from custid.features.table import wanted

NAMES = ("transactions", "events", "feedback")
DAYS = (date(2024, 2, 13), date(2024, 2, 14), date(2024, 3, 15))


@pytest.fixture
def rows(history: Any) -> dict[str, Any]:
    made = {name: history(41, 18)[name] for name in NAMES}
    made["transactions"] += [
        {**made["transactions"][0], "customer_id": name, "ts": datetime(2024, 2, 13, 9), "ingested_at": None}
        for name in ("aaa", "c5", "new", "zzz")
    ]
    return made


def opened(rows: Any, canon: Any, until: date) -> tuple[Any, Any]:
    """The tables as they are on a day: rows to come are not there, cancellations to come are not known."""
    wall = datetime(until.year, until.month, until.day)
    con = ibis.duckdb.connect(threads=2)
    there = {
        name: [
            {k: None if k == "cancelled_at" and v is not None and v >= wall else v for k, v in row.items()}
            for row in made
            if max(row["ts"], row.get("ingested_at") or row["ts"]) < wall
        ]
        for name, made in rows.items()
    }
    tables = {name: con.create_table(name, canon(name, made)) for name, made in there.items()}
    tables["transactions"] = wanted(tables["transactions"], ("cancellations",))
    return con, tables


def test_day_by_day_as_in_one_go(rows: Any, canon: Any, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(renewing, "ROWS", 120)
    path, state = tmp_path / "features.parquet", tmp_path / "state"
    whole = Recompute(NAMES, ("cancellations",))
    keep(*opened(rows, canon, DAYS[0]), DAYS[0], path, state)
    assert len(list(state.glob("part-*"))) > 1
    for day in DAYS[1:]:
        assert renew(*opened(rows, canon, day), day, path, state)
        tables = {name: canon(name, made) for name, made in rows.items()}
        assert pq.read_table(path).to_pylist() == whole.features(tables, day).to_pylist()


def test_what_cannot_be_used_is_made_anew(rows: Any, canon: Any, tmp_path: Any) -> None:
    path, state = tmp_path / "features.parquet", tmp_path / "state"
    small = {"transactions": rows["transactions"]}
    assert not renew(*opened(small, canon, DAYS[0]), DAYS[0], path, state)
    first = path.read_bytes()
    assert not renew(*opened(small, canon, DAYS[0]), DAYS[0], path, state)
    assert path.read_bytes() == first
    (state / "made_from.json").write_text('{"day": "2024-02-13", "key": "of other code", "parts": 1}')
    assert not renew(*opened(small, canon, DAYS[1]), DAYS[1], path, state)
    assert renew(*opened(small, canon, DAYS[2]), DAYS[2], path, state)
