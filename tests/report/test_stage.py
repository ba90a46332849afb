"""The stage report on a finished run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import CustidError
from custid.report.stage import report
from custid.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from custid.config import Config

FILES = ("profiles", "features", "metrics", "quality")


def opened(made: Any, folder: Path, files: tuple[str, ...] = FILES) -> tuple[Config, Workspace]:
    """A workspace of its own with some of the run's files, and the run's models."""
    ws = Workspace(folder)
    for name in files:
        shutil.copyfile(getattr(Workspace(made.workspace), name), getattr(ws, name))
    store = f"mlflow.tracking_uri={Workspace(made.workspace).tracking_uri}"
    return load(made.config, [*made.overrides, store]), ws


def test_the_page_of_a_run_has_every_section_and_its_first_customers(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    report(config, ws)
    text = ws.report.read_text(encoding="utf-8")
    assert 'class="absent"' not in text
    for chart in ("groups", "lorenz", "drivers", "histogram", "bands", "dots", "rows"):
        assert f'data-chart="{chart}"' in text
    profiles = pq.read_table(ws.profiles)
    first = np.argsort(-profiles["expected_value"].to_numpy(), kind="stable")[:20]
    for customer in profiles["customer_id"].take(first).to_pylist():
        assert f">{customer}</td>" in text


def test_the_same_run_gives_the_same_page(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    report(config, ws)
    before = ws.report.read_bytes()
    report(config, ws)
    assert ws.report.read_bytes() == before


def test_without_metrics_and_quality_the_page_says_so(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path, ("profiles", "features"))
    report(config, ws)
    text = ws.report.read_text(encoding="utf-8")
    assert "there is no metrics.json" in text
    assert "there is no quality.json" in text


def test_without_profiles_there_is_no_page(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path, ("features",))
    with pytest.raises(CustidError, match="custid profile"):
        report(config, ws)
    assert not ws.report.exists()
