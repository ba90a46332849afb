"""The whole backtest: what it leaves, what it may see, and what a kill leaves of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from custid.backtest.figures import shown
from custid.backtest.sitting import sit
from custid.backtest.stage import backtest
from custid.cli import app
from custid.errors import InputError
from custid.metrics import PROBABILITY
from custid.registry import Store
from custid.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

AS_OF, HORIZON = date(2025, 1, 1), timedelta(days=90)
LAST = AS_OF - HORIZON


@pytest.fixture(scope="module")
def killed(shop, tmp_path_factory):
    """A workspace in which a backtest was killed once its first task was finished, and when that was."""
    ws = Workspace(tmp_path_factory.mktemp("backtest") / "workspace")
    words = [sys.executable, "-m", "custid", "backtest", str(shop), "--workspace", str(ws.root)]
    process = subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(ws.origins.glob("*/churn/*/result.json")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not ws.backtest.exists()
    (finished,) = ws.origins.glob("*/churn/*/result.json")
    return ws, finished, finished.stat().st_mtime_ns


@pytest.fixture(scope="module")
def looked(killed, shop):
    """The same workspace when the command was given again; nobody may change it."""
    ws, _, _ = killed
    done = CliRunner().invoke(app, ["backtest", str(shop), "--workspace", str(ws.root)])
    assert done.exit_code == 0, done.output
    assert "Over 2 origins" in done.output
    return ws


@pytest.fixture(scope="module")
def found(looked):
    return json.loads(looked.backtest.read_text())


def test_every_horizon_has_ended_and_every_figure_stands_with_its_difference(found):
    assert found["as_of"] == AS_OF.isoformat()
    assert len(found["origins"]) == 2
    told = found["tasks"]["churn"]
    assert list(told["origins"]) == found["origins"]
    for origin, block in told["origins"].items():
        assert date.fromisoformat(origin) + timedelta(days=block["horizon_days"]) <= AS_OF
        assert set(block["differences"]["prior"]) >= set(PROBABILITY)
        assert set(block["baselines"]) >= {"recency", "rfm", "past_spend", "prior", "xgboost"}
        for who, figures in block["baselines"].items():
            for name, theirs in figures.items():
                gap = block["differences"][who][name]
                if name in PROBABILITY:  # what is measured customer by customer
                    assert gap["low"] <= gap["high"]
                assert gap["value"] == pytest.approx(block["model"][name]["value"] - theirs["value"])
    pooled = told["pooled"]["model"]["auc"]
    by_origin = [block["model"]["auc"]["value"] for block in told["origins"].values()]
    assert pooled["value"] == pytest.approx(np.mean(by_origin))
    assert pooled["low"] <= pooled["value"] <= pooled["high"]
    assert pooled["origins"] == 2


def test_a_task_that_is_not_judged_customer_by_customer_gives_what_it_has(found):
    told = found["tasks"]["segments"]
    assert told["headline"] == "churn_explained"
    assert told["pooled"]["model"]["churn_explained"]["value"] is not None
    assert told["pooled"]["model"]["churn_explained"]["low"] is None


def test_mlflow_has_a_run_with_a_run_per_origin_in_it(looked, found, settings):
    store = Store(settings(), looked)
    runs = [run for run in store.client.search_runs([store.experiment]) if run.info.status == "FINISHED"]
    (parent,) = [run for run in runs if run.data.tags["custid.task"] == "backtest"]
    nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.data.tags["custid.as_of"] for run in nested) == found["origins"]
    by_origin = {run.data.tags["custid.as_of"]: run.data.metrics for run in nested}
    for origin, metrics in by_origin.items():
        assert metrics["churn.auc"] == found["tasks"]["churn"]["origins"][origin]["model"]["auc"]["value"]
    gap = found["tasks"]["churn"]["pooled"]["differences"]["recency"]["auc"]
    assert parent.data.metrics["churn.ahead_of.recency"] == gap["value"]
    assert {file.path for file in store.client.list_artifacts(parent.info.run_id)} == {"backtest.html", "backtest.json"}
    assert found["tasks"]["churn"]["verdict"]["sentence"] in parent.data.tags["mlflow.note.content"]


def test_the_page_stands_alone(looked, found):
    page = looked.backtest_page.read_text()
    drawn = [name for task, told in found["tasks"].items() for name in shown(task, told)]
    assert {"auc", "brier", "churn_explained"} <= set(drawn)
    assert page.count('data-chart="origins"') == len(drawn)
    assert page.count('data-chart="calibration"') == 2
    assert found["tasks"]["churn"]["verdict"]["sentence"] in page
    assert not any(sign in page for sign in ("<script", "<link", "src=", "url(", "//"))


def test_what_was_finished_before_a_kill_is_found_again(killed, looked, settings):
    _, finished, when = killed
    assert finished.stat().st_mtime_ns == when
    store = Store(settings(), looked)
    runs = store.client.search_runs([store.experiment], "tags.`custid.task` = 'backtest'")
    assert sorted(run.info.status for run in runs) == ["FINISHED", "KILLED"]


def test_a_second_run_has_nothing_to_do(looked, shop):
    before = looked.backtest.stat().st_mtime_ns
    done = CliRunner().invoke(app, ["backtest", str(shop), "--workspace", str(looked.root)])
    assert "Nothing to do" in done.output
    assert looked.backtest.stat().st_mtime_ns == before


@pytest.fixture(scope="module")
def earlier(looked, settings, tables_until, tmp_path_factory):
    """Churn on an earlier day, from all tables."""
    ws = tables_until(looked, tmp_path_factory.mktemp("all"), AS_OF)
    ((sitting,), left_out) = sit(settings("tasks=[churn]"), ws, LAST - HORIZON)
    assert not left_out
    return sitting


def test_rows_after_the_horizon_change_nothing(earlier, looked, settings, tables_until, tmp_path: Path):
    ((ended,), _) = sit(settings("tasks=[churn]"), tables_until(looked, tmp_path, LAST), LAST - HORIZON)
    assert ended.result == earlier.result
    assert ended.exam.ids.tolist() == earlier.exam.ids.tolist()
    assert ended.exam.truth.tolist() == earlier.exam.truth.tolist()
    assert ended.exam.score.tolist() == earlier.exam.score.tolist()


def test_rows_after_the_origin_reach_the_truth_alone(earlier, looked, settings, tables_until, tmp_path: Path):
    ((blind,), _) = sit(settings("tasks=[churn]"), tables_until(looked, tmp_path, LAST - HORIZON), LAST - HORIZON)
    assert blind.exam.truth.tolist() == [1.0] * blind.exam.truth.size
    assert set(earlier.exam.truth.tolist()) == {0.0, 1.0}
    assert blind.exam.score.tolist() == earlier.exam.score.tolist()
    assert blind.result["chosen"] == earlier.result["chosen"]
    for name, baseline in blind.exam.baselines.items():
        assert baseline.score.tolist() == earlier.exam.baselines[name].score.tolist()


def test_an_origin_with_too_few_customers_is_left_out_and_said(looked, settings, tables_until, tmp_path: Path):
    ws = tables_until(looked, tmp_path, AS_OF)
    few = settings("training.min_customers=5000", f"workspace={tmp_path}")
    done, left_out = sit(few, ws, LAST)
    assert done == []
    assert set(left_out) == {"churn", "segments"}
    with pytest.raises(InputError, match=r"nothing could be learnt at any of 2 origins.*expected at least 5000"):
        backtest(few, ws, AS_OF)
