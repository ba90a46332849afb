"""Releases: a manifest that names the version of every task's model, and one alias that says which is champion."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CustidError, InputError
from ..workspace import discard, read_json, write_json
from . import files, promotions
from .client import Store
from .overview import Sheet, overview

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ..config import Config
    from ..workspace import Workspace

CHAMPION = "champion"
KEY_TAG = "custid.key"
MANIFEST = "manifest.json"
MODEL, JUDGED = "model", "judged"
_TASK = re.compile(r"[a-z][a-z0-9_]*")
_ID = re.compile(r"[0-9]+-[A-Za-z0-9.]*")


@dataclass(frozen=True)
class Release:
    """A manifest under its number.

    Attributes
    ----------
    id
        What it is called in every output: its number, and the beginning of the key of what it was made from.
    version
        Its number in the registry.
    manifest
        Which version of which model each task has, and what all of them were made from.
    """

    id: str
    version: int
    manifest: dict[str, Any]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that it has a model for."""
        return tuple(self.manifest["models"])

    def require_unknowing(self, as_of: date) -> None:
        """Refuse to score a day whose future this release has learnt from.

        Raises
        ------
        InputError
            Where it was trained as of a later day.

        Examples
        --------
        >>> from datetime import date
        >>> release = Release("1-a3f9c2", 1, {"as_of": "2023-12-07", "models": {}})
        >>> release.require_unknowing(date(2023, 12, 7))
        >>> release.require_unknowing(date(2023, 6, 1))
        Traceback (most recent call last):
        custid.errors.InputError: release 1-a3f9c2 was trained as of 2023-12-07 and knows what came after 2023-06-01, \
the day to score; score 2023-12-07 or later, or train for that day in a workspace of its own \
(`custid run CONFIG --as-of 2023-06-01 --workspace DIR`).
        """
        trained = self.manifest["as_of"]
        if trained > as_of.isoformat():
            raise InputError(
                f"release {self.id} was trained as of {trained} and knows what came after {as_of}, the day to score; "
                f"score {trained} or later, or train for that day in a workspace of its own "
                f"(`custid run CONFIG --as-of {as_of} --workspace DIR`)."
            )


