"""A small registry: models that are one number each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from custid.config import Config
from custid.registry import Registry, Release
from custid.registry.files import digests
from custid.training import logged
from custid.training.track import TaskRun

MakeConfig = Callable[..., Config]
MakeRelease = Callable[[Registry, Path, float], Release]


@pytest.fixture(scope="session")
def settings() -> MakeConfig:
    """Makes a config for a workspace, with further settings."""

    def make(folder: Path, **more: Any) -> Config:
        source = {"name": "shop", "table": "transactions", "uri": "shop.csv"}
        return Config(name="shop", workspace=folder, sources=(source,), tasks=("churn", "clv"), **more)

    return make


@pytest.fixture(scope="session")
def make_release() -> MakeRelease:
    """Registers models that are one number each, and releases them, as the stage does."""
    return _make


def _make(registry: Registry, home: Path, value: float) -> Release:
    models = {}
    for task in registry.config.tasks:
        files, folder = home / f"{task}-{value}" / "model", home / f"{task}-{value}" / "mlflow"
        files.mkdir(parents=True)
        (files / "model.json").write_text(json.dumps({"value": value}))
        logged.save(folder, {"model": files}, {"age": "double"}, {"p": "double"})
        with TaskRun(registry.store, task, {"as_of": "2011-06-10"}) as run:
            version = registry.register(task, folder, run.id, f"{task}{value}", {"auc": str(value)}, "one number")
        models[task] = {"model": registry.model(task), "version": version, "files": digests(files)}
    manifest = {
        "key": f"{value:08.4f}",
        "as_of": "2011-06-10",
        "created": "2011-06-10T00:00:00+00:00",
        "data": "d",
        "models": models,
        "features": {"fingerprint": "f"},
    }
    with TaskRun(registry.store, "release", {}, search=False) as run:
        return registry.release(manifest, run.id)
