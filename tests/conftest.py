"""What tests share: where the real data lie, and one whole run on simulated customers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")
ROOT = Path(__file__).resolve().parents[1]
QUICK = (
    "tuning.trials=2",
    "training.snapshots=4",
    "intent.snapshots=4",
    "training.resamples=20",
    "segments.resamples=2",
    "segments.most=4",
    "explain.customers=50",
    "explain.background=50",
)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Public data sets beside the project; the test skips where they are not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the public data sets are not beside the project")
    return folder


@dataclass(frozen=True)
class Made:
    """A finished run: its config file, the overrides it was run with, and its workspace."""

    config: Path
    overrides: tuple[str, ...]
    workspace: Path


@pytest.fixture(scope="session")
def quick() -> tuple[str, ...]:
    """Overrides under which a whole run takes seconds."""
    return QUICK


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A whole run on 500 simulated customers, made once for all tests; nobody may change it."""
    from custid.config import load
    from custid.ingest.simulate import simulate
    from custid.pipeline import run

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "made"
    result = Made(folder / "custid.yaml", QUICK, folder / "workspace")
    with FileLock(shared / "made.lock"):
        if not (folder / "done.json").exists():
            simulate(folder, customers=500, seed=3)
            config = load(result.config, result.overrides)
            assert config.workspace == result.workspace
            run(config)
            (folder / "done.json").write_text(json.dumps(True))
    return result


@contextmanager
def _serving(folder: Path, *arguments: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    log = folder / "server.log"
    with log.open("w") as out, subprocess.Popen(command, cwd=folder, env={**os.environ, **quiet}, **pipes) as server:
        try:
            assert server.stdout is not None
            for line in server.stdout:
                out.write(line)
                if "Uvicorn running on" in line:
                    break
            else:
                pytest.fail(f"the tracking server did not start; see {log}")
            drain = Thread(target=shutil.copyfileobj, args=(server.stdout, out))
            drain.start()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
        drain.join(timeout=30)


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[str]]:
    """Runs ``mlflow`` with arguments on a free loopback port; a context that gives its address once it answers."""
    return _serving


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A tracking server with its own database, which hands artefacts on."""
    folder = tmp_path_factory.mktemp("server")
    store = ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "kept")]
    with _serving(folder, "server", *store, "--serve-artifacts") as address:
        yield address
