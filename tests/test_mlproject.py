"""`mlflow run` as a person types it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ENTRIES = {"main": "run", "train": "train", "score": "score", "report": "report"}


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """The file MLproject."""
    found: dict[str, Any] = yaml.safe_load((root / "MLproject").read_text())
    return found


def test_the_entry_points_are_commands_with_the_same_parameters(project: dict[str, Any]) -> None:
    assert project["name"] == "custid"
    assert set(project["entry_points"]) == set(ENTRIES)
    for name, entry in project["entry_points"].items():
        assert set(entry["parameters"]) == {"config", "as_of", "workspace", "set"}
        assert f"python -m custid {ENTRIES[name]} " in entry["command"]


def test_parameters_reach_the_command_line_whole(project: dict[str, Any]) -> None:
    from custid.registry import quieted

    with quieted():
        from mlflow.projects._project_spec import EntryPoint
    entry = project["entry_points"]["main"]
    point = EntryPoint("main", entry["parameters"], entry["command"])
    shown = {
        "as_of": "2011-06-10",
        "workspace": "a folder's",
        "set": "tuning.trials=3 sources.shop.uri=x.csv",
    }
    for given, expected in (
        ({}, ["run", "configs/online_retail.yaml"]),
        (
            shown,
            [
                "run",
                "configs/online_retail.yaml",
                "--as-of=2011-06-10",
                "--workspace=a folder's",
                "--set=tuning.trials=3",
                "--set=sources.shop.uri=x.csv",
            ],
        ),
    ):
        command = point.compute_command(given, None).replace("python -m custid", "printf '%s\\n'")
        said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
        assert said.stdout.splitlines() == expected


def test_mlflow_run_trains_below_its_own_run(root: Path, made: Any, tmp_path: Path) -> None:
    """On the tables of a run that is there, with a store of its own, as the variable of the environment names it."""
    shutil.copytree(made.workspace, tmp_path / "workspace")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    program = Path(sys.executable).parent
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")},
        "MLFLOW_TRACKING_URI": uri,
        "PATH": f"{program}{os.pathsep}{os.environ['PATH']}",
    }
    pairs = " ".join([*made.overrides, "tasks=[churn]"])
    command = [sys.executable, "-m", "mlflow", "run", str(root), "--env-manager=local", "--experiment-name=project"]
    values = {"config": made.config, "workspace": tmp_path / "workspace", "set": pairs}
    parameters = [part for name, value in values.items() for part in ("-P", f"{name}={value}")]
    command += ["-e", "train", *parameters]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    from custid.registry import quieted

    with quieted():
        from mlflow.tracking import MlflowClient

        client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("project")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    tasks = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert parent.data.tags["mlflow.project.entryPoint"] == "train"
    assert sorted(run.data.tags["custid.task"] for run in tasks) == ["churn", "release"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert 0 < parent.data.metrics["churn.auc"] < 1
    assert parent.data.tags["custid.release"].startswith("1-")
