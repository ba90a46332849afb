"""The stage train: runs, versions, releases, and what a kill leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.config import Config
from custid.registry import Registry, Release, promotions
from custid.registry.overview import searches
from custid.tables import SPECS, arrow_schema
from custid.training import kept
from custid.training.archive import Archive
from custid.training.gate import decide, rival
from custid.training.stage import carry, train
from custid.workspace import Workspace, digest

START, AS_OF, LATER = date(2022, 1, 1), date(2023, 7, 1), date(2023, 8, 1)
NATIVE = {".json", ".ubj"}


def settings(folder: Path, **more: Any) -> Config:
    wanted = {
        "name": "shop",
        "workspace": folder,
        "sources": [{"name": "shop", "table": "transactions", "uri": "shop.csv"}],
        "horizon": "60d",
        "tasks": ["churn", "segments"],
        "tuning": {"trials": 2},
        "training": {"snapshots": 3, "resamples": 20},
        "segments": {"most": 3, "resamples": 2},
        "threads": 1,
        **more,
    }
    return Config.model_validate(wanted)


def purchases() -> list[tuple[str, datetime, int]]:
    """Who bought when and for how much: some often, some rarely, some gone."""
    rng = np.random.default_rng(11)
    rows = []
    for customer in range(260):
        begin, gap = rng.uniform(0, 400), rng.uniform(8, 90)
        end = begin + rng.exponential(350)
        at = begin
        while at < min(end, 600):
            moment = datetime(START.year, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=at)
            rows.append((f"c{customer:03d}", moment, int(rng.uniform(5, 90) * 10_000)))
            at += rng.exponential(gap)
    return rows


def write_shop(ws: Workspace, as_of: date, **more: Any) -> Config:
    """The tables of a shop as ingest and identity leave them, as of a day; gives its config."""
    rows = [row for row in purchases() if row[1].date() < as_of]
    schema = arrow_schema(SPECS["transactions"])
    known = {
        "source": ["shop"] * len(rows),
        "record_id": [row[0] for row in rows],
        "ts": [row[1] for row in rows],
        "amount": [row[2] for row in rows],
        "order_id": [f"o{i}" for i in range(len(rows))],
        "currency": ["EUR"] * len(rows),
        "duplicate": [False] * len(rows),
        "cancellation": [False] * len(rows),
        "non_product": [False] * len(rows),
    }
    columns = [pa.array(known.get(field.name, [None] * len(rows)), field.type) for field in schema]
    ids = sorted({row[0] for row in rows})
    owners = {"source": ["shop"] * len(ids), "record_id": ids, "customer_id": ids, "method": ["own id"] * len(ids)}
    ws.table("transactions").parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, schema=schema), ws.table("transactions"))
    pq.write_table(pa.table({**owners, "probability": [1.0] * len(ids)}), ws.identity)
    return settings(ws.root, **more)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Release]:
    """A workspace in which a first release was trained; nobody may change it."""
    ws = Workspace(tmp_path_factory.mktemp("trained"))
    return ws, train(write_shop(ws, AS_OF), ws, AS_OF)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables with nothing in them, which take seconds to make."""
    ws = Workspace(tmp_path_factory.mktemp("empty"))
    assert Registry(settings(ws.root), ws).store.client.search_registered_models() == []
    return ws.mlflow_db


@pytest.fixture
def copied(trained: tuple[Workspace, Release], empty_store: Path, tmp_path: Path) -> Workspace:
    """Tables and snapshots as that workspace has them, an empty store, and nothing that was learnt."""
    ws = Workspace(tmp_path)
    write_shop(ws, AS_OF)
    shutil.copytree(trained[0].root / "snapshots", tmp_path / "snapshots")
    shutil.copyfile(empty_store, ws.mlflow_db)
    return ws


def runs(ws: Workspace, query: str = "") -> list[Any]:
    store = Registry(settings(ws.root), ws).store
    return list(store.client.search_runs([store.experiment], query))


