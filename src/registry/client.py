"""The tracking store: where it is, and a client of it that keeps quiet.

MLflow keeps global state and talks a lot. Here the store is named explicitly, nothing is reported to anybody, and
what MLflow prints for people who use it by hand is turned off, unless the environment asks for it.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CustidError, InputError, masked
from ..workspace import fingerprint, replacing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config import Config
    from ..workspace import Workspace

WORKSPACE_TAG = "custid.workspace"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "GIT_PYTHON_REFRESH": "quiet",
}
_PATIENCE = 10  # seconds


@contextmanager
def quieted() -> Iterator[None]:
    """What MLflow is imported and used in: no telemetry, no progress bars, no warnings about its own dependencies.

    Variables that are set already are left as they are.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def tracking_uri(config: Config, ws: Workspace) -> str:
    """Where runs and models are kept: the config's address, else MLFLOW_TRACKING_URI, else SQLite in the workspace."""
    return config.mlflow.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or ws.tracking_uri


class Store:
    """A tracking store and model registry, opened when it is first used.

    Parameters
    ----------
    config
        Names the address and the experiment.
    ws
        The workspace whose store is used where no other is named.
    """

    def __init__(self, config: Config, ws: Workspace) -> None:
        self.config = config
        self.ws = ws
        self.uri = tracking_uri(config, ws)
        self.embedded = self.uri == ws.tracking_uri
        self.owner = fingerprint(ws.root.resolve().as_posix())

    @property
    def exists(self) -> bool:
        """Whether there is a store to ask; the one in the workspace is made by the first training."""
        return not self.embedded or self.ws.mlflow_db.exists()

    @cached_property
    def client(self) -> Any:
        """MLflow's client of this store.

        Raises
        ------
        InputError
            Where the address names no store, or nobody answers there.
        """
        with quieted():
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient

            try:
                _knock(self.uri)
                if not self.exists:
                    _create(self.ws.mlflow_db)
                client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
                client.search_experiments(max_results=1)
            except (MlflowException, OSError) as error:
                raise InputError(
                    f"mlflow.tracking_uri: {masked(self.uri)!r} cannot be used ({_first_line(error)}); expected a "
                    "tracking server (http://...) or a database (sqlite:///..., postgresql://...)."
                ) from error
            return client

    @cached_property
    def parent(self) -> Any | None:
        """The run that `mlflow run` has started for this process, if this store knows it.

        The variable is inherited by every process below `mlflow run`, whichever store that process uses.
        """
        run_id = os.environ.get("MLFLOW_RUN_ID")
        if not run_id:
            return None
        with quieted():
            from mlflow.exceptions import MlflowException

            try:
                return self.client.get_run(run_id)
            except MlflowException:
                return None

    @cached_property
    def experiment(self) -> str:
        """The id of the experiment, made if it is not there; under `mlflow run`, the one of its run."""
        named = self.config.mlflow.experiment
        if self.parent is not None and named is None:
            return str(self.parent.info.experiment_id)
        name = named or self.config.name
        root = self.ws.artifacts.resolve().as_uri() if self.embedded else None
        known = self.client.get_experiment_by_name(name)
        if known is not None and root is not None and known.artifact_location != root:
            self.client.rename_experiment(known.experiment_id, f"{name} (artefacts in {known.artifact_location})")
            known = None
        if known is None:
            return str(self.client.create_experiment(name, artifact_location=root))
        if known.lifecycle_stage == "deleted":
            self.client.restore_experiment(known.experiment_id)
        return str(known.experiment_id)

    def end_killed(self) -> int:
        """End the runs that a killed training of this workspace has left running; give their number.

        Only for a process that holds the workspace's lock: nobody else trains in it, so what still runs does not.
        """
        ended = 0
        query = f"attributes.status = 'RUNNING' and tags.`{WORKSPACE_TAG}` = '{self.owner}'"
        while runs := self.client.search_runs([self.experiment], query, max_results=1000):
            for run in runs:
                self.client.set_terminated(run.info.run_id, "KILLED")
                ended += 1
        return ended

    def run_file(self, run_id: str, path: str, folder: Path) -> Path:
        """Copy an artefact of a run into a folder; give where it lies.

        Raises
        ------
        CustidError
            Where it is not there.
        """
        with self._fetching(f"{path} of the run {run_id}"):
            folder.mkdir(parents=True, exist_ok=True)
            return Path(self.client.download_artifacts(run_id, path, str(folder)))

    def version_files(self, name: str, version: int, path: str, folder: Path) -> Path:
        """Copy a folder of a model version's artefacts into a folder; give where it lies.

        Raises
        ------
        CustidError
            Where it is not there.
        """
        with self._fetching(f"{name} version {version}"):
            from mlflow.artifacts import download_artifacts

            place = self.client.get_model_version_download_uri(name, str(version))
            uri = f"{place.rstrip('/')}/{path}"
            return Path(download_artifacts(artifact_uri=uri, dst_path=str(folder), tracking_uri=self.uri))

    @contextmanager
    def _fetching(self, what: str) -> Iterator[None]:
        with quieted():
            from mlflow.exceptions import MlflowException

            try:
                yield
            except (MlflowException, OSError) as error:
                raise CustidError(
                    f"{what}: cannot be fetched from {masked(self.uri)} ({_first_line(error)}); expected the artefacts "
                    "that training has left there."
                ) from error


def _create(database: Path) -> None:
    """Make the embedded store beside its place first: its tables are made in many steps that may be killed."""
    from mlflow.tracking import MlflowClient

    with replacing(database) as draft:
        MlflowClient(tracking_uri=f"sqlite:///{draft.resolve().as_posix()}")


def _knock(uri: str) -> None:
    """Ask once whether anybody answers at a server's address; MLflow itself would try for minutes."""
    if uri.startswith(("http://", "https://")):
        from urllib.error import HTTPError
        from urllib.parse import urlsplit
        from urllib.request import urlopen

        parts = urlsplit(uri)
        place = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        with suppress(HTTPError):  # an answer, if only a refusal: MLflow knows how to ask
            urlopen(place, timeout=_PATIENCE).close()


def _first_line(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    return masked(text).rstrip(".") or type(error).__name__
