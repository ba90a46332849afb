"""Versions, releases and the champion, in a real store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from custid.config import Config
from custid.errors import CustidError, InputError
from custid.registry import Registry, Release
from custid.registry.promotions import Decision, history
from custid.training.track import TaskRun
from custid.workspace import Workspace

MakeConfig = Callable[..., Config]
MakeRelease = Callable[[Registry, Path, float], Release]
YES = Decision(True, "the first release")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, settings: MakeConfig, make_release: MakeRelease) -> Path:
    """A workspace with two releases, the first of them champion."""
    folder = tmp_path_factory.mktemp("store")
    registry = Registry(settings(folder), Workspace(folder))
    registry.promote(make_release(registry, folder / "made", 0.25), YES)
    make_release(registry, folder / "made", 0.5)
    return folder


@pytest.fixture
def registry(store: Path, settings: MakeConfig) -> Registry:
    """The registry of that workspace; tests that move the champion move it back."""
    return Registry(settings(store), Workspace(store))


def test_nothing_is_made_by_asking(tmp_path: Path, settings: MakeConfig) -> None:
    registry = Registry(settings(tmp_path), Workspace(tmp_path))
    assert registry.champion() is None
    assert registry.releases() == []
    assert list(tmp_path.iterdir()) == []


def test_a_later_release_is_no_champion_by_itself(registry: Registry) -> None:
    first, second = registry.releases()
    champion = registry.champion()
    assert champion is not None
    assert champion.id == first.id == "1-000.25"[:8]
    assert second.id != first.id
    assert champion.manifest["release"] == champion.id


def test_a_release_is_found_by_its_name(registry: Registry) -> None:
    for release in registry.releases():
        assert registry.named(release.id) == release
    assert registry.named("9-none") is None


def test_everything_lies_in_the_workspace(registry: Registry, store: Path) -> None:
    assert (store / "mlflow.db").exists()
    assert list((store / "artifacts").rglob("MLmodel"))
    assert not Path("mlruns").exists()
    assert not Path("mlflow.db").exists()


def test_the_same_is_not_registered_twice(registry: Registry, tmp_path: Path, make_release: MakeRelease) -> None:
    again = make_release(registry, tmp_path, 0.5)
    assert again == registry.releases()[-1]
    assert [len(versions) for versions in registry.models().values()] == [2, 2]


def test_one_alias_moves_all_tasks(registry: Registry) -> None:
    first, second = registry.releases()
    assert not registry.promote(second, Decision(False, "worse", {"churn": {}}))
    assert registry.champion() == first
    assert registry.promote(second, Decision(True, "better"))
    champion = registry.champion()
    assert champion is not None
    assert {m["version"] for m in champion.manifest["models"].values()} == {2}
    assert registry.promote(first, Decision(True, "back"))
    log = history(registry.ws)
    assert [(e["release"][0], e["replaced"] and e["replaced"][0], e["promoted"]) for e in log] == [
        ("1", None, True),
        ("2", "1", False),
        ("2", "1", True),
        ("1", "2", True),
    ]
    assert all(e["when"] and e["who"] and e["reason"] and e["data"] for e in log)
    registry.promote(first, Decision(True, "again"))
    assert len(history(registry.ws)) == len(log)


def test_a_fetched_release_is_what_was_trained(registry: Registry) -> None:
    champion = registry.champion()
    assert champion is not None
    folder = registry.fetch(champion)
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*")) == [
        "churn/model.json",
        "clv/model.json",
        "manifest.json",
    ]
    assert json.loads((folder / "churn" / "model.json").read_text()) == {"value": 0.25}
    assert json.loads((folder / "manifest.json").read_text()) == champion.manifest
    shutil.rmtree(folder)
    assert registry.fetch(champion) == folder
    assert json.loads((folder / "clv" / "model.json").read_text()) == {"value": 0.25}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("model.pkl", b"\x80\x04N.", "model.pkl"),
        ("model.py", b"print('run')", "model.py"),
        ("other.json", b"{}", "other.json was added"),
        ("model.json", b'{"value": 9}', "model.json was changed"),
    ],
)
def test_files_that_training_did_not_write_are_refused(
    registry: Registry, name: str, content: bytes, complaint: str
) -> None:
    release = registry.releases()[1]
    shutil.rmtree(registry.ws.releases / release.id, ignore_errors=True)
    stored = next(
        p.parent
        for p in (registry.ws.root / "artifacts").rglob("model.json")
        if json.loads(p.read_text()) == {"value": 0.5}
    )
    kept = (stored / name).read_bytes() if (stored / name).exists() else None
    (stored / name).write_bytes(content)
    try:
        with pytest.raises(CustidError, match=complaint):
            registry.fetch(release)
        assert not (registry.ws.releases / release.id).exists()
        assert not [p for p in registry.ws.releases.iterdir() if p.name.startswith(f".{release.id}")]
    finally:
        (stored / name).unlink()
        if kept is not None:
            (stored / name).write_bytes(kept)


def test_a_copy_that_was_changed_is_refused(registry: Registry) -> None:
    champion = registry.champion()
    assert champion is not None
    path = registry.fetch(champion) / "churn" / "model.json"
    kept = path.read_bytes()
    path.write_bytes(b'{"value": 1}')
    try:
        with pytest.raises(CustidError, match="was changed"):
            registry.fetch(champion)
    finally:
        path.write_bytes(kept)


def test_the_last_champion_stays_when_the_store_is_gone(registry: Registry, store: Path, settings: MakeConfig) -> None:
    champion = registry.champion()
    lost = Registry(settings(store, mlflow={"tracking_uri": "http://127.0.0.1:9"}), Workspace(store))
    assert lost.champion() == champion
    empty = Registry(settings(store, mlflow={"tracking_uri": f"sqlite:///{store}/other.db"}), Workspace(store))
    assert empty.champion() == champion


def test_a_champion_of_another_name_is_not_taken_for_it(registry: Registry, store: Path) -> None:
    renamed = Registry(registry.config.model_copy(update={"name": "market"}), registry.ws)
    assert registry.last_champion() is not None
    assert renamed.last_champion() is None
    assert renamed.champion() is None


@pytest.mark.parametrize("task", ["../../escaped", "/tmp/escaped", "..", "a/b", "", "Churn", "churn\n"])
def test_a_manifest_that_names_a_place_instead_of_a_task_is_refused(
    store: Path, settings: MakeConfig, tmp_path: Path, task: str
) -> None:
    """Planted in a copy of the registry, with the files of a model that is really there."""
    shutil.copyfile(store / "mlflow.db", tmp_path / "mlflow.db")
    registry = Registry(settings(tmp_path), Workspace(tmp_path))
    champion = registry.champion()
    assert champion is not None
    registry.fetch(champion)
    planted = {**champion.manifest, "key": "planted", "models": {task: champion.manifest["models"]["churn"]}}
    with (
        TaskRun(registry.store, "release", {}, search=False) as run,
        pytest.raises(CustidError, match=r"names a task .* refused"),
    ):
        registry.release(planted, run.id)
    with pytest.raises(CustidError, match="refused"):
        registry.fetch(Release("7-abc", 7, planted))
    assert list(tmp_path.rglob("escaped")) == []
    assert [p.name for p in registry.ws.releases.iterdir()] == [champion.id]


@pytest.mark.parametrize("release_id", ["../7-abc", "7-../../x", "/7-abc", "abc", ""])
def test_what_is_no_id_of_a_release_is_refused(registry: Registry, release_id: str) -> None:
    with pytest.raises(CustidError, match="no id of a release"):
        registry.named(release_id)


def test_a_store_that_is_none_is_named(tmp_path: Path, settings: MakeConfig) -> None:
    registry = Registry(settings(tmp_path, mlflow={"tracking_uri": "http://me:pw@127.0.0.1:9"}), Workspace(tmp_path))
    with pytest.raises(InputError, match=r"mlflow.tracking_uri: 'http://\*\*\*@127.0.0.1:9'") as caught:
        registry.champion()
    assert "pw" not in str(caught.value)


def test_the_overview_names_all_there_is(registry: Registry) -> None:
    sheets = {sheet.title: sheet for sheet in registry.overview()}
    assert [row[1] for row in sheets["Releases"].rows] == ["champion", ""]
    assert len(sheets["Model versions"].rows) == 4
    assert sheets["Promotions"].rows[0][3] == "promoted"
    assert len(sheets["Searches: churn"].columns) == 3
    for sheet in sheets.values():
        assert all(len(row) == len(sheet.columns) for row in sheet.rows)
