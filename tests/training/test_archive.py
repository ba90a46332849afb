from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from custid.asof import midnight
from custid.config.settings import Config
from custid.errors import InputError, TooFewCustomersError
from custid.tables import TRANSACTIONS, arrow_schema
from custid.training.archive import Archive
from custid.training.task import task_of
from custid.workspace import Workspace, silent, write_parquet

FIRST, AS_OF = date(2020, 1, 1), date(2020, 9, 1)


def fill(root, *, customers=60, until=AS_OF, seed=0):
    """A workspace with the tables of one shop; whatever ``until``, earlier rows are the same."""
    rng = np.random.default_rng(seed)
    rows = [(f"{c:03d}", int(d)) for c in range(customers) for d in np.sort(rng.integers(0, 360, 6))]
    rows = [(c, d) for c, d in rows if d < (until - FIRST).days]
    schema = arrow_schema(TRANSACTIONS)
    known = {
        "source": ["shop"] * len(rows),
        "record_id": [c for c, _ in rows],
        "ts": [midnight(FIRST) + timedelta(days=d, hours=9) for _, d in rows],
        "amount": [10_000 * (5 + int(c) % 7) for c, _ in rows],
        "order_id": [f"{c}-{d}" for c, d in rows],
    }
    flags = {"duplicate": [False], "cancellation": [False], "non_product": [False]}
    columns = [
        pa.array(known[f.name], f.type) if f.name in known
        else pa.array(flags[f.name] * len(rows), f.type) if f.name in flags
        else pa.nulls(len(rows), f.type)
        for f in schema
    ]  # fmt: skip
    ids = sorted({c for c, _ in rows})
    ws = Workspace(root).create()
    write_parquet(ws.table("transactions"), pa.table(columns, schema=schema))
    same = {"source": ["shop"] * len(ids), "record_id": ids, "customer_id": ids}
    write_parquet(ws.identity, pa.table({**same, "method": ["own id"] * len(ids), "probability": [1.0] * len(ids)}))
    return ws


def settings(**training):
    return Config(
        name="small",
        workspace="unused",
        horizon="60d",
        sources=[{"name": "shop", "table": "transactions", "uri": "unused"}],
        training={"snapshots": 2, "min_customers": 20, **training},
    )


def history_of(ws, as_of, note=silent):
    """What churn is learnt from."""
    return Archive(settings(), ws, as_of, note).of(task_of("churn"))


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("shop"))


def test_labels_end_by_as_of_and_the_rehearsal_knows_less(ws):
    history = history_of(ws, AS_OF)
    back = history.rehearsal
    assert [s.day for s in history.snapshots] == [date(2020, 6, 3), date(2020, 7, 3)]
    assert all(s.day + history.learnt_horizon <= AS_OF for s in history.snapshots)
    assert back.latest.day == history.snapshots[-1].day
    assert all(s.day + back.learnt_horizon <= back.latest.day for s in back.snapshots)
    assert history.latest.labels is None
    for snapshot in history.snapshots:
        assert snapshot.labels["customer_id"].to_pylist() == snapshot.features["customer_id"].to_pylist()


def test_rows_at_or_after_as_of_change_nothing_of_what_is_learnt_from(ws, tmp_path):
    whole = history_of(fill(tmp_path, until=date(2021, 1, 1)), AS_OF)
    known = history_of(ws, AS_OF)
    for ours, theirs in zip(known.snapshots, whole.snapshots, strict=True):
        assert ours.features.equals(theirs.features)
        assert ours.labels.equals(theirs.labels)
    assert known.latest.features.equals(whole.latest.features)


def test_snapshots_are_read_again_until_the_tables_change(tmp_path):
    notes = []
    ws = fill(tmp_path)
    history_of(ws, AS_OF, notes.append)
    built = len(notes)
    history_of(ws, AS_OF, notes.append)
    assert len(notes) == built > 0
    fill(tmp_path, seed=1)
    history_of(ws, AS_OF, notes.append)
    assert len(notes) == 2 * built


def test_prospects_need_a_table_that_tells_of_them(ws):
    with pytest.raises(InputError, match=r"customers \(with registered_at\) or events"):
        Archive(settings(), ws, AS_OF).of(task_of("prospects"))


def test_intent_is_learnt_from_the_newest_weeks_and_its_history_is_its_own(ws):
    archive = Archive(settings(), ws, AS_OF)
    history = archive.of(task_of("intent"))
    assert [(AS_OF - s.day).days for s in history.snapshots] == [84 - 7 * k for k in range(12)]
    assert history.horizon == history.learnt_horizon == timedelta(days=7)
    assert archive.of(task_of("intent")).latest is archive.of(task_of("churn")).latest
    assert archive.of(task_of("churn")).horizon.days == 60


def test_too_few_customers_or_days_are_refused_in_a_sentence(ws, tmp_path):
    with pytest.raises(TooFewCustomersError, match="60 customers bought or subscribed"):
        Archive(settings(min_customers=500), ws, AS_OF)
    with pytest.raises(InputError, match="expected a history of at least"):
        history_of(fill(tmp_path, customers=800), FIRST + timedelta(days=14))
