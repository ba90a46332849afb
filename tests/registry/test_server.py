"""The same over HTTP, with MLflow's own server as a real process, and MLflow's page on the embedded store."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.request import Request, urlopen

from custid.config import Config
from custid.registry import Registry, Release
from custid.registry.promotions import Decision
from custid.workspace import Workspace

MakeConfig = Callable[..., Config]
MakeRelease = Callable[[Registry, Path, float], Release]
Serve = Callable[..., AbstractContextManager[str]]
YES = Decision(True, "the first release")


def test_a_release_goes_through_a_tracking_server(
    tracking_server: str, tmp_path: Path, settings: MakeConfig, make_release: MakeRelease
) -> None:
    mine = Workspace(tmp_path / "mine").create()
    registry = Registry(settings(mine.root, mlflow={"tracking_uri": tracking_server}), mine)
    release = make_release(registry, tmp_path / "made", 0.75)
    assert registry.promote(release, YES)
    assert not mine.mlflow_db.exists()
    assert not mine.artifacts.exists()

    theirs = Workspace(tmp_path / "theirs").create()
    other = Registry(settings(theirs.root, mlflow={"tracking_uri": tracking_server}), theirs)
    champion = other.champion()
    assert champion == release
    folder = other.fetch(champion)
    assert json.loads((folder / "churn" / "model.json").read_text()) == {"value": 0.75}
    assert make_release(other, tmp_path / "again", 0.75) == release


def test_mlflows_page_shows_the_embedded_store(
    tmp_path: Path, settings: MakeConfig, make_release: MakeRelease, serving: Serve
) -> None:
    ws = Workspace(tmp_path)
    registry = Registry(settings(tmp_path), ws)
    make_release(registry, tmp_path / "made", 0.75)
    with serving(tmp_path, "ui", "--backend-store-uri", ws.tracking_uri) as address:
        api = f"{address}/api/2.0/mlflow"
        with urlopen(f"{api}/experiments/get-by-name?experiment_name=shop") as answer:
            experiment = json.load(answer)["experiment"]["experiment_id"]
        body = json.dumps({"experiment_ids": [experiment]}).encode()
        with urlopen(Request(f"{api}/runs/search", body, {"Content-Type": "application/json"})) as answer:
            runs = json.load(answer)["runs"]
        release = next(run for run in runs if run["info"]["run_name"] == "release")
        with urlopen(f"{address}/get-artifact?path=manifest.json&run_uuid={release['info']['run_id']}") as answer:
            manifest = json.load(answer)
        with urlopen(address) as answer:
            page = answer.read().decode()
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}
    assert set(manifest["models"]) == {"churn", "clv"}
    assert "<title>MLflow</title>" in page
