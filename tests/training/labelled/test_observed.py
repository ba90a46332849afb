from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.config.settings import Config
from custid.errors import DataError, TooFewCustomersError
from custid.identity.stage import resolve
from custid.ingest.stage import ingest
from custid.training.labelled.observed import Observed, answerable, draws, parts
from custid.training.labelled.splits import folds, splits, thinned
from custid.training.task import task_of
from custid.workspace import Workspace


@pytest.fixture
def observed(tmp_path):
    """An archive of a table, and the settings of its run."""

    def make(table, **more):
        pq.write_table(table, tmp_path / "rows.parquet")
        source = {"name": "s", "table": "observations", "uri": str(tmp_path / "rows.parquet")}
        config = Config(
            name="small", workspace=tmp_path / "ws", as_of="2024-06-01", horizon="30d", sources=[source], **more
        )
        ws = Workspace(config.workspace).create()
        ingest(config, ws)
        resolve(config, ws)
        return config, ws

    return make


def customers(n=200, **columns):
    rng = np.random.default_rng(3)
    fee = np.round(rng.normal(50, 10, n), 2)
    label = rng.random(n) < 1 / (1 + np.exp(-(fee - 55) / 5))
    return pa.table({"record_id": [f"c{i}" for i in range(n)], "fee": fee, "label": label, **columns})


def test_rows_without_an_answer_are_scored_and_not_learnt_from(observed):
    table = customers()
    label = pa.array([None if i % 4 == 0 else bool(v.as_py()) for i, v in enumerate(table["label"])])
    config, ws = observed(table.set_column(2, "label", label))
    archive = Observed(config, ws, config.as_of)
    history = archive.of(task_of("churn"))
    assert history.latest.features.num_rows == 200
    assert history.snapshots[0].features.num_rows == 150
    assert history.mixed
    assert archive.attributes == {"fee": "number"}


def test_what_is_held_out_without_time_depends_on_the_customer_alone(observed):
    config, ws = observed(customers())
    history = Observed(config, ws, config.as_of).of(task_of("churn"))
    config, ws = observed(customers().take(np.arange(200)[::-1]))
    again = Observed(config, ws, config.as_of).of(task_of("churn"))
    held = history.rehearsal.latest.outcome.ids
    assert held.tolist() == again.rehearsal.latest.outcome.ids.tolist()
    assert history.snapshots[0].features.equals(again.snapshots[0].features)
    assert 20 <= held.size <= 60
    assert set(held) == {f"c{i}" for i in range(200) if draws([f"c{i}"], config.seed, "held out")[0] % 5 == 0}


def test_in_time_the_newest_rows_are_held_out_and_what_was_not_settled_then_is_not_learnt(observed):
    seen = [datetime(2023, 1, 1) + timedelta(days=2 * i) for i in range(200)]
    config, ws = observed(customers(as_of=seen))
    history = Observed(config, ws, config.as_of).of(task_of("churn"))
    back = history.rehearsal
    held = {f"c{i}" for i in range(160, 200)}
    assert not history.mixed
    assert set(back.latest.outcome.ids) == held
    assert set(back.snapshots[0].outcome.ids) == {f"c{i}" for i in range(160 - 15 + 1)}  # 30 days: 15 rows


def test_parts_without_room_for_settled_rows_take_all_earlier_ones(observed):
    seen = [datetime(2024, 1, 1) + timedelta(hours=i) for i in range(200)]
    config, ws = observed(customers(as_of=seen))
    back = Observed(config, ws, config.as_of).of(task_of("churn")).rehearsal
    assert back.snapshots[0].features.num_rows + back.latest.features.num_rows == 200


def test_folds_do_not_depend_on_the_order_of_the_rows_and_hold_each_kind_alike():
    ids, kind = [f"c{i}" for i in range(103)], np.arange(103) % 4 == 0
    part = folds(ids, kind.astype(float), 7, 0)
    back = folds(ids[::-1], kind[::-1].astype(float), 7, 0)
    assert part.tolist() == back[::-1].tolist()
    sizes = np.bincount(part[kind], minlength=5)
    assert sizes.max() - sizes.min() <= 1
    assert np.bincount(part).max() - np.bincount(part).min() <= 1


def test_rows_of_one_customer_stay_together():
    ids = [f"c{i % 30}" for i in range(90)]
    part = folds(ids, np.zeros(90), 7)
    assert all(len({p for p, i in zip(part, ids, strict=True) if i == one}) == 1 for one in set(ids))


def test_every_customer_is_judged_once_in_each_repetition(observed):
    config, ws = observed(customers())
    history = Observed(config, ws, config.as_of).of(task_of("churn"))
    found = list(splits(history, lambda outcome: outcome.known["label"], 7, 2))
    assert sorted(np.concatenate([s.places for s in found]).tolist()) == list(range(400))
    for split in found:
        assert not set(split.known[0].outcome.ids) & set(split.unseen.outcome.ids)


def test_tasks_that_nobody_asked_for_are_left_out_where_there_is_no_answer(observed):
    config, ws = observed(customers())
    assert config.tasks == ("churn", "uplift")
    assert answerable(config, ws).tasks == ("churn",)


def test_an_answer_that_is_missing_is_named(observed):
    config, ws = observed(customers(), tasks=["uplift"])
    with pytest.raises(DataError, match="no row has a value in treated and outcome"):
        Observed(config, ws, config.as_of).of(task_of("uplift"))
    table = customers()
    label = pa.array([True if i == 0 else None for i in range(200)])
    config, ws = observed(table.set_column(2, "label", label))
    with pytest.raises(TooFewCustomersError, match="1 rows have a value in label"):
        Observed(config, ws, config.as_of).of(task_of("churn"))


def test_parts_are_apart():
    from custid.training.history import Snapshot

    ids = pa.array([f"c{i}" for i in range(100)])
    rows = Snapshot(datetime(2024, 6, 1).date(), pa.table({"customer_id": ids}), pa.table({"customer_id": ids}))
    known, held = parts(rows, np.full(100, np.nan), timedelta(days=30), 7)
    assert not (known & held).any()
    assert (known | held).all()


def test_very_many_rows_are_thinned_by_a_hash_of_their_ids():
    ids = [f"c{i}" for i in range(50)]
    part = folds(ids, np.zeros(50), 7)
    kept = thinned(part, ids, 20, 7)
    assert (kept < 5).sum() == 20
    assert (kept[kept < 5] == part[kept < 5]).all()
    assert kept.tolist() == thinned(part[::-1], ids[::-1], 20, 7)[::-1].tolist()
    assert thinned(part, ids, 50, 7).tolist() == part.tolist()
