"""The programs that are asked: custid, and each peer in an environment of its own.

A peer is a script ``fit_<name>.py`` and its pinned requirements, ``<name>.txt``. It is given a folder with
``learn.csv`` (columns and labels of an earlier day), ``score.csv`` (the columns of the day) and ``question.json``; it
writes ``said_<system>.csv`` (customer_id, p_churn, expected_value, p_high_value) for each system that it stands for.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

if TYPE_CHECKING:
    from cases import Split

HERE = Path(__file__).resolve().parent
KEPT = HERE.parents[1] / "data" / "benchmarks" / "peers"
SYSTEMS = {"lifetimes": ("bgnbd", "paretonbd")}
PEERS = ("lifetimes", "xgboost", "histgb", "flaml", "autogluon")
BUDGETED = ("flaml", "autogluon")
PATIENCE = 3600
"""Seconds after which a program is given up."""


@dataclass(frozen=True)
class Answer:
    """What a program said: scores by system, its version, and the CPU seconds that it took."""

    scores: dict[str, pd.DataFrame]
    version: str
    seconds: float


class UnavailableError(Exception):
    """A program cannot be asked; says why."""


def ask_peer(name: str, folder: Path, budget: float) -> Answer:
    """Run a peer on a prepared folder.

    Raises
    ------
    UnavailableError
        Where its environment cannot be made, or it fails.
    """
    python = environment(name)
    began = _cpu()
    words = [str(python), str(HERE / f"fit_{name}.py"), str(folder), str(budget)]
    answer = json.loads(_run(words, folder).strip().splitlines()[-1])
    scores = {
        system: pd.read_csv(folder / f"said_{system}.csv", dtype={"customer_id": str}).set_index("customer_id")
        for system in SYSTEMS.get(name, (name,))
    }
    return Answer(scores, answer["version"], _cpu() - began)


def ask_custid(split: Split, folder: Path, trials: int | None) -> Answer:
    """Run custid on the rows before as_of alone: train, then score.

    Raises
    ------
    UnavailableError
        Where it fails.
    """
    split.past.to_parquet(folder / "past.parquet")
    tuning = {} if trials is None else {"tuning": {"trials": trials}}
    source = {"name": "shop", "table": "transactions", "uri": str(folder / "past.parquet")}
    config = {
        "name": split.case.name.replace("_", "-"),
        "workspace": str(folder / "workspace"),
        "as_of": split.case.as_of,
        "horizon": f"{split.case.days}d",
        "sources": [source],
        "tasks": ["high_value", "clv", "churn"],
        **tuning,
    }
    (folder / "custid.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    began = _cpu()
    for command in ("train", "score"):
        _run([sys.executable, "-m", "custid", command, str(folder / "custid.yaml")], folder)
    seconds = _cpu() - began
    said = pd.read_parquet(folder / "workspace" / "scores.parquet").set_index("customer_id")
    return Answer({"custid": said[["p_churn", "expected_value", "p_high_value"]]}, _own_version(), seconds)


def environment(name: str) -> Path:
    """The Python of a peer's environment, which is made where it is not there or its requirements have changed.

    Raises
    ------
    UnavailableError
        Where it cannot be made.
    """
    needs, folder = HERE / f"{name}.txt", KEPT / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made_of, digest = folder / "made_of.txt", hashlib.sha256(needs.read_bytes()).hexdigest()
    if made_of.exists() and made_of.read_text() == digest:
        return python
    print(f"{name}: making its environment in {folder}", flush=True)
    try:
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "-r", needs]
        subprocess.run(install, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UnavailableError(
            f"{needs.name} could not be installed ({_last(getattr(error, 'stderr', '') or error)})"
        ) from None
    made_of.write_text(digest)
    return python


def _run(words: list[str], folder: Path) -> str:
    """What a command prints."""
    quiet = {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "2", "MLFLOW_TRACKING_URI": ""}
    began = time.monotonic()
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, cwd=folder, env={**os.environ, **quiet}, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"it did not end ({error}, {time.monotonic() - began:.0f} s)") from None
    if done.returncode != 0:
        raise UnavailableError(f"it ended with {done.returncode} ({_last(done.stderr or done.stdout)})")
    return done.stdout


def _cpu() -> float:
    """CPU seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _last(text: object) -> str:
    """The last line that names an error, or the last one."""
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line.split(":")[0]]
    return (named or lines or ["without a word"])[-1]


def _own_version() -> str:
    import custid

    return f"custid {custid.__version__}"
