"""Searches in MLflow: what a run says, how it ends, and what a killed one leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from custid.config import Config
from custid.registry import Store
from custid.training.track import TaskRun, code_version, flat_metrics, page
from custid.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

FIGURE = '{"data": [{"x": [1, 2], "y": [3, 4], "type": "scatter"}], "layout": {"title": {"text": "Lift"}}}'


def open_store(folder: Path, **more: Any) -> Store:
    source = {"name": "shop", "table": "transactions", "uri": "shop.csv"}
    return Store(Config(name="shop", workspace=folder, sources=(source,), **more), Workspace(folder))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose store is made."""
    folder = tmp_path_factory.mktemp("home")
    assert open_store(folder).client
    return folder


@pytest.fixture
def store(home: Path) -> Store:
    return open_store(home)


def test_a_search_is_a_parent_with_a_run_per_trial(store: Store) -> None:
    with TaskRun(store, "churn", {"as_of": "2011-06-10", "data": "abc"}) as run:
        run.trial(0, {"depth": 3, "learner": "trees"}, {"loss": 0.4, "loss_fold_0": 0.5, "none": None}, "COMPLETE")
        run.trial(1, {"depth": 2}, {"loss_fold_0": float("nan")}, "PRUNED")
        run.trial(2, {}, {}, "FAIL")
        run.log({"chosen": {"trees": {"depth": 3}}}, {"auc": 0.8, "capture@10%": 0.6}, "One sentence.")
    parent = store.client.get_run(run.id)
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["custid.data"] == "abc"
    assert parent.data.tags["mlflow.note.content"] == "One sentence."
    assert parent.data.params == {"chosen.trees.depth": "3"}
    assert parent.data.metrics == {"auc": 0.8, "capture_at_10": 0.6}
    trials = store.client.search_runs([store.experiment], f"tags.`mlflow.parentRunId` = '{run.id}'")
    by_number = {trial.data.tags["custid.trial"]: trial for trial in trials}
    assert [by_number[n].info.status for n in "012"] == ["FINISHED", "FINISHED", "FAILED"]
    assert [by_number[n].data.tags["custid.state"] for n in "012"] == ["COMPLETE", "PRUNED", "FAIL"]
    assert by_number["0"].data.metrics == {"loss": 0.4, "loss_fold_0": 0.5}
    assert by_number["0"].data.params == {"depth": "3", "learner": "trees"}
    assert [trial["number"] for trial in run.trials] == [0, 1, 2]


def test_more_values_than_one_request_takes(store: Store) -> None:
    names = [f"v{i}" for i in range(250)]
    with TaskRun(store, "churn", {}) as run:
        run.log(dict.fromkeys(names, "x" * 9000), dict.fromkeys(names, 1.5))
    found = store.client.get_run(run.id).data
    assert set(found.params) == set(found.metrics) == set(names)
    assert found.params["v0"].endswith("...")


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_says_how_it_ended(store: Store, error: type[BaseException], status: str) -> None:
    with pytest.raises(error), TaskRun(store, "churn", {}) as run:
        raise error
    assert store.client.get_run(run.id).info.status == status


def test_runs_that_a_kill_left_are_ended_and_those_of_others_are_not(store: Store, tmp_path: Path) -> None:
    mine = TaskRun(store, "churn", {})
    shared = open_store(tmp_path, mlflow={"tracking_uri": store.uri})
    theirs = TaskRun(shared, "churn", {})
    assert open_store(store.ws.root).end_killed() == 1
    assert store.client.get_run(mine.id).info.status == "KILLED"
    assert store.client.get_run(theirs.id).info.status == "RUNNING"
    assert store.end_killed() == 0
    assert shared.end_killed() == 1


def test_the_run_of_mlflow_run_is_the_parent_where_its_store_is_used(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = store.client.create_experiment("a project")
    project = store.client.create_run(experiment)
    monkeypatch.setenv("MLFLOW_RUN_ID", project.info.run_id)
    with TaskRun(open_store(store.ws.root), "churn", {}) as run:
        pass
    found = store.client.get_run(run.id)
    assert found.data.tags["mlflow.parentRunId"] == project.info.run_id
    assert found.info.experiment_id == experiment
    other = open_store(tmp_path)
    with TaskRun(other, "churn", {}) as run:
        pass
    assert "mlflow.parentRunId" not in other.client.get_run(run.id).data.tags


def test_the_address_is_the_configs_then_the_environments_then_the_workspaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert open_store(tmp_path).uri == f"sqlite:///{tmp_path.as_posix()}/mlflow.db"
    assert open_store(tmp_path).embedded
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example:5000")
    assert open_store(tmp_path).uri == "http://tracking.example:5000"
    assert not open_store(tmp_path).embedded
    assert open_store(tmp_path, mlflow={"tracking_uri": "sqlite:///other.db"}).uri == "sqlite:///other.db"


def test_an_experiment_that_was_deleted_comes_back(store: Store) -> None:
    named = {"experiment": "by hand"}
    first = open_store(store.ws.root, mlflow=named).experiment
    store.client.delete_experiment(first)
    assert open_store(store.ws.root, mlflow=named).experiment == first
    assert store.client.get_experiment(first).lifecycle_stage == "active"


def test_a_moved_workspace_keeps_its_artefacts_in_itself(home: Path, tmp_path: Path) -> None:
    import shutil

    moved = tmp_path / "moved"
    old = open_store(home).experiment
    shutil.copytree(home, moved)
    store = open_store(moved)
    with TaskRun(store, "churn", {}) as run:
        run.figures({"lift": FIGURE})
    assert (moved / "artifacts" / run.id / "artifacts" / "figures.html").exists()
    assert "artefacts in" in store.client.get_experiment(old).name
    assert store.client.get_experiment(store.experiment).name == "shop"


def test_a_page_of_figures_holds_the_library_once_and_needs_no_network() -> None:
    html = page({"lift": FIGURE, "calibration": FIGURE})
    assert html.count("Plotly.newPlot(") >= 2
    assert html.count("plotly.js v") == 1
    assert 'src="http' not in html


def test_metrics_are_flat() -> None:
    found = flat_metrics(
        {"auc": {"value": 0.8, "low": 0.7, "high": None}, "k": {"value": 3}},
        {"recency": {"auc": {"value": float("nan"), "low": 0.1, "high": 0.2}}},
    )
    ends = {"baseline.recency.auc_low": 0.1, "baseline.recency.auc_high": 0.2}
    assert found == {"auc": 0.8, "auc_low": 0.7, "k": 3.0, **ends}


def test_the_code_has_a_version() -> None:
    from custid import __version__

    assert code_version().split("+")[0] == __version__
