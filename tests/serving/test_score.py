from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import InputError
from custid.models.bundle import Bundle
from custid.registry import Registry
from custid.serving.manifest import require_same_features
from custid.serving.score import score
from custid.workspace import Workspace, write_parquet

ORDER = (
    "customer_id", "as_of", "release", "p_high_value", "expected_value", "expected_value_low", "expected_value_high",
    "p_churn", "p_intent", "segment", "risk", "uplift",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(made):
    config = load(made.config, made.overrides)
    return config, Workspace(config.workspace)


@pytest.fixture(scope="module")
def scores(run):
    return pq.read_table(run[1].scores)


def test_there_is_a_row_for_every_customer_and_nothing_is_null(run, scores):
    assert scores["customer_id"].to_pylist() == pq.read_table(run[1].features)["customer_id"].to_pylist()
    assert {name: scores[name].null_count for name in scores.column_names if scores[name].null_count} == {}
    assert set(scores["release"].to_pylist()) == {Registry(*run).champion().id}


def test_the_columns_stand_in_the_order_of_the_contract(run, scores):
    assert scores.column_names == [name for name in ORDER if name in scores.column_names]
    outputs = {
        n for p in Bundle.load(Registry(*run).fetch(Registry(*run).champion())).predictors.values() for n in p.outputs
    }
    assert set(scores.column_names[3:]) == outputs


def test_the_scores_of_the_day_are_kept(run, scores):
    day = scores["as_of"][0].as_py()
    assert pq.read_table(run[1].scores_of(day), partitioning=None).equals(scores)


def test_a_row_scores_the_same_in_whatever_company(run, scores):
    config, ws = run
    bundle = Bundle.load(Registry(config, ws).fetch(Registry(config, ws).champion()))
    features = pq.read_table(ws.features)
    alone = [bundle.predict(features.slice(i, 1)).to_pylist()[0] for i in range(0, len(features), 29)]
    batch = scores.drop_columns("release").to_pylist()[::29]
    assert alone == batch


@pytest.fixture
def copy(run, tmp_path):
    """A workspace of its own with the features and the registry of the shared run."""
    config, ws = run
    for name in ("features.parquet", "releases", "mlflow.db", "artifacts"):
        (tmp_path / name).symlink_to((ws.root / name).resolve())
    return config.model_copy(update={"workspace": tmp_path}), Workspace(tmp_path)


def test_another_day_than_the_features_is_refused(copy, scores):
    day = scores["as_of"][0].as_py() + timedelta(days=1)
    with pytest.raises(InputError, match=rf"{day}.*custid features"):
        score(*copy, day)
    assert not copy[1].scores.exists()


def test_a_day_before_the_champion_was_trained_is_refused(copy, scores):
    """Its models have learnt from what came after."""
    config, ws = copy
    trained = scores["as_of"][0].as_py()
    day = trained - timedelta(days=60)
    features = pq.read_table(ws.features)
    earlier = features.set_column(1, "as_of", pa.array([day] * len(features), pa.date32()))
    ws.features.unlink()
    write_parquet(ws.features, earlier)
    with pytest.raises(InputError, match=rf"as of {trained} .*after {day}.*--as-of {day} --workspace DIR"):
        score(config, ws, day)
    assert not ws.scores.exists()


def test_a_workspace_without_a_champion_says_to_train(tmp_path, run):
    config = run[0].model_copy(update={"workspace": tmp_path})
    with pytest.raises(InputError, match="custid train"):
        score(config, Workspace(tmp_path), date(2024, 1, 1))


def test_a_release_trained_on_other_feature_code_says_to_train(run):
    manifest = Registry(*run).champion().manifest
    require_same_features(manifest)
    other = {**manifest, "features": {**manifest["features"], "fingerprint": "0" * 24}}
    with pytest.raises(InputError, match=rf"{manifest['release']}.*custid train"):
        require_same_features(other)
