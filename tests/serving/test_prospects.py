from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import InputError
from custid.models.bundle import Bundle
from custid.registry import Registry
from custid.serving.prospects import prospects
from custid.workspace import Workspace, write_parquet


@pytest.fixture(scope="module")
def run(made):
    config = load(made.config, made.overrides)
    ws = Workspace(config.workspace)
    release = Registry(config, ws).champion()
    return config, ws, release, Bundle.load(Registry(config, ws).fetch(release))


def test_everyone_who_has_not_bought_has_a_row_and_nothing_is_null(run):
    _, ws, release, _ = run
    table = pq.read_table(ws.prospects)
    assert table.num_rows > 10
    assert table["customer_id"].to_pylist() == sorted(set(table["customer_id"].to_pylist()))
    assert all(column.null_count == 0 for column in table.columns)
    assert set(table["release"].to_pylist()) == {release.id}
    assert set(table["known_by"].to_pylist()) <= {"registered", "visiting"}
    chance = table["p_first_purchase"].to_numpy()
    assert ((chance > 0) & (chance < 1)).all()


def test_reasons_of_those_of_most_value_sum_to_the_chance(run):
    config, ws, _, _ = run
    rows = pq.read_table(ws.prospects).to_pylist()
    told = [row for row in rows if row["reasons"]]
    assert len(told) == min(len(rows), config.explain.customers)
    for row in told:
        odds = sum(reason["contribution"] for reason in row["reasons"])
        assert 1 / (1 + np.exp(-odds)) == pytest.approx(row["p_first_purchase"], abs=1e-9)
    least = min(row["expected_first_value"] for row in told)
    assert all(row["expected_first_value"] <= least for row in rows if not row["reasons"])


def test_without_rows_of_prospects_there_is_no_table_and_another_day_is_refused(run, tmp_path):
    from datetime import timedelta

    config, ws, release, bundle = run
    mine = Workspace(tmp_path)
    features = pq.read_table(ws.prospect_features)
    day = features["as_of"][0].as_py()
    write_parquet(mine.prospect_features, features)
    prospects(bundle, release.id, mine, day, config.explain)
    assert pq.read_table(mine.prospects).equals(pq.read_table(ws.prospects))
    with pytest.raises(InputError, match="another day"):
        prospects(bundle, release.id, mine, day + timedelta(days=1), config.explain)
    mine.prospect_features.unlink()
    prospects(bundle, release.id, mine, day, config.explain)
    assert not mine.prospects.exists()
    assert not mine.prospects_of(day).exists()
