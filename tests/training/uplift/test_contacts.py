"""Campaigns as a history: what was known before each contact, what came of it, and what has not been settled."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.config.settings import Config
from custid.errors import DataError
from custid.identity.stage import resolve
from custid.ingest.stage import ingest
from custid.training.archive import Archive
from custid.training.labelled.observed import answerable
from custid.training.task import task_of
from custid.workspace import Workspace

START, AS_OF = datetime(2024, 1, 1), date(2024, 7, 1)
CUSTOMERS = 150


def campaign(day, *, arm=lambda i: i % 2 == 0, hour=10, name="c"):
    """Everyone in one campaign; who is contacted, answers."""
    at = START + timedelta(days=day, hours=hour)
    return [
        {
            "record_id": f"k{i:03d}",
            "campaign_id": f"{name}{day}",
            "ts": at,
            "treated": arm(i),
            "responded": arm(i) and i % 4 == 0,
            "revenue": 20.0 if arm(i) and i % 4 == 0 else 0.0,
        }
        for i in range(CUSTOMERS)
    ]


@pytest.fixture
def opened(tmp_path):
    """An archive over purchases of every tenth day, and campaigns."""

    def open_with(rows, **more):
        buys = [
            {"record_id": f"k{i:03d}", "ts": START + timedelta(days=day + i % 10, hours=8), "amount": 10.0 + i % 7}
            for i in range(CUSTOMERS)
            for day in range(0, 170, 10)
        ]
        sources = []
        for table, found in (("transactions", buys), ("campaigns", rows)):
            pq.write_table(pa.Table.from_pylist(found), tmp_path / f"{table}.parquet")
            sources.append({"name": "shop", "table": table, "uri": str(tmp_path / f"{table}.parquet")})
        config = Config(name="small", workspace=tmp_path / "ws", as_of=AS_OF, horizon="30d", sources=sources, **more)
        ws = Workspace(config.workspace).create()
        ingest(config, ws)
        resolve(config, ws)
        return Archive(config, ws, AS_OF)

    return open_with


def history(archive):
    return archive.of(task_of("uplift"))


def test_features_are_those_before_the_day_of_the_contact(opened):
    archive = opened([*campaign(40), *campaign(70), *campaign(100)])
    found = history(archive)
    assert [s.day for s in found.snapshots] == [date(2024, 2, 10), date(2024, 3, 11), date(2024, 4, 10)]
    for snapshot in found.snapshots:
        assert snapshot.features.num_rows == CUSTOMERS
        assert max(snapshot.features["purchases"].to_pylist()) <= (snapshot.day - date(2024, 1, 1)).days / 10 + 1
    outcome = found.snapshots[0].outcome
    by_id = dict(zip(outcome.ids, zip(outcome.known["treated"], outcome.known["outcome"], strict=True), strict=True))
    assert by_id["k004"] == (1.0, 1.0)
    assert by_id["k002"] == (1.0, 0.0)
    assert by_id["k001"] == (0.0, 0.0)


def test_the_newest_contacts_are_held_out_and_what_was_open_then_is_not_learnt_from(opened):
    back = history(opened([*campaign(40), *campaign(70), *campaign(85), *campaign(100)])).rehearsal
    assert [s.day for s in back.snapshots] == [date(2024, 2, 10), date(2024, 3, 11)]  # day 85: open until 115
    assert back.latest.features.num_rows == CUSTOMERS


def test_contacts_that_are_not_settled_or_came_before_the_first_purchase_are_left_aside(opened):
    found = history(opened([*campaign(4), *campaign(60), *campaign(170)]))
    assert sum(s.features.num_rows for s in found.snapshots) == CUSTOMERS + 60  # of day 4, who had bought by then
    assert all(s.day < date(2024, 6, 1) for s in found.snapshots)


def test_many_days_share_the_features_of_the_latest_kept_one(opened):
    rows = [row for day in range(40, 100, 2) for row in campaign(day)[:20]]
    found = history(opened(rows, training={"snapshots": 2}))
    assert len(found.snapshots) == 2
    assert found.snapshots[0].day == date(2024, 2, 10)
    assert all(len(set(s.outcome.ids)) == s.features.num_rows for s in found.snapshots)


def test_money_may_be_the_outcome(opened):
    found = history(opened(campaign(40), uplift={"outcome": "revenue"}))
    assert found.snapshots[0].outcome.known["outcome"].max() == 20.0


def test_one_day_alone_is_parted_by_customers(opened):
    found = history(opened(campaign(60)))
    assert found.mixed
    assert 10 <= found.rehearsal.latest.features.num_rows <= 50


def test_without_a_control_group_there_is_nothing_to_learn(opened):
    archive = opened(campaign(60, arm=lambda _: True))
    with pytest.raises(DataError, match="150 contacted and 0 kept back"):
        history(archive)
    assert "uplift" in archive.config.tasks
    assert "uplift" not in answerable(archive.config, archive.ws).tasks


@pytest.mark.slow
def test_in_the_simulated_shop_it_orders_the_truth_better_than_chance(tmp_path):
    from custid.config import load
    from custid.ingest.simulate import simulate
    from custid.metrics import spearman
    from custid.training.fit import fit_task

    path = simulate(tmp_path / "demo", customers=2_000, seed=5)
    config = load(path, ["tuning.trials=3", "training.resamples=20", "training.snapshots=8", "explain.background=50"])
    ws = Workspace(config.workspace).create()
    as_of = ingest(config, ws)
    resolve(config, ws)
    found = history(Archive(config, ws, as_of))
    said = fit_task("uplift", found, config).predictor.predict(found.latest.features)["uplift"]
    score = dict(zip(found.latest.features["customer_id"].to_pylist(), said.tolist(), strict=True))
    names = ["source", "record_id"]
    who = pq.read_table(ws.identity).join(pq.read_table(tmp_path / "demo" / "truth" / "identity.parquet"), names)
    truth = pq.read_table(tmp_path / "demo" / "truth" / "customers.parquet")
    reached = {row["person"]: row["uplift"] for row in truth.to_pylist() if row["active_at_end"] and row["uses_app"]}
    pairs = {
        customer: (reached[person], score[customer])
        for customer, person in zip(who["customer_id"].to_pylist(), who["person"].to_pylist(), strict=True)
        if person in reached and customer in score
    }
    true, ours = np.array(list(pairs.values())).T
    assert true.size > 300
    assert spearman(true, ours) > 0.15  # by chance: 0, give or take 0.05