def test_the_first_release_is_the_champion(trained: tuple[Workspace, Release]) -> None:
    ws, release = trained
    registry = Registry(settings(ws.root), ws)
    assert registry.champion() == release
    assert release.tasks == ("churn", "segments")
    manifest = release.manifest
    assert manifest["as_of"] == AS_OF.isoformat()
    assert manifest["horizon_days"] == 60
    assert manifest["currency"] == "EUR"
    assert manifest["features"]["tables"] == ["transactions"]
    assert "days_since_last" in manifest["features"]["columns"]
    assert json.loads(ws.metrics.read_text()) == manifest["metrics"]
    block = manifest["metrics"]["churn"]
    assert block["model"][block["headline"]]["low"] <= block["model"][block["headline"]]["value"]
    assert [e["release"] for e in promotions.history(ws)] == [release.id]


def test_a_parent_run_per_task_and_a_nested_run_per_trial(trained: tuple[Workspace, Release]) -> None:
    ws, release = trained
    assert {run.info.status for run in runs(ws)} == {"FINISHED"}
    (parent,) = searches(Registry(settings(ws.root), ws), "churn")
    assert parent.info.run_id == release.manifest["models"]["churn"]["run_id"]
    nested = runs(ws, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert sorted(run.data.tags["custid.trial"] for run in nested) == ["0", "1"]
    assert all("loss_fold_0" in run.data.metrics and run.data.params["learner"] for run in nested)
    tags, metrics = parent.data.tags, parent.data.metrics
    assert tags["custid.data"] == release.manifest["data"]
    assert tags["custid.features"] == release.manifest["features"]["fingerprint"]
    assert tags["custid.code"] == release.manifest["code"]
    assert (tags["custid.as_of"], tags["custid.horizon"], tags["custid.seed"]) == (AS_OF.isoformat(), "60d", "7")
    assert metrics["auc_low"] <= metrics["auc"] <= metrics["auc_high"]
    assert "baseline.recency.auc" in metrics
    assert parent.data.params["chosen"]
    assert parent.inputs.dataset_inputs[0].dataset.digest == release.manifest["data"]
    artefacts = ws.artifacts / parent.info.run_id / "artifacts"
    page = (artefacts / "figures.html").read_text()
    assert "Plotly.newPlot" in page
    assert 'src="http' not in page
    assert {p.stem for p in (artefacts / "figures").iterdir()} == {"lift", "calibration", "drivers", "profit", "search"}


def test_a_version_shows_metrics_and_lineage(trained: tuple[Workspace, Release]) -> None:
    ws, release = trained
    (version,) = Registry(settings(ws.root), ws).models()["churn"]
    assert version.tags["custid.data"] == release.manifest["data"]
    assert float(version.tags["custid.metric.auc"]) > 0.5
    assert version.tags["custid.headline"].startswith("auc 0.")
    assert version.run_id == release.manifest["models"]["churn"]["run_id"]
    assert AS_OF.isoformat() in version.description


def test_what_is_stored_is_native(trained: tuple[Workspace, Release]) -> None:
    ws, release = trained
    models = [p for p in ws.artifacts.glob("models/*/artifacts/**/*") if p.is_file()]
    packing = {"MLmodel", "requirements.txt", "python_env.yaml", "conda.yaml", "model_code.py", "registered_model_meta"}
    assert {p.name for p in models} >= {"MLmodel", "model_code.py"}
    assert {p.suffix for p in models if p.name not in packing} <= NATIVE
    assert {p.suffix for p in (ws.releases / release.id).rglob("*.*")} <= NATIVE


def test_mlflow_loads_a_model_that_says_the_same(
    trained: tuple[Workspace, Release], monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    """As the how-to shows it, for each task."""
    import mlflow

    from custid.models.bundle import Bundle
    from custid.registry import quieted

    ws, release = trained
    features = ws.snapshot(AS_OF)
    ours = Bundle.load(ws.releases / release.id).predict(pq.read_table(features))
    how_to = (root / "docs" / "how-to" / "mlflow.md").read_text()
    (shown,) = re.findall(r"```python\n(.*?)```", how_to, re.DOTALL)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # the example sets it: put back when the test ends
    for task in release.tasks:
        code = shown.replace("data/online-retail/features.parquet", str(features))
        code = code.replace("data/online-retail", str(ws.root)).replace("online-retail.churn", f"shop.{task}")
        found: dict[str, Any] = {}
        with quieted():
            exec(code, found)
        mlflow.set_tracking_uri("")
        names = found["model"].metadata.get_output_schema().input_names()
        assert list(found["scores"].columns) == names
        for name in names:
            assert found["scores"][name].tolist() == ours[name].to_pylist()


def test_training_again_changes_nothing(trained: tuple[Workspace, Release]) -> None:
    ws, release = trained
    before = len(runs(ws)), ws.metrics.read_bytes(), ws.promotions.read_bytes()
    assert train(settings(ws.root), ws, AS_OF) == release
    assert (len(runs(ws)), ws.metrics.read_bytes(), ws.promotions.read_bytes()) == before


@pytest.mark.parametrize("moment", ["churn: trial 2 of 2", "making the release"])
def test_a_killed_training_goes_on(trained: tuple[Workspace, Release], copied: Workspace, moment: str) -> None:
    """Killed in a process of its own, which prints nothing of MLflow's and leaves nothing where it was started."""
    ws, whole = trained
    elsewhere = copied.root / "elsewhere"
    elsewhere.mkdir()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    command = [sys.executable, "-c", _PROGRAM, str(copied.root)]
    with subprocess.Popen(command, cwd=elsewhere, env=environment, **pipes) as process:
        told = []
        for line in process.stdout:
            told.append(line)
            if moment in line:
                break
        process.send_signal(signal.SIGKILL)
        assert process.stderr.read() == ""
    assert moment in told[-1]
    assert all(line.startswith("note ") for line in told)
    assert list(elsewhere.iterdir()) == []
    resumed = train(settings(copied.root), copied, AS_OF)
    assert resumed.id == whole.id
    for task in whole.tasks:
        assert digest(copied.releases / resumed.id / task) == digest(ws.releases / whole.id / task)
    found = runs(copied)
    assert {run.info.status for run in found} <= {"FINISHED", "KILLED"}
    registry = Registry(settings(copied.root), copied)
    assert registry.champion() == resumed
    assert len(registry.releases()) == 1
    assert all(len(versions) == 1 for versions in registry.models().values())
    (parent,) = searches(registry, "churn")
    nested = [run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.data.tags["custid.trial"] for run in nested) == ["0", "1"]
    assert [e["promoted"] for e in promotions.history(copied)] == [True]


def test_later_data_make_a_release_that_is_judged_beside_the_champion(copied: Workspace) -> None:
    few: dict[str, Any] = {"tasks": ["churn"], "tuning": {"trials": 1}}
    first = train(settings(copied.root, **few), copied, AS_OF)
    second = train(write_shop(copied, LATER, **few), copied, LATER)
    assert (first.version, second.version) == (1, 2)
    last = promotions.history(copied)[-1]
    assert (last["release"], last["replaced"]) == (second.id, first.id)
    figures = last["figures"]["churn"]["auc"]
    assert figures["low"] <= figures["difference"] <= figures["high"]
    champion = Registry(settings(copied.root), copied).champion()
    assert champion == (second if last["promoted"] else first)
    assert json.loads(copied.metrics.read_text()) == champion.manifest["metrics"]
    sheets = {s.title: s for s in Registry(settings(copied.root), copied).overview()}
    assert len(sheets["Searches: churn"].columns) == 3

    other = train(settings(copied.root, horizon="50d", **few), copied, LATER)
    last = promotions.history(copied)[-1]
    assert last["promoted"]
    assert "another question (horizon)" in last["reason"]
    back = train(write_shop(copied, AS_OF, horizon="50d", **few), copied, AS_OF)
    last = promotions.history(copied)[-1]
    assert (last["release"], last["replaced"], last["promoted"]) == (back.id, other.id, True)
    assert f"looks back: the champion {other.id} was trained as of {LATER}" in last["reason"]

    registry = Registry(settings(copied.root, horizon="50d", **few), copied)
    later, earlier = Release("9-later", 9, other.manifest), Release("9-same", 9, back.manifest)
    assert rival(registry, earlier) == back
    assert rival(registry, later) == other, "one that looks back lets nothing worse through later"
    assert carry(registry, later) == other
    assert registry.champion() == other
    assert "back after a look back: 9-later did worse" in promotions.history(copied)[-1]["reason"]
    assert carry(registry, later) is None

    new = {**other.manifest["features"], "fingerprint": "of other code"}
    again = carry(registry, Release("9-new", 9, {**other.manifest, "features": new}))
    assert again is not None
    assert registry.champion() == again
    assert again.manifest["features"] == new
    assert (again.manifest["models"], again.manifest["carried"]) == (other.manifest["models"], other.id)
    assert registry.fetch(again).is_dir()


def test_each_row_of_the_table_of_decisions(trained: tuple[Workspace, Release], tmp_path: Path) -> None:
    """The same model again passes; with its judged predictor turned round it does not."""
    ws, champion = trained
    config = settings(ws.root)
    registry = Registry(config, ws)
    archive = Archive(config, ws, AS_OF)
    again = Release("2-again", 2, champion.manifest)
    (folder,) = (ws.trained / "churn").iterdir()
    same = kept.find(ws, "churn", folder.name)
    assert same is not None
    passed = decide(registry, again, archive, {"churn": same})
    assert passed.promoted
    assert passed.figures["churn"]["auc"]["difference"] == 0

    shutil.copytree(folder, tmp_path / "turned")
    turned = replace(same, folder=tmp_path / "turned")
    saved = json.loads((turned.judged / "predictor.json").read_text())
    saved["weights"] = [-weight for weight in saved["weights"]]
    (turned.judged / "predictor.json").write_text(json.dumps(saved))
    refused = decide(registry, again, archive, {"churn": turned})
    assert not refused.promoted
    assert "churn: auc" in refused.reason
    assert champion.id in refused.reason

    def decided(better: bool = False, **changes: Any) -> promotions.Decision:
        release = Release("2-again", 2, {**champion.manifest, **changes})
        return decide(registry, release, archive, {"churn": same if better else turned})

    features, question = champion.manifest["features"], champion.manifest["question"]
    for better in (True, False):
        moved = decided(better, features={**features, "fingerprint": "of other code"})
        assert moved.promoted is better
        assert "features are computed by other code" in moved.reason
        assert moved.figures["churn"]["auc"]["low"] is not None

    gone = decided(features={**features, "fingerprint": "of other code", "columns": ["days_since_last"]})
    assert gone.promoted
    assert re.search(r"no longer computed \(.*age.*\).*not on the same customers: churn: auc 0\.", gone.reason)
    assert gone.figures["churn"]["auc"]["paired"] is False

    more = decided(question={**question, "tasks": ["churn", "clv", "segments"]})
    assert more.promoted
    assert re.search(r"asks another question \(tasks\).*; churn: auc", more.reason)
    assert more.figures["churn"]["auc"]["high"] < 0

    further = decided(question={**question, "horizon": "90d"})
    assert further.promoted
    assert f"another question (horizon) than the champion {champion.id}" in further.reason
    assert further.figures == {}

    back = decided(as_of="2023-06-01")
    assert (back.promoted, back.looks_back) == (True, True)
    assert f"the champion {champion.id} was trained as of {AS_OF}" in back.reason

    nothing = decided(models={}, question={**question, "tasks": []})
    assert (nothing.promoted, nothing.reason) == (False, "it holds no model")


def test_training_goes_through_a_tracking_server(tracking_server: str, copied: Workspace, tmp_path: Path) -> None:
    config = settings(copied.root, name="elsewhere", mlflow={"tracking_uri": tracking_server})
    before = digest(copied.mlflow_db)
    release = train(config, copied, AS_OF)
    assert digest(copied.mlflow_db) == before
    assert not copied.artifacts.exists()
    mine = copied.releases / release.id
    theirs = Workspace(tmp_path / "other").create()
    other = Registry(settings(theirs.root, name="elsewhere", mlflow={"tracking_uri": tracking_server}), theirs)
    champion = other.champion()
    assert champion == release
    assert digest(other.fetch(champion)) == digest(mine)


_PROGRAM = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_stage import AS_OF, settings
from custid.training import kept
from custid.training.gate import decide
from custid.training.archive import Archive
from custid.training.stage import train
from custid.workspace import Workspace
folder = Path(sys.argv[1])
train(settings(folder), Workspace(folder), AS_OF, lambda text: print("note", text, flush=True))
"""
