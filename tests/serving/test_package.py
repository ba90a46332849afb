import importlib.metadata
import json
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

import custid
from custid.config import load
from custid.serving.package import package
from custid.serving.wheel import pinned, write_wheel
from custid.workspace import Workspace


def test_the_wheel_holds_the_package_as_it_is_here(tmp_path):
    wheel = write_wheel(tmp_path)
    version = importlib.metadata.version("custid")
    assert wheel.name == f"custid-{version}-py3-none-any.whl"
    here = Path(custid.__file__).parent
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
        assert archive.read("custid/errors.py") == (here / "errors.py").read_bytes()
        assert f"Version: {version}" in archive.read(f"custid-{version}.dist-info/METADATA").decode()
    assert {f"custid/{p.relative_to(here).as_posix()}" for p in here.rglob("*.py")} <= names
    assert "custid/py.typed" in names
    assert not [name for name in names if "__pycache__" in name or "/." in name]


def test_equal_code_gives_an_equal_wheel(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert write_wheel(one).read_bytes() == write_wheel(other).read_bytes()


def test_requirements_are_pinned_to_what_is_installed_and_name_no_index():
    lines = pinned()
    assert all(re.fullmatch(r"[a-z0-9-]+==[^\s]+", line) for line in lines)
    versions = dict(line.split("==") for line in lines)
    for name in ("bentoml", "numpy", "pyarrow", "msgspec", "starlette"):
        assert versions[name] == importlib.metadata.version(name)
    assert "custid" not in versions


@pytest.fixture(scope="module")
def bento(made, tmp_path_factory):
    """A bento of the shared run, in a store of its own, and the archive of it."""
    folder = tmp_path_factory.mktemp("bento")
    config = load(made.config, made.overrides)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(folder / "home"))
        tag = package(config, Workspace(config.workspace), folder / "shop.bento")
    name, version = tag.split(":")
    return folder / "home", tag, folder / "home" / "bentos" / name / version, folder / "shop.bento"


@pytest.mark.slow
def test_a_bento_holds_all_that_it_needs_and_no_address(bento, made):
    _, _, folder, archive = bento
    assert archive.stat().st_size > 1000
    wheel = next((folder / "env" / "python" / "wheels").glob("custid-*.whl"))
    assert wheel.name.startswith("custid-")
    manifest = json.loads((folder / "src" / "release" / "manifest.json").read_text())
    assert {p.name for p in (folder / "src" / "release").iterdir() if p.is_dir()} == set(manifest["models"])
    assert (folder / "src" / "profiles.db").exists()
    text = "".join(p.read_text() for p in (folder / "env" / "python").glob("requirements*.txt"))
    assert "://" not in text
    assert "index" not in text
    words = "".join(p.read_text() for p in (folder / "src").rglob("*") if p.suffix in (".py", ".json", ".yaml"))
    assert str(made.workspace) not in words


def environment(folder, wheel):
    """A fresh environment with the libraries installed here, and custid from the bento's wheel alone."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    libraries = folder / "libraries"
    libraries.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "custid" not in entry.name and entry.suffix != ".pth":
            (libraries / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return python


@pytest.mark.slow
def test_a_bento_serves_in_a_fresh_environment_without_a_tracking_server(bento, made, tmp_path, start, free_port):
    home, tag, folder, _ = bento
    python = environment(tmp_path / "fresh", next((folder / "env" / "python" / "wheels").glob("custid-*.whl")))
    where = subprocess.run(
        [python, "-c", "import custid; print(custid.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert Path(where.stdout.strip()).is_relative_to(tmp_path / "fresh")
    port = free_port()
    env = {"BENTOML_HOME": str(home), "MLFLOW_TRACKING_URI": "http://127.0.0.1:1", "OMP_NUM_THREADS": "1"}
    words = [str(python), "-m", "bentoml", "serve", tag, "--port", str(port)]
    ws = Workspace(made.workspace)
    rows = pq.read_table(ws.features).to_pylist()
    scores = {row["customer_id"]: row for row in pq.read_table(ws.scores).to_pylist()}
    with start(words, port, tmp_path / "log", env, tmp_path) as client:
        known = {f["name"] for f in client.get("/v1/models").json()["features"]}
        customers = [
            {"customer_id": row["customer_id"], "features": {k: v for k, v in row.items() if k in known}}
            for row in rows
        ]
        answer = client.post(
            "/v1/score",
            content=msgspec.json.encode({"customers": customers}),
            headers={"content-type": "application/json"},
        ).json()
        for scored in answer["scores"]:
            batch = scores[scored["customer_id"]]
            assert {name: batch[name] for name in scored} == scored
        assert answer["release"] == batch["release"]
        assert client.get(f"/v1/customers/{rows[0]['customer_id']}").status_code == 200


@pytest.mark.slow
def test_bentoml_serves_a_config_as_its_users_expect(made, tmp_path, start, free_port):
    port = free_port()
    env = {"CUSTID_CONFIG": str(made.config), "CUSTID_WORKSPACE": str(made.workspace), "BENTOML_HOME": str(tmp_path)}
    words = [sys.executable, "-m", "bentoml", "serve", "custid.serving.service:Custid", "--port", str(port)]
    with start(words, port, tmp_path / "log", env, tmp_path) as client:
        release = pq.read_table(Workspace(made.workspace).scores)["release"][0].as_py()
        assert client.get("/v1/models").json()["release"] == release