class Registry:
    """Models and releases of one config.

    Parameters
    ----------
    config
        Gives the names: models are called ``<name>.<task>``, releases ``<name>.release``.
    ws
        The workspace; it keeps checked copies of releases and the promotion log.
    """

    def __init__(self, config: Config, ws: Workspace) -> None:
        self.config = config
        self.ws = ws

    @cached_property
    def store(self) -> Store:
        """The tracking store that holds the models."""
        return Store(self.config, self.ws)

    def model(self, task: str) -> str:
        """The registered name of a task's model."""
        return f"{self.config.name}.{task}"

    def register(
        self, task: str, folder: Path, run_id: str, key: str, tags: Mapping[str, str], description: str
    ) -> int:
        """Save a task's model as a new version; give its number.

        Parameters
        ----------
        task
            The task.
        folder
            The MLflow model, complete.
        run_id
            The run that trained it.
        key
            What it was made from. A version that was made from the same is found again instead of being doubled.
        tags, description
            Metrics and lineage, shown on the version.
        """
        known = self.version_of(task, key)
        if known is not None:
            return known
        from mlflow.entities import LoggedModelOutput

        client = self.store.client
        logged = client.create_logged_model(self.store.experiment, name=task, source_run_id=run_id, tags=dict(tags))
        client.log_model_artifacts(logged.model_id, str(folder))
        client.finalize_logged_model(logged.model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 0)])
        return self._version(
            self.model(task), logged.artifact_location, run_id, key, tags, description, logged.model_id
        )

    def version_of(self, task: str, key: str) -> int | None:
        """The version of a task's model that was made from ``key``, if there is one."""
        return self._find(self.model(task), key)

    def registered(self, task: str, key: str) -> dict[str, Any]:
        """What a manifest says of the version that was made from ``key``: ``model``, ``version`` and ``run_id``.

        Raises
        ------
        CustidError
            Where there is no such version.
        """
        name, version = self.model(task), self.version_of(task, key)
        if version is None:
            raise CustidError(f"{name}: no version was made from {key}; expected one before a release.")
        run_id = self.store.client.get_model_version(name, str(version)).run_id
        return {"model": name, "version": version, "run_id": run_id}

    def release(self, manifest: Mapping[str, Any], run_id: str) -> Release:
        """Save a manifest as a release; one that was made from the same is found again.

        A release is nothing but its manifest: it names models that are registered already. It is no champion yet.
        """
        name, key = self.model("release"), str(manifest["key"])
        version = self._find(name, key)
        if version is None:
            self.store.client.log_text(run_id, json.dumps(manifest, indent=2, ensure_ascii=False), MANIFEST)
            tags = {"custid.as_of": str(manifest["as_of"]), "custid.data": str(manifest["data"])}
            models = ", ".join(f"{m['model']} version {m['version']}" for m in manifest["models"].values())
            about = f"Of {manifest['as_of']}: {models}"
            version = self._version(name, f"runs:/{run_id}/{MANIFEST}", run_id, key, tags, about, None)
        return self._load(version)

    def release_of(self, key: str) -> Release | None:
        """The release that was made from ``key``, if there is one."""
        version = self._find(self.model("release"), key)
        return None if version is None else self._load(version)

    def named(self, release_id: str) -> Release | None:
        """The release of that id, from the copy in the workspace where there is one."""
        manifest = read_json(self.ws.releases / _named(release_id) / MANIFEST)
        if manifest is not None:
            return _checked(Release(release_id, int(release_id.partition("-")[0]), manifest))
        return next((release for release in self.releases() if release.id == release_id), None)

    def promote(self, release: Release, decision: promotions.Decision) -> bool:
        """Record a decision, and make the release the champion where the decision says so.

        One alias moves, and with it every task at once. Returns whether the release is the champion now.
        """
        if self._aliased() == release.version:
            self._remember(release)
            return True
        champion = self.champion()
        replaced = champion.id if champion else None
        promotions.record(self.ws, release.id, replaced, str(release.manifest["data"]), decision)
        name, client = self.model("release"), self.store.client
        word = "promoted" if decision.promoted else "kept back"
        client.set_model_version_tag(name, str(release.version), "custid.gate", f"{word}: {decision.reason}")
        if decision.promoted:
            self.fetch(release)  # a release that cannot be fetched whole never becomes champion
            client.set_registered_model_alias(name, CHAMPION, str(release.version))
            self._remember(release)
        return decision.promoted

    def champion(self) -> Release | None:
        """The release that scores and serves.

        Where the store cannot be reached, or has no releases of this name, it is the one of this name that this
        workspace last knew, of which it keeps a whole copy.
        """
        if not self.store.exists:
            return self.last_champion()
        last = self.last_champion()
        try:
            version = self._aliased()
        except InputError:
            if last is None:
                raise
            return last
        return last if version is None else self._load(version)

    def last_champion(self) -> Release | None:
        """The champion of this config's name that this workspace last knew, without asking the store."""
        known = read_json(self.ws.releases / "champion.json")
        if not known or known.get("name") != self.config.name:
            return None
        manifest = read_json(self.ws.releases / _named(known["release"]) / MANIFEST)
        return _checked(Release(known["release"], known["version"], manifest)) if manifest else None

    def incumbent(self) -> Release | None:
        """The champion by the store alone."""
        version = self._aliased() if self.store.exists else None
        return None if version is None else self._load(version)

    def releases(self) -> list[Release]:
        """All releases, oldest first."""
        if not self.store.exists:
            return []
        found = self.store.client.search_model_versions(f"name = '{self.model('release')}'", max_results=1000)
        return [self._load(version) for version in sorted(int(v.version) for v in found)]

    def models(self) -> dict[str, list[Any]]:
        """MLflow's model versions per task, oldest first."""
        found: dict[str, list[Any]] = {}
        for task in self.config.tasks if self.store.exists else ():
            versions = self.store.client.search_model_versions(f"name = '{self.model(task)}'", max_results=1000)
            found[task] = sorted(versions, key=lambda v: int(v.version))
        return found

    def fetch(self, release: Release) -> Path:
        """A local copy of a release: ``manifest.json`` and a folder per task, every file as training wrote it.

        Raises
        ------
        CustidError
            Where a file cannot be fetched, is not the one that was trained, or is of a format that could hold code.
        """
        folder = self.ws.releases / _checked(release).id
        if folder.is_dir() and read_json(folder / MANIFEST) == release.manifest:
            self._check(release, folder)
            return folder
        self.ws.releases.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{release.id}.", dir=self.ws.releases))
        try:
            for task, model in release.manifest["models"].items():
                home = draft / f".{task}"
                found = self.store.version_files(model["model"], model["version"], f"artifacts/{MODEL}", home)
                files.check(found, model["files"], f"{model['model']} version {model['version']}")
                shutil.move(found, draft / task)
                discard(home)
            write_json(draft / MANIFEST, release.manifest)
            draft.chmod(0o755)
            discard(folder)
            draft.replace(folder)
        finally:
            if draft.exists():
                discard(draft)
        return folder

    def judged(self, release: Release, task: str, folder: Path) -> Path:
        """A copy of the predictor by which a task's model was judged, every file as training wrote it.

        Raises
        ------
        CustidError
            As for :meth:`fetch`.
        """
        model = release.manifest["models"][task]
        found = self.store.version_files(model["model"], model["version"], f"artifacts/{JUDGED}", folder)
        files.check(found, model["judged"], f"{model['model']} version {model['version']}")
        return found

    def overview(self) -> list[Sheet]:
        """What there is, as tables to print: releases, model versions, promotions, and searches side by side."""
        return overview(self)

    def _aliased(self) -> int | None:
        """The number of the release that the store says is champion."""
        client = self.store.client
        from mlflow.exceptions import MlflowException

        try:
            return int(client.get_model_version_by_alias(self.model("release"), CHAMPION).version)
        except MlflowException:
            return None

    def _check(self, release: Release, folder: Path) -> None:
        for task, model in release.manifest["models"].items():
            files.check(folder / task, model["files"], f"{model['model']} version {model['version']}")

    def _remember(self, release: Release) -> None:
        self.fetch(release)
        write_json(
            self.ws.releases / "champion.json",
            {"name": self.config.name, "release": release.id, "version": release.version},
        )

    def _find(self, name: str, key: str) -> int | None:
        query = f"name = '{name}' and tags.`{KEY_TAG}` = '{key}'"
        found = self.store.client.search_model_versions(query, max_results=1)
        return int(found[0].version) if found else None

    def _version(
        self,
        name: str,
        source: str,
        run_id: str,
        key: str,
        tags: Mapping[str, str],
        description: str,
        model_id: str | None,
    ) -> int:
        from mlflow.exceptions import MlflowException

        client = self.store.client
        try:
            client.get_registered_model(name)
        except MlflowException:
            client.create_registered_model(name)
        version = client.create_model_version(
            name, source, run_id, {**tags, KEY_TAG: key}, description=description, model_id=model_id
        )
        return int(version.version)

    def _load(self, version: int) -> Release:
        """A release by its number; its manifest is the copy in the workspace where that is the same one."""
        name = self.model("release")
        known = self.store.client.get_model_version(name, str(version))
        key = known.tags.get(KEY_TAG, "")
        release_id = _named(f"{version}-{key[:6]}")
        manifest = read_json(self.ws.releases / release_id / MANIFEST)
        if manifest is None or manifest.get("key") != key:
            with tempfile.TemporaryDirectory() as folder:
                manifest = read_json(self.store.run_file(known.run_id, MANIFEST, Path(folder)))
        return _checked(Release(release_id, version, {**manifest, "release": release_id}))


def _named(release_id: str) -> str:
    """A release's id, if it is one: it becomes the name of a folder."""
    if not _ID.fullmatch(release_id):
        raise CustidError(f"release {release_id!r}: no id of a release; expected a number and a key, such as 1-a3f9c2.")
    return release_id


def _checked(release: Release) -> Release:
    """A release whose id and tasks are plain names: they become paths, and its manifest comes from the registry."""
    _named(release.id)
    for task in release.tasks:
        if not _TASK.fullmatch(task):
            raise CustidError(
                f"release {release.id}: its manifest names a task {task!r}; expected a plain name, such as churn. "
                "The release is refused."
            )
    return release
