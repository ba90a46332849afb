"""What the tests of reading share: a short way to ingest a table, and a PostgreSQL server."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from custid.config import parse
from custid.ingest.stage import ingest
from custid.workspace import Workspace

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True)
class Taken:
    """What an ingest left."""

    ws: Workspace
    as_of: date

    @property
    def quality(self) -> dict[str, Any]:
        """The account of the first source."""
        return next(iter(self.account["sources"].values()))

    @property
    def account(self) -> dict[str, Any]:
        """All of quality.json."""
        return json.loads(self.ws.quality.read_text(encoding="utf-8"))

    def table(self, name: str = "transactions") -> pa.Table:
        """A canonical table."""
        return pq.read_table(self.ws.table(name))

    def later(self, name: str = "transactions") -> pa.Table:
        """The rows at or after as_of."""
        return pq.read_table(self.ws.later(name))

    def refused(self, source: str = "shop") -> list[dict[str, Any]]:
        """The quarantined rows."""
        path = self.ws.refused(source)
        return pq.read_table(path).to_pylist() if path.exists() else []

    def column(self, name: str, table: str = "transactions") -> list[Any]:
        """One column of a table."""
        return self.table(table)[name].to_pylist()


Take = Callable[..., Taken]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Ingest a table: text (a CSV file), bytes, a path or an address; keywords are settings of the source."""

    def run(content: str | bytes | Path, settings: dict[str, Any] | None = None, **source: Any) -> Taken:
        uri = str(content)
        if isinstance(content, bytes) or "\n" in uri:
            file = tmp_path / "shop.csv"
            file.write_bytes(content if isinstance(content, bytes) else uri.encode())
            uri = str(file)
        one = {"name": "shop", "table": "transactions", "uri": uri} | source
        settings = {"sources": [one], "quality": {"max_refused": 1.0}} | (settings or {})
        return take_all(settings, tmp_path / "workspace")

    return run


def take_all(settings: dict[str, Any], folder: Path) -> Taken:
    """Ingest by a whole config."""
    text = yaml.safe_dump(settings | {"workspace": str(folder)}, allow_unicode=True)
    config = parse(text, "test.yaml", env={})
    ws = Workspace(config.workspace).create()
    return Taken(ws, ingest(config, ws))


@pytest.fixture
def take_config(tmp_path: Path) -> Callable[[dict[str, Any]], Taken]:
    """Ingest by a whole config."""
    return lambda settings: take_all(settings, tmp_path / "workspace")


def _as_postgres(command: list[str]) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


def _binaries() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        pytest.skip("no PostgreSQL server is installed")
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    return places[-1]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of the tests' own, on a socket in a folder of its own."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="custid-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    control = [str(binaries / "pg_ctl"), "-D", str(folder / "data")]
    initdb = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "--auth=trust", "--no-sync"]
    subprocess.run(_as_postgres([*initdb, "--encoding=UTF8", "--locale=C"]), **quiet)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run(_as_postgres([*control, "-w", "-l", str(folder / "log"), "-o", options, "start"]), **quiet)
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        subprocess.run(_as_postgres([*control, "-m", "immediate", "stop"]), **quiet)
        shutil.rmtree(folder, ignore_errors=True)
