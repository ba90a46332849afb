import subprocess
import sys

import pytest

HEAVY = {
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "ibis",
    "mlflow",
    "xgboost",
    "sklearn",
    "bentoml",
    "plotly",
    "pydantic",
}


def custid(*words, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "custid", *map(str, words)], capture_output=True, text=True, cwd=cwd, timeout=300
    )


def test_help_is_there_before_anything_heavy_is_imported():
    code = "import sys, custid.cli; print(sorted(set(sys.argv[1:]) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_command_has_help():
    listed = custid("--help").stdout
    for name in (
        "run",
        "ingest",
        "resolve",
        "features",
        "train",
        "score",
        "profile",
        "report",
        "backtest",
        "demo",
        "init",
    ):
        assert f"  {name} " in listed
        assert custid(name, "--help").returncode == 0


def test_the_version_is_the_packages():
    import custid as package

    assert custid("--version").stdout.strip() == f"custid {package.__version__}"


@pytest.mark.parametrize("words", [["run", "none.yaml"], ["init", "none.csv"], ["simulate"], ["runn", "x"]])
def test_the_users_mistakes_end_in_2_with_a_sentence(words, tmp_path):
    done = custid(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_where(tmp_path):
    done = custid("run", "none.yaml", "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr
    assert "ConfigError" in done.stderr
