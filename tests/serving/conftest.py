"""A service as people run it: ``custid serve`` in a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from custid.config import load
from custid.serving.engine import Engine
from custid.serving.place import champion_place
from custid.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@pytest.fixture(scope="session")
def start():
    """What runs a server: ``start(words, port, log, env, cwd)``."""
    return serving


@pytest.fixture(scope="session")
def free_port():
    """What finds a port that nobody uses."""
    return unused


def unused() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(words: Sequence[str], port: int, log: Path, env: Mapping[str, str], cwd: Path) -> Iterator[httpx.Client]:
    """Run a server until the block ends; the client tries to connect for about a minute."""
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out, env={**os.environ, **env}, cwd=cwd)
    try:
        transport = httpx.HTTPTransport(retries=7)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60) as client:
            assert client.get("/readyz").status_code == 200, log.read_text()
            yield client
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def service(made, tmp_path_factory) -> Iterator[httpx.Client]:
    """A client of the service over the shared run."""
    folder, port = tmp_path_factory.mktemp("service"), unused()
    sets = [word for pair in made.overrides for word in ("--set", pair)]
    words = [sys.executable, "-m", "custid", "serve", str(made.config), *sets, "--port", str(port)]
    env = {"BENTOML_HOME": str(folder / "bentoml"), "OMP_NUM_THREADS": "1"}
    with serving(words, port, folder / "log", env, folder) as client:
        yield client


@pytest.fixture(scope="session")
def engine(made) -> Engine:
    """The release of the shared run, loaded into this process."""
    config = load(made.config, made.overrides)
    place = champion_place(config, Workspace(config.workspace))
    return Engine(place.release, place.settings)
